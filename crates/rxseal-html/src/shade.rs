//! What a part of a bar means, as a fill that differs from the others without colour, and how parts share a bar.

use std::fmt::Write as _;

use crate::number::{Tenths, scaled};
use crate::text::escaped;

/// What a part of a bar means. In grey, two of them are solid, two are patterns and one is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shade {
    /// What has happened, and is bad: solid and dark.
    Alarm,
    /// What may have happened: stripes.
    Caution,
    /// What nobody knows: dots.
    Unsure,
    /// What is as it should be: solid and light.
    Calm,
    /// What is not concerned: an empty frame.
    Empty,
}

impl Shade {
    fn fill(self) -> &'static str {
        match self {
            Self::Alarm => "#8c1d18",
            Self::Caution => "url(#caution)",
            Self::Unsure => "url(#unsure)",
            Self::Calm => "#79b4cc",
            Self::Empty => "#fff",
        }
    }
}

/// The patterns, which each page has once.
pub(crate) const PATTERNS: &str = concat!(
    "<svg class=\"hidden\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>",
    "<pattern id=\"caution\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">",
    "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><rect width=\"3\" height=\"6\" fill=\"#b45309\"/></pattern>",
    "<pattern id=\"unsure\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">",
    "<rect width=\"5\" height=\"5\" fill=\"#fff\"/><circle cx=\"2.5\" cy=\"2.5\" r=\"1.4\" fill=\"#3d3552\"/></pattern>",
    "</defs></svg>\n"
);

/// No part of a bar is thinner, or nobody would see it.
const SLIVER: Tenths = Tenths::pixels(3);
const HEIGHT: u64 = 15;

/// One bar. `all` is what a bar of the whole width has.
pub(crate) fn bar(out: &mut String, width: u64, label: &str, parts: &[(Shade, u64)], all: u64) {
    let _ = write!(
        out,
        "<svg width=\"{width}\" height=\"{HEIGHT}\" viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escaped(label)
    );
    let mut left = Tenths(0);
    for ((shade, _), width) in parts.iter().zip(widths(parts, all, Tenths::pixels(width))) {
        if width > Tenths(0) {
            rectangle(out, *shade, left, width);
            left = left.plus(width);
        }
    }
    out.push_str("</svg>");
}

/// What each fill means.
pub(crate) fn legend<'a>(out: &mut String, names: impl IntoIterator<Item = (Shade, &'a str)>) {
    out.push_str("<ul class=\"legend\">");
    for (shade, name) in names {
        let _ =
            write!(out, "<li><svg width=\"14\" height=\"{HEIGHT}\" viewBox=\"0 0 14 {HEIGHT}\" aria-hidden=\"true\">");
        rectangle(out, shade, Tenths(0), Tenths::pixels(14));
        let _ = write!(out, "</svg>{}</li>", escaped(name));
    }
    out.push_str("</ul>\n");
}

fn rectangle(out: &mut String, shade: Shade, left: Tenths, width: Tenths) {
    // The frame is drawn inside.
    let (left, width) = (left.plus(Tenths(5)), width.minus(Tenths(10)));
    let _ = write!(
        out,
        "<rect x=\"{left}\" y=\"0.5\" width=\"{width}\" height=\"{}\" fill=\"{}\" stroke=\"#4a5560\"/>",
        HEIGHT.saturating_sub(1),
        shade.fill()
    );
}

/// What a sliver takes more than its share is taken from the widest.
fn widths(parts: &[(Shade, u64)], all: u64, room: Tenths) -> Vec<Tenths> {
    let width = |count: u64| if count == 0 { Tenths(0) } else { scaled(count, all, room).max(SLIVER) };
    let mut widths: Vec<_> = parts.iter().map(|(_, count)| width(*count)).collect();
    let sum = widths.iter().fold(Tenths(0), |sum, width| sum.plus(*width));
    let mut excess = sum.minus(room);
    while excess > Tenths(0) {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > SLIVER) else { break };
        let less = excess.min(widest.minus(SLIVER));
        *widest = widest.minus(less);
        excess = excess.minus(less);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::{SLIVER, Shade, widths};
    use crate::number::Tenths;

    #[test]
    fn one_patient_of_millions_is_seen() {
        let room = Tenths::pixels(260);
        for counts in [[1, 2_299_999, 0], [1, 1, 2_299_998], [0, 0, 5], [u64::MAX, 1, 1], [1, 1, 1]] {
            let parts = counts.map(|count| (Shade::Alarm, count));
            let all = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
            let widths = widths(&parts, all, room);
            for (count, width) in counts.iter().zip(&widths) {
                assert!(if *count == 0 { width.0 == 0 } else { *width >= SLIVER }, "{counts:?} {widths:?}");
            }
            assert!(widths.iter().map(|width| width.0).sum::<u64>() <= room.0, "{counts:?} {widths:?}");
        }
    }
}

//! A chart: counts over time.

use std::fmt::Write as _;

use crate::number::{Tenths, number, scaled};
use crate::text::{escaped, shortened};

/// A chart: counts over time, with what is usual as a band, a shaded window, and marks that a list below it explains.
///
/// Times are numbers of one unit, such as Unix seconds. The chart does not know which, so the caller gives the texts of times.
#[derive(Clone, Debug)]
pub struct Line {
    label: String,
    from: u64,
    step: u64,
    counts: Vec<u64>,
    usual: Vec<Option<(u64, u64)>>,
    band: String,
    window: Option<(u64, u64, String)>,
    marks: Vec<(u64, String)>,
    ticks: Vec<(u64, String)>,
    note: String,
}

impl Line {
    /// The counts of steps, the first of which begins at `from`. `label` says what is counted.
    #[must_use]
    pub fn new(label: impl Into<String>, from: u64, step: u64, counts: impl Into<Vec<u64>>) -> Self {
        Self {
            label: label.into(),
            from,
            step: step.max(1),
            counts: counts.into(),
            usual: Vec::new(),
            band: String::new(),
            window: None,
            marks: Vec::new(),
            ticks: Vec::new(),
            note: String::new(),
        }
    }

    /// The least and most that is usual in each step, as far as it is known. `says` explains the band.
    #[must_use]
    pub fn band(mut self, usual: impl Into<Vec<Option<(u64, u64)>>>, says: impl Into<String>) -> Self {
        self.usual = usual.into();
        self.band = says.into();
        self
    }

    /// Shades this time. `says` explains it.
    #[must_use]
    pub fn window(mut self, from: u64, to: u64, says: impl Into<String>) -> Self {
        self.window = Some((from, to, says.into()));
        self
    }

    /// A dashed line at this time, with a number. `says` explains it in the list below.
    #[must_use]
    pub fn mark(mut self, at: u64, says: impl Into<String>) -> Self {
        self.marks.push((at, says.into()));
        self
    }

    /// A sentence at the end of the list below, such as what the most was.
    #[must_use]
    pub fn note(mut self, says: impl Into<String>) -> Self {
        self.note = says.into();
        self
    }

    /// A text at the axis of time, such as a day. One that has no room is left out.
    #[must_use]
    pub fn tick(mut self, at: u64, text: impl AsRef<str>) -> Self {
        self.ticks.push((at, shortened(text.as_ref(), 16)));
        self
    }

    pub(crate) fn write(&self, out: &mut String) {
        let (counts, usual) = (self.fewer_counts(), self.fewer_usual());
        let most = counts.iter().copied().chain(usual.iter().flatten().map(|(_, most)| *most)).max().unwrap_or(0);
        let top = round_above(most);
        let _ = writeln!(
            out,
            "<figure><svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\
             <g font-size=\"11\" font-family=\"system-ui,sans-serif\" fill=\"#16202a\">",
            escaped(&self.label)
        );
        self.write_window(out);
        write_grid(out, top);
        write_band(out, &usual, counts.len(), top);
        write_counts(out, &counts, top);
        self.write_marks(out);
        self.write_ticks(out);
        out.push_str("</g></svg>\n");
        self.write_list(out);
        out.push_str("</figure>\n");
    }

    /// What a screen cannot show apart becomes one point: the most of them.
    fn fewer_counts(&self) -> Vec<u64> {
        self.counts.chunks(self.chunk()).map(|chunk| chunk.iter().copied().max().unwrap_or(0)).collect()
    }

    fn fewer_usual(&self) -> Vec<Option<(u64, u64)>> {
        let widest = |chunk: &[Option<(u64, u64)>]| {
            let known = || chunk.iter().flatten();
            Some((known().map(|(least, _)| *least).min()?, known().map(|(_, most)| *most).max()?))
        };
        let known = self.usual.get(..self.counts.len()).unwrap_or(&self.usual);
        known.chunks(self.chunk()).map(widest).collect()
    }

    fn chunk(&self) -> usize {
        self.counts.len().div_ceil(MOST_POINTS).max(1)
    }

    /// Nothing if it is outside of the chart.
    fn x(&self, at: u64) -> Option<Tenths> {
        let steps = u64::try_from(self.counts.len().next_multiple_of(self.chunk())).unwrap_or(u64::MAX);
        let all = steps.saturating_mul(self.step);
        at.checked_sub(self.from).filter(|since| *since <= all).map(|since| LEFT.plus(scaled(since, all, ROOM)))
    }

    fn write_window(&self, out: &mut String) {
        let Some((from, to, _)) = &self.window else { return };
        let end = self.x(*to).unwrap_or(LEFT.plus(ROOM));
        let begin = if *from < self.from { Some(LEFT) } else { self.x(*from) };
        if let Some(begin) = begin.filter(|_| *to >= self.from) {
            let width = end.minus(begin).max(Tenths::pixels(2));
            let _ =
                writeln!(out, "<rect x=\"{begin}\" y=\"{TOP}\" width=\"{width}\" height=\"{TALL}\" fill=\"#e3dcd6\"/>");
        }
    }

    fn write_marks(&self, out: &mut String) {
        let mut row = 0_u64;
        let mut last: Option<Tenths> = None;
        for (place, (at, _)) in self.marks.iter().enumerate() {
            let Some(x) = self.x(*at) else { continue };
            // Numbers that would lie on each other go below each other.
            let is_near = last.is_some_and(|last| x.minus(last).max(last.minus(x)) < Tenths::pixels(15));
            row = if is_near { row.saturating_add(1) % 5 } else { 0 };
            last = Some(x);
            let y = TOP.plus(Tenths::pixels(row.saturating_mul(15).saturating_add(9)));
            let (low, base) = (TOP.plus(TALL), y.plus(Tenths::pixels(4)));
            let _ = writeln!(
                out,
                "<line x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{low}\" stroke=\"#111\" stroke-dasharray=\"4 3\"/>\
                 <circle cx=\"{x}\" cy=\"{y}\" r=\"7\" fill=\"#fff\" stroke=\"#111\"/>\
                 <text x=\"{x}\" y=\"{base}\" text-anchor=\"middle\">{}</text>",
                place.saturating_add(1)
            );
        }
    }

    fn write_ticks(&self, out: &mut String) {
        let mut free = Tenths(0);
        let y = TOP.plus(TALL).plus(Tenths::pixels(15));
        for (at, text) in &self.ticks {
            let letters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            let Some(x) = self.x(*at).filter(|x| *x >= free) else { continue };
            let end = x.plus(Tenths(letters.saturating_mul(65)));
            if end > Tenths::pixels(WIDTH) {
                continue;
            }
            free = end.plus(Tenths::pixels(8));
            let (from, to) = (TOP.plus(TALL), TOP.plus(TALL).plus(Tenths::pixels(4)));
            let _ = writeln!(
                out,
                "<line x1=\"{x}\" x2=\"{x}\" y1=\"{from}\" y2=\"{to}\" stroke=\"#5f6b76\"/><text x=\"{x}\" y=\"{y}\">{}</text>",
                escaped(text)
            );
        }
    }

    fn write_list(&self, out: &mut String) {
        out.push_str("<ul class=\"marks\">");
        let mut say = |sign: &str, says: &str| {
            for part in ["<li><b>", sign, "</b>", &escaped(says), "</li>"] {
                out.push_str(part);
            }
        };
        say("Line:", &self.label);
        if self.usual.iter().any(Option::is_some) {
            say("Band:", &self.band);
        }
        if let Some((_, _, says)) = &self.window {
            say("Shaded:", says);
        }
        for (place, (_, says)) in self.marks.iter().enumerate() {
            say(&place.saturating_add(1).to_string(), says);
        }
        if !self.note.is_empty() {
            for part in ["<li>", &escaped(&self.note), "</li>"] {
                out.push_str(part);
            }
        }
        out.push_str("</ul>\n");
    }
}

const WIDTH: u64 = 680;
const HEIGHT: u64 = 122;
const LEFT: Tenths = Tenths::pixels(66);
const TOP: Tenths = Tenths::pixels(8);
/// Of the part in which the line is.
const ROOM: Tenths = Tenths::pixels(606);
const TALL: Tenths = Tenths::pixels(92);
const MOST_POINTS: usize = 303;

fn write_grid(out: &mut String, top: u64) {
    for value in [0, top / 2, top] {
        let y = y(value, top);
        let (end, base) = (LEFT.plus(ROOM), y.plus(Tenths::pixels(4)));
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#c3cad0\"/><text x=\"60\" y=\"{base}\" text-anchor=\"end\">{}</text>",
            number(value)
        );
    }
}

/// A polygon for each run of known steps.
fn write_band(out: &mut String, usual: &[Option<(u64, u64)>], all: usize, top: u64) {
    let steps: Vec<_> = usual.iter().enumerate().collect();
    for run in steps.split(|(_, known)| known.is_none()).filter(|run| !run.is_empty()) {
        out.push_str("<polygon points=\"");
        let known = run.iter().filter_map(|(at, known)| known.map(|(least, most)| (*at, least, most)));
        for (at, _, most) in known.clone() {
            let _ = write!(out, "{},{} ", middle(at, all), y(most, top));
        }
        for (at, least, _) in known.rev() {
            let _ = write!(out, "{},{} ", middle(at, all), y(least, top));
        }
        out.push_str("\" fill=\"#79b4cc\" fill-opacity=\".55\" stroke=\"#79b4cc\" stroke-width=\"1.5\"/>\n");
    }
}

fn write_counts(out: &mut String, counts: &[u64], top: u64) {
    if let [only] = counts {
        let _ = writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"#8c1d18\"/>", middle(0, 1), y(*only, top));
        return;
    }
    out.push_str("<polyline points=\"");
    for (at, count) in counts.iter().enumerate() {
        let _ = write!(out, "{},{} ", middle(at, counts.len()), y(*count, top));
    }
    out.push_str("\" fill=\"none\" stroke=\"#8c1d18\" stroke-width=\"2\"/>\n");
}

/// The middle of a step.
fn middle(at: usize, steps: usize) -> Tenths {
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(2);
    LEFT.plus(scaled(wide(at).saturating_add(1), wide(steps), ROOM))
}

fn y(value: u64, top: u64) -> Tenths {
    TOP.plus(TALL).minus(scaled(value, top, TALL))
}

/// 2, 4 or 10 times a power of ten, so that half of it is round too.
fn round_above(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for round in [2, 4, 10] {
            let top = power.saturating_mul(round);
            if top >= most {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, round_above};

    #[test]
    fn the_axis_ends_at_a_round_number() {
        assert_eq!([0, 2, 3, 9, 11, 1_000, 2_871].map(round_above), [2, 2, 4, 10, 20, 1_000, 4_000]);
        assert_eq!(round_above(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_line_of_years_stays_small() {
        let hours = 24 * 365 * 6;
        let mut out = String::new();
        let line = Line::new("patients", 0, 3_600, vec![7; hours]).band(vec![Some((1, 9)); hours], "usual");
        line.mark(5, "a").mark(6, "b").window(10, 100_000, "theft").write(&mut out);
        assert!(out.len() < 20_000, "{}", out.len());
    }

    #[test]
    fn what_is_outside_of_the_time_is_not_drawn() {
        let mut out = String::new();
        let line = Line::new("patients", 1_000, 10, [1, 2, 3]).mark(5, "before").mark(2_000, "after");
        line.window(0, 10, "before").tick(999, "t").write(&mut out);
        assert!(!out.contains("<rect") && !out.contains("<circle") && !out.contains(">t<"), "{out}");
        assert!(out.contains("before") && out.contains("after"), "{out}");
    }

    #[test]
    fn one_step_and_none_are_no_fault() {
        for counts in [vec![], vec![5]] {
            let mut out = String::new();
            Line::new("patients", 0, 0, counts).band([None, Some((1, 2))], "usual").write(&mut out);
            assert!(out.contains("</svg>"), "{out}");
        }
    }
}

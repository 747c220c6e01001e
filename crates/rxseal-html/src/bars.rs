//! A chart: one bar for each kind.

use crate::number::number;
use crate::shade::{Shade, bar, legend};
use crate::text::escaped;

/// A chart: one bar for each kind, divided into parts that mean the same in each bar. Its numbers are beside it as text.
#[derive(Clone, Debug)]
pub struct Bars<const N: usize> {
    parts: [(Shade, String); N],
    bars: Vec<(String, [u64; N])>,
}

impl<const N: usize> Bars<N> {
    /// What the parts mean, from the left. The text beside a bar has the count of the first even if it is 0.
    #[must_use]
    pub fn new<S: Into<String>>(parts: [(Shade, S); N]) -> Self {
        Self { parts: parts.map(|(shade, name)| (shade, name.into())), bars: Vec::new() }
    }

    /// One more bar, with the count of each part.
    pub fn bar(&mut self, kind: impl Into<String>, counts: [u64; N]) {
        self.bars.push((kind.into(), counts));
    }

    pub(crate) fn write(&self, out: &mut String) {
        let all = self.bars.iter().map(|(_, counts)| sum(counts)).max().unwrap_or(0);
        out.push_str("<figure class=\"kinds\"><table class=\"bars\"><tbody>\n");
        for (kind, counts) in &self.bars {
            let said = self.said(counts);
            for part in ["<tr><th scope=\"row\">", &escaped(kind), "</th><td class=\"bar\">"] {
                out.push_str(part);
            }
            let parts: Vec<_> = self.parts.iter().zip(counts).map(|((shade, _), count)| (*shade, *count)).collect();
            bar(out, WIDTH, &said, &parts, all);
            for part in ["</td><td>", &escaped(&said), "</td></tr>\n"] {
                out.push_str(part);
            }
        }
        out.push_str("</tbody></table>\n");
        legend(out, self.meanings().iter().map(|(shade, names)| (*shade, names.as_str())));
        out.push_str("</figure>\n");
    }

    /// What the fills mean that are in a bar. Parts of one fill are said together.
    fn meanings(&self) -> Vec<(Shade, String)> {
        let mut meanings = Vec::<(Shade, String)>::new();
        for (at, (shade, name)) in self.parts.iter().enumerate() {
            if !self.bars.iter().any(|(_, counts)| counts.get(at).is_some_and(|count| *count > 0)) {
                continue;
            }
            match meanings.iter_mut().find(|(other, _)| other == shade) {
                Some((_, names)) => {
                    names.push_str(" or ");
                    names.push_str(name);
                }
                None => meanings.push((*shade, name.clone())),
            }
        }
        meanings
    }

    /// "2,871 readable; 2,297,129 copied, sealed"
    fn said(&self, counts: &[u64; N]) -> String {
        let counted = self.parts.iter().zip(counts).enumerate().filter(|(at, (_, count))| *at == 0 || **count > 0);
        let said: Vec<_> = counted.map(|(_, ((_, name), count))| format!("{} {name}", number(*count))).collect();
        said.join("; ")
    }
}

const WIDTH: u64 = 252;

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

#[cfg(test)]
mod tests {
    use super::{Bars, Shade};

    #[test]
    fn numbers_are_beside_a_bar() {
        let mut bars = Bars::new([(Shade::Alarm, "readable"), (Shade::Calm, "sealed")]);
        bars.bar("identity <1>", [0, 2_300_000]);
        let mut out = String::new();
        bars.write(&mut out);
        assert!(out.contains("identity &lt;1&gt;</th>"), "{out}");
        assert!(out.contains("<td>0 readable; 2,300,000 sealed</td>"), "{out}");
    }
}

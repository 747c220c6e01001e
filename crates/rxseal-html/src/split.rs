//! A chart: one bar, divided.

use crate::number::number;
use crate::shade::{Shade, bar, legend};

/// A chart: one bar, divided. Its legend has the numbers.
#[derive(Clone, Debug, Default)]
pub struct Split(Vec<(Shade, String, u64)>);

impl Split {
    /// One without a part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more part, on the right.
    #[must_use]
    pub fn part(mut self, shade: Shade, name: impl Into<String>, count: u64) -> Self {
        self.0.push((shade, name.into(), count));
        self
    }

    pub(crate) fn write(&self, out: &mut String) {
        let said: Vec<_> =
            self.0.iter().map(|(shade, name, count)| (*shade, format!("{} {name}", number(*count)))).collect();
        let label: Vec<_> = said.iter().map(|(_, said)| said.as_str()).collect();
        let parts: Vec<_> = self.0.iter().map(|(shade, _, count)| (*shade, *count)).collect();
        let all = parts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        out.push_str("<figure>");
        bar(out, WIDTH, &label.join("; "), &parts, all);
        legend(out, said.iter().map(|(shade, said)| (*shade, said.as_str())));
        out.push_str("</figure>\n");
    }
}

const WIDTH: u64 = 680;

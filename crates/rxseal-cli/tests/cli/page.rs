//! Blocks of a page of docs/, run as they are written.

/// What is between two fences.
pub struct Block<'p> {
    /// Of its first fence.
    pub line: usize,
    /// The heading that it is under.
    pub heading: &'p str,
    /// `sh`, `text` ..
    pub kind: &'p str,
    pub lines: Vec<&'p str>,
}

pub fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut heading = "";
    let mut lines = page.lines().zip(1..);
    while let Some((text, line)) = lines.next() {
        if text.starts_with('#') {
            heading = text.trim_start_matches('#').trim();
        } else if let Some(kind) = text.trim_start().strip_prefix("```") {
            let inside = lines.by_ref().map(|(text, _)| text).take_while(|text| text.trim() != "```").collect();
            blocks.push(Block { line, heading, kind, lines: inside });
        }
    }
    blocks
}

//! Whether the quotes of a file of CSV come in pairs. The parser of CSV takes any bytes, and a quote that never closes would swallow all rows
//! behind it.

/// Where in a cell the last byte was. Commas, line ends and quotes are all that matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// Behind a quote that closes the cell, or is the first of two that stand for one.
    Closed,
}

/// Follows the bytes of a file, part by part.
pub(super) struct Quotes {
    at: At,
    is_begun: bool,
    line: u64,
    /// The line of the quote that opened last.
    opened: u64,
}

impl Quotes {
    pub(super) fn new() -> Self {
        Self { at: At::Start, is_begun: false, line: 1, opened: 0 }
    }

    /// The line of the last byte, from 1 on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next bytes. The error has no text of the file.
    pub(super) fn follow(&mut self, part: &[u8]) -> Result<(), String> {
        let mark = part.strip_prefix(b"\xef\xbb\xbf").filter(|_| !self.is_begun);
        self.is_begun |= !part.is_empty();
        let part = mark.unwrap_or(part);
        if matches!(self.at, At::Start | At::Plain) && memchr::memchr(b'"', part).is_none() {
            self.follow_plain(part);
            return Ok(());
        }
        for byte in part {
            self.at = match (self.at, byte) {
                (At::Start, b'"') => {
                    self.opened = self.line;
                    At::Quoted
                }
                (At::Quoted, b'"') => At::Closed,
                (At::Closed, b'"') | (At::Quoted, _) => At::Quoted,
                (At::Start | At::Plain | At::Closed, b',' | b'\r' | b'\n') => At::Start,
                (At::Start | At::Plain, _) => At::Plain,
                (At::Closed, _) => return Err(self.behind_a_quote()),
            };
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The same for bytes without a quote, as most are.
    fn follow_plain(&mut self, part: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', part).count();
        self.line = self.line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        match part.last() {
            Some(b',' | b'\r' | b'\n') => self.at = At::Start,
            Some(_) => self.at = At::Plain,
            None => {}
        }
    }

    /// The file is at its end.
    pub(super) fn end(&self) -> Result<(), String> {
        if self.at != At::Quoted {
            return Ok(());
        }
        let what = "the quote that opens a cell there has no second one, so the rest of the file would be one value";
        Err(format!("line {}: {what}. {ADVICE}", self.opened))
    }

    fn behind_a_quote(&self) -> String {
        let cell = format!("the cell that a quote opens on line {}", self.opened);
        format!("line {}: text is behind the quote that closes {cell}. {ADVICE}", self.line)
    }
}

const ADVICE: &str = "Was the file cut off, or are its quotes written as \\\"? Export it again, with two quotes for each one inside of a value";

#[cfg(test)]
mod tests {
    use super::*;

    /// In parts of each length, since a file comes in parts.
    fn said(text: &str) -> Result<(), String> {
        let all: Vec<_> = (1..=text.len().max(1))
            .map(|len| {
                let mut quotes = Quotes::new();
                text.as_bytes().chunks(len.max(3)).try_for_each(|part| quotes.follow(part))?;
                quotes.end()
            })
            .collect();
        assert!(all.iter().all(|one| *one == all[0]), "{text:?}: {all:?}");
        all[0].clone()
    }

    #[test]
    fn quotes_come_in_pairs() {
        for good in [
            "",
            "a,b\n1,\"x, \"\"y\"\"\n z\"\r\n\"\",\"\"",
            "\u{feff}\"a\",b\n",
            "a\n5\" tape\n",
            "a\n\"\"\"x\"\"\"\n",
            "a\r\"b\"\r",
        ] {
            assert_eq!(said(good), Ok(()), "{good:?}");
        }
        for (bad, line) in [
            ("\"", "line 1: the quote"),
            ("\u{feff}\"Jane", "line 1: the quote"),
            ("a,b\n1,\"Jane\n2,y\n3,z\n", "line 2: the quote"),
            ("a\n\"Jane\"\"", "line 2: the quote"),
            ("a\n\n\"Jane\"Doe\n", "line 3: text"),
            ("a\n\"Jane\" \n", "line 2: text"),
            ("a\n\"\nJane \\\"Doe\\\"\"\n", "line 3: text"),
        ] {
            let text = said(bad).unwrap_err();
            assert!(text.starts_with(line) && !text.contains("Jane") && !text.contains("Doe"), "{bad:?}: {text}");
        }
    }
}

//! Words of a page, and the one function that escapes.

use std::fmt::Write as _;

/// Words of a page. Whatever they have, they are shown as they are: nothing in them is markup.
///
/// `&str` and `String` become one by `into()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Ordinary words.
    #[must_use]
    pub fn new(words: impl AsRef<str>) -> Self {
        Self(escaped(words.as_ref()))
    }

    /// More ordinary words after these.
    #[must_use]
    pub fn plain(mut self, words: impl AsRef<str>) -> Self {
        self.0.push_str(&escaped(words.as_ref()));
        self
    }

    /// Words in bold.
    #[must_use]
    pub fn strong(self, words: impl AsRef<str>) -> Self {
        self.within("<b>", words.as_ref(), "</b>")
    }

    /// Words that say what a person still has to write here.
    #[must_use]
    pub fn to_write(self, words: impl AsRef<str>) -> Self {
        self.within("<em class=\"write\">", words.as_ref(), "</em>")
    }

    pub(crate) fn html(&self) -> &str {
        &self.0
    }

    fn within(mut self, begin: &str, words: &str, end: &str) -> Self {
        for part in [begin, &escaped(words), end] {
            self.0.push_str(part);
        }
        self
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::new(words)
    }
}

/// As text or the value of an attribute in quotes. What a reader cannot see, and what would turn the letters after it around, is named. Of several
/// such letters in a row the first is.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            _ if is_unseen(letter) => {
                let mut others = 0_u32;
                while letters.next_if(|letter| is_unseen(*letter)).is_some() {
                    others = others.saturating_add(1);
                }
                let more = if others > 0 { format!(" and {others} more") } else { String::new() };
                let _ = write!(escaped, "[U+{:04X}{more}]", u32::from(letter));
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Controls, marks and overrides of the direction of writing, ends of lines, and what Unicode says is no character.
fn is_unseen(letter: char) -> bool {
    (letter.is_control() && !matches!(letter, '\n' | '\t'))
        || matches!(letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(letter) & 0xfffe == 0xfffe
}

/// At most so many letters. The last is `…` if some were left out.
pub(crate) fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Text, escaped, shortened};

    #[test]
    fn nothing_in_words_is_markup() {
        let text = Text::new("a<b>&\"'").strong("<i>").to_write("</em>");
        assert_eq!(text.html(), "a&lt;b&gt;&amp;&#34;&#39;<b>&lt;i&gt;</b><em class=\"write\">&lt;/em&gt;</em>");
    }

    #[test]
    fn what_nobody_sees_is_named() {
        assert_eq!(escaped("\u{202e}gnp\0\u{7f}\r\u{85}n\n\t\u{ffff}"), "[U+202E]gnp[U+0000 and 3 more]n  [U+FFFF]");
        assert_eq!(escaped("Müller 李 عمر 👩‍⚕️"), "Müller 李 عمر 👩‍⚕️");
    }

    #[test]
    fn long_words_are_shortened() {
        assert_eq!(shortened("identity", 8), "identity");
        assert_eq!(shortened("identities", 8), "identit…");
    }
}

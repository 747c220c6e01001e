//! The folding of names, which `family/1` and `given/1` share: small letters without accents, in words (FORMAT 15.4).

use rxseal::Error;
use zeroize::Zeroize;

use super::form::{NormalForm, too_long};
use super::unicode::{Class, class, compose, decompose, lower};
use super::words::{Starts, Words};

/// The letters of a name before NFC, with the places where its words begin.
pub(super) struct Folded {
    bytes: [u8; MAX_CHARS * 4],
    len: usize,
    chars: usize,
    starts: Starts,
    at_word: bool,
}

/// How many code points may be left before NFC. NFC makes at most 256 bytes of no more than that.
const MAX_CHARS: usize = 256;

impl Folded {
    /// Empty. It is filled in its place, since a move would leave a copy of the name behind.
    pub(super) fn new() -> Self {
        Self { bytes: [0; MAX_CHARS * 4], len: 0, chars: 0, starts: Starts::default(), at_word: true }
    }

    pub(super) fn read(&mut self, text: &str) -> Result<(), Error> {
        text.chars().try_for_each(|c| self.take(c))
    }

    pub(super) fn words(&self) -> Words<'_> {
        Words::new(self.bytes.get(..self.len).unwrap_or_default(), &self.starts)
    }

    fn take(&mut self, c: char) -> Result<(), Error> {
        if c.is_ascii() {
            return self.keep_folded(c);
        }
        match class(c) {
            Class::Refused => return Err(refused()),
            // Before NFKD, which makes a space with a mark of some of them.
            Class::Ignored => return Ok(()),
            Class::Letter | Class::Separator => {}
        }
        decompose(c, |c| if is_dropped(c) { Ok(()) } else { decompose(lower(c), |c| self.keep(c)) })
    }

    /// Keeps one code point of decomposed small letters.
    fn keep(&mut self, c: char) -> Result<(), Error> {
        if is_dropped(c) {
            return Ok(());
        }
        match spelled(c) {
            Some(letters) => letters.chars().try_for_each(|c| self.keep_folded(c)),
            None => self.keep_folded(c),
        }
    }

    fn keep_folded(&mut self, c: char) -> Result<(), Error> {
        match class_of(c) {
            Class::Refused => Err(refused()),
            Class::Ignored => Ok(()),
            Class::Separator => {
                self.at_word = true;
                Ok(())
            }
            Class::Letter => self.push(c.to_ascii_lowercase()),
        }
    }

    fn push(&mut self, c: char) -> Result<(), Error> {
        if self.chars >= MAX_CHARS {
            return Err(too_long());
        }
        if self.at_word {
            self.starts.mark(self.len);
            self.at_word = false;
        }
        let end = self.len.saturating_add(c.len_utf8());
        let room = self.bytes.get_mut(self.len..end).ok_or_else(too_long)?;
        c.encode_utf8(room);
        (self.len, self.chars) = (end, self.chars.saturating_add(1));
        Ok(())
    }
}

impl Drop for Folded {
    fn drop(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.len) {
            used.zeroize();
        }
    }
}

/// Folds a name of ASCII straight into the form: the same as the long way, and many times faster.
pub(super) fn fold_ascii(text: &str, form: &mut NormalForm) -> Result<Starts, Error> {
    let mut starts = Starts::default();
    let mut at_word = true;
    for byte in text.bytes() {
        match class_of_ascii(byte) {
            Class::Letter => {
                if at_word {
                    starts.mark(form.as_bytes().len());
                    at_word = false;
                }
                form.push_byte(byte.to_ascii_lowercase())?;
            }
            Class::Separator => at_word = true,
            Class::Ignored => {}
            Class::Refused => return Err(refused()),
        }
    }
    Ok(starts)
}

/// Writes letters in NFC.
pub(super) fn write_composed(letters: &[u8], form: &mut NormalForm) -> Result<(), Error> {
    // All code points are below U+0480: the marks there are dropped, so nothing is left to compose.
    if letters.iter().all(|byte| *byte < 0xD2) {
        return form.push(letters);
    }
    let mut chars = ['\0'; MAX_CHARS];
    let mut len = 0_usize;
    // It is whole code points, which `Folded` wrote.
    for (place, c) in chars.iter_mut().zip(std::str::from_utf8(letters).unwrap_or_default().chars()) {
        *place = c;
        len = len.saturating_add(1);
    }
    let used = chars.get_mut(..len).unwrap_or_default();
    let kept = compose(used);
    let written = used.iter().take(kept).try_for_each(|c| form.push_char(*c));
    used.zeroize();
    written
}

fn refused() -> Error {
    Error::not_indexable("a name has no control characters and no code points that Unicode 16 does not assign")
}

/// The marks that European scripts put on letters, and variation selectors. Marks of other scripts are letters.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// The class in a name: apostrophes and what is written in their place, the full stop, and the filler of Arabic lines are ignored.
fn class_of(c: char) -> Class {
    match u8::try_from(c).ok().filter(u8::is_ascii) {
        Some(byte) => class_of_ascii(byte),
        None if matches!(c, '\u{2018}' | '\u{2019}' | '\u{2B9}'..='\u{2BF}' | '\u{640}') => Class::Ignored,
        None => class(c),
    }
}

fn class_of_ascii(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Class::Letter,
        b'\'' | b'`' | b'.' => Class::Ignored,
        b' '..=b'~' => Class::Separator,
        _ => Class::Refused,
    }
}

/// Letters that Unicode does not decompose.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        'ı' => "i",
        'ŋ' => "n",
        'ς' => "σ",
        _ => return None,
    })
}

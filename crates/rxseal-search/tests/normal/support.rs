//! Forms as text, and the same random inputs as the Python reference draws.

use rxseal::Error;
use rxseal_search::normal::{NormalForm, Normalizes, NormalizesParts};

/// The form as text, or `!` and the code of the refusal. An empty form is an empty text.
pub(crate) fn form<N: Normalizes<str>>(text: &str) -> String {
    let mut form = NormalForm::new();
    match N::write(text, &mut form) {
        Ok(()) => text_of(&form).to_owned(),
        Err(error) => {
            assert!(form.is_empty(), "a refusal leaves no form");
            refusal(&error)
        }
    }
}

/// The parts, each once, separated by spaces.
pub(crate) fn parts<N: NormalizesParts<str>>(text: &str) -> String {
    let mut parts = Vec::new();
    let written = N::write_parts(text, &mut |part| {
        assert!(!part.is_empty() && part.len() <= NormalForm::MAX_LEN);
        let part = String::from_utf8(part.to_vec()).unwrap();
        if !parts.contains(&part) {
            parts.push(part);
        }
        Ok(())
    });
    written.map_or_else(|error| refusal(&error), |()| parts.join(" "))
}

fn text_of(form: &NormalForm) -> &str {
    std::str::from_utf8(form.as_bytes()).unwrap()
}

fn refusal(error: &Error) -> String {
    assert!(error.is_not_indexable(), "{error}");
    format!("!{}", error.code())
}

/// SplitMix64.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((z ^ (z >> 31)) % u64::from(end)).unwrap()
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(u32::try_from(of.len()).unwrap()) as usize]
    }

    /// Something like a name, in any script. It may have surrogates, as `None`, which Python has and Rust has not.
    pub(crate) fn name(&mut self) -> Option<String> {
        let mut text = Some(String::new());
        for _ in 0..self.below(12) {
            let kind = self.below(40) as usize;
            if let Some(word) = WORDS.get(kind) {
                text = text.map(|text| text + word);
            } else {
                let (first, last) = RANGES[(kind - WORDS.len()) % RANGES.len()];
                let drawn = char::from_u32(first + self.below(last - first + 1));
                text = text.zip(drawn).map(|(text, c)| text + c.encode_utf8(&mut [0; 4]));
            }
        }
        text
    }

    /// Something like a date, a phone number or an identifier.
    pub(crate) fn number(&mut self) -> String {
        (0..self.below(16)).map(|_| *self.one(&SIGNS)).collect()
    }
}

const WORDS: [&str; 16] =
    ["de ", "la ", "Van ", "Mac", " jr", "-III", "'", "’", "-", " ", "Smith", "İ", "ß", "ς", ".", "\u{200D}"];

const RANGES: [(u32, u32); 22] = [
    (0x20, 0x7E),
    (0x41, 0x5A),
    (0x61, 0x7A),
    (0xA0, 0xFF),
    (0x100, 0x24F),
    (0x300, 0x36F),
    (0x370, 0x3FF),
    (0x400, 0x4FF),
    (0x590, 0x6FF),
    (0x900, 0xDFF),
    (0xE00, 0xFFF),
    (0x1100, 0x11FF),
    (0x1E00, 0x1FFF),
    (0x2000, 0x206F),
    (0x3040, 0x30FF),
    (0x4E00, 0x4FFF),
    (0xAC00, 0xACFF),
    (0xF900, 0xFAFF),
    (0xFB00, 0xFDFF),
    (0xFE00, 0xFFEF),
    (0x1D400, 0x1D4FF),
    (0x10000, 0x10_FFFF),
];

const SIGNS: [&str; 31] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "5", "2", "-", " ", "+", "(0)", "(", ")", ".", "/", "x", "ext ",
    "#", "A", "b", "@", "–", "\u{A0}", "１", "-01-", "19",
];

//! Values that are looked for, in every way in which programs write them.

mod encodings;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::report::KnownAt;
use encodings::ENCODINGS;

/// Values to look for, such as those of [canaries](crate::Canary). All are looked for at once, in [twelve encodings](Self::ENCODINGS) and as they
/// are, in capitals and in small letters.
///
/// They stay in memory, unwiped, for as long as this is: look for values that are no patient's.
///
/// ```
/// use rxseal_scan::{KnownValues, Scan};
/// # fn main() -> Result<(), rxseal_scan::TooShort> {
/// let known = KnownValues::new([("planted name", "Zoë O'Quillfeather")])?;
/// let scan = Scan::new().looking_for(known);
/// # Ok(())
/// # }
/// ```
pub struct KnownValues {
    names: Vec<Box<str>>,
    /// What each pattern is of: a value, and an encoding.
    patterns: Vec<KnownAt>,
    automaton: Option<AhoCorasick>,
}

/// Up to so many bytes of patterns, looking takes a table that is several times faster and has up to 512 bytes for each of them.
const DFA: usize = 64 * 1024;

/// A value that is so short that it is in every text by chance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the value {name} is shorter than {} bytes, so it is everywhere by chance; take a longer one",
    KnownValues::MIN_LEN
)]
pub struct TooShort {
    name: Box<str>,
}

impl KnownValues {
    /// The least length of a value in bytes.
    pub const MIN_LEN: usize = 8;

    /// How values are written: the names by which [`Finding::encoding`](crate::Finding::encoding) says it.
    pub const ENCODINGS: [&'static str; 12] = encodings::NAMES;

    /// Values with their names. Findings show the names.
    ///
    /// # Errors
    ///
    /// If a value is shorter than [`MIN_LEN`](Self::MIN_LEN).
    pub fn new<N: Into<Box<str>>, V: AsRef<str>>(values: impl IntoIterator<Item = (N, V)>) -> Result<Self, TooShort> {
        let mut known = Self { names: Vec::new(), patterns: Vec::new(), automaton: None };
        let (mut bytes, mut seen) = (Vec::new(), HashSet::new());
        for (name, value) in values {
            let (name, value) = (name.into(), value.as_ref());
            if value.len() < Self::MIN_LEN {
                return Err(TooShort { name });
            }
            let at = known.names.len();
            known.names.push(name);
            for value in [value, &value.to_uppercase(), &value.to_lowercase()] {
                for (encoding, encode) in ENCODINGS.iter().enumerate() {
                    for pattern in encode(value) {
                        // The first encoding that writes it so has it.
                        if pattern.len() >= Self::MIN_LEN && seen.insert(pattern.clone()) {
                            bytes.push(pattern);
                            known.patterns.push((at, encoding));
                        }
                    }
                }
            }
        }
        // The first of two that begin at one place is the one that was named first.
        let is_small = bytes.iter().map(Vec::len).sum::<usize>() <= DFA;
        let kind = is_small.then_some(AhoCorasickKind::DFA);
        known.automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(bytes).ok();
        Ok(known)
    }

    /// Calls `each` with every value that is there, its encoding and where it is.
    pub(crate) fn find(&self, text: &[u8], each: &mut dyn FnMut(KnownAt, Range<usize>)) {
        let Some(automaton) = self.automaton.as_ref().filter(|_| !self.patterns.is_empty()) else { return };
        for found in automaton.find_iter(text) {
            if let Some(pattern) = self.patterns.get(found.pattern().as_usize()) {
                each(*pattern, found.range());
            }
        }
    }

    /// What a finding shows.
    pub(crate) fn named(&self, (value, encoding): KnownAt) -> (Box<str>, &'static str) {
        let name = self.names.get(value).cloned().unwrap_or_default();
        (name, Self::ENCODINGS.get(encoding).copied().unwrap_or_default())
    }
}

/// Shows no value.
impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownValues({} values)", self.names.len())
    }
}

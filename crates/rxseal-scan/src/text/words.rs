//! Words that say what the number behind them is.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::kind::Kind;

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Ssn,
    Npi,
    Dea,
    Birth,
    Phone,
    Email,
    Ndc,
}

impl Word {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Ssn => Kind::Ssn,
            Self::Npi => Kind::Npi,
            Self::Dea => Kind::Dea,
            Self::Birth => Kind::BirthDate,
            Self::Phone => Kind::Phone,
            Self::Email => Kind::Email,
            Self::Ndc => Kind::Ndc,
        }
    }

    /// What the name of a column says its values are.
    pub(crate) fn of_column(name: &str) -> Option<Self> {
        let mut said = None;
        Words::new().each(name.as_bytes(), &mut |word, _| said = Some(word));
        said
    }
}

/// The longest of several that begin at one place counts.
const WORDS: &[(&str, Word)] = &[
    ("ssn", Word::Ssn),
    ("social security", Word::Ssn),
    ("social_security", Word::Ssn),
    ("socialsecurity", Word::Ssn),
    ("npi", Word::Npi),
    ("dea", Word::Dea),
    ("dob", Word::Birth),
    ("born", Word::Birth),
    ("birth", Word::Birth),
    ("birthdate", Word::Birth),
    ("birthday", Word::Birth),
    ("dateofbirth", Word::Birth),
    ("phone", Word::Phone),
    ("phonenumber", Word::Phone),
    ("telephone", Word::Phone),
    ("mobile", Word::Phone),
    ("cell", Word::Phone),
    ("fax", Word::Phone),
    ("tel", Word::Phone),
    ("email", Word::Email),
    ("e-mail", Word::Email),
    ("ndc", Word::Ndc),
    ("ndc11", Word::Ndc),
];

/// Finds all words in one pass.
#[derive(Clone, Debug)]
pub(crate) struct Words(Option<AhoCorasick>);

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}

impl Words {
    pub(crate) fn new() -> Self {
        let words = WORDS.iter().map(|(word, _)| word);
        let built =
            AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(words);
        // Twenty short words always fit.
        Self(built.ok())
    }

    /// Calls `each` with every word, and where it ends.
    pub(crate) fn each(&self, text: &[u8], each: &mut dyn FnMut(Word, usize)) {
        let Some(words) = &self.0 else { return };
        for found in words.find_iter(text) {
            if let Some((_, word)) =
                WORDS.get(found.pattern().as_usize()).filter(|_| is_word(text, found.start(), found.end()))
            {
                each(*word, found.end());
            }
        }
    }
}

/// Whether no letter is around it. `patient_ssn`, `patientSsn` and `ssn_last4` have the word `ssn`.
fn is_word(text: &[u8], begin: usize, end: usize) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    let (before, first, last, behind) =
        (byte(begin.checked_sub(1)), byte(Some(begin)), byte(end.checked_sub(1)), byte(Some(end)));
    let begins = !before.is_ascii_alphanumeric() || before.is_ascii_lowercase() && first.is_ascii_uppercase();
    let ends = !behind.is_ascii_alphabetic() || last.is_ascii_lowercase() && behind.is_ascii_uppercase();
    begins && ends
}

//! Answers to a question: yes, no or unknown, and on what each rests.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    Yes,
    No,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Basis {
    /// This program saw it.
    Observed,
    /// Somebody says so.
    Stated,
    /// Nobody knows.
    Unknown,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) answer: Word,
    pub(crate) basis: Basis,
    /// Who stated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    pub(crate) why: String,
}

impl Answer {
    pub(crate) fn observed(answer: Word, why: impl Into<String>) -> Self {
        Self { answer, basis: Basis::Observed, by: None, why: why.into() }
    }

    /// What somebody states, or nothing.
    pub(crate) fn stated_or_unknown(stated: Option<(bool, &str)>, why: impl Into<String>) -> Self {
        match stated {
            Some((is_so, by)) => {
                let answer = if is_so { Word::Yes } else { Word::No };
                Self { answer, basis: Basis::Stated, by: Some(by.to_owned()), why: why.into() }
            }
            None => Self { answer: Word::Unknown, basis: Basis::Unknown, by: None, why: why.into() },
        }
    }

    pub(crate) fn is_yes(&self) -> bool {
        self.answer == Word::Yes
    }

    pub(crate) fn is_no(&self) -> bool {
        self.answer == Word::No
    }

    /// "yes, observed", "no, stated by lee", "unknown"
    pub(crate) fn shown(&self) -> String {
        let word = match self.answer {
            Word::Yes => "yes",
            Word::No => "no",
            Word::Unknown => "unknown",
        };
        match (self.basis, &self.by) {
            (Basis::Observed, _) => format!("{word}, observed"),
            (Basis::Stated, Some(by)) => format!("{word}, stated by {by}"),
            _ => word.to_owned(),
        }
    }
}

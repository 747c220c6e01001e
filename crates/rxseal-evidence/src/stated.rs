//! What a program cannot see, and a person says.

use std::str::FromStr;

use serde::Serialize;

use crate::error::EvidenceError;

/// The most letters of a statement, and of who made it.
const MAX_LEN: usize = 500;

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Topic {
    /// `yes` if every root key is on another device or at another place than the data, or `no`.
    Apart,
    /// `yes` if every program that unlocks a keyring keeps an audit log of it, or `no`.
    Observed,
    /// Where the data is: provider, account, region, host.
    DataAt,
    /// Where the root keys are.
    RootKeysAt,
    /// Where the keyrings are.
    KeyringsAt,
    /// Where the backups are, and under which keys.
    BackupsAt,
}

impl Topic {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Apart, Self::Observed, Self::DataAt, Self::RootKeysAt, Self::KeyringsAt, Self::BackupsAt];

    /// As an operator writes it, such as `data-at`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Observed => "observed",
            Self::DataAt => "data-at",
            Self::RootKeysAt => "root-keys-at",
            Self::KeyringsAt => "keyrings-at",
            Self::BackupsAt => "backups-at",
        }
    }

    fn asks_yes_or_no(self) -> bool {
        matches!(self, Self::Apart | Self::Observed)
    }
}

impl FromStr for Topic {
    type Err = EvidenceError;

    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        Self::ALL.iter().copied().find(|topic| topic.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|topic| topic.as_str()).collect();
            EvidenceError::Invalid(format!("a statement is about one of {}", all.join(", ")))
        })
    }
}

/// Somebody's word.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Statement {
    pub(crate) topic: Topic,
    pub(crate) text: String,
    pub(crate) by: String,
}

impl Statement {
    pub(crate) fn new(topic: Topic, text: &str, by: &str) -> Result<Self, EvidenceError> {
        for text in [text, by] {
            if text.trim().is_empty() || text.chars().count() > MAX_LEN || text.chars().any(char::is_control) {
                let what = format!("a statement and its author are 1 to {MAX_LEN} printable characters");
                return Err(EvidenceError::Invalid(what));
            }
        }
        if topic.asks_yes_or_no() && !["yes", "no"].contains(&text) {
            return Err(EvidenceError::Invalid(format!("what is stated of `{}` is yes or no", topic.as_str())));
        }
        Ok(Self { topic, text: text.to_owned(), by: by.to_owned() })
    }
}

/// What was stated of a question of yes or no, and by whom. Who says no is heard before who says yes.
pub(crate) fn said(stated: &[Statement], topic: Topic) -> Option<(bool, &str)> {
    let mut of_topic = stated.iter().filter(|statement| statement.topic == topic);
    let first = of_topic.clone().next()?;
    let no = of_topic.find(|statement| statement.text == "no");
    Some((no.is_none(), &no.unwrap_or(first).by))
}

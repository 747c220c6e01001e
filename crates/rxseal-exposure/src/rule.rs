//! The one rule: what a thief could do, from what was taken. Every other part of this crate only collects facts for it.

use crate::state::State;

/// How sure it is that a thief has something. Of several things that are needed together, the last in this order decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// It was taken.
    Taken,
    /// The thief had the means to take it, and nothing proves that they were used.
    Perhaps,
    /// Nobody knows.
    Unknown,
    /// It was not taken.
    NotTaken,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// The token. It is [`Held::Unknown`] if another state of the data was read than the thief saw, such as a live database.
    pub data: Held,
    /// The key that its id names.
    pub key: Held,
    /// The key of its subject. `None` if the record has no subject.
    pub subject_key: Option<Held>,
}

/// What a thief could do with a token: all of it, its key and the key of its subject are needed.
///
/// ```
/// use rxseal_exposure::{Held, State, TokenFacts, readable};
///
/// let facts = TokenFacts { data: Held::Taken, key: Held::Taken, subject_key: None };
/// assert_eq!(readable(&facts), State::Readable);
/// assert_eq!(readable(&TokenFacts { key: Held::NotTaken, ..facts }), State::Sealed);
/// assert_eq!(readable(&TokenFacts { subject_key: Some(Held::Unknown), ..facts }), State::Undecided);
/// ```
#[must_use]
pub fn readable(token: &TokenFacts) -> State {
    let key = token.subject_key.map_or(token.key, |subject| subject.max(token.key));
    match (token.data, key) {
        (Held::NotTaken, _) => State::NotTaken,
        (Held::Taken | Held::Perhaps, Held::NotTaken) => State::Sealed,
        // Of other data than the thief saw: it may have been under another key then, or plaintext.
        (Held::Unknown, _) | (_, Held::Unknown) => State::Undecided,
        (Held::Taken, Held::Taken) => State::Readable,
        _ => State::CouldBeRead,
    }
}

/// What a thief could do with a value of an index: with the root of the index, a dictionary finds what it is.
pub(crate) fn guessable(data: Held, root: Held) -> State {
    match readable(&TokenFacts { data, key: root, subject_key: None }) {
        State::Readable | State::CouldBeRead => State::Guessable,
        state => state,
    }
}

/// What a thief could do with what is readable as it is: `proven` if it was taken.
pub(crate) fn unsealed(data: Held, proven: State) -> State {
    match readable(&TokenFacts { data, key: Held::Taken, subject_key: None }) {
        State::Readable => proven,
        state => state,
    }
}

/// What a thief could do with what nobody can judge, such as a damaged token.
pub(crate) fn undecided(data: Held) -> State {
    if data == Held::NotTaken { State::NotTaken } else { State::Undecided }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Held; 4] = [Held::Taken, Held::Perhaps, Held::Unknown, Held::NotTaken];

    #[test]
    fn only_what_was_taken_with_every_key_is_proven() {
        for data in ALL {
            for key in ALL {
                for subject in [None, Some(Held::Taken), Some(Held::Perhaps), Some(Held::Unknown), Some(Held::NotTaken)]
                {
                    let state = readable(&TokenFacts { data, key, subject_key: subject });
                    let all = [data, key, subject.unwrap_or(Held::Taken)];
                    assert_eq!(state == State::Readable, all == [Held::Taken; 3], "{all:?}");
                    assert_eq!(state == State::NotTaken, data == Held::NotTaken, "{all:?}");
                    // Safe only if something that is needed was certainly not taken, and the data is what the thief saw.
                    let is_safe = data == Held::NotTaken || data != Held::Unknown && all.contains(&Held::NotTaken);
                    assert_eq!(!state.is_at_risk(), is_safe, "{all:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_sealed_needs_no_key() {
        assert_eq!(
            ALL.map(|data| unsealed(data, State::Plaintext)),
            [State::Plaintext, State::CouldBeRead, State::Undecided, State::NotTaken]
        );
        assert_eq!(ALL.map(undecided), [State::Undecided, State::Undecided, State::Undecided, State::NotTaken]);
        assert_eq!(
            ALL.map(|root| guessable(Held::Taken, root)),
            [State::Guessable, State::Guessable, State::Undecided, State::Sealed]
        );
    }
}

//! What is in the cell of a sealed column: one token, a list or a map of them, and what is there in their place.

use std::fmt;

use rxseal::{ErrorCode, Token};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::token_cell::{holds_token, looks_like_token, token};
use crate::fault::Reason;
use crate::row::Cell;
use crate::spec::Holds;

/// What is in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Values that are tokens.
    tokens: usize,
    /// Values that are not tokens, or a text that is not a list of values.
    others: usize,
    /// Of these, the ones that begin as a token does.
    look_alikes: usize,
    /// Those that hold a token somewhere.
    holding: usize,
    /// It is no list or map of texts.
    unreadable: bool,
    /// There is nothing, and the field seals that too.
    absent: bool,
}

impl Contents {
    /// What is in a cell of a column that holds this.
    pub(crate) fn of(cell: Cell<'_>, holds: Holds) -> Self {
        let mut contents = Self::default();
        match (cell, holds) {
            (Cell::Null(_), _) => contents.absent = holds == Holds::OneAlways,
            (cell, Holds::One | Holds::OneAlways) => {
                let is_token = token(cell).is_ok();
                contents.add(is_token, !is_token && looks_like_token(cell), !is_token && holds_token(cell));
            }
            (Cell::Text(json), Holds::List | Holds::Map) => {
                let mut reader = serde_json::Deserializer::from_str(json);
                let values = Values { contents: &mut contents, holds };
                if reader.deserialize_any(values).and_then(|()| reader.end()).is_err() {
                    contents.add_unreadable(cell);
                }
            }
            (cell, Holds::List | Holds::Map) => contents.add_unreadable(cell),
        }
        contents
    }

    /// Whether something is to be sealed.
    pub(super) fn is_plain(self) -> bool {
        self.others > 0 || self.absent
    }

    /// Whether a count of the table finds plaintext here. It counts cells, and no absences.
    pub(crate) fn counts_as_plaintext(self) -> bool {
        self.others > 0
    }

    pub(super) fn has_tokens(self) -> bool {
        self.tokens > 0
    }

    /// Whether a value holds a token without being one. If it were sealed, nobody would find the token inside of it again.
    pub(super) fn holds_tokens(self) -> bool {
        self.holding > 0
    }

    /// Whether no type reads it as plaintext.
    pub(super) fn is_odd(self) -> bool {
        self.look_alikes > 0 || self.unreadable
    }

    /// Why it is no token, or a list or a map of them.
    pub(super) fn reason(self) -> Reason {
        if self.look_alikes > 0 { Reason::LooksLikeToken } else { Reason::Code(ErrorCode::NotAToken) }
    }

    fn add(&mut self, is_token: bool, looks_alike: bool, holds_token: bool) {
        let count = |place: &mut usize, is: bool| *place = place.saturating_add(usize::from(is));
        count(&mut self.tokens, is_token);
        count(&mut self.others, !is_token);
        count(&mut self.look_alikes, looks_alike);
        count(&mut self.holding, holds_token);
    }

    fn add_unreadable(&mut self, cell: Cell<'_>) {
        self.unreadable = true;
        self.add(false, looks_like_token(cell), holds_token(cell));
    }

    fn add_text(&mut self, text: &str) {
        let (is_token, cell) = (text.parse::<Token>().is_ok(), Cell::Text(text));
        self.add(is_token, !is_token && looks_like_token(cell), !is_token && holds_token(cell));
    }
}

/// The values of a JSON list or map.
struct Values<'c> {
    contents: &'c mut Contents,
    holds: Holds,
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a map")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.holds != Holds::List {
            return Err(de::Error::custom("it is a list"));
        }
        while list.next_element_seed(One(self.contents))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.holds != Holds::Map {
            return Err(de::Error::custom("it is a map"));
        }
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(One(self.contents))?;
        }
        Ok(())
    }
}

/// One value, which is a text.
struct One<'c>(&'c mut Contents);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.0.add_text(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rxseal::phi::Drug;

    use super::*;
    use crate::row::Form;

    #[test]
    fn each_value_is_told_apart() {
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
        let token = keys.record("rx", 1).unwrap().seal_text::<Drug>("warfarin").unwrap();
        // No token of any length ends in this letter, so what is left is not a shorter token by chance.
        let cut = &format!("{}_", &token[..token.len() - 5]);
        let of = |text: &str, holds| {
            let contents = Contents::of(Cell::Text(text), holds);
            let numbers = [contents.tokens, contents.others, contents.look_alikes, contents.holding];
            (numbers, contents.is_plain(), contents.counts_as_plaintext())
        };
        for (text, holds, numbers) in [
            (token.clone(), Holds::One, [1, 0, 0, 0]),
            ("warfarin".into(), Holds::OneAlways, [0, 1, 0, 0]),
            (cut.clone(), Holds::One, [0, 1, 1, 0]),
            (format!("see {token}"), Holds::One, [0, 1, 0, 1]),
            ("[]".into(), Holds::List, [0, 0, 0, 0]),
            ("{}".into(), Holds::Map, [0, 0, 0, 0]),
            (format!(r#"["{token}", "{token}"]"#), Holds::List, [2, 0, 0, 0]),
            (format!(r#"["{token}","a\"b","{cut}"]"#), Holds::List, [1, 2, 1, 0]),
            (format!(r#"{{"q1":"{token}","q2":"yes"}}"#), Holds::Map, [1, 1, 0, 0]),
            (format!(r#"{{"{token}":"yes"}}"#), Holds::Map, [0, 1, 0, 0]),
            // What is no list of texts is plaintext as a whole.
            ("warfarin".into(), Holds::List, [0, 1, 0, 0]),
            ("[1]".into(), Holds::List, [0, 1, 0, 0]),
            ("{}".into(), Holds::List, [0, 1, 0, 0]),
            ("[]".into(), Holds::Map, [0, 1, 0, 0]),
            ("[] []".into(), Holds::List, [0, 1, 0, 0]),
        ] {
            let is_plain = numbers[1] > 0;
            assert_eq!(of(&text, holds), (numbers, is_plain, is_plain), "{text} {holds:?}");
        }
    }

    #[test]
    fn an_absence_is_plaintext_where_it_is_sealed() {
        for (holds, is_plain) in
            [(Holds::One, false), (Holds::OneAlways, true), (Holds::List, false), (Holds::Map, false)]
        {
            let contents = Contents::of(Cell::Null(Form::Text), holds);
            assert_eq!((contents.is_plain(), contents.counts_as_plaintext()), (is_plain, false));
        }
        assert!(Contents::of(Cell::Bytes(b"[]"), Holds::List).is_plain());
        assert!(Contents::of(Cell::Other, Holds::One).is_plain());
    }
}

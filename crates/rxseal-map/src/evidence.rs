//! What a source proves about a key that is to be destroyed.

use std::error::Error;
use std::fmt;

use rxseal::count::KeyCounts;
use rxseal::keys::{KeyInfo, RemainingUse};
use rxseal::{Error as RxsealError, KeyId};

use crate::counts::{ColumnCounts, PlaceCounts, SourceCounts};
use crate::place::Place;
use crate::source::Source;

/// Why a source does not prove how many tokens are left under a key, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoEvidence {
    source: Box<str>,
    place: Option<Place>,
    /// Whether values are in the way, and not the lack of them.
    is_unreadable: bool,
    text: Box<str>,
}

impl NoEvidence {
    /// The place that it is about. `None` if it is about the whole source.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Whether values are there whose key cannot be read, such as plaintext. Otherwise too little was seen.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.is_unreadable
    }
}

/// `postgres:public.rx, drug: it has 7 rows and no value, ..`
impl fmt::Display for NoEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        write!(f, ": {}", self.text)
    }
}

impl Error for NoEvidence {}

impl SourceCounts {
    /// How many tokens are under `key` in this source, if what was counted proves it: each column that the map calls sealed has no
    /// plaintext, nothing casts doubt on its count, and it shows a token of the keyring. The map says in `empty` what need not show one.
    /// `ring` are the keyring's keys, as [`KeyringFile::keys`](rxseal::keys::KeyringFile::keys) has them.
    ///
    /// Of every source of the map, the sum is what [`RemainingUse::new`] takes, together with what is in backups.
    ///
    /// # Errors
    ///
    /// Why it is not proven. Tokens under the key in a column that the map does not call sealed are a reason too: resealing follows the map
    /// and would miss them.
    pub fn evidence(&self, source: &Source, keyspace: &str, ring: &[KeyInfo], key: KeyId) -> Result<u64, NoEvidence> {
        let refuse = |place: Option<&Place>, is_unreadable: bool, text: String| NoEvidence {
            source: source.name().into(),
            place: place.cloned(),
            is_unreadable,
            text: text.into(),
        };
        for PlaceCounts { place, counts, .. } in &self.places {
            if counts.not_tokens() > 0 {
                let text = format!(
                    "{} values have no readable token, so what is under the key is not known. Seal plaintext, and repair damaged tokens",
                    counts.not_tokens()
                );
                return Err(refuse(Some(place), true, text));
            }
            if let Some(doubt) = counts.doubt() {
                return Err(refuse(Some(place), false, doubt.to_owned()));
            }
            prove(source, place, counts, keyspace, ring, key).map_err(|text| refuse(Some(place), false, text))?;
        }
        for ColumnCounts { column, counts } in &self.strays {
            if counts.of(key) > 0 {
                let text = format!(
                    "{} tokens under the key are in the column {column}, which the map does not call sealed: name it in `sealed`, and reseal it",
                    counts.of(key)
                );
                return Err(refuse(None, false, text));
            }
        }
        Ok(self.of(key))
    }
}

fn prove(
    source: &Source,
    place: &Place,
    counts: &KeyCounts,
    keyspace: &str,
    ring: &[KeyInfo],
    key: KeyId,
) -> Result<(), String> {
    let empty = source.empty();
    if empty.is_column(place) {
        return counts
            .clone()
            .confirmed_empty()
            .map(drop)
            .map_err(|_| format!("the map says that it is empty, and it has {} tokens", counts.total()));
    }
    let of_ring = counts.iter().filter(|(known, _)| ring.iter().any(|info| info.id() == *known));
    let of_ring = of_ring.fold(0_u64, |sum, (_, tokens)| sum.saturating_add(tokens));
    if empty.is_keyspace(keyspace) || !source.keyspace().may_be(keyspace) {
        return match of_ring {
            0 => Ok(()),
            tokens => {
                Err(format!("the map says that it has no token of {keyspace}, and it has {tokens}: correct the map"))
            }
        };
    }
    let shown: Result<_, RxsealError> = RemainingUse::counted([counts], ring, key, 0, None);
    shown.map(drop).map_err(|_| {
        let seen = match (counts.total(), counts.nulls()) {
            (0, 0) => "it has no rows".to_owned(),
            (0, nulls) => format!("it has {nulls} rows and no value"),
            (others, _) => format!("it has {others} tokens, all of other keyrings"),
        };
        format!(
            "{seen}, so it does not show that nothing is left under the key. It must show a token of the keyring of {keyspace}: check the \
             database and the column, and that this role sees every row. If it should be so, say it in the map with `empty`"
        )
    })
}

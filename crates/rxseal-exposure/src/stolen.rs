//! What was stolen, as an officer types it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use rxseal::KeyId;

use crate::error::ExposureError;
use crate::time::{Window, parse, parse_window};

/// A thing that was stolen. As text it is a word, a colon and which one:
///
/// | text | what was stolen |
/// |---|---|
/// | `data:COPY=SOURCE` | a copy of a source of the map, which is the file `COPY` now: CSV, NDJSON or `SQLite` |
/// | `data:SOURCE@TIME` | files of the map, as they are since that time |
/// | `key:ID` | a key |
/// | `kek:FINGERPRINT` | the key that wraps the keys of a keyring, by its fingerprint in hexadecimal |
/// | `keyring:FILE` | a keyring file |
/// | `root:NAME` | a root key, or the right to use it |
/// | `host:NAME@FROM..TO` | a machine, with the memory of its programs |
/// | `actor:ID@FROM..TO` | a login, such as `actor:user:kim.rph` |
/// | `subject-keys:STORE` | the wrapped keys of subjects, whose store is as it is now |
/// | `subject-keys:copy:STORE` | the same, and the store is the copy that was stolen, or a backup of that time |
/// | `audit:DIR` | a log of openings |
///
/// A time is `2026-08-30`, `2026-08-30T20:51Z` or `2026-08-30T20:51:07Z`.
///
/// ```
/// use rxseal_exposure::Stolen;
///
/// let login: Stolen = "actor:svc:fulfil-api@2026-08-30T20:51Z..2026-08-31T02:31Z".parse()?;
/// assert_eq!(login.to_string(), "actor:svc:fulfil-api@2026-08-30T20:51Z..2026-08-31T02:31Z");
/// # Ok::<(), rxseal_exposure::ExposureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stolen {
    text: String,
    pub(crate) thing: Thing,
}

#[derive(Clone, Debug)]
pub(crate) enum Thing {
    Data { what: String, of: Option<String>, at: Option<u64> },
    Key(KeyId),
    Kek([u8; 32]),
    Keyring(PathBuf),
    Root(String),
    Host(String, Option<Window>),
    Actor(String, Option<Window>),
    SubjectKeys { store: String, is_copy: bool },
    Audit(PathBuf),
}

/// The kinds of places of a map.
pub(crate) const KINDS: [&str; 5] = ["postgres:", "sqlite:", "ndjson:", "csv:", "parquet:"];

impl Stolen {
    /// The store of `subject-keys:STORE` or `subject-keys:copy:STORE`, for a program that opens it.
    #[must_use]
    pub fn subject_keys(&self) -> Option<&str> {
        match &self.thing {
            Thing::SubjectKeys { store, .. } => Some(store),
            _ => None,
        }
    }
}

impl fmt::Display for Stolen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Stolen {
    type Err = ExposureError;

    fn from_str(text: &str) -> Result<Self, ExposureError> {
        let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(|| unknown(text))?;
        let thing = match kind {
            "data" => data(rest),
            "key" => Thing::Key(rest.parse().map_err(|_| wrong(text, "a key id has 8 letters, such as q3Zk81Ab"))?),
            "kek" => {
                Thing::Kek(fingerprint(rest).ok_or_else(|| wrong(text, "a fingerprint has 64 hexadecimal digits"))?)
            }
            "keyring" => Thing::Keyring(rest.into()),
            "root" => Thing::Root(in_window(rest, text)?.0),
            "host" => {
                let (name, window) = in_window(rest, text)?;
                Thing::Host(name, window)
            }
            "actor" => {
                let (name, window) = in_window(rest, text)?;
                Thing::Actor(name, window)
            }
            "subject-keys" => match rest.strip_prefix("copy:") {
                Some(store) => Thing::SubjectKeys { store: store.into(), is_copy: true },
                None => Thing::SubjectKeys { store: rest.into(), is_copy: false },
            },
            "audit" => Thing::Audit(rest.into()),
            _ => return Err(unknown(text)),
        };
        Ok(Self { text: text.to_owned(), thing })
    }
}

fn data(rest: &str) -> Thing {
    let (rest, at) = match rest.rsplit_once('@') {
        Some((what, time)) if parse(time, false).is_some() => (what, parse(time, false)),
        _ => (rest, None),
    };
    let is_source = |text: &str| KINDS.iter().any(|kind| text.starts_with(kind));
    let copy = rest.match_indices('=').find_map(|(equals, _)| {
        let (copy, source) = (rest.get(..equals)?, rest.get(equals.saturating_add(1)..)?);
        (!copy.is_empty() && is_source(source)).then(|| (copy.to_owned(), source.to_owned()))
    });
    match copy {
        Some((what, of)) => Thing::Data { what, of: Some(of), at },
        None => Thing::Data { what: rest.to_owned(), of: None, at },
    }
}

/// A name, and perhaps from when to when it was stolen. A name may have an `@` in it.
fn in_window(rest: &str, text: &str) -> Result<(String, Option<Window>), ExposureError> {
    let Some((name, window)) = rest.rsplit_once('@').filter(|(_, window)| window.contains("..")) else {
        if rest.rsplit_once('@').is_some_and(|(_, time)| parse(time, false).is_some()) {
            return Err(wrong(text, "one time says neither how long it was stolen nor since when: write FROM..TO"));
        }
        return Ok((rest.to_owned(), None));
    };
    let known = parse_window(window).ok_or_else(|| {
        wrong(text, "write the time as 2026-08-30T20:51Z..2026-08-31T02:31Z, in UTC, the earlier one first")
    })?;
    Ok((name.to_owned(), Some(known)))
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn unknown(text: &str) -> ExposureError {
    wrong(text, "write data:, key:, kek:, keyring:, root:, host:, actor:, subject-keys: or audit:, and which one")
}

fn wrong(text: &str, what: &str) -> ExposureError {
    ExposureError::usage(format!("{text:?} is nothing that can be stolen: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(text: &str) -> Thing {
        let stolen: Stolen = text.parse().unwrap();
        assert_eq!(stolen.to_string(), text);
        stolen.thing
    }

    #[test]
    fn data_is_a_copy_of_a_source_or_the_source_itself() {
        let of = |text: &str| match thing(text) {
            Thing::Data { what, of, at } => (what, of, at),
            other => panic!("{other:?}"),
        };
        assert_eq!(of("data:dump.csv"), ("dump.csv".into(), None, None));
        assert_eq!(
            of("data:a=b/dump.csv=postgres:public.rx@2026-08-30"),
            ("a=b/dump.csv".into(), Some("postgres:public.rx".into()), Some(1_788_048_000))
        );
        assert_eq!(of("data:csv:x@y.csv"), ("csv:x@y.csv".into(), None, None));
        assert_eq!(of("data:ndjson:exports/*.ndjson@2026-08-30T20:51Z").2, Some(1_788_123_060));
    }

    #[test]
    fn names_may_have_colons_and_at_signs() {
        assert!(
            matches!(thing("actor:user:kim@ph17@2026-08-30..2026-08-31"), Thing::Actor(name, Some(_)) if name == "user:kim@ph17")
        );
        assert!(matches!(thing("host:ph17-a"), Thing::Host(name, None) if name == "ph17-a"));
        assert!(matches!(thing("root:local:q3Zk81Ab"), Thing::Root(name) if name == "local:q3Zk81Ab"));
        assert!(matches!(thing(&format!("kek:{}", "0f".repeat(32))), Thing::Kek(bytes) if bytes == [15; 32]));
    }

    #[test]
    fn a_store_may_be_the_copy() {
        for (text, copy) in [("subject-keys:sqlite:subjects.db", false), ("subject-keys:copy:sqlite:subjects.db", true)]
        {
            assert_eq!(text.parse::<Stolen>().unwrap().subject_keys(), Some("sqlite:subjects.db"));
            assert!(matches!(thing(text), Thing::SubjectKeys { is_copy, .. } if is_copy == copy));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for text in [
            "",
            "data",
            "data:",
            "key:abc",
            "kek:00",
            "actor:kim@2026-08-31..2026-08-30",
            "disk:1",
            "host:a@x..y",
            "actor:user:kim@2026-08-30T20:51Z",
        ] {
            assert_eq!(text.parse::<Stolen>().unwrap_err().code(), "invalid-theft", "{text}");
        }
    }
}

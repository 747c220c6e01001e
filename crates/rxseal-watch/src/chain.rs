//! The hash chain of a log (FORMAT 16): each line's hash is over the line before and the exact bytes of this one.

use std::fmt::{self, Write as _};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Kind, WatchError};

/// What the hash of each line begins with (FORMAT 2.1, 2.3): the part with its domain string, and the head of the part with the previous hash.
const LINE_START: &[u8] = b"\x00\x00\x00\x00\x0frxseal/v1/audit\x01\x00\x00\x00\x20";
/// The characters of a hash at the beginning of a line.
pub(crate) const HASH_LEN: usize = 43;

/// The hash of a line, or 32 zero bytes before the first.
pub(crate) type Hash = [u8; 32];

/// The id of a chain: 8 random bytes, shown in hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainId([u8; 8]);

impl ChainId {
    pub(crate) fn random() -> Result<Self, WatchError> {
        Ok(Self(random_id()?))
    }

    /// From 16 digits of lower-case hex.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 8 random bytes, which nothing else has.
pub(crate) fn random_id() -> Result<[u8; 8], WatchError> {
    let mut id = [0; 8];
    getrandom::fill(&mut id).map_err(|error| WatchError::from(Kind::Random).caused_by(error.to_string()))?;
    Ok(id)
}

/// Where a chain is: how many lines it has, and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) hash: Hash,
}

impl Head {
    pub(crate) const START: Self = Self { size: 0, hash: [0; 32] };

    /// The head after a line with this JSON.
    pub(crate) fn then(self, json: &[u8]) -> Self {
        Self { size: self.size.saturating_add(1), hash: hash_line(&self.hash, json) }
    }
}

/// `SHA-256(frame(0 domain, 1 previous hash, 2 json))`. In few steps, since a step for each part takes as long as the hashing.
pub(crate) fn hash_line(previous: &Hash, json: &[u8]) -> Hash {
    let [a, b, c, d] = u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes();
    let hasher = Sha256::new().chain_update(LINE_START).chain_update(previous).chain_update([2, a, b, c, d]);
    hasher.chain_update(json).finalize().into()
}

pub(crate) fn hash_text(hash: &Hash) -> String {
    URL_SAFE_NO_PAD.encode(hash)
}

/// As `sha256sum` prints it.
pub(crate) fn hex(hash: &Hash) -> String {
    let mut text = String::with_capacity(64);
    for byte in hash {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The hash that 43 characters spell, in the one spelling that it has.
pub(crate) fn parse_hash(text: &[u8]) -> Option<Hash> {
    let mut hash = [0; 32];
    let len = URL_SAFE_NO_PAD.decode_slice(text, &mut hash).ok()?;
    (len == hash.len()).then_some(hash)
}

/// Whether this text spells the hash. Writing it takes half as long as reading the text.
pub(crate) fn spells(text: &[u8], hash: &Hash) -> bool {
    let mut spelled = [0; HASH_LEN];
    URL_SAFE_NO_PAD.encode_slice(hash, &mut spelled).is_ok() && spelled == text
}

/// A line of a log as it is stored: hash, space, JSON, without the line end.
pub(crate) fn split_line(line: &[u8]) -> Option<(Hash, &[u8])> {
    let (hash, json) = split_text(line)?;
    Some((parse_hash(hash)?, json))
}

/// The same, with the hash as it is written.
pub(crate) fn split_text(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (hash, rest) = line.split_at_checked(HASH_LEN)?;
    Some((hash, rest.strip_prefix(b" ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of FORMAT 16.
    const LINES: [&str; 3] = [
        r#"1uKFKPql3wDI1WdgFDLfA-SZ2ni0Q0DyI2y171FVP28 {"n":0,"t":1764000000000,"m":0,"e":"start","chain":"7f3a9c0e5b1d2468","svc":"fulfil-api","host":"ph17-a","lag_ms":5,"buf":4096}"#,
        r#"6t6tWRZUrM4gBDvjbZCqzja65TM3IB7KK9gQo-OGAyY {"n":1,"t":1764000000412,"m":412,"e":"open","ks":"pharmacy-17","who":"user:kim.rph","pou":"TREAT","req":"01J9Z0Q7C1","rt":"prescription","rec":[["RX-1001","pat-77"]],"cls":{"identity":1,"medication":2},"key":["q3Zk81Ab"],"out":"ok"}"#,
        r#"eVqCRzumaKutrakavcc-Ti5EO4KCTNtR00rhQ-AI2LE {"n":2,"t":1764000001000,"m":1000,"e":"stop"}"#,
    ];

    #[test]
    fn the_chain_of_the_vector() {
        let mut head = Head::START;
        for line in LINES {
            let (hash, json) = split_line(line.as_bytes()).unwrap();
            head = head.then(json);
            assert_eq!(hash_text(&head.hash), hash_text(&hash));
        }
        assert_eq!(head.size, 3);
    }

    #[test]
    fn a_hash_and_an_id_have_one_spelling() {
        let good = hash_text(&[0xFF; 32]);
        assert_eq!(parse_hash(good.as_bytes()), Some([0xFF; 32]));
        assert!(spells(good.as_bytes(), &[0xFF; 32]));
        for bad in ["", "A", &good[1..], &format!("{good}A"), &good.replace("8", "9"), &format!("{}=", &good[..42])] {
            assert_eq!(parse_hash(bad.as_bytes()), None, "{bad}");
            assert!(!spells(bad.as_bytes(), &[0xFF; 32]));
        }
        assert!(split_line(b"short").is_none() && split_line(format!("{good}{{}}").as_bytes()).is_none());
        let id = ChainId::parse("7f3a9c0e5b1d2468").unwrap();
        assert_eq!(id.to_string(), "7f3a9c0e5b1d2468");
        for bad in ["", "7F3a9c0e5b1d2468", "7f3a9c0e5b1d246", "+f3a9c0e5b1d2468", "7f3a9c0e5b1d24688"] {
            assert!(ChainId::parse(bad).is_none(), "{bad}");
        }
    }
}

//! The digests of files, signed (FORMAT 16.9): whoever has the key that verifies can tell if a file was changed, or if one is missing.

use std::collections::BTreeMap;

use super::{Note, NoteFault, SigningKey, VerifierKey, sign};
use crate::chain::{Hash, hex};
use crate::error::{Kind, WatchError};

/// The first line of the text.
const TITLE: &str = "rxseal/v1/evidence";
/// The most files.
const MAX_FILES: usize = 1000;
/// Longer is no note of so many files.
const MAX_LEN: usize = 256 * 1024;

/// The SHA-256 of files, for a signed note beside them: the file `SHA256SUMS` of an evidence pack. `sha256sum -c` reads it too, and verifies no
/// signature.
///
/// ```
/// use rxseal_watch::{SignedSums, SigningKey};
///
/// let key = SigningKey::generate("ops.example")?;
/// let note = SignedSums::of([("evidence.json", [7; 32])])?.sign(&key);
/// let sums = SignedSums::open(&note, &[key.verifier()])?;
/// assert_eq!(sums.files().collect::<Vec<_>>(), [("evidence.json", &[7; 32])]);
/// assert!(SignedSums::open(&note.replace("json", "html"), &[key.verifier()]).is_err());
/// # Ok::<(), rxseal_watch::WatchError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSums {
    files: BTreeMap<String, Hash>,
}

impl SignedSums {
    /// Of these files. A name is 1 to 100 lower-case letters, digits, dots, hyphens and underscores, and begins with a letter or digit.
    ///
    /// # Errors
    ///
    /// `invalid-settings` for another name, one that comes twice, none, or more than 1000.
    pub fn of<'n>(files: impl IntoIterator<Item = (&'n str, [u8; 32])>) -> Result<Self, WatchError> {
        let mut sums = BTreeMap::new();
        for (name, hash) in files {
            if !is_name(name) || sums.insert(name.to_owned(), hash).is_some() {
                return Err(WatchError::settings("a file of signed digests has a short plain name, which comes once"));
            }
        }
        if sums.is_empty() || sums.len() > MAX_FILES {
            return Err(WatchError::settings("signed digests are of 1 to 1000 files"));
        }
        Ok(Self { files: sums })
    }

    /// The note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        sign(&self.text(), key)
    }

    /// Reads a note that one of `keys` signed.
    ///
    /// # Errors
    ///
    /// `tampered` if it is not such a note, or not as it was signed; `invalid-key` if none of `keys` has the name and the hash of its signature.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, WatchError> {
        let taken_apart = Note::split(note).filter(|_| note.len() <= MAX_LEN).ok_or(Kind::Sums)?;
        let sums = Self::parse(taken_apart.text).ok_or(Kind::Sums)?;
        taken_apart.verify(keys).map_err(|fault| match fault {
            NoteFault::UnknownKey => Kind::Key("no given key signed these digests; name the key of whoever made them"),
            NoteFault::Malformed | NoteFault::Forged => Kind::Sums,
        })?;
        Ok(sums)
    }

    /// Names and digests, by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.files.iter().map(|(name, hash)| (name.as_str(), hash))
    }

    fn text(&self) -> String {
        let lines = self.files.iter().map(|(name, hash)| format!("{}  {name}\n", hex(hash)));
        [format!("{TITLE}\n")].into_iter().chain(lines).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_prefix(TITLE)?.strip_prefix('\n')?.split('\n');
        let files = lines.map(|line| {
            let (digits, name) = line.split_once("  ")?;
            Some((name, parse_hex(digits)?))
        });
        let sums = Self::of(files.collect::<Option<Vec<_>>>()?).ok()?;
        // In the one spelling that it has.
        (sums.text().strip_suffix('\n') == Some(text)).then_some(sums)
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=100).contains(&name.len())
        && name.bytes().next().is_some_and(is_plain)
        && name.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'-' | b'_'))
}

/// Digits of capital letters are another spelling, which the caller refuses.
fn parse_hex(digits: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        let begin = at.checked_mul(2)?;
        *byte = u8::from_str_radix(digits.get(begin..begin.checked_add(2)?)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of FORMAT 16.
    const NOTE: &str = "rxseal/v1/evidence\nca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356  evidence.json\n37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570  scan.json\n\n\u{2014} pharmacy-17.example IHRqD4LnONF+Q4uM5fkC11497Q6wrKOyn8LuijlEQjwM6soHzVRhotneMBXvD7X3HLmxt2KLSdfTXiyuoHa4yknzTwA=\n";

    #[test]
    fn the_note_of_the_vector() {
        use sha2::{Digest, Sha256};
        let sums = [("scan.json", "[]\n"), ("evidence.json", "{}\n")];
        let sums = sums.map(|(name, text)| (name, Sha256::digest(text).into()));
        assert_eq!(SignedSums::of(sums).unwrap().sign(&key()), NOTE);
    }

    fn key() -> SigningKey {
        SigningKey::from_seed("pharmacy-17.example", &[3; 32]).unwrap()
    }

    fn note() -> String {
        SignedSums::of([("scan.json", [0xAB; 32]), ("evidence.json", [1; 32])]).unwrap().sign(&key())
    }

    #[test]
    fn a_note_has_one_spelling() {
        let expected = format!(
            "rxseal/v1/evidence\n{}  evidence.json\n{}  scan.json\n\n\u{2014} pharmacy-17.example ",
            "01".repeat(32),
            "ab".repeat(32)
        );
        assert!(note().starts_with(&expected), "{}", note());
        let open = |note: &str| SignedSums::open(note, &[key().verifier()]).map_err(|error| error.code());
        assert_eq!(
            open(&note()).unwrap().files().map(|(name, _)| name).collect::<Vec<_>>(),
            ["evidence.json", "scan.json"]
        );
        for at in 0..note().len() {
            let mut bytes = note().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(open(&changed).is_err(), "{at}: {changed}");
            }
        }
        for cut in 0..note().len() {
            assert!(note().get(..cut).is_none_or(|cut| open(cut).is_err()), "{cut}");
        }
        assert_eq!(open(&note().replace("ab", "AB")), Err("tampered"));
        assert_eq!(open(&format!("{}\n", note())), Err("tampered"));
        assert_eq!(SignedSums::open(&note(), &[]).unwrap_err().code(), "invalid-key");
        let other = SigningKey::from_seed("pharmacy-17.example", &[4; 32]).unwrap();
        assert_eq!(SignedSums::open(&note(), &[other.verifier()]).unwrap_err().code(), "invalid-key");
    }

    /// A key signs checkpoints and digests: neither is ever taken for the other.
    #[test]
    fn a_checkpoint_is_no_list_of_digests() {
        let chain = crate::chain::ChainId::parse("7f3a9c0e5b1d2468").unwrap();
        let head = crate::chain::Head { size: 3, hash: [7; 32] };
        let checkpoint = super::super::Checkpoint { chain, head, time: 1 }.sign(&key());
        assert_eq!(SignedSums::open(&checkpoint, &[key().verifier()]).unwrap_err().code(), "tampered");
        assert_eq!(super::super::Checkpoint::open(&note(), &[key().verifier()]), Err(NoteFault::Malformed));
    }

    #[test]
    fn names_are_plain() {
        let of = |names: &[&str]| SignedSums::of(names.iter().map(|name| (*name, [0; 32]))).is_ok();
        assert!(of(&["a", "0.json", "rxseal-map.toml", &"x".repeat(100)]));
        for bad in ["", ".a", "A", "a b", "a/b", "../a", "a\n", "é", &"x".repeat(101)] {
            assert!(!of(&[bad]), "{bad:?}");
        }
        assert!(!of(&[]) && !of(&["a", "a"]));
        let many: Vec<_> = (0..1001).map(|n| n.to_string()).collect();
        assert!(!of(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    }
}

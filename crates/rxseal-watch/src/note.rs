//! Signed notes of C2SP, with Ed25519. A checkpoint is one: the head of a chain. Whoever keeps it elsewhere can tell if lines before it were changed,
//! or are gone. The digests of files are the other.

mod key;
mod sums;

pub use key::{SigningKey, VerifierKey};
pub use sums::SignedSums;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chain::{ChainId, Hash, Head};

/// The first line of a checkpoint.
pub(crate) const TITLE: &str = "rxseal/v1/audit-checkpoint";
/// What a signature line begins with: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";
/// A note has a text of five lines and one signature; a longer text is not a checkpoint.
const MAX_LEN: usize = 4096;

/// What a checkpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) chain: ChainId,
    pub(crate) head: Head,
    /// Unix milliseconds.
    pub(crate) time: u64,
}

/// Why a text is not taken for a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoteFault {
    /// It is not a checkpoint of this form.
    Malformed,
    /// No given key has the name and the hash of its signature.
    UnknownKey,
    /// The key is known, and the signature is not its own.
    Forged,
}

/// A note, taken apart.
struct Note<'n> {
    /// What was signed, without its last line end.
    text: &'n str,
    name: &'n str,
    hash: [u8; 4],
    signature: Vec<u8>,
}

impl<'n> Note<'n> {
    fn split(note: &'n str) -> Option<Self> {
        let (text, signature) = note.split_once("\n\n")?;
        let (name, signature) = signature.strip_prefix(SIGNATURE)?.strip_suffix('\n')?.split_once(' ')?;
        let signature = STANDARD.decode(signature).ok()?;
        let (hash, signature) = signature.split_first_chunk::<4>()?;
        Some(Self { text, name, hash: *hash, signature: signature.to_vec() })
    }

    /// Whether one of `keys` signed it.
    fn verify(&self, keys: &[VerifierKey]) -> Result<(), NoteFault> {
        let key = keys.iter().find(|key| key.name() == self.name && key.hash() == self.hash);
        let text = format!("{}\n", self.text);
        let is_its_own = key.ok_or(NoteFault::UnknownKey)?.verifies(text.as_bytes(), &self.signature);
        if is_its_own { Ok(()) } else { Err(NoteFault::Forged) }
    }
}

/// A note with this text, which ends with a line end.
fn sign(text: &str, key: &SigningKey) -> String {
    format!("{text}\n{SIGNATURE}{} {}\n", key.name(), STANDARD.encode(key.sign(text.as_bytes())))
}

impl Checkpoint {
    pub(crate) fn sign(&self, key: &SigningKey) -> String {
        sign(&self.text(), key)
    }

    /// Reads a note that one of `keys` signed.
    pub(crate) fn open(note: &str, keys: &[VerifierKey]) -> Result<Self, NoteFault> {
        let taken_apart = Note::split(note).filter(|_| note.len() <= MAX_LEN).ok_or(NoteFault::Malformed)?;
        let checkpoint = Self::parse(taken_apart.text).ok_or(NoteFault::Malformed)?;
        taken_apart.verify(keys)?;
        Ok(checkpoint)
    }

    fn text(&self) -> String {
        let Self { chain, head: Head { size, hash }, time } = self;
        format!("{TITLE}\nchain {chain}\nsize {size}\nhead {}\ntime {time}\n", STANDARD.encode(hash))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(TITLE)?.strip_prefix('\n')?.split('\n');
        let chain = ChainId::parse(lines.next()?.strip_prefix("chain ")?)?;
        let size = lines.next()?.strip_prefix("size ")?.parse().ok()?;
        let hash: Hash = STANDARD.decode(lines.next()?.strip_prefix("head ")?).ok()?.try_into().ok()?;
        let time = lines.next()?.strip_prefix("time ")?.parse().ok()?;
        let checkpoint = Self { chain, head: Head { size, hash }, time };
        // Each has one spelling: a sign or a zero in front would be another.
        (lines.next().is_none() && checkpoint.text().strip_suffix('\n') == Some(text)).then_some(checkpoint)
    }
}

/// The notes in a file, one behind the other.
pub(crate) fn notes(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.get(1..).and_then(|behind| behind.find(&format!("\n{TITLE}\n")));
        let (note, behind) = match end.and_then(|at| rest.split_at_checked(at.saturating_add(2))) {
            Some(split) => split,
            None => (rest, ""),
        };
        rest = behind;
        Some(note)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::parse_hash;

    /// The vector of FORMAT 16.
    const NOTE: &str = "rxseal/v1/audit-checkpoint\nchain 7f3a9c0e5b1d2468\nsize 3\nhead eVqCRzumaKutrakavcc+Ti5EO4KCTNtR00rhQ+AI2LE=\ntime 1764000001000\n\n\u{2014} pharmacy-17.example IHRqDzU64h8cDO5DZATDb61+q/ycwB46v9c9CUX10Q0Uemjes3qSdzCBfCISSgu9jATWZcQA/CdKARcZiS5b0CguYwU=\n";
    const VERIFIER: &str = "pharmacy-17.example+20746a0f+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR";

    fn checkpoint() -> Checkpoint {
        let hash = parse_hash(b"eVqCRzumaKutrakavcc-Ti5EO4KCTNtR00rhQ-AI2LE").unwrap();
        let chain = ChainId::parse("7f3a9c0e5b1d2468").unwrap();
        Checkpoint { chain, head: Head { size: 3, hash }, time: 1_764_000_001_000 }
    }

    #[test]
    fn the_note_of_the_vector() {
        let key = SigningKey::from_seed("pharmacy-17.example", &[3; 32]).unwrap();
        assert_eq!(key.verifier().to_string(), VERIFIER);
        assert_eq!(checkpoint().sign(&key), NOTE);
        let verifier: VerifierKey = VERIFIER.parse().unwrap();
        assert_eq!(Checkpoint::open(NOTE, &[verifier]).unwrap(), checkpoint());
    }

    #[test]
    fn every_changed_byte_of_a_note_is_noticed() {
        let verifier: VerifierKey = VERIFIER.parse().unwrap();
        let keys = [verifier];
        for at in 0..NOTE.len() {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= 1;
            if let Ok(changed) = str::from_utf8(&bytes) {
                assert!(Checkpoint::open(changed, &keys).is_err(), "{at}: {changed}");
            }
        }
        for cut in 0..NOTE.len() {
            if let Some(cut) = NOTE.get(..cut) {
                assert!(Checkpoint::open(cut, &keys).is_err());
            }
        }
        assert_eq!(Checkpoint::open(NOTE, &[]), Err(NoteFault::UnknownKey));
        for (from, to) in [("size 3", "size 03"), ("size 3", "size +3"), ("LE=", "LF="), ("\ntime", "\n\ntime")] {
            assert_eq!(Checkpoint::open(&NOTE.replace(from, to), &keys), Err(NoteFault::Malformed), "{to}");
        }
        assert_eq!(Checkpoint::open(&NOTE.replace("size 3", "size 4"), &keys), Err(NoteFault::Forged));
    }

    #[test]
    fn notes_are_told_apart() {
        let all = NOTE.repeat(3);
        assert_eq!(notes(&all).collect::<Vec<_>>(), [NOTE; 3]);
        assert_eq!(notes("").count(), 0);
        assert_eq!(notes("junk").collect::<Vec<_>>(), ["junk"]);
        assert_eq!(notes(&format!("junk\n{NOTE}")).collect::<Vec<_>>(), ["junk\n", NOTE]);
    }
}

//! Class keys: derived from a DEK on first use, their key set-up done once.

use std::sync::OnceLock;

use crate::aead::{ClassCipher, Letter, PerLetter};
use crate::backend::Backend;
use crate::error::{Error, ErrorKind};
use crate::id::Class;
use crate::kdf::{self, KeyPurpose};
use crate::secret::SecretBytes;

/// As documented for `Class`.
const MAX_CLASSES: usize = 32;

/// The keys of one class under one DEK. Each is made when it is first needed and read without a lock after that.
pub(crate) struct ClassKey {
    class: Class,
    made: PerLetter<Made>,
}

/// The keys derived for one letter.
///
/// Pointers only, since it moves to the heap before it is filled: see "No unwritten room" in `secret`.
#[derive(Default)]
struct Made {
    cipher: OnceLock<Box<ClassCipher>>,
    subject_input: OnceLock<SecretBytes<32>>,
}

/// The class keys of one DEK. Slots are filled from the front and never emptied.
pub(super) struct ClassKeys([OnceLock<Box<ClassKey>>; MAX_CLASSES]);

impl ClassKeys {
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; MAX_CLASSES])
    }

    pub(super) fn get(&self, class: Class) -> Result<&ClassKey, Error> {
        for slot in &self.0 {
            // If another thread fills this slot first, the search continues unless its class is the same.
            let found = slot.get_or_init(|| Box::new(ClassKey { class, made: PerLetter::default() }));
            if found.class == class {
                return Ok(found);
            }
        }
        Err(ErrorKind::TooManyClasses.into())
    }
}

impl ClassKey {
    /// The cipher of this class for tokens of `letter` (FORMAT 3.2, purpose `seal`).
    pub(super) fn cipher(
        &self,
        backend: Backend,
        dek: &SecretBytes<32>,
        keyspace: &str,
        letter: Letter,
    ) -> Result<&ClassCipher, Error> {
        let made = &self.made.of(letter).cipher;
        if let Some(cipher) = made.get() {
            return Ok(cipher);
        }
        let key = kdf::derive(backend, dek, KeyPurpose::Seal { keyspace, letter, class: self.class.as_str() })?;
        let cipher = Box::new(ClassCipher::new(backend, letter, key)?);
        Ok(made.get_or_init(|| cipher))
    }

    /// The class's half of a key that a subject key completes (FORMAT 3.2, purpose `subject`).
    pub(super) fn subject_input(
        &self,
        backend: Backend,
        dek: &SecretBytes<32>,
        keyspace: &str,
        letter: Letter,
    ) -> Result<&SecretBytes<32>, Error> {
        let made = &self.made.of(letter).subject_input;
        if let Some(input) = made.get() {
            return Ok(input);
        }
        let key = kdf::derive(backend, dek, KeyPurpose::Subject { keyspace, letter, class: self.class.as_str() })?;
        Ok(made.get_or_init(|| key))
    }
}

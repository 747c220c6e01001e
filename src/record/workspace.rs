//! What a pass or an opening works with. The thread keeps it, wiped, for the next one: neither then allocates.

use std::cell::RefCell;
use std::mem;
use std::ops::{Deref, DerefMut};

use super::core::RecordCore;
use crate::aead::{Letter, MessageCipher, SpareCipher, key_prefix};
use crate::error::{Error, ErrorKind};
use crate::id::{Class, FieldId, KeyId};
use crate::key::Dek;
use crate::observe::Touched;
use crate::scratch::{self, Spares};

/// The most ciphers that are held at once, and the most rooms of wiped ones that are kept.
const MAX_CIPHERS: usize = 32;
const MAX_SPARES: usize = 8;

thread_local! {
    static BUFFERS: Spares<Buffers> = const { RefCell::new(Vec::new()) };
}

/// One pass's or opening's own, given back to the thread when it ends.
pub(crate) struct Workspace(Buffers);

#[derive(Default)]
pub(crate) struct Buffers {
    pub(super) ciphers: Ciphers,
    /// The fields that were sealed in this pass (FORMAT 4.5).
    pub(super) claimed: Vec<FieldId>,
    /// The classes and keys that an opening used or asked for.
    pub(super) touched: Vec<Touched>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self(scratch::take(&BUFFERS))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let mut buffers = mem::take(&mut self.0);
        buffers.ciphers.keep_first(0);
        buffers.claimed.clear();
        buffers.touched.clear();
        scratch::give_back(&BUFFERS, buffers);
    }
}

impl Deref for Workspace {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        &self.0
    }
}

impl DerefMut for Workspace {
    fn deref_mut(&mut self) -> &mut Buffers {
        &mut self.0
    }
}

/// The ciphers of the classes that are sealed or opened, each set up once.
#[derive(Default)]
pub(crate) struct Ciphers {
    set_up: Vec<SetUp>,
    spares: Vec<SpareCipher>,
}

/// A cipher with its class and key, and the nonces it is for: a scope also reads the parts of its record.
struct SetUp {
    class: Class,
    key_id: KeyId,
    letter: Letter,
    prefix: [u8; 16],
    cipher: MessageCipher,
}

impl SetUp {
    fn is_for(&self, class: Class, key_id: KeyId, letter: Letter, prefix: &[u8; 16]) -> bool {
        // What differs most often comes first.
        self.class.is(class) && self.key_id == key_id && self.letter == letter && self.prefix == *prefix
    }
}

impl Ciphers {
    /// The cipher of `class` under `dek` for messages of `core` whose nonce begins as this one does. All nonces of a pass, and
    /// all of letter `X` in a context, begin with the same bytes (FORMAT 5, 5.3).
    pub(super) fn get(
        &mut self,
        core: &RecordCore,
        dek: &Dek,
        letter: Letter,
        class: Class,
        nonce: &[u8; 24],
    ) -> Result<&MessageCipher, Error> {
        let (key_id, prefix) = (dek.id, key_prefix(letter, nonce));
        let at = match self.set_up.iter().position(|known| known.is_for(class, key_id, letter, &prefix)) {
            Some(at) => at,
            None => {
                if self.set_up.len() >= MAX_CIPHERS {
                    self.keep_first(0);
                }
                let keyspace = core.shared().keys.keyspace().as_str();
                let cipher = dek.message_cipher(keyspace, letter, class, core.subject(), nonce, self.spares.pop())?;
                let at = self.set_up.len();
                self.set_up.push(SetUp { class, key_id, letter, prefix, cipher });
                at
            }
        };
        self.set_up.get(at).map(|known| &known.cipher).ok_or_else(|| ErrorKind::TooManyClasses.into())
    }

    pub(super) fn len(&self) -> usize {
        self.set_up.len()
    }

    /// Wipes all but the first `kept` ciphers.
    pub(super) fn keep_first(&mut self, kept: usize) {
        while self.set_up.len() > kept {
            let spare = self.set_up.pop().and_then(|known| known.cipher.retire());
            if self.spares.len() < MAX_SPARES {
                self.spares.extend(spare);
            }
        }
    }
}

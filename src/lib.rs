#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod access;
mod aead;
mod codec;
mod context;
mod error;
mod field;
mod form;
mod handles;
mod id;
mod kdf;
mod key;
mod keyring;
mod observe;
mod payload;
pub mod phi;
mod provider;
mod providers;
mod random;
mod record;
mod scope;
mod scratch;
mod secret;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod testing;
mod token;

// Keys
pub use aead::Suite;
pub use key::{KeyInfo, KeyState, KeyUse, KeyringFile, SubjectKey, WrapInfo, WrappedSubjectKey};
pub use keyring::{Keyring, UnlockOptions, Unlocked};

// Root keys
pub use provider::{Kek, KekContext, ProviderFuture, RootKey, RootKeys, run_local};
#[cfg(unix)]
pub use providers::KeyFile;
pub use providers::LocalRootKey;

// Records and tokens
pub use handles::{Opener, Sealer};
pub use id::{Class, FieldId, Identifier, KeyId};
pub use record::{
    MayOpen, MaySeal, NotAuthentic, OpenOnly, OpenPass, Record, RecordAccess, Role, SealAndOpen, SealOnly, SealPass,
    open_page, seal_page,
};
pub use token::Token;

// Fields
pub use field::Field;
pub use form::{Each, NotWiped, OpenAs, Parts, Phi, SealAs, Sealed, Sealing, Wipe};
pub use scope::{ExposedPlaintext, RecordOpening, RecordSealing, accept_plaintext, expose_plaintext};

// Who, why, and who hears of it
pub use access::{Access, Purpose};
pub use observe::{Observer, OpenEvent, OpenedRecord, Opening, Outcome};

// Errors
pub use error::Error;

#[doc(hidden)]
pub use field::private as __private;

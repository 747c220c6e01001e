#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(
    explicit_outlives_requirements,
    meta_variable_misuse,
    missing_debug_implementations,
    redundant_lifetimes,
    rust_2018_idioms,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications
)]
// Untrusted input reaches all of the library: it does not panic, wrap around or cut off. Its unit tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_in_result,
        clippy::unwrap_used
    ),
    warn(
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::dbg_macro,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::todo,
        clippy::unimplemented
    ),
    allow(
        clippy::elidable_lifetime_names,
        clippy::many_single_char_names,
        clippy::single_match_else,
        clippy::struct_field_names,
        reason = "a matter of taste, and ours is another"
    )
)]

mod access;
mod admin;
mod aead;
mod backend;
mod clock;
mod codec;
#[cfg(any(feature = "rusqlite_0_39", feature = "sqlx_0_9"))]
mod columns;
mod context;
pub mod count;
mod disk;
mod error;
mod field;
mod form;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handles;
mod id;
mod kdf;
mod key;
mod keyring;
#[cfg(unix)]
mod local_start;
mod loopback;
#[cfg(feature = "keyring-manager")]
mod manager;
pub mod observe;
mod payload;
pub mod phi;
pub mod provider;
mod random;
mod record;
mod root_key;
#[cfg(feature = "tokio_1")]
mod runtime;
mod scope;
mod scratch;
mod secret;
pub mod store;
mod subject_admin;
#[cfg(feature = "subject-keys")]
mod subject_keys;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod testing;
mod token;
#[cfg(test)]
mod vector_tests;

// A program of records
pub use access::{Access, Purpose};
pub use error::{Error, ErrorCode};
pub use field::Field;
pub use form::{Each, Parts, Phi, Sealed, Sealing};
pub use handles::{Opener, Sealer};
pub use id::{Class, FieldId, Identifier, KeyId};
pub use keyring::Keyring;
pub use record::{Record, RecordReader};
pub use root_key::run_local;
pub use scope::{accept_plaintext, expose_plaintext};
pub use token::Token;

/// Keyrings: unlocking them, their files, and the life of the keys in them.
pub mod keys {
    pub use crate::admin::{KeyringAdmin, RemainingUse, WrapCheck};
    pub use crate::aead::Suite;
    pub use crate::backend::Backend;
    pub use crate::key::{KeyInfo, KeyState, KeyUse, KeyringFile, WrapInfo};
    pub use crate::keyring::{UnlockOptions, Unlocked};
    #[cfg(feature = "keyring-manager")]
    pub use crate::manager::{KeyringManager, KeyringManagerBuilder};
}

/// Root keys: the trait, the list that a program trusts, and root keys on this machine.
pub mod root {
    pub use crate::root_key::LocalRootKey;
    #[cfg(unix)]
    pub use crate::root_key::RootKeyFile;
    pub use crate::root_key::{RootKey, RootKeys};
}

/// The keys of single patients, which can be shredded.
pub mod subjects {
    pub use crate::key::{SubjectKey, WrappedSubjectKey};
    pub use crate::subject_admin::{Reapplied, RewrapReport, ShredLog, ShredReceipt, SubjectAdmin};
    #[cfg(feature = "subject-keys")]
    pub use crate::subject_keys::{LoadedSubjects, SubjectKeys};
}

/// Sealing, opening and resealing a page of records at once.
pub mod page {
    pub use crate::record::{
        OpenPass, ResealPass, SealPass, open_page, reseal_page, seal_page, try_open_page, try_reseal_page,
        try_seal_page,
    };
}

/// Roles as types: what a record of a sealer, an opener or a keyring may do.
pub mod roles {
    pub use crate::record::{MayOpen, MaySeal, NotAuthentic, OpenOnly, Role, SealAndOpen, SealOnly};
}

/// What stands behind the forms of a field: rarely named by a program.
pub mod forms {
    pub use crate::form::{NotWiped, OpenAs, SealAs, Wipe};
    pub use crate::scope::{ExposedPlaintext, RecordOpening, RecordSealing};
}

#[doc(hidden)]
pub use field::private as __private;

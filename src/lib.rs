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
mod count;
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
#[cfg(any(feature = "aws-kms", feature = "postgres-store", feature = "vault"))]
mod loopback;
#[cfg(feature = "key-manager")]
mod manager;
mod observe;
mod payload;
pub mod phi;
mod provider;
mod providers;
mod random;
mod record;
#[cfg(any(
    feature = "aws-kms",
    feature = "key-manager",
    feature = "pkcs11",
    feature = "postgres-store",
    feature = "vault"
))]
mod runtime;
mod scope;
mod scratch;
mod secret;
mod store;
mod subject_admin;
#[cfg(feature = "subject-keys")]
mod subjects;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod testing;
mod token;
#[cfg(test)]
mod vector_tests;

// Keys
pub use aead::Suite;
pub use backend::Backend;
pub use key::{KeyInfo, KeyState, KeyUse, KeyringFile, SubjectKey, WrapInfo, WrappedSubjectKey};
pub use keyring::{Keyring, UnlockOptions, Unlocked};

// Root keys
pub use provider::{Kek, KekContext, ProviderFuture, RootKey, RootKeys, run_local};
#[cfg(feature = "aws-kms")]
pub use providers::AwsKmsKey;
#[cfg(unix)]
pub use providers::KeyFile;
pub use providers::LocalRootKey;
#[cfg(feature = "pkcs11")]
pub use providers::{Pkcs11Key, Pkcs11KeyBuilder, Pkcs11Mechanism};
#[cfg(feature = "vault")]
pub use providers::{VaultKey, VaultKeyBuilder};

// Stores, and the life of what is in them
pub use admin::{KeyringAdmin, StillUnder, WrapCheck};
#[cfg(feature = "key-manager")]
pub use manager::{KeyManager, KeyManagerBuilder};
#[cfg(unix)]
pub use store::FileStore;
#[cfg(unix)]
pub use store::FileSubjectStore;
#[cfg(feature = "postgres-store")]
pub use store::PostgresStore;
#[cfg(feature = "postgres-store")]
pub use store::PostgresSubjectStore;
#[cfg(feature = "sqlite-store")]
pub use store::SqliteStore;
#[cfg(feature = "sqlite-store")]
pub use store::SqliteSubjectStore;
pub use store::{
    KeyringStore, MemoryStore, MemorySubjectStore, Retention, StoreFuture, StoredSubject, SubjectKeyStore,
};

// How far a rotation has come
#[cfg(feature = "postgres-store")]
pub use count::count_postgres;
#[cfg(feature = "sqlite-store")]
pub use count::count_sqlite;
pub use count::{CountSql, KeyCounts, count_by_key};

// Subjects, and shredding them
pub use subject_admin::{Reapplied, RewrapReport, ShredLog, ShredReceipt, SubjectAdmin};
#[cfg(feature = "subject-keys")]
pub use subjects::{LoadedSubjects, SubjectKeys};

// Records and tokens
pub use handles::{Opener, Sealer};
pub use id::{Class, FieldId, Identifier, KeyId};
pub use record::{
    MayOpen, MaySeal, NotAuthentic, OpenOnly, OpenPass, Record, RecordAccess, ResealPass, Role, SealAndOpen, SealOnly,
    SealPass, open_page, reseal_page, seal_page,
};
pub use token::Token;

// Fields
pub use field::Field;
pub use form::{Each, NotWiped, OpenAs, Parts, Phi, SealAs, Sealed, Sealing, Wipe};
pub use scope::{ExposedPlaintext, RecordOpening, RecordSealing, accept_plaintext, expose_plaintext};

// Who, why, and who hears of it
pub use access::{Access, Purpose};
#[cfg(feature = "tracing_0_1")]
pub use observe::TracingObserver;
pub use observe::{KeyChange, KeyEvent, Observer, OpenEvent, OpenedRecord, Opening, Outcome};

// Errors
pub use error::Error;

#[doc(hidden)]
pub use field::private as __private;

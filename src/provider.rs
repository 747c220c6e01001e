//! For authors of root keys and stores. The crates for AWS KMS, Vault, PKCS#11, SQLite and PostgreSQL use this module.
//!
//! A program that only uses rxseal does not need it.
//!
//! # A root key
//!
//! Implement [`RootKey`](crate::root::RootKey). Its calls take a [`Kek`] and a [`KekContext`], and return a
//! [`ProviderFuture`]. Every call must end in bounded time ([`within`](#functions), feature `tokio_1`). No KEK may
//! leave the machine in clear: check with [`leads_away_in_clear`] or [`is_loopback`]. Read a PIN or a token from disk
//! as a [`SecretFile`].
//!
//! Report failures with [`Error::from_provider`](crate::Error::from_provider). There are also
//! [`Error::invalid_root_key`](crate::Error::invalid_root_key) for a wrong setting,
//! [`Error::root_key_permissions`](crate::Error::root_key_permissions) and
//! [`Error::runtime_needed`](crate::Error::runtime_needed).
//!
//! # A store
//!
//! For keyrings, implement [`KeyringStore`](crate::store::KeyringStore). [`check_keyspace`] and [`check_order`] refuse
//! what no store may contain, and [`StoredKeyring`] is a row that was read back. A keyring file has at most
//! [`KeyringFile::MAX_LEN`](crate::keys::KeyringFile::MAX_LEN) bytes.
//!
//! For subject keys, implement [`SubjectTable`]. The core turns it into a
//! [`SubjectKeyStore`](crate::store::SubjectKeyStore), and a [`SubjectChange`] contains the rules.
//!
//! Create the file of an embedded database with [`create_private_file`], and only read it if it has a
//! [`foreign_owner`]. Report failures with [`Error::from_store`](crate::Error::from_store) and
//! [`Error::store_conflict`](crate::Error::store_conflict).
//!
//! # Testing
//!
//! The crate `rxseal-conformance` has the suites that every root key and store must pass.

pub use crate::disk::{SecretFile, SecretFileError, create_private_file, foreign_owner};
pub use crate::loopback::{is_loopback, leads_away_in_clear};
pub use crate::random::fill as fill_random;
pub use crate::root_key::{Kek, KekContext, ProviderFuture};
#[cfg(feature = "tokio_1")]
pub use crate::runtime::{need_runtime, within};
pub use crate::store::row::{StoredKeyring, check_keyspace, check_order};
pub use crate::store::subject::{SubjectChange, SubjectColumns, SubjectRow, SubjectRows, SubjectTable};

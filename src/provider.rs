//! For authors of root keys and stores: what the crates for AWS KMS, Vault, PKCS#11, SQLite and PostgreSQL are written with.
//!
//! A program that only uses rxseal needs nothing of this.
//!
//! # A root key
//!
//! Implement [`RootKey`](crate::root::RootKey). Its calls are given a [`Kek`] and a [`KekContext`], and return a
//! [`ProviderFuture`]. A call ends in bounded time ([`within`](#functions), feature `tokio_1`). No KEK leaves the machine in clear:
//! ask [`leads_away_in_clear`] or [`is_loopback`]. A PIN or a token on disk is read as a [`SecretFile`].
//!
//! What failed is told with [`Error::from_provider`](crate::Error::from_provider),
//! [`Error::invalid_root_key`](crate::Error::invalid_root_key) for a wrong setting,
//! [`Error::root_key_permissions`](crate::Error::root_key_permissions) and
//! [`Error::runtime_needed`](crate::Error::runtime_needed).
//!
//! # A store
//!
//! For keyrings implement [`KeyringStore`](crate::store::KeyringStore): [`check_keyspace`] and [`check_order`] refuse what no store may
//! hold, and [`StoredKeyring`] is a row as it is read back. For the keys of subjects implement [`SubjectTable`]: the core makes a
//! [`SubjectKeyStore`](crate::store::SubjectKeyStore) of it, and a [`SubjectChange`] has the rules. A keyring file is at most [`KeyringFile::MAX_LEN`](crate::keys::KeyringFile::MAX_LEN) bytes. The
//! file of an embedded database is made by [`create_private_file`], and only read if it has a [`foreign_owner`].
//!
//! What failed is told with [`Error::from_store`](crate::Error::from_store) and [`Error::store_conflict`](crate::Error::store_conflict).
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

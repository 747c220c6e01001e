//! Keys: what a keyring holds and how it is stored (FORMAT 3, 8 and 10).

mod class_key;
mod dek;
mod file;
mod index_root;
mod index_schema;
mod info;
mod keys;
mod made;
mod subject_key;
mod wrapped_subject_key;

pub(crate) use dek::Dek;
pub use file::{KeyringFile, WrapInfo};
pub(crate) use file::{MAX_KEYS, MAX_NUMBER, Wrap, invalid};
pub(crate) use index_root::{IndexRoot, prefix_under};
pub use index_schema::IndexSchema;
pub use info::{KeyInfo, KeyState, KeyUse};
pub(crate) use keys::{BodyKey, Keys, NewKey, fingerprint, open_body, seal_body};
pub use subject_key::SubjectKey;
pub use wrapped_subject_key::WrappedSubjectKey;

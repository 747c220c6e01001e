//! Ids that are parsed once and valid from then on (FORMAT 1.3 to 1.7).

mod identifier;
mod key_id;
mod name;

pub use identifier::{Identifier, joined_id};
pub use key_id::KeyId;
pub use name::{Class, FieldId};
pub(crate) use name::{Name, is_name};

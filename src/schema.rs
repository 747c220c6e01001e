//! What a program says of its record types, for tools that have none of its Rust types.

mod all;
mod cell;
mod clear;
mod clear_text;
mod content;
mod convert;
mod field;
mod fields;
mod file;
mod format;
mod ids;
mod index;
mod interned;
mod moment;
mod place;
mod record;
mod row;
mod short;

pub use all::Schema;
pub use cell::{Opened, OpenedAs, Plain};
pub(crate) use clear::Bound;
pub use clear::ClearSchema;
pub use content::{ContentType, TextFormat};
pub(crate) use convert::{give_back, is_sealed_for, prepare};
pub(crate) use field::FieldData;
pub use field::{FieldSchema, Shape};
pub(crate) use fields::Fields;
pub use fields::PartSchema;
pub use index::IndexDeclared;
pub(crate) use place::Place;
pub(crate) use record::RecordData;
pub use record::{RecordSchema, TagSchema};
pub(crate) use row::Contents;
pub use row::{DeclaredPart, DeclaredRow, FieldTokens};

//! What a program says of its record types, for tools that have none of its Rust types.
//!
//! A job that seals a whole table, a count before a key is destroyed, an analyst's notebook: none of them has your structs. So your program
//! writes what its structs say into `rxseal-schema.json`, which you check in, and a test holds it to the structs. It has no key and no
//! value.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use rxseal::schema::Schema;
//! use rxseal::{PhiRecord, phi};
//!
//! #[derive(PhiRecord)]
//! #[phi(record = "prescription")]
//! struct Prescription {
//!     #[phi(id)]
//!     rx_number: u64,
//!     #[phi(seal = phi::Drug)]
//!     drug: String,
//!     #[phi(seal = Option<phi::Directions>)]
//!     directions: Option<String>,
//! }
//!
//! let json = Schema::new().with::<Prescription>()?.to_json();
//!
//! // What a tool makes of it:
//! let schema = Schema::parse(&json)?;
//! let rx = schema.record("prescription").expect("the program has prescriptions");
//! let columns: Vec<_> = rx.fields().iter().map(|field| (field.member(), field.id().as_str(), field.is_optional())).collect();
//! assert_eq!(columns, [("drug", "phi.rx.drug", false), ("directions", "phi.rx.directions", true)]);
//! # }
//! # Ok::<(), rxseal::Error>(())
//! ```
//!
//! | you want | use |
//! |---|---|
//! | records of a declared type, with its former types and its need of a subject | [`Keyring::record_type_of`](crate::Keyring::record_type_of), and [`RecordSchema::record_id`] |
//! | one cell sealed | [`SealPass::seal_declared`](crate::page::SealPass::seal_declared) |
//! | a token opened to the cell that its column had | [`OpenPass::open_declared`](crate::page::OpenPass::open_declared) |
//! | tokens under the primary key | [`ResealPass::reseal_declared`](crate::page::ResealPass::reseal_declared) |
//! | a column with plaintext and tokens sealed | [`ResealPass::backfill_declared`](crate::page::ResealPass::backfill_declared) |
//! | rows moved to other records, or given a subject | [`rebind_page`](crate::page::rebind_page) |
//! | whole rows with their record tags | `seal_row`, `open_row`, `reseal_row`, `backfill_row` and `rebind_row` of the same passes, and [`DeclaredRow`] |
//!
//! The roles hold as everywhere: a [`Sealer`](crate::Sealer) seals and opens nothing, opening needs an [`Access`](crate::Access) and the
//! observer hears of it, and resealing hands out no plaintext.

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

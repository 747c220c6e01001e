//! Whole record structs: each field says once what it is.
//!
//! `#[derive(PhiRecord)]` (feature `derive`) makes the *twin* of a struct: the same struct with tokens in the place of its sealed fields. A
//! value of it is a *row*, which a program stores, in any serde format or column by column. Seal a struct with
//! [`Keyring::seal`](crate::Keyring::seal), and open a row with [`Keyring::open`](crate::Keyring::open). A [`Sealer`](crate::Sealer) only
//! seals and an [`Opener`](crate::Opener) only opens.
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! use rxseal::phi::{Directions, PatientName};
//! use rxseal::{PhiRecord, SealedRecord};
//!
//! rxseal::fields! { pub LineDrug = "line.drug" in Medication; }
//!
//! #[derive(PhiRecord)]
//! #[phi(record = "prescription", derive(serde::Serialize, serde::Deserialize))]
//! struct Prescription {
//!     #[phi(id)]
//!     rx_number: u64,
//!     #[phi(seal = PatientName)]
//!     patient_name: String,
//!     #[phi(seal = Option<Directions>)]
//!     directions: Option<String>,
//!     #[phi(clear)]
//!     refills: u8,
//!     #[phi(part = "line")]
//!     lines: Vec<Line>,
//! }
//!
//! /// Each line is a part of the record: tokens cannot be exchanged between lines.
//! #[derive(PhiRecord)]
//! #[phi(part, derive(serde::Serialize, serde::Deserialize))]
//! struct Line {
//!     #[phi(id)]
//!     line_no: u32,
//!     #[phi(seal = LineDrug)]
//!     drug: String,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
//! # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
//! let rx = Prescription {
//!     rx_number: 1001,
//!     patient_name: "Jane Doe".into(),
//!     directions: Some("one daily".into()),
//!     refills: 2,
//!     lines: vec![Line { line_no: 1, drug: "warfarin 5 MG".into() }],
//! };
//! let row = keys.seal(&rx)?;
//! let json = serde_json::to_string(&row)?;
//! assert!(!json.contains("Jane") && !json.contains("warfarin"));
//!
//! let row: SealedPrescription = serde_json::from_str(&json)?;
//! let rx = keys.open(&row, &access)?;
//! assert_eq!(rx.lines[0].drug, "warfarin 5 MG");
//!
//! // One field, to be written back alone.
//! let new = row.set::<Directions>(&keys, &Some("two daily".into()))?;
//! assert_eq!(new.patient_name, row.patient_name);
//! # Ok(())
//! # }
//! ```
//!
//! Many records are sealed and opened at once, and rows are moved to the newest key or to another record:
//!
#![cfg_attr(feature = "derive", doc = "```")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! # use rxseal::{PhiRecord, SealedRecord, phi};
//! # #[derive(PhiRecord)]
//! # #[phi(record = "prescription")]
//! # struct Prescription {
//! #     #[phi(id)]
//! #     rx_number: u64,
//! #     #[phi(seal = phi::Drug)]
//! #     drug: String,
//! # }
//! # fn main() -> Result<(), rxseal::Error> {
//! # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
//! # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
//! # let rxs = [1001, 1002].map(|rx_number| Prescription { rx_number, drug: "warfarin 5 MG".into() });
//! let rows = keys.seal_all(&rxs)?;
//! for rx in keys.open_all(&rows, &access) {
//!     assert_eq!(rx?.drug, "warfarin 5 MG"); // or why this one does not open; the others do
//! }
//!
//! for row in rows.iter().filter(|row| row.needs_reseal(&keys).is_ok_and(|needs| needs)) {
//!     let row = keys.reseal(row)?; // under the primary key: write it back
//! }
//!
//! let mut copy = rows[0].clone();
//! copy.rx_number = 2001;
//! assert!(copy.check(&keys).is_err()); // its token is bound to 1001
//! let moved = keys.rebind(&rows[0], |row| row.rx_number = 2001, &access)?;
//! moved.check(&keys)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Twin`] has the table of markers, and of what each becomes in the row. A record with a subject (patient) is sealed and opened with
//! [`WithSubjects`]; a part implements [`PhiPart`], and a struct that shares its record's context [`PhiFields`]. The derive implements
//! these traits. A program names them in generic code, and for the methods of [`SealedRecord`] and [`TaggedRecord`]. [RECORDS.md] is the guide.
//!
//! [RECORDS.md]: https://github.com/rxseal/rxseal/blob/v0.2.0/docs/RECORDS.md

mod calls;
mod change;
mod check;
mod containers;
mod counting;
mod derived;
mod describe;
mod has_content;
mod ids;
mod in_schema;
mod indexed;
mod keys;
#[cfg(feature = "subject-keys")]
mod load;
mod migrates;
mod nested;
mod open;
mod parts;
mod reindex;
mod round_trip;
mod row_indexer;
mod seal;
mod search;
mod shredding;
mod subject_of;
mod subjects;
mod tagging;
mod tags;
mod traits;
mod twin;
mod unique;
mod via;
mod walk;
mod wiping;

pub use containers::ElementOf;
pub use has_content::HasContent;
pub use ids::{AsRecordId, AsSubjectId};
pub use keys::{RecordKeys, WithSubjects};
pub use migrates::Migrates;
pub use parts::{PartsTwin, PhiParts};
pub use reindex::Reindexed;
pub use subjects::SubjectSource;
pub use tags::{TaggedRecord, Verified};
pub use traits::{PhiFields, PhiPart, PhiRecord, SealedFields, SealedPart, SealedRecord, WholeRecord};
pub use twin::{HasField, Own, Sealable, Twin, TwinOf};
pub use via::{SerdeWith, Via, With};

pub use crate::record_tag::ClearValue;

// What only the derive's code names: `rxseal::__private` has it, and the documentation of this module has not.
#[doc(hidden)]
pub use crate::record_tag::{BoundValue, ScaledValue};
#[doc(hidden)]
pub use derived::{ClearField, HiddenField, IsOption, highest};
#[doc(hidden)]
pub use describe::Describer;
#[doc(hidden)]
pub use has_content::{ClearOf, ContentOf, Known, NoContent};
#[doc(hidden)]
pub use ids::RecordIds;
#[doc(hidden)]
pub use indexed::{
    IndexOf, ListOf, NoList, Unindexed, assert_columns, assert_made_of, assert_not_made_of, assert_record_type,
};
#[doc(hidden)]
pub use open::RecordOpener;
#[doc(hidden)]
pub use parts::sum;
#[doc(hidden)]
pub use row_indexer::RowIndexer;
#[doc(hidden)]
pub use seal::RecordSealer;
#[doc(hidden)]
pub use subject_of::{NoSubject, SubjectOf};
#[doc(hidden)]
pub use unique::{FieldIds, assert_unique};
#[doc(hidden)]
pub use walk::{TokenChange, TokenVisit};
#[doc(hidden)]
pub use wiping::{CannotWipe, Wiping};

//! Normal forms: what is equal for a search becomes equal bytes (FORMAT 15.4, and each rule in NORMAL-FORMS).
//!
//! A normaliser is a marker type with an id and a version, such as [`Family`] with `family/1`. What it writes for an input never changes:
//! a better one is a new version beside the old one. Each input gives one of three results:
//!
//! - **A form**, in a [`NormalForm`].
//! - **An empty form**: there is nothing to find the record by, as with an empty text, a part of a date or a placeholder. The index
//!   column is null, and a query of it is refused.
//! - **A refusal**, `not-indexable` or `bad-check-digit`, that says which shape is wanted and quotes nothing of the input.
//!
//! | type | id | of | form |
//! |---|---|---|---|
//! | [`Family`] | `family/1` | `O'Brien-Smith, Jr.` | `obriensmith`, or [parts](NormalizesParts) of it |
//! | [`Given`] | `given/1` | `José Eduardo` | `jose`, or [parts](NormalizesParts) of it |
//! | [`Date`] | `date/1` | `1970-01-31` | `1970-01-31` |
//! | [`Phone`] | `phone/1` | `(555) 212-8845 x12` | `+15552128845` |
//! | [`PhoneIn`] | `phone/1` | `030 1234567`, at home in Germany | `+49301234567` |
//! | [`Npi`] | `npi/1` | `1234567893` | `1234567893` |
//! | [`Dea`] | `dea/1` | `ap5836727` | `AP5836727` |
//! | [`Ssn`] | `ssn/1` | `999-12-3456` | `999123456` |
//! | [`Ndc`] | `ndc/1` | `0002-7597-01` | `00002759701` |
//! | [`Id`] | `id/1` | `mrn 00-123` | `MRN00123` |
//! | [`Email`] | `email/1` | `Jane@Example.ORG` | `jane@example.org` |
//! | [`Sounds`] | `sounds/1` | `Schmidt` | `XMT` and `SMT`, as [parts](NormalizesParts) |
//! | [`Exact`] | `exact/1` | any text | its bytes |
//!
//! A field that is a list, such as former names, gives the parts of each of its elements. `None` gives an empty form.

mod checked;
mod date;
mod dea;
mod edits;
mod email;
mod exact;
mod family;
mod fold;
mod form;
mod given;
mod id;
mod input;
mod lenient;
mod ndc;
mod normalizer;
mod npi;
mod phone;
mod placeholders;
mod sounds;
mod ssn;
mod tidy;
mod unicode;
mod words;

pub use date::Date;
pub use dea::Dea;
pub use email::Email;
pub use exact::Exact;
pub use family::Family;
pub use form::NormalForm;
pub use given::Given;
pub use id::{CheckId, Id, NoCheck};
pub use lenient::Lenient;
pub use ndc::Ndc;
pub use normalizer::{Normalizer, Normalizes, NormalizesParts};
pub use npi::Npi;
pub use phone::{Country, Phone, PhoneIn};
pub use placeholders::{NoPlaceholders, Placeholders, UsualPlaceholders};
pub use sounds::Sounds;
pub use ssn::Ssn;

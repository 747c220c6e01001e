//! Slot tables of names that are common in the United States.
//!
//! A common name gets many values instead of one, so that counting a column does not name it. A slot table says how many:
//! `ceil(4096 s)` for a name that the share `s` of all people has, and at most 256. A name that is not in the table has one value.
//!
//! The tables are made from the lists of the US Census of 1990, which are in the public domain, by `census/tables.py`. They never change:
//! another table has another id. If your patients' names are others, ask the [planner](crate::plan) first. It writes a table from your own
//! rows.

mod us_given_1;
mod us_surnames_1;

pub use us_given_1::US_GIVEN_1;
pub use us_surnames_1::US_SURNAMES_1;

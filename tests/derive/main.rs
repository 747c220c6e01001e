//! `#[derive(PhiRecord)]`, as a user's crate sees it.
#![deny(warnings, missing_docs, clippy::pedantic)]
#![allow(
    clippy::items_after_statements,
    clippy::struct_field_names,
    reason = "of the tests themselves: a struct is beside what is done with it"
)]

mod declared;
mod forms;
pub mod hygiene;
mod indexed;
mod migrates;
mod plaintext;
mod recombined;
mod schema;
mod shapes;
mod shredding;
mod subjects;
mod support;
mod swaps;
mod tagged;
mod tags;
mod writers;

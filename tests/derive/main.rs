//! `#[derive(PhiRecord)]`, as a user's crate sees it.
#![deny(warnings, missing_docs, clippy::pedantic)]

mod forms;
pub mod hygiene;
mod plaintext;
mod shapes;
mod support;
mod swaps;
mod tags;

//! The command `rxseal`, as an operator meets it.
#![allow(clippy::unwrap_used)]

mod answers;
mod counting;
/// The command's own list, so that docs and codes can be held to it.
#[path = "../../src/exit.rs"]
mod exit;
mod files;
mod keyring;
mod mistakes;
mod records;
mod settings;
mod shop;
mod subjects;

//! The command `rxseal`, as an operator uses it.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod accounting;
mod acts;
mod answers;
mod audit;
mod breach;
mod counting;
mod ddl;
mod drills;
mod evidence;
/// The command's own list, so that docs and codes can be held to it.
#[path = "../../src/exit.rs"]
mod exit;
mod exposures;
mod fhir;
mod files;
mod index_roots;
mod jobs;
mod keyring;
mod maps;
mod mistakes;
mod page;
mod planning;
mod readme;
mod records;
mod scans;
mod settings;
mod shop;
mod subjects;
mod walk;
mod written;

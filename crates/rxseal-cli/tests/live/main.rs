//! The command `rxseal` against real servers. `.ci/servers` starts them.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and what one prints is shown then"
)]

mod audit;
mod command;
mod jobs;
mod keys;
mod migration;
mod mysql;
#[path = "../cli/page.rs"]
mod page;
mod page_run;
mod runbooks;
mod servers;
mod softhsm;
mod vault;

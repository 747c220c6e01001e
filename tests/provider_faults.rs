//! Providers of root keys when things go wrong: the provider itself, what is between, and what answers in its place. Needs no
//! server: `root_keys/faulty.rs` goes wrong on purpose (T51 of docs/THREAT-MODEL.md).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "root_keys/aws_faults.rs"]
mod aws_faults;
#[path = "root_keys/conformance.rs"]
mod conformance;
#[path = "root_keys/faulty.rs"]
mod faulty;
#[path = "root_keys/vault_faults.rs"]
mod vault_faults;

//! Providers of root keys when things go wrong: the provider itself, what is between, and what answers in its place. Needs no
//! server: `faulty.rs` goes wrong on purpose (T51 of docs/THREAT-MODEL.md).

mod aws_kms;
mod vault;

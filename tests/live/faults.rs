//! Providers of root keys when something goes wrong: the provider itself, the network, or a server that answers in its
//! place. This needs no server: `faulty.rs` fails on purpose (T51 of docs/THREAT-MODEL.md).

mod aws_kms;
mod vault;

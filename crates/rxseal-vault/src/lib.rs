#![doc = include_str!("../README.md")]

mod base64;
mod builder;
mod client;
mod failure;
mod key;
mod login;
mod message;
mod transport;

pub use builder::VaultKeyBuilder;
pub use key::VaultKey;

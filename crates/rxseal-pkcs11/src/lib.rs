#![doc = include_str!("../README.md")]

mod builder;
mod digest;
mod failure;
mod key;
mod library;
mod mechanism;
mod pin;
mod pool;
mod selection;
mod token;
mod wrap;

pub use builder::Pkcs11KeyBuilder;
pub use key::Pkcs11Key;
pub use mechanism::Pkcs11Mechanism;

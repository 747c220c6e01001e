#![doc = include_str!("../README.md")]

#[cfg(feature = "aws-kms")]
mod aws_kms;
mod error;
mod not_built;
mod options;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod spec;
#[cfg(feature = "vault")]
mod variable;
#[cfg(feature = "vault")]
mod vault;

pub use error::SpecError;
pub use spec::{RootSpec, specs, trusted};

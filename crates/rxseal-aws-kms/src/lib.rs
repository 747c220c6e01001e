#![doc = include_str!("../README.md")]

mod credentials;
mod endpoint;
mod failure;
mod key;
mod key_arn;

pub use key::AwsKmsKey;

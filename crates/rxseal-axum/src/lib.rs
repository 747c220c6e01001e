#![doc = include_str!("../README.md")]

mod body;
mod plaintext;
mod problem;

pub use plaintext::Plaintext;
pub use problem::Problem;

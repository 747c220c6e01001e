#![doc = include_str!("../README.md")]

mod broken;
mod root_key;
mod silence;

pub use broken::Broken;
pub use root_key::{RootKeyReport, root_key};

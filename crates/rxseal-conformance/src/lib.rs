#![doc = include_str!("../README.md")]

mod broken;
mod files;
mod keyring_store;
mod root_key;
mod rule;
mod silence;
mod subject_store;

pub use broken::Broken;
pub use files::{generations, rivals};
pub use keyring_store::{FreshStore, keyring_store};
pub use root_key::{RootKeyReport, root_key};
pub use subject_store::subject_store;

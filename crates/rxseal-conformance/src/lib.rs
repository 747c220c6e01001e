#![doc = include_str!("../README.md")]

mod broken;
mod files;
mod keyring_store;
mod subject_store;

pub use broken::Broken;
pub use files::{generations, rivals};
pub use keyring_store::{FreshStore, keyring_store};
pub use subject_store::subject_store;

#![doc = include_str!("../README.md")]

pub mod normal;
pub mod slots;

#![doc = include_str!("../README.md")]

mod answer;
mod difference;
mod digest;
mod error;
mod evidence;
mod facts;
mod judge;
mod log;
mod map;
mod pack;
mod page;
mod remark;
mod ring;
mod scan;
mod stated;
mod verify;

pub use difference::Difference;
pub use error::EvidenceError;
pub use evidence::Evidence;
pub use log::LogFacts;
pub use pack::Pack;
pub use remark::{Remark, Verdict};
pub use scan::ScanFacts;
pub use stated::Topic;
pub use verify::{Verified, verify};

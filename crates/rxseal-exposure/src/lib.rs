#![doc = include_str!("../README.md")]

mod day;
mod model;
mod state;

pub use day::{Day, NotADay};
pub use model::{
    Assumed, AuditCover, ClassPatients, Doubt, Exposure, Input, KeyTokens, Mitigation, Taken, Timeline, Totals, Viewed,
};
pub use state::State;

#![doc = include_str!("../README.md")]

mod csv;
mod day;
mod letter;
mod model;
mod page;
mod state;
mod words;

pub use csv::csv_row;
pub use day::{Day, NotADay};
pub use model::{
    Assumed, AuditCover, ClassPatients, Doubt, Exposure, Input, KeyTokens, Mitigation, Taken, Timeline, Totals, Viewed,
};
pub use state::State;

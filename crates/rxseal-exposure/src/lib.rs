#![doc = include_str!("../README.md")]

mod classes;
mod copies;
mod counts;
mod csv;
mod database;
mod day;
mod error;
mod jurisdiction;
mod keys;
mod letter;
mod log;
mod model;
mod names;
mod page;
mod patients;
mod reading;
mod rule;
mod state;
mod stolen;
mod theft;
mod time;
mod unchanged;
mod words;

pub use csv::csv_row;
pub use day::{Day, NotADay};
pub use error::ExposureError;
pub use model::{
    Assumed, AuditCover, ClassPatients, Doubt, Exposure, Input, KeyTokens, Mitigation, Taken, Timeline, Totals, Viewed,
};
pub use rule::{Held, TokenFacts, readable};
pub use state::State;
pub use stolen::Stolen;
pub use theft::Theft;

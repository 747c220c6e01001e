#![doc = include_str!("../README.md")]

mod built;
mod cells;
mod count;
mod error;
mod faults;
mod keys;
mod lanes;
mod open;
mod plan;
mod reseal;
mod rows;
mod seal;

pub use count::count_batch;
pub use error::BatchError;
pub use faults::{Fault, OnError, faults_table};
pub use keys::Keys;
pub use open::{Opened, open_batch};
pub use plan::{Plan, Tokens};
pub use reseal::{Resealed, reseal_batch};
pub use rows::subjects;
pub use seal::seal_batch;

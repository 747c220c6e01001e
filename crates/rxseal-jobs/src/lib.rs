#![doc = include_str!("../README.md")]

mod fault;
mod key_text;
#[cfg(feature = "postgres")]
pub mod postgres;
mod progress;
mod row;
mod spec;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod throttle;
mod trouble;

pub use fault::{Fault, FieldFault, Reason};
pub use progress::{Counts, Ended, State, Status};
pub use row::{Cell, Change, ChunkWork, Form, NewCell, Outcome, Row, WorkFuture};
pub use spec::{Column, ColumnRole, Operation, Pinned, Spec};
pub use throttle::{Hours, Limits, Throttle};

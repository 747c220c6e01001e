#![doc = include_str!("../README.md")]

mod act;
mod alarm;
pub mod budget;
mod buffer;
mod chain;
mod checkpoint_folder;
mod clock;
mod copies;
#[cfg(test)]
mod crash_tests;
mod error;
mod event;
mod file_log;
mod logged;
mod note;
mod observer;
#[cfg(feature = "postgres")]
mod postgres;
mod reading;
mod review;
mod rounds;
mod shared;
mod sink;
mod target;
mod tool_run;
#[cfg(feature = "tracing_0_1")]
mod tracing_sink;
pub mod verify;
mod watch;
mod writer;

pub use act::{Act, BegunAct};
pub use alarm::Alarm;
pub use budget::Budgets;
pub use chain::ChainId;
pub use checkpoint_folder::CheckpointFolder;
pub use error::WatchError;
pub use file_log::FileLog;
pub use logged::LoggedEvent;
pub use note::{SignedSums, SigningKey, VerifierKey};
pub use observer::WatchObserver;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresLog, PostgresReader};
pub use reading::{read_events, read_lines};
pub use review::Review;
pub use rounds::Committed;
pub use sink::{Line, Sink};
pub use target::Log;
pub use tool_run::ToolRun;
#[cfg(feature = "tracing_0_1")]
pub use tracing_sink::TracingSink;
pub use watch::{OnFull, Watch, WatchBuilder, When};

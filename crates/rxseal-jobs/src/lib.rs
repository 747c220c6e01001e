#![doc = include_str!("../README.md")]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod approvals;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod end;
mod fault;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod key_text;
mod limits;
mod options;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg_attr(
    not(all(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "each driver uses a part of it")
)]
#[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), expect(unused_imports, reason = "only drivers use it"))]
mod preflight;
mod progress;
mod row;
mod spec;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod throttle;
mod trouble;
mod work;

pub use fault::{Fault, FieldFault, Reason};
pub use limits::{Hours, Limits};
pub use options::{PlanOptions, WorkerOptions};
pub use preflight::{Concern, ConcernKind, Estimate, Preflight, Replica, Steps, Weight};
pub use progress::{ApprovalUse, ChunkDone, Counts, Ended, State, Status};
pub use row::{Cell, Change, ChunkWork, Form, NewCell, Outcome, Row, WorkFuture};
pub use spec::{Column, ColumnRole, Operation, Pinned, Spec};
pub use work::{Approval, DeclaredWork, TableRow, TypedWork};

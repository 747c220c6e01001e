//! What happens to the rows of a chunk in memory: no database, and nothing that waits but a store of subject keys.

mod approval;
mod declared;
mod sealed_cell;
mod token_cell;
mod typed;

pub use approval::Approval;
pub use declared::DeclaredWork;
#[cfg(feature = "sqlite")]
pub(crate) use sealed_cell::Contents;
pub use typed::{TableRow, TypedWork};

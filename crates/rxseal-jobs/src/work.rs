//! What happens to the rows of a chunk in memory: no database, and nothing that waits but a store of subject keys.

mod budget;
mod declared;
mod token_cell;
mod typed;

pub use budget::Budget;
pub use declared::DeclaredWork;
pub use typed::{TableRow, TypedWork};

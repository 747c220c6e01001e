//! What the tests of this package share: types, formats and forms of a field, each compiled once.
//!
//! 150 types by 12 formats by 5 forms would be 9,000 copies of generic code. The erased traits of `erased-serde` stand between: a
//! type meets one serializer, a format meets one type, and the table is run at run time. `tests/erasing.rs` shows that this does
//! not change what a format writes.

pub mod cases;
pub mod erased;
pub mod formats;
pub mod matrix;
pub mod rows;
pub mod table;

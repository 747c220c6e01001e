//! Compiles and runs the lines of docs/RECORDS.md.

#[cfg(doctest)]
#[doc = include_str!("../../docs/RECORDS.md")]
struct Records;

//! Compiles and runs the lines of docs/SEARCH.md.

#[cfg(doctest)]
#[doc = include_str!("../../docs/SEARCH.md")]
struct Search;

//! Compiles and runs the lines of docs/SEARCH.md. T66, T67: what must not compile does not.

#[cfg(doctest)]
#[doc = include_str!("../../docs/SEARCH.md")]
struct Search;

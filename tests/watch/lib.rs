//! Compiles and runs the lines of docs/WATCH.md.

#[cfg(doctest)]
#[doc = include_str!("../../docs/WATCH.md")]
struct Watch;

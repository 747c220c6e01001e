//! The lines of docs/WATCH.md.
#![doc = include_str!("../../docs/WATCH.md")]

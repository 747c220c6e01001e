//! The map of rxseal: reading it, checking it, counting through it.

mod counting;
mod reading;

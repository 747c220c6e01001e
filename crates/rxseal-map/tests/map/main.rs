//! The map of rxseal: reading it, checking it, counting through it.

mod checking;
mod counting;
mod guide;
mod reading;

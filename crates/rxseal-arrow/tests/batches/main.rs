//! Batches of Arrow: what goes in, comes out, and is refused.

mod faults;
mod lake;
mod round_trip;
mod speed;
mod subjects;
mod support;

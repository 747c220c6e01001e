//! Evidence: what raises each red line and each open question, and that no change of a pack is missed.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod changed;
mod codes;
mod open;
mod page;
mod red;
mod support;

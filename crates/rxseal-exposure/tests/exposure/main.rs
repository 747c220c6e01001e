//! Reports: random thefts against an oracle that really opens, bad input, logs, and 2.3 million patients.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]

mod big;
mod cases;
mod clocks;
mod hosts;
mod logs;
mod moved;
mod people;
mod stopped;
mod support;
mod whole;
mod worlds;

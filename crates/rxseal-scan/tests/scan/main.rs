//! Scans: seeded faults, clean data, files in odd encodings, canaries.
#![expect(unreachable_pub, reason = "nothing in a program is reached from outside")]

mod canaries;
mod clean;
mod faults;
mod files;
mod support;

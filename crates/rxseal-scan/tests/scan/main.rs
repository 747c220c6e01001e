//! Scans: seeded faults, clean data, files in odd encodings, canaries.

mod canaries;
mod clean;
mod faults;
mod files;
mod support;

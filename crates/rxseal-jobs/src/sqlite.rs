//! Jobs over tables of SQLite.

mod preflight;

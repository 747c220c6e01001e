//! Jobs over tables of PostgreSQL.

mod preflight;

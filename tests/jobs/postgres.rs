//! Jobs over tables of PostgreSQL.

mod crash;
mod faults;
mod keys_of_tables;
mod limits;
mod operations;
mod speed;

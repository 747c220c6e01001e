//! Jobs over tables of PostgreSQL.

mod approvals;
mod crash;
mod faults;
mod keys_of_tables;
mod limits;
mod operations;
mod speed;
mod typed;

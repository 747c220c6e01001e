//! Jobs over tables of PostgreSQL.

mod approvals;
mod crash;
mod ends;
mod faults;
mod keys_of_tables;
mod limits;
mod operations;
mod pooler;
mod speed;
mod typed;

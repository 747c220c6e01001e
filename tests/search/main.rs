//! Search over databases, and over many random patients.

mod databases;
mod hits;
mod patients;
mod queries;

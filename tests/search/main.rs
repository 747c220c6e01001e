//! Search over databases, and over many random patients.

mod databases;
mod patients;
mod queries;

//! Search over databases, and over many random patients.

mod patients;
mod queries;

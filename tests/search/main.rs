//! Search over databases, and over many random patients.

mod hits;
mod patients;
mod queries;
mod random;

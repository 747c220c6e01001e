//! Search over databases, and over many random patients; normal forms against the Python implementation.

mod normal_forms;
mod patients;
mod queries;

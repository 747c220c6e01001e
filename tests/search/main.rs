//! Search over databases.

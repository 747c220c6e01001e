//! Jobs over tables of PostgreSQL.

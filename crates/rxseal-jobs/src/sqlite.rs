//! Jobs over tables of SQLite.

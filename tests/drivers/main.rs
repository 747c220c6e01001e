//! Columns of tokio-postgres, diesel and sea-orm on PostgreSQL, which `.ci/servers` starts, and on SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod clear_values;
mod diesel_postgres;
mod diesel_sqlite;
mod guide;
mod index_columns;
mod migrating;
mod postgres_columns;
mod resolving;
mod sea_orm_columns;
mod support;

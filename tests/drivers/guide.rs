//! What docs/COLUMNS.md shows for tokio-postgres, diesel and sea-orm, and for the migration of a column. `tests/house/guide.rs` holds the
//! page to it.

mod with_diesel;
mod with_migration;
mod with_sea_orm;
mod with_tokio_postgres;

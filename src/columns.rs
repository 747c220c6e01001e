//! Tokens as columns of SQL databases: the column types of each driver, how long a column must be, and the SQL that lets the database
//! itself refuse plaintext.
//!
//! | you want | use |
//! |---|---|
//! | a column in a row of your program | [`Sealed<T, F>`](crate::Sealed), with the feature of your driver |
//! | to write the token as text and not as bytes | `SealedText<T, F>`, which `sealed.to_text()` makes |
//! | the number in `VARCHAR(..)` | [`ColumnLen`] |
//! | a database that refuses plaintext | [`ColumnSql`], or the command `rxseal ddl` |
//! | a column for the values of an index | [`IndexSql`], or `rxseal ddl --index`; [`IndexValue`](crate::index::IndexValue) is its type in a row |
//! | a column that still has plaintext | [`Migrating<T, F>`](crate::migrating::Migrating) |
//!
//! A driver reads a binary token, or a token's text, which cannot be confused (FORMAT 6.4). Anything else is refused with an error that
//! quotes nothing of it. Reading checks only the form and needs no key, so a token that does not open passes through unchanged.
//! [COLUMNS.md] has what to write for each driver.
//!
//! [COLUMNS.md]: https://github.com/rxseal/rxseal/blob/v0.2.0/docs/COLUMNS.md

#[cfg(any(
    feature = "diesel_2",
    feature = "postgres_types_0_2",
    feature = "rusqlite_0_39",
    feature = "sea_orm_2",
    feature = "sqlx_0_9"
))]
mod cell;
#[cfg(feature = "diesel_2")]
mod diesel_2;
#[cfg(any(
    feature = "diesel_2",
    feature = "postgres_types_0_2",
    feature = "rusqlite_0_39",
    feature = "sea_orm_2",
    feature = "sqlx_0_9"
))]
mod forms;
mod index_sql;
mod len;
#[cfg(feature = "postgres_types_0_2")]
mod postgres_types_0_2;
mod reindex_sql;
#[cfg(feature = "rusqlite_0_39")]
mod rusqlite_0_39;
#[cfg(feature = "sea_orm_2")]
mod sea_orm_2;
mod sql;
#[cfg(feature = "sqlx_0_9")]
mod sqlx_0_9;

#[cfg(any(
    feature = "diesel_2",
    feature = "postgres_types_0_2",
    feature = "rusqlite_0_39",
    feature = "sea_orm_2",
    feature = "sqlx_0_9"
))]
pub use forms::SealedText;
pub use index_sql::IndexSql;
pub use len::ColumnLen;
pub use reindex_sql::{ReindexSql, SwapParameter};
pub use sql::{ColumnSql, DomainSql};

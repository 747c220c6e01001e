//! Tokens as columns of SQL databases. Each driver has a feature with its version in the name.
//!
//! A column is written as a binary token. It is read as a binary token or as a token's text, which cannot be confused
//! (FORMAT 6.4). Anything else is refused with an error that quotes nothing of it. Reading checks only the form and needs no key,
//! so a token that does not open passes through unchanged.

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
#[cfg(feature = "postgres_types_0_2")]
mod postgres_types_0_2;
#[cfg(feature = "rusqlite_0_39")]
mod rusqlite_0_39;
#[cfg(feature = "sea_orm_2")]
mod sea_orm_2;
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

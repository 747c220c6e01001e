//! All of a spec but the keyring.

use serde::Serialize;

use super::column::Column;
use super::operation::Operation;

/// What the digest covers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Body {
    pub(crate) operation: Operation,
    pub(crate) keyspace: String,
    /// As the map writes it.
    pub(crate) at: String,
    pub(crate) table: String,
    pub(crate) record_type: String,
    pub(crate) columns: Vec<Column>,
    /// The column that says of which keyspace a row is, if rows of several are in the table.
    pub(crate) keyspace_column: Option<String>,
    /// All that decides about a token: the classes, types and blocks of the fields.
    pub(crate) schema: serde_json::Value,
}

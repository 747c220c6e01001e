//! Names of tables and columns, as people write them and as statements quote them.

use crate::error::{Error, Reason};

const NAME: Reason = "a name that is not empty, without NUL";
const TABLE: Reason =
    "`table` or `schema.table`; put a name that contains a dot or a double quote in double quotes, and double its own";

/// A table, with or without its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    /// Both in quotes, for a statement.
    pub(crate) quoted: String,
}

impl Table {
    pub(crate) fn parse(table: &str) -> Result<Self, Error> {
        let mut parts = table_parts(table)?;
        let quoted: Result<Vec<_>, _> = parts.iter().map(|part| quoted("table", part)).collect();
        let quoted = quoted?.join(".");
        let name = parts.pop().unwrap_or_default();
        Ok(Self { schema: parts.pop(), name, quoted })
    }

    /// An error for a name that PostgreSQL would cut.
    pub(crate) fn fits_postgres(&self) -> Result<(), Error> {
        fits_postgres("table", &self.name)?;
        self.schema.as_deref().map_or(Ok(()), |schema| fits_postgres("table", schema))
    }

    /// A name in the same schema, in quotes.
    pub(crate) fn beside(&self, name: &str) -> Result<String, Error> {
        let name = quoted("name", name)?;
        self.schema.as_deref().map_or(Ok(name.clone()), |schema| Ok(format!("{}.{name}", quoted("table", schema)?)))
    }
}

pub(crate) fn quoted(what: Reason, name: &str) -> Result<String, Error> {
    if name.is_empty() || name.contains('\0') {
        return Err(Error::invalid_id(what, NAME));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// NAMEDATALEN - 1: PostgreSQL cuts a longer name, which is then another one.
const MAX_POSTGRES_NAME: usize = 63;

pub(crate) fn fits_postgres(what: Reason, name: &str) -> Result<(), Error> {
    if name.len() > MAX_POSTGRES_NAME { Err(Error::invalid_id(what, "at most 63 bytes")) } else { Ok(()) }
}

/// One or two names, without quotes.
fn table_parts(table: &str) -> Result<Vec<String>, Error> {
    let invalid = || Error::invalid_id("table", TABLE);
    let mut parts = Vec::new();
    let mut rest = table;
    loop {
        let (part, behind) = match rest.strip_prefix('"') {
            Some(inner) => quoted_part(inner).ok_or_else(invalid)?,
            None => {
                let (part, behind) = rest.split_at_checked(rest.find('.').unwrap_or(rest.len())).ok_or_else(invalid)?;
                if part.contains('"') {
                    return Err(invalid());
                }
                (part.to_owned(), behind)
            }
        };
        parts.push(part);
        match behind.strip_prefix('.') {
            Some(next) if parts.len() < 2 => rest = next,
            None if behind.is_empty() => return Ok(parts),
            _ => return Err(invalid()),
        }
    }
}

/// The text up to the closing quote, and the text behind it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('"')?;
        part.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, behind)),
        }
    }
}

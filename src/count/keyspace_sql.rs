//! The statements that count the rows of each keyspace, of a table whose rows say in which one they are.

use super::sql::CountSql;
use super::table::{Table, fits_postgres, quoted};
use crate::error::Error;

impl CountSql {
    /// What the statements of keyspaces yield in place of a name. It cannot be a name, since it has a space.
    pub const NO_KEYSPACE: &'static str = "no keyspace";

    /// The statement that counts the rows of each keyspace by the column that says it, for PostgreSQL from 12 on.
    ///
    /// It yields rows of `keyspace` and `row_count`. [`no keyspace`](Self::NO_KEYSPACE) are the rows whose column is NULL or has what no
    /// keyspace can be called, such as an empty text. No keyring is of these rows, so no job reseals them.
    ///
    /// ```
    /// use rxseal::count::CountSql;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// println!("{}", CountSql::keyspaces_postgres("public.rx", "tenant")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`postgres`](Self::postgres).
    pub fn keyspaces_postgres(table: &str, column: &str) -> Result<Self, Error> {
        fits_postgres("column", column)?;
        let name = Table::parse(table)?;
        name.fits_postgres()?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        // FORMAT 1.3, byte by byte whatever the column's collation is.
        let sql = format!(
            "\
SELECT CASE WHEN named ~ '^[a-z0-9][a-z0-9._-]{{0,63}}$' THEN named ELSE '{}' END AS keyspace, count(*) AS row_count
FROM (SELECT v.{column}::text COLLATE \"C\" FROM {table} AS v) AS of_row (named) GROUP BY 1 ORDER BY 1",
            Self::NO_KEYSPACE
        );
        Ok(Self::of(sql, name))
    }

    /// The same for SQLite from 3.38 on. A number is the text of its digits.
    ///
    /// # Errors
    ///
    /// As for [`sqlite`](Self::sqlite).
    pub fn keyspaces_sqlite(table: &str, column: &str) -> Result<Self, Error> {
        let name = Table::parse(table)?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        // GLOB compares byte by byte. It and `length` see a text up to its first NUL, so its bytes are counted too.
        let sql = format!(
            "\
SELECT CASE WHEN named GLOB '[a-z0-9]*' AND named NOT GLOB '*[^a-z0-9._-]*' AND length(named) <= 64
        AND length(CAST(named AS BLOB)) = length(named) * length(CAST('x' AS BLOB))
    THEN named ELSE '{}' END AS keyspace, count(*) AS row_count
FROM (SELECT CAST(v.{column} AS TEXT) COLLATE BINARY AS named FROM {table} AS v) GROUP BY 1 ORDER BY 1",
            Self::NO_KEYSPACE
        );
        Ok(Self::of(sql, name))
    }
}

#[cfg(test)]
mod tests {
    use super::CountSql;
    use crate::id::Name;

    /// Both statements have the rule of FORMAT 1.3 as text.
    #[test]
    fn what_stands_for_no_keyspace_is_no_name() {
        assert!(Name::check("keyspace", CountSql::NO_KEYSPACE).is_err());
        for (name, is_name) in [("a", true), ("9._-", true), (".a", false), ("A", false), ("", false)] {
            assert_eq!(Name::check("keyspace", name).is_ok(), is_name, "{name}");
        }
        let longest = "a".repeat(64);
        assert!(Name::check("keyspace", &longest).is_ok() && Name::check("keyspace", &format!("{longest}a")).is_err());
    }
}

//! The statements that count index values by prefix.

use super::sql::{ALPHABET, CountSql, NO_VALUE, NOT_AN_INDEX_VALUE, spelled};
use super::table::{Table, fits_postgres, quoted};
use crate::error::Error;

/// The lengths of index values in text (FORMAT 15.5): of 4 to 11 bytes, and of 19.
const TEXT_LENGTHS: &str = "6, 7, 8, 10, 11, 12, 14, 15, 26";

impl CountSql {
    /// The statement that counts the index values of a column by prefix, for PostgreSQL from 12 on. The column may be of bytes or text, or
    /// of arrays of them.
    ///
    /// It yields rows of `prefix` and `index_values`, which [`IndexCounts::add_row`](super::IndexCounts::add_row) takes. `prefix` is the 4
    /// characters that a value's text begins with, or `no value`, or `not an index value`. Run `SET row_security = off` first: hidden rows are
    /// then an error instead of a smaller number.
    ///
    /// ```
    /// use rxseal::count::CountSql;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// println!("{}", CountSql::index_postgres("pharmacy.patient", "born_ix")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`postgres`](Self::postgres).
    pub fn index_postgres(table: &str, column: &str) -> Result<Self, Error> {
        fits_postgres("column", column)?;
        let name = Table::parse(table)?;
        name.fits_postgres()?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        // - One statement for all types: an array is one of JSON, and bytes are converted to text and back.
        // - coalesce with a bare NULL: the type of a domain's value becomes that of its base.
        let sql = format!(
            "\
SELECT prefix, count(*) AS index_values FROM (
    SELECT to_jsonb(c) AS j, pg_typeof(c) IN ('bytea'::regtype, 'bytea[]'::regtype) AS is_bytes
    FROM (SELECT coalesce(v.{column}, NULL) FROM {table} AS v) AS valued (c)
) AS single CROSS JOIN LATERAL (
    SELECT '{NO_VALUE}' WHERE j IS NULL OR j IN ('null'::jsonb, '[]'::jsonb)
    UNION ALL
    SELECT CASE
        WHEN jsonb_typeof(e) <> 'string' THEN '{NOT_AN_INDEX_VALUE}'
        WHEN is_bytes THEN CASE
            WHEN octet_length((e #>> '{{}}')::bytea) BETWEEN 4 AND 11 OR octet_length((e #>> '{{}}')::bytea) = 19
                THEN translate(encode(substr((e #>> '{{}}')::bytea, 1, 3), 'base64'), '+/', '-_')
            ELSE '{NOT_AN_INDEX_VALUE}' END
        WHEN octet_length(e #>> '{{}}') IN ({TEXT_LENGTHS})
            AND (e #>> '{{}}') COLLATE \"C\" ~ '^(?:[A-Za-z0-9_-]{{4}})+(?:[A-Za-z0-9_-](?:[AQgw]|[A-Za-z0-9_-][AEIMQUYcgkosw048]))?$'
            THEN left(e #>> '{{}}', 4)
        ELSE '{NOT_AN_INDEX_VALUE}' END
    FROM jsonb_array_elements(CASE
        WHEN jsonb_typeof(j) = 'array' THEN j WHEN j = 'null'::jsonb THEN NULL ELSE jsonb_build_array(j)
    END) AS elements (e) WHERE j IS NOT NULL
) AS values_of (prefix) GROUP BY prefix ORDER BY prefix COLLATE \"C\""
        );
        Ok(Self::of(sql, name))
    }

    /// The same for SQLite from 3.38 on. The column may be of bytes or text, or have texts in an array of JSON.
    ///
    /// # Errors
    ///
    /// As for [`sqlite`](Self::sqlite).
    pub fn index_sqlite(table: &str, column: &str) -> Result<Self, Error> {
        let name = Table::parse(table)?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        let characters = spelled(2);
        // As in the statement that counts tokens: a column is named with its table, GLOB compares byte by byte, and a text with a NUL has
        // another length in bytes.
        let sql = format!(
            "\
WITH rxseal_valued AS (
    SELECT v.{column} AS d FROM {table} AS v
), rxseal_single AS (
    SELECT CASE WHEN t.key IS NOT NULL THEN t.value WHEN typeof(d) = 'text' AND d = '[]' THEN NULL ELSE d END AS c, t.key IS NOT NULL AS e
    FROM rxseal_valued LEFT JOIN json_each(CASE WHEN typeof(d) = 'text' AND d GLOB '[[]*' AND json_valid(d) THEN d END) AS t
), rxseal_counted AS (
    SELECT
        CASE
            WHEN c IS NULL AND NOT e THEN '{NO_VALUE}'
            WHEN typeof(c) = 'blob' AND (length(c) BETWEEN 4 AND 11 OR length(c) = 19) THEN hex(substr(c, 1, 3))
            WHEN typeof(c) = 'text' AND c NOT GLOB '*[^A-Za-z0-9_-]*'
                AND length(CAST(c AS BLOB)) = length(c) * length(CAST('x' AS BLOB))
                AND length(c) IN ({TEXT_LENGTHS})
                AND (length(c) % 4 = 0
                  OR length(c) % 4 = 2 AND c GLOB '*[AQgw]'
                  OR length(c) % 4 = 3 AND c GLOB '*[AEIMQUYcgkosw048]')
                THEN substr(c, 1, 4)
            ELSE '{NOT_AN_INDEX_VALUE}'
        END AS k,
        count(*) AS n
    FROM rxseal_single GROUP BY 1
), rxseal_spelled AS (
    SELECT k AS h, n, '{ALPHABET}' AS a FROM rxseal_counted
)
SELECT
    -- 3 bytes, here as 6 hex digits, are shown as the text of a value shows them.
    CASE WHEN length(h) = 6 THEN {characters} ELSE h END AS prefix, sum(n) AS index_values
FROM rxseal_spelled GROUP BY 1 ORDER BY 1"
        );
        Ok(Self::of(sql, name))
    }
}

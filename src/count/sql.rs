//! The SQL statements that count. A program runs them, or a person reads them.

use std::collections::BTreeSet;
use std::fmt;

use super::find::{ESCAPED, LONG, NO_WORD, TAG_END, WRAPPED_REST};
use super::table::{Table, fits_postgres, quoted};
use crate::aead::{Letter, TAG_LEN};
use crate::codec::text::encoded_len;
use crate::error::Error;
use crate::field::{MAX_BLOCK, MAX_CONTENT};
use crate::token::{
    FIRST_BYTE, HEADER_LEN, RECORD_TAG_LEN, RECORD_TAG_MAGIC, RECORD_TAG_TEXT_LEN, RECORD_TAG_TEXT_MAGIC,
    WRAPPED_KEY_TEXT_MAGIC,
};

/// The result in place of a key id.
pub(super) const NULL: &str = "null";
pub(super) const NOT_A_TOKEN: &str = "not a token";
/// It begins as one. Not 12 characters, which would be the hex digits of a key id.
pub(super) const LIKE_A_TOKEN: &str = "looks like a token";
/// Of a value that is not one token as a whole, whatever else is said of it.
pub(super) const NOT_SEALED: &str = "not one token as a whole";
/// The result in place of a prefix. Neither could be one, which has 4 characters.
pub(super) const NO_VALUE: &str = "no value";
pub(super) const NOT_AN_INDEX_VALUE: &str = "not an index value";
/// The text before a key id that is in the letters of another token.
pub(super) const JOINED: &str = "joined:";

/// The characters of base64url, in order.
pub(super) const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The statement that counts the tokens of a column by key, or the index values of a column by prefix: one pass over the table, and
/// nothing is written.
///
/// That of tokens yields rows of `key_id` and `tokens`. `key_id` is a key's id as 8 characters, or `null` for the rows without a value, or
/// `looks like a token` for what begins as one and was cut off or changed, or `not a token` for everything else: plaintext that was left behind,
/// numbers. Beside these, `not one token as a whole` is the number of values that are anything but one token: see
/// [`KeyCounts::not_sealed`](crate::count::KeyCounts::not_sealed). A token is what [`Token`](crate::Token) accepts: the text form in a text
/// column, the bytes in a binary one. A record tag ([`RecordTag`](crate::RecordTag)) counts as a token.
///
/// In a text that contains text tokens, such as a JSON document, each of them counts. Tokens inside a longer binary value (CBOR,
/// bincode, a text stored as bytes) are not seen: that value is `not a token`. `joined:` with a key's id means that the letters or
/// bytes of one token may contain a further one: see [`KeyCounts::joined`](crate::count::KeyCounts::joined).
///
/// Give a table as `table` or `schema.table`. Put a name that contains a dot or a quote in double quotes. Names are case-sensitive.
///
/// ```
/// use rxseal::count::CountSql;
/// # fn main() -> Result<(), rxseal::Error> {
/// let sql = CountSql::postgres("pharmacy.rx", "drug")?;
/// println!("{sql}");
/// assert!(sql.as_str().contains(r#"FROM "pharmacy"."rx" AS v"#));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountSql {
    sql: String,
    table: Table,
}

impl CountSql {
    /// The statement that reads every value of a column of SQLite and counts nothing, for a program that passes each value to
    /// [`KeyCounts`](crate::count::KeyCounts) itself. Its time does not grow with the square of a value's length.
    ///
    /// # Errors
    ///
    /// As for [`sqlite`](Self::sqlite).
    pub fn sqlite_values(table: &str, column: &str) -> Result<Self, Error> {
        let table = Table::parse(table)?;
        // A column is named with its table: SQLite reads a quoted name that is not a column as a text.
        let sql = format!("SELECT v.{} FROM {} AS v", quoted("column", column)?, table.quoted);
        Ok(Self::of(sql, table))
    }

    /// For SQLite from 3.38 on. A column may mix text and binary values. The time for one document grows with the square of its length,
    /// so for documents of more than some 10 kB use `count_sqlite`.
    ///
    /// # Errors
    ///
    /// `invalid-id`: a name is empty or contains a NUL, or the table's is not `table` or `schema.table`.
    pub fn sqlite(table: &str, column: &str) -> Result<Self, Error> {
        let name = Table::parse(table)?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        let characters = spelled(4);
        let letters = letters();
        let magics = magics(hex);
        let ends = magic_ends(hex);
        let start = hex(&[FIRST_BYTE]);
        let (is_binary, is_text) = (is_sqlite_binary(), is_sqlite_text());
        // Where a token or a record tag begins.
        let begins = |text: &str| format!("({text} GLOB 'rxs[{letters}]*' OR {text} GLOB '{RECORD_TAG_TEXT_MAGIC}*')");
        let (c_begins, d_begins, s_begins) = (begins("c"), begins("d"), begins("s"));
        let found = found_in_sqlite(&d_begins, &s_begins);
        // - A column is named with its table: SQLite reads a quoted name that is not a column as a text.
        // - GLOB and function results compare byte by byte, whatever the column's collation.
        // - `length` of a text ends at a NUL, so it is compared with the length in bytes, in units of the database's
        //   encoding.
        // - `ltrim` removes a run of the alphabet, for which SQLite has no pattern. Most values are one run and are not
        //   searched.
        // - Only `json_each` makes several rows of one value. The first character of each says what was found: `=` a
        //   run, `+` a key in the letters of another token, `*` the value itself, `!` something that was changed, `#` a
        //   value that is more than what was found in it.
        let sql = format!(
            "\
WITH rxseal_valued AS (
    SELECT v.{column} AS d FROM {table} AS v
), rxseal_single AS (
    -- Each text token in a longer text, up to the first character that none has; every other value as it is.
    SELECT coalesce(substr(t.value, 1, 1), '*') AS f,
        CASE WHEN substr(t.value, 1, 1) IN ('=', '+') THEN substr(t.value, 2) ELSE d END AS c, d
    FROM rxseal_valued LEFT JOIN json_each(CASE
        WHEN typeof(d) = 'text' AND instr(d, 'rx') > 0 AND instr(d, char(0)) = 0
            AND (NOT {d_begins} OR d GLOB '*[^A-Za-z0-9_-]*' OR instr(substr(d, 5), 'rx') > 0
              OR instr(d, 'RX') > 0) THEN (
{found}
        )
        WHEN typeof(d) = 'blob' AND hex(substr(d, 1, 3)) IN ({magics}) AND instr(substr(d, 2), x'{start}') > 0 THEN (
            WITH RECURSIVE found (s, n) AS (
                SELECT substr(d, 2), 0
                UNION ALL
                SELECT substr(s, instr(s, x'{start}') + 1), 1 FROM found WHERE instr(s, x'{start}') > 0
            )
            SELECT json_group_array(i) FROM (
                SELECT '*' AS i
                UNION ALL
                SELECT '+' || hex(substr(s, 3, 6)) FROM found
                WHERE n = 1 AND hex(substr(s, 1, 2)) IN ({ends}) AND length(s) >= 8
            )
        )
    END) AS t
), rxseal_counted AS MATERIALIZED (
    SELECT
        CASE
            WHEN f = '#' THEN f
            WHEN f = '+' THEN c
            WHEN f = '!' THEN '{NOT_A_TOKEN}'
            WHEN c IS NULL THEN '{NULL}'
            WHEN typeof(c) = 'blob' THEN CASE
                WHEN {is_binary}
                THEN hex(substr(c, 4, 6))
                WHEN hex(substr(c, 1, 3)) IN ({magics}) THEN '{LIKE_A_TOKEN}' ELSE '{NOT_A_TOKEN}' END
            WHEN typeof(c) = 'text' AND c NOT GLOB '*[^A-Za-z0-9_-]*'
                AND length(CAST(c AS BLOB)) = length(c) * length(CAST('x' AS BLOB))
                AND ({is_text})
                AND (length(c) % 4 = 0
                  OR length(c) % 4 = 2 AND c GLOB '*[AQgw]'
                  OR length(c) % 4 = 3 AND c GLOB '*[AEIMQUYcgkosw048]')
                THEN substr(c, 5, 8)
            WHEN typeof(c) = 'text' AND {c_begins} AND instr(c, char(0)) = 0 THEN '{LIKE_A_TOKEN}'
            ELSE '{NOT_A_TOKEN}'
        END AS k,
        f = '+' AS j,
        -- Whether it says of a whole value what that is.
        f IN ('*', '#') OR f = '=' AND length(c) = length(d) AS w,
        count(*) AS n
    FROM rxseal_single GROUP BY 1, 2, 3
), rxseal_spelled AS (
    SELECT k AS h, j, n, '{ALPHABET}' AS a FROM rxseal_counted WHERE k <> '#'
    UNION ALL
    -- What is no id of a key.
    SELECT '{NOT_SEALED}', 0, n, '{ALPHABET}' FROM rxseal_counted WHERE w AND k <> '{NULL}' AND length(k) NOT IN (8, 12)
)
SELECT
    -- The 6 bytes of an id, here as 12 hex digits, are shown as text tokens show them.
    CASE WHEN j THEN '{JOINED}' ELSE '' END || CASE WHEN length(h) <> 12 THEN h ELSE
        {characters}
    END AS key_id,
    sum(n) AS tokens
FROM rxseal_spelled GROUP BY 1 ORDER BY 1"
        );
        Ok(Self::of(sql, name))
    }

    /// For PostgreSQL from 12 on. A column of type `bytea` has binary tokens; of every other type (`text`, `varchar`, `jsonb`)
    /// the text is read. Of an array, each element is a value, and an empty array has no value. Run `SET row_security = off` first: hidden rows are
    /// then an error instead of a smaller number. `SET jit = off` saves about a second, in which PostgreSQL would compile the statement.
    ///
    /// # Errors
    ///
    /// The same as [`sqlite`](Self::sqlite), and `invalid-id` if a name has more than 63 bytes, which PostgreSQL would
    /// cut off.
    pub fn postgres(table: &str, column: &str) -> Result<Self, Error> {
        fits_postgres("column", column)?;
        let name = Table::parse(table)?;
        name.fits_postgres()?;
        let (table, column) = (&name.quoted, quoted("column", column)?);
        let (letters, capitals) = (letters(), capitals());
        let bytea = |bytes: &[u8]| format!("\\x{}", hex(bytes).to_ascii_lowercase());
        let magics = magics(bytea);
        let ends = magic_ends(bytea);
        let end_letters = list(&Letter::ALL, |letter| format!("s{}", characters_of(&[letter])));
        let start = bytea(&[FIRST_BYTE]);
        let tag = bytea(&RECORD_TAG_MAGIC);
        let is_binary = any_letter(|of_length, nonce| {
            let magics = list(of_length, |letter| bytea(&letter.magic()));
            format!("substr(b, 1, 3) IN ({magics}) AND octet_length(b) {}", between(binary_lengths(nonce)))
        });
        let is_binary = format!(
            "{is_binary}\n                  OR substr(b, 1, 3) = '{tag}' AND octet_length(b) = {RECORD_TAG_LEN}"
        );
        let (is_text, is_whole) = (is_postgres_text("t[1]"), is_postgres_text("s"));
        let escaped = ESCAPED.map(|escaped| format!("position('{escaped}' IN s) > 0")).join(" OR ");
        // Where a token or a record tag begins.
        let begin = format!("(?:rxs[{letters}]|{RECORD_TAG_TEXT_MAGIC})");
        // - One statement for all types: bytes are converted to text and back.
        // - COLLATE "C": byte by byte, whatever the column's collation.
        // - An array's text is that of an array of texts, whatever its elements are.
        // - coalesce with a bare NULL: the type of a domain's value becomes that of its base.
        // - OFFSET 0: a value is read once, and not once for each use.
        // - PostgreSQL passes `seen IS NULL` on to each part of the union, and begins none of them for what was quickly seen.
        let sql = format!(
            "\
SELECT key_id, count(*) AS tokens FROM (
    -- What is quickly seen of most texts: that no token is in them, or the key of the one token that they are.
    SELECT s, b, is_bytes, CASE
        WHEN is_bytes THEN NULL
        WHEN position('rx' IN s) = 0 THEN '{NOT_A_TOKEN}'
        WHEN position('rx' IN substr(s, 5)) = 0 AND position('RX' IN s) = 0
             AND {is_whole}
        THEN substr(s, 5, 8) END AS seen
    FROM (
        SELECT s, CASE WHEN is_bytes THEN s::bytea END AS b, is_bytes
        FROM (SELECT coalesce(v.{column}, NULL) FROM {table} AS v) AS valued (c) CROSS JOIN LATERAL (
            SELECT pg_typeof(c)::text LIKE '%[]', pg_typeof(c) IN ('bytea'::regtype, 'bytea[]'::regtype)
        ) AS typed (is_list, is_bytes) CROSS JOIN LATERAL (
            SELECT CASE WHEN NOT is_list THEN c::text COLLATE \"C\" END WHERE NOT is_list OR c::text = '{{}}' OR c IS NULL
            UNION ALL
            -- Each element of an array is a value.
            SELECT e COLLATE \"C\" FROM unnest(CASE WHEN is_list THEN c::text::text[] END) AS listed (e)
        ) AS element (s) OFFSET 0
    ) AS read OFFSET 0
) AS single CROSS JOIN LATERAL (
    SELECT seen WHERE seen IS NOT NULL
    UNION ALL
    SELECT '{NOT_SEALED}' WHERE seen = '{NOT_A_TOKEN}'
    UNION ALL
    SELECT other.key_id FROM (
        SELECT '{NULL}' WHERE s IS NULL
        UNION ALL
        SELECT '{NOT_SEALED}' WHERE s IS NOT NULL AND NOT (CASE WHEN is_bytes THEN {is_binary} ELSE {is_whole} END)
        UNION ALL
        SELECT CASE
            WHEN {is_binary}
                THEN translate(encode(substr(b, 4, 6), 'base64'), '+/', '-_')
            WHEN substr(b, 1, 3) IN ({magics}) THEN '{LIKE_A_TOKEN}'
            ELSE '{NOT_A_TOKEN}' END
        WHERE b IS NOT NULL
        UNION ALL
        -- What may be a token in the bytes of another one: behind each of its first two bytes.
        (WITH RECURSIVE found (r, n) AS (
            SELECT substr(b, 2), 0 WHERE substr(b, 1, 3) IN ({magics})
            UNION ALL
            SELECT substr(r, position('{start}'::bytea IN r) + 1), 1 FROM found WHERE position('{start}'::bytea IN r) > 0
        )
        SELECT '{JOINED}' || translate(encode(substr(r, 3, 6), 'base64'), '+/', '-_') FROM found
        WHERE n = 1 AND substr(r, 1, 2) IN ({ends}) AND octet_length(r) >= 8)
        UNION ALL
        -- Each text token in a text, up to the first character that none has.
        SELECT of_run.key_id
        FROM regexp_matches(CASE WHEN NOT is_bytes THEN s END, '{begin}[A-Za-z0-9_-]*', 'g') AS runs (t) CROSS JOIN LATERAL (
            SELECT CASE
                WHEN {is_text}
                    THEN substr(t[1], 5, 8)
                ELSE '{LIKE_A_TOKEN}' END
            UNION ALL
            -- What may be a token in the letters of another one: behind each `rx`.
            (WITH RECURSIVE found (r, n) AS (
                SELECT substr(t[1], 5), 0
                UNION ALL
                SELECT substr(r, position('rx' IN r) + 2), 1 FROM found WHERE position('rx' IN r) > 0
            )
            SELECT '{JOINED}' || substr(r, 3, 8) FROM found
            WHERE n = 1 AND left(r, 2) IN ({end_letters}, 'r{TAG_END}') AND length(r) >= 10)
        ) AS of_run (key_id)
        UNION ALL
        -- No token, or one that was changed.
        SELECT '{NOT_A_TOKEN}' WHERE NOT is_bytes AND (s !~ '{begin}' OR {escaped}
            OR s ~ 'RX(?:S[{capitals}]|RS)[A-Z0-9_-]{{{LONG}}}'
            OR s ~ '(?:^|[^A-Za-z0-9_-]){WRAPPED_KEY_TEXT_MAGIC}[A-Za-z0-9_-]{{{WRAPPED_REST}}}'
            OR position(chr(10) IN s) > 0 AND replace(replace(s, chr(13), ''), '=' || chr(10), chr(10))
                ~ '(?:(?:r\\nxs|rx\\ns|rxs\\n)[{letters}]|(?:r\\nxr|rx\\nr|rxr\\n){TAG_END})[A-Za-z0-9_-]{{{NO_WORD}}}')
    ) AS other (key_id) WHERE seen IS NULL
) AS tokens_of (key_id) GROUP BY key_id ORDER BY key_id"
        );
        Ok(Self::of(sql, name))
    }

    /// The statement that reads every value of a column of PostgreSQL as text and counts nothing, for a program that looks into JSON
    /// documents itself.
    ///
    /// # Errors
    ///
    /// As for [`postgres`](Self::postgres).
    pub fn postgres_values(table: &str, column: &str) -> Result<Self, Error> {
        fits_postgres("column", column)?;
        let table = Table::parse(table)?;
        table.fits_postgres()?;
        let sql = format!("SELECT v.{}::text FROM {} AS v", quoted("column", column)?, table.quoted);
        Ok(Self::of(sql, table))
    }

    pub(super) fn of(sql: String, table: Table) -> Self {
        Self { sql, table }
    }

    /// The statement.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.sql
    }

    /// The table's schema without quotes, if one was given.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.table.schema.as_deref()
    }

    /// The table's name, without its schema and without quotes.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table.name
    }

    /// The table with its schema, as in a statement: each in double quotes.
    #[must_use]
    pub fn quoted_table(&self) -> &str {
        &self.table.quoted
    }
}

impl fmt::Display for CountSql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

/// The base64url of bytes that are hex digits in `h`, in groups of three digits, which are two characters. `a` is the alphabet.
pub(super) fn spelled(groups: usize) -> String {
    let digit = |at: usize| format!("instr('123456789ABCDEF', substr(h, {at}, 1))");
    let characters = (0..groups).map(|group| group.saturating_mul(3)).map(|at| {
        let [a, b, c] = [1, 2, 3].map(|step| digit(at.saturating_add(step)));
        format!("substr(a, 1 + {a} * 4 + {b} / 4, 1) || substr(a, 1 + {b} % 4 * 16 + {c}, 1)")
    });
    characters.collect::<Vec<_>>().join("\n        || ")
}

/// Whether `c` is a token or a record tag as bytes.
fn is_sqlite_binary() -> String {
    let tokens = any_letter(|of_length, nonce| {
        let magics = list(of_length, |letter| hex(&letter.magic()));
        format!("hex(substr(c, 1, 3)) IN ({magics}) AND length(c) {}", between(binary_lengths(nonce)))
    });
    let tag = hex(&RECORD_TAG_MAGIC);
    format!("{tokens}\n                  OR hex(substr(c, 1, 3)) = '{tag}' AND length(c) = {RECORD_TAG_LEN}")
}

/// Whether `c` begins as one of them does as text, and is as long.
fn is_sqlite_text() -> String {
    let tokens = any_letter(|of_length, nonce| {
        format!("c GLOB 'rxs[{}]*' AND length(c) {}", characters_of(of_length), between(text_lengths(nonce)))
    });
    format!("{tokens}\n                  OR c GLOB '{RECORD_TAG_TEXT_MAGIC}*' AND length(c) = {RECORD_TAG_TEXT_LEN}")
}

/// Whether a text is a token or a record tag, from its first letter to its last.
fn is_postgres_text(text: &str) -> String {
    let tokens = any_letter(|of_length, nonce| {
        let magics = list(of_length, |letter| format!("rxs{}", characters_of(&[letter])));
        format!("left({text}, 4) IN ({magics}) AND octet_length({text}) {}", between(text_lengths(nonce)))
    });
    format!(
        "({tokens}
                  OR left({text}, 4) = '{RECORD_TAG_TEXT_MAGIC}' AND octet_length({text}) = {RECORD_TAG_TEXT_LEN})
             AND {text} ~ '^(?:[A-Za-z0-9_-]{{4}})+(?:[A-Za-z0-9_-](?:[AQgw]|[A-Za-z0-9_-][AEIMQUYcgkosw048]))?$'"
    )
}

/// All that is found in a text `d`, as one JSON array: what each of them is, and its letters.
fn found_in_sqlite(d_begins: &str, s_begins: &str) -> String {
    let changed = changed_in_sqlite();
    format!(
        "\
            -- From each `rx` on, with how much is left of the run that it is in.
            WITH RECURSIVE found (s, open) AS (
                SELECT '  ' || d, 0
                UNION ALL
                SELECT substr(s, 2 + instr(substr(s, 3), 'rx')), max(0, CASE
                        WHEN open > 0 THEN open
                        WHEN {s_begins} THEN length(s) - length(ltrim(s, '{ALPHABET}'))
                        ELSE 0
                    END - instr(substr(s, 3), 'rx') - 1)
                FROM found WHERE instr(substr(s, 3), 'rx') > 0
            ), item AS (
                SELECT '=' || substr(s, 1, length(s) - length(ltrim(s, '{ALPHABET}'))) AS i
                FROM found WHERE {s_begins} AND open = 0
                UNION ALL
                SELECT '+' || substr(s, 5, 8) FROM found WHERE {s_begins} AND open >= 12
                UNION ALL
                SELECT '!' FROM (
                    SELECT CASE WHEN instr(d, char(10)) > 0
                        THEN replace(replace(d, char(13), ''), '=' || char(10), char(10)) END AS b
                ) WHERE {changed}
            )
            SELECT json_group_array(i) FROM (
                SELECT i FROM item
                UNION ALL
                SELECT '#' WHERE EXISTS (SELECT 1 FROM item) AND (NOT {d_begins} OR d GLOB '*[^A-Za-z0-9_-]*')
            )"
    )
}

/// Whether a text `d`, or `b` with its line ends removed, contains a former token or wrapped key that somebody changed.
fn changed_in_sqlite() -> String {
    let (letters, capitals) = (letters(), capitals());
    let escaped = ESCAPED.map(|escaped| format!("instr(d, '{escaped}') > 0")).join(" OR ");
    let upper = "[A-Z0-9_-]".repeat(LONG);
    let [no_word, rest] = [NO_WORD, WRAPPED_REST].map(|times| "[A-Za-z0-9_-]".repeat(times));
    let broken = |end: &str| {
        let begins = [
            format!("'*r' || char(10) || 'x{end}"),
            format!("'*rx' || char(10) || '{end}"),
            format!("'*rx{end}' || char(10) || '"),
        ];
        let last = if end == "s" { &*letters } else { TAG_END };
        begins.map(|begin| format!("b GLOB {begin}[{last}]{no_word}*'")).join(" OR ")
    };
    let (broken, broken_tag) = (broken("s"), broken("r"));
    format!(
        "\
{escaped}
                    OR instr(d, 'RX') > 0 AND (d GLOB '*RXS[{capitals}]{upper}*' OR d GLOB '*RXRS{upper}*')
                    OR instr(d, '{WRAPPED_KEY_TEXT_MAGIC}') > 0 AND ' ' || d GLOB '*[^A-Za-z0-9_-]{WRAPPED_KEY_TEXT_MAGIC}{rest}*'
                    OR {broken}
                    OR {broken_tag}"
    )
}

/// All letters, as in the class of a pattern.
fn letters() -> String {
    characters_of(&Letter::ALL)
}

/// The letters in a text whose case was changed.
fn capitals() -> String {
    let capitals: BTreeSet<_> = letters().chars().map(|letter| letter.to_ascii_uppercase()).collect();
    capitals.into_iter().collect()
}

fn characters_of(letters: &[Letter]) -> String {
    letters.iter().map(|letter| char::from(letter.as_byte())).collect()
}

/// How a token and a record tag begin, as bytes.
fn magics(spell: impl Fn(&[u8]) -> String) -> String {
    format!("{}, '{}'", list(&Letter::ALL, |letter| spell(&letter.magic())), spell(&RECORD_TAG_MAGIC))
}

/// The same without the first byte, which all of them have.
fn magic_ends(spell: impl Fn(&[u8]) -> String) -> String {
    let end = |[_, end @ ..]: [u8; 3]| spell(&end);
    format!("{}, '{}'", list(&Letter::ALL, |letter| end(letter.magic())), end(RECORD_TAG_MAGIC))
}

/// `condition` for the letters with each length of nonce. One of them must hold.
fn any_letter(condition: impl Fn(&[Letter], usize) -> String) -> String {
    let lengths: BTreeSet<_> = Letter::ALL.iter().map(|letter| letter.nonce_len()).collect();
    let conditions = lengths.into_iter().map(|nonce| {
        let of_length: Vec<_> = Letter::ALL.into_iter().filter(|letter| letter.nonce_len() == nonce).collect();
        condition(&of_length, nonce)
    });
    conditions.collect::<Vec<_>>().join("\n                  OR ")
}

/// `'a', 'b'`.
fn list(letters: &[Letter], spell: impl Fn(Letter) -> String) -> String {
    letters.iter().map(|letter| format!("'{}'", spell(*letter))).collect::<Vec<_>>().join(", ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"))
}

fn between((shortest, longest): (usize, usize)) -> String {
    format!("BETWEEN {shortest} AND {longest}")
}

/// FORMAT 6.3: from the shortest to the longest token with this many nonce bytes.
fn binary_lengths(nonce: usize) -> (usize, usize) {
    let around = HEADER_LEN.saturating_add(nonce).saturating_add(TAG_LEN);
    (around.saturating_add(2), around.saturating_add(MAX_CONTENT).saturating_add(MAX_BLOCK))
}

fn text_lengths(nonce: usize) -> (usize, usize) {
    let (shortest, longest) = binary_lengths(nonce);
    (encoded_len(shortest), encoded_len(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for (table, quoted) in [
            ("rx", r#""rx""#),
            ("Pharmacy.Rx", r#""Pharmacy"."Rx""#),
            (r#""a.b".c"#, r#""a.b"."c""#),
            (r#""a""b""#, r#""a""b""#),
            ("rx; DROP TABLE rx", r#""rx; DROP TABLE rx""#),
            ("rx'--", r#""rx'--""#),
        ] {
            assert_eq!(Table::parse(table).unwrap().quoted, quoted, "{table}");
        }
        for table in ["", ".", "a.", ".a", "a.b.c", r#"a"b"#, r#""a"#, r#""a"b"#, r#""""#, "a\0", r#"rx" AS v; --"#] {
            assert_eq!(CountSql::sqlite(table, "c").unwrap_err().code().as_str(), "invalid-id", "{table:?}");
            assert_eq!(CountSql::postgres(table, "c").unwrap_err().code().as_str(), "invalid-id", "{table:?}");
        }
        assert!(CountSql::postgres(&"a".repeat(63), "c").is_ok());
        assert!(CountSql::postgres(&"a".repeat(64), "c").is_err());
        assert!(CountSql::postgres("a", &"c".repeat(64)).is_err());
        assert!(CountSql::sqlite("a", "").is_err());
    }

    #[test]
    fn lengths_are_those_of_the_format() {
        assert_eq!((binary_lengths(12).0, text_lengths(12).0), (39, 52));
        assert_eq!((binary_lengths(24).0, text_lengths(24).0), (51, 68));
    }
}

//! The statements of a job over one table. Only names are put into them, each in quotes.

use super::table::{Held, Table, TableColumn};

/// Where a part of a chunk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the first row of the table.
    Open,
    /// With this key.
    At,
    /// Behind this key.
    After,
}

impl Table {
    /// Reads a part of a chunk: the key, the row's version, and the cells. The parameters are the key that it begins with, the key that it ends
    /// before, and the keyspace, if there are these.
    pub(super) fn read_part(&self, start: Start, has_end: bool, limit: usize) -> String {
        let mut next = 1;
        let mut conditions = Vec::new();
        if start != Start::Open {
            let operator = if start == Start::At { ">=" } else { ">" };
            conditions.push(format!("({}) {operator} ({})", self.keys("t"), self.bounds(&mut next)));
        }
        if has_end {
            conditions.push(format!("({}) < ({})", self.keys("t"), self.bounds(&mut next)));
        }
        if let Some((filter, _)) = &self.filter {
            conditions.push(format!("t.{filter}::text = ${next}"));
        }
        let conditions =
            if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        format!(
            "SELECT {} FROM {} AS t {conditions} ORDER BY {} LIMIT {limit}",
            self.fields(),
            self.quoted,
            self.keys("t")
        )
    }

    /// Reads rows again by their keys. Those that another program holds are left out if it `locks`, and the others stay as they are until the
    /// transaction ends. The parameters are arrays, of the places and of each column of the key, and the keyspace, if the table has several.
    /// A row that went to another tenant is left out too.
    pub(super) fn read_again(&self, locks: bool) -> String {
        let locked = if locks { "FOR NO KEY UPDATE OF t SKIP LOCKED" } else { "" };
        let next = self.key.len().saturating_add(2);
        let of_keyspace = self.filter.as_ref().map(|(column, _)| format!("AND t.{column}::text = ${next} "));
        format!(
            "SELECT {}, v.at FROM {} AS t JOIN {} ON {} {}ORDER BY v.at {locked}",
            self.fields(),
            self.quoted,
            self.given(&[]),
            self.same_key(),
            of_keyspace.unwrap_or_default(),
        )
    }

    /// Writes rows that still have the version that was read, and says of each whether it is now as it was sent.
    ///
    /// A row's version (`xmin`) is another one after each change by another transaction, whatever column that was of. It takes the place of the
    /// old values: these would be parameters, and a server that logs statements logs their parameters. While it waits for another
    /// transaction, the server asks the condition anew of the row that this one left.
    pub(super) fn update(&self) -> String {
        let written: Vec<_> = self.written().map(|(_, column)| column).collect();
        let mut next = self.key.len().saturating_add(2);
        let mut fields = vec![format!("${next}::text[]::xid[]")];
        let mut names = vec!["x".to_owned()];
        for (at, column) in written.iter().enumerate() {
            let array = if column.held == Held::Bytes { "bytea[]" } else { "text[]" };
            next = next.saturating_add(1);
            fields.push(format!("${next}::bool[]"));
            next = next.saturating_add(1);
            fields.push(format!("${next}::{array}"));
            names.extend([format!("s{at}"), format!("n{at}")]);
        }
        let given: Vec<_> = fields.iter().map(String::as_str).zip(names.iter().map(String::as_str)).collect();
        let set = written.iter().enumerate().map(|(at, column)| {
            format!(
                "{name} = CASE WHEN v.s{at} THEN {new} ELSE t.{name} END",
                name = column.quoted,
                new = new_value(column, at)
            )
        });
        let same = written.iter().enumerate().map(|(at, column)| {
            format!("(NOT v.s{at} OR {} IS NOT DISTINCT FROM {})", stored(column), sent(column, at))
        });
        format!(
            "UPDATE {} AS t SET {} FROM {} WHERE {} AND t.xmin = v.x RETURNING v.at, {}",
            self.quoted,
            set.collect::<Vec<_>>().join(", "),
            self.given(&given),
            self.same_key(),
            same.collect::<Vec<_>>().join(" AND "),
        )
    }

    /// Divides the table into chunks, as rows of `rxseal_chunk`. The parameters are the job's name, the rows of a chunk, and the keyspace, if the
    /// table has several.
    ///
    /// The bounds are keys that are there, at equal distances in the order of the key, so neither gaps nor random keys make a chunk larger.
    pub(super) fn chunks(&self) -> String {
        let texts: Vec<_> = self.key.iter().map(|column| format!("t.{}::text", column.quoted)).collect();
        format!(
            "INSERT INTO rxseal_chunk (job, no, lo, hi) \
            SELECT $1, no::int4, CASE WHEN no > 0 THEN lo END, lead(lo) OVER (ORDER BY no) FROM (\
                SELECT (n - 1) / $2::int8 AS no, lo FROM (\
                    SELECT row_number() OVER (ORDER BY {keys}) AS n, json_build_array({texts})::text AS lo FROM {table} AS t {filter}\
                ) AS numbered WHERE (n - 1) % $2::int8 = 0\
            ) AS bounds",
            keys = self.keys("t"),
            texts = texts.join(", "),
            table = self.quoted,
            filter = self.of_keyspace(3),
        )
    }

    /// How many rows the job is about. The parameter is the keyspace, if the table has several.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM {} AS t {}", self.quoted, self.of_keyspace(1))
    }

    fn of_keyspace(&self, parameter: usize) -> String {
        self.filter.as_ref().map_or(String::new(), |(column, _)| format!("WHERE t.{column}::text = ${parameter}"))
    }

    /// How many columns a read row has for the key, the version and the cells.
    pub(super) fn width(&self) -> usize {
        self.key.len().saturating_add(self.columns.len()).saturating_add(1)
    }

    fn fields(&self) -> String {
        let keys = self.key.iter().map(|column| format!("t.{}::text", column.quoted));
        let cells = self.columns.iter().map(stored);
        let fields = keys.chain(["t.xmin::text".to_owned()]).chain(cells);
        fields.enumerate().map(|(at, field)| format!("{field} AS f{at}")).collect::<Vec<_>>().join(", ")
    }

    fn keys(&self, table: &str) -> String {
        self.key.iter().map(|column| format!("{table}.{}", column.quoted)).collect::<Vec<_>>().join(", ")
    }

    fn bounds(&self, next: &mut usize) -> String {
        let bound = |column: &super::table::KeyColumn| {
            let at = *next;
            *next = next.saturating_add(1);
            format!("${at}::text::{}", column.cast)
        };
        self.key.iter().map(bound).collect::<Vec<_>>().join(", ")
    }

    /// The arrays of the parameters as a table `v`: places, keys, and what else is given.
    fn given(&self, others: &[(&str, &str)]) -> String {
        let keys = self.key.iter().enumerate();
        let keys = keys
            .map(|(at, column)| (format!("${}::text[]::{}[]", at.saturating_add(2), column.cast), format!("k{at}")));
        let others = others.iter().map(|(field, name)| ((*field).to_owned(), (*name).to_owned()));
        let (fields, names): (Vec<_>, Vec<_>) =
            [("$1::int4[]".to_owned(), "at".to_owned())].into_iter().chain(keys).chain(others).unzip();
        format!("unnest({}) AS v ({})", fields.join(", "), names.join(", "))
    }

    fn same_key(&self) -> String {
        let keys = self.key.iter().enumerate().map(|(at, column)| format!("t.{} = v.k{at}", column.quoted));
        keys.collect::<Vec<_>>().join(" AND ")
    }
}

/// The cell as the work gets it, compared byte by byte whatever the column's collation is.
pub(super) fn stored(column: &TableColumn) -> String {
    match column.held {
        Held::Text => format!("(t.{}::text COLLATE \"C\")", column.quoted),
        Held::Bytes => format!("t.{}::bytea", column.quoted),
        Held::TextList => format!("(to_json(t.{})::text COLLATE \"C\")", column.quoted),
    }
}

/// The value that the work gave, as the column's type.
fn new_value(column: &TableColumn, at: usize) -> String {
    match column.held {
        Held::Text | Held::Bytes => format!("v.n{at}"),
        // Without elements, there is nothing to aggregate, and the list is not NULL.
        Held::TextList => format!(
            "CASE WHEN v.n{at} IS NOT NULL THEN coalesce((SELECT array_agg(e ORDER BY o) \
            FROM json_array_elements_text(v.n{at}::json) WITH ORDINALITY AS j (e, o)), '{{}}') END"
        ),
    }
}

/// The value that the work gave, to compare with what is stored.
fn sent(column: &TableColumn, at: usize) -> String {
    match column.held {
        Held::Text | Held::Bytes => new_value(column, at),
        Held::TextList => format!("to_json({})::text", new_value(column, at)),
    }
}

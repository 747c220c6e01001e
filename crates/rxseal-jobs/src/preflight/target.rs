//! What a preflight asks about: the columns that a job reads and writes.

use rxseal::columns::ColumnLen;

use crate::spec::{ColumnRole, Operation, Padding, Spec};

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Plaintext is read, and tokens are written.
    Seal,
    /// Tokens are read, and plaintext is written.
    Unseal,
    /// Tokens and index values only.
    Move,
}

/// One table of the map, for one operation.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `table` or `schema.table`, as the map writes it.
    pub(crate) table: String,
    /// The columns of the record's id, and that of the keyspace.
    pub(crate) id: Vec<String>,
    /// Those that the job only reads beside these.
    pub(crate) read: Vec<String>,
    /// The columns that the job writes: tokens, record tags, index values.
    pub(crate) written: Vec<TokenColumn>,
    /// Other tables of the same database that the map names, as it writes them.
    pub(crate) named: Vec<String>,
    pub(crate) flow: Flow,
    /// The column of the keyspace and the keyspace of the job, if rows of several are in the table.
    pub(crate) keyspace: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct TokenColumn {
    pub(crate) name: String,
    /// Of a field; `None` of a record tag and of index values.
    pub(crate) padding: Option<Padding>,
}

impl Target {
    pub(crate) fn of(spec: &Spec, named: &[String]) -> Self {
        let flow = match spec.operation() {
            Operation::Backfill => Flow::Seal,
            Operation::Unseal => Flow::Unseal,
            Operation::Reseal | Operation::Reindex | Operation::AddSubject => Flow::Move,
        };
        let mut target = Self {
            table: spec.table().to_owned(),
            id: spec.keyspace_filter().map(|(column, _)| column.to_owned()).into_iter().collect(),
            read: Vec::new(),
            written: Vec::new(),
            named: named.to_owned(),
            flow,
            keyspace: spec.keyspace_filter().map(|(column, keyspace)| (column.to_owned(), keyspace.to_owned())),
        };
        for column in spec.columns() {
            let name = column.name().to_owned();
            match column.role() {
                ColumnRole::Id => target.id.push(name),
                _ if column.is_written() => target.written.push(TokenColumn { name, padding: column.padding() }),
                _ => target.read.push(name),
            }
        }
        target
    }

    /// Every column that the job reads.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let clear = self.id.iter().chain(&self.read).map(|name| &**name);
        clear.chain(self.written.iter().map(|column| &*column.name)).collect()
    }

    /// Whether the map names this table, so that a job will run over it too.
    pub(crate) fn names(&self, schema: &str, table: &str) -> bool {
        let plain = |name: &str| name.replace('"', "");
        self.named.iter().any(|named| plain(named) == table || plain(named) == format!("{schema}.{table}"))
    }
}

/// How long the token of a value of this many bytes is, under a key of any suite.
pub(crate) fn token_len(padding: Padding, value: usize) -> ColumnLen {
    ColumnLen::padded_to(padding.block, value).any_suite()
}

//! What a preflight asks about: the columns that a job reads and writes.

use rxseal::columns::ColumnLen;

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
    pub(crate) id: Vec<String>,
    pub(crate) subject: Option<String>,
    /// The columns that the job writes: tokens, record tags, index values.
    pub(crate) written: Vec<TokenColumn>,
    /// Other tables of the same database that the map names, as it writes them.
    pub(crate) named: Vec<String>,
    pub(crate) flow: Flow,
}

#[derive(Clone, Debug)]
pub(crate) struct TokenColumn {
    pub(crate) name: String,
    /// To which a field's values are padded; `None` of a record tag and of index values.
    pub(crate) block: Option<u16>,
}

impl Target {
    /// The columns of fields.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = (&str, u16)> {
        self.written.iter().filter_map(|column| Some((&*column.name, column.block?)))
    }

    /// Every column that the job reads.
    pub(crate) fn columns(&self) -> Vec<&str> {
        let clear = self.id.iter().chain(&self.subject).map(|name| &**name);
        clear.chain(self.written.iter().map(|column| &*column.name)).collect()
    }

    /// Whether the map names this table, so that a job will run over it too.
    pub(crate) fn names(&self, schema: &str, table: &str) -> bool {
        let plain = |name: &str| name.replace('"', "");
        self.named.iter().any(|named| plain(named) == table || plain(named) == format!("{schema}.{table}"))
    }
}

/// How long the token of a value of this many bytes is: as text, as bytes, under a key of any suite.
pub(crate) fn token_len(block: u16, value: usize) -> (usize, usize) {
    let len = ColumnLen::padded_to(block, value).any_suite();
    (len.text(), len.bytes())
}

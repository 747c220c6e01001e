//! What speaks against a job over a table, or has to be known before one.

use std::fmt;

/// How a [`Concern`] decides whether a job starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// No job starts. It would fail, or lose or leak something.
    Refuses,
    /// A job starts only if the operator has looked at it, and accepts it by its [answer](Concern::answer).
    Asks,
    /// It is only said.
    Advises,
}

impl Weight {
    /// The word for it: `refuses`, `asks`, `advises`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Asks => "asks",
            Self::Advises => "advises",
        }
    }
}

/// One thing about a table. Its `Display` says what it is, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    kind: ConcernKind,
    column: Option<String>,
    object: Option<String>,
    detail: Option<String>,
}

impl Concern {
    pub(crate) fn of(kind: ConcernKind) -> Self {
        Self { kind, column: None, object: None, detail: None }
    }

    pub(crate) fn column(mut self, name: impl Into<String>) -> Self {
        self.column = Some(name.into());
        self
    }

    pub(crate) fn object(mut self, name: impl Into<String>) -> Self {
        self.object = Some(name.into());
        self
    }

    pub(crate) fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ConcernKind {
        self.kind
    }

    /// How it decides whether a job starts.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.kind.weight()
    }

    /// The column that it is about, if it is about one.
    #[must_use]
    pub fn about_column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// The trigger, index, view, constraint, server setting or the like that it is about, if it is about one.
    #[must_use]
    pub fn about_object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// What accepts it, if it [asks](Weight::Asks): its kind, and what it is about, such as `trigger:rx_audit`.
    #[must_use]
    pub fn answer(&self) -> String {
        match self.object.as_deref().or(self.column.as_deref()) {
            Some(about) => format!("{}:{about}", self.kind.as_str()),
            None => self.kind.as_str().to_owned(),
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if let Some(object) = &self.object {
            write!(f, " {object:?}")?;
        }
        if let Some(column) = &self.column {
            write!(f, " of column {column:?}")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        write!(f, ": {}", self.kind.text())
    }
}

macro_rules! kinds {
    ($($(#[$docs:meta])* $name:ident = $weight:ident $code:literal: $text:literal,)*) => {
        /// What a [`Concern`] is. A program compares [`as_str`](Self::as_str), which stays as it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ConcernKind {
            $($(#[$docs])* $name,)*
        }

        impl ConcernKind {
            /// Its code, such as `trigger`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// How it decides whether a job starts.
            #[must_use]
            pub fn weight(self) -> Weight {
                match self {
                    $(Self::$name => Weight::$weight,)*
                }
            }

            /// What happened, and what to do.
            fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

kinds! {
    /// There is no such table for this role.
    NoTable = Refuses "no-table": "this role sees no such table. Look at the map and at the role's rights.",
    /// It is a view, a foreign table, a partition, or the like.
    NotATable = Refuses "not-a-table": "a job runs over a whole table that stores its rows. Name that table in the map.",
    /// The server or the file cannot be written.
    ReadOnly = Refuses "read-only": "nothing can be written here. Connect to the primary server, or open the file for writing.",
    /// No columns tell the rows apart.
    NoKey = Refuses "no-key": "it has no primary key, nor a unique index over columns that are NOT NULL and with the collations of these, so no row can be found again. Add one.",
    /// Tables inherit from it, and its key does not cover their rows.
    Inherited = Refuses "inherited": "other tables inherit from it, so its key is not unique among their rows. Name each of them in the map.",
    /// A column of the map is not in the table.
    NoColumn = Refuses "no-column": "the table has no such column, or this role does not see it. Mend the map, or add the column.",
    /// A type that holds no token unchanged.
    ColumnType = Refuses "column-type": "a column of this type does not keep a token as it is. Use text, varchar or bytea (SQLite: TEXT or BLOB), or a new column of such a type.",
    /// A collation under which different texts are equal.
    Collation = Refuses "collation": "different tokens may be equal under this collation, so a program that compares them would overwrite a change. Give the column COLLATE \"C\".",
    /// The column's length is less than that of the longest token that its values would make.
    TooShort = Refuses "too-short": "the longest value there makes a token that does not fit. Make the column longer, or make it text.",
    /// A column that is computed from a sealed one.
    Generated = Refuses "generated": "it is computed from a column that will hold tokens, and keeps what it was computed from. Drop it, or replace it by an index of rxseal.",
    /// Rows are spread over partitions by a sealed column.
    PartitionKey = Refuses "partition-key": "partitions are chosen by a column that will hold tokens. Partition by another column first.",
    /// A sealed column is in the key.
    KeyColumn = Refuses "key-column": "the key has a column that will hold tokens, so it would be another key. Leave it clear, or use another key.",
    /// A foreign key from or to a sealed column.
    ForeignKey = Refuses "foreign-key": "it compares a column that will hold tokens with another one. Drop it, or let it refer to a clear id.",
    /// A rule that does something else in place of an update.
    InsteadRule = Refuses "instead-rule": "it does something else in place of the job's UPDATE. Drop it, or make it a trigger.",
    /// Row-level security applies to this role.
    HiddenRows = Refuses "hidden-rows": "row-level security may hide rows from this role. Run the job as a role with BYPASSRLS, or as the owner.",
    /// The role may not read or write a column.
    NoRight = Refuses "no-right": "this role may not read and update this column. Grant SELECT and UPDATE.",
    /// A check of the column's domain does not accept what the job will write.
    DomainCheck = Refuses "domain-check": "the domain refuses what this job writes there. Drop or change its constraint.",
    /// An index whose entries may not be as long as a token.
    IndexEntry = Refuses "index-entry": "an entry of this index may not be as long as a token of the longest value, so the UPDATE would fail. Drop the index.",
    /// The server logs bound values, and the job binds plaintext.
    LoggedValues = Refuses "logged-values": "the server writes bound values of this role into its log, and this job binds plaintext. Run ALTER ROLE .. SET log_parameter_max_length = 0 (and log_parameter_max_length_on_error = 0).",

    /// Rows whose column of the keyspace has no name of one.
    NoKeyspace = Asks "no-keyspace": "these rows name no keyspace, so no job works on them and their plaintext stays. Give each row its keyspace, or delete it.",
    /// Several rows may have the id that the map names.
    SharedId = Asks "shared-id": "several rows may have the same id, so their tokens can be exchanged without notice. Name all columns of the key as the id, and in the program too.",
    /// A trigger, which fires for each row that the job writes.
    Trigger = Asks "trigger": "it fires for each row that the job writes. Look at what it does, whom it tells, and whether a table that it fills keeps plaintext: the map should name that table.",
    /// A rule that does something beside an update.
    Rule = Asks "rule": "it runs with each UPDATE of the job. Look at what it does, and whether it keeps plaintext.",
    /// A materialized view over a sealed column.
    MaterializedView = Asks "materialized-view": "it keeps the plaintext until it is refreshed, and has tokens from then on. Name it in the map, or drop it.",
    /// A full-text table over a sealed column.
    FullText = Asks "full-text": "it keeps the words of the plaintext. Drop it, or replace it by an index of rxseal.",
    /// A check that has to accept tokens too.
    Check = Asks "check": "it has to accept tokens too. If it fails in PostgreSQL, the log gets the whole row.",
    /// A unique constraint over a sealed column.
    Unique = Asks "unique": "two tokens are never equal, so it accepts duplicates from then on. Use an index of rxseal, or a constraint over a clear column.",
    /// An index with an expression or a condition over a sealed column.
    ExpressionIndex = Asks "expression-index": "it computes something of a column that will hold tokens, which may fail. Drop it.",
    /// A policy of row-level security that reads a sealed column.
    Policy = Asks "policy": "it decides by a column that will hold tokens, and decides otherwise from then on. Let it read a clear column.",
    /// The table is published to subscribers.
    Publication = Asks "publication": "subscribers receive each row that the job writes, and keep the plaintext that they have. Name their tables in a map of their own.",
    /// Old rows go into the WAL as a whole.
    ReplicaIdentity = Asks "replica-identity": "REPLICA IDENTITY FULL sends each old row with its plaintext into the WAL and to subscribers. Choose the primary key: ALTER TABLE .. REPLICA IDENTITY DEFAULT.",
    /// A replication slot that nobody reads.
    IdleSlot = Asks "idle-slot": "nobody reads this replication slot, so the server keeps all WAL of the job and its disk may fill. Drop the slot, or start its reader.",
    /// WAL that cannot be archived.
    Archiving = Asks "archiving": "the last WAL segment could not be archived, so the server keeps all WAL of the job and its disk may fill. Mend archive_command.",

    /// Rows of other keyspaces.
    OtherKeyspaces = Advises "other-keyspaces": "these rows are of other keyspaces, and this job leaves them as they are. Plan a job for each of them, and look whether you know them all.",
    /// An index over a sealed column, which finds nothing.
    Index = Advises "index": "it finds nothing in tokens, has entries of plaintext until it is rebuilt, and costs an entry for each row. Drop it before the job.",
    /// A view over a sealed column.
    View = Advises "view": "whoever reads it sees tokens from then on.",
    /// A function whose body reads a sealed column.
    Function = Advises "function": "it reads a column that will hold tokens.",
    /// Extended statistics over a sealed column.
    Statistics = Advises "statistics": "they keep values of the column. Drop them, or run ANALYZE after the job.",
    /// The server does not vacuum the table.
    NoVacuum = Advises "no-vacuum": "autovacuum is off, so the table grows to twice its size and stays so. Turn it on, or run VACUUM during the job.",
    /// A transaction that is open for long.
    OldTransaction = Advises "old-transaction": "vacuum frees no row that the job replaces while it is open. End it before the job.",
    /// The table has no room in its pages.
    FillFactor = Advises "fillfactor": "its pages are full, so each row goes to another page and gets an entry in every index. ALTER TABLE .. SET (fillfactor = 50) and VACUUM FULL before the job avoid that, if you can lock the table for so long.",
    /// This role does not see how far replicas are.
    HiddenReplicas = Advises "hidden-replicas": "this role does not see how far the replicas are behind, so a limit of lag cannot be kept. Run GRANT pg_monitor TO ..",
}

#[cfg(test)]
mod tests {
    use super::{Concern, ConcernKind, Weight};

    #[test]
    fn a_concern_says_what_where_and_what_to_do() {
        let trigger =
            Concern::of(ConcernKind::Trigger).object("rx_audit").detail("AFTER UPDATE, names public.rx_history");
        let text = trigger.to_string();
        assert!(text.starts_with("trigger \"rx_audit\" (AFTER UPDATE, names public.rx_history): it fires"), "{text}");
        assert_eq!((trigger.weight(), trigger.answer()), (Weight::Asks, "trigger:rx_audit".to_owned()));
        let short = Concern::of(ConcernKind::TooShort).column("drug");
        assert!(short.to_string().starts_with("too-short of column \"drug\": the longest"), "{short}");
        assert_eq!(short.answer(), "too-short:drug");
        assert_eq!(Concern::of(ConcernKind::ReadOnly).answer(), "read-only");
    }

    #[test]
    fn codes_are_unique_and_texts_are_at_most_two_sentences() {
        let mut codes: Vec<_> = ConcernKind::ALL.iter().map(|kind| kind.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ConcernKind::ALL.len());
        for kind in ConcernKind::ALL {
            let sentences = kind.text().replace("..", "").matches(". ").count() + 1;
            assert!(sentences <= 2, "{}: {}", kind.as_str(), kind.text());
        }
    }
}

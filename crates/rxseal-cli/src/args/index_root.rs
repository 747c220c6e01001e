//! `rxseal keyring index`. Comments here are the help that an operator reads.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use rxseal::KeyId;

use super::change::Change;

#[derive(Subcommand)]
pub enum IndexRoot {
    /// List the index roots and what each is used for; with --schema also the prefixes of their values
    List {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The list of all indexes, as your program prints it. A root key is needed then
        #[arg(long, value_name = "FILE")]
        schema: Option<PathBuf>,
    },
    /// Add an index root that searches ask for and nothing is written under yet: the first half of a rotation
    Stage {
        /// The keyspace: the name of the keyring
        keyspace: String,
        #[command(flatten)]
        new: NewIndexRoot,
        #[command(flatten)]
        change: Change,
    },
    /// Write index values under the staged index root from now on: the second half of a rotation. Then index all rows anew
    Promote {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The staged index root; found automatically if left out
        #[arg(allow_hyphen_values = true)]
        root: Option<KeyId>,
        /// How long the index root must have been staged, such as 10m: at least as long as a program may take to pick it up. 0s if only
        /// one process uses the keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m")]
        staged_for: Duration,
        #[command(flatten)]
        change: Change,
    },
    /// Stage and promote a new index root in one step; only if a single process uses the keyring. Then index all rows anew
    Rotate {
        /// The keyspace: the name of the keyring
        keyspace: String,
        #[command(flatten)]
        new: NewIndexRoot,
        #[command(flatten)]
        change: Change,
    },
    /// Take a staged index root out of use
    Deactivate {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The id of the index root, as `rxseal keyring index list` shows it
        #[arg(allow_hyphen_values = true)]
        root: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Mark an index root as compromised, if somebody else may know it. Rotate first if it is the primary
    Compromise {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The id of the index root, as `rxseal keyring index list` shows it
        #[arg(allow_hyphen_values = true)]
        root: KeyId,
        #[command(flatten)]
        change: Change,
    },
    /// Count the index values of columns by index root and definition: the progress of a rotation
    Count {
        /// The keyspace: the name of the keyring
        keyspace: String,
        #[command(flatten)]
        counted: CountedIndexes,
    },
    /// Destroy an index root that no index value is under any more
    Destroy {
        /// The keyspace: the name of the keyring
        keyspace: String,
        /// The id of the index root, as `rxseal keyring index list` shows it
        #[arg(allow_hyphen_values = true)]
        root: KeyId,
        #[command(flatten)]
        counted: CountedIndexes,
        /// How many index values are still under the index root where this command does not count: in other databases, and in
        /// backups that must stay searchable. Give 0 if they have no such value
        #[arg(long, value_name = "N", required_unless_present = "force")]
        index_values: Option<u64>,
        /// How long the index root must have been out of use: as long as a program may go on writing under it. 0s if only one process
        /// uses the keyring
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "65min")]
        unused_for: Duration,
        /// Destroy the index root without counting or waiting. Searches miss every row that is still indexed under it
        #[arg(long, conflicts_with_all = ["schema", "map", "columns", "index_values", "unused_for"])]
        force: bool,
        /// Confirm: this cannot be undone
        #[arg(long, required_unless_present = "dry_run")]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
}

#[derive(ClapArgs)]
pub struct NewIndexRoot {
    /// The list of all indexes, as your program prints it. A new index root is drawn again if two prefixes would be alike
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
}

/// Where index values are counted: what a map names, or columns of one database.
#[derive(ClapArgs)]
pub struct CountedIndexes {
    /// The list of all indexes, as your program prints it, or its schema in JSON. Each index must have a --column, be --empty or --elsewhere,
    /// or be in the map [default with --map: rxseal-schema.json beside the map]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// A map: count the indexes of every source of it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sqlite", "columns", "empty"])]
    pub map: Option<PathBuf>,
    /// Count in this SQLite database
    #[arg(long, value_name = "FILE", conflicts_with = "postgres")]
    pub sqlite: Option<PathBuf>,
    /// Count in this PostgreSQL database: its URL, without a password. With --map, that of its postgres: sources
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// A column and its index, such as patient.born_ix=patient.born; may be repeated. It must have a value under another index root: a
    /// mistyped name, another database or hidden rows would look like an empty column
    #[arg(long = "column", value_name = "TABLE.COLUMN=INDEX")]
    pub columns: Vec<String>,
    /// A column that should have no value at all, and its index; may be repeated. Refused if it has one
    #[arg(long, value_name = "TABLE.COLUMN=INDEX")]
    pub empty: Vec<String>,
    /// An index that has no column in this database; may be repeated. Count it where it is, and add it to --index-values
    #[arg(long, value_name = "INDEX")]
    pub elsewhere: Vec<String>,
}

//! `rxseal drill`. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::MapFiles;
use super::change::Who;

#[derive(Subcommand)]
pub enum Drill {
    /// Open records of a restored copy at random, with the real root keys: would a backup bring the data back?
    ///
    /// So many records of each table and key are opened, and all of them must open. The copy is opened for reading only.
    Restore {
        /// The folder of the copies: it takes the place of the map's folder, with the names of the map below it
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        #[command(flatten)]
        rings: Rings,
        /// How many rows a source of the map should have at least, as somebody counted them in the database: the drill fails if the copy has
        /// fewer. May be repeated. Without it the copy is compared with the last drill that passed
        #[arg(long, value_name = "SOURCE=N")]
        expect_rows: Vec<String>,
        #[command(flatten)]
        drill: DrillOptions,
    },
    /// Take away each root key, each provider and the subject keys in turn, in memory, and try what still opens
    ///
    /// It prints what each loss would cost, and fails if one of them costs a value.
    KeyLoss {
        /// Read a copy instead of the sources themselves: a folder that takes the place of the map's folder
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        #[command(flatten)]
        rings: Rings,
        /// A backup of the subject keys, in the forms of --subject-store: it is what is left if the subject store is lost
        #[arg(long, value_name = "STORE")]
        subject_backup: Option<String>,
        #[command(flatten)]
        drill: DrillOptions,
    },
    /// Read a copy as a thief of it would, first without any key, and then with one stolen thing after the other
    ///
    /// It fails if something is readable without a key, or if a stolen key does not open what it should, or opens more.
    Theft {
        /// The folder of the copies: it takes the place of the map's folder, with the names of the map below it
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        #[command(flatten)]
        rings: Rings,
        /// A list of canaries, as `rxseal canary plant` wrote it: none of them may be readable; may be repeated
        #[arg(long, value_name = "FILE")]
        canaries: Vec<PathBuf>,
        /// A table of the copy that is in no source of the map, and that has no patients' data as you know; may be repeated
        #[arg(long, value_name = "TABLE")]
        without_phi: Vec<String>,
        #[command(flatten)]
        drill: DrillOptions,
    },
}

/// Which keyrings a drill unlocks.
#[derive(ClapArgs)]
pub struct Rings {
    /// A keyring in a file of its own, such as a backup has it; may be repeated. Without one, keyrings are read from --store
    #[arg(long = "keyring", value_name = "FILE", conflicts_with = "keyspaces")]
    pub files: Vec<PathBuf>,
    /// Read the keyrings of these keyspaces from --store; may be repeated [default: those that the map names]
    #[arg(long = "keyspace", value_name = "KEYSPACE")]
    pub keyspaces: Vec<String>,
}

/// What every drill takes.
#[derive(ClapArgs)]
pub struct DrillOptions {
    #[command(flatten)]
    pub map: MapFiles,
    /// How many records are opened of each table and key, at random
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub records: u32,
    /// The drill's own budget: how many different patients it may open. It is refused above that
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub budget: u64,
    #[command(flatten)]
    pub who: Who,
    /// Write what was found as a page of HTML into this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
}

//! What `rxseal scan` and `rxseal canary` take. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::MapFiles;
use super::change::Who;

#[derive(ClapArgs)]
pub struct Scan {
    /// Logs, dumps and exports that no map names. Without one, the sources of the map are scanned; with both, name the map with --map
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub map: MapFiles,
    /// The keyspace whose keyring should have the keys of all tokens; may be repeated. No root key is needed
    #[arg(long = "keyspace", value_name = "KEYSPACE")]
    pub keyspaces: Vec<String>,
    /// The files are copies of sealed data, such as dumps: whole tokens in them are counted, and are no finding
    #[arg(long, requires = "files")]
    pub expect_tokens: bool,
    /// Leave out what only looks like a patient's number
    #[arg(long)]
    pub certain: bool,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Subcommand)]
pub enum Canary {
    /// Make patients who do not exist, and print what to store as theirs. Their list is written with the values sealed
    Plant {
        /// The keyspace whose keys seal the list
        keyspace: String,
        /// The file of the list, which must not exist
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// How many
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
        count: u16,
    },
    /// Look for canaries wherever they should not be readable: in logs, dumps, backups, and in the sources of a map
    Find {
        /// Files to look through. Without one, the sources of the map are; with both, name the map with --map
        files: Vec<PathBuf>,
        /// A list of canaries, as `plant` wrote it; may be repeated
        #[arg(long, value_name = "FILE", required = true)]
        list: Vec<PathBuf>,
        #[command(flatten)]
        map: MapFiles,
        /// Who opens the lists, such as user:kim
        #[arg(long, value_name = "ACTOR")]
        who: String,
        /// Why: an HL7 PurposeOfUse code, such as HSYSADMIN
        #[arg(long, value_name = "PURPOSE")]
        why: String,
    },
}

//! `rxseal map`, and the files that a command reads with a map. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

#[derive(Subcommand)]
pub enum MapCommand {
    /// Compare a map with the program's schema, and with the tables and files themselves
    Check {
        #[command(flatten)]
        files: MapFiles,
        /// Compare the map with the schema alone: no table and no file that it names is read
        #[arg(long, conflicts_with = "postgres")]
        offline: bool,
    },
}

/// The map, what the program says of its record types, and the database that the map has no address of.
#[derive(ClapArgs)]
pub struct MapFiles {
    /// The map: the file that says in which tables and files sealed data lies [env: RXSEAL_MAP] [default: rxseal-map.toml]
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// What the program says of its record types, as it prints it [env: RXSEAL_SCHEMA] [default: rxseal-schema.json beside the map]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// The PostgreSQL database of the map's postgres: sources: its URL, without a password [env: RXSEAL_POSTGRES]
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
}

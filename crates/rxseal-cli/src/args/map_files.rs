//! The files that say where sealed data lies. Comments here are the help that an operator reads.

use std::path::PathBuf;

use clap::Args as ClapArgs;

#[derive(ClapArgs)]
pub struct MapFiles {
    /// The map, which says in which columns of which tables sealed data lies [env: RXSEAL_MAP] [default: rxseal-map.toml]
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// The schema, which your program writes: its record types and fields [env: RXSEAL_SCHEMA] [default: rxseal-schema.json]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// The PostgreSQL database of the map's sources `postgres:`: its URL, without a password. PGPASSWORD and the passfile are read
    /// [env: RXSEAL_POSTGRES]
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
}

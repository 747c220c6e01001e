//! The map, the schema and the database that they are about.

use std::fs;
use std::path::{Path, PathBuf};

use rxseal::schema::Schema;
use rxseal_map::Map;

use crate::args::MapFiles;
use crate::environment::{variable, variable_os};
use crate::failure::Failure;
use crate::url::without_password;

impl MapFiles {
    pub fn read_map(&self) -> Result<Map, Failure> {
        let path = of(self.map.as_deref(), "RXSEAL_MAP", "rxseal-map.toml");
        let said = |mistakes| Failure::Coded("invalid-map", format!("{}: {mistakes}", path.display()));
        Map::read(&path).map_err(said)
    }

    pub fn read_schema(&self) -> Result<Schema, Failure> {
        let path = of(self.schema.as_deref(), "RXSEAL_SCHEMA", "rxseal-schema.json");
        let text = fs::read_to_string(&path)
            .map_err(|error| Failure::Usage(format!("{}: {error}. Your program writes this file", path.display())))?;
        Schema::parse(&text).map_err(|error| {
            let text = format!("{}: {}", path.display(), Failure::from_reference(&error));
            Failure::Coded(error.code().as_str(), text)
        })
    }

    /// The database of the map's sources in PostgreSQL.
    pub fn postgres_url(&self) -> Result<Option<String>, Failure> {
        let url = match &self.postgres {
            Some(url) => Some(url.clone()),
            None => variable("RXSEAL_POSTGRES")?,
        };
        url.iter().try_for_each(|url| without_password(url))?;
        Ok(url)
    }
}

fn of(given: Option<&Path>, name: &str, otherwise: &str) -> PathBuf {
    given.map(Path::to_owned).or_else(|| variable_os(name).map(PathBuf::from)).unwrap_or_else(|| otherwise.into())
}

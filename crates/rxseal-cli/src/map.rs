//! `rxseal map`, and reading a map for other commands.

use std::path::{Path, PathBuf};

use rxseal::schema::Schema;
use rxseal_map::{Addresses, Finding, Map, Mistakes};
use serde_json::{Value, json};

use crate::args::{Global, MapCommand, MapFiles};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::url::without_password;

pub async fn run(global: &Global, command: MapCommand, output: &Output) -> Result<(), Failure> {
    let MapCommand::Check { files, offline } = command;
    let files = Files::of(&Config::of(global)?, &files)?;
    let map = match Map::read(&files.map) {
        Ok(map) => map,
        Err(mistakes) => return not_read(&mistakes, output),
    };
    let schema = files.schema()?;
    let mut findings = map.check(&schema);
    if !offline {
        findings.extend(map.check_sources(&schema, &files.addresses).await);
        findings.sort_by_key(Finding::line);
    }
    let faults: Vec<_> = findings.iter().filter(|finding| finding.is_fault()).collect();
    let notes = findings.len().saturating_sub(faults.len());
    let mut lines: Vec<_> =
        findings.iter().map(|finding| one_line(finding.is_fault(), finding.code(), &finding.to_string())).collect();
    let sources = map.sources().len();
    lines.push(format!("{sources} sources, {} faults, {notes} notes", faults.len()));
    let value = json!({
        "map": hex::encode(map.digest()), "schema": hex::encode(schema.digest()), "sources": sources, "faults": faults.len(),
        "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
    });
    output.say(&lines.join("\n"), &value)?;
    // A database that is away is no mistake in the map.
    let away = "store-unavailable";
    match faults.first() {
        None => Ok(()),
        Some(first) if faults.iter().all(|fault| fault.code() == away) => Err(Failure::Coded(away, first.to_string())),
        Some(_) => Err(Failure::Checked(format!("{} faults in {}", faults.len(), files.map.display()))),
    }
}

/// The map of a command that counts, and where its databases are.
pub fn read(path: &Path, postgres: Option<&str>, config: &Config) -> Result<(Map, Addresses), Failure> {
    Ok((read_map(path)?, addresses(postgres.map(str::to_owned).or(config.postgres.clone()))?))
}

/// What a command reads together.
pub struct Files {
    pub map: PathBuf,
    schema: PathBuf,
    pub addresses: Addresses,
    /// The URL of the map's `postgres:` sources, without a password.
    pub postgres: Option<String>,
}

impl Files {
    /// Options win over variables, and these over the configuration file.
    pub fn of(config: &Config, given: &MapFiles) -> Result<Self, Failure> {
        let map = given.map.clone().or_else(|| config.map.clone()).unwrap_or_else(|| "rxseal-map.toml".into());
        let schema = schema_beside(&map, given.schema.as_deref(), config);
        let postgres = given.postgres.clone().or(config.postgres.clone());
        Ok(Self { map, schema, addresses: addresses(postgres.clone())?, postgres })
    }

    /// The map.
    pub fn map(&self) -> Result<Map, Failure> {
        read_map(&self.map)
    }

    /// The map for copies of its data in this folder.
    pub fn map_for_copies(&self, folder: &Path) -> Result<Map, Failure> {
        Map::read_for_copies(&self.map, folder).map_err(|mistakes| not_a_map(&mistakes))
    }

    /// Whether the schema is there, for a command that also does without.
    pub fn has_schema(&self) -> bool {
        self.schema.is_file()
    }

    /// The schema, as its file is.
    pub fn schema_text(&self) -> Result<String, Failure> {
        let path = &self.schema;
        std::fs::read_to_string(path).map_err(|error| {
            let text = format!("{}: {error}. It is what the program says of its record types: print `Schema::to_json()`, and name the file with --schema", path.display());
            Failure::Usage(text)
        })
    }

    pub fn schema(&self) -> Result<Schema, Failure> {
        let path = &self.schema;
        let text = self.schema_text()?;
        Schema::parse(&text).map_err(|error| {
            let text = format!("{}: {}", path.display(), Failure::from_reference(&error));
            Failure::Coded(error.code().as_str(), text)
        })
    }
}

fn read_map(path: &Path) -> Result<Map, Failure> {
    Map::read(path).map_err(|mistakes| not_a_map(&mistakes))
}

fn not_a_map(mistakes: &Mistakes) -> Failure {
    Failure::Coded("invalid-map", mistakes.to_string())
}

/// Where the schema is if nobody says it.
pub fn schema_beside(map: &Path, given: Option<&Path>, config: &Config) -> PathBuf {
    given
        .map(Path::to_owned)
        .or_else(|| config.schema.clone())
        .unwrap_or_else(|| map.with_file_name("rxseal-schema.json"))
}

fn addresses(postgres: Option<String>) -> Result<Addresses, Failure> {
    let Some(url) = postgres else { return Ok(Addresses::default()) };
    without_password(&url)?;
    Ok(Addresses::default().with_postgres(url))
}

/// Each mistake on a line of its own, as the findings are.
fn not_read(mistakes: &Mistakes, output: &Output) -> Result<(), Failure> {
    let lines: Vec<_> = mistakes.iter().map(|mistake| one_line(true, "invalid-map", &mistake.to_string())).collect();
    let findings: Vec<_> = mistakes
        .iter()
        .map(|mistake| {
            json!({ "fault": true, "code": "invalid-map", "line": mistake.line(), "key": mistake.key(), "text": mistake.text() })
        })
        .collect();
    output.say(&lines.join("\n"), &json!({ "faults": findings.len(), "findings": findings }))?;
    Err(Failure::Coded("invalid-map", format!("the map has {} mistakes", findings.len())))
}

fn one_line(is_fault: bool, code: &str, text: &str) -> String {
    format!("{}  {code}  {text}", if is_fault { "fault" } else { "note " })
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "fault": finding.is_fault(), "code": finding.code(), "line": finding.line(), "source": finding.source(),
        "place": finding.place().map(ToString::to_string), "text": finding.text(),
    })
}

//! `rxseal count`.

mod as_json;
mod part;
mod rings;
mod through_map;

use std::path::Path;

use rxseal::KeyId;
use rxseal::count::{CountSql, IndexCounts, KeyCounts};
use rxseal::keys::{KeyringFile, RemainingUse};
use serde_json::json;

use crate::args::{Count, Counted, Dialect, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::map;
#[cfg(not(feature = "postgres"))]
use crate::not_built::postgres;
use crate::output::{Output, table};
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::url::without_password;

use as_json::counts_as_json;
use part::{NOT_ALONE, not_alone};
use rings::{check_lost, warn_of_others};

pub use as_json::members;
pub use rings::{has_key, keyrings};
pub use through_map::cannot_count;

pub async fn run(global: &Global, command: &Count, output: &Output) -> Result<(), Failure> {
    if let Some(path) = &command.map {
        return through_map::run(global, path, command, output).await;
    }
    let (table, column) = (command.table.as_deref().unwrap_or_default(), command.column.as_deref().unwrap_or_default());
    if let Some(dialect) = command.sql {
        let sql = match dialect {
            Dialect::Sqlite => CountSql::sqlite(table, column)?,
            Dialect::Postgres => CountSql::postgres(table, column)?,
        };
        return Ok(output.say(sql.as_str(), &json!({ "sql": sql.as_str() }))?);
    }
    let database = Database::of(command.sqlite.as_deref(), command.postgres.as_deref())
        .ok_or_else(|| Failure::Usage("no database is given: use --sqlite FILE or --postgres URL".to_owned()))?;
    let rings = keyrings(global, &command.keyspaces).await?;
    let counts = database.count(table, column).await?;
    let lost: Vec<_> = counts.iter().filter(|(key, _)| !rings.iter().any(|ring| has_key(ring, *key))).collect();
    let lost = if rings.is_empty() { Vec::new() } else { lost };
    output.say(&describe(&counts, &lost), &as_json(&counts, &lost, &rings))?;
    if let Some(doubt) = counts.doubt() {
        output.warning(&format!("{table}.{column}: {doubt}"));
    }
    check_lost(&lost, &command.keyspaces)
}

/// How many tokens are under `key` in the columns that the operator named, or in all that a map names. Fails if a column cannot prove its zero.
pub async fn count_under(
    key: KeyId,
    ring: &KeyringFile,
    counted: &Counted,
    config: &Config,
    output: &Output,
) -> Result<u64, Failure> {
    if let Some(path) = &counted.map {
        let (map, addresses) = map::read(path, counted.postgres.as_deref(), config)?;
        return through_map::count_under(key, ring, &map, &addresses, output).await;
    }
    let database = Database::of(counted.sqlite.as_deref(), counted.postgres.as_deref());
    let database = match (database, counted.columns.is_empty() && counted.empty.is_empty()) {
        (Some(database), false) => database,
        (None, true) => return Ok(0),
        (None, false) => {
            return Err(Failure::Usage(
                "no database is given for the columns: use --sqlite FILE or --postgres URL".to_owned(),
            ));
        }
        (Some(_), true) => {
            return Err(Failure::Usage("no column is given: name each with --column TABLE.COLUMN".to_owned()));
        }
    };
    let mut total: u64 = 0;
    for name in &counted.columns {
        let counts = database.count_named(name, "--column").await?;
        if counts.not_tokens() > 0 {
            return Err(Failure::Checked(format!(
                "{name}: {} values have no readable token, so what is under the key is not known. Repair damaged tokens and seal plaintext; tokens inside documents are counted only if these are text (not CBOR or bincode), see `Documents` in docs/RUNBOOKS.md",
                counts.not_tokens()
            )));
        }
        let still = RemainingUse::counted([&counts], ring.keys(), key, 0, None);
        let still = still.map_err(|_| says_nothing(name, &counts, ring))?;
        total = total.saturating_add(still.tokens());
        let others =
            counts.iter().filter(|(key, _)| !has_key(ring, *key)).fold(0_u64, |sum, (_, n)| sum.saturating_add(n));
        warn_of_others(name, others, ring, output);
    }
    for name in &counted.empty {
        let counts = database.count_named(name, "--empty").await?;
        if let Some(doubt) = counts.doubt() {
            return Err(Failure::Coded("not-counted", format!("{name}: {doubt}")));
        }
        let (tokens, others) = (counts.total(), counts.not_tokens());
        counts.confirmed_empty().map_err(|_| {
            let text = format!("{name}: it is named with --empty, but has {tokens} tokens and {others} other values. Name it with --column");
            Failure::Coded("not-counted", text)
        })?;
    }
    Ok(total)
}

/// Why a zero in this column proves nothing.
fn says_nothing(name: &str, counts: &KeyCounts, ring: &KeyringFile) -> Failure {
    let seen = match (counts.doubt(), counts.total(), counts.nulls()) {
        (Some(doubt), ..) => return Failure::Coded("not-counted", format!("{name}: {doubt}")),
        (None, 0, 0) => "it has no rows".to_owned(),
        (None, 0, nulls) => format!("it has {nulls} rows and no value"),
        (None, others, _) => format!("it has {others} tokens, all of other keyrings"),
    };
    let text = format!(
        "{name}: {seen}, so it does not show that nothing is left under the key. It must show a token of the keyring of {}: check \
         the database, schema and column, and that this role sees every row, or use --empty {name} if it should be empty",
        ring.keyspace()
    );
    Failure::Coded("not-counted", text)
}

/// Where columns are counted.
pub enum Database<'a> {
    Sqlite(&'a Path),
    Postgres(&'a str),
}

impl<'a> Database<'a> {
    pub fn of(sqlite: Option<&'a Path>, postgres: Option<&'a str>) -> Option<Self> {
        sqlite.map(Self::Sqlite).or_else(|| postgres.map(Self::Postgres))
    }

    async fn count(&self, table: &str, column: &str) -> Result<KeyCounts, Failure> {
        match self {
            Self::Sqlite(path) => Ok(rxseal_sqlite::count_sqlite(path, table, column)?),
            Self::Postgres(url) => {
                without_password(url)?;
                postgres::count(url, table, column).await
            }
        }
    }

    async fn count_named(&self, name: &str, option: &str) -> Result<KeyCounts, Failure> {
        let (table, column) = table_and_column(name, option)?;
        self.count(table, column).await
    }

    /// The index values of a column.
    pub async fn count_index_named(&self, name: &str, option: &str) -> Result<IndexCounts, Failure> {
        let (table, column) = table_and_column(name, option)?;
        match self {
            Self::Sqlite(path) => Ok(rxseal_sqlite::count_index_sqlite(path, table, column)?),
            Self::Postgres(url) => {
                without_password(url)?;
                postgres::count_index(url, table, column).await
            }
        }
    }
}

fn table_and_column<'n>(name: &'n str, option: &str) -> Result<(&'n str, &'n str), Failure> {
    name.rsplit_once('.').ok_or_else(|| Failure::Usage(format!("{option} must be TABLE.COLUMN, not {name:?}")))
}

fn describe(counts: &KeyCounts, lost: &[(KeyId, u64)]) -> String {
    let mark = |key: KeyId| if lost.iter().any(|(of, _)| *of == key) { "not in the keyring" } else { "" };
    let keys = counts.iter().map(|(key, count)| [key.to_string(), count.to_string(), mark(key).to_owned()]);
    let joined = counts.joined().fold(0_u64, |sum, (_, count)| sum.saturating_add(count));
    let others = [
        ("not a token", counts.not_tokens()),
        ("of them like one", counts.look_alikes()),
        (NOT_ALONE, not_alone(counts)),
        ("null", counts.nulls()),
        ("joined", joined),
    ];
    let others = others
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| [what.to_owned(), count.to_string(), String::new()]);
    let mut text = table(["key", "tokens", ""], keys.chain(others));
    if counts.not_tokens() > 0 {
        text.push_str(
            "\n\nnot a token: plaintext left behind, a damaged token, or a binary document (CBOR, bincode), whose tokens cannot be counted. Look at these values before you destroy a key",
        );
    }
    if not_alone(counts) > 0 {
        text.push_str(
            "\n\nnot one token alone: documents, or a text with a token in it. In a column that should be sealed, look at these values too",
        );
    }
    if joined > 0 {
        text.push_str(
            "\n\njoined: text that looks like a token directly after another one. By chance that happens once in 5,600,000 letters; --json lists the keys, and a key that you know is no chance",
        );
    }
    text
}

fn as_json(counts: &KeyCounts, lost: &[(KeyId, u64)], rings: &[KeyringFile]) -> serde_json::Value {
    let lost = (!rings.is_empty()).then(|| members(lost.iter().copied()));
    counts_as_json(counts, [("not_in_keyring", json!(lost))])
}

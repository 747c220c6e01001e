//! `rxseal count`.

use rxseal::{CountSql, KeyCounts, KeyId};
use serde_json::json;

use crate::args::{Count, Counted};
use crate::config::without_password;
use crate::failure::Failure;
use crate::output::{Output, table};

pub async fn run(command: &Count, output: &Output) -> Result<(), Failure> {
    let (table, column) = (&command.table, &command.column);
    let (sql, counts) = match (&command.sqlite, &command.postgres) {
        (Some(path), _) => {
            let sql = CountSql::sqlite(table, column)?;
            (sql, if command.sql { None } else { Some(rxseal::count_sqlite(path, table, column)?) })
        }
        (None, Some(url)) => {
            without_password(url)?;
            let sql = CountSql::postgres(table, column)?;
            (sql, if command.sql { None } else { Some(in_postgres(url, table, column).await?) })
        }
        (None, None) => return Err(Failure::Usage("count --sqlite FILE or --postgres URL".to_owned())),
    };
    match counts {
        None => Ok(output.say(sql.as_str(), &json!({ "sql": sql.as_str() }))?),
        Some(counts) => Ok(output.say(&describe(&counts), &as_json(&counts))?),
    }
}

/// How many tokens are under `key` in columns that an operator named.
pub async fn count_under(key: KeyId, counted: &Counted) -> Result<u64, Failure> {
    let mut total: u64 = 0;
    for name in &counted.columns {
        let Some((table, column)) = name.rsplit_once('.') else {
            return Err(Failure::Usage(format!("--column is TABLE.COLUMN, not {name:?}")));
        };
        let counts = match (&counted.sqlite, &counted.postgres) {
            (Some(path), _) => rxseal::count_sqlite(path, table, column)?,
            (None, Some(url)) => {
                without_password(url)?;
                in_postgres(url, table, column).await?
            }
            (None, None) => {
                return Err(Failure::Usage("of which database? Say --sqlite FILE or --postgres URL".to_owned()));
            }
        };
        if counts.not_tokens() > 0 {
            return Err(Failure::Checked(format!(
                "{name}: {} values show no token, so nobody knows what is under the key: a token that was cut off, or plaintext? \
                 Mend or seal them. If these are documents, tokens in them are counted only where they are text (not in CBOR, \
                 bincode): reseal them first, as `Documents` in docs/RUNBOOKS.md says",
                counts.not_tokens()
            )));
        }
        total = total.saturating_add(counts.of(key));
    }
    Ok(total)
}

#[cfg(feature = "postgres-store")]
async fn in_postgres(url: &str, table: &str, column: &str) -> Result<KeyCounts, Failure> {
    Ok(rxseal::count_postgres(url, table, column).await?)
}

#[cfg(not(feature = "postgres-store"))]
async fn in_postgres(_: &str, _: &str, _: &str) -> Result<KeyCounts, Failure> {
    Err(Failure::Usage(
        "PostgreSQL is not in this build: cargo install rxseal --features cli,postgres-store; or run the SQL of --sql \
         yourself"
            .to_owned(),
    ))
}

fn describe(counts: &KeyCounts) -> String {
    let keys = counts.iter().map(|(key, count)| [key.to_string(), count.to_string()]);
    let others = [("not a token", counts.not_tokens()), ("null", counts.nulls())];
    let others =
        others.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| [what.to_owned(), count.to_string()]);
    let mut text = table(["key", "tokens"], keys.chain(others));
    if counts.not_tokens() > 0 {
        text.push_str(
            "\n\nvalues that show no token: plaintext left behind, cut off, or binary documents (CBOR, bincode), whose tokens are \
             not seen? Look at them before a key is destroyed",
        );
    }
    text
}

fn as_json(counts: &KeyCounts) -> serde_json::Value {
    let keys: serde_json::Map<_, _> = counts.iter().map(|(key, count)| (key.to_string(), json!(count))).collect();
    json!({ "keys": keys, "total": counts.total(), "not_tokens": counts.not_tokens(), "nulls": counts.nulls() })
}

//! The steps of a migration, with the SQL of this table, as `rxseal job plan --op backfill` prints them. docs/MIGRATION.md is their run-book.

use std::fmt;

use rxseal::Error;
use rxseal::columns::{ColumnLen, ColumnSql};

/// Where the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Postgres,
    Sqlite,
}

/// A column of a field.
pub(crate) struct StepColumn {
    pub(crate) name: String,
    pub(crate) is_bytes: bool,
    /// Its longest token.
    pub(crate) longest: ColumnLen,
}

/// The steps by which the plaintext of a table becomes tokens while programs go on. Its `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    gate: Vec<String>,
    proof: Vec<String>,
    end: Vec<String>,
}

impl Steps {
    /// `quoted` is the table's name as its SQL has it.
    pub(crate) fn of(database: Database, table: &str, quoted: &str, columns: &[StepColumn]) -> Result<Self, Error> {
        let (mut gate, mut proof) = (Vec::new(), Vec::new());
        for StepColumn { name, is_bytes, longest } in columns {
            let sql = ColumnSql::sealed(table, name, *longest)?;
            match database {
                Database::Postgres => {
                    let sql = if *is_bytes { sql.binary() } else { sql }.postgres()?;
                    gate.extend(sql.begin().lines().map(str::to_owned));
                    proof.extend(sql.finish().lines().map(str::to_owned));
                }
                Database::Sqlite => gate.extend(sql.sqlite_gate()?.lines().map(str::to_owned)),
            }
        }
        let end: &[&str] = match database {
            Database::Postgres => &["VACUUM FULL {t};", "ANALYZE {t};", "VACUUM FULL pg_statistic;", "CHECKPOINT;"],
            Database::Sqlite => &["VACUUM;", "PRAGMA wal_checkpoint(TRUNCATE);"],
        };
        let end = end.iter().map(|line| line.replace("{t}", quoted)).collect();
        Ok(Self { gate, proof, end })
    }

    /// The statements of step 3, after which the database takes no plaintext that is written.
    #[must_use]
    pub fn gate(&self) -> &[String] {
        &self.gate
    }

    /// The statements of step 5, by which the database proves that none is left. SQLite has none: the job's count is the proof.
    #[must_use]
    pub fn proof(&self) -> &[String] {
        &self.proof
    }

    /// The statements after step 6, which remove what the database's files still hold.
    #[must_use]
    pub fn end(&self) -> &[String] {
        &self.end
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = |f: &mut fmt::Formatter<'_>, lines: &[String]| {
            lines.iter().try_for_each(|line| writeln!(f, "       {line}"))
        };
        writeln!(f, "  1. Readers: release programs that read tokens and plaintext, and write plaintext.")?;
        writeln!(
            f,
            "  2. Writers: release programs that write tokens. Until step 3, whoever can write to the table can plant plaintext."
        )?;
        writeln!(
            f,
            "  3. Gate: the database refuses plaintext that is written. Until step 5, only who may change the schema can plant some."
        )?;
        block(f, &self.gate)?;
        writeln!(f, "  4. Backfill: rxseal job run")?;
        writeln!(f, "  5. Proof: nothing is left.")?;
        block(f, &self.proof)?;
        writeln!(f, "  6. Strict: release programs that read no plaintext. Nobody can plant any from then on.")?;
        writeln!(f, "  Then remove what the files still hold:")?;
        block(f, &self.end)
    }
}

#[cfg(test)]
mod tests {
    use rxseal::columns::ColumnLen;

    use super::{Database, StepColumn, Steps};

    #[test]
    fn each_step_is_said_with_its_sql() {
        let longest = ColumnLen::padded_to(32, 60).any_suite();
        let columns = [StepColumn { name: "drug".to_owned(), is_bytes: false, longest }];
        let steps = Steps::of(Database::Postgres, "public.rx", "public.rx", &columns).unwrap();
        let shown = steps.to_string();
        for part in [
            "       CREATE DOMAIN \"public\".\"rxseal_rx_drug\" AS text COLLATE \"C\";\n",
            "BETWEEN 52 AND 151",
            "       ALTER DOMAIN \"public\".\"rxseal_rx_drug\" VALIDATE CONSTRAINT \"sealed\";\n  6. Strict",
            "       VACUUM FULL public.rx;\n",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        let steps = Steps::of(Database::Sqlite, "rx", "rx", &columns).unwrap();
        assert!(
            steps.gate().first().is_some_and(|line| line.starts_with("CREATE TRIGGER")) && steps.proof().is_empty()
        );
    }
}

//! Rows with one sealed column: sealed, opened, resealed and counted.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rxseal::count::KeyCounts;
use rxseal::phi::Drug;
use rxseal::{Access, Keyring, Purpose, Token};
use rxseal_sqlite::count_sqlite;

pub struct Rows {
    path: PathBuf,
    database: Connection,
}

impl Rows {
    /// A new table of `count` rows.
    pub fn sealed(path: &Path, keys: &Keyring, count: u32) -> Result<Self, Box<dyn Error>> {
        let mut database = Connection::open(path)?;
        database.execute_batch("CREATE TABLE prescription (id INTEGER PRIMARY KEY, drug TEXT NOT NULL)")?;
        let transaction = database.transaction()?;
        for id in 1..=count {
            let token = keys.record("prescription", id)?.seal::<Drug>(&format!("lisinopril {id} MG"))?;
            transaction.execute("INSERT INTO prescription VALUES (?1, ?2)", (id, token.to_string()))?;
        }
        transaction.commit()?;
        Ok(Self { path: path.to_owned(), database })
    }

    /// Opens every row and returns how many there were.
    pub fn open_all(&self, keys: &Keyring) -> Result<u32, Box<dyn Error>> {
        let access = Access::new("job:rotation-check", Purpose::HOPERAT)?;
        let mut opened = 0;
        for (id, token) in self.tokens()? {
            let drug: String = keys.record("prescription", id)?.opened_by(&access).open::<Drug, _>(&token)?;
            if drug != format!("lisinopril {id} MG") {
                return Err(format!("row {id} holds something else").into());
            }
            opened += 1;
        }
        Ok(opened)
    }

    /// Reseals every row to the key that seals now. Each update checks the token that was read: a row that somebody
    /// else wrote meanwhile is left to the next run.
    pub fn reseal_all(&self, keys: &Keyring) -> Result<(), Box<dyn Error>> {
        for (id, token) in self.tokens()? {
            if keys.needs_reseal(&token)? {
                let fresh = keys.record("prescription", id)?.reseal::<Drug>(&token)?;
                let change = "UPDATE prescription SET drug = ?1 WHERE id = ?2 AND drug = ?3";
                self.database.execute(change, (fresh.to_string(), id, token.to_string()))?;
            }
        }
        Ok(())
    }

    pub fn count(&self) -> Result<KeyCounts, rxseal::Error> {
        count_sqlite(&self.path, "prescription", "drug")
    }

    fn tokens(&self) -> Result<Vec<(i64, Token)>, Box<dyn Error>> {
        let mut statement = self.database.prepare("SELECT id, drug FROM prescription ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (id, text) = row?;
            Ok((id, text.parse()?))
        })
        .collect()
    }
}

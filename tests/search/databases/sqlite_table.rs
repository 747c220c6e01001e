//! The table of patients in SQLite, by rusqlite. A name has several values, which are rows of a table of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Row, ToSql, Transaction, TransactionBehavior, params_from_iter};
use rxseal::SealedRecord as _;
use rxseal::columns::{IndexSql, ReindexSql, SwapParameter};
use rxseal::index::{IndexSet, IndexValue};

use super::{AnyName, BornOn, FirstIs, Killed, LastIs, Persons, PhoneIs, Prefix, SealedPerson, person_schema};

pub struct SqlitePersons {
    path: PathBuf,
    db: Connection,
    sql: ReindexSql,
}

impl SqlitePersons {
    pub fn create(path: &Path) -> Self {
        let persons = Self::open(path);
        let db = &persons.db;
        let table = "CREATE TABLE person (id INTEGER PRIMARY KEY, last_name BLOB NOT NULL, first_name BLOB NOT NULL, birth_date \
                     BLOB NOT NULL, phone BLOB NOT NULL)";
        db.execute_batch(table).unwrap();
        for column in index_columns() {
            db.execute_batch(&column.sqlite("id").unwrap()).unwrap();
        }
        persons
    }

    fn open(path: &Path) -> Self {
        let db = Connection::open(path).unwrap();
        db.busy_timeout(Duration::from_secs(60)).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        let sql = ReindexSql::sqlite_of("person", &person_schema()).unwrap();
        Self { path: path.to_owned(), db, sql }
    }

    fn select(&mut self, condition: &str, values: Vec<&dyn ToSql>) -> Vec<SealedPerson> {
        rows(&self.db, &format!("SELECT * FROM person WHERE {condition}"), values)
    }
}

fn rows(db: &Connection, sql: &str, values: Vec<&dyn ToSql>) -> Vec<SealedPerson> {
    let mut select = db.prepare_cached(sql).unwrap();
    select.query_map(params_from_iter(values), read).unwrap().map(Result::unwrap).collect()
}

pub fn index_columns() -> [IndexSql; 5] {
    let of = |sql: Result<IndexSql, rxseal::Error>| sql.unwrap();
    [
        of(IndexSql::of::<BornOn>("person", "born_on")),
        of(IndexSql::of::<LastIs>("person", "last_is")),
        of(IndexSql::of::<FirstIs>("person", "first_is")),
        of(IndexSql::of::<PhoneIs>("person", "phone_is")),
        of(IndexSql::of::<AnyName>("person", "any_name")),
    ]
}

fn read(row: &Row<'_>) -> rusqlite::Result<SealedPerson> {
    Ok(SealedPerson {
        id: row.get("id")?,
        last_name: row.get("last_name")?,
        first_name: row.get("first_name")?,
        birth_date: row.get("birth_date")?,
        phone: row.get("phone")?,
        born_on: row.get("born_on")?,
        last_is: row.get("last_is")?,
        first_is: row.get("first_is")?,
        phone_is: row.get("phone_is")?,
        any_name: IndexSet::default(),
    })
}

/// The columns of the table, without the id.
const COLUMNS: [&str; 8] =
    ["last_name", "first_name", "birth_date", "phone", "last_is", "first_is", "born_on", "phone_is"];

/// What a row has in one of them.
fn cell<'r>(row: &'r SealedPerson, column: &str) -> &'r dyn ToSql {
    match column {
        "last_name" => &row.last_name,
        "first_name" => &row.first_name,
        "birth_date" => &row.birth_date,
        "phone" => &row.phone,
        "last_is" => &row.last_is,
        "first_is" => &row.first_is,
        "born_on" => &row.born_on,
        "phone_is" => &row.phone_is,
        _ => panic!("{column}"),
    }
}

fn write(db: &Transaction<'_>, row: &SealedPerson) {
    let sql = format!(
        "INSERT OR REPLACE INTO person (id, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        COLUMNS.join(", ")
    );
    let values = [&row.id as &dyn ToSql].into_iter().chain(COLUMNS.map(|column| cell(row, column)));
    db.prepare_cached(&sql).unwrap().execute(params_from_iter(values)).unwrap();
    db.prepare_cached("DELETE FROM person_any_name WHERE id = ?1").unwrap().execute([row.id]).unwrap();
    let mut insert = db.prepare_cached("INSERT INTO person_any_name (ix, id) VALUES (?1, ?2)").unwrap();
    for value in row.any_name.as_slice() {
        insert.execute((value, row.id)).unwrap();
    }
}

fn listed<V: ToSql>(column: &str, values: &[V]) -> String {
    format!("{column} IN ({})", vec!["?"; values.len()].join(", "))
}

fn dynamic<V: ToSql>(values: &[V]) -> impl Iterator<Item = &dyn ToSql> {
    values.iter().map(|value| value as &dyn ToSql)
}

impl Persons for SqlitePersons {
    fn another(&self) -> Box<dyn Persons> {
        Box::new(Self::open(&self.path))
    }

    fn insert(&mut self, rows: &[SealedPerson]) {
        let page = self.db.transaction().unwrap();
        rows.iter().for_each(|row| write(&page, row));
        page.commit().unwrap();
    }

    fn save(&mut self, row: &SealedPerson) {
        let save = self.db.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        write(&save, row);
        save.commit().unwrap();
    }

    fn born(&mut self, values: &[IndexValue<BornOn>]) -> Vec<SealedPerson> {
        self.select(&listed("born_on", values), dynamic(values).collect())
    }

    fn called(&mut self, last: &[IndexValue<LastIs>], first: &[IndexValue<FirstIs>]) -> Vec<SealedPerson> {
        let condition = format!("{} AND {}", listed("last_is", last), listed("first_is", first));
        self.select(&condition, dynamic(last).chain(dynamic(first)).collect())
    }

    fn with_phone(&mut self, values: &[IndexValue<PhoneIs>]) -> Vec<SealedPerson> {
        self.select(&listed("phone_is", values), dynamic(values).collect())
    }

    fn with_any_name(&mut self, values: &[IndexValue<AnyName>]) -> Vec<SealedPerson> {
        let condition = format!("id IN (SELECT id FROM person_any_name WHERE {})", listed("ix", values));
        self.select(&condition, dynamic(values).collect())
    }

    fn count_born(&mut self, values: &[IndexValue<BornOn>]) -> usize {
        let sql = format!("SELECT count(*) FROM person WHERE {}", listed("born_on", values));
        let mut select = self.db.prepare_cached(&sql).unwrap();
        let count: i64 = select.query_row(params_from_iter(values), |row| row.get(0)).unwrap();
        usize::try_from(count).unwrap()
    }

    fn page(&mut self, prefixes: Option<&[Prefix]>, after: i64, limit: i64) -> Vec<SealedPerson> {
        let sql = prefixes.map_or_else(|| self.sql.select_all(), |prefixes| self.sql.select(prefixes.len()));
        let fixed: [&dyn ToSql; 2] = [&after, &limit];
        let values = fixed.into_iter().chain(dynamic(prefixes.unwrap_or_default())).collect();
        // The rows and the values of their names are of one moment.
        let page = self.db.transaction().unwrap();
        let mut rows = rows(&page, &sql, values);
        let mut select = page.prepare_cached("SELECT ix FROM person_any_name WHERE id = ?1").unwrap();
        for row in &mut rows {
            let values = select.query_map([row.id], |row| row.get(0)).unwrap().map(Result::unwrap);
            row.any_name = IndexSet::from_values(values).unwrap();
        }
        rows
    }

    fn swap(&mut self, old: &SealedPerson, new: &SealedPerson, kill: &mut dyn FnMut() -> bool) -> Result<bool, Killed> {
        let mut step = || if kill() { Err(Killed) } else { Ok(()) };
        step()?;
        // What is dropped before its commit is rolled back, as after a kill.
        let swap = self.db.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let values = self.sql.swap_parameters().map(|parameter| match parameter {
            SwapParameter::Id => &new.id,
            SwapParameter::New(column) => cell(new, column),
            SwapParameter::Old(column) => cell(old, column),
        });
        let written = swap.prepare_cached(&self.sql.swap()).unwrap().execute(params_from_iter(values)).unwrap();
        step()?;
        if written == 1 {
            for (column, delete, insert) in self.sql.replace_values() {
                assert_eq!(column, "any_name");
                swap.prepare_cached(&delete).unwrap().execute([new.id]).unwrap();
                step()?;
                let mut insert = swap.prepare_cached(&insert).unwrap();
                for value in new.any_name.as_slice() {
                    insert.execute((value, new.id)).unwrap();
                }
            }
        }
        step()?;
        swap.commit().unwrap();
        step()?;
        Ok(written == 1)
    }

    fn counts(&mut self) -> BTreeMap<Prefix, u64> {
        let mut counts = BTreeMap::new();
        let columns = SealedPerson::INDEX_COLUMNS.iter().map(|column| match column.name() {
            "any_name" => ("ix".to_owned(), "person_any_name"),
            name => (name.to_owned(), "person"),
        });
        for (column, table) in columns {
            let sql =
                format!("SELECT substr({column}, 1, 3), count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1");
            let mut select = self.db.prepare(&sql).unwrap();
            let rows = select.query_map((), |row| Ok((row.get(0)?, row.get::<_, u32>(1)?))).unwrap();
            rows.map(Result::unwrap).for_each(|(prefix, count)| *counts.entry(prefix).or_default() += u64::from(count));
        }
        counts
    }

    fn clear(&mut self, id: i64) {
        for column in index_columns() {
            self.db.execute(&column.clear_sqlite("id").unwrap(), [id]).unwrap();
        }
    }
}

//! The table of patients in PostgreSQL, by tokio-postgres. A name has several values, which are an array.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use rxseal::SealedRecord as _;
use rxseal::columns::{ReindexSql, SwapParameter};
use rxseal::index::IndexValue;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, NoTls, Row, Statement};

use super::sqlite_table::index_columns;
use super::{AnyName, BornOn, FirstIs, Killed, LastIs, Persons, PhoneIs, Prefix, SealedPerson, person_schema};

type Value<'a> = &'a (dyn ToSql + Sync);

pub struct PostgresPersons {
    schema: String,
    runtime: Runtime,
    db: Client,
    statements: HashMap<String, Statement>,
    log: Arc<Mutex<String>>,
    sql: ReindexSql,
}

impl PostgresPersons {
    pub fn create(schema: &str) -> Self {
        let mut persons = Self::open(schema);
        persons.batch(&format!("CREATE SCHEMA {schema}"));
        persons.batch(
            "CREATE TABLE person (id BIGINT PRIMARY KEY, last_name BYTEA NOT NULL, first_name BYTEA NOT NULL, birth_date BYTEA NOT \
             NULL, phone BYTEA NOT NULL)",
        );
        index_columns().iter().for_each(|column| persons.batch(&column.postgres().unwrap()));
        persons
    }

    fn open(schema: &str) -> Self {
        let url = std::env::var("RXSEAL_TEST_POSTGRES")
            .expect("the URL of a superuser of PostgreSQL, which `.ci/servers` sets");
        let url = format!("{url}?options=-c%20search_path%3D{schema}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let log = Arc::<Mutex<String>>::default();
        let db = runtime.block_on(async {
            let (db, mut connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            let log = Arc::clone(&log);
            let messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
            tokio::spawn(messages.for_each(move |message| {
                if let Ok(AsyncMessage::Notice(notice)) = message {
                    writeln!(log.lock().unwrap(), "{notice} {}", notice.detail().unwrap_or_default()).unwrap();
                }
                std::future::ready(())
            }));
            db
        });
        let sql = ReindexSql::postgres_of("person", &person_schema()).unwrap();
        Self { schema: schema.to_owned(), runtime, db, statements: HashMap::new(), log, sql }
    }

    /// At the end of a test that passed.
    pub fn remove(mut self) {
        self.batch(&format!("DROP SCHEMA {} CASCADE", self.schema));
    }

    pub fn batch(&mut self, sql: &str) {
        self.runtime.block_on(self.db.batch_execute(sql)).unwrap();
    }

    fn prepared(&mut self, sql: &str) -> Statement {
        if let Some(statement) = self.statements.get(sql) {
            return statement.clone();
        }
        let statement = self.runtime.block_on(self.db.prepare(sql)).unwrap();
        self.statements.insert(sql.to_owned(), statement.clone());
        statement
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Vec<Row> {
        let statement = self.prepared(sql);
        self.runtime.block_on(self.db.query(&statement, values)).unwrap()
    }

    /// What the server has logged of this connection since the last call, with the parameters of its statements.
    pub fn logged(&mut self) -> String {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    pub fn find_in_the_clear(&mut self, name: &str) {
        self.query("SELECT id FROM person WHERE last_name = convert_to($1::text, 'UTF8')", &[&name]);
    }

    fn select(&mut self, condition: &str, values: &[Value<'_>]) -> Vec<SealedPerson> {
        self.query(&format!("SELECT * FROM person WHERE {condition}"), values).iter().map(read).collect()
    }

    pub fn text(&mut self, sql: &str) -> Vec<String> {
        self.query(sql, &[]).iter().map(|row| row.get(0)).collect()
    }
}

fn read(row: &Row) -> SealedPerson {
    SealedPerson {
        id: row.get("id"),
        last_name: row.get("last_name"),
        first_name: row.get("first_name"),
        birth_date: row.get("birth_date"),
        phone: row.get("phone"),
        born_on: row.get("born_on"),
        last_is: row.get("last_is"),
        first_is: row.get("first_is"),
        phone_is: row.get("phone_is"),
        any_name: row.get("any_name"),
    }
}

/// The columns of `SAVE`, without the id.
const COLUMNS: [&str; 9] =
    ["last_name", "first_name", "birth_date", "phone", "last_is", "any_name", "first_is", "born_on", "phone_is"];

/// What a row has in one of them.
fn cell<'r>(row: &'r SealedPerson, column: &str) -> Value<'r> {
    match column {
        "last_name" => &row.last_name,
        "first_name" => &row.first_name,
        "birth_date" => &row.birth_date,
        "phone" => &row.phone,
        "last_is" => &row.last_is,
        "any_name" => &row.any_name,
        "first_is" => &row.first_is,
        "born_on" => &row.born_on,
        "phone_is" => &row.phone_is,
        _ => panic!("{column}"),
    }
}

/// The parameters of `SAVE`.
fn cells(row: &SealedPerson) -> impl Iterator<Item = Value<'_>> {
    [&row.id as Value<'_>].into_iter().chain(COLUMNS.map(|column| cell(row, column)))
}

const SAVE: &str = "INSERT INTO person (id, last_name, first_name, birth_date, phone, last_is, any_name, first_is, born_on, phone_is) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET last_name = excluded.last_name, \
                    first_name = excluded.first_name, birth_date = excluded.birth_date, phone = excluded.phone, last_is = \
                    excluded.last_is, any_name = excluded.any_name, first_is = excluded.first_is, born_on = excluded.born_on, \
                    phone_is = excluded.phone_is";

impl Persons for PostgresPersons {
    fn another(&self) -> Box<dyn Persons> {
        Box::new(Self::open(&self.schema))
    }

    fn insert(&mut self, rows: &[SealedPerson]) {
        self.runtime.block_on(async {
            let page = self.db.transaction().await.unwrap();
            let insert = page.prepare(SAVE).await.unwrap();
            // Sent without waiting for each answer.
            let all = rows.iter().map(|row| async {
                let values: Vec<_> = cells(row).collect();
                page.execute(&insert, &values).await.unwrap()
            });
            futures_util::future::join_all(all).await;
            page.commit().await.unwrap();
        });
    }

    fn save(&mut self, row: &SealedPerson) {
        let values: Vec<_> = cells(row).collect();
        self.query(SAVE, &values);
    }

    fn born(&mut self, values: &[IndexValue<BornOn>]) -> Vec<SealedPerson> {
        self.select("born_on = ANY($1)", &[&values])
    }

    fn called(&mut self, last: &[IndexValue<LastIs>], first: &[IndexValue<FirstIs>]) -> Vec<SealedPerson> {
        self.select("last_is = ANY($1) AND first_is = ANY($2)", &[&last, &first])
    }

    fn with_phone(&mut self, values: &[IndexValue<PhoneIs>]) -> Vec<SealedPerson> {
        self.select("phone_is = ANY($1)", &[&values])
    }

    fn with_any_name(&mut self, values: &[IndexValue<AnyName>]) -> Vec<SealedPerson> {
        self.select("any_name && $1", &[&values])
    }

    fn count_born(&mut self, values: &[IndexValue<BornOn>]) -> usize {
        let count = self.query("SELECT count(*) FROM person WHERE born_on = ANY($1)", &[&values]);
        usize::try_from(count[0].get::<_, i64>(0)).unwrap()
    }

    fn page(&mut self, prefixes: Option<&[Prefix]>, after: i64, limit: i64) -> Vec<SealedPerson> {
        let rows = match prefixes {
            Some(prefixes) => {
                let prefixes: Vec<&[u8]> = prefixes.iter().map(|prefix| &prefix[..]).collect();
                self.query(&self.sql.select(prefixes.len()), &[&after, &limit, &prefixes])
            }
            None => self.query(&self.sql.select_all(), &[&after, &limit]),
        };
        rows.iter().map(read).collect()
    }

    fn swap(&mut self, old: &SealedPerson, new: &SealedPerson, kill: &mut dyn FnMut() -> bool) -> Result<bool, Killed> {
        if kill() {
            return Err(Killed);
        }
        let sql = self.sql.clone();
        let values = sql.swap_parameters().map(|parameter| match parameter {
            SwapParameter::Id => &new.id,
            SwapParameter::New(column) => cell(new, column),
            SwapParameter::Old(column) => cell(old, column),
        });
        let (values, swap): (Vec<_>, _) = (values.collect(), self.prepared(&sql.swap()));
        let written = self.runtime.block_on(self.db.execute(&swap, &values)).unwrap();
        if kill() { Err(Killed) } else { Ok(written == 1) }
    }

    fn counts(&mut self) -> BTreeMap<Prefix, u64> {
        let mut counts = BTreeMap::new();
        for column in SealedPerson::INDEX_COLUMNS {
            let values = match column.name() {
                "any_name" => "SELECT unnest(any_name) AS v FROM person".to_owned(),
                name => format!("SELECT {name}::bytea AS v FROM person WHERE {name} IS NOT NULL"),
            };
            for row in
                self.query(&format!("SELECT substring(v FROM 1 FOR 3), count(*) FROM ({values}) AS vs GROUP BY 1"), &[])
            {
                let prefix: Prefix = row.get::<_, &[u8]>(0).try_into().unwrap();
                *counts.entry(prefix).or_default() += u64::try_from(row.get::<_, i64>(1)).unwrap();
            }
        }
        counts
    }

    fn clear(&mut self, id: i64) {
        for column in index_columns() {
            self.query(&column.clear_postgres("id").unwrap(), &[&id]);
        }
    }
}

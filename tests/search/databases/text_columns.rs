//! Index values that are kept as text: the job of a re-index, and what finds nothing if nobody says that they are.

use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, params_from_iter};
use rxseal::columns::{ReindexSql, SwapParameter};
use rxseal::index::{IndexPrefix, IndexSet};
use rxseal::phi::{BirthDate, FamilyName};
use rxseal::schema::{RecordSchema, Schema};
use rxseal::{Keyring, PhiRecord};
use rxseal_search::indexes;
use rxseal_search::reindex::{Progress, Swap, reindex_page};
use tokio_postgres::NoTls;

use super::{World, access};

#[derive(PhiRecord)]
#[phi(record = "visitor")]
pub struct Visitor {
    #[phi(id)]
    pub id: i64,
    #[phi(seal = BirthDate, index = BornOn)]
    pub birth_date: String,
    #[phi(seal = FamilyName, index = AnyName)]
    pub last_name: String,
}

indexes! {
    for Visitor as "visitor" {
        pub BornOn = "visitor.born": date(birth_date: BirthDate), bits 14;
        pub AnyName = "visitor.names": family_parts(last_name: FamilyName), bits 14;
    }
}

fn schema() -> RecordSchema {
    Schema::new().with::<Visitor>().unwrap().record("visitor").unwrap().clone()
}

fn visitors() -> [Visitor; 3] {
    [1, 2, 3].map(|id| Visitor { id, birth_date: format!("1970-01-{id:02}"), last_name: "Smith-Jones".into() })
}

/// A world whose index root was changed, and the prefixes that values no longer have.
fn changed(world: &World) -> (Keyring, Vec<IndexPrefix>) {
    let staged = world.stage();
    world.promote(staged);
    let keys = world.keys();
    let indexer = keys.indexer().unwrap();
    let mut former = indexer.prefixes::<BornOn>().unwrap();
    former.extend(indexer.prefixes::<AnyName>().unwrap());
    former.retain(|prefix| !prefix.is_current());
    (keys, former)
}

#[test]
fn sqlite_text_is_indexed_again() {
    let world = World::new();
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(
        "CREATE TABLE visitor (id INTEGER PRIMARY KEY, birth_date BLOB, last_name BLOB, born_on TEXT);
         CREATE TABLE visitor_any_name (ix TEXT NOT NULL, id NOT NULL, PRIMARY KEY (ix, id)) WITHOUT ROWID;",
    )
    .unwrap();
    for row in world.keys().seal_all(&visitors()).unwrap() {
        let born_on = row.born_on.map(|value| value.to_string());
        let values = (row.id, &row.birth_date, &row.last_name, born_on);
        db.execute("INSERT INTO visitor VALUES (?1, ?2, ?3, ?4)", values).unwrap();
        add_names(&db, "INSERT INTO visitor_any_name VALUES (?1, ?2)", &row);
    }
    let (keys, former) = changed(&world);
    let bytes = ReindexSql::sqlite_of("visitor", &schema()).unwrap();
    let found = |sql: &ReindexSql, prefixes: Vec<Box<dyn ToSql>>| {
        let fixed: [Box<dyn ToSql>; 2] = [Box::new(0), Box::new(10)];
        let values = fixed.into_iter().chain(prefixes);
        let mut select = db.prepare(&sql.select(former.len())).unwrap();
        select.query_map(params_from_iter(values), read).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let as_bytes = || former.iter().map(|prefix| Box::new(*prefix.as_bytes()) as Box<dyn ToSql>);
    // Text is equal to no bytes, so nothing would be found: that is said, and not passed over.
    let error = refused(&db, &bytes.select(former.len()), as_bytes());
    assert!(error.contains("for index values of text call ReindexSql::in_text"), "{error}");

    let sql = bytes.in_text();
    let as_text = || former.iter().map(|prefix| Box::new(prefix.to_string()) as _).collect();
    let mut rows = found(&sql, as_text());
    assert_eq!(rows.len(), 3);
    rows.iter_mut().for_each(|row| row.any_name = names(&db, row.id));
    let mut progress = Progress::default();
    let page = reindex_page(&rows, keys.reindex_all(&rows, &access()), &mut progress);
    // A value that is bound as bytes would be equal to none that is stored.
    let Swap { old, new } = &page.swaps[0];
    let values = sql.swap_parameters().map(|parameter| match parameter {
        SwapParameter::Id => new.id.to_sql().unwrap(),
        SwapParameter::New("born_on") => new.born_on.to_sql().unwrap(),
        SwapParameter::New(column) => cell(new, column),
        SwapParameter::Old(column) => cell(old, column),
    });
    let error = db.execute(&sql.swap(), params_from_iter(values)).unwrap_err().to_string();
    assert!(error.contains("bound as value.to_string()"), "{error}");
    let [(_, _, insert)] = sql.replace_values().collect::<Vec<_>>().try_into().unwrap();
    let error = db.execute(&insert, (new.any_name.as_slice()[0], new.id)).unwrap_err().to_string();
    assert!(error.contains("bound as value.to_string()"), "{error}");

    for swap in &page.swaps {
        let (old, new) = (swap.old, &swap.new);
        let values = sql.swap_parameters().map(|parameter| match parameter {
            SwapParameter::Id => new.id.to_sql().unwrap(),
            SwapParameter::New(column) => cell(new, column),
            SwapParameter::Old(column) => cell(old, column),
        });
        progress.add_written(db.execute(&sql.swap(), params_from_iter(values)).unwrap().try_into().unwrap());
        let [(column, delete, insert)] = sql.replace_values().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(column, "any_name");
        db.execute(&delete, [new.id]).unwrap();
        add_names(&db, &insert, new);
    }
    assert_eq!(progress.to_string(), "3 rows, 3 to write, 3 written, 0 failed");
    assert!(found(&sql, as_text()).is_empty());
    db.execute("UPDATE visitor SET born_on = x'00000000' WHERE id = 3", []).unwrap();
    let error = refused(&db, &sql.select(former.len()), former.iter().map(|prefix| Box::new(prefix.to_string()) as _));
    assert!(error.contains("ReindexSql::in_text is for index values of text"), "{error}");
    assert!(names(&db, 1).as_slice().len() == 3 && rows[0].any_name != names(&db, 1));
}

/// The error of a page that is selected by these prefixes.
fn refused(db: &Connection, sql: &str, prefixes: impl Iterator<Item = Box<dyn ToSql>>) -> String {
    let fixed: [Box<dyn ToSql>; 2] = [Box::new(0), Box::new(10)];
    let mut select = db.prepare(sql).unwrap();
    let mut rows = select.query(params_from_iter(fixed.into_iter().chain(prefixes))).unwrap();
    rows.next().unwrap_err().to_string()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<SealedVisitor> {
    Ok(SealedVisitor {
        id: row.get("id")?,
        birth_date: row.get("birth_date")?,
        last_name: row.get("last_name")?,
        born_on: row.get("born_on")?,
        any_name: IndexSet::default(),
    })
}

fn cell<'r>(row: &'r SealedVisitor, column: &str) -> ToSqlOutput<'r> {
    match column {
        "birth_date" => row.birth_date.to_sql().unwrap(),
        "last_name" => row.last_name.to_sql().unwrap(),
        "born_on" => match row.born_on {
            Some(value) => value.to_string().into(),
            None => rusqlite::types::Null.into(),
        },
        _ => panic!("{column}"),
    }
}

fn add_names(db: &Connection, insert: &str, row: &SealedVisitor) {
    for value in row.any_name.as_slice() {
        db.execute(insert, (value.to_string(), row.id)).unwrap();
    }
}

fn names(db: &Connection, id: i64) -> IndexSet<AnyName> {
    let mut select = db.prepare("SELECT ix FROM visitor_any_name WHERE id = ?1").unwrap();
    let values = select.query_map([id], |row| row.get(0)).unwrap().map(Result::unwrap);
    IndexSet::from_values(values).unwrap()
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn postgres_text_is_indexed_again() {
    let url = std::env::var("RXSEAL_TEST_POSTGRES").expect("the URL of PostgreSQL, which `.ci/servers` sets");
    let (db, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let table = "CREATE TEMPORARY TABLE visitor (id BIGINT PRIMARY KEY, birth_date BYTEA, last_name BYTEA, born_on TEXT, any_name TEXT[])";
    db.batch_execute(table).await.unwrap();
    let world = World::new();
    for row in world.keys().seal_all(&visitors()).unwrap() {
        let insert = "INSERT INTO visitor VALUES ($1, $2, $3, $4, $5)";
        db.execute(insert, &[&row.id, &row.birth_date, &row.last_name, &row.born_on, &row.any_name]).await.unwrap();
    }
    let (keys, former) = changed(&world);
    let bytes = ReindexSql::postgres_of("visitor", &schema()).unwrap();
    let as_bytes: Vec<&[u8]> = former.iter().map(|prefix| prefix.as_bytes().as_slice()).collect();
    db.query(&bytes.select(former.len()), &[&0_i64, &10_i64, &as_bytes]).await.unwrap_err();

    let sql = bytes.in_text();
    let as_text: Vec<String> = former.iter().map(ToString::to_string).collect();
    let found = async || {
        let rows = db.query(&sql.select(former.len()), &[&0_i64, &10_i64, &as_text]).await.unwrap();
        let read = |row: &tokio_postgres::Row| SealedVisitor {
            id: row.get("id"),
            birth_date: row.get("birth_date"),
            last_name: row.get("last_name"),
            born_on: row.get("born_on"),
            any_name: row.get("any_name"),
        };
        rows.iter().map(read).collect::<Vec<_>>()
    };
    let rows = found().await;
    let mut progress = Progress::default();
    for swap in reindex_page(&rows, keys.reindex_all(&rows, &access()), &mut progress).swaps {
        let values: Vec<_> = sql
            .swap_parameters()
            .map(|parameter| match parameter {
                SwapParameter::Id => &swap.new.id,
                SwapParameter::New(column) => postgres_cell(&swap.new, column),
                SwapParameter::Old(column) => postgres_cell(swap.old, column),
            })
            .collect();
        progress.add_written(db.execute(&sql.swap(), &values).await.unwrap());
    }
    assert_eq!(progress.to_string(), "3 rows, 3 to write, 3 written, 0 failed");
    assert!(found().await.is_empty());
}

/// The driver writes text to a column of text.
fn postgres_cell<'r>(row: &'r SealedVisitor, column: &str) -> &'r (dyn tokio_postgres::types::ToSql + Sync) {
    match column {
        "birth_date" => &row.birth_date,
        "last_name" => &row.last_name,
        "born_on" => &row.born_on,
        "any_name" => &row.any_name,
        _ => panic!("{column}"),
    }
}

#[test]
fn a_schema_gives_every_column_of_tokens() {
    let sql = ReindexSql::postgres_of("visitor", &schema()).unwrap();
    let new = ["birth_date", "last_name", "born_on", "any_name"].map(SwapParameter::New);
    let old = ["birth_date", "last_name", "born_on", "any_name"].map(SwapParameter::Old);
    let all: Vec<_> = [SwapParameter::Id].into_iter().chain(new).chain(old).collect();
    assert_eq!(sql.swap_parameters().collect::<Vec<_>>(), all);
    let sqlite = ReindexSql::sqlite_of("visitor", &schema()).unwrap();
    assert_eq!(sqlite.swap_parameters().count(), 7, "the names are in a table of their own");

    #[derive(PhiRecord)]
    #[phi(record = "visitor.badge")]
    struct Badge {
        #[phi(id)]
        id: i64,
        #[phi(seal = FamilyName)]
        name: String,
        #[phi(record_tag)]
        seal_tag: rxseal::RecordTag,
    }
    let schema = Schema::new().with::<Badge>().unwrap();
    let sql = ReindexSql::postgres_of("badge", &schema.records()[0]).unwrap();
    let tag = [SwapParameter::Id, SwapParameter::New("seal_tag"), SwapParameter::Old("seal_tag")];
    assert_eq!(sql.swap_parameters().collect::<Vec<_>>(), tag, "it stands for all tokens");

    #[derive(PhiRecord)]
    #[phi(record = "visitor.visit")]
    struct Visit {
        #[phi(id)]
        site: i64,
        #[phi(id)]
        number: i64,
        #[phi(seal = FamilyName)]
        name: String,
    }
    let schema = Schema::new().with::<Visit>().unwrap();
    let error = ReindexSql::postgres_of("visit", &schema.records()[0]).unwrap_err();
    assert_eq!((error.code().as_str(), error.record_type()), ("invalid-id", Some("visitor.visit")));
    let _ = (
        Badge { id: 1, name: String::new(), seal_tag: rxseal::RecordTag::default() },
        Visit { site: 1, number: 1, name: String::new() },
    );
}

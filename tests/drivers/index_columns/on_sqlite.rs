//! On SQLite: rusqlite, sqlx, diesel and sea-orm.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text};
use rxseal::index::{IndexSet, IndexValue};
use sea_orm::ConnectionTrait as _;
use sqlx::{ConnectOptions as _, Row as _};

use super::{AnyName, BornOn, OTHERS, born, names};
use crate::support::code;

type Born = IndexValue<BornOn>;

#[test]
fn rusqlite_reads_both_forms_and_null() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY, born_ix BLOB, born_text TEXT)").unwrap();
    let insert = "INSERT INTO patient VALUES (?1, ?2, ?3)";
    db.execute(insert, (1, born(), born().to_string())).unwrap();
    db.execute(insert, (2, None::<Born>, Some(born()))).unwrap();

    let select = "SELECT born_ix, born_text FROM patient ORDER BY id";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows: Vec<(Option<Born>, Born)> =
        db.prepare(select).unwrap().query_map((), read).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [(Some(born()), born()), (None, born())]);
    let found: i64 = db.query_row("SELECT id FROM patient WHERE born_ix IN (?1)", [born()], |row| row.get(0)).unwrap();
    assert_eq!(found, 1);

    let error = db.query_row("SELECT NULL", (), |row| row.get::<_, Born>(0)).unwrap_err();
    assert_eq!(code(&error, ""), Some("index-unreadable"));
    for other in OTHERS {
        let text = String::from_utf8_lossy(other);
        for value in [rusqlite::types::Value::Blob(other.to_vec()), text.to_string().into(), 19_700_131.into()] {
            let error = db.query_row("SELECT ?1", [value], |row| row.get::<_, Option<Born>>(0)).unwrap_err();
            assert_eq!(code(&error, &text), Some("index-unreadable"));
        }
    }
}

/// SQLite has no arrays: each value is a row of a table beside the patients'.
#[test]
fn rusqlite_keeps_a_set_in_a_side_table() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch(
        "CREATE TABLE patient_names (ix BLOB, patient_id INTEGER, PRIMARY KEY (ix, patient_id)) WITHOUT ROWID",
    )
    .unwrap();
    for value in names().as_slice() {
        db.execute("INSERT INTO patient_names VALUES (?1, 1)", [value]).unwrap();
    }
    let mut select = db.prepare("SELECT ix FROM patient_names WHERE patient_id = 1").unwrap();
    let values = select.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap);
    assert_eq!(IndexSet::<AnyName>::from_values(values).unwrap(), names());
}

#[tokio::test]
async fn sqlx_reads_both_forms_and_null() {
    let mut db = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true).connect().await.unwrap();
    let select = "SELECT ?1, ?2, ?3";
    let row =
        sqlx::query(select).bind(born()).bind(born().to_string()).bind(None::<Born>).fetch_one(&mut db).await.unwrap();
    assert_eq!(row.get::<Vec<u8>, _>(0), born().as_bytes());
    assert_eq!((row.get::<Born, _>(0), row.get::<Born, _>(1), row.get::<Option<Born>, _>(2)), (born(), born(), None));
    for other in OTHERS {
        let text = String::from_utf8_lossy(other).into_owned();
        let row = sqlx::query("SELECT ?1, ?2").bind(other).bind(&text).fetch_one(&mut db).await.unwrap();
        for at in [0, 1] {
            let error = row.try_get::<Option<Born>, _>(at).unwrap_err();
            assert_eq!(code(&error, &text), Some("index-unreadable"));
        }
    }
}

#[derive(Debug, QueryableByName)]
struct Raw {
    #[diesel(sql_type = Nullable<Binary>)]
    b: Option<Born>,
    #[diesel(sql_type = Nullable<Text>)]
    t: Option<Born>,
}

#[test]
fn diesel_reads_both_forms_and_null() {
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute("CREATE TABLE patient (b BLOB, t TEXT)").unwrap();
    let mut insert = |b: Option<Born>, t: Option<Born>| {
        let insert = diesel::sql_query("INSERT INTO patient VALUES (?, ?)");
        insert.bind::<Nullable<Binary>, _>(b).bind::<Nullable<Text>, _>(t).execute(&mut db).unwrap();
    };
    insert(Some(born()), Some(born()));
    insert(None, None);
    let rows: Vec<Raw> = diesel::sql_query("SELECT b, t FROM patient").load(&mut db).unwrap();
    assert_eq!([rows[0].b, rows[0].t, rows[1].b, rows[1].t], [Some(born()), Some(born()), None, None]);
    // A column that was declared BLOB may have text.
    let rows: Vec<Raw> = diesel::sql_query("SELECT t AS b, t FROM patient").load(&mut db).unwrap();
    assert_eq!(rows[0].b, Some(born()));
    for other in OTHERS {
        let select = diesel::sql_query("SELECT ? AS b, NULL AS t").bind::<Binary, _>(other);
        let error = select.get_result::<Raw>(&mut db).unwrap_err();
        assert_eq!(code(&error, &String::from_utf8_lossy(other)), None);
        let diesel::result::Error::DeserializationError(source) = error else { panic!() };
        assert_eq!(code(&*source, ""), Some("index-unreadable"));
    }
}

#[tokio::test]
async fn sea_orm_reads_both_forms_and_null() {
    let db = sea_orm::Database::connect("sqlite::memory:").await.unwrap();
    let select = |values: Vec<sea_orm::Value>| {
        sea_orm::Statement::from_sql_and_values(db.get_database_backend(), "SELECT $1 AS a, $2 AS b", values)
    };
    let values = vec![born().into(), born().to_string().into()];
    let row = db.query_one_raw(select(values)).await.unwrap().unwrap();
    assert_eq!(["a", "b"].map(|column| row.try_get::<Born>("", column).unwrap()), [born(); 2]);
    let row = db.query_one_raw(select(vec![None::<Born>.into(), OTHERS[3].to_vec().into()])).await.unwrap().unwrap();
    assert_eq!(row.try_get::<Option<Born>>("", "a").unwrap(), None);
    let sea_orm::DbErr::TryIntoErr { source, .. } = row.try_get::<Option<Born>>("", "b").unwrap_err() else { panic!() };
    assert_eq!(code(&*source, "1970"), Some("index-unreadable"));
}

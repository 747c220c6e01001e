//! `Migrating` in each driver: text and bytes, domains, lists and NULL; tokens and plaintext beside each other.

use diesel::connection::SimpleConnection;
use rxseal::migrating::{Migrating, ReadThrough};
use rxseal::phi::Drug;
use rxseal::{Access, Keyring, Purpose};
use sea_orm::{ConnectionTrait, Statement};

use crate::support::*;

type MigratingDrug = Migrating<String, Drug>;
type MigratingScan = Migrating<Vec<u8>, Drug>;

fn permitted(keys: &Keyring) -> Keyring {
    keys.read_through::<Drug>(&ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap())
}

fn first_step(keys: &Keyring) -> Keyring {
    keys.read_through::<Drug>(&ReadThrough::until(9999, 12, 31, "CHG-1234").unwrap().write_plain())
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// What was read: the text, and whether it was plaintext.
fn read(keys: &Keyring, drug: &MigratingDrug) -> (String, bool) {
    let read = drug.read(&record(&permitted(keys), 1).opened_by(&access())).unwrap();
    let is_plain = read.is_plain();
    (read.expose_value(), is_plain)
}

fn scan(keys: &Keyring, scan: &MigratingScan) -> (Vec<u8>, bool) {
    let read = scan.read(&record(&permitted(keys), 1).opened_by(&access())).unwrap();
    let is_plain = read.is_plain();
    (read.expose_value(), is_plain)
}

/// What was read as plaintext was not written. Not every driver gives our error as a cause of its own.
fn is_refused(error: &(dyn std::error::Error + 'static)) {
    code(error, CANARY);
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let text = causes.map(|error| format!("{error}\n")).collect::<String>();
    assert!(text.contains("call `rewrite`"), "{text}");
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn tokio_postgres_has_both() {
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    let keys = keyring();
    // Step 1 writes plaintext as it was, into each kind of column that takes it.
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    let list = vec![old.clone()];
    let insert = "INSERT INTO rx (id, t, b, v, ts) VALUES (1, $1, $2, $3, $4)";
    db.execute(insert, &[&old, &photo, &Some(&old), &list]).await.unwrap();
    let row = db.query_one("SELECT t, b, v, ts, dt FROM rx", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>("t"), CANARY);
    for column in ["t", "v"] {
        assert_eq!(read(&keys, &row.get(column)), (CANARY.to_owned(), true), "{column}");
    }
    assert_eq!(read(&keys, &row.get::<_, Vec<MigratingDrug>>("ts")[0]), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &row.get("b")), (vec![0xFF, 0x00, 0xD8], true));
    assert!(row.get::<_, Option<MigratingDrug>>("dt").is_none());
    assert_eq!(code(&row.try_get::<_, MigratingDrug>("dt").unwrap_err(), ""), Some("not-a-token"));

    // What was read as plaintext does not go back as such, and the domain takes none either.
    let unwritten: MigratingDrug = row.get("t");
    let error = db.execute("UPDATE rx SET t = $1", &[&unwritten]).await.unwrap_err();
    assert_eq!(code(&error, CANARY), Some("not-a-token"));
    let error = db.execute("UPDATE rx SET dt = $1", &[&old]).await.unwrap_err();
    assert_eq!(code(&error, CANARY), None);
    // Sealed, it goes into all of them.
    let new = unwritten.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    let update = "UPDATE rx SET t = $1, b = $2, v = $3, ts = $4, dt = $5, db = $6";
    db.execute(update, &[&new, &new, &new, &vec![new.clone()], &new, &new]).await.unwrap();
    let row = db.query_one("SELECT t, b, v, ts, dt, db FROM rx", &[]).await.unwrap();
    for column in ["t", "b", "v", "dt", "db"] {
        assert_eq!(read(&keys, &row.get(column)), (CANARY.to_owned(), false), "{column}");
        row.get::<_, SealedDrug>(column);
    }
    assert_eq!(row.get::<_, Vec<MigratingDrug>>("ts"), [new]);
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn sqlx_has_both() {
    use sqlx::{Connection, Row};
    let schema = Schema::with_table().await;
    let mut db = sqlx::PgConnection::connect(&schema.url()).await.unwrap();
    let keys = keyring();
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    let insert = sqlx::query("INSERT INTO rx (id, t, b) VALUES (1, $1, $2)").bind(&old).bind(&photo);
    insert.execute(&mut db).await.unwrap();
    let row = sqlx::query("SELECT t, b, v FROM rx").fetch_one(&mut db).await.unwrap();
    assert_eq!(read(&keys, &row.get("t")), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &row.get("b")), (vec![0xFF, 0x00, 0xD8], true));
    assert!(row.get::<Option<MigratingDrug>, _>("v").is_none());
    let unwritten: MigratingDrug = row.get("t");
    let error = sqlx::query("UPDATE rx SET t = $1").bind(&unwritten).execute(&mut db).await.unwrap_err();
    is_refused(&error);

    let new = unwritten.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    let bytes: MigratingScan = new.clone().into_sealed().unwrap().into_token().into();
    let update = sqlx::query("UPDATE rx SET t = $1, dt = $1, b = $2, db = $2").bind(&new).bind(&bytes);
    update.execute(&mut db).await.unwrap();
    let row = sqlx::query("SELECT t, dt, b, db FROM rx").fetch_one(&mut db).await.unwrap();
    for column in ["t", "dt", "b", "db"] {
        assert_eq!(read(&keys, &row.get(column)), (CANARY.to_owned(), false), "{column}");
    }
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn diesel_has_both() {
    use diesel::sql_types::{Array, Binary, Nullable, Text};
    use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        t: MigratingDrug,
        #[diesel(sql_type = Binary)]
        b: MigratingScan,
        #[diesel(sql_type = Nullable<Text>)]
        dt: Option<MigratingDrug>,
        #[diesel(sql_type = Array<Text>)]
        ts: Vec<MigratingDrug>,
    }

    let schema = Schema::with_table().await;
    let mut db = AsyncPgConnection::establish(&schema.url()).await.unwrap();
    let keys = keyring();
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    let insert = diesel::sql_query("INSERT INTO rx (id, t, b, ts) VALUES (1, $1, $2, $3)");
    let insert = insert.bind::<Text, _>(&old).bind::<Binary, _>(&photo).bind::<Array<Text>, _>(vec![old.clone()]);
    insert.execute(&mut db).await.unwrap();
    let row: Row = diesel::sql_query("SELECT t, b, dt, ts FROM rx").get_result(&mut db).await.unwrap();
    assert_eq!(read(&keys, &row.t), (CANARY.to_owned(), true));
    assert_eq!(read(&keys, &row.ts[0]), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &row.b), (vec![0xFF, 0x00, 0xD8], true));
    assert!(row.dt.is_none());
    let error = diesel::sql_query("UPDATE rx SET t = $1").bind::<Text, _>(&row.t).execute(&mut db).await.unwrap_err();
    is_refused(&error);

    let new = row.t.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    let update = diesel::sql_query("UPDATE rx SET t = $1, dt = $1, b = $2");
    update.bind::<Text, _>(&new).bind::<Binary, _>(&new).execute(&mut db).await.unwrap();
    let row: Row = diesel::sql_query("SELECT t, b, dt, ts FROM rx").get_result(&mut db).await.unwrap();
    assert_eq!([Some(row.t), row.dt], [Some(new.clone()), Some(new)]);
    assert!(!row.b.is_plain());
    schema.drop().await;
}

#[test]
fn diesel_has_both_on_sqlite() {
    use diesel::sql_types::{Binary, Text};
    use diesel::{Connection, RunQueryDsl, SqliteConnection};

    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        t: MigratingDrug,
        #[diesel(sql_type = Binary)]
        b: MigratingScan,
    }

    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute("CREATE TABLE rx (id INTEGER PRIMARY KEY, t TEXT, b BLOB)").unwrap();
    let keys = keyring();
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    let insert = diesel::sql_query("INSERT INTO rx VALUES (1, ?, ?)").bind::<Text, _>(&old).bind::<Binary, _>(&photo);
    insert.execute(&mut db).unwrap();
    let row: Row = diesel::sql_query("SELECT t, b FROM rx").get_result(&mut db).unwrap();
    assert_eq!(read(&keys, &row.t), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &row.b), (vec![0xFF, 0x00, 0xD8], true));
    let error = diesel::sql_query("UPDATE rx SET t = ?").bind::<Text, _>(&row.t).execute(&mut db).unwrap_err();
    is_refused(&error);
    let new = row.t.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    diesel::sql_query("UPDATE rx SET t = ?").bind::<Text, _>(&new).execute(&mut db).unwrap();
    let row: Row = diesel::sql_query("SELECT t, b FROM rx").get_result(&mut db).unwrap();
    assert_eq!(row.t, new);
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn sea_orm_has_both_on_postgres() {
    let schema = Schema::with_table().await;
    sea_orm_has_both(&sea_orm::Database::connect(schema.url()).await.unwrap()).await;
    schema.drop().await;
}

#[tokio::test]
async fn sea_orm_has_both_on_sqlite() {
    let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let db = sea_orm::Database::connect(options).await.unwrap();
    db.execute_unprepared("CREATE TABLE rx (id INTEGER PRIMARY KEY, t TEXT, b BLOB, v TEXT)").await.unwrap();
    sea_orm_has_both(&db).await;
}

async fn sea_orm_has_both(db: &sea_orm::DatabaseConnection) {
    let keys = keyring();
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    let run = |sql: &'static str, values: Vec<sea_orm::Value>| {
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values))
    };
    let row = || db.query_one_raw(Statement::from_string(db.get_database_backend(), "SELECT t, b, v FROM rx"));
    let null = None::<MigratingDrug>;
    let values = vec![old.into(), photo.into(), null.into()];
    run("INSERT INTO rx (id, t, b, v) VALUES (1, $1, $2, $3)", values).await.unwrap();
    let found = row().await.unwrap().unwrap();
    let drug: MigratingDrug = found.try_get("", "t").unwrap();
    assert_eq!(read(&keys, &drug), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &found.try_get("", "b").unwrap()), (vec![0xFF, 0x00, 0xD8], true));
    assert!(found.try_get::<Option<MigratingDrug>>("", "v").unwrap().is_none());

    let new = drug.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    run("UPDATE rx SET t = $1, v = $2", vec![new.clone().into(), new.clone().into()]).await.unwrap();
    let found = row().await.unwrap().unwrap();
    assert_eq!(found.try_get::<MigratingDrug>("", "t").unwrap(), new);
    assert_eq!(found.try_get::<SealedDrug>("", "v").unwrap(), new.into_sealed().unwrap());
}

#[test]
fn rusqlite_has_both() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (t TEXT, b BLOB)").unwrap();
    let keys = keyring();
    let old = MigratingDrug::write(&record(&first_step(&keys), 1), CANARY).unwrap();
    let photo = MigratingScan::write(&record(&first_step(&keys), 1), &vec![0xFF, 0x00, 0xD8]).unwrap();
    db.execute("INSERT INTO rx VALUES (?1, ?2)", (&old, &photo)).unwrap();
    let (drug, photo): (MigratingDrug, MigratingScan) =
        db.query_row("SELECT t, b FROM rx", (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(read(&keys, &drug), (CANARY.to_owned(), true));
    assert_eq!(scan(&keys, &photo), (vec![0xFF, 0x00, 0xD8], true));
    assert_eq!(code(&db.execute("UPDATE rx SET t = ?1", [&drug]).unwrap_err(), CANARY), Some("not-a-token"));
    let new = drug.rewrite(&record(&permitted(&keys), 1), &access()).unwrap();
    db.execute("UPDATE rx SET t = ?1, b = ?1", [&new]).unwrap();
    let types: String = db.query_row("SELECT typeof(t) || typeof(b) FROM rx", (), |row| row.get(0)).unwrap();
    assert_eq!(types, "texttext");
    let both: (SealedDrug, SealedDrug) =
        db.query_row("SELECT t, b FROM rx", (), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(both.0, both.1);
}

/// A derived row reads both, and writes what the step says.
#[test]
fn a_derived_row_has_both() {
    use rxseal::records::Migrates;

    #[derive(rxseal::PhiRecord)]
    #[phi(record = "prescription", derive(Clone))]
    struct Prescription {
        #[phi(id)]
        rx_number: i64,
        #[phi(seal = Migrates<Drug>)]
        drug: String,
    }

    let keys = keyring();
    let rx = Prescription { rx_number: 1, drug: CANARY.to_owned() };
    let old = first_step(&keys).seal(&rx).unwrap();
    assert!(old.drug.is_plain());
    assert_eq!(permitted(&keys).open(&old, &access()).unwrap().drug, CANARY);
    assert_eq!(keys.open(&old, &access()).err().unwrap().code(), rxseal::ErrorCode::NotAToken);
    assert_eq!(keys.reseal(&old).err().unwrap().code(), rxseal::ErrorCode::NotAToken);
    let new = permitted(&keys).seal(&rx).unwrap();
    assert_eq!((new.rx_number, new.drug.is_plain()), (1, false));
    assert_eq!(keys.open(&keys.reseal(&new).unwrap(), &access()).unwrap().drug, CANARY);
}

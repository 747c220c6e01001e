//! Proves that `Sealed` and `Token` are columns of rusqlite and of sqlx, on real SQLite. Each reads what the other
//! writes. Anything but a token is refused without quoting it (FORMAT 6.4, T13, T40). A value that does not open is
//! written back byte for byte (T17). SQL counts tokens by key without a key (FORMAT 6, 6.2).

mod guide;

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use rusqlite::types::{FromSql, Value};
use rxseal::columns::SealedText;
use rxseal::count::CountSql;
use rxseal::phi::{Directions, Drug};
use rxseal::{Access, Keyring, Purpose, Record, RecordTag, Sealed, Token, run_local};
use sqlx::{Connection, Row};

type SealedDrug = Sealed<String, Drug>;
type SealedDirections = Sealed<String, Directions>;

const CANARY: &str = "Canary-Jane-Doe-metformin";

#[tokio::test]
async fn what_one_driver_writes_the_other_reads() {
    let db = Database::new("both");
    let keys = keyring();
    let drug = |id: i64| SealedDrug::seal(&record(&keys, id), "warfarin 5 MG").unwrap();
    let directions = |id: i64| SealedDirections::seal(&record(&keys, id), "daily").unwrap();
    let with_rusqlite = (1, drug(1), Some(directions(1)));
    let with_sqlx = (2, drug(2), None::<SealedDirections>);

    db.rusqlite().execute(INSERT, (with_rusqlite.0, &with_rusqlite.1, &with_rusqlite.2)).unwrap();
    let mut sqlx = db.sqlx().await;
    let insert = sqlx::query(INSERT).bind(with_sqlx.0).bind(&with_sqlx.1).bind(&with_sqlx.2);
    assert_eq!(insert.execute(&mut sqlx).await.unwrap().rows_affected(), 1);

    let expected = [with_rusqlite, with_sqlx];
    type All = Vec<(i64, SealedDrug, Option<SealedDirections>)>;
    let by_sqlx: All = sqlx::query_as(SELECT).fetch_all(&mut sqlx).await.unwrap();
    assert!(by_sqlx == expected);
    let rusqlite = db.rusqlite();
    let mut select = rusqlite.prepare(SELECT).unwrap();
    let rows = select.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let by_rusqlite: All = rows.collect::<Result<_, _>>().unwrap();
    assert!(by_rusqlite == expected);

    for (id, drug, _) in &by_sqlx {
        assert_eq!(drug.open(&record(&keys, *id).opened_by(&access())).unwrap(), "warfarin 5 MG");
    }
    // The binary form is what is stored, by value and by reference.
    sqlx::query("UPDATE rx SET directions = ?1 WHERE id = 2").bind(directions(2)).execute(&mut sqlx).await.unwrap();
    let kinds: Vec<String> =
        sqlx::query_scalar("SELECT typeof(drug) || typeof(directions) FROM rx").fetch_all(&mut sqlx).await.unwrap();
    assert_eq!(kinds, ["blobblob", "blobblob"]);
}

#[tokio::test]
async fn a_token_alone_is_a_column_too() {
    let db = Database::new("token");
    let keys = keyring();
    let token = record(&keys, 1).seal::<Drug>("warfarin 5 MG").unwrap();
    db.rusqlite().execute(INSERT, (1, &token, None::<Token>)).unwrap();
    let mut sqlx = db.sqlx().await;
    sqlx::query(INSERT).bind(2).bind(&token).bind(Some(token.clone())).execute(&mut sqlx).await.unwrap();

    let by_sqlx: Vec<(i64, Token, Option<Token>)> = sqlx::query_as(SELECT).fetch_all(&mut sqlx).await.unwrap();
    assert!(by_sqlx == [(1, token.clone(), None), (2, token.clone(), Some(token.clone()))]);
    let read: Token = db.rusqlite().query_row("SELECT directions FROM rx WHERE id = 2", (), |row| row.get(0)).unwrap();
    assert!(read == token);
}

#[tokio::test]
async fn a_text_column_holds_the_text_form() {
    let db = Database::new("text");
    let keys = keyring();
    let drug = SealedDrug::seal(&record(&keys, 1), "warfarin 5 MG").unwrap();
    db.rusqlite().execute(INSERT, (1, drug.token().to_string(), None::<Token>)).unwrap();

    let read: SealedDrug = db.rusqlite().query_row("SELECT drug FROM rx", (), |row| row.get(0)).unwrap();
    assert!(read == drug);
    let mut sqlx = db.sqlx().await;
    let read: SealedDrug = sqlx::query_scalar("SELECT drug FROM rx").fetch_one(&mut sqlx).await.unwrap();
    assert!(read == drug);

    // Both drivers write it, as does what sqlx has for text columns in general.
    let is_stored = |db: &Database| {
        let stored: String = db.rusqlite().query_row("SELECT drug FROM rx", (), |row| row.get(0)).unwrap();
        assert_eq!(stored, drug.token().to_string());
        db.rusqlite().execute("UPDATE rx SET drug = NULL", ()).unwrap();
    };
    sqlx::query("UPDATE rx SET drug = ?1")
        .bind(sqlx::types::Text(drug.token().clone()))
        .execute(&mut sqlx)
        .await
        .unwrap();
    is_stored(&db);
    sqlx::query("UPDATE rx SET drug = ?1").bind(drug.to_text()).execute(&mut sqlx).await.unwrap();
    is_stored(&db);
    db.rusqlite().execute("UPDATE rx SET drug = ?1", [Some(drug.to_text())]).unwrap();
    let read: SealedText<String, Drug> = db.rusqlite().query_row("SELECT drug FROM rx", (), |row| row.get(0)).unwrap();
    assert!(read.sealed() == &drug);
    let read: SealedText<String, Drug> = sqlx::query_scalar("SELECT drug FROM rx").fetch_one(&mut sqlx).await.unwrap();
    assert!(read.into_sealed() == drug);
    is_stored(&db);
    let absent: Option<SealedText<String, Drug>> =
        sqlx::query_scalar("SELECT drug FROM rx").fetch_one(&mut sqlx).await.unwrap();
    assert!(absent.is_none());
}

#[tokio::test]
async fn sqlx_runs_the_statement_that_counts() {
    let db = Database::new("statement");
    let keys = keyring();
    let drug = SealedDrug::seal(&record(&keys, 1), "warfarin 5 MG").unwrap();
    db.rusqlite().execute(INSERT, (1, &drug, None::<Token>)).unwrap();
    let sql = CountSql::sqlite("rx", "drug").unwrap();
    let mut sqlx = db.sqlx().await;
    for rows in
        [sqlx::query_as(&sql).fetch_all(&mut sqlx).await, sqlx::query_as(sql.clone()).fetch_all(&mut sqlx).await]
    {
        let rows: Vec<(String, i64)> = rows.unwrap();
        assert_eq!(rows, [(keys.primary_key().to_string(), 1)]);
    }
}

#[tokio::test]
async fn anything_else_is_refused_and_never_quoted() {
    let db = Database::new("refused");
    let token = record(&keyring(), 1).seal::<Drug>("warfarin 5 MG").unwrap();
    let text = token.to_string();
    let bytes = token.as_bytes().to_vec();
    let values = [
        ("plaintext", Value::Text(CANARY.to_owned())),
        ("plaintext that begins as a token does", Value::Text(format!("rxsX{CANARY}"))),
        ("plaintext bytes", Value::Blob(CANARY.as_bytes().to_vec())),
        ("plaintext bytes that begin as a token does", Value::Blob([&bytes[..9], CANARY.as_bytes()].concat())),
        ("bytes that are not text", Value::Blob([&[0xFF], CANARY.as_bytes()].concat())),
        ("a token and plaintext", Value::Text(format!("{text} {CANARY}"))),
        ("a token and a newline", Value::Text(format!("{text}\n"))),
        ("a text token cut off", Value::Text(text[..40].to_owned())),
        ("a binary token cut off", Value::Blob(bytes[..38].to_vec())),
        ("an empty text", Value::Text(String::new())),
        ("an empty blob", Value::Blob(Vec::new())),
        ("an integer", Value::Integer(4_711_081_547)),
        ("a float", Value::Real(4_711_081_547.25)),
        ("null", Value::Null),
    ];
    let mut sqlx = db.sqlx().await;
    for (what, value) in values {
        db.rusqlite().execute("INSERT OR REPLACE INTO rx VALUES (1, ?1, NULL)", [&value]).unwrap();
        let errors = [
            ("rusqlite", rusqlite_error::<SealedDrug>(&db)),
            ("rusqlite", rusqlite_error::<Token>(&db)),
            ("sqlx", sqlx_error::<SealedDrug>(&mut sqlx).await),
            ("sqlx", sqlx_error::<Token>(&mut sqlx).await),
        ];
        for (driver, error) in errors {
            let error = error.unwrap_or_else(|| panic!("{driver} accepted {what}"));
            assert!(!quotes(&*error, &value), "{driver} quotes {what}");
            // sqlx checks the type of the column itself, before anything is decoded.
            let own_check = driver == "sqlx" && matches!(value, Value::Integer(_) | Value::Real(_));
            assert_eq!(code(&*error), (!own_check).then_some("not-a-token"), "{driver}, {what}");
            // What is no text and no bytes is named by its type, and is not called a plaintext.
            let storage_type = match value {
                Value::Null => "NULL",
                Value::Integer(_) => "INTEGER",
                Value::Real(_) => "REAL",
                Value::Text(_) | Value::Blob(_) => continue,
            };
            let text = causes(&*error).map(|error| format!("{error}\n")).collect::<String>();
            assert!(text.contains(storage_type) && !text.contains("plaintext"), "{driver}, {what}: {text}");
        }
        if value != Value::Null {
            // An option forgives an absent token, never a wrong one.
            assert!(rusqlite_error::<Option<SealedDrug>>(&db).is_some(), "{what}");
            assert!(sqlx_error::<Option<SealedDrug>>(&mut sqlx).await.is_some(), "{what}");
        }
    }
}

#[test]
fn rusqlite_tells_text_bytes_in_a_blob_from_text() {
    let db = Database::new("strict");
    let token = record(&keyring(), 1).seal::<Drug>("warfarin 5 MG").unwrap();
    db.rusqlite().execute(INSERT, (1, token.to_string().as_bytes(), None::<Token>)).unwrap();
    assert_eq!(code(&*rusqlite_error::<SealedDrug>(&db).unwrap()), Some("not-a-token"));
}

#[tokio::test]
async fn the_error_names_the_field() {
    let db = Database::new("field");
    db.rusqlite().execute(INSERT, (1, CANARY, None::<Token>)).unwrap();
    let by_rusqlite = rusqlite_error::<SealedDrug>(&db).unwrap();
    assert_eq!(own(&*by_rusqlite).unwrap().field_id(), Some("phi.rx.drug"));
    let by_sqlx = sqlx_error::<SealedDrug>(&mut db.sqlx().await).await.unwrap();
    assert_eq!(own(&*by_sqlx).unwrap().field_id(), Some("phi.rx.drug"));
}

#[tokio::test]
async fn what_does_not_open_is_saved_back_byte_for_byte() {
    let db = Database::new("saved-back");
    let keys = keyring();
    let rec = record(&keys, 1);
    // The drug of another record, moved here by whoever can write to the database; and one under a key that is not here.
    let moved = SealedDrug::seal(&record(&keys, 2), "insulin").unwrap();
    let foreign = SealedDrug::seal(&record(&keyring(), 1), "insulin").unwrap();
    for (unopenable, refusal) in [(moved, "open-failed"), (foreign, "unknown-key")] {
        let directions = SealedDirections::seal(&rec, "daily").unwrap();
        let insert = "INSERT OR REPLACE INTO rx VALUES (?1, ?2, ?3)";
        db.rusqlite().execute(insert, (1, &unopenable, &directions)).unwrap();
        let before = stored_bytes(&db);

        // Each program reads the row, fails to open the drug, changes the directions and saves the whole row.
        let (id, drug, _): (i64, SealedDrug, Option<SealedDirections>) =
            db.rusqlite().query_row(SELECT, (), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        assert_eq!(drug.open(&rec.opened_by(&access())).unwrap_err().code().as_str(), refusal);
        let changed = SealedDirections::seal(&rec, "twice daily").unwrap();
        db.rusqlite().execute(insert, (id, &drug, &changed)).unwrap();
        assert!(stored_bytes(&db) == before, "rusqlite");

        let mut sqlx = db.sqlx().await;
        let (id, drug, directions): (i64, SealedDrug, Option<SealedDirections>) =
            sqlx::query_as(SELECT).fetch_one(&mut sqlx).await.unwrap();
        assert_eq!(drug.open(&rec.opened_by(&access())).unwrap_err().code().as_str(), refusal);
        assert_eq!(directions.unwrap().open(&rec.opened_by(&access())).unwrap(), "twice daily");
        let save = sqlx::query(insert).bind(id).bind(drug).bind(None::<SealedDirections>);
        save.execute(&mut sqlx).await.unwrap();
        assert!(stored_bytes(&db) == before, "sqlx");
    }
}

#[tokio::test]
async fn sql_counts_tokens_by_key() {
    let db = Database::new("count");
    let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let second = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
    let mut expected = Vec::new();
    for (generation, rows) in [(first, 3_i64), (second, 5)] {
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &generation)).unwrap().unobserved();
        expected.push((keys.primary_key(), rows));
        for row in 0..rows {
            // The place of the key id is the same for every letter.
            let rec = record(&keys, 10 * expected.len() as i64 + row);
            let rec = if row % 2 == 0 { rec } else { rec.wide() };
            let token = rec.seal::<Drug>("warfarin 5 MG").unwrap();
            db.rusqlite().execute("INSERT INTO rx VALUES (NULL, ?1, ?2)", (&token, token.to_string())).unwrap();
        }
    }

    const OF_BLOBS: &str = "SELECT substr(drug, 4, 6), count(*) FROM rx GROUP BY 1 ORDER BY 2";
    const OF_TEXTS: &str = "SELECT substr(directions, 5, 8), count(*) FROM rx GROUP BY 1 ORDER BY 2";
    let blobs: Vec<(Vec<u8>, i64)> = expected.iter().map(|(id, rows)| (id.as_bytes().to_vec(), *rows)).collect();
    let texts: Vec<(String, i64)> = expected.iter().map(|(id, rows)| (id.to_string(), *rows)).collect();
    assert_eq!(by_key_with_rusqlite::<Vec<u8>>(&db, OF_BLOBS), blobs);
    assert_eq!(by_key_with_rusqlite::<String>(&db, OF_TEXTS), texts);

    let mut sqlx = db.sqlx().await;
    let by_sqlx: Vec<(Vec<u8>, i64)> = sqlx::query_as(OF_BLOBS).fetch_all(&mut sqlx).await.unwrap();
    assert_eq!(by_sqlx, blobs);
    let by_sqlx: Vec<(String, i64)> = sqlx::query_as(OF_TEXTS).fetch_all(&mut sqlx).await.unwrap();
    assert_eq!(by_sqlx, texts);
}

/// A record tag is never absent: NULL, an empty value and anything else are errors, and so is writing one that was not made yet.
#[tokio::test]
async fn a_record_tag_is_a_column() {
    let db = Database::new("tag");
    let text = "rxrSD-KqDs-nAQAAAAAABwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    let tag: RecordTag = text.parse().unwrap();
    let mut sqlx = db.sqlx().await;
    db.rusqlite().execute(INSERT, (1, tag, text)).unwrap();
    sqlx::query(INSERT).bind(2).bind(tag).bind(tag.text().unwrap()).execute(&mut sqlx).await.unwrap();
    let kinds: Vec<String> =
        sqlx::query_scalar("SELECT typeof(drug) || typeof(directions) FROM rx").fetch_all(&mut sqlx).await.unwrap();
    assert_eq!(kinds, ["blobtext", "blobtext"]);
    let by_sqlx: Vec<(i64, RecordTag, RecordTag)> = sqlx::query_as(SELECT).fetch_all(&mut sqlx).await.unwrap();
    assert_eq!(by_sqlx, [(1, tag, tag), (2, tag, tag)]);
    let by_rusqlite: (RecordTag, RecordTag) =
        db.rusqlite().query_row(SELECT, (), |row| Ok((row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(by_rusqlite, (tag, tag));

    let new = RecordTag::new();
    let refused = db.rusqlite().execute(INSERT, (3, new, new)).unwrap_err();
    assert_eq!(code(&refused), Some("tag-missing"));
    // sqlx keeps the text of an error of an argument, and not the error.
    let refused = sqlx::query(INSERT).bind(3).bind(new).bind(new).execute(&mut sqlx).await.unwrap_err();
    let missing = new.text().unwrap_err().to_string();
    assert!(matches!(&refused, sqlx::Error::Encode(error) if error.to_string().contains(&missing)), "{refused}");

    let bytes = tag.bytes().unwrap();
    let token = record(&keyring(), 1).seal::<Drug>("warfarin 5 MG").unwrap();
    for (value, refusal) in [
        (Value::Null, Some("tag-missing")),
        (Value::Text(String::new()), Some("tag-missing")),
        (Value::Blob(Vec::new()), Some("tag-missing")),
        (Value::Text(CANARY.to_owned()), Some("not-a-tag")),
        (Value::Text(text[..63].to_owned()), Some("not-a-tag")),
        (Value::Blob(bytes[..47].to_vec()), Some("not-a-tag")),
        (Value::Text(token.to_string()), Some("not-a-tag")),
        (Value::Blob(token.into_bytes()), Some("not-a-tag")),
        (Value::Integer(4_711_081_547), None),
    ] {
        db.rusqlite().execute("INSERT OR REPLACE INTO rx VALUES (1, ?1, NULL)", [&value]).unwrap();
        let error = rusqlite_error::<RecordTag>(&db).unwrap();
        assert_eq!(code(&*error), Some(refusal.unwrap_or("not-a-tag")), "{value:?}");
        assert!(!quotes(&*error, &value), "{value:?}");
        let error = sqlx_error::<RecordTag>(&mut sqlx).await.unwrap();
        assert_eq!(code(&*error), refusal, "{value:?}");
        assert!(!quotes(&*error, &value), "{value:?}");
    }
}

/// Compiles only where the columns exist for every database of sqlx that has types for bytes and text, not for SQLite alone.
#[allow(dead_code)]
fn every_database_of_sqlx<DB: sqlx::Database>()
where
    Vec<u8>: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB> + for<'r> sqlx::Decode<'r, DB>,
    String: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB> + for<'r> sqlx::Decode<'r, DB>,
{
    fn is_column<DB: sqlx::Database, C>()
    where
        C: sqlx::Type<DB> + for<'q> sqlx::Encode<'q, DB> + for<'r> sqlx::Decode<'r, DB> + Send + 'static,
    {
    }
    is_column::<DB, Token>();
    is_column::<DB, SealedDrug>();
    is_column::<DB, SealedText<String, Drug>>();
    is_column::<DB, RecordTag>();
}

const INSERT: &str = "INSERT INTO rx VALUES (?1, ?2, ?3)";
const SELECT: &str = "SELECT id, drug, directions FROM rx ORDER BY id";

/// A real database file, since both drivers are to see one and the same.
struct Database(PathBuf);

impl Database {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-columns-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let db = Self(folder);
        // Without a declared type SQLite keeps every value as it was bound.
        db.rusqlite().execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug, directions)").unwrap();
        db
    }

    fn file(&self) -> PathBuf {
        Path::join(&self.0, "rx.db")
    }

    fn rusqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    async fn sqlx(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.file());
        sqlx::SqliteConnection::connect_with(&options).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn record(keys: &Keyring, id: i64) -> Record {
    keys.record("prescription", id).unwrap()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn stored_bytes(db: &Database) -> Vec<u8> {
    db.rusqlite().query_row("SELECT drug FROM rx", (), |row| row.get(0)).unwrap()
}

fn by_key_with_rusqlite<Id: FromSql>(db: &Database, sql: &str) -> Vec<(Id, i64)> {
    let connection = db.rusqlite();
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn rusqlite_error<C: FromSql>(db: &Database) -> Option<Box<dyn StdError>> {
    let read = db.rusqlite().query_row("SELECT drug FROM rx", (), |row| row.get::<_, C>(0));
    read.err().map(Into::into)
}

async fn sqlx_error<C>(connection: &mut sqlx::SqliteConnection) -> Option<Box<dyn StdError>>
where
    C: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let row = sqlx::query("SELECT drug FROM rx").fetch_one(connection).await.unwrap();
    row.try_get::<C, _>(0).err().map(Into::into)
}

/// The error of ours in what a driver reports.
fn own<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rxseal::Error> {
    causes(error).find_map(|error| error.downcast_ref())
}

fn code(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    own(error).map(|error| error.code().as_str())
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Whether any text of the error, down to its last cause, has the value in it, as text or as the numbers of its bytes.
fn quotes(error: &(dyn StdError + 'static), value: &Value) -> bool {
    let mut needles: Vec<String> = vec![CANARY.into(), "4711081547".into()];
    if let Value::Text(text) = value {
        needles.push(text.clone());
    }
    needles.extend([CANARY.as_bytes()].map(|bytes| format!("{bytes:?}").trim_matches(['[', ']']).to_owned()));
    needles.retain(|needle| !needle.is_empty());
    causes(error)
        .flat_map(|error| [error.to_string(), format!("{error:?}")])
        .any(|text| needles.iter().any(|needle| text.contains(needle.as_str())))
}

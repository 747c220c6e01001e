//! Sealed columns of sqlx in PostgreSQL: each form in a column of each type, and what domains refuse. A plaintext that is refused is in no
//! error and in no line of the server's log.

mod guide;

use std::error::Error as StdError;
use std::fs;

use crate::postgres::{Schema, connection, runtime};
use rxseal::columns::{ColumnLen, ColumnSql, SealedText};
use rxseal::count::{CountSql, KeyCounts};
use rxseal::phi::Drug;
use rxseal::{Keyring, RecordTag, Sealed, Token};
use sqlx::{AssertSqlSafe, Decode, Encode, Executor, PgConnection, Postgres, Row, Type, raw_sql};

type SealedDrug = Sealed<String, Drug>;
type TextDrug = SealedText<String, Drug>;

const CANARY: &str = "Canary Jane Doe metformin 500 MG Oral Tablet twice a day with meals";

/// One column of each type that a token can be in.
const FORMS: &str = "
    CREATE DOMAIN of_text AS text COLLATE \"C\" CHECK (left(VALUE, 3) = 'rxs');
    CREATE DOMAIN of_bytes AS bytea CHECK (get_byte(VALUE, 0) = 175);
    CREATE DOMAIN of_domain AS of_text CHECK (octet_length(VALUE) > 50);
    CREATE DOMAIN of_array AS text[];
    CREATE TABLE forms (id bigint PRIMARY KEY,
        text text, varchar varchar(140), domain_text of_text, domain_domain of_domain, bytea bytea, domain_bytea of_bytes,
        texts text[], varchars varchar(140)[], domain_texts of_text[], domain_array of_array, byteas bytea[], domain_byteas of_bytes[])";

#[test]
#[ignore = "needs .ci/servers"]
fn every_form_in_every_column() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run(FORMS);
    let keys = keyring();
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let drug = sealed(&keys, 1, "warfarin 5 MG");
        for column in ["text", "varchar", "domain_text", "domain_domain"] {
            holds(&mut db, column, &drug, drug.to_text()).await;
            // sqlx keeps the statement for the type that came first, and sends the other as if it were of that.
            let refused = put(&mut db, column, drug.clone()).await.unwrap_err().to_string();
            assert!(refused.contains("invalid byte sequence"), "{column}: {refused}");
        }
        // PostgreSQL makes hexadecimal digits of bytes that are sent to a text column. A domain refuses them, and reading says what they are.
        put_once(&mut db, "text", drug.clone()).await.unwrap();
        let error = try_one::<SealedDrug>(&mut db, "SELECT text FROM forms").await.unwrap_err();
        assert!(error.to_string().contains("write `sealed.to_text()`"), "{error}");
        let repair = "UPDATE forms SET text = translate(encode(text::bytea, 'base64'), E'+/=\n', '-_') WHERE left(text, 6) = '\\xaf1b'";
        db.execute(repair).await.unwrap();
        assert!(one::<SealedDrug>(&mut db, "SELECT text FROM forms").await == drug);
        for column in ["domain_text", "domain_domain"] {
            let refused = put_once(&mut db, column, drug.clone()).await.unwrap_err().to_string();
            assert!(refused.contains("violates check constraint"), "{column}: {refused}");
        }
        for column in ["bytea", "domain_bytea"] {
            holds(&mut db, column, &drug, drug.clone()).await;
            let refused = put_once(&mut db, column, drug.to_text()).await.unwrap_err().to_string();
            assert!(refused.contains("expression is of type text"), "{column}: {refused}");
        }
        // The same for text that is sent as bytes: it is the token still, and the domain wants bytes.
        put(&mut db, "bytea", drug.to_text()).await.unwrap();
        assert!(one::<SealedDrug>(&mut db, "SELECT bytea FROM forms").await == drug);
        put(&mut db, "domain_bytea", drug.to_text()).await.unwrap_err();
        let list = [drug.clone(), sealed(&keys, 1, "insulin")];
        for column in ["texts", "varchars", "domain_texts", "domain_array"] {
            holds_list(&mut db, column, &list, list.each_ref().map(Sealed::to_text).to_vec()).await;
        }
        for column in ["byteas", "domain_byteas"] {
            holds_list(&mut db, column, &list, list.to_vec()).await;
        }
    });
}

/// The column has `drug` after `form` was written, whichever type and protocol reads it, and null after `None`.
async fn holds<C>(db: &mut PgConnection, column: &str, drug: &SealedDrug, form: C)
where
    C: Column + Clone,
{
    put(db, column, form.clone()).await.unwrap();
    let select = format!("SELECT {column} FROM forms");
    let read: SealedDrug = one(db, &select).await;
    assert!(read == *drug, "{column}");
    let read: TextDrug = one(db, &select).await;
    assert!(read.into_sealed() == *drug, "{column}");
    let read: Token = one(db, &select).await;
    assert!(read == *drug.token(), "{column}");
    let read: Option<SealedDrug> = one(db, &select).await;
    assert!(read.as_ref() == Some(drug), "{column}");
    // The simple protocol returns everything as text.
    let row = db.fetch_one(raw_sql(AssertSqlSafe(select.clone()))).await.unwrap();
    assert!(row.get::<SealedDrug, _>(0) == *drug, "{column}");

    put(db, column, None::<C>).await.unwrap();
    let read: Option<SealedDrug> = one(db, &select).await;
    assert!(read.is_none(), "{column}");
    let error = try_one::<SealedDrug>(db, &select).await.unwrap_err();
    assert!(error.to_string().contains("NULL"), "{column}: {error}");
}

async fn holds_list<C>(db: &mut PgConnection, column: &str, list: &[SealedDrug], form: Vec<C>)
where
    Vec<C>: Column + Clone,
    Vec<Option<C>>: Column,
    C: Clone,
{
    let select = format!("SELECT {column} FROM forms");
    put(db, column, form.clone()).await.unwrap();
    let read: Vec<SealedDrug> = one(db, &select).await;
    assert!(read == list, "{column}");
    let read: Vec<TextDrug> = one(db, &select).await;
    assert!(read.iter().map(TextDrug::sealed).eq(list), "{column}");
    let read: Vec<Token> = one(db, &select).await;
    assert!(read.iter().eq(list.iter().map(Sealed::token)), "{column}");

    let with_null = vec![None, form.first().cloned()];
    put(db, column, with_null).await.unwrap();
    let read: Vec<Option<SealedDrug>> = one(db, &select).await;
    assert!(read == [None, list.first().cloned()], "{column}");
    put(db, column, None::<Vec<C>>).await.unwrap();
    let read: Option<Vec<SealedDrug>> = one(db, &select).await;
    assert!(read.is_none(), "{column}");
}

#[test]
#[ignore = "needs .ci/servers"]
fn anything_else_is_refused_and_never_quoted() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run(
        "CREATE TABLE forms (id bigint PRIMARY KEY, text text, bytea bytea, number bigint, json jsonb, texts text[])",
    );
    let token = sealed(&keyring(), 1, "warfarin 5 MG").token().to_string();
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        for value in
            [CANARY, &format!("rxsX{CANARY}"), &token[..40], &format!("{token} {CANARY}"), &format!("{token}\n"), ""]
        {
            put(&mut db, "text", value.to_owned()).await.unwrap();
            refuses::<SealedDrug>(&mut db, "text").await;
            put(&mut db, "bytea", value.as_bytes().to_vec()).await.unwrap();
            if value.trim() != token {
                refuses::<SealedDrug>(&mut db, "bytea").await;
            }
            put(&mut db, "texts", vec![token.clone(), value.to_owned()]).await.unwrap();
            refuses::<Vec<SealedDrug>>(&mut db, "texts").await;
        }
        put(&mut db, "number", 4_711_081_547_i64).await.unwrap();
        refuses::<SealedDrug>(&mut db, "number").await;
        db.execute(raw_sql(AssertSqlSafe(format!("UPDATE forms SET json = '\"{CANARY}\"'")))).await.unwrap();
        refuses::<SealedDrug>(&mut db, "json").await;
    });
}

async fn refuses<C: Column>(db: &mut PgConnection, column: &str) {
    let error = try_one::<C>(db, &format!("SELECT {column} FROM forms")).await.err().unwrap();
    for text in texts(&error) {
        assert!(!text.contains("Canary") && !text.contains("4711081547"), "{column}: {text}");
    }
}

/// The steps of docs/COLUMNS.md with a program that writes in between, and what PostgreSQL says and logs of a plaintext.
#[test]
#[ignore = "needs .ci/servers"]
fn a_domain_refuses_plaintext_and_its_log_has_none() {
    let runtime = runtime();
    for is_binary in [false, true] {
        let schema = Schema::new(&runtime);
        let kind = if is_binary { "bytea" } else { "varchar(60)" };
        schema.run(&format!("CREATE TABLE rx (id bigint PRIMARY KEY, drug {kind}, refills int NOT NULL)"));
        let gate = ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite()).unwrap();
        let gate = if is_binary { gate.binary() } else { gate }.postgres().unwrap();
        runtime.block_on(async {
            let mut db = connection(&schema.url()).await;
            let keys = keyring();
            let plain = |text: &str| if is_binary { format!("convert_to({text}, 'UTF8')") } else { text.to_owned() };
            let insert = format!("INSERT INTO rx VALUES ($1, {}, 0)", plain("$2"));
            let insert = |id: i64, drug: &'static str| sqlx::query(AssertSqlSafe(insert.clone())).bind(id).bind(drug);
            let quiet = "SET log_statement = 'all'; SET log_parameter_max_length = 0";
            db.execute(quiet).await.unwrap();
            // Before: a row of plaintext.
            insert(1, "amoxicillin").execute(&mut db).await.unwrap();

            let before = log_len();
            run(&mut db, gate.begin()).await.unwrap();
            let inserted = insert(2, CANARY).execute(&mut db).await;
            let update = AssertSqlSafe(format!("UPDATE rx SET drug = {} WHERE id = 1", plain("$1")));
            let updated = sqlx::query(update).bind(CANARY).execute(&mut db).await;
            for refused in [inserted, updated] {
                let error = refused.unwrap_err();
                let shown = texts(&error).concat();
                assert!(
                    shown.contains(r#"value for domain rxseal_rx_drug violates check constraint "sealed""#),
                    "{shown}"
                );
                assert!(!shown.contains("Canary"), "{shown}");
            }
            // The old row is untouched by the gate: its other columns change, and it is still plaintext.
            sqlx::query("UPDATE rx SET refills = 3 WHERE id = 1").execute(&mut db).await.unwrap();
            let early = run(&mut db, gate.finish()).await.unwrap_err();
            assert!(!texts(&early).concat().contains("amoxicillin"), "{early:?}");

            // The backfill.
            let (drug, other) = (sealed(&keys, 1, "amoxicillin"), sealed(&keys, 2, &"w".repeat(60)));
            for (id, drug) in [(1_i64, &drug), (2, &other)] {
                let sql = "INSERT INTO rx VALUES ($1, $2, 0) ON CONFLICT (id) DO UPDATE SET drug = excluded.drug";
                let query = sqlx::query(sql).bind(id);
                let query = if is_binary { query.bind(drug) } else { query.bind(drug.to_text()) };
                query.execute(&mut db).await.unwrap();
            }
            sqlx::query("INSERT INTO rx VALUES (3, NULL, 0)").execute(&mut db).await.unwrap();
            run(&mut db, gate.finish()).await.unwrap();
            let longer = sealed(&keys, 4, &"w".repeat(100));
            let query = sqlx::query("INSERT INTO rx VALUES (4, $1, 0)");
            let query = if is_binary { query.bind(&longer) } else { query.bind(longer.to_text()) };
            assert!(query.execute(&mut db).await.unwrap_err().to_string().contains("rxseal_rx_drug"));
            let read: Vec<Option<SealedDrug>> =
                sqlx::query_scalar("SELECT drug FROM rx ORDER BY id").fetch_all(&mut db).await.unwrap();
            assert!(read == [Some(drug), Some(other), None]);

            // A count looks through the domain.
            let mut counts = KeyCounts::default();
            let rows: Vec<(String, i64)> =
                sqlx::query_as(CountSql::postgres("rx", "drug").unwrap()).fetch_all(&mut db).await.unwrap();
            for (key_id, tokens) in rows {
                counts.add_row(&key_id, tokens).unwrap();
            }
            assert_eq!((counts.of(keys.primary_key()), counts.nulls(), counts.not_tokens()), (2, 1, 0));

            let log = log_since(before);
            assert!(log.contains("violates check constraint"), "this is not the log of the server: {log}");
            assert!(!log.contains("Canary") && !log.contains("amoxicillin"), "{log}");
            // What the guide warns of: without the second setting, the log has every parameter.
            db.execute("SET log_parameter_max_length = -1").await.unwrap();
            let before = log_len();
            sqlx::query("SELECT $1").bind("Marker-of-a-parameter").execute(&mut db).await.unwrap();
            assert!(log_since(before).contains("Marker-of-a-parameter"));
        });
    }
}

/// Why the guide takes a domain and not a CHECK on the table.
#[test]
#[ignore = "needs .ci/servers"]
fn a_check_on_a_table_logs_the_row() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run("CREATE TABLE rx (id bigint PRIMARY KEY, patient text, drug text CHECK (left(drug, 3) = 'rxs'))");
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let before = log_len();
        let insert = sqlx::query("INSERT INTO rx VALUES (1, $1, 'warfarin')").bind("Neighbour-column");
        insert.execute(&mut db).await.unwrap_err();
        assert!(log_since(before).contains("Neighbour-column"), "PostgreSQL mended it: docs/COLUMNS.md may say so");
    });
}

#[test]
#[ignore = "needs .ci/servers"]
fn record_tags_are_never_null() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run("CREATE TABLE rx (id bigint PRIMARY KEY, tag text, bytes bytea)");
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let tag = format!("rxrS{}", "A".repeat(60));
        let bytes = [&[0xAF, 0x1A, 0xD2], [7; 45].as_slice()].concat();
        for gate in
            [ColumnSql::record_tag("rx", "tag").unwrap(), ColumnSql::record_tag("rx", "bytes").unwrap().binary()]
        {
            let gate = gate.postgres().unwrap();
            run(&mut db, gate.begin()).await.unwrap();
            run(&mut db, gate.finish()).await.unwrap();
        }
        let mut insert = async |tag: Option<&str>, bytes: Option<&[u8]>| {
            let query = sqlx::query("INSERT INTO rx VALUES (1, $1, $2)").bind(tag.map(str::to_owned));
            query.bind(bytes.map(<[u8]>::to_vec)).execute(&mut db).await
        };
        for (tag, bytes) in [
            (None, Some(bytes.as_slice())),
            (Some(tag.as_str()), None),
            (Some(&tag[..63]), Some(&bytes)),
            (Some(&tag), Some(&bytes[..47])),
            (Some(&tag.replace("rxrS", "rxsX")), Some(&bytes)),
        ] {
            insert(tag, bytes).await.unwrap_err();
        }
        insert(Some(&tag), Some(&bytes)).await.unwrap();
        sqlx::query("DELETE FROM rx").execute(&mut db).await.unwrap();
        let tag: RecordTag = "rxrSD-KqDs-nAQAAAAAABwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f".parse().unwrap();
        let query = sqlx::query("INSERT INTO rx VALUES (1, $1, $2)").bind(tag.text().unwrap()).bind(tag);
        query.execute(&mut db).await.unwrap();
        let read: (RecordTag, RecordTag) =
            sqlx::query_as("SELECT tag, bytes FROM rx").fetch_one(&mut db).await.unwrap();
        assert_eq!(read, (tag, tag));
        let read: Vec<RecordTag> = one(&mut db, "SELECT array_agg(tag) FROM rx").await;
        assert_eq!(read, [tag]);
    });
}

/// A token that is longer than its column is an error, and nothing is written.
#[test]
#[ignore = "needs .ci/servers"]
fn a_column_that_is_too_short_is_an_error() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run("CREATE TABLE forms (id bigint PRIMARY KEY, drug varchar(134), exact varchar(135))");
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let drug = sealed(&keyring(), 1, &"w".repeat(60));
        assert_eq!(drug.token().to_string().len(), ColumnLen::of::<Drug>(60).text());
        let error = put(&mut db, "drug", drug.to_text()).await.unwrap_err();
        assert!(error.to_string().contains("value too long for type character varying(134)"), "{error}");
        assert!(!error.to_string().contains(&drug.token().to_string()[..40]));
        assert_eq!(one::<i64>(&mut db, "SELECT count(*) FROM forms").await, 0);
        put(&mut db, "exact", drug.to_text()).await.unwrap();
        assert!(one::<SealedDrug>(&mut db, "SELECT exact FROM forms").await == drug);
    });
}

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn sealed(keys: &Keyring, id: i64, drug: &str) -> SealedDrug {
    Sealed::seal(&keys.record("prescription", id).unwrap(), drug).unwrap()
}

trait Bound: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static {}
impl<C: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static> Bound for C {}

trait Column: Bound + for<'r> Decode<'r, Postgres> + Unpin {}
impl<C: Bound + for<'r> Decode<'r, Postgres> + Unpin> Column for C {}

/// The one row has this value in the column. An error leaves no row.
async fn put(db: &mut PgConnection, column: &str, value: impl Bound) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM forms").execute(&mut *db).await.unwrap();
    let sql = AssertSqlSafe(format!("INSERT INTO forms (id, {column}) VALUES (1, $1)"));
    sqlx::query(sql).bind(value).execute(db).await.map(drop)
}

/// The same with a statement of its own, whose parameter has no type yet.
async fn put_once(db: &mut PgConnection, column: &str, value: impl Bound) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM forms").execute(&mut *db).await.unwrap();
    let sql = AssertSqlSafe(format!("INSERT INTO forms (id, {column}) VALUES (1, $1) -- once"));
    sqlx::query(sql).bind(value).execute(db).await.map(drop)
}

async fn one<C: Column>(db: &mut PgConnection, sql: &str) -> C {
    try_one(db, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn try_one<C: Column>(db: &mut PgConnection, sql: &str) -> sqlx::Result<C> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(db).await
}

/// Several statements, as a migration runs them.
async fn run(db: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(db).await.map(drop)
}

/// Every text of an error and its causes.
fn texts(error: &(dyn StdError + 'static)) -> Vec<String> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.flat_map(|error| [error.to_string(), format!("{error:?}")]).collect()
}

fn log_file() -> String {
    std::env::var("RXSEAL_TEST_POSTGRES_LOG").expect("the log of the server, which .ci/servers names")
}

fn log_len() -> usize {
    fs::metadata(log_file()).unwrap().len().try_into().unwrap()
}

/// What the server logged since then. It writes a line before it answers.
fn log_since(len: usize) -> String {
    String::from_utf8_lossy(&fs::read(log_file()).unwrap()[len..]).into_owned()
}

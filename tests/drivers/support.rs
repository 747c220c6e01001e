//! What the tests of all drivers share: records, values that are no tokens, and schemas of PostgreSQL.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};

use rxseal::phi::Drug;
use rxseal::{Access, Keyring, Purpose, Record, Sealed};
use tokio_postgres::NoTls;

pub type SealedDrug = Sealed<String, Drug>;

pub const CANARY: &str = "Canary-Jane-Doe-metformin";

/// Domains for both forms, as docs/COLUMNS.md has them; what may be in each column but no token; and a column for lists.
pub const TABLE: &str = r"
    CREATE DOMAIN rxseal_text AS text COLLATE
        CHECK (left(VALUE, 3) = 'rxs' AND octet_length(VALUE) BETWEEN 52 AND 2000 AND position(' ' IN VALUE) = 0);
    CREATE DOMAIN rxseal_bytes AS bytea
        CHECK (substring(VALUE FROM 1 FOR 2) = '\xaf1b' AND octet_length(VALUE) >= 39);
    CREATE TABLE rx (
        id BIGINT PRIMARY KEY, t TEXT, b BYTEA, dt rxseal_text, db rxseal_bytes, v VARCHAR(200),
        ts TEXT[], bs BYTEA[], dts rxseal_text[]);
";

pub fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

pub fn record(keys: &Keyring, id: i64) -> Record {
    keys.record("prescription", id).unwrap()
}

pub fn drug(keys: &Keyring, id: i64) -> SealedDrug {
    SealedDrug::seal(&record(keys, id), "warfarin 5 MG").unwrap()
}

pub fn opens(keys: &Keyring, id: i64, drug: &SealedDrug) {
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    assert_eq!(drug.open(&record(keys, id).opened_by(&access)).unwrap(), "warfarin 5 MG");
}

/// Texts that are no token; all have a part that may be in no error.
pub fn not_tokens(token: &SealedDrug) -> Vec<String> {
    let text = token.token().to_string();
    vec![
        CANARY.to_owned(),
        format!("rxsX{CANARY}"),
        format!("{text} {CANARY}"),
        format!(" {text}"),
        format!("{text}\n"),
        text[..40].to_owned(),
        String::new(),
    ]
}

/// The code of our error in what a driver reports, unless a text of it, down to its last cause, quotes the value.
pub fn code(error: &(dyn StdError + 'static), value: &str) -> Option<&'static str> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    for text in causes.clone().flat_map(|error| [error.to_string(), format!("{error:?}")]) {
        let quotes = [CANARY, value].iter().any(|part| !part.is_empty() && text.contains(part));
        assert!(!quotes, "it quotes the value");
    }
    causes.filter_map(|error| own(error)).next().map(|error| error.code().as_str())
}

fn own<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rxseal::Error> {
    error.downcast_ref()
}

pub fn url() -> String {
    std::env::var("RXSEAL_TEST_POSTGRES").expect("the URL of a superuser of PostgreSQL, which `.ci/servers` sets")
}

/// A schema of its own, with `TABLE` in it.
pub struct Schema {
    name: String,
}

impl Schema {
    pub async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = Self { name: format!("rxseal_drivers_{}_{number}", std::process::id()) };
        connect(&url()).await.batch_execute(&format!("CREATE SCHEMA {}", schema.name)).await.unwrap();
        schema
    }

    pub async fn with_table() -> Self {
        let schema = Self::new().await;
        let table = TABLE.replace("COLLATE", "COLLATE \"C\"");
        connect(&schema.url()).await.batch_execute(&table).await.unwrap();
        schema
    }

    pub fn url(&self) -> String {
        format!("{}?options=-c%20search_path%3D{}", url(), self.name)
    }

    pub async fn client(&self) -> tokio_postgres::Client {
        connect(&self.url()).await
    }

    /// At the end of a test that passed; what a failed one leaves, its server's end removes.
    pub async fn drop(self) {
        connect(&url()).await.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await.unwrap();
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A record tag of docs/FORMAT.md.
pub const TAG: &str = "rxrSD-KqDs-nAQAAAAAABwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

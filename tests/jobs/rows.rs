//! The record that most tests work on: five texts.

use rxseal::schema::{RecordSchema, Schema};
use rxseal::{Access, Keyring, PhiRecord, Purpose, Token};
use rxseal_map::{Map, Source};

rxseal::fields! {
    pub Name = "jobs.name" in Identity;
    pub Drug = "jobs.drug" in Medication;
    pub Directions = "jobs.directions" in Medication;
    pub Prescriber = "jobs.prescriber" in Identity;
    pub Note = "jobs.note" in Clinical;
}

#[derive(PhiRecord)]
#[phi(record = "jobs.rx")]
pub struct Rx {
    #[phi(id)]
    pub id: String,
    #[phi(seal = Name)]
    pub name: String,
    #[phi(seal = Drug)]
    pub drug: String,
    #[phi(seal = Directions)]
    pub directions: String,
    #[phi(seal = Prescriber)]
    pub prescriber: String,
    #[phi(seal = Option<Note>)]
    pub note: Option<String>,
}

/// A record with two fields that may be absent.
#[derive(PhiRecord)]
#[phi(record = "jobs.stay")]
pub struct Stay {
    #[phi(id)]
    pub id: i64,
    /// Its absence is sealed too.
    #[phi(seal = Drug)]
    pub drug: Option<String>,
    /// Its absence is NULL.
    #[phi(seal = Option<Note>)]
    pub note: Option<String>,
}

/// A record of a patient.
#[derive(PhiRecord)]
#[phi(record = "jobs.order")]
pub struct Order {
    #[phi(id)]
    pub number: i64,
    #[phi(subject)]
    pub patient: String,
    #[phi(seal = Drug)]
    pub drug: String,
}

/// The sealed columns.
pub const COLUMNS: [&str; 5] = ["name", "drug", "directions", "prescriber", "note"];

/// What every value of a test begins with, and no log, fault or error may have.
pub const CANARY: &str = "Zoraida";

pub fn schema() -> RecordSchema {
    schema_of::<SealedRx>()
}

pub fn schema_of<S: rxseal::records::WholeRecord<Open: PhiRecord<Sealed = S>>>() -> RecordSchema {
    let schema = Schema::new().with::<S::Open>().unwrap();
    schema.records()[0].clone()
}

/// The map of one table.
pub fn map(at: &str, id: &str) -> Map {
    Map::parse(&map_text(at, id)).unwrap()
}

pub fn map_text(at: &str, id: &str) -> String {
    let sealed: Vec<_> = COLUMNS.iter().map(|column| format!("{column} = \"jobs.{column}\"")).collect();
    let sealed = sealed.join(", ");
    text_of(&format!("at = '{at}'\nrecord = \"jobs.rx\"\nid = {id}\nsealed = {{ {sealed} }}\n"))
}

pub fn map_of(source: &str) -> Map {
    Map::parse(&text_of(source)).unwrap()
}

fn text_of(source: &str) -> String {
    format!("keyspace = \"pharmacy-17\"\n[[source]]\n{source}")
}

pub fn source(map: &Map) -> &Source {
    &map.sources()[0]
}

pub fn access() -> Access {
    Access::new("job:test", Purpose::HOPERAT).unwrap()
}

/// The plaintext of a column in a row.
pub fn value(column: &str, id: &str) -> String {
    format!("{CANARY} {column} of {id}")
}

/// What a stored token holds.
pub fn opened(keys: &Keyring, id: &str, column: &str, token: &str) -> Result<String, rxseal::Error> {
    let token: Token = token.parse()?;
    let schema = schema();
    let field = schema.field(&format!("jobs.{column}")).unwrap();
    let opened =
        keys.record("jobs.rx", id)?.opened_by(&access()).open_fields(|pass| pass.open_declared(field, &token))?;
    match opened.expose() {
        rxseal::schema::Plain::Text(text) => Ok(text.to_owned()),
        _ => panic!("a text"),
    }
}

//! The program of docs/MAP.md, and the files that the page shows beside it.

use rxseal::phi::{Drug, PatientName};
use rxseal::schema::Schema;
use rxseal::{Error, PhiRecord};
use rxseal_map::Map;

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(subject)]
    patient_id: String,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(clear)]
    filled_at: String,
    #[phi(clear)]
    refills: u8,
}

/// Every record type of this program.
fn schema() -> Result<Schema, Error> {
    Schema::new().with::<Prescription>()
}

#[test]
fn the_schema_file_is_that_of_the_program() {
    let written = include_str!("../rxseal-schema.json");
    assert_eq!(schema().unwrap().to_json(), written, "write it anew, and look at what changed before you commit it");
}

/// The page shows this file, and a map that fits.
#[test]
fn the_page_shows_the_schema_and_the_map() {
    let page = include_str!("../../../../docs/MAP.md");
    let block = |kind: &str| {
        let begin = page.split_once(&format!("```{kind}\n")).unwrap_or_else(|| panic!("no block of {kind}")).1;
        begin.split_once("```").unwrap().0
    };
    assert_eq!(block("json"), include_str!("../rxseal-schema.json"));
    let map = Map::parse(block("toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(map.check(&schema().unwrap()), []);
}

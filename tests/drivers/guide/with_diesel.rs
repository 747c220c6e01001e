use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use rxseal::{Sealed, phi};

use crate::support::*;

diesel::table! {
    rx (rx_number) {
        rx_number -> BigInt,
        drug -> Text,
        directions -> Nullable<Binary>,
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = rx)]
pub struct Prescription {
    pub rx_number: i64,
    pub drug: Sealed<String, phi::Drug>,
    pub directions: Option<Sealed<String, phi::Directions>>,
}

pub fn insert(db: &mut SqliteConnection, row: &Prescription) -> QueryResult<usize> {
    diesel::insert_into(rx::table).values(row).execute(db)
}

pub fn all(db: &mut SqliteConnection) -> QueryResult<Vec<Prescription>> {
    rx::table.select(Prescription::as_select()).order(rx::rx_number).load(db)
}

#[test]
fn the_guide_works() {
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute("CREATE TABLE rx (rx_number INTEGER PRIMARY KEY, drug TEXT NOT NULL, directions BLOB)").unwrap();
    let keys = keyring();
    let directions = Sealed::seal(&record(&keys, 1), "daily").unwrap();
    insert(&mut db, &Prescription { rx_number: 1, drug: drug(&keys, 1), directions: Some(directions) }).unwrap();
    insert(&mut db, &Prescription { rx_number: 2, drug: drug(&keys, 2), directions: None }).unwrap();
    let rows = all(&mut db).unwrap();
    for row in &rows {
        opens(&keys, row.rx_number, &row.drug);
    }
    assert!(rows[0].directions.is_some() && rows[1].directions.is_none());
}

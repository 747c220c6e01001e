use rxseal::migrating::{Migrating, Read, ReadThrough};
use rxseal::{Access, Error, Keyring, phi};
use tokio_postgres::Client;

use crate::support::*;

pub struct Prescription {
    pub rx_number: i64,
    pub drug: Migrating<String, phi::Drug>,
}

/// Step 1. For step 2 take `.write_plain()` away.
pub fn migrating(keys: &Keyring) -> Result<Keyring, Error> {
    let permit = ReadThrough::until(2099, 3, 1, "CHG-1234")?;
    Ok(keys.read_through::<phi::Drug>(&permit.write_plain()))
}

pub async fn insert(db: &Client, keys: &Keyring, rx_number: i64, drug: &str) -> Result<(), Box<dyn std::error::Error>> {
    let rec = keys.record("prescription", rx_number)?;
    let rx = Prescription { rx_number, drug: Migrating::write(&rec, drug)? };
    db.execute("INSERT INTO rx (rx_number, drug) VALUES ($1, $2)", &[&rx.rx_number, &rx.drug]).await?;
    Ok(())
}

pub fn label(keys: &Keyring, rx: &Prescription, access: &Access) -> Result<String, Error> {
    let rec = keys.record("prescription", rx.rx_number)?;
    match rx.drug.read(&rec.opened_by(access))? {
        Read::Sealed(drug) => Ok(drug),
        Read::Plain(drug) => Ok(drug.expose_not_authentic()), // whoever can write to the table may have made it
    }
}

/// Step 4: seals up to 100 rows, and says how many there were.
pub async fn backfill(db: &mut Client, keys: &Keyring, access: &Access) -> Result<usize, Box<dyn std::error::Error>> {
    let batch = db.transaction().await?;
    let select = "SELECT rx_number, drug::text FROM rx WHERE left(drug, 3) <> 'rxs' LIMIT 100 FOR UPDATE SKIP LOCKED";
    let rows = batch.query(select, &[]).await?;
    for row in &rows {
        let rx = Prescription { rx_number: row.try_get(0)?, drug: row.try_get(1)? };
        let sealed = rx.drug.rewrite(&keys.record("prescription", rx.rx_number)?, access)?;
        batch.execute("UPDATE rx SET drug = $1 WHERE rx_number = $2", &[&sealed, &rx.rx_number]).await?;
    }
    batch.commit().await?;
    Ok(rows.len())
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn the_guide_works() {
    let schema = Schema::new().await;
    let mut db = schema.client().await;
    db.batch_execute("CREATE TABLE rx (rx_number BIGINT PRIMARY KEY, drug TEXT NOT NULL)").await.unwrap();
    let keys = keyring();
    let access = Access::new("job:backfill", rxseal::Purpose::TREAT).unwrap();
    for rx_number in 1..=150 {
        insert(&db, &migrating(&keys).unwrap(), rx_number, CANARY).await.unwrap();
    }
    let read = |row: &tokio_postgres::Row| Prescription { rx_number: row.get(0), drug: row.get(1) };
    for is_plain in [true, false] {
        let rows = db.query("SELECT rx_number, drug FROM rx", &[]).await.unwrap();
        for row in rows.iter().map(read) {
            assert_eq!(row.drug.is_plain(), is_plain);
            assert_eq!(label(&migrating(&keys).unwrap(), &row, &access).unwrap(), CANARY);
        }
        // Without `write_plain`, as from step 2 on.
        let permit = ReadThrough::until(2099, 3, 1, "CHG-1234").unwrap();
        let keys = keys.read_through::<phi::Drug>(&permit);
        let expected: &[usize] = if is_plain { &[100, 50, 0] } else { &[0] };
        for expected in expected {
            assert_eq!(backfill(&mut db, &keys, &access).await.unwrap(), *expected);
        }
    }
    schema.drop().await;
}

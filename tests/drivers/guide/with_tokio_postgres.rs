use rxseal::{Sealed, phi};
use tokio_postgres::Client;

use crate::support::*;

pub struct Prescription {
    pub rx_number: i64,
    pub drug: Sealed<String, phi::Drug>,
    pub directions: Option<Sealed<String, phi::Directions>>,
}

pub async fn insert(db: &Client, rx: &Prescription) -> Result<(), tokio_postgres::Error> {
    let sql = "INSERT INTO rx (rx_number, drug, directions) VALUES ($1, $2, $3)";
    db.execute(sql, &[&rx.rx_number, &rx.drug, &rx.directions]).await?;
    Ok(())
}

pub async fn all(db: &Client) -> Result<Vec<Prescription>, tokio_postgres::Error> {
    let rows = db.query("SELECT rx_number, drug, directions FROM rx ORDER BY rx_number", &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Prescription { rx_number: row.try_get(0)?, drug: row.try_get(1)?, directions: row.try_get(2)? })
    };
    rows.iter().map(read).collect()
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn the_guide_works() {
    let schema = Schema::new().await;
    let db = schema.client().await;
    db.batch_execute("CREATE TABLE rx (rx_number BIGINT PRIMARY KEY, drug TEXT NOT NULL, directions BYTEA)")
        .await
        .unwrap();
    let keys = keyring();
    let directions = Sealed::seal(&record(&keys, 1), "daily").unwrap();
    insert(&db, &Prescription { rx_number: 1, drug: drug(&keys, 1), directions: Some(directions) }).await.unwrap();
    insert(&db, &Prescription { rx_number: 2, drug: drug(&keys, 2), directions: None }).await.unwrap();
    let rows = all(&db).await.unwrap();
    for row in &rows {
        opens(&keys, row.rx_number, &row.drug);
    }
    assert!(rows[0].directions.is_some() && rows[1].directions.is_none());
    schema.drop().await;
}

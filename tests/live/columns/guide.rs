//! What docs/COLUMNS.md shows for sqlx with PostgreSQL. `tests/house/guide.rs` holds the page to it.

use crate::postgres::{Schema, connection, runtime};
use rxseal::count::{CountSql, KeyCounts};
use rxseal::{Access, Purpose, Sealed, phi};
use sqlx::PgConnection;

#[derive(sqlx::FromRow)]
struct Prescription {
    rx_number: i64,
    drug: Sealed<String, phi::Drug>,
    directions: Option<Sealed<String, phi::Directions>>,
}

async fn insert(db: &mut PgConnection, rx: &Prescription) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO rx (rx_number, drug, directions) VALUES ($1, $2, $3)")
        .bind(rx.rx_number)
        .bind(rx.drug.to_text()) // a column of type text
        .bind(&rx.directions) // a column of type bytea
        .execute(db)
        .await?;
    Ok(())
}

async fn all(db: &mut PgConnection) -> sqlx::Result<Vec<Prescription>> {
    sqlx::query_as("SELECT rx_number, drug, directions FROM rx ORDER BY rx_number").fetch_all(db).await
}

async fn insert_all(db: &mut PgConnection, rows: &[Prescription]) -> sqlx::Result<()> {
    let numbers: Vec<_> = rows.iter().map(|rx| rx.rx_number).collect();
    let drugs: Vec<_> = rows.iter().map(|rx| rx.drug.to_text()).collect();
    let directions: Vec<_> = rows.iter().map(|rx| rx.directions.clone()).collect();
    sqlx::query(
        "INSERT INTO rx (rx_number, drug, directions) SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bytea[])",
    )
    .bind(numbers)
    .bind(drugs)
    .bind(directions)
    .execute(db)
    .await?;
    Ok(())
}

async fn tokens_by_key(db: &mut PgConnection) -> Result<KeyCounts, Box<dyn std::error::Error>> {
    let mut counts = KeyCounts::default();
    let sql = CountSql::postgres("rx", "drug")?;
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(db).await?;
    for (key_id, tokens) in rows {
        counts.add_row(&key_id, tokens)?;
    }
    Ok(counts)
}

#[test]
#[ignore = "needs .ci/servers"]
fn the_guide_works() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run("CREATE TABLE rx (rx_number bigint PRIMARY KEY, drug text NOT NULL, directions bytea)");
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    let row = |(rx_number, drug, directions): (i64, &str, Option<&str>)| {
        let rec = keys.record("prescription", rx_number).unwrap();
        let directions = directions.map(|text| Sealed::seal(&rec, text).unwrap());
        Prescription { rx_number, drug: Sealed::seal(&rec, drug).unwrap(), directions }
    };
    let plain =
        [(1001, "warfarin 5 MG", Some("one daily")), (1002, "insulin", None), (1003, "insulin", Some("at noon"))];
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let rows = plain.map(row);
        insert(&mut db, &rows[0]).await.unwrap();
        insert_all(&mut db, &rows[1..]).await.unwrap();
        for (rx, (rx_number, drug, directions)) in all(&mut db).await.unwrap().iter().zip(plain) {
            assert_eq!(rx.rx_number, rx_number);
            let rec = keys.record("prescription", rx_number).unwrap().opened_by(&access);
            assert_eq!(rx.drug.open(&rec).unwrap(), drug);
            let opened = rx.directions.as_ref().map(|sealed| sealed.open(&rec).unwrap());
            assert_eq!(opened.as_deref(), directions);
        }
        assert_eq!(tokens_by_key(&mut db).await.unwrap().of(keys.primary_key()), 3);
    });
}

//! What docs/COLUMNS.md shows of a re-index. `tests/house/guide.rs` holds the page to it.

use std::error::Error;

use rxseal::columns::{IndexSql, ReindexSql, SwapParameter};
use rxseal::phi::BirthDate;
use rxseal::schema::Schema;
use rxseal::{Access, Keyring, PhiRecord};
use rxseal_search::indexes;
use rxseal_search::reindex::{Progress, Swap, reindex_page};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row};

use super::{World, access};

#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    pub id: i64,
    #[phi(seal = BirthDate, index = BornOn)]
    pub birth_date: String,
}

indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
    }
}

fn read(row: &Row) -> Result<SealedPatient, tokio_postgres::Error> {
    Ok(SealedPatient {
        id: row.try_get("id")?,
        birth_date: row.try_get("birth_date")?,
        born_on: row.try_get("born_on")?,
    })
}

fn cell<'r>(row: &'r SealedPatient, column: &str) -> &'r (dyn ToSql + Sync) {
    match column {
        "birth_date" => &row.birth_date,
        "born_on" => &row.born_on,
        _ => unreachable!("a column that the schema does not have"),
    }
}

pub async fn reindex(
    db: &Client,
    keys: &Keyring,
    former: &[&[u8]],
    access: &Access,
) -> Result<Progress, Box<dyn Error>> {
    let schema = Schema::new().with::<Patient>()?;
    let sql = ReindexSql::postgres_of("patient", &schema.records()[0])?;
    let (mut after, mut progress) = (0, Progress::default()); // keep both: a job that was stopped goes on from here
    loop {
        let page = db.query(&sql.select(former.len()), &[&after, &500_i64, &former]).await?;
        let rows = page.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = rows.last() else { return Ok(progress) };
        for Swap { old, new } in reindex_page(&rows, keys.reindex_all(&rows, access), &mut progress).swaps {
            // No row is written if somebody else was faster. A later pass finds it, if it is still to be done.
            let values = sql.swap_parameters().map(|parameter| match parameter {
                SwapParameter::Id => &new.id,
                SwapParameter::New(column) => cell(&new, column),
                SwapParameter::Old(column) => cell(old, column),
            });
            let values: Vec<_> = values.collect();
            progress.add_written(db.execute(&sql.swap(), &values).await?);
        }
        after = last.id;
    }
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn the_guides_job_leaves_nothing() {
    let url = std::env::var("RXSEAL_TEST_POSTGRES").expect("the URL of PostgreSQL, which `.ci/servers` sets");
    let (db, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    db.batch_execute("CREATE TEMPORARY TABLE patient (id BIGINT PRIMARY KEY, birth_date BYTEA NOT NULL)")
        .await
        .unwrap();
    db.batch_execute(&IndexSql::of::<BornOn>("pg_temp.patient", "born_on").unwrap().postgres().unwrap()).await.unwrap();
    let world = World::new();
    let keys = world.keys();
    for id in 1..=3 {
        let row = keys.seal(&Patient { id, birth_date: format!("1970-01-{id:02}") }).unwrap();
        let insert = "INSERT INTO patient VALUES ($1, $2, $3)";
        db.execute(insert, &[&row.id, &row.birth_date, &row.born_on]).await.unwrap();
    }
    let staged = world.stage();
    world.promote(staged);
    let keys = world.keys();
    let prefixes = keys.indexer().unwrap().prefixes::<BornOn>().unwrap();
    let former: Vec<&[u8]> =
        prefixes.iter().filter(|prefix| !prefix.is_current()).map(|prefix| prefix.as_bytes().as_slice()).collect();
    let progress = reindex(&db, &keys, &former, &access()).await.unwrap();
    assert_eq!(progress.to_string(), "3 rows, 3 to write, 3 written, 0 failed");
    assert_eq!(reindex(&db, &keys, &former, &access()).await.unwrap(), Progress::default());
}

//! What docs/COLUMNS.md shows for rusqlite, and for sqlx with SQLite. `tests/house/guide.rs` holds the page to it.

use std::error::Error;

use rusqlite::{Connection, OptionalExtension};
use rxseal::columns::{ColumnLen, ColumnSql};
use rxseal::{Access, Keyring, Purpose, Sealed, phi};
use sqlx::SqliteConnection;

/// Beside the migration that declares the column.
const DRUG: ColumnLen = ColumnLen::of::<phi::Drug>(60).any_suite();
const _: () = assert!(DRUG.text() <= 160);

mod with_rusqlite {
    use super::*;

    pub struct Prescription {
        pub rx_number: i64,
        pub drug: Sealed<String, phi::Drug>,
        pub directions: Option<Sealed<String, phi::Directions>>,
    }

    pub fn insert(db: &Connection, rx: &Prescription) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rx (rx_number, drug, directions) VALUES (?1, ?2, ?3)";
        db.execute(sql, (rx.rx_number, &rx.drug, &rx.directions))?;
        Ok(())
    }

    pub fn find(db: &Connection, rx_number: i64) -> rusqlite::Result<Option<Prescription>> {
        db.query_row("SELECT rx_number, drug, directions FROM rx WHERE rx_number = ?1", [rx_number], |row| {
            Ok(Prescription { rx_number: row.get(0)?, drug: row.get(1)?, directions: row.get(2)? })
        })
        .optional()
    }
}

mod with_sqlx {
    use super::*;

    #[derive(sqlx::FromRow)]
    pub struct Prescription {
        pub rx_number: i64,
        pub drug: Sealed<String, phi::Drug>,
        pub directions: Option<Sealed<String, phi::Directions>>,
    }

    pub async fn insert(db: &mut SqliteConnection, rx: &Prescription) -> sqlx::Result<()> {
        sqlx::query("INSERT INTO rx (rx_number, drug, directions) VALUES (?1, ?2, ?3)")
            .bind(rx.rx_number)
            .bind(&rx.drug)
            .bind(&rx.directions)
            .execute(db)
            .await?;
        Ok(())
    }

    pub async fn find(db: &mut SqliteConnection, rx_number: i64) -> sqlx::Result<Option<Prescription>> {
        let sql = "SELECT rx_number, drug, directions FROM rx WHERE rx_number = ?1";
        sqlx::query_as(sql).bind(rx_number).fetch_optional(db).await
    }

    pub async fn all(db: &mut SqliteConnection) -> sqlx::Result<Vec<Prescription>> {
        sqlx::query_as!(
            Prescription,
            r#"SELECT rx_number, drug AS "drug: _", directions AS "directions: _" FROM rx ORDER BY rx_number"#
        )
        .fetch_all(db)
        .await
    }

    pub async fn change(db: &mut SqliteConnection, rx: &Prescription) -> sqlx::Result<()> {
        sqlx::query!("UPDATE rx SET drug = ?1 WHERE rx_number = ?2", rx.drug, rx.rx_number).execute(db).await?;
        Ok(())
    }
}

#[tokio::test]
async fn the_guide_works() {
    let db = super::Database::new("guide");
    let sync = db.rusqlite();
    sync.execute_batch("DROP TABLE rx").unwrap();
    sync.execute_batch(&table_of_the_page()).unwrap();
    let mut sqlx = db.sqlx().await;
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let (drug, directions) = sealed(&keys, 1);
    with_rusqlite::insert(&sync, &with_rusqlite::Prescription { rx_number: 1, drug, directions }).unwrap();
    let (drug, _) = sealed(&keys, 2);
    let mut row = with_sqlx::Prescription { rx_number: 2, drug, directions: None };
    with_sqlx::insert(&mut sqlx, &row).await.unwrap();
    (row.drug, row.directions) = sealed(&keys, 2);
    with_sqlx::change(&mut sqlx, &row).await.unwrap();

    let found = with_rusqlite::find(&sync, 1).unwrap().unwrap();
    opens(&keys, found.rx_number, &found.drug, found.directions.as_ref());
    let found = with_sqlx::find(&mut sqlx, 1).await.unwrap().unwrap();
    opens(&keys, found.rx_number, &found.drug, found.directions.as_ref());
    assert!(with_rusqlite::find(&sync, 3).unwrap().is_none());
    let all = with_sqlx::all(&mut sqlx).await.unwrap();
    assert!(all.len() == 2 && all[1].drug == row.drug && all[1].directions.is_none());

    // Its CHECK is the one that the library makes.
    let of_library = ColumnSql::sealed("rx", "drug", DRUG).unwrap().binary().sqlite().unwrap();
    let check = of_library.split_once("CHECK (\"drug\" IS NULL OR ").unwrap().1.trim_end_matches(");");
    assert!(table_of_the_page().contains(check), "{check}");
    let error = sync.execute("UPDATE rx SET drug = 'warfarin 5 MG'", ()).unwrap_err().to_string();
    assert!(error.contains("rxseal_rx_drug") && !error.contains("warfarin"), "{error}");
}

mod with_derive {
    use super::*;
    use rxseal::PhiRecord;

    #[derive(PhiRecord)]
    #[phi(record = "prescription", derive(sqlx::FromRow))]
    pub struct Prescription {
        #[phi(id)]
        pub rx_number: i64,
        #[phi(seal = phi::Drug)]
        pub drug: String,
        #[phi(seal = Option<phi::Directions>)]
        pub directions: Option<String>,
    }

    pub async fn insert(db: &mut SqliteConnection, keys: &Keyring, rx: &Prescription) -> Result<(), Box<dyn Error>> {
        let row = keys.seal(rx)?;
        sqlx::query("INSERT INTO rx (rx_number, drug, directions) VALUES (?1, ?2, ?3)")
            .bind(row.rx_number)
            .bind(&row.drug)
            .bind(&row.directions)
            .execute(db)
            .await?;
        Ok(())
    }

    pub async fn find(
        db: &mut SqliteConnection,
        keys: &Keyring,
        access: &Access,
        rx_number: i64,
    ) -> Result<Prescription, Box<dyn Error>> {
        let sql = "SELECT rx_number, drug, directions FROM rx WHERE rx_number = ?1";
        let row: SealedPrescription = sqlx::query_as(sql).bind(rx_number).fetch_one(db).await?;
        Ok(keys.open(&row, access)?)
    }
}

#[tokio::test]
async fn a_derived_twin_is_a_row() {
    let db = super::Database::new("derived");
    let mut sqlx = db.sqlx().await;
    db.rusqlite().execute_batch(&format!("DROP TABLE rx; {}", table_of_the_page())).unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    for (rx_number, directions) in [(1, None), (2, Some("daily".to_owned()))] {
        let rx = with_derive::Prescription { rx_number, drug: "warfarin 5 MG".to_owned(), directions };
        with_derive::insert(&mut sqlx, &keys, &rx).await.unwrap();
        let found = with_derive::find(&mut sqlx, &keys, &access, rx_number).await.unwrap();
        assert!(found.drug == rx.drug && found.directions == rx.directions);
    }
    // Written as a record struct, read column by column.
    let (drug, directions): (Sealed<String, phi::Drug>, Option<Sealed<String, phi::Directions>>) =
        sqlx::query_as("SELECT drug, directions FROM rx WHERE rx_number = 2").fetch_one(&mut sqlx).await.unwrap();
    opens(&keys, 2, &drug, directions.as_ref());
}

/// The table as docs/COLUMNS.md declares it.
fn table_of_the_page() -> String {
    let page = include_str!("../../../docs/COLUMNS.md");
    let (_, block) = page.split_once("```sql\nCREATE TABLE rx").unwrap();
    format!("CREATE TABLE rx{}", block.split("```").next().unwrap())
}

type Fields = (Sealed<String, phi::Drug>, Option<Sealed<String, phi::Directions>>);

fn sealed(keys: &Keyring, id: i64) -> Fields {
    let rec = keys.record("prescription", id).unwrap();
    (Sealed::seal(&rec, "warfarin 5 MG").unwrap(), Some(Sealed::seal(&rec, "daily").unwrap()))
}

fn opens(
    keys: &Keyring,
    id: i64,
    drug: &Sealed<String, phi::Drug>,
    directions: Option<&Sealed<String, phi::Directions>>,
) {
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    let rec = keys.record("prescription", id).unwrap().opened_by(&access);
    assert_eq!(drug.open(&rec).unwrap(), "warfarin 5 MG");
    assert_eq!(directions.unwrap().open(&rec).unwrap(), "daily");
}

mod with_migration {
    use super::*;
    use rxseal::PhiRecord;
    use rxseal::records::Migrates;

    #[derive(PhiRecord)]
    #[phi(record = "prescription", derive(sqlx::FromRow))]
    pub struct Prescription {
        #[phi(id)]
        pub rx_number: i64,
        #[phi(seal = Migrates<phi::Drug>)] // at step 6 again `seal = phi::Drug`
        pub drug: String,
    }

    /// Step 4 in SQLite.
    pub async fn backfill(db: &mut SqliteConnection, keys: &Keyring, access: &Access) -> Result<usize, Box<dyn Error>> {
        let select = "SELECT * FROM rx WHERE typeof(drug) = 'text' AND substr(drug, 1, 3) <> 'rxs' LIMIT 100";
        let rows: Vec<SealedPrescription> = sqlx::query_as(select).fetch_all(&mut *db).await?;
        for row in &rows {
            let sealed = row.drug.rewrite(&keys.record_of(row)?, access)?;
            sqlx::query("UPDATE rx SET drug = ?1 WHERE rx_number = ?2 AND substr(drug, 1, 3) <> 'rxs'")
                .bind(&sealed)
                .bind(row.rx_number)
                .execute(&mut *db)
                .await?;
        }
        Ok(rows.len())
    }
}

#[tokio::test]
async fn a_record_struct_is_migrated() {
    use rxseal::migrating::ReadThrough;
    use with_migration::{Prescription, SealedPrescription, backfill};

    let db = super::Database::new("migrated");
    let sync = db.rusqlite();
    sync.execute_batch("DROP TABLE rx; CREATE TABLE rx (rx_number INTEGER PRIMARY KEY, drug TEXT NOT NULL)").unwrap();
    let mut sqlx = db.sqlx().await;
    let permit = ReadThrough::until(2099, 3, 1, "CHG-1234").unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let keys = keys.read_through::<phi::Drug>(&permit);
    let access = Access::new("job:backfill", Purpose::TREAT).unwrap();
    for rx_number in 1..=150 {
        sync.execute("INSERT INTO rx VALUES (?1, 'warfarin 5 MG')", [rx_number]).unwrap();
    }
    let row = keys.seal(&Prescription { rx_number: 151, drug: "warfarin 5 MG".into() }).unwrap();
    sqlx::query("INSERT INTO rx VALUES (151, ?1)").bind(&row.drug).execute(&mut sqlx).await.unwrap();
    for expected in [100, 50, 0] {
        let rows: Vec<SealedPrescription> = sqlx::query_as("SELECT * FROM rx").fetch_all(&mut sqlx).await.unwrap();
        let opened = keys.open_all(&rows, &access);
        assert!(opened.into_iter().all(|rx| rx.unwrap().drug == "warfarin 5 MG"));
        assert_eq!(backfill(&mut sqlx, &keys, &access).await.unwrap(), expected);
    }
    let left = "SELECT count(*) FROM rx WHERE drug LIKE '%warfarin%'";
    assert_eq!(sync.query_row(left, (), |row| row.get::<_, i64>(0)).unwrap(), 0);
}

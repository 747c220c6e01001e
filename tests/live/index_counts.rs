//! Counts of index values in PostgreSQL, in columns of each type, against what Rust counts.

use rxseal::count::IndexCounts;
use rxseal_postgres::count_index_postgres;

use crate::column::Value;
use crate::index_cells::index_cells;
use crate::postgres::{Schema, connection, runtime};

#[test]
#[ignore = "needs .ci/servers"]
fn counts_of_index_values_are_those_of_rust() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run(
        "CREATE DOMAIN index_value AS bytea; CREATE TABLE patient (b BYTEA, d index_value, t TEXT, v VARCHAR COLLATE \"C\", n INTEGER);
         CREATE TABLE names (b BYTEA[], t TEXT[], j JSONB); CREATE VIEW some_rows AS SELECT b FROM patient",
    );
    let (cells, _) = index_cells();
    let text = |cell: &Value| if let Value::Text(text) = cell { Some(text.clone()) } else { None };
    let bytes = |cell: &Value| if let Value::Bytes(bytes) = cell { Some(bytes.clone()) } else { None };
    let (texts, bytes): (Vec<_>, Vec<_>) = (cells.iter().map(text).collect(), cells.iter().map(bytes).collect());
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let sql = "INSERT INTO patient (b, d) SELECT x, x FROM unnest($1::bytea[]) x";
        sqlx::query(sql).bind(&bytes).execute(&mut db).await.unwrap();
        let sql = "INSERT INTO patient (t, v) SELECT x, x FROM unnest($1::text[]) x";
        sqlx::query(sql).bind(&texts).execute(&mut db).await.unwrap();
        let (full, written): (Vec<_>, Vec<_>) = (bytes.iter().flatten().collect(), texts.iter().flatten().collect());
        for chunk in full.chunks(5) {
            sqlx::query("INSERT INTO names (b) VALUES ($1::bytea[])").bind(chunk).execute(&mut db).await.unwrap();
        }
        for chunk in written.chunks(5) {
            let sql = "INSERT INTO names (t, j) VALUES ($1::text[], to_jsonb($1::text[]))";
            sqlx::query(sql).bind(chunk).execute(&mut db).await.unwrap();
        }
        sqlx::raw_sql("UPDATE patient SET n = 7; INSERT INTO names (b, t, j) VALUES ('{}', '{}', '[]')")
            .execute(&mut db)
            .await
            .unwrap();
    });
    let mut expected = [IndexCounts::default(), IndexCounts::default()];
    bytes.iter().flatten().for_each(|bytes| expected[0].add_bytes(bytes));
    texts.iter().flatten().for_each(|text| expected[1].add_text(text));
    for escape in ["", "%20-c%20bytea_output=escape"] {
        let count = |table: &str, column: &str| {
            let url = format!("{}{escape}", schema.url());
            runtime.block_on(count_index_postgres(&url, table, column)).unwrap()
        };
        for (table, column, of_text) in [
            ("patient", "b", 0),
            ("patient", "d", 0),
            ("patient", "t", 1),
            ("patient", "v", 1),
            ("names", "b", 0),
            ("names", "t", 1),
            ("names", "j", 1),
        ] {
            let (counted, expected) = (count(table, column), &expected[of_text]);
            let both = |counts: &IndexCounts| (counts.iter().collect::<Vec<_>>(), counts.not_values());
            assert_eq!(both(&counted), both(expected), "{table}.{column}");
            assert!(counted.nulls() > 0 && counted.doubt().is_none(), "{table}.{column}");
        }
        assert!(count("patient", "n").not_values() > 100, "numbers");
        assert!(count("some_rows", "b").doubt().unwrap().contains("view"));
    }
}

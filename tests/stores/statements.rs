//! The SQL that the library writes for columns of tokens and of index values. SQLite runs it; what it says for the other databases is compared
//! as text here, and they run it in tests/live and in tests of the command.

use rusqlite::types::Value;
use rusqlite::{Connection, ToSql};
use rxseal::Record;
use rxseal::columns::{ColumnLen, ColumnSql, IndexSql, ReindexSql};
use rxseal::count::CountSql;
use rxseal::index::Kind;
use rxseal::phi::Drug;
use rxseal::schema::Schema;
use rxseal::testing::insecure_keyring;

const CANARY: &str = "Canary-Jane-Doe-metformin-500-MG-twice-daily-with-meals-and-water";

fn record() -> Record {
    insecure_keyring("pharmacy-17").unwrap().unobserved().record("prescription", 1).unwrap()
}

fn drug() -> ColumnSql {
    ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite()).unwrap()
}

fn code<T>(result: Result<T, rxseal::Error>) -> &'static str {
    result.map(drop).unwrap_err().code().as_str()
}

#[test]
fn a_column_of_sqlite_takes_tokens_of_its_form_only() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY)").unwrap();
    let bytes = ColumnSql::sealed("rx", "bytes", ColumnLen::of::<Drug>(60).any_suite()).unwrap().binary();
    let tag = ColumnSql::record_tag("rx", "tag").unwrap();
    for column in [drug(), bytes, tag.clone(), ColumnSql::record_tag("rx", "tag_bytes").unwrap().binary()] {
        db.execute_batch(&column.sqlite().unwrap()).unwrap();
    }
    let token = record().seal::<Drug>(&"w".repeat(60)).unwrap();
    let long = record().seal::<Drug>(&"w".repeat(100)).unwrap();
    let (text, long_text, tag_bytes) =
        (token.to_string(), long.to_string(), [&[0xAF_u8, 0x1A, 0xD2][..], &[7; 45]].concat());
    let tag_text = format!("rxrS{}", "A".repeat(60));
    let insert = |column: &str, value: &dyn ToSql| {
        db.execute(&format!("INSERT INTO rx ({column}) VALUES (?1)"), [value]).map_err(|error| error.to_string())
    };
    let taken: [(&str, &dyn ToSql); 8] = [
        ("drug", &text),
        ("drug", &None::<String>),
        ("bytes", &token.as_bytes()),
        ("bytes", &None::<String>),
        ("tag", &tag_text),
        ("tag", &None::<String>),
        ("tag_bytes", &tag_bytes),
        ("tag_bytes", &None::<String>),
    ];
    for (column, value) in taken {
        assert_eq!(insert(column, value), Ok(1), "{column}");
    }
    let refused: [(&str, &dyn ToSql); 10] = [
        ("drug", &CANARY),
        ("drug", &format!("rxs{CANARY} ")),
        ("drug", &long_text),
        ("drug", &token.as_bytes()),
        ("bytes", &CANARY.as_bytes()),
        ("bytes", &text),
        ("bytes", &long.as_bytes()),
        ("tag", &text),
        ("tag", &&tag_text[..63]),
        ("tag_bytes", &token.as_bytes()),
    ];
    for (column, value) in refused {
        let error = insert(column, value).unwrap_err();
        assert!(error.contains(&format!("rxseal_rx_{column}")) && !error.contains("Canary"), "{error}");
    }
}

/// Old rows stay, and so do changes of their other columns.
#[test]
fn a_gate_of_sqlite_is_for_a_column_that_is_there() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, refills INT)").unwrap();
    db.execute("INSERT INTO rx VALUES (1, ?1, 0)", [CANARY]).unwrap();
    db.execute_batch(&drug().named("it's sealed").unwrap().sqlite_gate().unwrap()).unwrap();
    assert_eq!(db.execute("UPDATE rx SET refills = 1", ()).unwrap(), 1);
    let token = record().seal::<Drug>("warfarin").unwrap();
    for statement in ["UPDATE rx SET drug = ?1", "INSERT INTO rx (drug) VALUES (?1)"] {
        let error = db.execute(statement, [CANARY]).unwrap_err().to_string();
        assert!(error.contains("it's sealed takes no plaintext") && !error.contains("Canary"), "{error}");
        let taken: [&dyn ToSql; 3] = [&token.to_string(), &token.as_bytes(), &None::<String>];
        for value in taken {
            assert!(db.execute(statement, [value]).unwrap() > 0);
        }
    }
}

#[test]
fn a_column_of_tokens_in_postgresql_and_mysql() {
    let postgres = drug().postgres().unwrap();
    assert!(
        postgres
            .begin()
            .starts_with("CREATE DOMAIN \"rxseal_rx_drug\" AS text COLLATE \"C\";\nALTER TABLE \"rx\" ALTER")
    );
    assert!(
        postgres.begin().contains("left(VALUE, 3) = 'rxs' AND octet_length(VALUE) BETWEEN 52 AND 151"),
        "{postgres}"
    );
    assert_eq!(postgres.finish(), "ALTER DOMAIN \"rxseal_rx_drug\" VALIDATE CONSTRAINT \"sealed\";");
    let both = postgres.to_string();
    assert!(
        both.contains(postgres.begin())
            && both.contains(postgres.finish())
            && both.contains("fails if plaintext is left")
    );
    let tag =
        ColumnSql::record_tag("pharmacy.rx", "tag").unwrap().binary().named("rxseal_tag").unwrap().postgres().unwrap();
    assert!(tag.begin().starts_with("CREATE DOMAIN \"pharmacy\".\"rxseal_tag\" AS bytea;"), "{tag}");
    assert!(
        tag.begin().contains("substring(VALUE FROM 1 FOR 3) = '\\xaf1ad2'::bytea AND octet_length(VALUE) = 48"),
        "{tag}"
    );
    assert!(tag.finish().ends_with("ALTER TABLE \"pharmacy\".\"rx\" ALTER COLUMN \"tag\" SET NOT NULL;"), "{tag}");

    let mysql = |sql: ColumnSql| sql.mysql().unwrap();
    assert_eq!(
        mysql(drug()),
        "ALTER TABLE `rx` ADD COLUMN `drug` VARCHAR(152) CHARACTER SET ascii COLLATE ascii_bin, ADD CONSTRAINT `rxseal_rx_drug` CHECK \
         (left(`drug`, 3) = 'rxs' AND octet_length(`drug`) BETWEEN 52 AND 151 AND octet_length(`drug`) % 4 <> 1 AND instr(`drug`, ' ') = 0);"
    );
    assert!(mysql(drug().binary()).contains("`drug` VARBINARY(114)"));
    // One character of room more than the longest token has, in a type that has it.
    let note = |is_binary: bool| {
        let sql = ColumnSql::sealed("pharmacy.rx", "note", ColumnLen::padded_to(64, 100_000)).unwrap();
        mysql(if is_binary { sql.binary() } else { sql })
    };
    assert!(note(false).starts_with("ALTER TABLE `pharmacy`.`rx` ADD COLUMN `note` LONGTEXT CHARACTER SET ascii"));
    assert!(note(true).contains("`note` LONGBLOB"));
    assert!(
        mysql(ColumnSql::record_tag("rx", "tag").unwrap())
            .contains("left(`tag`, 4) = 'rxrS' AND octet_length(`tag`) = 64")
    );
}

#[test]
fn names_that_a_database_would_cut_off_are_refused() {
    let len = ColumnLen::of::<Drug>(60);
    let named = |table: &str, column: &str| ColumnSql::sealed(table, column, len);
    for (table, column) in [("a.b.c", "drug"), ("", "drug"), ("rx", ""), ("rx", "d\0"), ("r\0x", "drug")] {
        assert_eq!(code(named(table, column)), "invalid-id", "{table:?} {column:?}");
    }
    let long = "d".repeat(60);
    assert_eq!(code(named("rx", &"c".repeat(64)).unwrap().postgres()), "invalid-id");
    assert_eq!(code(named(&"t".repeat(64), "c").unwrap().postgres()), "invalid-id");
    assert_eq!(code(named("rx", &long).unwrap().postgres()), "invalid-id", "the name of the domain");
    assert_eq!(code(named("rx", &long).unwrap().mysql()), "invalid-id");
    named("rx", &long).unwrap().named("rxseal_drug").unwrap().postgres().unwrap();
    assert_eq!(code(drug().named("")), "invalid-id");
}

#[test]
fn a_column_of_index_values_in_sqlite() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY)").unwrap();
    let born = IndexSql::new("patient", "born_on", Kind::Whole, &[14, 20]).unwrap();
    let unique = IndexSql::new("patient", "number", Kind::Compound, &[128]).unwrap();
    let names = IndexSql::new("patient", "names", Kind::Parts, &[14]).unwrap();
    assert!(names.is_set() && !born.is_set() && !unique.is_set());
    for sql in [&born, &unique, &names] {
        db.execute_batch(&sql.sqlite("id").unwrap()).unwrap();
    }
    let set = |column: &str, id: i64, value: &[u8]| {
        db.execute(&format!("INSERT INTO patient (id, {column}) VALUES (?1, ?2)"), (id, value))
    };
    // A value of the present definition, and one of a former.
    assert_eq!(set("born_on", 1, &[7; 5]), Ok(1));
    assert_eq!(set("born_on", 2, &[7; 6]), Ok(1));
    let error = set("born_on", 3, b"1970-01-31").unwrap_err().to_string();
    assert!(error.contains("rxseal_patient_born_on") && !error.contains("1970"), "{error}");
    assert_eq!(set("number", 4, &[7; 19]), Ok(1));
    let error = set("number", 5, &[7; 19]).unwrap_err().to_string();
    assert!(error.contains("UNIQUE"), "{error}");
    let add = |value: &[u8], id: i64| db.execute("INSERT INTO patient_names (ix, id) VALUES (?1, ?2)", (value, id));
    assert_eq!((add(&[7; 5], 1), add(&[8; 5], 1), add(&[7; 5], 2)), (Ok(1), Ok(1), Ok(1)));
    assert!(add(b"Zoraida", 1).is_err());

    // What a patient leaves who is shredded: nothing.
    db.execute(&born.clear_sqlite("id").unwrap(), [1]).unwrap();
    db.execute(&names.clear_sqlite("id").unwrap(), [1]).unwrap();
    let values = |sql: &str| db.query_row(sql, (), |row| row.get::<_, Value>(0)).unwrap();
    assert_eq!(values("SELECT born_on FROM patient WHERE id = 1"), Value::Null);
    assert_eq!(values("SELECT group_concat(id) FROM patient_names"), Value::Text("2".to_owned()));
}

#[test]
fn a_column_of_index_values_in_postgresql_and_mysql() {
    let born = IndexSql::new("pharmacy.patient", "born_on", Kind::Whole, &[14, 20]).unwrap();
    let names = IndexSql::new("patient", "names", Kind::Sounds, &[14]).unwrap();
    let unique = IndexSql::new("patient", "number", Kind::Whole, &[128]).unwrap();
    let postgres = |sql: &IndexSql| sql.postgres().unwrap();
    assert!(postgres(&born).contains("CHECK (octet_length(VALUE) IN (5, 6)) NOT VALID;"), "{}", postgres(&born));
    assert!(postgres(&born).ends_with("CREATE INDEX ON \"pharmacy\".\"patient\" (\"born_on\");"));
    assert!(postgres(&names).contains("AS bytea[];") && postgres(&names).contains("cardinality(VALUE) <= 8"));
    assert!(postgres(&names).ends_with("CREATE INDEX ON \"patient\" USING gin (\"names\");"), "{}", postgres(&names));
    assert!(postgres(&unique).contains("CREATE UNIQUE INDEX ON \"patient\""));
    assert_eq!(
        born.clear_postgres("id").unwrap(),
        "UPDATE \"pharmacy\".\"patient\" SET \"born_on\" = NULL WHERE \"id\" = $1;"
    );

    let mysql = |sql: &IndexSql| sql.mysql("id", "BIGINT UNSIGNED").unwrap();
    assert_eq!(
        mysql(&born),
        "ALTER TABLE `pharmacy`.`patient` ADD COLUMN `born_on` VARBINARY(7), ADD CONSTRAINT `rxseal_patient_born_on` CHECK \
         (octet_length(`born_on`) IN (5, 6)), ADD KEY (`born_on`);"
    );
    assert_eq!(
        mysql(&names),
        "CREATE TABLE `patient_names` (`ix` VARBINARY(6) NOT NULL, `id` BIGINT UNSIGNED NOT NULL, PRIMARY KEY (`ix`, `id`), KEY (`id`), \
         CONSTRAINT `rxseal_patient_names` CHECK (octet_length(`ix`) = 5));"
    );
    assert!(mysql(&unique).ends_with("ADD UNIQUE KEY (`number`);"), "{}", mysql(&unique));
    assert_eq!(born.clear_mysql("id").unwrap(), "UPDATE `pharmacy`.`patient` SET `born_on` = NULL WHERE `id` = ?;");
    assert_eq!(names.clear_mysql("id").unwrap(), "DELETE FROM `patient_names` WHERE `id` = ?;");

    for bits in [&[][..], &[7], &[65], &[14, 127]] {
        assert_eq!(code(IndexSql::new("patient", "born_on", Kind::Whole, bits)), "invalid-id", "{bits:?}");
    }
    for id_type in ["", "BIGINT; DROP TABLE patient", "BIGINT--"] {
        assert_eq!(code(born.mysql("id", id_type)), "invalid-id", "{id_type}");
    }
    let long = IndexSql::new("patient", &"c".repeat(60), Kind::Whole, &[14]).unwrap();
    assert_eq!(code(long.postgres()), "invalid-id", "the name of the domain");
}

#[test]
fn rows_are_counted_by_their_keyspace() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (tenant)").unwrap();
    let too_long = "x".repeat(65);
    let tenants: [&dyn ToSql; 11] = [
        &"pharmacy-17",
        &"pharmacy-18",
        &"pharmacy-17",
        &42,
        &"",
        &"Pharmacy-17",
        &"a b",
        &"-a",
        &too_long,
        &"a\0b",
        &None::<String>,
    ];
    for tenant in tenants {
        db.execute("INSERT INTO rx VALUES (?1)", [tenant]).unwrap();
    }
    let sql = CountSql::keyspaces_sqlite("main.rx", "tenant").unwrap();
    let mut statement = db.prepare(sql.as_str()).unwrap();
    let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
    let counted: Vec<_> = rows.map(Result::unwrap).collect();
    let of = |name: &str, rows| (name.to_owned(), rows);
    assert_eq!(counted, [of("42", 1), of(CountSql::NO_KEYSPACE, 7), of("pharmacy-17", 2), of("pharmacy-18", 1)]);
    assert_eq!((sql.schema(), sql.table(), sql.quoted_table()), (Some("main"), "rx", "\"main\".\"rx\""));

    let postgres = CountSql::keyspaces_postgres("rx", "ten\"ant").unwrap();
    assert!(postgres.as_str().contains("v.\"ten\"\"ant\"::text COLLATE \"C\" FROM \"rx\""), "{}", postgres.as_str());
    assert_eq!(postgres.schema(), None);
    let values = CountSql::postgres_values("pharmacy.rx", "document").unwrap();
    assert_eq!(values.as_str(), "SELECT v.\"document\"::text FROM \"pharmacy\".\"rx\" AS v");
    let long = "c".repeat(64);
    for sql in [CountSql::keyspaces_postgres("rx", &long), CountSql::postgres_values(&long, "drug")] {
        assert_eq!(code(sql), "invalid-id");
    }
}

/// A record type without indexes, and one whose rows no single column tells apart.
#[test]
fn rows_that_nothing_indexes_are_not_to_be_indexed_again() {
    let schema = Schema::parse(
        r#"{"rxseal_schema": 1, "records": [{"record": "patient", "ids": [{"member": "id", "content": "u64"}], "fields": []},
            {"record": "visit", "ids": [{"member": "store"}, {"member": "id", "content": "u64"}], "fields": []}]}"#,
    )
    .unwrap();
    let [patient, visit] = schema.records() else { panic!() };
    // Without indexes there is nothing to find, so no row is.
    let sql = ReindexSql::sqlite_of("patient", patient).unwrap();
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY); INSERT INTO patient VALUES (1)").unwrap();
    let mut statement = db.prepare(&sql.select(1)).unwrap();
    assert!(!statement.exists((0, 10)).unwrap());
    let error = ReindexSql::postgres_of("visit", visit).unwrap_err();
    assert_eq!((error.code().as_str(), error.record_type()), ("invalid-id", Some("visit")));
    assert_eq!(code(ReindexSql::sqlite("patient", "", &["last_name"], &[])), "invalid-id");
    let postgres = ReindexSql::postgres("pharmacy.patient", "id", &["last_name"], &[]).unwrap();
    assert_eq!(
        postgres.swap(),
        "UPDATE \"pharmacy\".\"patient\" SET \"last_name\" = $2 WHERE \"id\" = $1 AND \"last_name\" IS NOT DISTINCT FROM $3"
    );
}

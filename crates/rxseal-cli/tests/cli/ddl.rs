//! `rxseal ddl`: the SQL is what the docs show, works in a real database, and refuses plaintext without quoting it.

use rxseal::columns::{ColumnLen, ColumnSql};
use rxseal::phi::Drug;

use crate::shop::Shop;

const CANARY: &str = "Canary-Jane-Doe-metformin-500-MG-twice-daily-with-meals-and-water";

#[test]
fn statements_for_each_database() {
    let shop = Shop::new("ddl", "file:HERE/rings");
    let postgres = shop.ok("ddl --postgres --table rx --column drug --max 60");
    let docs = include_str!("../../../../docs/COLUMNS.md");
    assert!(docs.contains(postgres.trim()), "docs/COLUMNS.md shows what the command prints:\n{postgres}");
    // The library makes the same.
    let sql = ColumnSql::sealed("rx", "drug", ColumnLen::of::<Drug>(60).any_suite()).unwrap();
    assert_eq!(postgres.trim(), sql.postgres().unwrap().to_string());
    let json = shop.json("ddl --postgres --table rx --column drug --max 60");
    assert_eq!(json["begin"], sql.postgres().unwrap().begin());
    assert_eq!(json["finish"], sql.postgres().unwrap().finish());

    let bytes =
        shop.ok("ddl --postgres --table pharmacy.rx --column drug --max 60 --bytes --block 64 --name rxseal_drug");
    assert!(bytes.contains(r#"CREATE DOMAIN "pharmacy"."rxseal_drug" AS bytea;"#), "{bytes}");
    assert!(bytes.contains(r"= '\xaf1b'::bytea AND octet_length(VALUE) BETWEEN 39 AND 113)"), "{bytes}");
    let tag = shop.ok("ddl --postgres --table rx --column tag --record-tag");
    assert!(tag.contains("left(VALUE, 4) = 'rxrS' AND octet_length(VALUE) = 64)"), "{tag}");
    assert!(tag.contains(r#"ALTER COLUMN "tag" SET NOT NULL;"#), "{tag}");
    let tag = shop.ok("ddl --postgres --table rx --column tag --record-tag --bytes");
    assert!(tag.contains(r"= '\xaf1ad2'::bytea AND octet_length(VALUE) = 48)"), "{tag}");

    let mysql = shop.ok("ddl --mysql --table rx --column drug --max 60");
    assert_eq!(
        mysql.trim(),
        "ALTER TABLE `rx` ADD COLUMN `drug` VARCHAR(152) CHARACTER SET ascii COLLATE ascii_bin, ADD CONSTRAINT `rxseal_rx_drug` CHECK \
         (left(`drug`, 3) = 'rxs' AND octet_length(`drug`) BETWEEN 52 AND 151 AND octet_length(`drug`) % 4 <> 1 AND instr(`drug`, ' ') = 0);"
    );
    let mysql = shop.ok("ddl --mysql --table rx --column drug --max 60 --bytes");
    assert!(mysql.contains("`drug` VARBINARY(114)") && mysql.contains("left(`drug`, 2) = x'af1b'"), "{mysql}");
    let mysql = shop.ok("ddl --mysql --table rx --column note --max 100000");
    assert!(mysql.contains("`note` LONGTEXT CHARACTER SET ascii"), "{mysql}");
}

#[test]
fn sqlite_refuses_plaintext() {
    let shop = Shop::opened("ddl-sqlite", "file:HERE/rings");
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY)").unwrap();
    for (options, name) in [("", "text"), ("--bytes", "bytes")] {
        let sql = shop.ok(&format!("ddl --sqlite --table rx --column {name} --max 60 {options}"));
        db.execute_batch(&sql).unwrap();
    }
    for options in ["", "--bytes"] {
        let sql = shop.ok(&format!("ddl --sqlite --table rx --column tag{options} --record-tag {options}"));
        db.execute_batch(&sql).unwrap();
    }
    let keys = shop.keys();
    let fits = keys.record("prescription", 1).unwrap().seal::<Drug>(&"w".repeat(60)).unwrap();
    let fits_wide = keys.record("prescription", 1).unwrap().wide().seal::<Drug>(&"w".repeat(60)).unwrap();
    let shortest = keys.record("prescription", 1).unwrap().seal::<Drug>("").unwrap();
    for token in [&fits, &fits_wide, &shortest] {
        let row = (token.to_string(), token.as_bytes());
        db.execute("INSERT INTO rx (text, bytes) VALUES (?1, ?2)", row).unwrap();
    }
    db.execute("INSERT INTO rx (text, bytes) VALUES (NULL, NULL)", ()).unwrap();

    let long = keys.record("prescription", 1).unwrap().seal::<Drug>(&"w".repeat(100)).unwrap();
    let text = fits.to_string();
    let refused: [(&str, &dyn rusqlite::ToSql); 10] = [
        ("text", &CANARY),
        ("text", &format!("rxs{CANARY} ")),
        ("text", &&text[..51]),
        ("text", &format!("{} {}", &text[..60], &text[60..])),
        ("text", &long.to_string()),
        ("text", &fits.as_bytes()),
        ("bytes", &CANARY.as_bytes()),
        ("bytes", &text),
        ("bytes", &long.as_bytes()),
        ("bytes", &&fits.as_bytes()[..38]),
    ];
    for (column, value) in refused {
        let error = db.execute(&format!("INSERT INTO rx ({column}) VALUES (?1)"), [value]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(&format!("CHECK constraint failed: rxseal_rx_{column}")), "{shown}");
        assert!(!shown.contains("Canary") && !shown.contains(&text[20..]), "{shown}");
    }
}

/// The gate of a column that is there: old rows stay, and take changes of other columns.
#[test]
fn a_gate_of_sqlite_takes_tokens_only() {
    let shop = Shop::opened("ddl-gate", "file:HERE/rings");
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, refills INT)").unwrap();
    db.execute("INSERT INTO rx VALUES (1, ?1, 0)", [CANARY]).unwrap();
    let gate = shop.ok("ddl --sqlite --table rx --column drug --max 60 --gate");
    db.execute_batch(&gate).unwrap();
    let docs = include_str!("../../../../docs/COLUMNS.md");
    assert!(docs.contains(gate.trim()), "docs/COLUMNS.md shows what the command prints:\n{gate}");

    let token = shop.keys().record("prescription", 1).unwrap().seal::<Drug>(&"w".repeat(60)).unwrap();
    assert_eq!(db.execute("UPDATE rx SET refills = 1 WHERE id = 1", ()).unwrap(), 1);
    for statement in
        ["UPDATE rx SET drug = ?1", "INSERT INTO rx (drug) VALUES (?1)", "REPLACE INTO rx VALUES (1, ?1, 2)"]
    {
        let text = token.to_string();
        let refused: [&dyn rusqlite::ToSql; 5] = [&CANARY, &CANARY.as_bytes(), &"rxsX", &&text[..51], &text.as_bytes()];
        for value in refused {
            let shown = format!("{:?}", db.execute(statement, [value]).unwrap_err());
            assert!(shown.contains("rxseal_rx_drug takes no plaintext") && !shown.contains("Canary"), "{shown}");
        }
        let taken: [&dyn rusqlite::ToSql; 3] = [&text, &token.as_bytes(), &None::<String>];
        for value in taken {
            assert!(db.execute(statement, [value]).unwrap() > 0);
        }
    }
    assert_eq!(shop.run("ddl --mysql --table rx --column drug --max 60 --gate").status.code(), Some(2));
    let tag = shop.ok("ddl --sqlite --table rx --column tag --record-tag --gate");
    assert!(tag.contains("= 'rxrS' AND length(NEW.\"tag\") = 64 OR typeof"), "{tag}");
}

#[test]
fn names_are_only_names() {
    let shop = Shop::new("ddl-names", "file:HERE/rings");
    let run = |arguments: &[&str]| {
        let output = shop.command().args(["ddl", "--max", "60"]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let table = r#""rx""; DROP TABLE rx; --""#;
    let column = r#"drug"; DROP TABLE rx; --`"#;
    let (status, sql) = run(&["--postgres", "--table", table, "--column", column]);
    assert_eq!(status, Some(0), "{sql}");
    assert!(
        sql.contains(r#"ALTER TABLE "rx""; DROP TABLE rx; --" ALTER COLUMN "drug""; DROP TABLE rx; --`""#),
        "{sql}"
    );
    let (_, sql) = run(&["--mysql", "--table", "rx", "--column", column]);
    assert!(sql.contains(r#"ADD COLUMN `drug"; DROP TABLE rx; --``` VARCHAR"#), "{sql}");
    let (_, sql) = run(&["--sqlite", "--gate", "--table", table, "--column", "it's"]);
    assert!(sql.contains(r#"BEFORE UPDATE OF "it's" ON "rx""; DROP TABLE rx; --""#), "{sql}");
    assert!(sql.contains("RAISE(ABORT, 'rxseal_rx\"; DROP TABLE rx; --_it''s takes"), "{sql}");
    let long = "d".repeat(51);
    for (arguments, status, text) in [
        (["--postgres", "--table", "a.b.c", "--column", "c"].as_slice(), 1, "`schema.table`"),
        (&["--postgres", "--table", "rx", "--column", ""], 1, "a name that is not empty"),
        (&["--postgres", "--table", "rx", "--column", &"c".repeat(64)], 1, "at most 63 bytes"),
        (&["--postgres", "--table", &long, "--column", "column"], 1, "at most 63 bytes"),
        (&["--mysql", "--table", &long, "--column", "column"], 1, "at most 64 characters"),
        (&["--sqlite", "--table", "rx", "--column", "c", "--name", ""], 1, "a name that is not empty"),
        (&["--table", "rx", "--column", "c"], 2, "--postgres"),
        (&["--postgres", "--mysql", "--table", "rx", "--column", "c"], 2, "cannot be used with"),
        (&["--postgres", "--table", "rx", "--column", "c", "--record-tag"], 2, "cannot be used with"),
        (&["--postgres", "--table", "rx", "--column", "c", "--block", "0"], 2, "1..=4096"),
    ] {
        let (found, shown) = run(arguments);
        assert!(found == Some(status) && shown.contains(text), "{arguments:?}: {found:?} {shown}");
    }
    assert_eq!(run(&["--postgres", "--table", &long, "--column", "column", "--name", "sealed"]).0, Some(0));
    for arguments in ["ddl --postgres --table rx --column c", "ddl --postgres --table rx --column c --max 16777217"] {
        assert_eq!(shop.run(arguments).status.code(), Some(2), "{arguments}");
    }
}

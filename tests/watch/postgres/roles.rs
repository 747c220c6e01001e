//! Who may do what to the tables.

use rxseal_watch::{PostgresLog, PostgresReader, SigningKey};

use super::{Tables, server};
use crate::conformance::AnyLog;
use crate::support::{access, keyring, open_records};

const TABLES: [&str; 3] = ["rxseal_audit_chain", "rxseal_audit", "rxseal_audit_checkpoint"];

fn logged() -> Tables {
    let tables = Tables::new();
    let watch = tables.watch().start().unwrap();
    open_records(&keyring(&watch), &access(), 0..20);
    drop(watch);
    tables
}

/// The SQLSTATE with which a role is refused.
fn refused(tables: &Tables, role: &str, sql: &str) -> String {
    let error = tables.try_run(role, sql).expect_err(sql);
    error.as_database_error().unwrap_or_else(|| panic!("{sql}: {error}")).code().unwrap().into_owned()
}

/// T81. Not even the owner, by accident, nor a session that replays changes of another server.
#[test]
#[ignore = "needs .ci/servers"]
fn nobody_changes_or_removes_a_row() {
    let tables = logged();
    let before = tables.lines();
    let (writer, reader) = (tables.writer(), tables.reader());
    for role in ["rxseal", &writer, &reader] {
        for table in TABLES {
            for settings in ["", "SET session_replication_role = replica;"] {
                if role != "rxseal" && !settings.is_empty() {
                    continue;
                }
                for sql in [
                    format!("UPDATE {table} SET chain = chain"),
                    format!("UPDATE {table} SET chain = chain WHERE false"),
                    format!("DELETE FROM {table}"),
                    format!("TRUNCATE {table} CASCADE"),
                ] {
                    assert_eq!(refused(&tables, role, &format!("{settings} {sql}")), "42501", "{role}: {sql}");
                }
            }
        }
        let over = "INSERT INTO rxseal_audit (chain, n, subjects, line) SELECT chain, 0, '{}', 'x' FROM rxseal_audit_chain \
            ON CONFLICT (chain, n) DO UPDATE SET line = 'x'";
        assert_eq!(refused(&tables, role, over), "42501", "{role}");
    }
    assert_eq!(tables.lines(), before);
    assert!(tables.codes().is_empty());
}

#[test]
#[ignore = "needs .ci/servers"]
fn the_writer_adds_and_reads_nothing_and_the_reader_reads_and_adds_nothing() {
    let tables = logged();
    let (writer, reader) = (tables.writer(), tables.reader());
    for table in TABLES {
        assert_eq!(refused(&tables, &writer, &format!("SELECT chain FROM {table}")), "42501");
        tables.try_run(&reader, &format!("SELECT chain FROM {table}")).unwrap();
    }
    let insert = "INSERT INTO rxseal_audit_chain (chain, start) VALUES ('0000000000000000', 1)";
    assert_eq!(refused(&tables, &reader, insert), "42501");
    assert_eq!(refused(&tables, &reader, "SELECT rxseal_audit_head(NULL)"), "42501");
    tables.try_run(&writer, "SELECT rxseal_audit_head(NULL)").unwrap();

    // In the place of the other, each is told what is missing.
    let error = PostgresLog::connect(&tables.url(&reader), key()).unwrap();
    let error = rxseal_watch::Watch::over(error).start().unwrap_err();
    assert_eq!(error.code(), "log-failed");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("rxseal audit ddl"), "{cause}");
    let mut unentitled = PostgresReader::connect(&tables.url(&writer)).unwrap();
    let error = unentitled.read_lines(|_| ()).unwrap_err();
    assert_eq!(error.code(), "not-read");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("42501"), "{cause}");
    assert!(unentitled.lines_of("pat-77", |_| ()).is_err());
}

#[test]
#[ignore = "needs .ci/servers"]
fn the_tables_may_be_made_again_and_roles_have_any_name() {
    let tables = logged();
    tables.run(PostgresLog::SCHEMA);
    assert!(tables.codes().is_empty());
    for bad in ["", "a\0b", &"x".repeat(64)] {
        assert_eq!(PostgresLog::grants(bad, "r").unwrap_err().code(), "invalid-settings");
        assert_eq!(PostgresLog::grants("w", bad).unwrap_err().code(), "invalid-settings");
    }
    let odd = format!("{} \"odd\"; DROP TABLE rxseal_audit; --", tables.schema);
    tables.run(&format!("CREATE ROLE \"{}\"", odd.replace('"', "\"\"")));
    tables.run(&PostgresLog::grants(&odd, &odd).unwrap());
    assert!(tables.codes().is_empty());
}

fn key() -> SigningKey {
    SigningKey::generate("tests.example").unwrap()
}

/// Where a log cannot be, the program is told before it opens anything.
#[test]
#[ignore = "needs .ci/servers"]
fn places_without_a_log_are_refused() {
    let tables = logged();
    let cause = |url: &str| {
        let error = PostgresLog::connect(url, key()).unwrap_err();
        assert_eq!(error.code(), "log-failed");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        let read = PostgresReader::connect(url).unwrap_err();
        assert_eq!(read.code(), "not-read");
        let cause = std::error::Error::source(&error).unwrap();
        std::error::Error::source(cause).unwrap_or(cause).to_string()
    };
    assert!(cause("mysql://x").contains("the URL is not valid"));
    assert!(
        cause("postgres://r:s3cret@127.0.0.1:1/x").contains("connection"),
        "{}",
        cause("postgres://r:s3cret@127.0.0.1:1/x")
    );
    let elsewhere = tables.url("rxseal").replace(&tables.schema, "pg_catalog");
    assert!(cause(&elsewhere).contains("rxseal audit ddl"), "{}", cause(&elsewhere));
    let standby =
        tables.url("rxseal").replacen(&server("RXSEAL_TEST_POSTGRES"), &server("RXSEAL_TEST_POSTGRES_STANDBY"), 1);
    // The standby has the tables too.
    assert!(cause(&standby).contains("this is a standby"), "{}", cause(&standby));

    let ascii = format!("{}_ascii", tables.schema);
    tables.run(&format!("CREATE DATABASE {ascii} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"));
    let url = server("RXSEAL_TEST_POSTGRES").replace("/postgres", &format!("/{ascii}"));
    assert!(cause(&url).contains("UTF8"), "{}", cause(&url));
    tables.run(&format!("DROP DATABASE {ascii}"));
}

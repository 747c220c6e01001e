//! The store and the counting in PostgreSQL, against a real server. `RXSEAL_TEST_POSTGRES` names a database whose role
//! is a superuser; `.ci/servers` starts one. Every test works in its own schema.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::column::{self, Value};
use rxseal::count::CountSql;
use rxseal::keys::KeyUse;
use rxseal::store::{KeyringStore, SubjectKeyStore};
use rxseal::{Error, run_local};
use rxseal_conformance::{FreshStore, generations, keyring_store, subject_store};
use rxseal_postgres::{PostgresStore, PostgresSubjectStore, count_postgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Runtime;

const URL: &str = "RXSEAL_TEST_POSTGRES";

#[test]
#[ignore = "needs .ci/servers"]
fn the_suite_of_all_stores() {
    let fresh = async || {
        let schema = Schema::new_within_a_runtime();
        let store = PostgresStore::connect(&schema.url()).await.unwrap();
        let spoil = move |keyspace: &str, generation: u64, text: &str| {
            let query = sqlx::query("UPDATE rxseal_keyrings SET generation = $2, file = $3 WHERE keyspace = $1");
            let query = query.bind(keyspace).bind(i64::try_from(generation).unwrap()).bind(text);
            schema.runtime.block_on(async { query.execute(&mut connection(&schema.url()).await).await.unwrap() });
        };
        FreshStore::new(store).spoiled_with_generation_by(spoil)
    };
    keyring_store(fresh).unwrap();
}

/// A thief of a database has all of its tables, whatever a map names.
#[test]
#[ignore = "needs .ci/servers"]
fn every_table_with_rows_of_its_own_is_listed() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run(
        "CREATE TABLE rx (id int); CREATE TABLE \"Odd one\" (id int); CREATE VIEW seen AS SELECT * FROM rx;
        CREATE MATERIALIZED VIEW kept AS SELECT * FROM rx; CREATE TABLE whole (id int) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9)",
    );
    let tables = runtime.block_on(rxseal_postgres::__private::tables_of(&schema.url())).unwrap();
    assert!(!tables.iter().any(|(of, _)| of.starts_with("pg_") || of == "information_schema"), "{tables:?}");
    let here: Vec<_> = tables.into_iter().filter(|(of, _)| *of == schema.name).map(|(_, table)| table).collect();
    assert_eq!(here, ["Odd one", "kept", "rx", "whole"]);
}

#[test]
#[ignore = "needs .ci/servers"]
fn the_suite_of_all_subject_stores() {
    let schema = Schema::new(&runtime());
    subject_store(async || PostgresSubjectStore::connect(&schema.url()).await.unwrap()).unwrap();
}

/// It lags behind: it would give a shredded key back, or a keyring from before a key was marked or destroyed.
#[test]
#[ignore = "needs .ci/servers"]
fn a_standby_is_refused() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    runtime.block_on(async {
        drop(PostgresStore::connect(&schema.url()).await.unwrap());
        drop(PostgresSubjectStore::connect(&schema.url()).await.unwrap());
        let url = schema.url().replacen(&url(), &standby_url(), 1);
        for error in [
            PostgresStore::connect(&url).await.unwrap_err(),
            PostgresStore::connect_existing(&url).await.unwrap_err(),
            PostgresSubjectStore::connect(&url).await.unwrap_err(),
            PostgresSubjectStore::connect_existing(&url).await.unwrap_err(),
        ] {
            assert_eq!(error.code().as_str(), "store-refused");
            let text = std::error::Error::source(&error).unwrap().to_string();
            assert!(text.contains("this is a standby"), "{text}");
        }
    });
}

/// What is behind an address may change while the program runs: each answer is asked who gave it.
#[test]
#[ignore = "needs .ci/servers"]
fn a_standby_behind_the_same_address_is_refused() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let proxy = Proxy::start(&schema);
    let (_, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    runtime.block_on(async {
        let store = PostgresStore::connect(&proxy.url).await.unwrap();
        store.put(&file, None).await.unwrap();
        assert_eq!(store.get("pharmacy-17").await.unwrap().as_ref(), Some(&file));
        assert_eq!(store.keyspaces().await.unwrap(), ["pharmacy-17"]);
        proxy.turn_to(&standby_url());
        // The connections that were open break first; until the table is there, it is missing.
        let begun = Instant::now();
        for call in ["get", "get of nothing", "keyspaces", "put"] {
            let refusal = loop {
                let result = match call {
                    "get" => store.get("pharmacy-17").await.map(drop),
                    "get of nothing" => store.get("nobody").await.map(drop),
                    "keyspaces" => store.keyspaces().await.map(drop),
                    _ => store.put(&file, None).await,
                };
                let error = result.unwrap_err();
                let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                assert!(begun.elapsed() < Duration::from_secs(60), "{call}: {error} {text}");
                if !error.is_retryable() && !text.contains("is missing") {
                    break format!("{error}: {text}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            let expected = if call == "put" { "read-only" } else { "this is a standby" };
            assert!(refusal.contains(expected), "{call}: {refusal}");
        }
    });
}

#[test]
#[ignore = "needs .ci/servers"]
fn many_create_the_table_at_once() {
    let runtime = runtime();
    for _ in 0..10 {
        let schema = Schema::new(&runtime);
        runtime.block_on(async {
            let started: Vec<_> = (0..12)
                .map(|_| {
                    let url = schema.url();
                    tokio::spawn(async move { PostgresStore::connect(&url).await.map(drop) })
                })
                .collect();
            for one in started {
                one.await.unwrap().unwrap();
            }
        });
    }
}

/// The statements of docs/KEYS.md, as they stand there but for the names of roles, which all databases of the server share.
#[test]
#[ignore = "needs .ci/servers"]
fn the_grants_of_the_docs_give_each_role_its_work() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let keyrings = runtime.block_on(PostgresStore::connect(&schema.url())).unwrap();
    let subject_keys = runtime.block_on(PostgresSubjectStore::connect(&schema.url())).unwrap();
    let named = |role: &str| format!("{}_{role}", schema.name);
    let roles = ["pharmacy_reader", "pharmacy_service", "keyring_admin"];
    for role in roles {
        let role = named(role);
        schema.run(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {} TO {role}", schema.name));
    }
    let docs = include_str!("../../docs/KEYS.md");
    let blocks: Vec<_> = docs.split("```sql\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2, "keyrings and subject keys");
    for block in blocks {
        schema.run(&roles.iter().fold(block.to_owned(), |sql, role| sql.replace(role, &named(role))));
    }

    let files = generations("a", 2).unwrap();
    let key = |subject: &str| {
        let keys = rxseal::testing::insecure_keyring("a").unwrap().unobserved();
        keys.create_subject_key(subject).unwrap().1
    };
    runtime.block_on(async {
        keyrings.put(&files[0], None).await.unwrap();
        subject_keys.insert("a", "P-1", &key("P-1")).await.unwrap();
        for role in roles {
            let url = schema.url_as(&named(role), "");
            let keyrings = PostgresStore::connect_existing(&url).await.unwrap().unwrap();
            let subject_keys = PostgresSubjectStore::connect_existing(&url).await.unwrap().unwrap();
            let (writes_keyrings, writes_subjects) = (role == "keyring_admin", role != "pharmacy_reader");
            // Who opens.
            assert_eq!(keyrings.get("a").await.unwrap().as_ref(), Some(&files[0]), "{role}");
            assert_eq!(keyrings.keyspaces().await.unwrap(), ["a"], "{role}");
            assert_eq!(subject_keys.get("a", &["P-1"]).await.unwrap().len(), 1, "{role}");
            assert_eq!(subject_keys.page("a", None, 10).await.unwrap().len(), 1, "{role}");
            // Who makes keys of patients, holds and shreds.
            let made = subject_keys.insert("a", &format!("P-{role}"), &key("P-2")).await;
            let shredded = subject_keys.shred("a", &format!("P-{role}"), 1).await;
            for done in [made.map(drop), shredded.map(drop)] {
                assert_eq!(
                    done.map_err(|error| error.code().as_str()),
                    if writes_subjects { Ok(()) } else { Err("store-refused") },
                    "{role}"
                );
            }
            if writes_subjects {
                let mut db = connection(&schema.url()).await;
                let sql = format!("DELETE FROM {}.rxseal_subject_keys WHERE subject <> 'P-1'", schema.name);
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
            }
            // Who changes keyrings: the last one, since it does.
            let changed = keyrings.put(&files[1], Some(1)).await.map_err(|error| error.code().as_str());
            assert_eq!(changed, if writes_keyrings { Ok(()) } else { Err("store-refused") }, "{role}");
            // Nobody takes anything away.
            let mut db = connection(&url).await;
            for statement in ["DELETE FROM", "TRUNCATE"] {
                for table in ["rxseal_keyrings", "rxseal_subject_keys"] {
                    let sql = AssertSqlSafe(format!("{statement} {table}"));
                    let error = sqlx::raw_sql(sql).execute(&mut db).await.unwrap_err();
                    assert!(error.to_string().contains("permission denied"), "{role}: {error}");
                }
            }
        }
    });
    for role in roles {
        schema.run(&format!("DROP OWNED BY {0}; DROP ROLE {0}", named(role)));
    }
}

#[test]
#[ignore = "needs .ci/servers"]
fn roles_with_few_rights() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let role = format!("{}_role", schema.name);
    let url = schema.url_as(&role, "role-secret-canary");
    let connect = || runtime.block_on(PostgresStore::connect(&url));
    schema.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'role-secret-canary'"));
    schema.run(&format!("GRANT USAGE ON SCHEMA {} TO {role}", schema.name));
    says(&connect().unwrap_err(), "store-refused", "grant SELECT, INSERT and UPDATE");

    drop(runtime.block_on(PostgresStore::connect(&schema.url())).unwrap());
    let files = generations("a", 2).unwrap();
    let store = connect().unwrap();
    says(&runtime.block_on(store.get("a")).unwrap_err(), "store-refused", "grant SELECT, INSERT and UPDATE");
    schema.run(&format!("GRANT SELECT ON {}.rxseal_keyrings TO {role}", schema.name));
    assert_eq!(runtime.block_on(store.get("a")).unwrap(), None);
    says(&runtime.block_on(store.put(&files[0], None)).unwrap_err(), "store-refused", "grant SELECT, INSERT");
    schema.run(&format!("GRANT INSERT, UPDATE ON {}.rxseal_keyrings TO {role}", schema.name));
    runtime.block_on(store.put(&files[0], None)).unwrap();

    let read_only = format!("{url}%20-c%20default_transaction_read_only=on");
    let reader = runtime.block_on(PostgresStore::connect(&read_only)).unwrap();
    assert_eq!(runtime.block_on(reader.get("a")).unwrap().as_ref(), Some(&files[0]));
    says(&runtime.block_on(reader.put(&files[1], Some(1))).unwrap_err(), "store-refused", "read-only");

    schema.run(&format!("DROP TABLE {}.rxseal_keyrings", schema.name));
    says(&runtime.block_on(store.get("a")).unwrap_err(), "store-refused", "rxseal_keyrings is missing");
    schema.run(&format!(
        "CREATE TABLE {0}.rxseal_keyrings (id INT); GRANT ALL ON {0}.rxseal_keyrings TO {role}",
        schema.name
    ));
    says(&runtime.block_on(store.get("a")).unwrap_err(), "store-refused", "other columns");
    schema.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
#[ignore = "needs .ci/servers"]
fn what_cannot_be_connected_to() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let wrong = schema.url_as("nobody_of_that_name", "role-secret-canary");
    says(&runtime.block_on(PostgresStore::connect(&wrong)).unwrap_err(), "store-refused", "login was refused");
    let no_database = url().replace("/postgres", "/no_such_database");
    says(&runtime.block_on(PostgresStore::connect(&no_database)).unwrap_err(), "store-refused", "no such database");
    for bad in [
        "",
        "secret-canary",
        "mysql://a:secret-canary@h/d",
        "postgres://a:secret-canary@h:x/d",
        "postgres://[secret-canary",
    ] {
        let error = runtime.block_on(PostgresStore::connect(bad)).unwrap_err();
        says(&error, "store-refused", "the URL is not valid");
    }
    // The server has no TLS, or a certificate of its own making.
    let verified = format!("{}&sslmode=verify-full", schema.url());
    says(&runtime.block_on(PostgresStore::connect(&verified)).unwrap_err(), "store-refused", "TLS failed");
    // Nobody listens, and somebody listens and says nothing: both end in time.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for port in [closed, silent.local_addr().unwrap().port()] {
        let begun = Instant::now();
        let bad = format!("postgres://a:secret-canary@127.0.0.1:{port}/d");
        let error = runtime.block_on(PostgresStore::connect(&bad)).unwrap_err();
        says(&error, "store-unavailable", "5 seconds");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let error = runtime.block_on(count_postgres(&bad, "rx", "drug")).unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
    // Outside of a runtime there is an error and no panic.
    assert_eq!(run_local(PostgresStore::connect(&url())).unwrap_err().code().as_str(), "runtime-needed");
    let store = runtime.block_on(PostgresStore::connect(&schema.url())).unwrap();
    assert_eq!(run_local(store.get("a")).unwrap_err().code().as_str(), "runtime-needed");
    assert!(!format!("{store:?} {store:#?}").contains("secret"));
}

#[test]
#[ignore = "needs .ci/servers"]
fn connections_that_die() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let store = runtime.block_on(PostgresStore::connect(&schema.url())).unwrap();
    let files = generations("a", 12).unwrap();
    runtime.block_on(store.put(&files[0], None)).unwrap();
    for pair in files.windows(2) {
        let of_this_test = format!("application_name = '{}' AND pid <> pg_backend_pid()", schema.name);
        schema.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of_this_test}"));
        let over = Some(pair[0].generation());
        if let Err(error) = runtime.block_on(store.put(&pair[1], over)) {
            assert!(error.is_retryable(), "{error:?}");
            runtime.block_on(store.put(&pair[1], over)).unwrap();
        }
        assert_eq!(runtime.block_on(store.get("a")).unwrap().as_ref(), Some(&pair[1]));
    }
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_row_that_another_program_holds() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let store = runtime.block_on(PostgresStore::connect(&schema.url())).unwrap();
    let files = generations("a", 2).unwrap();
    runtime.block_on(store.put(&files[0], None)).unwrap();
    runtime.block_on(async {
        let mut other = connection(&schema.url()).await;
        sqlx::raw_sql("BEGIN; SELECT * FROM rxseal_keyrings FOR UPDATE").execute(&mut other).await.unwrap();
        let begun = Instant::now();
        let error = store.put(&files[1], Some(1)).await.unwrap_err();
        assert!(error.is_retryable() && begun.elapsed() < Duration::from_secs(20), "{error:?} {:?}", begun.elapsed());
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        // What was given up is not made after all.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(store.get("a").await.unwrap().as_ref(), Some(&files[0]));
        store.put(&files[1], Some(1)).await.unwrap();
    });
}

/// Callers who wait no longer, of calls on connections that went silent: others get connections of their own.
#[test]
#[ignore = "needs .ci/servers"]
fn callers_that_give_up_leave_no_connection_behind() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let proxy = Proxy::start(&schema);
    let files = generations("a", 2).unwrap();
    runtime.block_on(async {
        let store = PostgresStore::connect(&proxy.url).await.unwrap();
        store.put(&files[0], None).await.unwrap();
        let mut other = connection(&schema.url()).await;
        sqlx::raw_sql("BEGIN; SELECT * FROM rxseal_keyrings FOR UPDATE").execute(&mut other).await.unwrap();
        let impatient: Vec<_> = (0..4)
            .map(|_| {
                let (store, file) = (store.clone(), files[1].clone());
                let put = async move { store.put(&file, Some(1)).await };
                tokio::spawn(tokio::time::timeout(Duration::from_secs(2), put))
            })
            .collect();
        // All connections that there may be wait for the row.
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.hush();
        for one in impatient {
            assert!(!matches!(one.await.unwrap(), Ok(Ok(()))), "it did not wait");
        }
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().as_ref(), Some(&files[0]));
    });
}

/// Between client and server, the connection breaks after the n-th byte of the server, for many n of a change: what the caller
/// is told is never wrong. (The file is 1.1 KB of it.)
#[test]
#[ignore = "needs .ci/servers"]
fn answers_that_are_cut_off() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let direct = runtime.block_on(PostgresStore::connect(&schema.url())).unwrap();
    let (mut unavailable, mut succeeded, mut landed_unheard) = (0, 0, 0);
    let mut cut = 0;
    loop {
        schema.run("DELETE FROM rxseal_keyrings");
        let files = generations("a", 2).unwrap();
        runtime.block_on(direct.put(&files[0], None)).unwrap();
        let proxy = Proxy::start(&schema);
        let store = runtime.block_on(PostgresStore::connect(&proxy.url)).unwrap();
        // Its connection is back in the pool, so that the change uses it.
        thread::sleep(Duration::from_millis(30));
        proxy.cut_after(cut);
        let put = runtime.block_on(store.put(&files[1], Some(1)));
        let broken = proxy.broken();
        thread::sleep(Duration::from_millis(10));
        let stored = runtime.block_on(direct.get("a")).unwrap().unwrap();
        match put {
            Ok(()) => assert_eq!(stored, files[1], "cut at {cut}: confirmed and not stored"),
            Err(error) if error.is_retryable() => {
                unavailable += 1;
                landed_unheard += usize::from(stored == files[1]);
            }
            Err(error) => panic!("cut at {cut}: {error:?}"),
        }
        succeeded += usize::from(!broken);
        if !broken || cut > 4_000 {
            break;
        }
        // Coarsely through the file that is read first, finely through the change itself.
        cut += if cut < 1_300 { 37 } else { 1 };
    }
    println!("{unavailable} cut answers were unavailable ({landed_unheard} of them stored), {succeeded} whole");
    assert!(unavailable >= 20 && landed_unheard >= 1);
}

#[test]
#[ignore = "needs .ci/servers"]
fn counts_are_those_of_rust() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let values = column::values(10_000);
    schema.run(
        "CREATE COLLATION ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE documents (d TEXT); CREATE TABLE texts (c TEXT, v VARCHAR, i TEXT COLLATE ignoring_case); CREATE TABLE bytes (c BYTEA);",
    );
    let of = |text: bool| -> Vec<&Value> {
        values.iter().filter(|value| matches!(value, Value::Null) || matches!(value, Value::Text(_)) == text).collect()
    };
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let texts: Vec<_> = of(true)
            .iter()
            .map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
            .collect();
        let sql = "INSERT INTO texts SELECT t, t, t FROM unnest($1::text[]) t";
        sqlx::query(sql).bind(&texts).execute(&mut db).await.unwrap();
        let bytes: Vec<_> = of(false)
            .iter()
            .map(|value| if let Value::Bytes(bytes) = value { Some(bytes.as_slice()) } else { None })
            .collect();
        sqlx::query("INSERT INTO bytes SELECT unnest($1::bytea[])").bind(&bytes).execute(&mut db).await.unwrap();
        sqlx::query("INSERT INTO documents SELECT unnest($1::text[])")
            .bind(documents())
            .execute(&mut db)
            .await
            .unwrap();
        sqlx::raw_sql("INSERT INTO texts VALUES ('\\xaf1b17', '\\xaf1b17', '\\xaf1b17')")
            .execute(&mut db)
            .await
            .unwrap();
    });
    for escape in ["", "%20-c%20bytea_output=escape"] {
        let count = |table: &str, column: &str| {
            runtime.block_on(count_postgres(&format!("{}{escape}", schema.url()), table, column)).unwrap()
        };
        assert_eq!(count("documents", "d"), rxseal::count::count_by_key(documents()));
        for (table, column, text) in
            [("texts", "c", true), ("texts", "v", true), ("texts", "i", true), ("bytes", "c", false)]
        {
            let (nulls, not_null): (Vec<_>, Vec<_>) =
                of(text).into_iter().partition(|value| matches!(value, Value::Null));
            let bytes = not_null.iter().map(|value| match value {
                Value::Text(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes.as_slice(),
                Value::Null => unreachable!(),
            });
            let expected = rxseal::count::count_by_key(bytes);
            let counted = count(table, column);
            assert_eq!(counted.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>(), "{table}.{column}");
            assert_eq!(counted.not_tokens(), expected.not_tokens() + u64::from(text), "{table}.{column}");
            assert_eq!(counted.nulls(), nulls.len() as u64);
            assert_eq!(count(&format!("{}.{table}", schema.name), column), counted);
            for (file, _) in column::key_ids() {
                for key in file.keys() {
                    assert_eq!(counted.of(key.id()) > 0, key.usage() == KeyUse::Seal);
                }
            }
        }
    }
    arrays(&runtime, &schema);
    let sql = CountSql::postgres("bytes", "c").unwrap();
    let plan: Vec<String> = runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN {sql}"))).fetch_all(&mut db).await.unwrap()
    });
    assert_eq!(plan.iter().filter(|line| line.contains("Scan on bytes")).count(), 1, "{plan:#?}");
}

/// Each element is a value of its own, of texts and of bytes. An array without elements is no value.
fn arrays(runtime: &tokio::runtime::Runtime, schema: &Schema) {
    let token = &column::tokens()[0];
    let bytes = token.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    schema.run(&format!(
        "CREATE DOMAIN many AS text[];
         CREATE TABLE arrays (t text[], v varchar(999)[], m many, b bytea[], n int[]);
         INSERT INTO arrays VALUES (NULL, NULL, NULL, NULL, NULL), ('{{}}', '{{}}', '{{}}', '{{}}', '{{}}'),
             (ARRAY['{token}', 'a, \"b\"', NULL], ARRAY['{token}', 'x', NULL], ARRAY['{token}', 'x', NULL],
              ARRAY['\\x{bytes}', '\\x00', NULL]::bytea[], '{{1,2,NULL}}'),
             (ARRAY[ARRAY['see {token}'], ARRAY['{token}']], NULL, NULL, ARRAY['\\x{bytes}']::bytea[], NULL)"
    ));
    for (column, tokens, not_tokens, not_sealed, nulls) in
        [("t", 3, 1, 2, 3), ("v", 1, 1, 1, 4), ("m", 1, 1, 1, 4), ("b", 2, 1, 1, 3), ("n", 0, 2, 2, 4)]
    {
        let counts = runtime.block_on(count_postgres(&schema.url(), "arrays", column)).unwrap();
        let found = (counts.of(token.key_id()), counts.not_tokens(), counts.not_sealed(), counts.nulls());
        assert_eq!(found, (tokens, not_tokens, not_sealed, nulls), "{column}");
    }
}

#[test]
#[ignore = "needs .ci/servers"]
fn looking_counts_on_nothing_and_makes_nothing() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let url = schema.url();
    runtime.block_on(async {
        for _ in 0..2 {
            assert!(PostgresStore::connect_existing(&url).await.unwrap().is_none(), "nor did the one before make it");
            assert!(PostgresSubjectStore::connect_existing(&url).await.unwrap().is_none());
        }
        PostgresStore::connect(&url).await.unwrap();
        PostgresSubjectStore::connect(&url).await.unwrap();
        assert!(PostgresStore::connect_existing(&url).await.unwrap().is_some());
        assert!(PostgresSubjectStore::connect_existing(&url).await.unwrap().is_some());
    });
}

/// Texts with tokens in them, one that was cut off among them.
fn documents() -> Vec<String> {
    let [first, second] = [0, 3].map(|at| column::tokens()[at].to_string());
    vec![
        format!(r#"{{"id":7,"drug":"{first}","notes":["{second}","rxs rxsY rxrxs\n{second}","{}"]}}"#, &first[..40]),
        format!("7,{first}\r\n8,{second}\rxs,ä{first}\n"),
        r#"{"id":8,"drug":null}"#.to_owned(),
    ]
}

#[test]
#[ignore = "needs .ci/servers"]
fn what_cannot_be_counted() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    schema.run(
        "CREATE TABLE rx (drug TEXT, j JSON, b JSONB, n INT, a TEXT[]); INSERT INTO rx VALUES ('warfarin', '1', '1', 1, '{}');
         CREATE TABLE \"a.b\" (\"select\"\" FROM\" TEXT); INSERT INTO \"a.b\" VALUES ('x'), ('y');",
    );
    let count = |table: &str, column: &str| runtime.block_on(count_postgres(&schema.url(), table, column));
    assert_eq!(count("\"a.b\"", "select\" FROM").unwrap().not_tokens(), 2);
    says(&count("nothing", "drug").unwrap_err(), "store-refused", "no table nothing");
    says(&count("RX", "drug").unwrap_err(), "store-refused", "no table RX");
    says(&count("nothing.rx", "drug").unwrap_err(), "store-refused", "no table nothing.rx");
    says(&count("rx", "nothing").unwrap_err(), "store-refused", "no column nothing");
    for (column, not_tokens) in [("j", 1), ("b", 1), ("n", 1), ("a", 0)] {
        assert_eq!(count("rx", column).unwrap().not_tokens(), not_tokens, "of any type: {column}");
    }
    assert_eq!(count("rx", "a").unwrap().nulls(), 1, "an empty array has no value");
    for (table, column) in [
        ("rx\"; DROP TABLE rx; --", "drug"),
        ("rx; DROP TABLE rx", "drug"),
        ("rx", "drug\" AS c FROM rx; DROP TABLE rx; --"),
        ("rx", "drug; DROP TABLE rx"),
        ("rx", "*"),
        ("(SELECT 1)", "drug"),
        ("rx' OR '1'='1", "drug"),
        ("", "drug"),
        ("rx", ""),
        ("rx\0", "drug"),
        (&"r".repeat(64), "drug"),
    ] {
        let code = count(table, column).unwrap_err().code().as_str();
        assert!(["invalid-id", "store-refused"].contains(&code), "{table} {column}: {code}");
    }
    assert_eq!(count("rx", "drug").unwrap().not_tokens(), 1);
    let role = format!("{}_counter", schema.name);
    schema.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'role-secret-canary'; GRANT USAGE ON SCHEMA {} TO {role}",
        schema.name
    ));
    let refused = runtime.block_on(count_postgres(&schema.url_as(&role, "role-secret-canary"), "rx", "drug"));
    says(&refused.unwrap_err(), "store-refused", "grant SELECT on it");
    schema.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// Each would show fewer tokens than there are.
#[test]
#[ignore = "needs .ci/servers"]
fn what_may_not_be_all_is_refused_or_told() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let (first, second) = (&column::tokens()[0], &column::tokens()[8]);
    let role = format!("{}_clerk", schema.name);
    schema.run(&format!(
        "CREATE TABLE rx (id INT, tenant TEXT, drug TEXT, doc JSONB, list TEXT[], raw BYTEA);
         INSERT INTO rx VALUES (1, 'a', '{first}', '{{\"drug\": \"{first}\"}}', '{{{first},{second}}}', '\\x{}'),
            (2, 'b', '{second}', NULL, NULL, NULL);
         CREATE VIEW recent AS SELECT drug FROM rx WHERE id < 2;
         CREATE MATERIALIZED VIEW old AS SELECT drug FROM rx;
         CREATE TABLE parted (id INT, drug TEXT) PARTITION BY RANGE (id);
         CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (2);
         CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (2) TO (3);
         INSERT INTO parted SELECT id, drug FROM rx;
         CREATE TABLE \"Hidden\" AS SELECT * FROM rx;
         CREATE VIEW over_hidden AS SELECT drug FROM \"Hidden\";
         ALTER TABLE \"Hidden\" ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON \"Hidden\" USING (tenant = 'a');
         CREATE ROLE {role} LOGIN PASSWORD 'role-secret-canary'; GRANT USAGE ON SCHEMA {} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {role};
         ALTER VIEW over_hidden SET (security_invoker = true);",
        first.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        schema.name,
        schema.name
    ));
    let of = |url: &str, table: &str, column: &str| runtime.block_on(count_postgres(url, table, column));
    let count = |table: &str, column: &str| of(&schema.url(), table, column).unwrap();
    // Documents and lists need no view.
    for (column, tokens) in [("drug", 2), ("doc", 1), ("list", 2), ("raw", 1)] {
        let counted = count(&format!("{}.rx", schema.name), column);
        assert_eq!((counted.total(), counted.not_tokens(), counted.doubt()), (tokens, 0, None), "{column}");
    }
    assert!(count("recent", "drug").doubt().unwrap().contains("a view"));
    assert!(count("old", "drug").doubt().unwrap().contains("a materialized view"));
    // Last year's rows are in another partition, and may be under last year's key.
    assert!(count("parted_2", "drug").doubt().unwrap().contains("a partition"));
    schema.run("CREATE TABLE heir () INHERITS (rx)");
    assert!(count("heir", "drug").doubt().unwrap().contains("inherits"));
    assert_eq!((count("parted", "drug").total(), count("parted", "drug").doubt()), (2, None));
    // A policy does not hold for the owner.
    assert_eq!((count("Hidden", "drug").total(), count("Hidden", "drug").doubt()), (2, None));
    let clerk = schema.url_as(&role, "role-secret-canary");
    for table in ["Hidden", "over_hidden"] {
        says(&of(&clerk, table, "drug").unwrap_err(), "store-refused", "BYPASSRLS");
    }
    schema.run(&format!("ALTER ROLE {role} BYPASSRLS"));
    assert_eq!(of(&clerk, "Hidden", "drug").unwrap().total(), 2);
    // Interrupted, it is no number.
    let hurried = format!("{}%20-c%20statement_timeout%3D1", schema.url());
    schema
        .run("CREATE TABLE many AS SELECT repeat('rxsX' || md5(i::text), 40) AS c FROM generate_series(1, 20000) AS i");
    says(&of(&hurried, "many", "c").unwrap_err(), "store-unavailable", "cancelled");
    // The same name in two schemas: which of them is meant is a matter of the search path.
    let second = Schema::new(&runtime);
    second.run("CREATE TABLE rx (drug TEXT)");
    assert!(count("rx", "drug").doubt().unwrap().contains("write `schema.table`"));
    assert_eq!(count(&format!("{}.rx", schema.name), "drug").doubt(), None);
    let standby = std::env::var("RXSEAL_TEST_POSTGRES_STANDBY").unwrap();
    let counted = of(&standby, "pg_catalog.pg_class", "relname").unwrap();
    assert!(counted.doubt().unwrap().contains("a standby"));
    schema.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
#[ignore = "needs .ci/servers"]
fn joined_tokens_are_seen_as_rust_sees_them() {
    let runtime = runtime();
    let schema = Schema::new(&runtime);
    let cases: Vec<_> = column::joined_texts(1_000).collect();
    let bytes: Vec<_> =
        cases.iter().flat_map(|(_, placed)| column::joined_bytes(placed)).map(|(bytes, _)| bytes).collect();
    let texts: Vec<_> = cases.into_iter().map(|(text, _)| text).collect();
    schema.run(
        "CREATE TABLE joined_texts (id SERIAL, c TEXT); CREATE TABLE joined_bytes (c BYTEA); CREATE TABLE one (c TEXT)",
    );
    runtime.block_on(async {
        let mut db = connection(&schema.url()).await;
        let insert = "INSERT INTO joined_texts (c) SELECT unnest($1::text[])";
        sqlx::query(insert).bind(&texts).execute(&mut db).await.unwrap();
        let insert = "INSERT INTO joined_bytes SELECT unnest($1::bytea[])";
        sqlx::query(insert).bind(&bytes).execute(&mut db).await.unwrap();
        assert_eq!(
            count_postgres(&schema.url(), "joined_bytes", "c").await.unwrap(),
            rxseal::count::count_by_key(&bytes)
        );
        if count_postgres(&schema.url(), "joined_texts", "c").await.unwrap() != rxseal::count::count_by_key(&texts) {
            for text in &texts {
                let one = "WITH gone AS (DELETE FROM one) INSERT INTO one VALUES ($1)";
                sqlx::query(one).bind(text).execute(&mut db).await.unwrap();
                let counted = count_postgres(&schema.url(), "one", "c").await.unwrap();
                assert_eq!(counted, rxseal::count::count_by_key([text]), "{text:?}");
            }
            panic!("together they differ");
        }
        // What a person runs answers the same.
        let sql = CountSql::postgres("joined_texts", "c").unwrap();
        let rows: Vec<(String, i64)> =
            sqlx::query_as(AssertSqlSafe(sql.as_str().to_owned())).fetch_all(&mut db).await.unwrap();
        let rows = rows.into_iter().map(|(key, count)| (key, count.unsigned_abs())).collect();
        assert_eq!(column::with_joined(rows), column::rows_of(&rxseal::count::count_by_key(&texts)));
    });
}

/// The code and the one line of the cause; and no secret in any of its texts.
fn says(error: &Error, code: &str, text: &str) {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    assert_eq!(error.code().as_str(), code, "{cause}");
    assert!(cause.contains(text) && !cause.contains('\n'), "{cause}");
    let password = url().split([':', '@']).nth(2).unwrap().to_owned();
    for shown in [error.to_string(), format!("{error:?}"), cause] {
        assert!(!shown.contains("secret-canary") && !shown.contains(&password), "{shown}");
    }
}

pub fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

fn url() -> String {
    std::env::var(URL).unwrap_or_else(|_| {
        panic!("set {URL} to a URL such as postgres://rxseal:secret@127.0.0.1:5432/postgres of a superuser, or run `.ci/run slow`")
    })
}

fn standby_url() -> String {
    std::env::var("RXSEAL_TEST_POSTGRES_STANDBY").expect("the URL of a standby, which .ci/servers starts")
}

pub async fn connection(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// Dropped with its tables at the end of its test.
pub struct Schema {
    pub name: String,
    runtime: Runtime,
}

impl Schema {
    pub fn new(_: &Runtime) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = Self { name: format!("rxseal_{}_{number}", std::process::id()), runtime: Runtime::new().unwrap() };
        schema.runtime.block_on(async {
            let sql = AssertSqlSafe(format!("CREATE SCHEMA {}", schema.name));
            sqlx::raw_sql(sql).execute(&mut connection(&url()).await).await.unwrap();
        });
        schema
    }

    /// A runtime does not wait for another one.
    fn new_within_a_runtime() -> Self {
        thread::scope(|scope| scope.spawn(|| Self::new(&runtime())).join().unwrap())
    }

    /// Ends where further settings may follow.
    pub fn url(&self) -> String {
        format!("{0}?application_name={1}&options=-c%20search_path={1}", url(), self.name)
    }

    fn url_as(&self, role: &str, password: &str) -> String {
        let url = self.url();
        let (_, host) = url.split_once('@').unwrap();
        format!("postgres://{role}:{password}@{host}")
    }

    pub fn run(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut db = connection(&self.url()).await;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap();
        });
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA {} CASCADE", self.name);
        self.runtime.block_on(async {
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection(&url()).await).await;
        });
    }
}

/// Hands bytes through to the server and back, until it is told after how many of the server's it breaks.
struct Proxy {
    url: String,
    state: Arc<ProxyState>,
}

#[derive(Default)]
struct ProxyState {
    /// `None` while nothing is counted.
    left: Mutex<Option<usize>>,
    broken: AtomicBool,
    /// How often everything that was open went silent.
    hushed: AtomicUsize,
    /// Host and port.
    server: Mutex<String>,
}

impl Proxy {
    fn start(schema: &Schema) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = schema.url();
        let host = host_of(&url);
        let state = Arc::new(ProxyState { server: Mutex::new(host.clone()), ..ProxyState::default() });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&*shared.server.lock().unwrap()).unwrap();
                let shared = Arc::clone(&shared);
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || forward(from, to, None));
                thread::spawn(move || forward(server, client, Some(&shared)));
            }
        });
        let url = url.replace(&host, &format!("127.0.0.1:{port}"));
        Self { url: url.replace('?', "?sslmode=disable&"), state }
    }

    /// Whoever connects from now on comes to that server. What is open goes silent.
    fn turn_to(&self, url: &str) {
        *self.state.server.lock().unwrap() = host_of(url);
        self.hush();
    }

    fn cut_after(&self, bytes: usize) {
        *self.state.left.lock().unwrap() = Some(bytes);
    }

    /// Nothing of the server comes through on what is open now.
    fn hush(&self) {
        self.state.hushed.fetch_add(1, Ordering::SeqCst);
    }

    fn broken(&self) -> bool {
        self.state.broken.load(Ordering::SeqCst)
    }
}

fn host_of(url: &str) -> String {
    let is_host = |part: &&str| part.contains(':') && part.starts_with(|c: char| c.is_ascii_digit() || c == 'l');
    url.split(['@', '/', '?']).find(is_host).unwrap().to_owned()
}

fn forward(mut from: TcpStream, mut to: TcpStream, counted: Option<&ProxyState>) {
    let mut buffer = [0; 4096];
    let hushed = || counted.map(|state| state.hushed.load(Ordering::SeqCst));
    let at_first = hushed();
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if hushed() != at_first {
            continue;
        }
        let mut passed = read;
        if let Some(state) = counted {
            let mut left = state.left.lock().unwrap();
            if let Some(left) = left.as_mut() {
                passed = read.min(*left);
                *left -= passed;
            }
            if passed < read {
                state.broken.store(true, Ordering::SeqCst);
            }
        }
        if to.write_all(&buffer[..passed]).is_err() || passed < read {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

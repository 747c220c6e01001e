//! `rxseal count`, `rxseal token`, and the counting before a key is destroyed.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use rxseal::phi::Drug;
use serde_json::Value;

use crate::shop::{Shop, fails, states};

#[test]
fn tokens_and_counts() {
    let shop = Shop::opened("tokens", "file:HERE/rings");
    let (token, key) = (shop.token(), shop.keys().primary_key().to_string());
    let shown = shop.json(&format!("token inspect {token}"));
    assert_eq!((shown[0]["suite"].as_str(), shown[0]["key"].as_str()), (Some("X"), Some(key.as_str())));
    fs::write(shop.path("token.bin"), token.as_bytes()).unwrap();
    fs::write(shop.path("tokens.txt"), format!("{token}\n\"{token}\"\n\n{token}")).unwrap();
    assert_eq!(shop.json("token inspect --file token.bin").as_array().unwrap().len(), 1);
    assert_eq!(shop.json("token inspect --file tokens.txt").as_array().unwrap().len(), 3);
    let mut child =
        shop.command().args(["token", "inspect"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.to_string().as_bytes()).unwrap();
    assert!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().contains(&key));
    let refused = shop.fails("token inspect warfarin-5-MG", 1);
    assert!(!refused.contains("warfarin"), "{refused}");

    // A record tag beside a token: what it says of itself, without a key.
    let tag = [&[0xAF, 0x1A, 0xD2], &token.as_bytes()[3..9], &[2, 0, 0, 0, 0, 0, 7], &[0x55; 32]].concat();
    let tag = rxseal::RecordTag::try_from(tag.as_slice()).unwrap();
    fs::write(shop.path("tag.bin"), tag.bytes().unwrap()).unwrap();
    fs::write(shop.path("both.txt"), format!("{}\n{token}\n", tag.text().unwrap())).unwrap();
    let shown = shop.json("token inspect --file both.txt");
    assert_eq!(shown[0], shop.json("token inspect --file tag.bin")[0]);
    assert_eq!((shown[0]["suite"].as_str(), shown[0]["key"].as_str()), (Some("record tag"), Some(key.as_str())));
    assert_eq!((&shown[0]["version"], &shown[0]["cover"], &shown[0]["bytes"]), (&7.into(), &2.into(), &48.into()));
    assert!(shop.ok("token inspect --file both.txt").contains("version"));
    assert!(shop.fails(&format!("token inspect {}", &tag.text().unwrap()[..63]), 1).contains("not a record tag"));

    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT); CREATE TABLE tagged (tag TEXT)").unwrap();
    db.execute("INSERT INTO tagged VALUES (?1)", [tag.text().unwrap()]).unwrap();
    assert_eq!(shop.json("count --sqlite pharmacy.db --table tagged --column tag")["keys"][&key], 1);
    for _ in 0..3 {
        db.execute("INSERT INTO rx (drug) VALUES (?1)", [token.to_string()]).unwrap();
    }
    db.execute("INSERT INTO rx (drug) VALUES ('warfarin 5 MG'), (NULL)", []).unwrap();
    let counted = shop.json("count --sqlite pharmacy.db --table rx --column drug");
    assert_eq!(counted["keys"][&key], 3);
    assert_eq!((&counted["not_tokens"], &counted["nulls"]), (&Value::from(1), &Value::from(1)));
    let text = shop.ok("count --sqlite pharmacy.db --table rx --column drug");
    assert!(text.contains("plaintext left behind"), "{text}");
    let sql = shop.ok("count --table rx --column drug --sql sqlite");
    assert!(db.prepare(&sql).is_ok(), "{sql}");
    let missing = shop.fails("count --sqlite pharmacy.db --table prescriptions --column drug", 5);
    assert!(missing.contains("prescriptions"), "{missing}");
    shop.fails("count --sqlite nowhere.db --table rx --column drug", 5);
    assert!(!shop.path("nowhere.db").exists());

    // Counted once more before the key goes, with what is in backups.
    shop.ok("keyring rotate pharmacy-17");
    let destroy = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --yes");
    let columns = "--sqlite pharmacy.db --column rx.drug";
    assert!(shop.fails(&format!("{destroy} {columns} --tokens 0"), 1).contains("1 values have no readable token"));
    assert_eq!(shop.run(&format!("{destroy} {columns}")).status.code(), Some(2), "and in the backups?");
    db.execute("DELETE FROM rx WHERE drug IS NULL OR drug LIKE 'warfarin%'", []).unwrap();
    assert!(shop.fails(&format!("{destroy} {columns} --tokens 4"), 5).contains("7 tokens and 0 subject keys"));
    assert!(shop.fails(&format!("{destroy} --tokens 0 --column rx.drug"), 2).contains("--sqlite FILE"));
    assert!(
        shop.fails(&format!("{destroy} --tokens 0 --sqlite pharmacy.db --column drug"), 2).contains("TABLE.COLUMN")
    );
    assert!(shop.fails(&format!("{destroy} --tokens 0 --sqlite pharmacy.db"), 2).contains("--column"));
    assert_eq!(shop.run(&destroy).status.code(), Some(2), "nothing counted");
    let token = shop.token().to_string();
    db.execute("UPDATE rx SET drug = ?1", [token]).unwrap();
    shop.ok(&format!("{destroy} --tokens 0 {columns}"));
}

/// Each looks like a column in which nothing is left.
#[test]
fn a_zero_that_says_nothing_destroys_no_key() {
    let shop = Shop::opened("zeros", "file:HERE/rings");
    let key = shop.keys().primary_key().to_string();
    let old = shop.token().to_string();
    shop.ok("keyring rotate pharmacy-17");
    let token = shop.token().to_string();
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let foreign = foreign.record("rx", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap().to_string();
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, unused TEXT, foreign_tokens TEXT, refills INTEGER);
         CREATE TABLE rx_new (drug TEXT);
         CREATE VIEW this_year AS SELECT drug FROM rx WHERE id > 1000;
         CREATE VIEW everything AS SELECT drug FROM rx;",
    )
    .unwrap();
    let insert = "INSERT INTO rx (drug, foreign_tokens, refills) VALUES (?1, ?2, 3)";
    db.execute(insert, [&token, &foreign]).unwrap();
    // Another database, in which the table is there and empty: a copy of the schema, or one that SQLite has just made.
    let other = rusqlite::Connection::open(shop.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    fs::write(shop.path("empty.db"), "").unwrap();

    let destroy = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --tokens 0 --yes");
    let good = "--sqlite pharmacy.db --column rx.drug";
    for (columns, exit, part) in [
        ("--sqlite pharmacy.db --column rx.unused", 5, "rx.unused: it has 1 rows and no value"),
        ("--sqlite pharmacy.db --column rx_new.drug", 5, "rx_new.drug: it has no rows"),
        ("--sqlite pharmacy.db --column rx.foreign_tokens", 5, "it has 1 tokens, all of other keyrings"),
        ("--sqlite pharmacy.db --column rx.refills", 1, "1 values have no readable token"),
        ("--sqlite pharmacy.db --column rx.id", 1, "1 values have no readable token"),
        ("--sqlite pharmacy.db --column this_year.drug", 5, "a view"),
        ("--sqlite pharmacy.db --column everything.drug", 5, "a view"),
        ("--sqlite pharmacy.db --column rx.drug --column rx.unused", 5, "rx.unused"),
        ("--sqlite pharmacy.db --column rx.drog", 5, "no column drog"),
        ("--sqlite other.db --column rx.drug", 5, "it has no rows"),
        ("--sqlite empty.db --column rx.drug", 5, "no table rx"),
        ("--sqlite absent.db --column rx.drug", 5, "absent.db"),
        ("--sqlite pharmacy.db --empty rx.drug", 5, "it is named with --empty, but has 1 tokens and 0 other values"),
        ("--sqlite pharmacy.db --empty rx.refills", 5, "0 tokens and 1 other values"),
        ("--sqlite pharmacy.db --empty this_year.drug", 5, "a view"),
        ("--sqlite pharmacy.db --empty rx.drog", 5, "no column drog"),
    ] {
        let text = shop.fails(&format!("{destroy} {columns}"), exit);
        assert!(text.contains(part), "{columns}: {text}");
    }
    assert!(!shop.path("absent.db").exists());
    let said = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --yes {good}");
    assert_eq!(shop.run(&said).status.code(), Some(2), "the number of the backups is asked for");
    let said = format!("keyring destroy pharmacy-17 {key} --tokens 0 --unused-for 0s --yes {good}");
    assert!(shop.fails(&said, 2).contains("--subject-keys 0"), "and that no subject keys are used");

    // Joined to another one, and in the letters of another one.
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    db.execute("UPDATE rx SET drug = ?1", [format!("{token}-{old}")]).unwrap();
    assert!(shop.fails(&format!("{destroy} {good}"), 5).contains("1 tokens and 0 subject keys"));
    let counted = json(&shop.ok("--json count --sqlite pharmacy.db --table rx --column drug"));
    assert_eq!(counted["joined"][&key], 1, "{counted}");
    assert!(shop.ok("count --sqlite pharmacy.db --table rx --column drug").contains("joined"));
    db.execute("UPDATE rx SET drug = ?1", [&token]).unwrap();
    let done = shop.ok(&format!("{destroy} {good} --empty rx.unused --empty rx_new.drug"));
    assert!(done.contains("key destroyed"), "{done}");
}

/// Generation 2 was put back where generation 3 was live, and what was sealed since is under a key that nobody has.
#[test]
fn keys_that_the_keyring_lacks_are_flagged() {
    let shop = Shop::opened("lacks", "file:HERE/rings");
    shop.ok("keyring rotate pharmacy-17");
    let second = shop.token();
    let ring = shop.path("rings").join("pharmacy-17.keyring.json");
    fs::copy(&ring, shop.path("generation-2")).unwrap();
    shop.ok("keyring rotate pharmacy-17");
    let third = shop.token();
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    for token in [&second, &third, &third] {
        db.execute("INSERT INTO rx VALUES (?1)", [token.to_string()]).unwrap();
    }
    let count = "count --sqlite pharmacy.db --table rx --column drug";
    let counted = shop.json(&format!("{count} --keyspace pharmacy-17"));
    assert_eq!(counted["not_in_keyring"], serde_json::json!({}));
    assert_eq!(shop.json(count)["not_in_keyring"], Value::Null, "nobody asked");

    fs::copy(shop.path("generation-2"), &ring).unwrap();
    let output = shop.run(&format!("{count} --keyspace pharmacy-17"));
    assert_eq!(output.status.code(), Some(1));
    let (text, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let line = text.lines().find(|line| line.contains(&third.key_id().to_string())).unwrap();
    assert!(line.contains('2') && line.contains("not in the keyring"), "{text}");
    assert!(error.contains("2 tokens are under 1 keys that are not in the keyring of pharmacy-17"), "{error}");
    let output = shop.run(&format!("--json {count} --keyspace pharmacy-17"));
    let counted: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counted["not_in_keyring"], serde_json::json!({ third.key_id().to_string(): 2 }));
    // A column of two tenants.
    shop.ok("keyring init pharmacy-18");
    fails(shop.run(&format!("{count} --keyspace pharmacy-19")), "no such keyring", 1);
    let output = shop.run(&format!("{count} --keyspace pharmacy-17 --keyspace pharmacy-18"));
    assert_eq!(output.status.code(), Some(1));
    // Who destroys a key is told too.
    let first =
        states(&shop.json("keyring inspect pharmacy-17")).into_iter().find(|(_, _, primary)| !primary).unwrap().0;
    let destroy =
        format!("keyring destroy pharmacy-17 {first} --tokens 0 --subject-keys 0 --unused-for 0s --yes --dry-run");
    let output = shop.run(&format!("{destroy} --sqlite pharmacy.db --column rx.drug"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && error.contains("rx.drug: 2 tokens are under keys that are not in this keyring"),
        "{error}"
    );
}

/// A derived record, written as JSON into a text column, is under the key as a token in a column of its own is.
#[test]
fn a_key_that_documents_need_is_not_destroyed() {
    let shop = Shop::opened("documents", "file:HERE/rings");
    let (token, key) = (shop.token(), shop.keys().primary_key().to_string());
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (doc)").unwrap();
    for id in 0..3 {
        let document = serde_json::json!({ "id": id, "drug": token.to_string(), "former": [token.to_string()] });
        db.execute("INSERT INTO rx VALUES (?1)", [document.to_string()]).unwrap();
    }
    let counted = shop.json("count --sqlite pharmacy.db --table rx --column doc");
    assert_eq!((&counted["keys"][&key], &counted["not_tokens"]), (&Value::from(6), &Value::from(0)));
    shop.ok("keyring rotate pharmacy-17");
    let destroy = format!(
        "keyring destroy pharmacy-17 {key} --sqlite pharmacy.db --column rx.doc --tokens 0 --subject-keys 0 --unused-for 0s --yes"
    );
    assert!(shop.fails(&destroy, 5).contains("6 tokens and 0 subject keys"));

    // If no token is seen, the message does not ask for `--tokens`, which would say that none is left.
    db.execute("UPDATE rx SET doc = CAST(doc AS BLOB)", []).unwrap();
    assert!(shop.ok("count --sqlite pharmacy.db --table rx --column doc").contains("binary document"));
    let refused = shop.fails(&destroy, 1);
    assert!(refused.contains("only if these are text") && !refused.contains("--tokens"), "{refused}");
    let token = shop.token().to_string();
    db.execute("UPDATE rx SET doc = json_object('drug', ?1)", [&token]).unwrap();
    shop.ok(&destroy);
}

//! `rxseal map`, counting through a map, and docs/MAP.md word for word.

use std::fs;

use rusqlite::Connection;
use rxseal::Keyring;
use rxseal::phi::{Drug, PatientName};
use serde_json::Value;

use crate::page::blocks;
use crate::shop::Shop;
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/MAP.md");

/// What the service of the page does: every row and the export, sealed under the key that seals now.
fn write_data(shop: &Shop, keys: &Keyring) {
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute("DELETE FROM prescriptions", ()).unwrap();
    let mut lines = String::new();
    for number in 1..=2_u32 {
        let record = keys.record("prescription", u64::from(number)).unwrap();
        let name = record.seal::<PatientName>("Zoraida Quimby").unwrap().to_string();
        let drug = record.seal::<Drug>("warfarin 5 MG").unwrap().to_string();
        let insert = "INSERT INTO prescriptions VALUES (?1, 'pat-77', ?2, ?3, '2026-11-30', 3)";
        db.execute(insert, (number, &name, &drug)).unwrap();
        lines.push_str(&format!(
            "{{\"rx_number\":{number},\"patient_id\":\"pat-77\",\"drug\":\"{drug}\",\"filled_at\":\"2026-11-30\"}}\n"
        ));
    }
    fs::create_dir_all(shop.path("exports")).unwrap();
    fs::write(shop.path("exports/1.ndjson"), lines).unwrap();
}

/// With the table, the map and the schema of the page.
pub fn shop_of_the_page(name: &str) -> Shop {
    let shop = Shop::opened(name, "file:HERE/rings");
    let block = |kind: &str| blocks(PAGE).into_iter().find(|block| block.kind == kind).unwrap().lines.join("\n") + "\n";
    fs::write(shop.path("rxseal-map.toml"), block("toml")).unwrap();
    fs::write(shop.path("rxseal-schema.json"), block("json")).unwrap();
    Connection::open(shop.path("pharmacy.db")).unwrap().execute_batch(&block("sql")).unwrap();
    write_data(&shop, &shop.keys());
    shop
}

#[test]
fn the_page_runs_word_for_word() {
    let shop = shop_of_the_page("map-page");
    let old = shop.keys().primary_key().to_string();
    let reseal = |text: &str| {
        if text.contains("pharmacy reseal") {
            write_data(&shop, &shop.keys());
        }
        text.replace("pharmacy reseal\n", "").replace("OLD-KEY", &old)
    };
    // The table is there already.
    walk("docs/MAP.md", PAGE, &shop, 1, reseal);
}

#[test]
fn a_check_answers_people_and_programs() {
    let shop = shop_of_the_page("map-check");
    let answer = shop.json("map check");
    assert_eq!(
        (&answer["sources"], &answer["faults"], &answer["findings"]),
        (&2.into(), &0.into(), &Value::Array(vec![]))
    );
    assert_eq!(answer["map"].as_str().unwrap().len(), 64);
    assert_eq!(shop.json("map check --offline --map rxseal-map.toml --schema rxseal-schema.json"), answer);

    let map = fs::read_to_string(shop.path("rxseal-map.toml")).unwrap();
    let write = |text: &str| fs::write(shop.path("rxseal-map.toml"), text).unwrap();
    write(&map.replacen("drug = \"phi.rx.drug\"", "drug = \"phi.rx.drog\"", 1).replace("exports/", "nowhere/"));
    let output = shop.run("--json map check");
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<_> =
        answer["findings"].as_array().unwrap().iter().map(|found| found["code"].as_str().unwrap()).collect();
    assert_eq!(found, ["field-unknown", "store-refused"]);
    let first = &answer["findings"][0];
    assert_eq!((&first["line"], &first["place"], &first["fault"]), (&8.into(), &"drug".into(), &true.into()));
    assert!(shop.fails("map check --offline", 1).contains("1 faults in rxseal-map.toml"));

    write("keyspace = 7\n");
    let output = shop.run("--json map check");
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["findings"][0]["key"], &answer["findings"][1]["key"]), (&"keyspace".into(), &"source".into()));
    assert!(shop.fails("count --map rxseal-map.toml", 1).contains("line 1, keyspace"));
    assert!(shop.fails("count --map absent.toml", 1).contains("absent.toml"));

    write(&map.replace("sqlite:pharmacy.db#", "postgres:public."));
    let answer = shop.json("map check");
    assert_eq!((&answer["faults"], &answer["findings"][0]["code"]), (&0.into(), &"not-compared".into()));
    assert!(shop.fails("map check --postgres postgres://kim:hunter2@db/rx", 2).contains("contains a password"));
    assert!(shop.fails("map check --schema absent.json", 2).contains("Schema::to_json()"));
    fs::write(shop.path("rxseal-schema.json"), "{}").unwrap();
    assert!(shop.fails("map check", 1).contains("rxseal-schema.json"));
}

#[test]
fn a_count_through_a_map_shows_every_source() {
    let shop = shop_of_the_page("map-count");
    let key = shop.keys().primary_key().to_string();
    fs::write(shop.path("exports/2.ndjson"), format!("{{\"drug\":\"Zoraida\",\"memo\":\"{}\"}}\n", shop.token()))
        .unwrap();
    let counted = shop.json("count --map rxseal-map.toml --keyspace pharmacy-17");
    assert_eq!((&counted["keys"][&key], &counted["not_in_keyring"]), (&7.into(), &serde_json::json!({})));
    let [table, files] = &**counted["sources"].as_array().unwrap() else { panic!("two sources") };
    assert_eq!((&table["places"][1]["place"], &table["places"][1]["keys"][&key]), (&"drug".into(), &2.into()));
    assert_eq!((&files["files"], &files["places"][0]["not_tokens"]), (&2.into(), &1.into()));
    assert_eq!(files["strays"], serde_json::json!([{ "column": "memo", "keys": { key.clone(): 1 } }]));
    let text = shop.ok("count --map rxseal-map.toml");
    assert!(text.contains("not called sealed") && !text.contains("Zoraida"), "{text}");

    // One that cannot be read keeps no other from being counted.
    fs::rename(shop.path("pharmacy.db"), shop.path("away.db")).unwrap();
    let output = shop.run("--json count --map rxseal-map.toml");
    let counted: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &counted["sources"][0]["code"]), (Some(5), &"store-refused".into()));
    assert_eq!(counted["keys"][&key], 3);
    fs::rename(shop.path("away.db"), shop.path("pharmacy.db")).unwrap();

    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    write_data(&shop, &foreign);
    assert!(shop.run("count --map rxseal-map.toml --keyspace pharmacy-17").status.code() == Some(1));
    for mistaken in ["--table rx", "--column drug", "--sqlite a.db", "--sql sqlite"] {
        assert_eq!(shop.run(&format!("count --map rxseal-map.toml {mistaken}")).status.code(), Some(2), "{mistaken}");
    }
}

/// Each looks as if nothing were left under the key.
#[test]
fn no_key_is_destroyed_while_a_source_proves_nothing() {
    let shop = shop_of_the_page("map-destroy");
    let old = shop.keys().primary_key().to_string();
    let of_old = shop.token();
    shop.ok("keyring rotate pharmacy-17");
    write_data(&shop, &shop.keys());
    let destroy = format!(
        "keyring destroy pharmacy-17 {old} --subject-keys 0 --unused-for 0s --tokens 0 --yes --map rxseal-map.toml"
    );
    let map = fs::read_to_string(shop.path("rxseal-map.toml")).unwrap();
    let export = shop.path("exports/2.ndjson");
    let of_new = shop.token();
    for (line, exit, part) in [
        ("{\"drug\":\"Zoraida\"}\n".to_owned(), 1, "ndjson:exports/*.ndjson, drug: 1 values have no readable token"),
        (
            format!("{{\"drug\":\"{of_new}\",\"memo\":\"{of_old}\"}}"),
            5,
            "1 tokens under the key are in the column memo",
        ),
        ("no JSON".to_owned(), 5, "line 1 is no JSON object"),
        (format!("{{\"drug\":\"{of_old}\"}}"), 5, "1 tokens and 0 subject keys"),
    ] {
        fs::write(&export, line).unwrap();
        let text = shop.fails(&destroy, exit);
        assert!(text.contains(part) && !text.contains("Zoraida"), "{text}");
    }
    fs::remove_file(&export).unwrap();
    for (from, to, exit, part) in [
        ("pharmacy.db#prescriptions", "other.db#prescriptions", 5, "other.db"),
        ("#prescriptions", "#prescription", 5, "no table prescription"),
        ("exports/*.ndjson", "export/*.ndjson", 5, "no file has such a name"),
        ("\"pharmacy-17\"", "\"pharmacy-18\"", 2, "no source of the keyspace pharmacy-17"),
        (
            "drug = \"phi.rx.drug\" }\nclear",
            "drug = \"phi.rx.drug\" }\nempty = true\nclear",
            5,
            "the map says that it is empty",
        ),
        ("at      = \"ndjson", "keyspace = \"pharmacy-18\"\nat = \"ndjson", 5, "no token of pharmacy-17, and it has 2"),
        ("sqlite:pharmacy.db#", "postgres:public.", 5, "PostgreSQL"),
    ] {
        assert!(map.contains(from), "{from}");
        fs::write(shop.path("rxseal-map.toml"), map.replacen(from, to, 1)).unwrap();
        let text = shop.fails(&destroy, exit);
        assert!(text.contains(part), "{text}");
    }
    fs::write(shop.path("rxseal-map.toml"), &map).unwrap();
    for mistaken in ["--column rx.drug", "--sqlite a.db", "--empty rx.drug"] {
        assert_eq!(shop.run(&format!("{destroy} {mistaken}")).status.code(), Some(2), "{mistaken}");
    }
    Connection::open(shop.path("pharmacy.db")).unwrap().execute("DELETE FROM prescriptions", ()).unwrap();
    assert!(shop.fails(&destroy, 5).contains("patient_name: it has no rows"));
    write_data(&shop, &shop.keys());
    assert!(shop.ok(&format!("{destroy} --dry-run")).contains("key destroyed"));
    shop.ok(&destroy);
}

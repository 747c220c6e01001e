//! `rxseal scan` and `rxseal canary`, and docs/SCAN.md word for word.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::acts::events;
use crate::maps::shop_of_the_page;
use crate::shop::{Shop, audited, hex_digest};
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/SCAN.md");

#[test]
fn the_page_runs_word_for_word() {
    walk("docs/SCAN.md", PAGE, &shop_of_the_page("scan-page"), 0, str::to_owned);
}

/// The answer of a scan that ends so.
fn answer(shop: &Shop, arguments: &str, exit: i32) -> Value {
    let output = shop.run(&format!("--json {arguments}"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(exit), "{arguments}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments}: {error}: {text}"))
}

fn codes(answer: &Value, of: &str, member: &str) -> Vec<String> {
    let reports = answer["reports"].as_array().unwrap().iter().flat_map(|report| report[of].as_array().unwrap());
    reports.map(|one| one[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_status_says_whether_all_of_it_is_clean() {
    let shop = shop_of_the_page("scan-status");
    let clean = answer(&shop, "scan --keyspace pharmacy-17", 0);
    assert_eq!((&clean["verdict"], &clean["found"]), (&"clean".into(), &0.into()));
    assert_eq!(clean["reports"][0]["keys"][shop.keys().primary_key().to_string()], 4);
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();

    // What is away is no clean one, and keeps nothing else from being scanned.
    fs::rename(shop.path("exports"), shop.path("away")).unwrap();
    let undecided = answer(&shop, "scan", 7);
    assert_eq!(
        (&undecided["verdict"], &*codes(&undecided, "undecided", "code")),
        (&"undecided".into(), &["not-read".to_owned()][..])
    );
    db.execute("UPDATE prescriptions SET drug = 'Zoraida' WHERE rx_number = 1", ()).unwrap();
    let found = answer(&shop, "scan", 1);
    assert_eq!(
        (&found["verdict"], &*codes(&found, "findings", "kind")),
        (&"found".into(), &["plaintext".to_owned()][..])
    );
    assert_eq!(codes(&found, "undecided", "code"), ["not-read"]);
    fs::rename(shop.path("away"), shop.path("exports")).unwrap();

    // Tokens of another keyspace.
    db.execute("UPDATE prescriptions SET drug = patient_name", ()).unwrap();
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let token = foreign.record("prescription", 1).unwrap().seal_text::<rxseal::phi::Drug>("warfarin").unwrap();
    db.execute("UPDATE prescriptions SET drug = ?1 WHERE rx_number = 1", [&token]).unwrap();
    assert_eq!(codes(&answer(&shop, "scan --keyspace pharmacy-17", 1), "findings", "kind"), ["key-unknown"]);
    answer(&shop, "scan --keyspace pharmacy-17 --certain", 1);

    assert!(shop.fails("scan --map absent.toml", 1).contains("absent.toml"));
    assert!(shop.fails("scan --schema absent.json", 2).contains("absent.json"));
    assert!(shop.fails("scan --keyspace pharmacy-18", 1).contains("no keyring"));
    assert_eq!(shop.run("scan --expect-tokens").status.code(), Some(2));
}

#[test]
fn files_need_no_map() {
    let shop = Shop::opened("scan-files", "file:HERE/rings");
    let token = shop.token();
    fs::write(shop.path("dump.sql"), format!("INSERT INTO rx VALUES (1, '{token}', 'phone 555-234-5678');\n")).unwrap();
    fs::write(shop.path("clean.log"), "nothing\n").unwrap();
    let found = answer(&shop, "scan dump.sql clean.log", 1);
    assert_eq!(codes(&found, "findings", "kind"), ["token-elsewhere", "phone"]);
    assert_eq!(found["reports"][0]["findings"][1]["line"], 1);
    let found = answer(&shop, "scan --expect-tokens --keyspace pharmacy-17 dump.sql", 1);
    assert_eq!(codes(&found, "findings", "kind"), ["phone"]);
    assert_eq!(found["reports"][0]["keys"][token.key_id().to_string()], 1);
    answer(&shop, "scan --expect-tokens --certain dump.sql clean.log", 0);
    assert_eq!(codes(&answer(&shop, "scan absent.log", 7), "undecided", "code"), ["not-read"]);
    let text = shop.run("scan dump.sql");
    let printed = [text.stdout, text.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(!printed.contains("555-234") && !printed.contains(&token.to_string()), "{printed}");
}

#[test]
fn a_planted_canary_is_found_where_it_is_readable() {
    let shop = shop_of_the_page("canary");
    let planted = shop.json("canary plant pharmacy-17 --list list.json --count 2");
    let value = planted[1]["values"]["name"].as_str().unwrap().to_owned();
    let list = fs::read_to_string(shop.path("list.json")).unwrap();
    assert!(!list.contains(&value));
    assert!(shop.fails("canary plant pharmacy-17 --list list.json", 2).contains("list.json"));
    let find = "canary find --list list.json --who user:kim --why HSYSADMIN";
    answer(&shop, find, 0);
    fs::write(shop.path("app.log"), format!("saving {value}\nphone 555-234-5678\n")).unwrap();
    let found = answer(&shop, &format!("{find} app.log"), 1);
    let finding = &found["reports"][0]["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["encoding"], &finding["line"]),
        (&"known-value".into(), &"utf-8".into(), &1.into())
    );
    assert_eq!(finding["known"], format!("{} name", planted[1]["id"].as_str().unwrap()));
    assert_eq!((&found["found"], found.to_string().contains(&value)), (&1.into(), false));
    // In the table, where it was not sealed.
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute("UPDATE prescriptions SET patient_name = ?1 WHERE rx_number = 2", [&value]).unwrap();
    let found = answer(&shop, find, 1);
    assert_eq!(found["reports"][0]["findings"][0]["place"], "patient_name");

    assert_eq!(shop.run("canary find app.log --list list.json --who user:kim --why NOSUCH").status.code(), Some(1));
    fs::write(shop.path("list.json"), "{}").unwrap();
    assert!(shop.fails(find, 1).contains("no list of canaries"));
}

/// Of each scan the log has who, what came of it, and the digest of its answer.
#[test]
fn a_scan_is_in_the_log_of_the_command() {
    let shop = audited(shop_of_the_page("scan-event"));
    let run = |arguments: &str, exit: i32| {
        let output = shop.run(&format!("--json --config rxseal.toml {arguments}"));
        assert_eq!(output.status.code(), Some(exit), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let last = || {
        let mut scans = events(&shop);
        scans.retain(|event| event["e"] == "scan");
        scans.pop().unwrap()
    };
    let clean = run("scan --who user:lee.ops", 0);
    let event = last();
    assert_eq!(
        (&event["who"], &event["what"], &event["out"]),
        (&"user:lee.ops".into(), &"all".into(), &"clean".into())
    );
    let numbers = serde_json::json!({ "sources": 2, "files": 0, "rows": 4, "found": 0, "undecided": 0 });
    assert_eq!((&event["num"], &event["sha256"]), (&numbers, &hex_digest(&clean).into()));
    let answer: Value = serde_json::from_slice(&clean).unwrap();
    assert_eq!((&event["map"], &answer["looked_for"]), (&answer["map"], &"all".into()));
    assert!(answer["at"].as_u64().unwrap() <= event["t"].as_u64().unwrap() / 1000);

    fs::write(shop.path("app.log"), "phone 555-234-5678\n").unwrap();
    let found = run("scan --who user:lee.ops app.log", 1);
    let event = last();
    assert_eq!(
        (&event["out"], &event["num"]["files"], &event["num"]["found"]),
        (&"found".into(), &1.into(), &1.into())
    );
    assert_eq!((&event["map"], &event["sha256"]), (&Value::Null, &hex_digest(&found).into()));
    run("scan --who user:lee.ops --certain app.log absent.log", 7);
    assert_eq!((&last()["out"], &last()["what"]), (&"undecided".into(), &"certain".into()));
    run("canary plant pharmacy-17 --list list.json", 0);
    run("canary find --list list.json --who user:kim --why HSYSADMIN", 0);
    assert_eq!((&last()["who"], &last()["what"]), (&"user:kim".into(), &"canaries".into()));

    // Nobody is named: nothing is scanned. The log is away: the answer is printed all the same.
    let before = events(&shop).len();
    assert_eq!(run("scan", 2), b"");
    assert_eq!(events(&shop).len(), before);
    fs::rename(shop.path("log"), shop.path("gone")).unwrap();
    assert!(!run("scan --who user:lee.ops", 1).is_empty());
    assert!(!run("scan --who user:lee.ops app.log", 1).is_empty());
}

//! Each open question, and what raises it: what is not known is never taken to be good (T85).

use rxseal::keys::Suite;
use rxseal_evidence::{Evidence, ScanFacts, Topic, Verdict};
use serde_json::json;

use crate::support::{ARN, SCHEMA, World, ring, scan, unwrapped};

#[test]
fn where_a_root_key_is() {
    for (provider, name) in [
        ("vault", "transit/phi"),
        ("pkcs11", "token/phi"),
        ("local", "AAAAAAAAAAA"),
        ("aws-kms", "alias/phi"),
        // Services that imitate AWS have this account.
        ("aws-kms", "arn:aws:kms:us-east-1:000000000000:key/a"),
    ] {
        let open = |stated: Option<&'static str>| {
            let mut world = World::new();
            world.ring = ring(&[(provider, name), ("aws-kms", &format!("{ARN}a"))], Suite::default());
            world.scan = Some(scan(&world.map, &world.ring));
            world.stated.extend(stated.map(|text| (Topic::Apart, text)));
            world.codes()
        };
        assert_eq!(open(None), (vec![], vec!["apart-unknown"]), "{provider}");
        assert_eq!(open(Some("yes")), (vec![], vec![]), "{provider}");
        assert!(open(Some("no")).0.contains(&"root-key-beside-data"), "{provider}");
    }
}

/// Nobody's word moves a file. Data is on this machine, and so may be the root key.
#[test]
fn a_local_root_key_where_data_is_needs_more_than_a_word() {
    let codes = |roots: &[(&str, &str)], has_local_root, stated: Option<&'static str>| {
        let mut world = World::new();
        world.ring = ring(roots, Suite::default());
        world.scan = Some(scan(&world.map, &world.ring));
        world.data_host = "localhost";
        world.has_local_root = has_local_root;
        world.stated.extend(stated.map(|text| (Topic::Apart, text)));
        world.codes()
    };
    let arn = format!("{ARN}a");
    let local = [("local", "AAAAAAAAAAA"), ("local", "BBBBBBBBBBB")];
    let escrow = [("aws-kms", &*arn), ("local", "AAAAAAAAAAA")];
    let open = vec!["apart-unknown"];
    assert_eq!(codes(&local, None, Some("yes")), (vec![], open.repeat(2)));
    assert_eq!(codes(&escrow, None, Some("yes")), (vec![], open.clone()));
    // The machine names a root key that unlocks nothing of this.
    assert_eq!(codes(&local, Some(false), Some("yes")), (vec![], open.repeat(2)));
    // It names the other one, and somebody says where this one is.
    assert_eq!(codes(&escrow, Some(false), None), (vec![], open));
    assert_eq!(codes(&escrow, Some(false), Some("yes")), (vec![], vec![]));
    for has_local_root in [None, Some(false)] {
        assert_eq!(codes(&local, has_local_root, Some("no")).0, ["root-key-beside-data"; 2]);
    }
    assert_eq!(codes(&escrow, Some(true), Some("yes")), (vec!["root-key-beside-data"], vec![]));
}

/// A drill of a few rows shows nothing of the others.
#[test]
fn how_much_a_drill_read() {
    for drill_of in [Some("pharmacy-17"), None] {
        for (drill_tokens, open) in
            [(Some(3000), vec![]), (Some(2999), vec!["restore-drill-partial"]), (None, vec!["restore-drill-partial"])]
        {
            let mut world = World::new();
            (world.drill_of, world.drill_tokens) = (drill_of, drill_tokens);
            assert_eq!(world.codes(), (vec![], open), "{drill_tokens:?}");
        }
    }
}

#[test]
fn who_watches() {
    let mut world = World::new();
    world.stated.clear();
    assert_eq!(world.codes(), (vec![], vec!["observed-unknown"]));
    // An empty log of a key service matches nothing, and so does one beside a root key that has no log.
    world = World::new();
    world.stated.clear();
    world.service = Some(String::new());
    assert_eq!(world.codes(), (vec![], vec!["observed-unknown"]));
    world = World::new();
    world.stated.clear();
    world.service = Some(unwrapped("pharmacy-17"));
    assert_eq!(world.codes(), (vec![], vec![]), "the log and the key service have the same one");
    world = World::new();
    world.stated = vec![(Topic::Apart, "yes")];
    world.ring = ring(&[("aws-kms", &format!("{ARN}a")), ("local", "AAAAAAAAAAA")], Suite::default());
    world.scan = Some(scan(&world.map, &world.ring));
    world.service = Some(unwrapped("pharmacy-17"));
    assert_eq!(world.codes(), (vec![], vec!["observed-unknown"]), "nobody sees who uses a root key in a file");
    world = World::new();
    world.has_log = false;
    assert_eq!(world.codes(), (vec!["restore-drill-old"], vec!["no-log"]));
    world = World::new();
    world.is_logged = false;
    assert_eq!(world.codes(), (vec!["restore-drill-old"], vec!["log-empty"]));
    world = World::new();
    world.has_checkpoints = false;
    assert_eq!(world.codes(), (vec![], vec!["log-incomplete"]));
}

#[test]
fn what_a_scan_leaves_open() {
    let open = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut world = World::new();
        world.change_scan(change);
        let (red, open) = world.codes();
        assert!(red.is_empty(), "{red:?}");
        open
    };
    assert_eq!(
        open(&|scan| scan["reports"][0]["undecided"] = json!([{ "code": "not-read", "place": null }])),
        ["scan-undecided"]
    );
    assert_eq!(open(&|scan| scan["looked_for"] = json!("certain")), ["scan-certain-only"]);
    assert_eq!(open(&|scan| scan["map"] = json!(null)), ["scan-other-map"]);
    assert_eq!(open(&|scan| scan["map"] = json!("ab".repeat(32))), ["scan-other-map"]);
    assert_eq!(open(&|scan| drop(scan["reports"].as_array_mut().unwrap().pop())), ["scan-partial"]);
    assert_eq!(open(&|scan| scan["reports"][1]["keys"] = json!({ "q3Zk81Ab": 7 })), ["key-unknown"]);
    for bad in ["", "{}", "[]", "{\"looked_for\":\"all\"}"] {
        assert_eq!(ScanFacts::parse(bad).unwrap_err().code(), "invalid-input", "{bad}");
    }
    let mut world = World::new();
    world.change_scan(|scan| scan["looked_for"] = json!("canaries"));
    assert!(
        ScanFacts::parse(&world.scan.as_ref().unwrap().to_string()).is_err(),
        "a search for canaries finds nothing else"
    );
}

#[test]
fn what_the_map_leaves_open() {
    let mut world = World::new();
    world.map = world.map.replace("keyspace = \"pharmacy-17\"", "keyspace = [\"pharmacy-17\", \"pharmacy-18\"]");
    world.change_to_map();
    assert_eq!(world.codes(), (vec![], vec!["keyring-missing"]));
    let mut world = World::new();
    world.map = world.map.replace("keyspace = \"pharmacy-17\"", "keyspace = { column = \"tenant\" }");
    world.change_to_map();
    assert!(world.codes().1.contains(&"keyspaces-unknown"));
    let mut world = World::new();
    world.map = format!("elsewhere = [\"phi.patient.phone\"]\n{}", world.map);
    world.change_to_map();
    let (red, open) = world.codes();
    assert!(red.is_empty() && open.contains(&"elsewhere"), "{red:?} {open:?}");
    let mut world = World::new();
    world.map = world.map.replacen("phi.rx.drug", "phi.rx.drog", 1);
    world.change_to_map();
    assert_eq!(world.codes(), (vec![], vec!["map-faults"]));
    for (map, schema) in [("", SCHEMA), (&*World::new().map, "{}")] {
        assert_eq!(Evidence::of(map, schema).unwrap_err().code(), "invalid-input");
    }
}

#[test]
fn a_statement_is_short_and_has_an_author() {
    let mut evidence = Evidence::of(&World::new().map, SCHEMA).unwrap();
    for (topic, text, by) in [
        (Topic::Apart, "maybe", "lee"),
        (Topic::Observed, "", "lee"),
        (Topic::DataAt, "us-east-1\nand more", "lee"),
        (Topic::DataAt, "us-east-1", " "),
        (Topic::DataAt, &*"x".repeat(501), "lee"),
    ] {
        assert_eq!(evidence.stated(topic, text, by).unwrap_err().code(), "invalid-input", "{text}");
    }
    assert!("data-at".parse::<Topic>().is_ok_and(|topic| topic == Topic::DataAt));
    assert!("place".parse::<Topic>().unwrap_err().to_string().contains("root-keys-at"));
}

#[test]
fn an_open_question_is_no_red_line() {
    let mut world = World::new();
    world.stated.clear();
    assert_eq!(world.write().verdict(), Verdict::Open);
}

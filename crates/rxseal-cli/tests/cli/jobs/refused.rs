//! A job that is planned or run with something else than it should be.

use std::fs;

use super::{MAP, Pharmacy};

#[test]
fn another_map_schema_or_keyring_is_refused() {
    let pharmacy = Pharmacy::new("job-other", 20);
    let ring = pharmacy.shop.path("rings").join("pharmacy-17.keyring.json");
    fs::copy(&ring, pharmacy.shop.path("generation-1")).unwrap();
    pharmacy.ok("keyring rotate pharmacy-17");
    pharmacy.ok("job plan seal-rx --op backfill");

    let refused = |what: &str, part: &str| {
        let (_, error) = pharmacy.fails("--json job run seal-rx", 1);
        assert!(error.contains("job-mismatch") && error.contains(part), "{what}: {error}");
        assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'"), 0, "{what}");
    };
    fs::copy(&ring, pharmacy.shop.path("generation-2")).unwrap();
    fs::copy(pharmacy.shop.path("generation-1"), &ring).unwrap();
    refused("an older keyring", "older");
    fs::copy(pharmacy.shop.path("generation-2"), &ring).unwrap();

    let map = pharmacy.shop.path("rxseal-map.toml");
    fs::write(&map, MAP.replace(", directions = \"phi.rx.directions\"", "")).unwrap();
    refused("a map without a column", "the map");
    fs::write(
        &map,
        MAP.replace(
            "drug = \"phi.rx.drug\", directions = \"phi.rx.directions\"",
            "directions = \"phi.rx.drug\", drug = \"phi.rx.directions\"",
        ),
    )
    .unwrap();
    refused("a map with columns exchanged", "the map");
    fs::write(&map, format!("# A comment is no change.\n{MAP}")).unwrap();

    let schema = pharmacy.shop.path("rxseal-schema.json");
    let text = fs::read_to_string(&schema).unwrap();
    fs::write(&schema, text.replace("\"medication\"", "\"other\"")).unwrap();
    refused("a schema with another class", "the map");
    fs::write(&schema, text).unwrap();
    // A later generation that seals with the same key is welcome, and one that seals with another is not.
    pharmacy.ok("keyring stage pharmacy-17");
    pharmacy.ok("keyring promote pharmacy-17 --staged-for 0s");
    refused("another primary key", "another key");
    fs::copy(pharmacy.shop.path("generation-2"), &ring).unwrap();
    pharmacy.ok("job run seal-rx");
    pharmacy.assert_opens(|_| None);
}

#[test]
fn each_mistake_is_one_line() {
    let pharmacy = Pharmacy::new("job-mistakes", 5);
    pharmacy.db().execute_batch("CREATE TABLE bare (a TEXT, b TEXT); CREATE VIEW seen AS SELECT * FROM rx").unwrap();
    let write = |name: &str, text: &str| fs::write(pharmacy.shop.path(name), text).unwrap();
    write("two.toml", &format!("{MAP}\n{}", MAP.split_once("\n\n").unwrap().1.replace("#rx", "#bare")));
    write("view.toml", &MAP.replace("#rx", "#seen"));
    write("none.toml", &MAP.replace("#rx", "#gone"));
    write("absent.toml", &MAP.replace("shop.db", "gone.db"));
    write("type.toml", &MAP.replace("\"prescription\"", "\"order\""));
    write("field.toml", &MAP.replace("phi.rx.drug", "phi.rx.durg"));
    write("broken.toml", "keyspace = ");
    write(
        "number.toml",
        &MAP.replace("drug = \"phi.rx.drug\", ", "refills = \"phi.rx.drug\", ")
            .replace("clear  = { refills = \"none\" }", ""),
    );
    write("server.toml", &MAP.replace("sqlite:shop.db#rx", "postgres:public.rx"));
    write("files.toml", &MAP.replace("sqlite:shop.db#rx", "ndjson:data/*.ndjson"));
    write("broken.json", "{");
    for (arguments, exit, part) in [
        ("job plan --op backfill --map gone.toml", 1, "gone.toml"),
        ("job plan --op backfill --map broken.toml", 1, "broken.toml"),
        ("job plan --op backfill --schema gone.json", 2, "Schema::to_json"),
        ("job plan --op backfill --schema broken.json", 1, "broken.json"),
        ("job plan --op backfill --map two.toml", 2, "--at"),
        ("job plan --op backfill --map two.toml --at sqlite:shop.db#other", 2, "sqlite:shop.db#bare"),
        ("job plan --op backfill --map two.toml --at sqlite:shop.db#bare", 1, "rx_number"),
        ("job plan --op backfill --map view.toml", 1, "view"),
        ("job plan --op backfill --map none.toml", 1, "gone"),
        ("job plan --op backfill --map absent.toml", 5, "gone.db"),
        ("job plan --op backfill --map type.toml", 1, "order"),
        ("job plan --op backfill --map field.toml", 1, "phi.rx.durg"),
        ("job plan --op backfill --map number.toml", 1, "refills"),
        ("job plan --op backfill --map server.toml", 2, "--postgres URL"),
        ("job plan --op backfill --map files.toml", 2, "no table"),
        ("job plan --op reindex", 1, "index"),
        ("job plan --op add-subject", 1, "subject"),
        ("job plan --op backfill --keyspace pharmacy-18", 2, "pharmacy-18"),
        ("job plan --op seal", 2, "backfill"),
        ("job run gone", 1, "job status"),
        ("job run gone --between 9-5", 1, "22:00-05:00"),
        ("job run gone --max-replica-lag soon", 2, "none"),
        ("job pause gone", 1, "no job gone"),
        ("job faults gone", 1, "no job gone"),
        ("job status gone", 1, "no job gone"),
    ] {
        let (_, error) = pharmacy.fails(arguments, exit);
        assert!(error.contains(part), "{arguments}: {error}");
        let lines = error.lines().filter(|line| line.starts_with("rxseal: ")).count();
        assert!(lines == 1 || error.starts_with("error: "), "{arguments}: {error}");
    }
    assert!(!pharmacy.shop.path("gone.db").exists());
    pharmacy.ok("job plan seal-rx --op backfill");
    assert!(pharmacy.fails("job plan seal-rx --op backfill", 1).1.contains("another name"));
    assert!(pharmacy.fails("job run seal-rx --approval a=1", 2).1.contains("opens none"));
    // Nothing is stored by a plan that only shows.
    pharmacy.ok("job plan other --op backfill --dry-run");
    assert!(pharmacy.fails("job status other", 1).1.contains("no job other"));
}

//! Runs of tools: who, what came of it, and the digest of what was written.

use rxseal_watch::{ToolRun, Watch};
use serde_json::json;

use crate::support::Place;

#[test]
fn a_run_is_on_the_disk_when_it_was_told() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let scan = ToolRun::scan("user:lee", "sources", "found").unwrap().map([0xAB; 32]).number("found", 2).wrote([1; 32]);
    watch.ran(&scan).unwrap();
    let event = place.events().pop().unwrap();
    assert_eq!((&event["e"], &event["who"], &event["what"]), (&"scan".into(), &"user:lee".into(), &"sources".into()));
    assert_eq!((&event["num"], &event["out"]), (&json!({ "found": 2 }), &"found".into()));
    assert_eq!((&event["map"], &event["sha256"]), (&"ab".repeat(32).into(), &"01".repeat(32).into()));
    watch.ran(&ToolRun::drill("user:lee", "restore", "passed").unwrap().keyspace("pharmacy-17")).unwrap();
    watch.ran(&ToolRun::evidence("user:lee", "make", "complete").unwrap()).unwrap();
    let kinds: Vec<_> = place.events().iter().map(|event| event["e"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["start", "scan", "drill", "evidence"]);
    watch.stop().unwrap();
    assert!(watch.ran(&scan).unwrap_err().is_audit_unavailable());
    drop(watch);
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

#[test]
fn a_run_has_words_and_a_bounded_line() {
    for (who, what, out) in [
        ("lee", "sources", "clean"),
        ("user:lee", "", "clean"),
        ("user:lee", "sources", "Clean"),
        ("user:lee", "sources", "patient pat-77"),
        ("user:lee", &"x".repeat(65), "clean"),
    ] {
        for made in [ToolRun::scan(who, what, out), ToolRun::drill(who, what, out), ToolRun::evidence(who, what, out)] {
            assert_eq!(made.unwrap_err().code(), "invalid-settings", "{who} {what} {out}");
        }
    }
    let place = Place::new();
    let watch: Watch = place.watch().start().unwrap();
    let long = ToolRun::scan("user:lee", "sources", "clean").unwrap().keyspace(&"é".repeat(100_000));
    watch.ran(&(0..100_000).fold(long, |run, number| run.number("n", number))).unwrap();
    assert!(place.lines().pop().unwrap().len() < 2000);
    drop(watch);
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

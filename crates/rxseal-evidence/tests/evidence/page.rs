//! The page says the same as the JSON, and nothing that nobody knows.

use std::fs;

use rxseal_evidence::Topic;
use rxseal_tests_pages::check;
use serde_json::Value;

use crate::support::World;

fn written(world: &World) -> (String, Value) {
    world.write();
    let read = |name: &str| fs::read_to_string(world.pack_folder().join(name)).unwrap();
    (read("evidence.html"), serde_json::from_str(&read("evidence.json")).unwrap())
}

#[test]
fn complete_evidence_says_what_was_found() {
    let mut world = World::new();
    world.stated.push((Topic::DataAt, "AWS account 111122223333, us-east-1"));
    let (page, json) = written(&world);
    check("evidence-ordinary", &page);
    assert!(page.contains("No plaintext was found in 2,000 rows"), "{page}");
    assert!(page.contains("NIST-approved algorithms") && page.contains("AWS account 111122223333"));
    assert_eq!((&json["verdict"], &json["form"]), (&"complete".into(), &"rxseal/v1/evidence".into()));
    let root = &json["keyrings"][0]["root_keys"][0];
    assert_eq!((&root["region"], &root["account"]), (&"us-east-1".into(), &"111122223333".into()));
    assert_eq!((&root["apart"]["answer"], &root["apart"]["basis"]), (&"yes".into(), &"observed".into()));
    assert_eq!((&json["observed"]["basis"], &json["observed"]["by"]), (&"stated".into(), &"user:sam.security".into()));
    let field = &json["map"]["sources"][0]["sealed"][0];
    assert_eq!(
        (&field["field"], &field["class"], &field["block"]),
        (&"phi.patient.name".into(), &"identity".into(), &32.into())
    );
    assert_eq!(json["keyrings"][0]["keys"][0]["algorithm"].as_str().map(|name| name.contains("256")), Some(true));
    let log = &json["logs"][0];
    assert_eq!((&log["verdict"], &log["drills"][0]["what"]), (&"whole".into(), &"restore".into()));
    assert!(log["checkpoint"]["lines"].as_u64().is_some_and(|lines| lines > 3), "{log}");
    assert!(log["programs"][0]["budgets"].as_str().is_some_and(|digest| digest.len() == 16), "{log}");
}

#[test]
fn red_lines_come_first_and_every_question_is_there() {
    let mut world = World::new();
    world.find("plaintext", "certain");
    world.scan.as_mut().unwrap()["reports"][0]["name"] = "<script>alert(1)</script>".into();
    world.stated.clear();
    let (page, json) = written(&world);
    check("evidence-red", &page);
    let remarks = json["remarks"].as_array().unwrap();
    for remark in remarks {
        let text = remark["text"].as_str().unwrap().replace('\'', "&#39;");
        assert!(page.contains(&text), "{text}");
    }
    assert!(page.find("lie readable").unwrap() < page.find("What is not known").unwrap());
}

#[test]
fn an_empty_pack_has_sentences_and_promises_nothing() {
    let mut world = World::new();
    world.scan = None;
    world.has_log = false;
    let (page, _) = written(&world);
    check("evidence-nothing", &page);
    for sentence in ["Nobody scanned.", "No log was given", "No log has a drill.", "is unknown"] {
        assert!(page.contains(sentence), "{sentence}");
    }
    for (page, _) in [(page, ()), (written(&World::new()).0, ())] {
        let page = page.to_lowercase();
        for word in ["compliant", "compliance", "no breach", "safe harbor"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}

//! The life of a job: planned, run, looked at, and run again.

use serde_json::{Value, json};

use super::Pharmacy;

#[test]
fn a_table_is_sealed_and_moved() {
    let pharmacy = Pharmacy::new("job-life", 500);
    assert_eq!(pharmacy.run("job status").stdout, b"");
    let plan = pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 100");
    for part in ["seals the plaintext of", "500", "planned seal-rx: 500 rows in 5 chunks", "rxseal job run seal-rx"] {
        assert!(plan.contains(part), "{part:?} is not in {plan}");
    }
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'"), 0, "a plan changes nothing");
    let status = pharmacy.json("job status seal-rx");
    assert_eq!(
        (&status["state"], &status["rows_total"], &status["chunks_done"]),
        (&json!("running"), &json!(500), &json!(0))
    );

    let done = pharmacy.json("job run seal-rx");
    let counts = &done["status"]["counts"];
    assert_eq!((&counts["rows"], &counts["written"], &counts["sealed"]), (&json!(500), &json!(500), &json!(1400)));
    assert_eq!((&done["status"]["state"], &done["ended"]["plaintext"]), (&json!("done"), &json!(0)));
    assert_eq!(
        (&done["ended"]["under_target"], &done["ended"]["nulls"], &done["ended"]["left"]),
        (&json!(1400), &json!(100), &json!([]))
    );
    pharmacy.assert_opens(|_| None);
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE refills <> 0"), 0);

    // A job that is done is done, and so is another one.
    let before = pharmacy.text("SELECT group_concat(drug) FROM rx");
    assert!(pharmacy.ok("job run seal-rx").contains("seal-rx: done"));
    let again = pharmacy.whole("seal-again", "backfill");
    assert_eq!(
        (&again["status"]["counts"]["written"], &again["status"]["counts"]["skipped"]),
        (&json!(0), &json!(500))
    );
    assert_eq!(pharmacy.text("SELECT group_concat(drug) FROM rx"), before);
    assert_eq!(pharmacy.run("job faults seal-rx").stdout, b"");
    assert!(pharmacy.run("job faults seal-rx").status.success());

    // To another key: afterwards no token is under the old one.
    let old = pharmacy.shop.keys().primary_key().to_string();
    pharmacy.ok("keyring rotate pharmacy-17");
    let moved = pharmacy.whole("reseal-rx", "reseal");
    assert_eq!((&moved["status"]["counts"]["written"], &moved["ended"]["under_others"]), (&json!(500), &json!([])));
    let counted = pharmacy.json("count --sqlite shop.db --table rx --column drug");
    assert!(counted["keys"].get(&old).is_none() && counted["total"] == 500, "{counted}");
    pharmacy.assert_opens(|_| None);

    let jobs = pharmacy.json("job status");
    let names: Vec<_> = jobs.as_array().unwrap().iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3);
    assert!(["seal-rx", "seal-again", "reseal-rx"].iter().all(|name| names.contains(name)));
    assert!(pharmacy.ok("job status").contains("reseal-rx"));
    assert!(pharmacy.ok("job status reseal-rx").contains("500 of 500"));
}

#[test]
fn a_job_is_paused_and_resumed() {
    let pharmacy = Pharmacy::new("job-pause", 50);
    pharmacy.ok("job plan --op backfill --chunk-rows 10");
    assert!(pharmacy.ok("job pause backfill-rx-1").contains("paused"));
    let (text, error) = pharmacy.fails("job run backfill-rx-1", 1);
    assert!(
        text.contains("paused") && error.contains("0 of 5 chunks") && error.contains("job resume"),
        "{text}{error}"
    );
    assert!(pharmacy.ok("job resume backfill-rx-1").contains("resumed"));
    pharmacy.ok("job run backfill-rx-1");
    // A job that is done is neither paused nor resumed.
    for command in ["pause", "resume"] {
        assert!(pharmacy.fails(&format!("job {command} backfill-rx-1"), 1).1.contains("job"));
    }
    // The name is the next one that is free.
    assert!(pharmacy.ok("job plan --op backfill").contains("planned backfill-rx-2"));
}

/// What programs read while it runs, and what they get at the end.
#[test]
fn programs_get_json_lines() {
    let pharmacy = Pharmacy::new("job-json", 300);
    let plan = pharmacy.json("job plan seal-rx --op backfill --chunk-rows 10");
    assert_eq!(
        (&plan["job"], &plan["operation"], &plan["status"]["chunks"]),
        (&json!("seal-rx"), &json!("backfill"), &json!(30))
    );
    assert!(plan["preflight"]["estimate"]["rows"].is_u64(), "{plan}");
    let output = pharmacy.run("--json job run seal-rx --rows-per-second 150");
    assert!(output.status.success());
    let (text, lines) = super::texts(&output);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.iter().any(|line| line["progress"]["chunks"] == 30 && line["progress"]["state"] == "running"),
        "{lines:?}"
    );
    assert!(serde_json::from_str::<Value>(&text).unwrap()["ended"]["left"] == json!([]));
}

//! Rows that a job leaves as they are: listed with key, field and reason, and never with a value.

use serde_json::{Value, json};

use super::Pharmacy;

/// The faults of a job, as (row, field, reason).
fn faults(pharmacy: &Pharmacy, job: &str) -> Vec<[String; 3]> {
    let (text, error) = pharmacy.fails(&format!("--json job faults {job}"), 1);
    assert!(error.contains("check-failed"), "{error}");
    let faults: Vec<Value> = serde_json::from_str(&text).unwrap();
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    faults.iter().map(|fault| [text(fault, "row_id"), text(fault, "field"), text(fault, "reason")]).collect()
}

#[test]
fn what_looks_like_a_token_is_reported_and_not_guessed() {
    let pharmacy = Pharmacy::new("job-looks", 100);
    let like = format!("rxsXAAAAAAAA{}", "canary".repeat(8));
    let token = pharmacy.shop.keys().record("prescription", 3).unwrap();
    let token = token.seal::<rxseal::phi::Drug>("canary drug 1").unwrap().to_string();
    let db = pharmacy.db();
    // A text of the form, a token of another row, one with a changed letter, one inside a text, and the row's own.
    let changed = format!("{}A", &token[..token.len() - 1]);
    for (row, value) in [(30, &like), (33, &token), (36, &changed), (39, &format!("canary {token}")), (3, &token)] {
        db.execute("UPDATE rx SET drug = ?2 WHERE rx_number = ?1", rusqlite::params![row, value]).unwrap();
    }
    pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 10");
    let (text, error) = pharmacy.fails("job run seal-rx", 1);
    assert!(text.contains("not done") && error.contains("4 faults"), "{text}{error}");
    let found = faults(&pharmacy, "seal-rx");
    let rows: Vec<_> = found.iter().map(|[row, ..]| row.as_str()).collect();
    assert_eq!(rows, [r#"["30"]"#, r#"["33"]"#, r#"["36"]"#, r#"["39"]"#]);
    assert!(found.iter().all(|[_, field, _]| field == "phi.rx.drug"), "{found:?}");
    let reasons: Vec<_> = found.iter().map(|[_, _, reason]| reason.as_str()).collect();
    assert_eq!(reasons, ["unknown-key", "open-failed", "open-failed", "looks-like-token"]);
    // Nothing of such a row was written.
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE patient_name LIKE 'canary%'"), 4);
    assert_eq!(pharmacy.text("SELECT drug FROM rx WHERE rx_number = 30"), like);
    assert!(pharmacy.fails("job faults seal-rx", 1).0.contains("looks-like-token"));

    // Mended, and once more.
    db.execute("UPDATE rx SET drug = 'canary drug ' || (rx_number / 3) WHERE rx_number IN (30, 33, 36, 39)", ())
        .unwrap();
    assert!(pharmacy.ok("job faults seal-rx --retry").contains("opened again"));
    let done = pharmacy.json("job run seal-rx");
    assert_eq!((&done["status"]["counts"]["written"], &done["status"]["counts"]["skipped"]), (&json!(4), &json!(96)));
    pharmacy.assert_opens(|_| None);
}

#[test]
fn forged_rows_are_listed_and_untouched() {
    let pharmacy = Pharmacy::new("job-forged", 60);
    pharmacy.whole("seal-rx", "backfill");
    let db = pharmacy.db();
    // Two rows exchange a token, one gets a token of another field, and one has plaintext again.
    db.execute_batch(
        "CREATE TEMP TABLE was AS SELECT rx_number, drug FROM rx;
         UPDATE rx SET drug = (SELECT drug FROM was WHERE was.rx_number = 9 - rx.rx_number) WHERE rx_number IN (3, 6);
         UPDATE rx SET drug = patient_name WHERE rx_number = 12; UPDATE rx SET drug = 'canary' WHERE rx_number = 15",
    )
    .unwrap();
    let forged = pharmacy.text("SELECT group_concat(drug) FROM rx WHERE rx_number IN (3, 6, 12, 15)");
    pharmacy.ok("keyring rotate pharmacy-17");
    pharmacy.ok("job plan reseal-rx --op reseal --chunk-rows 7");
    pharmacy.fails("job run reseal-rx", 1);
    let found = faults(&pharmacy, "reseal-rx");
    let rows: Vec<_> = found.iter().map(|[row, ..]| row.as_str()).collect();
    assert_eq!(rows, [r#"["3"]"#, r#"["6"]"#, r#"["12"]"#, r#"["15"]"#], "{found:?}");
    let reasons: Vec<_> = found.iter().map(|[_, _, reason]| reason.as_str()).collect();
    assert_eq!(reasons, ["open-failed", "open-failed", "open-failed", "not-a-token"]);
    assert_eq!(pharmacy.text("SELECT group_concat(drug) FROM rx WHERE rx_number IN (3, 6, 12, 15)"), forged);
}

#[test]
fn what_the_table_refuses_is_a_fault() {
    let pharmacy = Pharmacy::new("job-check", 20);
    let check = "CREATE TRIGGER guard BEFORE UPDATE ON rx WHEN new.rx_number = 6 BEGIN SELECT RAISE(ABORT, 'guarded'); END;
        CREATE TRIGGER plain AFTER UPDATE ON rx WHEN new.rx_number = 9 BEGIN UPDATE rx SET drug = old.drug WHERE rx_number = 9; END;";
    pharmacy.db().execute_batch(check).unwrap();
    let (text, error) = pharmacy.fails("job plan seal-rx --op backfill", 1);
    assert!(
        error.contains("--accept") && error.contains("trigger:guard") && error.contains("trigger:plain"),
        "{text}{error}"
    );
    let plan = pharmacy.fails("--json job plan seal-rx --op backfill", 1).0;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let concerns = plan["preflight"]["concerns"].as_array().unwrap();
    assert!(concerns.iter().any(|concern| concern["accept"] == "trigger:guard"), "{plan}");
    pharmacy.ok("job plan seal-rx --op backfill --accept trigger:guard --accept trigger:plain");
    pharmacy.fails("job run seal-rx", 1);
    let found = faults(&pharmacy, "seal-rx");
    let reasons: Vec<_> = found.iter().map(|[row, _, reason]| (row.as_str(), reason.as_str())).collect();
    assert_eq!(reasons, [(r#"["6"]"#, "refused-by-database"), (r#"["9"]"#, "rewritten")]);
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'canary%'"), 2);
}

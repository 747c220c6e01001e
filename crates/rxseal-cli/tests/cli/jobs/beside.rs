//! A program that writes while the job runs loses no write, and nor does the job.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rxseal::phi::Drug;
use serde_json::json;

use super::Pharmacy;

#[test]
fn a_writer_beside_the_job_loses_no_update() {
    let pharmacy = Pharmacy::new("job-beside", 3_000);
    pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 100");
    let (written, over) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (keys, db) = (pharmacy.shop.keys(), pharmacy.db());
            let mut number = 0_i64;
            while !over.load(Ordering::Relaxed) {
                number += 1;
                // Rows all over the table, some of them again and again; an update, a new row, and one that goes.
                let rx_number = number * 7_919 % 3_000 * 3 + 3;
                let drug = format!("canary change {number}");
                let token =
                    keys.record("prescription", rx_number).unwrap().seal::<Drug>(drug.as_str()).unwrap().to_string();
                let changed = db.execute(
                    "UPDATE rx SET drug = ?1, refills = refills + 1 WHERE rx_number = ?2",
                    rusqlite::params![token, rx_number],
                );
                assert_eq!(changed.unwrap(), 1);
                written.lock().unwrap().insert(rx_number, drug);
            }
        });
        let done = pharmacy.json("job run seal-rx");
        over.store(true, Ordering::Relaxed);
        done
    });
    let written = written.into_inner().unwrap();
    assert!(written.len() > 20, "the writer was kept from writing: {}", written.len());
    let counts = &done["status"]["counts"];
    assert_eq!((&counts["rows"], &counts["failed"], &done["ended"]["left"]), (&json!(3_000), &json!(0), &json!([])));
    pharmacy.assert_opens(|rx_number| written.get(&rx_number).cloned());
    let updates: i64 = pharmacy.count("SELECT sum(refills) FROM rx");
    assert!(updates >= i64::try_from(written.len()).unwrap());
}

/// Somebody writes plaintext behind the job: it stops with an alarm, and goes on when that was mended.
#[test]
fn plaintext_that_becomes_more_stops_the_job() {
    let pharmacy = Pharmacy::new("job-rise", 100);
    pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 10");
    // Where the job was already.
    let child = pharmacy.command("--json job run seal-rx --rows-per-second 50").spawn().unwrap();
    while pharmacy.count("SELECT count(*) FROM rxseal_chunk WHERE state = 'done'") < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let insert = "INSERT INTO rx SELECT -rx_number, 'canary', 'canary', NULL, 0 FROM rx WHERE rx_number <= 30";
    pharmacy.db().execute_batch(insert).unwrap();
    let output = child.wait_with_output().unwrap();
    super::assert_says_nothing("job run", &output);
    let (text, error) = super::texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("job-stopped") && text.contains("\"plaintext_rose\":true"), "{text}{error}");
    assert_eq!(pharmacy.json("job status seal-rx")["state"], "stopped");
    assert!(pharmacy.fails("job run seal-rx", 1).1.contains("more plaintext"));
    pharmacy.db().execute_batch("DELETE FROM rx WHERE rx_number < 0").unwrap();
    pharmacy.ok("job resume seal-rx");
    pharmacy.ok("job run seal-rx");
    assert_eq!(pharmacy.json("job status seal-rx")["state"], "done");
}

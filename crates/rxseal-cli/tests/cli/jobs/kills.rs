//! The command is killed while it works, and interrupted: no row is lost, and none is sealed twice.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Pharmacy, texts};

/// How many kills: 200 in a full run.
fn kills() -> u32 {
    if std::env::var_os("RXSEAL_FULL").is_some() { 200 } else { 20 }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Each at another moment: in the first chunk, between two, in the commit.
#[test]
fn a_killed_job_goes_on_where_it_was() {
    let (kills, per_job) = (kills(), 10);
    for job in 0..kills / per_job {
        let pharmacy = Pharmacy::new(&format!("job-kill-{job}"), 2_000);
        pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 50");
        let mut sealed: Vec<(i64, String)> = Vec::new();
        let mut cut_short = 0;
        for kill in 0..per_job {
            let mut child = pharmacy.command("job run seal-rx").spawn().unwrap();
            let done = pharmacy.count("SELECT count(*) FROM rxseal_chunk WHERE state = 'done'");
            // Until it works, and then a little longer each time.
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                if pharmacy.count("SELECT count(*) FROM rxseal_chunk WHERE state = 'done'") > done {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(u64::from(kill * 1_700 + job * 631)));
            if child.try_wait().unwrap().is_none() {
                signal(&child, "-KILL");
                cut_short += 1;
            }
            child.wait().unwrap();
            // A chunk is done or not begun, and what was sealed once stays as it is.
            let chunks = pharmacy.count("SELECT coalesce(sum(rows), 0) FROM rxseal_chunk WHERE state = 'done'");
            let rows = pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%' AND patient_name LIKE 'rxs%'");
            assert_eq!(rows, chunks, "kill {kill}");
            assert_eq!(
                pharmacy.count("SELECT count(*) FROM rx WHERE (drug LIKE 'rxs%') <> (patient_name LIKE 'rxs%')"),
                0
            );
            let now = rows_of(&pharmacy);
            assert!(sealed.iter().all(|row| now.binary_search(row).is_ok()), "kill {kill}: a row was sealed twice");
            sealed = now;
        }
        assert!(cut_short >= per_job / 2, "{cut_short} of {per_job} kills were in time");
        let done = pharmacy.json("job run seal-rx");
        let counts = &done["status"]["counts"];
        assert_eq!((&counts["rows"], &counts["written"], &counts["failed"]), (&json!(2_000), &json!(2_000), &json!(0)));
        assert!(sealed.iter().all(|row| rows_of(&pharmacy).binary_search(row).is_ok()));
        pharmacy.assert_opens(|_| None);
    }
}

/// The rows that are sealed.
fn rows_of(pharmacy: &Pharmacy) -> Vec<(i64, String)> {
    let db = pharmacy.db();
    let mut statement = db.prepare("SELECT rx_number, drug FROM rx WHERE drug LIKE 'rxs%' ORDER BY 1, 2").unwrap();
    statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn an_interrupted_job_ends_after_its_chunk() {
    let pharmacy = Pharmacy::new("job-interrupt", 400);
    pharmacy.ok("job plan seal-rx --op backfill --chunk-rows 10");
    for (name, rate) in [("-INT", 100), ("-TERM", 120)] {
        let child = pharmacy.command(&format!("job run seal-rx --rows-per-second {rate}")).spawn().unwrap();
        let before = pharmacy.count("SELECT count(*) FROM rxseal_chunk WHERE state = 'done'");
        let until = Instant::now() + Duration::from_secs(60);
        while pharmacy.count("SELECT count(*) FROM rxseal_chunk WHERE state = 'done'") < before + 2 {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(5));
        }
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let (text, error) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{text}{error}");
        assert!(error.contains("stopped with") && error.contains("rxseal job run seal-rx"), "{error}");
        assert_eq!(
            pharmacy.count("SELECT sum(rows) FROM rxseal_chunk WHERE state = 'done'"),
            pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'")
        );
    }
    pharmacy.ok("job run seal-rx");
    pharmacy.assert_opens(|_| None);
}

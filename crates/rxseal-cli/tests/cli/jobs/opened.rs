//! What a job opens: who, why and how much was approved is asked, counted and told in a log that nobody edits unnoticed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::Pharmacy;

/// The log of a pharmacy's jobs, its checkpoints elsewhere, and the key that verifies them.
pub struct Log<'p> {
    pharmacy: &'p Pharmacy,
    verifier: String,
}

impl<'p> Log<'p> {
    pub fn new(pharmacy: &'p Pharmacy) -> Self {
        let verifier = pharmacy.ok("audit keygen --name ph17-a.example --out audit.key").trim().to_owned();
        for folder in ["log", "elsewhere"] {
            fs::create_dir(pharmacy.shop.path(folder)).unwrap();
        }
        Self { pharmacy, verifier }
    }

    pub fn options(&self) -> &'static str {
        "--audit-log log --audit-key audit.key --audit-checkpoints elsewhere"
    }

    /// Every run of the command left a whole chain.
    #[track_caller]
    pub fn is_whole(&self, chains: u64) {
        let verify = format!("audit verify log --key {} --checkpoints elsewhere", self.verifier);
        let report = self.pharmacy.json(&verify);
        assert_eq!((&report["verdict"], &report["chains"]), (&json!("whole"), &json!(chains)), "{report}");
    }

    /// The openings, as the log has them.
    fn openings(&self) -> Vec<Value> {
        let events = self.pharmacy.ok("--json audit show log");
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["e"] == "open").collect()
    }
}

fn sealed(name: &str, rows: u32) -> Pharmacy {
    let pharmacy = Pharmacy::new(name, rows);
    pharmacy.whole("seal-rx", "backfill");
    pharmacy.ok("job plan open-rx --op unseal --chunk-rows 100");
    pharmacy
}

#[test]
fn an_unseal_asks_who_and_why_and_how_much() {
    let pharmacy = sealed("job-asks", 500);
    let by = "--who user:kim --why HSYSADMIN";
    for (options, part) in [
        (String::new(), "--who and --why"),
        (by.into(), "--approval"),
        (format!("{by} --approval CHG-1=9999"), "--yes"),
        (format!("{by} --approval 9999 --yes"), "NAME=VALUES"),
        (format!("{by} --approval CHG-1=9999 --yes"), "--audit-log"),
        (format!("{by} --approval CHG-1=9999 --yes --audit-log log"), "--audit-key"),
    ] {
        let (_, error) = pharmacy.fails(&format!("job run open-rx {options}"), 2);
        assert!(error.contains(part), "{options}: {error}");
    }
    let log = Log::new(&pharmacy);
    let run = format!("job run open-rx {by} --yes --approval CHG-1=9999");
    for (options, code) in [
        ("--audit-log nowhere --audit-key audit.key", "log-failed"),
        ("--audit-log log --audit-key root.key", "invalid-key"),
    ] {
        let (_, error) = pharmacy.fails(&format!("--json {run} {options}"), 1);
        assert!(error.contains(code), "{options}: {error}");
    }
    let key = pharmacy.shop.path("audit.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(pharmacy.fails(&format!("{run} {}", log.options()), 2).1.contains("audit.key"));
    // Nothing of all that was stored, and nothing was opened.
    assert_eq!(pharmacy.json("job status open-rx")["approvals"], json!([]));
    assert!(log.openings().is_empty());
}

#[test]
fn what_was_approved_is_counted_over_all_runs_and_told() {
    let pharmacy = sealed("job-opened", 500);
    let log = Log::new(&pharmacy);
    let run = format!("job run open-rx --who user:kim --why HSYSADMIN --yes {}", log.options());
    let sealed = || pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'");
    let (_, error) = pharmacy.fails(&format!("{run} --approval CHG-1=600"), 1);
    assert!(error.contains("CHG-1 is used up: 40 values are left"), "{error}");
    assert_eq!(sealed(), 300, "two chunks of 280 values were approved");
    // Another run goes on with what is left, and gets no more by asking.
    assert!(pharmacy.fails(&run, 1).1.contains("40 values are left"));
    assert!(pharmacy.fails(&format!("{run} --approval CHG-1=600"), 1).1.contains("40 values are left"));
    assert!(pharmacy.fails(&format!("{run} --approval CHG-1=1400"), 1).1.contains("another approval"));
    assert_eq!(sealed(), 300);
    let status = pharmacy.ok("job status open-rx");
    assert!(status.contains("approval CHG-1") && status.contains("560 of 600 values opened"), "{status}");

    let opened = pharmacy.json(&format!("{run} --approval CHG-2=840"));
    assert_eq!((&opened["status"]["counts"]["unsealed"], &opened["ended"]["left"]), (&json!(1400), &json!([])));
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE drug = 'canary drug ' || (rx_number / 3)"), 500);
    let approvals = opened["status"]["approvals"].as_array().unwrap();
    let counted: Vec<_> = approvals.iter().map(|one| (&one["name"], &one["values"], &one["opened"])).collect();
    assert_eq!(counted, [(&json!("CHG-1"), &json!(600), &json!(560)), (&json!("CHG-2"), &json!(840), &json!(840))]);

    // One chain for each of the five runs. What was opened is as much as was counted, and each event says by which approval.
    log.is_whole(5);
    let openings = log.openings();
    let values = |name: &str| -> u64 {
        let under = openings
            .iter()
            .filter(|event| event["req"] == name && event["who"] == "user:kim" && event["pou"] == "HSYSADMIN");
        under.flat_map(|event| event["cls"].as_object().unwrap().values()).map(|count| count.as_u64().unwrap()).sum()
    };
    assert_eq!((values("CHG-1"), values("CHG-2")), (560, 840));
    assert_eq!(openings.iter().map(|event| event["rec"].as_array().unwrap().len()).sum::<usize>(), 500);
    let events = pharmacy.ok("--json audit show log");
    assert!(events.contains("rxseal job run open-rx") && events.contains("\"e\":\"unlock\""), "{events}");
}

#[test]
fn a_frozen_actor_runs_no_job() {
    let pharmacy = sealed("job-frozen", 1100);
    let log = Log::new(&pharmacy);
    pharmacy.ok("budget freeze user:kim --list frozen");
    // As the machine is set up, so that nobody has to remember it.
    let settings =
        "audit_log = \"log\"\naudit_key = \"audit.key\"\naudit_checkpoints = \"elsewhere\"\nfrozen = \"frozen\"\n";
    fs::write(pharmacy.shop.path("rxseal.toml"), settings).unwrap();
    let run = |who: &str| {
        format!("job run open-rx --config rxseal.toml --who {who} --why HSYSADMIN --yes --approval CHG-1=3080")
    };
    let (_, error) = pharmacy.fails(&run("user:kim"), 1);
    assert!(error.contains("frozen"), "{error}");
    assert_eq!(pharmacy.count("SELECT count(*) FROM rx WHERE drug LIKE 'rxs%'"), 1100);
    assert!(log.openings().iter().all(|event| event["out"] == "frozen"));
    pharmacy.ok(&run("user:lee"));
    log.is_whole(2);
    // More patients than a service may open stand out, and are opened all the same.
    let budgets: Vec<_> = log.openings().iter().map(|event| event["bud"].clone()).collect();
    assert_eq!((&budgets[1], budgets.last().unwrap()), (&Value::Null, &json!("over")), "{budgets:?}");
}

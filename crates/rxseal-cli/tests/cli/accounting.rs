//! The accounting of disclosures of a patient: what is in it, what is not, and in which order.

use serde_json::{Value, json};

use crate::shop::Shop;
use crate::written::{now, write_chain};

/// An opening in a log that a test writes: a disclosure of the data of P-1, unless it says something else.
#[derive(Clone, Copy)]
struct Opening {
    /// How many minutes ago.
    ago: u64,
    kind: &'static str,
    purpose: &'static str,
    /// Name, address and basis; nobody if it was no disclosure.
    to: Option<[&'static str; 3]>,
    /// JSON of the records, and of the classes.
    records: &'static str,
    classes: &'static str,
    rest: &'static str,
}

const PMP: [&str; 3] = ["State PMP", "1 Main St", "state law, 164.512(a)"];
const BOARD: [&str; 3] = ["Board of Pharmacy", "2 Oak St", "oversight, 164.512(d)"];
const PLAIN: Opening = Opening {
    ago: 60,
    kind: "open",
    purpose: "PUBHLTH",
    to: Some(PMP),
    records: r#"[["RX-1","P-1"]]"#,
    classes: r#"{"medication":1}"#,
    rest: r#","out":"ok""#,
};

impl Opening {
    fn line(&self, now: u64) -> (u64, String) {
        let Self { ago, kind, purpose, to, records, classes, rest } = self;
        let to = to.map(|[name, address, basis]| json!({ "name": name, "address": address, "basis": basis }));
        let to = to.map(|to| format!(r#","to":{to}"#)).unwrap_or_default();
        // The other lines of a page do not say what was opened.
        let classes = if classes.is_empty() { String::new() } else { format!(r#","cls":{classes}"#) };
        let text = format!(
            r#""e":"{kind}","ks":"pharmacy-17","who":"svc:reports","pou":"{purpose}"{to},"rt":"prescription","rec":{records}{classes}{rest}"#
        );
        (now - ago * 60_000, text)
    }
}

/// What is listed of a recipient: name and purpose, how often, how many minutes ago for the first and the last time, of which classes, and why it need
/// not be counted.
type Listed = (&'static str, &'static str, u64, (u64, u64), &'static [&'static str], Option<&'static str>);

const ONE: Listed = ("State PMP", "PUBHLTH", 1, (60, 60), &["medication"], None);
const DAY: u64 = 24 * 60;

/// What happened, in the chains of one log, and the accounting of P-1.
#[expect(clippy::too_many_lines, reason = "a table")]
fn scenarios() -> Vec<(&'static str, Vec<Vec<Opening>>, Vec<Listed>)> {
    let at = |ago| Opening { ago, ..PLAIN };
    let purpose = |purpose| Opening { purpose, ..PLAIN };
    let outcome = |rest| Opening { rest, ..PLAIN };
    let records = |records| Opening { records, ..PLAIN };
    let exempt = |code, why| ("State PMP", code, 1, (60, 60), ONE.4, Some(why));
    let one = |opening| vec![vec![opening]];
    vec![
        ("nothing was disclosed", one(Opening { to: None, ..PLAIN }), vec![]),
        ("one disclosure", one(PLAIN), vec![ONE]),
        (
            "repeated to one recipient: first, count and last (164.528(b)(3))",
            vec![vec![at(900), at(600), at(30)]],
            vec![("State PMP", "PUBHLTH", 3, (900, 30), ONE.4, None)],
        ),
        (
            "one recipient, two purposes",
            vec![vec![at(70), Opening { purpose: "HRESCH", ..PLAIN }]],
            vec![("State PMP", "PUBHLTH", 1, (70, 70), ONE.4, None), ("State PMP", "HRESCH", 1, (60, 60), ONE.4, None)],
        ),
        (
            "one name at two addresses, and on two grounds, is three entries",
            vec![vec![
                at(70),
                Opening { to: Some([PMP[0], "9 Elm St", PMP[2]]), ..at(65) },
                Opening { to: Some([PMP[0], PMP[1], "court order"]), ..PLAIN },
            ]],
            vec![
                ("State PMP", "PUBHLTH", 1, (70, 70), ONE.4, None),
                ("State PMP", "PUBHLTH", 1, (65, 65), ONE.4, None),
                ONE,
            ],
        ),
        (
            "in the order of their first times, whatever they are called",
            vec![vec![
                Opening { to: Some(["Zoo"; 3]), ..at(90) },
                Opening { to: Some(["Attorney"; 3]), ..at(80) },
                at(70),
                at(60),
            ]],
            vec![
                ("Zoo", "PUBHLTH", 1, (90, 90), ONE.4, None),
                ("Attorney", "PUBHLTH", 1, (80, 80), ONE.4, None),
                ("State PMP", "PUBHLTH", 2, (70, 60), ONE.4, None),
            ],
        ),
        ("of another patient", one(records(r#"[["RX-1","P-2"],["RX-2","P-11"],["RX-3",null]]"#)), vec![]),
        (
            "three records of the patient in one page are one disclosure",
            one(records(r#"[["RX-1","P-1"],["RX-2","P-2"],["RX-3","P-1"],["RX-4","P-1"]]"#)),
            vec![ONE],
        ),
        (
            "a record without a patient counts by its own id, and one of another patient does not",
            vec![vec![records(r#"[["P-1",null]]"#), Opening { to: Some(BOARD), ..records(r#"[["P-1","P-2"]]"#) }]],
            vec![ONE],
        ),
        (
            "a page of several lines is one disclosure, with the classes of its first line",
            vec![vec![
                Opening {
                    classes: r#"{"identity":9,"medication":9}"#,
                    ..records(r#"[["RX-1","P-1"],["RX-2","P-2"]]"#)
                },
                Opening { classes: "", rest: r#","of":0"#, ..records(r#"[["RX-3","P-1"]]"#) },
                Opening { classes: "", rest: r#","of":0"#, ..records(r#"[["RX-4","P-1"]]"#) },
            ]],
            vec![("State PMP", "PUBHLTH", 1, (60, 60), &["identity", "medication"], None)],
        ),
        (
            "a patient in the last line of a page alone, which was refused, and in one whose first line is gone",
            vec![vec![
                Opening { rest: r#","out":"over_budget""#, ..records(r#"[["RX-1","P-2"],["RX-2","P-2"]]"#) },
                Opening { classes: "", rest: r#","of":0"#, ..PLAIN },
                Opening { classes: "", rest: r#","of":77"#, to: Some(BOARD), ..PLAIN },
            ]],
            // Nobody knows how the second ended: it may have been seen.
            vec![("Board of Pharmacy", "PUBHLTH", 1, (60, 60), &[], None)],
        ),
        (
            "what was refused or failed was not disclosed",
            vec![
                ["failed", "class_denied", "over_budget", "frozen", "refused", "shredded"]
                    .map(|out| match out {
                        "failed" => outcome(r#","out":"failed","err":1"#),
                        "class_denied" => outcome(r#","out":"class_denied""#),
                        "over_budget" => outcome(r#","out":"over_budget","bud":"over""#),
                        "frozen" => outcome(r#","out":"frozen""#),
                        "refused" => outcome(r#","out":"refused""#),
                        _ => outcome(r#","out":"shredded""#),
                    })
                    .to_vec(),
            ],
            vec![],
        ),
        (
            "what was opened in part, or before the program panicked, may have been seen",
            vec![vec![
                outcome(r#","out":"partial","err":1"#),
                Opening { to: Some(BOARD), ..outcome(r#","out":"panic""#) },
            ]],
            vec![ONE, ("Board of Pharmacy", "PUBHLTH", 1, (60, 60), ONE.4, None)],
        ),
        (
            "older than six years is not asked for",
            vec![vec![at(6 * 365 * DAY + 3 * DAY)], vec![at(5 * 365 * DAY)]],
            vec![("State PMP", "PUBHLTH", 1, (5 * 365 * DAY, 5 * 365 * DAY), ONE.4, None)],
        ),
        (
            "two programs at one time: first and last of both",
            vec![vec![at(500), at(100)], vec![at(400), at(20)]],
            vec![("State PMP", "PUBHLTH", 4, (500, 20), ONE.4, None)],
        ),
        (
            "the classes of all of them",
            vec![vec![Opening { classes: r#"{"identity":1}"#, ..at(70) }, PLAIN]],
            vec![("State PMP", "PUBHLTH", 2, (70, 60), &["identity", "medication"], None)],
        ),
        (
            "a search discloses its hits",
            vec![vec![
                Opening { rest: r#","find":{"idx":["name"],"cand":9},"out":"ok""#, ..PLAIN },
                Opening { to: Some(BOARD), rest: r#","find":{"idx":["name"],"cand":9},"out":"ok""#, ..records("[]") },
            ]],
            vec![ONE],
        ),
        ("index values that are computed anew are seen by nobody", one(Opening { kind: "index", ..PLAIN }), vec![]),
        (
            "treatment, payment, operations and the patient need not be counted (164.528(a)(1)) and come last",
            vec![vec![purpose("TREAT"), purpose("HPAYMT"), purpose("HOPERAT"), purpose("PATRQT"), at(10)]],
            vec![
                ("State PMP", "PUBHLTH", 1, (10, 10), ONE.4, None),
                exempt("TREAT", "treatment"),
                exempt("HPAYMT", "payment"),
                exempt("HOPERAT", "operations"),
                exempt("PATRQT", "to the patient"),
            ],
        ),
        (
            "courts, fraud and the military are operations to HL7 and not to HIPAA, and an authorization is none",
            vec![vec![
                purpose("HLEGAL"),
                purpose("FRAUD"),
                purpose("MILDCRG"),
                Opening { to: Some([PMP[0], PMP[1], "signed AUTHORIZATION of May"]), ..PLAIN },
            ]],
            vec![
                ("State PMP", "HLEGAL", 1, (60, 60), ONE.4, None),
                ("State PMP", "FRAUD", 1, (60, 60), ONE.4, None),
                ("State PMP", "MILDCRG", 1, (60, 60), ONE.4, None),
                exempt("PUBHLTH", "authorization"),
            ],
        ),
    ]
}

/// A patient's accounting is exactly what was disclosed, in 20 scenarios.
#[test]
fn an_accounting_is_the_expected_list() {
    let shop = Shop::new("accounting", "file:HERE/rings");
    let (now, scenarios) = (now(), scenarios());
    assert_eq!(scenarios.len(), 20);
    for (at, (name, chains, expected)) in scenarios.iter().enumerate() {
        let log = format!("log-{at}");
        for (chain, openings) in (0..).zip(chains) {
            let lines: Vec<_> = openings.iter().map(|opening| opening.line(now)).collect();
            write_chain(&shop.path(&log), chain, &lines);
        }
        let listed = shop.json(&format!("audit disclosures {log} --subject P-1"));
        let time = |minutes: &u64| now - minutes * 60_000;
        let expected = expected.iter().map(|(to, purpose, count, (first, last), classes, exempt)| {
            json!([to, purpose, count, time(first), time(last), classes, exempt])
        });
        let listed = listed["disclosures"].as_array().unwrap().iter().map(|entry| {
            json!([
                entry["recipient"]["name"],
                entry["purpose"],
                entry["count"],
                entry["first"],
                entry["last"],
                entry["classes"],
                entry["exempt"]
            ])
        });
        assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name}");
        let rows = shop.ok(&format!("audit disclosures {log} --subject P-1 --format csv")).lines().count();
        assert_eq!(rows, scenarios[at].2.len() + 1, "{name}");
    }
}

/// A clock of milliseconds does not tell which of two was first, and the log does.
#[test]
fn disclosures_of_one_millisecond_are_in_the_order_of_the_log() {
    let shop = Shop::new("accounting-order", "file:HERE/rings");
    let t = now();
    let line = |(name, later): (&'static str, u64)| {
        (t + later, Opening { to: Some([name, "1 Main St", "law"]), ..PLAIN }.line(t).1)
    };
    let first = [("Walnut", 0), ("Maple", 0), ("Zelkova", 0), ("Ash", 1), ("Walnut", 2)].map(line);
    write_chain(&shop.path("log"), 1, &first);
    // Another program's, at the same time: its chain began later.
    write_chain(&shop.path("log"), 2, &[("Birch", 1), ("Alder", 1)].map(line));
    let listed = shop.json("audit disclosures log --subject P-1");
    let names: Vec<_> =
        listed["disclosures"].as_array().unwrap().iter().map(|entry| &entry["recipient"]["name"]).collect();
    assert_eq!(names, ["Walnut", "Maple", "Zelkova", "Ash", "Birch", "Alder"]);
}

/// A patient must not get the accounting of somebody else.
#[test]
fn patients_of_two_keyspaces_with_one_id_are_told_apart() {
    let shop = Shop::new("accounting-keyspaces", "file:HERE/rings");
    let t = now();
    let other = Opening { to: Some(BOARD), ..PLAIN }.line(t);
    let other = (other.0, other.1.replace("pharmacy-17", "pharmacy-18"));
    write_chain(&shop.path("log"), 1, &[PLAIN.line(t), other]);
    let text = shop.fails("audit disclosures log --subject P-1", 2);
    assert!(text.contains("pharmacy-17, pharmacy-18") && text.contains("--keyspace"), "{text}");
    let listed = shop.json("audit disclosures log --subject P-1 --keyspace pharmacy-18");
    let listed = listed["disclosures"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["recipient"]["name"]), (1, &"Board of Pharmacy".into()));
}

#[test]
fn reviews_of_one_millisecond_are_in_the_order_of_the_log() {
    let shop = Shop::new("review-order", "file:HERE/rings");
    let glass = |who: &str| {
        let text = format!(
            r#""e":"open","ks":"ph","who":"{who}","pou":"ETREAT","btg":"patient unconscious","rt":"rx","rec":[["RX-1",null]],"out":"ok""#
        );
        (7000, text)
    };
    let act = |id: &str| {
        let text = format!(
            r#""e":"act","act":"{id}","who":"user:ops","what":"keyring-rotate","why":"ticket 4711","ks":"ph","out":"begun""#
        );
        (7000, text)
    };
    write_chain(&shop.path("log"), 1, &[act("1"), glass("user:zoe"), act("2"), glass("user:abe")]);
    let output = shop.run("--json audit review log");
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let events: Vec<_> =
        listed.iter().map(|open| open["event"].as_str().unwrap().rsplit(':').next().unwrap()).collect();
    assert_eq!(events, ["0", "1", "2", "3"]);
}

//! What is read out of the tables: patients, changes, files.

use std::fs;

use rxseal::phi::Drug;
use rxseal_watch::LoggedEvent;
use rxseal_watch::verify::{Verdict, Verifier};

use super::Tables;
use crate::conformance::AnyLog;
use crate::support::{access, is_full, keyring, open_records};
use crate::tampering::{Draw, changed, write_two_runs};

fn logged() -> Tables {
    let tables = Tables::new();
    write_two_runs(&tables);
    tables
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_patient_is_found_by_the_index() {
    let tables = Tables::new();
    let watch = tables.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), (0..40).map(|n| n % 8));
    drop((keys, watch));
    for patient in ["3", "7"] {
        let mut found = Vec::new();
        tables.read().lines_of(patient, |line| found.push(line.text().to_owned())).unwrap();
        let expected: Vec<_> =
            tables.lines().into_iter().filter(|line| line.contains(&format!("[[\"{patient}\""))).collect();
        assert_eq!((found.len(), &found), (5, &expected), "{patient}");
    }
    for nobody in ["", "8", "a\0b", "'", "{}", "3 "] {
        tables.read().lines_of(nobody, |line| panic!("{nobody:?}: {}", line.text())).unwrap();
    }
}

/// More lines than one answer of the server has.
#[test]
#[ignore = "needs .ci/servers"]
fn pages_of_lines_are_put_together() {
    let tables = Tables::new();
    let watch = tables.watch().budgets(rxseal_watch::Budgets::observe_only()).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), std::iter::repeat_n(5, 2600));
    drop((keys, watch));
    let mut numbers = Vec::new();
    tables.read().lines_of("5", |line| numbers.push(line.number())).unwrap();
    assert_eq!((numbers.len(), numbers.is_sorted_by(|a, b| a < b)), (2600, true));
    assert_eq!(tables.lines().len(), 2604);
    assert!(tables.codes().is_empty());
}

/// A large page has several lines. Each of its records has what the first line alone says, also for who asks for one patient.
#[test]
#[ignore = "needs .ci/servers"]
fn events_of_a_patient_are_whole() {
    let tables = Tables::new();
    let watch = tables.watch().budgets(rxseal_watch::Budgets::observe_only()).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1099, 7]);
    let page: Vec<_> = (0..1100).map(|n| keys.record("prescription", n).unwrap()).collect();
    let tokens: Vec<_> = page.iter().map(|record| record.seal::<Drug>("warfarin 5 MG").unwrap()).collect();
    for _ in 0..2 {
        rxseal::page::open_page(&page, &access(), |at, pass| pass.open::<Drug, String>(&tokens[at]).map(drop)).unwrap();
    }
    drop((page, keys, watch));
    let mut all = Vec::new();
    tables.read().read_events(|event| all.push(event)).unwrap();
    assert_eq!(all.len(), tables.lines().len());
    for (patient, of) in [("7", None), ("1099", Some(()))] {
        let mut found = Vec::new();
        tables.read().events_of(patient, |event| found.push(event)).unwrap();
        let expected = all.iter().filter(|event| event.patients().any(|other| other == patient)).map(LoggedEvent::json);
        assert!(found.iter().map(LoggedEvent::json).eq(expected), "{patient}");
        assert_eq!((found.len(), found.last().unwrap().count("of").map(drop)), (3, of), "{patient}");
        assert!(found.iter().all(|event| event.classes().eq(["medication"]) && event.text("out") == Some("ok")));
    }
}

/// T81. What was exported is a log in files: the same lines, the same answer of our verifier, and of the one in Python.
#[test]
#[ignore = "needs .ci/servers"]
fn what_is_exported_is_a_log_in_files() {
    let tables = logged();
    tables.read().export(tables.place.log()).unwrap();
    assert_eq!(tables.place.lines(), tables.lines());
    assert!(tables.place.codes().is_empty(), "{:?}", tables.place.codes());
    // With the checkpoints beside it.
    let notes: String = crate::support::files(&tables.place.log(), "rxn")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(
        notes.matches("rxseal/v1/audit-checkpoint\n").count() as u64,
        tables.count("SELECT count(*) FROM rxseal_audit_checkpoint")
    );
    assert_eq!(crate::python::ask_python(&tables.place, &[tables.place.log()]), [0]);
    // Nothing is written over.
    let error = tables.read().export(tables.place.log()).unwrap_err();
    assert_eq!(error.code(), "log-failed");
    // A line less, and a file that says so.
    let last = tables.place.files().pop().unwrap();
    let text = fs::read_to_string(&last).unwrap();
    fs::write(&last, text.rsplit_once("\n").unwrap().0.rsplit_once('\n').unwrap().0.to_owned() + "\n").unwrap();
    assert_eq!(crate::python::ask_python(&tables.place, &[tables.place.log()]), [1]);
}

/// T81. Who owns the tables changes them as one changes files. The two verifiers say the same.
#[test]
#[ignore = "needs .ci/servers"]
fn changes_are_noticed_as_in_files() {
    let trials = if is_full() { 2000 } else { 36 };
    let tables = logged();
    tables.read().export(tables.place.log()).unwrap();
    let files = tables.place.files();
    let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let verifier =
        Verifier::new([tables.place.key().verifier()]).at(u64::MAX).checkpoints(tables.place.elsewhere()).unwrap();
    let (mut draw, mut done) = (Draw(23), 0);
    for trial in 0..trials {
        // Those that leave whole lines of text.
        let (victim, kind) = (draw.below(files.len()), 1 + trial % 9);
        let new = String::from_utf8(changed(kind, &texts[victim], &mut draw)).unwrap();
        if new == texts[victim] {
            continue;
        }
        fs::write(&files[victim], &new).unwrap();
        let in_files = verifier.verify(tables.place.log()).unwrap();
        store(&tables, victim, &new);
        let in_tables = verifier.verify_postgres(&mut tables.read()).unwrap();
        let findings = |report: &rxseal_watch::verify::Report| -> Vec<_> {
            // A chain without a line is one that its file shows, and its row.
            report.findings().iter().map(|finding| (finding.code(), finding.line(), finding.chain())).collect()
        };
        let rows_alone = |(code, _, _): &(&str, Option<u64>, _)| *code != "row-differs";
        let of_tables: Vec<_> = findings(&in_tables).into_iter().filter(rows_alone).collect();
        assert_eq!(findings(&in_files), of_tables, "trial {trial}, kind {kind}");
        assert_eq!(in_tables.verdict(), Verdict::Tampered, "trial {trial}, kind {kind}: {:?}", in_tables.findings());
        fs::write(&files[victim], &texts[victim]).unwrap();
        store(&tables, victim, &texts[victim]);
        done += 1;
    }
    assert!(tables.codes().is_empty(), "{:?}", tables.codes());
    println!("{done} changes");
    assert!(done > trials / 2);
}

/// Puts these lines in the place of those of a chain.
fn store(tables: &Tables, chain: usize, text: &str) {
    let path = tables.place.files()[chain].clone();
    let chain = path.file_stem().unwrap().to_str().unwrap().split_once('-').unwrap().1.to_owned();
    let mut sql = format!("DELETE FROM rxseal_audit WHERE chain = '{chain}';");
    for (n, line) in text.lines().enumerate() {
        let patients: Vec<_> =
            line.split_once("\"rec\":[[\"").map(|(_, rest)| rest.split('"').next().unwrap()).into_iter().collect();
        let line = line.replace('\'', "''");
        sql += &format!("INSERT INTO rxseal_audit VALUES ('{chain}', {n}, '{{{}}}', '{line}');", patients.join(","));
    }
    tables.meddle(&sql);
}

/// T81. Beside the lines: what they are looked up by, and their numbers.
#[test]
#[ignore = "needs .ci/servers"]
fn a_row_that_differs_from_its_line_is_named() {
    let tables = logged();
    let chain = &tables.texts("SELECT chain FROM rxseal_audit_chain ORDER BY start")[1];
    let one = format!("chain = '{chain}' AND n = 5");
    let finding = || {
        let report = tables.verify();
        assert_eq!(report.verdict(), Verdict::Tampered, "{:?}", report.findings());
        report
            .findings()
            .iter()
            .map(|finding| (finding.code(), finding.line(), finding.chain().map(|chain| chain.to_string())))
            .collect::<Vec<_>>()
    };
    for patients in ["'{}'", "'{other}'", "subjects || '{other}'"] {
        tables.meddle(&format!("UPDATE rxseal_audit SET subjects = {patients} WHERE {one};"));
        assert_eq!(finding(), [("row-differs", Some(5), Some(chain.clone()))], "{patients}");
        tables.meddle(&format!(
            "UPDATE rxseal_audit SET subjects = ARRAY[substring(line FROM '\"rec\":\\[\\[\"([0-9]+)\"')] WHERE {one};"
        ));
        assert!(tables.codes().is_empty(), "{:?}", tables.codes());
    }
    // The last line, with another number: the lines are as they were.
    let last = tables.count(&format!("SELECT max(n) FROM rxseal_audit WHERE chain = '{chain}'"));
    tables.meddle(&format!("UPDATE rxseal_audit SET n = n + 1 WHERE chain = '{chain}' AND n = {last};"));
    assert_eq!(finding(), [("row-differs", Some(last + 1), Some(chain.clone()))]);
}

/// A checkpoint in the tables that somebody changed or cut.
#[test]
#[ignore = "needs .ci/servers"]
fn checkpoints_beside_the_lines_are_read() {
    let tables = logged();
    tables.meddle("UPDATE rxseal_audit_checkpoint SET note = replace(note, 'size ', 'size 1') WHERE size = (SELECT max(size) FROM rxseal_audit_checkpoint);");
    assert!(tables.codes().contains(&"checkpoint-forged"), "{:?}", tables.codes());
    tables.meddle("UPDATE rxseal_audit_checkpoint SET note = left(note, 100);");
    assert!(tables.codes().contains(&"checkpoint-forged"), "{:?}", tables.codes());
    tables.meddle("DELETE FROM rxseal_audit_checkpoint;");
    assert!(tables.codes().is_empty(), "{:?}", tables.codes());
    // Beside the lines they prove accidents only.
    let report =
        Verifier::new([tables.place.key().verifier()]).at(u64::MAX).verify_postgres(&mut tables.read()).unwrap();
    assert_eq!(
        report.findings().iter().map(rxseal_watch::verify::Finding::code).collect::<Vec<_>>(),
        ["nothing-to-compare"]
    );
}

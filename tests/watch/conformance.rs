//! What every log does, in files and in PostgreSQL.

use std::collections::BTreeSet;
use std::path::Path;

use rxseal::phi::Drug;
use rxseal_watch::verify::{Report, Verdict};
use rxseal_watch::{WatchBuilder, When};
use serde_json::Value;

use crate::postgres::Tables;
use crate::support::{Place, access, keyring, open_records};

/// A log, and what is in it.
pub trait AnyLog: Sync {
    fn watch(&self) -> WatchBuilder;

    /// The lines of all chains, the oldest chain first.
    fn lines(&self) -> Vec<String>;

    fn verify(&self) -> Report;

    /// Where another process finds the key, and the log if it is in files.
    fn folder(&self) -> &Path;

    /// The address of a log in a database.
    fn address(&self) -> Option<String> {
        None
    }

    fn events(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap()).collect()
    }

    /// The ids of the records that were opened, one for each time.
    fn opened(&self) -> Vec<u64> {
        let events = self.events().into_iter().filter(|event| event["e"] == "open");
        events.flat_map(|event| event["rec"].as_array().unwrap().clone()).map(|record| id(&record)).collect()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.verify().findings().iter().map(rxseal_watch::verify::Finding::code).collect()
    }
}

impl AnyLog for Place {
    fn watch(&self) -> WatchBuilder {
        self.watch()
    }

    /// Those that are finished.
    fn lines(&self) -> Vec<String> {
        crate::python::whole_lines(&self.files())
    }

    fn verify(&self) -> Report {
        self.verify()
    }

    fn folder(&self) -> &Path {
        self.folder()
    }
}

fn id(record: &Value) -> u64 {
    record[0].as_str().unwrap().parse().unwrap()
}

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        mod in_files {
            $(#[test]
            fn $name() {
                super::$name(&super::Place::new());
            })*
        }

        mod in_postgres {
            $(#[test]
            #[ignore = "needs .ci/servers"]
            fn $name() {
                super::$name(&super::Tables::new());
            })*
        }
    };
}

suite!(
    each_opening_is_there_once,
    every_run_names_the_one_before,
    two_watches_write_at_once,
    many_threads_wait_for_their_events,
    large_pages_and_odd_texts,
);

fn each_opening_is_there_once(log: &impl AnyLog) {
    let watch = log.watch().budgets(rxseal_watch::Budgets::observe_only()).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), 0..2500);
    watch.commit().unwrap();
    assert_eq!(log.opened(), (0..2500).collect::<Vec<_>>());
    let glass = access().break_glass("7", "patient unconscious, physician on the phone").unwrap();
    open_records(&keys, &glass, [7]);
    assert_eq!(log.opened().last(), Some(&7), "what breaks the glass is there before its answer");
    watch.stop().unwrap();
    drop((keys, watch));
    let events = log.events();
    assert_eq!((&events[0]["e"], &events.last().unwrap()["e"]), (&"start".into(), &"stop".into()));
    assert!(events.iter().enumerate().all(|(n, event)| event["n"] == n));
    let report = log.verify();
    assert_eq!((report.verdict(), report.chains()), (Verdict::Whole, 1), "{:?}", report.findings());
    assert_eq!(report.events(), events.len() as u64);
    assert_eq!(report.bytes(), log.lines().iter().map(|line| line.len() as u64 + 1).sum::<u64>());
}

fn every_run_names_the_one_before(log: &impl AnyLog) {
    for run in 0..3 {
        let watch = log.watch().start().unwrap();
        open_records(&keyring(&watch), &access(), [run]);
    }
    let events = log.events();
    let starts: Vec<_> = events.iter().filter(|event| event["e"] == "start").collect();
    assert!(starts[0].get("prev").is_none());
    for at in 1..3 {
        assert_eq!(starts[at]["prev"]["chain"], starts[at - 1]["chain"]);
    }
    assert_eq!(log.opened(), [0, 1, 2]);
    assert!(log.codes().is_empty(), "{:?}", log.codes());
}

fn two_watches_write_at_once(log: &impl AnyLog) {
    let watches = [log.watch().start().unwrap(), log.watch().start().unwrap()];
    std::thread::scope(|scope| {
        for (at, watch) in (0_u64..).zip(&watches) {
            scope.spawn(move || open_records(&keyring(watch), &access(), at * 1000..at * 1000 + 300));
        }
    });
    drop(watches);
    assert_eq!(log.opened().into_iter().collect::<BTreeSet<_>>().len(), 600);
    let report = log.verify();
    assert_eq!((report.verdict(), report.chains()), (Verdict::Whole, 2), "{:?}", report.findings());
}

fn many_threads_wait_for_their_events(log: &impl AnyLog) {
    let watch = log.watch().buffer(64).when(When::Durable).start().unwrap();
    let keys = keyring(&watch);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let keys = keys.clone();
            scope.spawn(move || {
                let access = rxseal::Access::new(&format!("svc:t{thread}"), rxseal::Purpose::TREAT).unwrap();
                open_records(&keys, &access, thread * 1000..thread * 1000 + 50);
            });
        }
    });
    assert_eq!(log.opened().len(), 400, "each answer came after its event");
    drop((keys, watch));
    assert!(log.codes().is_empty(), "{:?}", log.codes());
}

/// More records than a line has, ids with quotes, a reason and a recipient in other scripts.
fn large_pages_and_odd_texts(log: &impl AnyLog) {
    let watch = log.watch().budgets(rxseal_watch::Budgets::observe_only()).start().unwrap();
    let keys = keyring(&watch);
    let ids: Vec<_> = (0..1500).map(|n| format!("RX-\"{n}\\,{{}}'")).collect();
    let records: Vec<_> = ids.iter().map(|id| keys.record("prescription", id.as_str()).unwrap()).collect();
    let tokens: Vec<_> = records.iter().map(|record| record.seal::<Drug>("warfarin").unwrap()).collect();
    let to = rxseal::Recipient::named("Gesundheitsamt Köln").unwrap().address("薬局 1").unwrap();
    let access = access().disclosed_to(to);
    for (record, token) in records.iter().zip(&tokens) {
        record.opened_by(&access).open::<Drug, String>(token).unwrap();
    }
    let glass = access.break_glass(&ids[0], "пациент без сознания").unwrap();
    records[0].opened_by(&glass).open::<Drug, String>(&tokens[0]).unwrap();
    drop((keys, records, watch));
    let events = log.events();
    let opened: Vec<_> = events.iter().filter(|event| event["e"] == "open").collect();
    assert_eq!(opened.len(), 1501);
    assert!(opened.iter().zip(&ids).all(|(event, id)| event["rec"][0][0] == id.as_str()));
    assert_eq!(opened[1500]["btg"], "пациент без сознания");
    assert!(log.codes().is_empty(), "{:?}", log.codes());
}

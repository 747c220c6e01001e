//! Each way of opening is one event, which says who opened what, and never a value.

use std::fs;

use rxseal::keys::UnlockOptions;
use rxseal::page::open_page;
use rxseal::phi::{Drug, PatientName};
use rxseal::{Access, Keyring, Purpose, Recipient, Sealing};
use rxseal_search::Find;
use rxseal_watch::budget::{Budget, Rate};
use rxseal_watch::{Budgets, When};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::patients::{BornOn, CANARY, rows};
use crate::support::{Place, access, keyring, open_records};

#[derive(Serialize, Deserialize)]
struct Refill {
    #[serde(with = "Sealing::<Drug>")]
    drug: String,
}

/// T76.
#[test]
fn every_way_of_opening_is_one_event() {
    let place = Place::new();
    let watch = place.watch().when(When::Durable).start().unwrap();
    let keys = keyring(&watch);
    let (record, other) = (keys.record("refill", 1).unwrap(), keys.record("refill", 2).unwrap());
    let token = record.seal::<Drug>(CANARY).unwrap();
    let name = record.seal::<PatientName>(CANARY).unwrap();
    let json = serde_json::to_string(&record.sealing(&Refill { drug: CANARY.into() })).unwrap();
    let access = access().request_id("01J9Z0Q7C1").unwrap();
    let open = record.opened_by(&access);
    let rows = rows(&keys, 3);

    let mut expected = Vec::new();
    let mut event = |what: Value| {
        let mut all = json!({"ks": "pharmacy-17", "who": "user:kim.rph", "pou": "TREAT", "req": "01J9Z0Q7C1"});
        all.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        expected.push(all);
    };
    let one = |n: u64| json!([[n.to_string(), null]]);

    open.open::<Drug, String>(&token).unwrap();
    event(json!({"e": "open", "rt": "refill", "rec": one(1), "cls": {"medication": 1}, "out": "ok"}));
    open.open_fields(|pass| {
        pass.open::<Drug, String>(&token)?;
        pass.open::<PatientName, String>(&name)?;
        assert!(pass.open::<Drug, String>(&name).is_err());
        Ok(())
    })
    .unwrap();
    event(
        json!({"e": "open", "rt": "refill", "rec": one(1), "cls": {"medication": 1, "identity": 1}, "out": "partial", "err": 1}),
    );
    open.run_opening(|| serde_json::from_str::<Refill>(&json)).unwrap();
    event(json!({"e": "open", "rt": "refill", "rec": one(1), "cls": {"medication": 1}, "out": "ok"}));
    assert!(other.opened_by(&access).open::<Drug, String>(&token).is_err());
    event(json!({"e": "open", "rt": "refill", "rec": one(2), "out": "failed", "err": 1}));
    let [again, another] = [1, 2].map(|id| keys.record("refill", id).unwrap());
    open_page(&[again, another], &access, |at, pass| match at {
        0 => pass.open::<Drug, String>(&token),
        _ => Ok(String::new()),
    })
    .unwrap();
    event(
        json!({"e": "open", "rt": "refill", "rec": [["1", null], ["2", null]], "cls": {"medication": 1}, "out": "ok"}),
    );
    let moved = record.rebind::<Drug>(&other, &token, &access).unwrap();
    event(json!({"e": "open", "rt": "refill", "rec": one(1), "cls": {"medication": 1}, "out": "ok"}));
    other.opened_by(&access).open::<Drug, String>(&moved).unwrap();
    event(json!({"e": "open", "rt": "refill", "rec": one(2), "cls": {"medication": 1}, "out": "ok"}));
    keys.open(&rows[0], &access).unwrap();
    event(json!({"e": "open", "rt": "patient", "rec": one(1), "cls": {"identity": 2, "medication": 1}, "out": "ok"}));
    assert!(keys.open_all(&rows, &access).iter().all(Result::is_ok));
    let all = json!([["1", null], ["2", null], ["3", null]]);
    event(json!({"e": "open", "rt": "patient", "rec": all, "cls": {"identity": 6, "medication": 3}, "out": "ok"}));
    let limited = keys.opener().only([rxseal::Class::MEDICATION]);
    assert!(limited.open(&rows[0], &access).is_err());
    event(json!({"e": "open", "rt": "patient", "rec": one(1), "out": "class_denied", "err": 1}));
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        open.open_fields::<()>(|_| std::panic::resume_unwind(Box::new("as planned")))
    }));
    assert!(panics.is_err());
    event(json!({"e": "open", "rt": "refill", "rec": one(1), "out": "panic"}));
    // Sealing, resealing and counting open nothing.
    record.reseal::<Drug>(&token).unwrap();
    keys.reseal(&rows[0]).unwrap();

    let key = keys.primary_key().to_string();
    let events = place.openings();
    assert_eq!(events.len(), expected.len());
    for (event, expected) in events.iter().zip(&expected) {
        let mut event = event.clone();
        let members = event.as_object_mut().unwrap();
        let keys: Vec<String> = serde_json::from_value(members.remove("key").unwrap_or(json!([]))).unwrap();
        assert!(keys.iter().all(|found| *found == key) && keys.len() <= 1);
        ["n", "t", "m"].iter().for_each(|name| drop(members.remove(*name).unwrap()));
        assert_eq!(&event, expected);
    }
    drop((keys, record, other, open, limited, watch));
    assert!(place.codes().is_empty(), "{:?}", place.verify().findings());
    for path in place.files() {
        let bytes = fs::read(path).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "a value is in the log");
    }
}

#[test]
fn a_search_names_its_hits_and_no_stranger() {
    let place = Place::new();
    let watch = place.watch().when(When::Durable).start().unwrap();
    let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let options = UnlockOptions::default().with_index_roots();
    let unlocked = rxseal::run_local(Keyring::unlock_with(options, "pharmacy-17", &roots, &file)).unwrap();
    let keys = unlocked.observed_by(watch.observer());
    let rows = rows(&keys, 4);
    let born = keys.indexer().unwrap().find::<BornOn>("1970-01-31").unwrap();
    let access = access();
    let hits = born.hits(&keys, rows.clone(), &access).only(|patient| patient.id % 2 == 0);
    assert_eq!(hits.map(|hit| hit.unwrap().id).collect::<Vec<_>>(), [2, 4]);
    keys.reindex(&rows[0], &access).unwrap();

    let events = place.openings();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["rec"], json!([["2", null], ["4", null]]));
    assert_eq!(events[0]["find"], json!({"idx": ["patient.born"], "cand": 4}));
    assert_eq!((&events[1]["e"], &events[1]["rec"]), (&json!("index"), &json!([["1", null]])));
    // What was unlocked, and how the log begins.
    let events = place.events();
    assert_eq!((&events[0]["e"], &events[0]["svc"]), (&json!("start"), &json!("tests")));
    assert_eq!(
        (&events[1]["e"], &events[1]["prov"], &events[1]["gen"]),
        (&json!("unlock"), &json!("local"), &json!(1))
    );
    assert_eq!(events[1]["key"].as_array().unwrap().len(), 2, "a key and an index root");
    drop((keys, watch));
    let events = place.events();
    let last: Vec<_> = events.iter().rev().take(2).map(|event| event["e"].clone()).collect();
    assert_eq!(last, ["stop", "lock"]);
    assert!(place.codes().is_empty());
}

#[test]
fn a_large_page_is_split_into_lines() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    let long = "x".repeat(240);
    let records: Vec<_> = (0..900).map(|n| keys.record("refill", format!("{long}{n}").as_str()).unwrap()).collect();
    open_page(&records, &access(), |_, _| Ok(())).unwrap();
    watch.stop().unwrap();
    let events = place.openings();
    assert!(events.len() > 3, "{}", events.len());
    assert!(place.lines().iter().all(|line| line.len() < 64 * 1024));
    let records: Vec<_> = events.iter().flat_map(|event| event["rec"].as_array().unwrap().clone()).collect();
    assert_eq!(records.len(), 900);
    let first = events[0]["n"].as_u64().unwrap();
    assert!(events[0]["of"].is_null() && events[0]["out"] == "ok");
    assert!(events[1..].iter().all(|event| event["of"].as_u64() == Some(first) && event["out"].is_null()));
    drop((keys, watch));
    assert!(place.codes().is_empty());
}

#[test]
fn an_emergency_and_a_disclosure_are_in_the_event() {
    let place = Place::new();
    let one = Rate::per_hour(1, 1);
    let budget = Budget::new(one, one).glass(Rate::per_hour(2, 2));
    let alarms = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = std::sync::Arc::clone(&alarms);
    let budgets = Budgets::of_all(budget);
    let watch = place.watch().budgets(budgets).on_alarm(move |alarm| heard.lock().unwrap().push(alarm.to_string()));
    let watch = watch.start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1, 1, 1]);
    let record = keys.record("prescription", 2).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let open = |access: &Access| record.opened_by(access).open::<Drug, String>(&token);
    let code = |access: &Access| rxseal_watch::WatchError::of(&open(access).unwrap_err()).unwrap().code();
    assert_eq!(code(&access()), "over-budget");
    let broken = |patient: &str| access().break_glass(patient, "patient unconscious, \"now\"").unwrap();
    assert_eq!(code(&broken("3")), "glass-of-other");
    open(&broken("2")).unwrap();
    // It is on the disk before the answer.
    let event = place.openings().pop().unwrap();
    assert_eq!((&event["btg"], &event["out"]), (&json!("patient unconscious, \"now\""), &json!("ok")));
    open(&broken("2")).unwrap();
    assert_eq!(code(&broken("2")), "glass-used-up");

    let pmp = Recipient::named("State PMP").unwrap().address("1 Main St").unwrap().basis("164.512(a)").unwrap();
    let told = Access::new("svc:pmp", Purpose::PUBHLTH).unwrap().disclosed_to(pmp);
    open(&told).unwrap();
    watch.stop().unwrap();
    let event = place.openings().pop().unwrap();
    assert_eq!(event["to"], json!({"name": "State PMP", "address": "1 Main St", "basis": "164.512(a)"}));
    let outcomes: Vec<_> = place.openings().iter().map(|event| event["out"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok", "ok", "over_budget", "refused", "ok", "ok", "over_budget", "ok"]);
    let alarms = alarms.lock().unwrap().clone();
    assert_eq!(alarms.iter().filter(|alarm| alarm.contains("broke the glass")).count(), 2);
    assert!(alarms.iter().all(|alarm| !alarm.contains("unconscious")), "{alarms:?}");
    drop((keys, record, watch));
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

#[test]
fn after_stop_nothing_is_opened() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1]);
    watch.stop().unwrap();
    let record = keys.record("prescription", 2).unwrap();
    let token = record.seal::<Drug>("sealing goes on").unwrap();
    let error = record.opened_by(&access()).open::<Drug, String>(&token).unwrap_err();
    assert!(rxseal_watch::WatchError::of(&error).unwrap().is_audit_unavailable());
    assert!(watch.commit().is_err());
}

/// A server drops its last keyring on any thread, while another one stops the watch.
#[test]
fn a_keyring_that_outlives_the_watch_is_no_fault_of_the_log() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1]);
    watch.stop().unwrap();
    drop(keys);
    watch.stop().unwrap();
    assert_eq!(place.events().last().unwrap()["e"], "stop");
    assert!(place.codes().is_empty());
}

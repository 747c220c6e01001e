//! How much a log in PostgreSQL takes, and how fast a patient is found in it.

use std::time::{Duration, Instant};

use rxseal_watch::Budgets;

use super::Tables;
use crate::conformance::AnyLog;
use crate::support::{access, is_full, keyring, open_records};

/// Threads that open as fast as the log takes it: a full buffer holds them up.
#[test]
#[ignore = "needs .ci/servers"]
fn many_events_a_second_for_a_while() {
    let (threads, each) = if is_full() { (2, 600_000) } else { (2, 4_000) };
    let tables = Tables::new();
    let watch = tables.watch().budgets(Budgets::observe_only()).start().unwrap();
    let keys = keyring(&watch);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let keys = keys.clone();
            scope.spawn(move || open_records(&keys, &access(), thread * each..(thread + 1) * each));
        }
    });
    while watch.commit().is_err() {}
    let (events, took) = (threads * each, begun.elapsed());
    println!("{events} events in {took:?}: {:.0} a second", events as f64 / took.as_secs_f64());
    assert_eq!(tables.count("SELECT count(*) FROM rxseal_audit WHERE subjects <> '{}'"), events);
    drop((keys, watch));
    assert!(tables.codes().is_empty(), "{:?}", tables.codes());
}

/// One patient among many lines of others: by the index, whatever the planner thinks. Each tenth line continues the one before, which is then read too.
#[test]
#[ignore = "needs .ci/servers"]
fn a_patient_among_many() {
    let (lines, patients) = if is_full() { (10_000_000, 500_000) } else { (40_000, 2_000) };
    let tables = Tables::new();
    tables.run("INSERT INTO rxseal_audit_chain SELECT lpad(to_hex(c), 16, '0'), 1764000000000 + c FROM generate_series(0, 99) AS c");
    tables.run(&format!(
        "INSERT INTO rxseal_audit SELECT lpad(to_hex(i % 100), 16, '0'), i / 100, ARRAY['pat-' || (i::bigint * 7919 % {patients})], \
        repeat('A', 43) || ' {{\"n\":' || i / 100 || ',\"t\":1764000000412,\"m\":412,\"e\":\"open\",\"ks\":\"pharmacy-17\",\"who\":\"user:kim.rph\",\"pou\":\"TREAT\",\
        \"req\":\"01J9Z0Q7C1\",\"rt\":\"prescription\",\"rec\":[[\"RX-' || i || '\",\"pat-' || (i::bigint * 7919 % {patients}) || '\"]],' || \
        CASE WHEN i / 100 % 10 = 9 THEN '\"of\":' || i / 100 - 1 \
        ELSE '\"cls\":{{\"identity\":1,\"medication\":2}},\"key\":[\"q3Zk81Ab\"],\"out\":\"ok\"' END || '}}' FROM generate_series(0, {lines} - 1) AS i"
    ));
    tables.run("ANALYZE rxseal_audit");
    let mut reader = tables.read();
    let (mut took, mut continued) = (Vec::new(), 0);
    for patient in 0..50 {
        let (begun, mut found) = (Instant::now(), 0);
        let look = reader.events_of(&format!("pat-{}", patient * 37), |event| {
            found += 1;
            continued += u64::from(event.count("of").is_some());
            assert!(event.is_seen() && event.classes().eq(["identity", "medication"]));
        });
        look.unwrap();
        took.push(begun.elapsed());
        assert_eq!(found, lines / patients);
    }
    took.sort_unstable();
    println!(
        "one patient among {lines} lines: median {:?}, slowest {:?}, {continued} lines continued",
        took[25], took[49]
    );
    assert!(continued > 0);
    assert!(!is_full() || took[25] < Duration::from_millis(50), "a look-up takes {:?}", took[25]);
    let plan = "EXPLAIN WITH found AS MATERIALIZED (SELECT chain, n, line FROM rxseal_audit WHERE subjects @> ARRAY['pat-7'::text]) SELECT count(*) FROM found";
    assert!(tables.texts(plan).concat().contains("rxseal_audit_subjects"), "it does not use the index");
}

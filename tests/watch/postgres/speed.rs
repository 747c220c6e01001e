//! How much a log in PostgreSQL takes, and how fast a patient is found in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rxseal::Keyring;
use rxseal::phi::Drug;
use rxseal_watch::{Budgets, Watch, WatchError};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::Runtime;

use super::{Tables, server};
use crate::conformance::AnyLog;
use crate::support::{access, is_full, keyring, open_records};

/// Steadily, and nobody is refused: a server that stalls for a second has time to catch up.
#[test]
#[ignore = "needs .ci/servers"]
fn twenty_thousand_events_a_second() {
    let (per_second, seconds) = if is_full() { (22_000, 60) } else { (5_000, 2) };
    let loaded = Loaded::new();
    let begun = Instant::now();
    for tenth in 0..seconds * 10 {
        let due = Duration::from_millis(100 * tenth);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let events = per_second / 10;
        open_records(&loaded.keys, &access(), tenth * events..(tenth + 1) * events);
    }
    loaded.end(per_second * seconds, begun);
}

/// A full buffer holds them up. While the server stalls for longer than that, openings are refused, and these threads try again, as a client would.
#[test]
#[ignore = "needs .ci/servers"]
fn threads_that_open_faster_than_the_log_is_written() {
    let (threads, each) = if is_full() { (2, 600_000) } else { (2, 4_000) };
    let loaded = Loaded::new();
    let begun = Instant::now();
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (keys, refused) = (loaded.keys.clone(), &refused);
            scope.spawn(move || {
                for id in thread * each..(thread + 1) * each {
                    let record = keys.record("prescription", id).unwrap();
                    let token = record.seal::<Drug>("warfarin 5 MG").unwrap();
                    while let Err(error) = record.opened_by(&access()).open::<Drug, String>(&token) {
                        assert!(WatchError::of(&error).unwrap().is_audit_unavailable(), "{error:?}");
                        refused.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(100));
                    }
                }
            });
        }
    });
    println!("{} openings were refused", refused.into_inner());
    loaded.end(threads * each, begun);
}

/// A log that is to take many events.
struct Loaded {
    tables: Tables,
    watch: Watch,
    keys: Keyring,
    _standby: Option<Standby>,
}

/// The standby of the tests replays what they write, and would do so on the same processors as the log's own server.
struct Standby;

impl Standby {
    /// In a full run, in which no other test needs it meanwhile.
    fn pause() -> Option<Self> {
        is_full().then(|| {
            Self::replay("pause");
            Self
        })
    }

    fn replay(what: &str) {
        let (runtime, url) = (Runtime::new().unwrap(), server("RXSEAL_TEST_POSTGRES_STANDBY"));
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(format!("SELECT pg_wal_replay_{what}()")))
                .execute(&mut connection)
                .await
                .unwrap();
        });
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        Self::replay("resume");
    }
}

impl Loaded {
    fn new() -> Self {
        let tables = Tables::new();
        // Or what the test before has written is written out meanwhile.
        tables.run("CHECKPOINT");
        let standby = Standby::pause();
        let watch = tables.watch().budgets(Budgets::observe_only()).start().unwrap();
        let keys = keyring(&watch);
        Self { tables, watch, keys, _standby: standby }
    }

    /// All of them are there, each once, and in time.
    fn end(self, events: u64, begun: Instant) {
        while self.watch.commit().is_err() {}
        let rate = events as f64 / begun.elapsed().as_secs_f64();
        println!("{events} events: {rate:.0} a second");
        assert_eq!(self.tables.count("SELECT count(*) FROM rxseal_audit WHERE subjects <> '{}'"), events);
        drop((self.keys, self.watch));
        assert!(self.tables.codes().is_empty(), "{:?}", self.tables.codes());
        assert!(!is_full() || rate >= 20_000.0, "{rate:.0} events a second");
    }
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

//! Connections, servers and tables that fail under the writer: nothing is lost, nothing comes twice, and it goes on without a restart.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rxseal::Keyring;
use rxseal::phi::Drug;
use rxseal_watch::verify::Verdict;
use rxseal_watch::{Alarm, Budgets, Watch, WatchBuilder, WatchError, When};

use super::proxy::Proxy;
use super::{Tables, server};
use crate::conformance::AnyLog;
use crate::support::{access, is_full, keyring, open_records};
use crate::tampering::Draw;

/// A watch, and what it told.
struct Running {
    watch: Watch,
    keys: Keyring,
    alarms: Arc<Mutex<Vec<Alarm>>>,
}

impl Running {
    fn start(watch: WatchBuilder) -> Self {
        let alarms = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&alarms);
        let watch =
            watch.budgets(Budgets::observe_only()).on_alarm(move |alarm| heard.lock().unwrap().push(alarm.clone()));
        let watch = watch.start().unwrap();
        let keys = keyring(&watch);
        Self { watch, keys, alarms }
    }

    fn wait_for(&self, what: &str, is_meant: impl Fn(&Alarm) -> bool) {
        wait_until(what, || self.alarms.lock().unwrap().iter().any(&is_meant));
    }

    fn fails_with(&self, text: &str) {
        self.wait_for(text, |alarm| matches!(alarm, Alarm::LogFailed(reason) if reason.contains(text)));
    }

    /// What waited is written, without a restart.
    fn recovers(&self) {
        wait_until("the log is not written again", || self.watch.commit().is_ok());
        self.wait_for("nobody was told of the end", |alarm| *alarm == Alarm::LogRecovered(0));
    }
}

/// How long a test waits for what must happen some time.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Opens one record, again and again.
fn opening(keys: &Keyring) -> impl Fn() -> Result<String, rxseal::Error> + use<> {
    let record = keys.record("prescription", 7).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    move || record.opened_by(&access()).open::<Drug, String>(&token)
}

/// How often it opens until the buffer is full.
fn until_refused(open: impl Fn() -> Result<String, rxseal::Error>) -> usize {
    let mut opened = 0;
    let error = loop {
        match open() {
            Ok(_) => opened += 1,
            Err(error) => break error,
        }
    };
    assert!(WatchError::of(&error).unwrap().is_audit_unavailable());
    assert!(opened >= 60_000, "only {opened} were opened");
    opened
}

/// Each of these ids is there once, and nothing else.
#[track_caller]
fn assert_once(tables: &Tables, ids: impl IntoIterator<Item = u64>) {
    let mut found = tables.opened();
    found.sort_unstable();
    assert_eq!(found, ids.into_iter().collect::<Vec<_>>());
}

#[track_caller]
fn assert_whole(tables: &Tables) {
    let report = tables.verify();
    assert_eq!(report.verdict(), Verdict::Whole, "{:?}", report.findings());
}

/// The server writes, and its answer never arrives; at each of the first requests in turn, those that begin a chain included.
#[test]
#[ignore = "needs .ci/servers"]
fn an_answer_that_is_lost_makes_no_line_twice() {
    let mut lost = 0;
    for after in (0..30).step_by(if is_full() { 1 } else { 2 }) {
        let tables = Tables::new();
        let proxy = Proxy::start(&tables.writer_url());
        let watch =
            tables.watch_at(&proxy.url(&tables.writer_url())).when(When::Durable).budgets(Budgets::observe_only());
        proxy.lose_answer_after(after);
        let Ok(watch) = watch.start() else {
            // A program that did not start has answered nothing. Its chain has a start at most.
            assert!(tables.lines().len() <= 1);
            assert_ne!(tables.verify().verdict(), Verdict::Tampered, "{after}");
            lost += proxy.lost();
            continue;
        };
        let keys = keyring(&watch);
        open_records(&keys, &access(), 0..12);
        drop((keys, watch));
        lost += proxy.lost();
        assert_once(&tables, 0..12);
        assert!(tables.verify().verdict() != Verdict::Tampered, "{after}: {:?}", tables.codes());
        // The last answers are those of `stop`, which is not waited for.
        assert!(
            tables.codes().iter().all(|code| ["no-stop", "uncovered"].contains(code)),
            "{after}: {:?}",
            tables.codes()
        );
    }
    println!("{lost} answers were lost");
    assert!(lost >= 12, "only {lost} answers were lost");
}

#[test]
#[ignore = "needs .ci/servers"]
fn connections_that_break_again_and_again_lose_nothing() {
    let cuts = if is_full() { 500 } else { 60 };
    let tables = Tables::new();
    let proxy = Proxy::start(&tables.writer_url());
    let running = Running::start(tables.watch_at(&proxy.url(&tables.writer_url())));
    let mut draw = Draw(17);
    let mut next = 0;
    for cut in 0..cuts {
        open_records(&running.keys, &access(), next..next + 20);
        next += 20;
        std::thread::sleep(Duration::from_micros(draw.below(12_000) as u64));
        match cut % 3 {
            0 => proxy.cut(),
            // As when the server is stopped by its administrator.
            1 => tables.run(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{}'",
                tables.writer()
            )),
            _ => proxy.lose_answer_after(draw.below(4)),
        }
    }
    wait_until("the log is not written again", || running.watch.commit().is_ok());
    drop(running);
    assert_once(&tables, 0..next);
    assert_whole(&tables);
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_server_that_is_away_for_a_while() {
    let tables = Tables::new();
    let proxy = Proxy::start(&tables.writer_url());
    let running = Running::start(tables.watch_at(&proxy.url(&tables.writer_url())));
    open_records(&running.keys, &access(), 0..5);
    running.watch.commit().unwrap();
    proxy.refuse(true);
    open_records(&running.keys, &access(), 5..3000);
    running.fails_with("connection");
    let error = running.watch.commit().unwrap_err();
    assert!(error.is_audit_unavailable());
    proxy.refuse(false);
    running.recovers();
    drop(running);
    assert_once(&tables, 0..3000);
    assert_whole(&tables);
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_hung_server_fills_the_buffer_and_then_openings_fail_at_once() {
    let tables = Tables::new();
    let proxy = Proxy::start(&tables.writer_url());
    let running = Running::start(tables.watch_at(&proxy.url(&tables.writer_url())).buffer(16));
    proxy.hang(true);
    let open = opening(&running.keys);
    let opened = until_refused(&open);
    // Each that waited would take a tenth of a second, and so all of them longer than this file waits for anything.
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert!(open().is_err());
        assert!(begun.elapsed() < PATIENCE, "they wait for a server that hangs");
    }
    running.fails_with("5 seconds");
    proxy.hang(false);
    running.recovers();
    assert!(open().is_ok());
    running.watch.stop().unwrap();
    drop((open, running));
    assert_eq!(tables.opened().len(), opened + 1);
    assert_whole(&tables);
}

/// Threads that open faster than the log takes it, while it writes what has waited.
#[test]
#[ignore = "needs .ci/servers"]
fn a_server_that_answers_again_refuses_nobody() {
    let tables = Tables::new();
    let proxy = Proxy::start(&tables.writer_url());
    let running = Running::start(tables.watch_at(&proxy.url(&tables.writer_url())).buffer(16));
    proxy.hang(true);
    let opened = until_refused(opening(&running.keys));
    running.fails_with("5 seconds");
    let written = || tables.count("SELECT count(*) FROM rxseal_audit");
    let before = written();
    proxy.hang(false);
    wait_until("the log is not written again", || written() > before);
    let more = 20_000;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| open_records(&running.keys, &access(), 0..more));
        }
    });
    running.recovers();
    running.watch.stop().unwrap();
    drop(running);
    assert_eq!(tables.opened().len(), opened + 2 * usize::try_from(more).unwrap());
    assert_whole(&tables);
}

/// A standby has taken the address over, and does not take lines. Then the primary server is back.
#[test]
#[ignore = "needs .ci/servers"]
fn a_standby_behind_the_same_address_is_refused() {
    let tables = Tables::new();
    let proxy = Proxy::start(&tables.writer_url());
    let running = Running::start(tables.watch_at(&proxy.url(&tables.writer_url())));
    open_records(&running.keys, &access(), 0..5);
    running.watch.commit().unwrap();
    proxy.turn_to(&server("RXSEAL_TEST_POSTGRES_STANDBY"));
    open_records(&running.keys, &access(), 5..20);
    // Its copy of the role or of the tables may be late.
    wait_until("the standby is not refused", || {
        let alarms = running.alarms.lock().unwrap();
        alarms.iter().any(|alarm| matches!(alarm, Alarm::LogFailed(_)))
    });
    proxy.turn_to(&tables.writer_url());
    running.recovers();
    drop(running);
    assert_once(&tables, 0..20);
    assert_whole(&tables);
}

/// Runs something in front of each row or statement that is added to the lines.
fn trigger(tables: &Tables, name: &str, body: &str) {
    tables.run(&format!(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$; \
        CREATE TRIGGER {name} BEFORE INSERT ON rxseal_audit FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    ));
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_full_disk_of_the_server_is_waited_for() {
    let tables = Tables::new();
    let running = Running::start(tables.watch());
    open_records(&running.keys, &access(), [1]);
    running.watch.commit().unwrap();
    trigger(&tables, "no_room", "RAISE EXCEPTION SQLSTATE '53100';");
    open_records(&running.keys, &access(), [2]);
    running.fails_with("53100");
    // A server keeps nothing free for an emergency: docs/WATCH.md says so.
    let glass = access().break_glass("3", "patient unconscious").unwrap();
    let record = running.keys.record("prescription", 3).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let error = record.opened_by(&glass).open::<Drug, String>(&token).unwrap_err();
    assert!(WatchError::of(&error).unwrap().is_audit_unavailable());
    tables.run("DROP TRIGGER no_room ON rxseal_audit");
    running.recovers();
    drop((record, running));
    // The event of the opening that failed is there: it says that somebody tried.
    assert_eq!(tables.opened().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([1, 2, 3]));
    assert_whole(&tables);
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_slow_server_gets_all_of_it() {
    let tables = Tables::new();
    trigger(&tables, "slow", "PERFORM pg_sleep(0.3);");
    let running = Running::start(tables.watch());
    open_records(&running.keys, &access(), 0..6000);
    wait_until("the log is not written", || running.watch.commit().is_ok());
    assert!(!running.alarms.lock().unwrap().iter().any(|alarm| matches!(alarm, Alarm::LogFailed(_))));
    drop(running);
    assert_once(&tables, 0..6000);
    assert_whole(&tables);
}

/// The server does it, and later than anybody waits: the next try finds it done.
#[test]
#[ignore = "needs .ci/servers"]
fn a_server_that_answers_too_late_makes_no_line_twice() {
    let tables = Tables::new();
    let running = Running::start(tables.watch());
    trigger(&tables, "late", "PERFORM pg_sleep(7);");
    open_records(&running.keys, &access(), 0..10);
    running.fails_with("5 seconds");
    std::thread::sleep(Duration::from_secs(3));
    tables.run("DROP TRIGGER late ON rxseal_audit");
    running.recovers();
    open_records(&running.keys, &access(), 10..20);
    drop(running);
    assert_once(&tables, 0..20);
    assert_whole(&tables);
}

/// A role may say that a commit is not waited for. A line is.
#[test]
#[ignore = "needs .ci/servers"]
fn lines_are_on_the_disk_whatever_the_role_prefers() {
    let tables = Tables::new();
    tables
        .run(&format!("ALTER ROLE {} SET synchronous_commit = off; CREATE TABLE seen (setting text)", tables.writer()));
    tables.run(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
        INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
        CREATE CONSTRAINT TRIGGER note AFTER INSERT ON rxseal_audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()",
    );
    tables.run(&format!("GRANT INSERT ON seen TO {}", tables.writer()));
    let watch = tables.watch().start().unwrap();
    open_records(&keyring(&watch), &access(), 0..10);
    drop(watch);
    assert_eq!(tables.texts("SELECT DISTINCT setting FROM seen"), ["on"]);
    assert_eq!(tables.count("SELECT count(*) FROM seen"), tables.lines().len() as u64);
}

/// The owner takes the triggers away, and lines with them, under the eyes of the writer.
#[test]
#[ignore = "needs .ci/servers"]
fn lines_that_are_removed_under_the_writer() {
    for (sql, codes) in [
        ("DELETE FROM rxseal_audit WHERE n > 2;", &["link-broken", "tail-cut"][..]),
        (
            "DELETE FROM rxseal_audit; DELETE FROM rxseal_audit_checkpoint; DELETE FROM rxseal_audit_chain;",
            &["begins-later", "chain-missing"],
        ),
    ] {
        let tables = Tables::new();
        let running = Running::start(tables.watch());
        open_records(&running.keys, &access(), 0..10);
        running.watch.commit().unwrap();
        tables.meddle(sql);
        running.wait_for("nobody noticed", |alarm| matches!(alarm, Alarm::LogReplaced | Alarm::LogFailed(_)));
        open_records(&running.keys, &access(), 10..20);
        wait_until("the log is not written again", || running.watch.commit().is_ok());
        drop(running);
        let opened = tables.opened();
        assert!((10..20).all(|id| opened.iter().filter(|found| **found == id).count() == 1), "{opened:?}");
        assert_eq!(tables.verify().verdict(), Verdict::Tampered);
        assert!(tables.codes().iter().any(|code| codes.contains(code)), "{:?}", tables.codes());
    }
}

/// A machine and its restored copy go on with the same chain, or somebody has stolen the role: the writer does not go on behind lines of others.
#[test]
#[ignore = "needs .ci/servers"]
fn a_line_of_another_writer_ends_the_chain() {
    for line in ["regexp_replace(line, '\"n\":[0-9]+', '\"n\":' || n + 1)", "'junk'"] {
        let tables = Tables::new();
        let running = Running::start(tables.watch());
        open_records(&running.keys, &access(), 0..5);
        running.watch.commit().unwrap();
        tables.run(&format!(
            "INSERT INTO rxseal_audit SELECT chain, n + 1, '{{}}', {line} FROM rxseal_audit ORDER BY n DESC LIMIT 1"
        ));
        open_records(&running.keys, &access(), 5..10);
        running.wait_for("nobody noticed", |alarm| matches!(alarm, Alarm::LogReplaced | Alarm::LogFailed(_)));
        wait_until("the log is not written again", || running.watch.commit().is_ok());
        drop(running);
        assert_eq!(tables.count("SELECT count(*) FROM rxseal_audit_chain"), 2);
        let last = "SELECT subjects[1] FROM rxseal_audit WHERE subjects[1]::int > 4 AND chain = (SELECT chain FROM rxseal_audit_chain ORDER BY start DESC LIMIT 1) ORDER BY n";
        assert_eq!(tables.texts(last), ["5", "6", "7", "8", "9"]);
        assert_eq!(tables.verify().verdict(), Verdict::Tampered);
        // The next program can begin.
        drop(tables.watch().start().unwrap());
    }
}

/// A program with a runtime of one thread: the log does not wait for its tasks.
#[tokio::test(flavor = "current_thread")]
#[ignore = "needs .ci/servers"]
async fn within_a_runtime() {
    let tables = tokio::task::spawn_blocking(Tables::new).await.unwrap();
    let watch = tables.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), 0..10);
    watch.committed().await.unwrap();
    drop((keys, watch));
    let mut count = 0;
    tables.read().read_lines(|_| count += 1).unwrap();
    assert_eq!(count, 14);
    tokio::task::spawn_blocking(move || drop(tables)).await.unwrap();
}

//! A watch over a disk that fails at each of its operations in turn: what was answered is in the log, and nothing looks tampered with.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rxseal::phi::Drug;
use rxseal::{Access, Keyring, Purpose};

use crate::budget::{Budget, Budgets, Rate};
use crate::file_log::simulated::{Fault, Simulated};
use crate::shared::HUNG;
use crate::verify::{Verdict, Verifier};
use crate::watch::{OnFull, WatchBuilder};
use crate::{Alarm, FileLog, Line, SigningKey, Sink, Watch, WatchError, When};

fn key() -> SigningKey {
    SigningKey::from_seed("tests.example", &[7; 32]).unwrap()
}

/// Keeps checkpoints as another machine would.
#[derive(Clone, Default)]
struct Elsewhere(Arc<Mutex<Vec<String>>>);

impl Sink for Elsewhere {
    fn name(&self) -> &'static str {
        "elsewhere"
    }

    fn append(&mut self, _: &[Line]) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Ok(())
    }

    fn checkpoint(&mut self, note: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.0.lock().unwrap().push(note.to_owned());
        Ok(())
    }
}

fn watch_over(disk: &Simulated, elsewhere: &Elsewhere) -> WatchBuilder {
    let many = Budget::new(Rate::per_hour(1_000_000, 1_000_000), Rate::per_day(1_000_000, 1_000_000));
    let log = FileLog::on(Box::new(disk.clone()), key());
    Watch::over(log).budgets(Budgets::of_all(many.glass(Rate::per_hour(1000, 1000)))).copy_to(elsewhere.clone())
}

fn open(keys: &Keyring, access: &Access, id: u64) -> Result<String, rxseal::Error> {
    let record = keys.record("rx", id).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    record.opened_by(access).open::<Drug, String>(&token)
}

fn access() -> Access {
    Access::new("user:kim", Purpose::TREAT).unwrap()
}

/// The records that a disk has events of, how often, and what verifying it says.
fn judge(disk: &Simulated, elsewhere: &Elsewhere) -> (Vec<u64>, Verdict, Vec<&'static str>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("rxseal-watch-crash-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder: PathBuf = std::env::temp_dir().join(name);
    let (log, notes) = (folder.join("log"), folder.join("notes"));
    fs::create_dir_all(&log).unwrap();
    fs::create_dir_all(&notes).unwrap();
    fs::write(notes.join("all.note"), elsewhere.0.lock().unwrap().concat()).unwrap();
    let mut ids = Vec::new();
    disk.state(|state| {
        for (name, file) in &state.files {
            fs::write(log.join(name), &file.bytes).unwrap();
            if name.ends_with("rxa") {
                let end = file.bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
                let whole = str::from_utf8(&file.bytes[..end]).unwrap();
                ids.extend(
                    whole
                        .lines()
                        .filter_map(|line| line.split("\"rec\":[[\"").nth(1)?.split('"').next()?.parse::<u64>().ok()),
                );
            }
        }
    });
    let report = Verifier::new([key().verifier()]).at(u64::MAX).checkpoints(&notes).unwrap().verify(&log).unwrap();
    let codes = report.findings().iter().map(crate::verify::Finding::code).collect();
    fs::remove_dir_all(&folder).unwrap();
    (ids, report.verdict(), codes)
}

/// Opens records on a disk with this fault. Gives which were answered.
fn run(disk: &Simulated, elsewhere: &Elsewhere) -> BTreeSet<u64> {
    let mut answered = BTreeSet::new();
    let Ok(watch) = watch_over(disk, elsewhere).when(When::Durable).start() else { return answered };
    let keys = rxseal::testing::insecure_keyring("ph").unwrap().observed_by(watch.observer());
    let mut refused = 0;
    for id in 1..=6 {
        let access = if id == 3 { access().break_glass("3", "a checkpoint, please").unwrap() } else { access() };
        match open(&keys, &access, id) {
            Ok(_) => drop(answered.insert(id)),
            Err(error) => {
                assert!(WatchError::of(&error).unwrap().is_audit_unavailable());
                refused += 1;
                // After a power cut there is nothing to wait for.
                if refused == 1 {
                    break;
                }
            }
        }
    }
    answered
}

#[test]
fn every_operation_of_the_disk_may_be_the_last() {
    let whole = Simulated::default();
    let elsewhere = Elsewhere::default();
    assert_eq!(run(&whole, &elsewhere).len(), 6);
    let operations = whole.operations();
    assert_eq!(judge(&whole, &elsewhere).1, Verdict::Whole);
    let torn = AtomicU32::new(0);
    // `.ci/run release` tries all of them.
    let kept: &[usize] = if cfg!(debug_assertions) { &[100] } else { &[0, 100, 200, 255] };
    let cases: Vec<_> = (0..operations + 4).flat_map(|at| kept.iter().map(move |kept| (at, *kept))).collect();
    each(&cases, |(at, kept)| {
        let (disk, elsewhere) = (Simulated::failing_at(at, Fault::PowerCut), Elsewhere::default());
        let answered = run(&disk, &elsewhere);
        let after = disk.restarted(kept);
        let (ids, verdict, codes) = judge(&after, &elsewhere);
        assert!(answered.iter().all(|id| ids.contains(id)), "power cut at {at}, {kept}: an answer without its event");
        assert_ne!(verdict, Verdict::Tampered, "power cut at {at}, {kept}: {codes:?}");
        torn.fetch_add(u32::from(codes.contains(&"torn")), Ordering::Relaxed);
        // The next run says what it found.
        let answered = run(&after, &elsewhere);
        assert_eq!(answered.len(), 6);
        let (_, verdict, codes) = judge(&after, &elsewhere);
        assert_ne!(verdict, Verdict::Tampered, "after a power cut at {at}, {kept}: {codes:?}");
    });
    assert!(torn.into_inner() > 0);
}

#[test]
fn a_disk_that_fails_for_a_while_loses_nothing() {
    let whole = Simulated::default();
    run(&whole, &Elsewhere::default());
    let kinds = [(io::ErrorKind::Other, 0), (io::ErrorKind::StorageFull, 2), (io::ErrorKind::Interrupted, 0)];
    let cases: Vec<_> = (0..whole.operations()).flat_map(|at| kinds.map(|kind| (at, kind))).collect();
    each(&cases, |(at, (kind, after))| {
        let (disk, elsewhere) = (Simulated::failing_at(at, Fault::Error(kind, after)), Elsewhere::default());
        let answered = run(&disk, &elsewhere);
        let (ids, verdict, codes) = judge(&disk, &elsewhere);
        assert!(answered.iter().all(|id| ids.contains(id)), "{kind:?} at {at}: an answer without its event");
        assert_ne!(verdict, Verdict::Tampered, "{kind:?} at {at}: {codes:?}");
    });
}

/// Runs `work` for each case, a few at a time.
fn each<T: Copy + Sync>(cases: &[T], work: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(12)) {
            let work = &work;
            scope.spawn(move || part.iter().for_each(|case| work(*case)));
        }
    });
}

/// How long a test waits for what must happen some time.
const PATIENCE: Duration = Duration::from_secs(30);

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a test knows of a watch over a disk that does not fail by itself.
struct Running {
    disk: Simulated,
    elsewhere: Elsewhere,
    alarms: Arc<Mutex<Vec<Alarm>>>,
    watch: Watch,
    keys: Keyring,
}

/// A watch with these settings. The event of record 1 is on its disk.
fn running(set_up: impl FnOnce(WatchBuilder) -> WatchBuilder) -> Running {
    let (disk, elsewhere) = (Simulated::default(), Elsewhere::default());
    let alarms = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&alarms);
    let watch = set_up(watch_over(&disk, &elsewhere)).on_alarm(move |alarm| heard.lock().unwrap().push(alarm.clone()));
    let watch = watch.start().unwrap();
    let keys = rxseal::testing::insecure_keyring("ph").unwrap().observed_by(watch.observer());
    open(&keys, &access(), 1).unwrap();
    watch.commit().unwrap();
    Running { disk, elsewhere, alarms, watch, keys }
}

impl Running {
    fn wait_for_alarm(&self, is_meant: impl Fn(&Alarm) -> bool) {
        wait_until("nobody was told", || self.alarms.lock().unwrap().iter().any(&is_meant));
    }

    /// The disk works again: what waited is written, without a restart. Ends the watch, and gives what `judge` does.
    fn end(&self) -> (Vec<u64>, Verdict, Vec<&'static str>) {
        wait_until("the log is not written again", || self.watch.commit().is_ok());
        self.watch.stop().unwrap();
        judge(&self.disk, &self.elsewhere)
    }
}

#[test]
fn a_hung_disk_fills_the_buffer_and_then_openings_fail_at_once() {
    let running = running(|watch| watch.buffer(16));
    running.disk.hang(true);
    let record = running.keys.record("rx", 7).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let reader = record.opened_by(&access());
    let mut opened = 0;
    let error = loop {
        match reader.open::<Drug, String>(&token) {
            Ok(_) => opened += 1,
            Err(error) => break error,
        }
    };
    assert!(WatchError::of(&error).unwrap().is_audit_unavailable());
    assert!(opened >= 60_000, "only {opened} were opened");
    // So many that they would outlast the patience of these tests if each waited as long as it takes until a disk counts as hung.
    let begun = Instant::now();
    for _ in 0..2 * PATIENCE.as_millis() / HUNG.as_millis() {
        assert!(reader.open::<Drug, String>(&token).is_err());
        assert!(begun.elapsed() < PATIENCE, "they wait for a disk that hangs");
    }
    assert!(running.watch.commit().is_err());
    running.disk.hang(false);
    wait_until("the log is not written again", || running.watch.commit().is_ok());
    assert!(reader.open::<Drug, String>(&token).is_ok());
    let (ids, verdict, codes) = running.end();
    assert_eq!((ids.iter().filter(|id| **id == 7).count(), verdict), (opened + 1, Verdict::Whole), "{codes:?}");
}

#[test]
fn a_full_disk_keeps_room_for_what_breaks_the_glass() {
    let running = running(|watch| watch);
    running.disk.set_room(Some(10));
    open(&running.keys, &access(), 2).unwrap();
    running.wait_for_alarm(|alarm| matches!(alarm, Alarm::LogFailed(_)));
    assert!(running.watch.commit().is_err(), "what was opened is not on the disk");
    let glass = access().break_glass("3", "patient unconscious").unwrap();
    open(&running.keys, &glass, 3).unwrap();
    let (ids, _, _) = judge(&running.disk, &running.elsewhere);
    assert!(ids.contains(&3) && !ids.contains(&2), "{ids:?}");
    running.wait_for_alarm(|alarm| *alarm == Alarm::ReserveUsed);
    // With room again, what waited is written.
    running.disk.set_room(None);
    let (ids, verdict, codes) = running.end();
    assert_eq!((ids, verdict), (vec![1, 3, 2], Verdict::Whole), "{codes:?}");
    assert!(running.alarms.lock().unwrap().contains(&Alarm::LogRecovered(0)));
}

#[test]
fn a_program_that_goes_on_without_its_log_leaves_a_gap() {
    let running = running(|watch| watch.buffer(16).on_full(OnFull::Continue));
    running.disk.hang(true);
    let record = running.keys.record("rx", 7).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let reader = record.opened_by(&access());
    let opened = 66_500;
    for _ in 0..opened {
        reader.open::<Drug, String>(&token).unwrap();
    }
    running.disk.hang(false);
    let (ids, verdict, codes) = running.end();
    assert_eq!((verdict, codes), (Verdict::Incomplete, vec!["gap"]));
    let lost = running.disk.state(|state| {
        let lines: String = state.files.values().map(|file| String::from_utf8(file.bytes.clone()).unwrap()).collect();
        let lost = |line: &str| line.split("\"e\":\"gap\",\"lost\":").nth(1)?.split(',').next()?.parse::<usize>().ok();
        lines.lines().filter_map(lost).sum::<usize>()
    });
    assert_eq!(ids.iter().filter(|id| **id == 7).count() + lost, opened, "a loss that nobody counted");
}

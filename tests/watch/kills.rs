//! Programs that are killed: what was answered is in the log.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rxseal::phi::Drug;
use rxseal_watch::When;
use rxseal_watch::verify::Verdict;

use crate::conformance::AnyLog;
use crate::postgres::Tables;
use crate::support::{Place, access, is_full, keyring, watch_in};
use crate::tampering::Draw;

const FOLDER: &str = "RXSEAL_WATCH_TEST_FOLDER";
const ADDRESS: &str = "RXSEAL_WATCH_TEST_ADDRESS";
const MODE: &str = "RXSEAL_WATCH_TEST_MODE";
/// The buffer of the child, in events.
const BUFFER: usize = 256;

/// Opens records until it is killed, and says each id when it has its answer.
#[test]
#[ignore = "the tests below start it"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mode = std::env::var(MODE).unwrap();
    let when = if mode == "durable" { When::Durable } else { When::Queued };
    let budgets = rxseal_watch::Budgets::observe_only();
    let folder = Path::new(&folder);
    let watch = std::env::var(ADDRESS).map_or_else(|_| watch_in(folder), |url| crate::postgres::watch_in(folder, &url));
    let watch = watch.when(when).budgets(budgets).buffer(BUFFER).start().unwrap();
    let keys = keyring(&watch);
    let access = access();
    let mut out = std::io::stdout().lock();
    for id in 1_u64.. {
        let record = keys.record("prescription", id).unwrap();
        let token = record.seal::<Drug>("warfarin").unwrap();
        record.opened_by(&access).open::<Drug, String>(&token).unwrap();
        if mode == "committed" && id % 4 == 0 {
            watch.commit().unwrap();
        }
        if mode != "committed" || id % 4 == 0 {
            writeln!(out, "opened {id}").unwrap();
            out.flush().unwrap();
        }
    }
}

fn start(log: &impl AnyLog, mode: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["kills::child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, log.folder())
        .envs(log.address().map(|address| (ADDRESS, address)))
        .env(MODE, mode)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills a child after some answers, and gives the last id that it answered.
fn kill_after(mut child: Child, answers: usize, wait: Duration) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    let mut answered = |line: String| {
        if let Some(id) = line.split("opened ").nth(1) {
            last = id.parse().unwrap();
        }
    };
    for line in lines.by_ref().take(answers + 2) {
        answered(line.unwrap());
    }
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.for_each(|line| answered(line.unwrap()));
    last
}

/// T74.
#[test]
fn what_was_answered_is_in_the_log() {
    kill_programs(if is_full() { 200 } else { 20 }, Place::new);
}

/// T74.
#[test]
#[ignore = "needs .ci/servers"]
fn what_was_answered_is_in_the_tables() {
    kill_programs(if is_full() { 200 } else { 6 }, Tables::new);
}

fn kill_programs<L: AnyLog>(kills: usize, new_log: impl Fn() -> L) {
    let mut draw = Draw(41);
    let mut most_lost = 0;
    for kill in 0..kills {
        let mode = ["committed", "durable", "queued"][kill % 3];
        let log = new_log();
        let last = kill_after(start(&log, mode), draw.below(40), Duration::from_micros(draw.below(8000) as u64));
        let found: BTreeSet<u64> = log.opened().into_iter().collect();
        let missing = (1..=last).filter(|id| !found.contains(id)).count();
        match mode {
            "queued" => {
                assert!(missing <= 2 * BUFFER, "{missing} lost by one kill");
                most_lost = most_lost.max(missing);
            }
            _ => assert_eq!(missing, 0, "{mode}: an answer without its event"),
        }
        // A killed program is not a tampered log, and the next run says what it found.
        assert_eq!(log.verify().verdict(), Verdict::Incomplete, "{:?}", log.verify().findings());
        drop(log.watch().start().unwrap());
        let report = log.verify();
        assert_eq!(report.verdict(), Verdict::Incomplete, "{:?}", report.findings());
        assert!(report.findings().iter().any(|finding| finding.code() == "no-stop"), "{:?}", report.findings());
        assert_eq!(report.chains(), 2);
    }
    println!("{kills} kills: at most {most_lost} events lost, all of them in the mode queued");
}

/// A child of a fork has no thread that writes: it must start a watch of its own.
#[test]
fn a_fork_is_told_to_start_its_own_watch() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    let record = keys.record("prescription", 1).unwrap();
    let token = record.seal::<Drug>("warfarin").unwrap();
    let access = access();
    // SAFETY: the child calls what allocates, which glibc allows after a fork, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = |error: &rxseal::Error| rxseal_watch::WatchError::of(error).map(rxseal_watch::WatchError::code);
        let refused = record.opened_by(&access).open::<Drug, String>(&token).err();
        let is_refused = refused.as_ref().and_then(code) == Some("forked");
        let not_committed = watch.commit().err().map(|error| error.code()) == Some("forked");
        // SAFETY: nothing of the parent's is flushed or dropped here.
        unsafe { libc::_exit(i32::from(!(is_refused && not_committed))) };
    }
    let mut status = 0;
    // SAFETY: waits for the child above.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child was not refused");
    // The parent goes on.
    record.opened_by(&crate::support::access()).open::<Drug, String>(&token).unwrap();
    drop((keys, record, watch));
    assert!(place.codes().is_empty());
}

//! Openings whose time is not sure: a clock that was set, events that waited, lines that no checkpoint covers, and several logs.

use std::fs;
use std::time::Duration;

use rxseal::testing::{TestClock, insecure_keyring_file};
use rxseal::{Access, Keyring, Purpose, run_local};
use rxseal_watch::verify::Verifier;
use sha2::{Digest as _, Sha256};

use crate::logs::{Logged, open, open_by};
use crate::support::{Told, stolen, told};

/// 2026-08-30T20:00:00Z.
const EIGHT: u64 = 1_788_120_000_000;
const HOUR: u64 = 3_600_000;
const MINUTE: u64 = 60_000;

/// Writes a chain as a watch does: nobody changed it, and no checkpoint proves that.
fn write_chain(logged: &Logged, chain: &str, start: u64, pid: u32, events: &[(u64, u64, &str)]) {
    fs::create_dir_all(logged.log()).unwrap();
    let first = format!(
        r#""e":"start","chain":"{chain}","svc":"fulfil-api","host":"ph17-a","pid":{pid},"lag_ms":5,"buf":4096"#
    );
    let (mut previous, mut text) = ([0_u8; 32], String::new());
    for (n, (t, m, event)) in [(start, 0, first.as_str())].iter().chain(events).enumerate() {
        let json = format!(r#"{{"n":{n},"t":{t},"m":{m},{event}}}"#);
        let mut hash = Sha256::new();
        for (tag, part) in [(0_u8, b"rxseal/v1/audit".as_slice()), (1, &previous), (2, json.as_bytes())] {
            hash.update([tag]);
            hash.update(u32::try_from(part.len()).unwrap().to_be_bytes());
            hash.update(part);
        }
        previous = hash.finalize().into();
        text += &format!("{} {json}\n", base64url(&previous));
    }
    fs::write(logged.log().join(format!("{start:013}-{chain}.rxa")), text).unwrap();
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let letter = |part: &[bool]| (0..6).fold(0, |sum, at| sum * 2 + usize::from(part.get(at) == Some(&true)));
    bits.chunks(6).map(|part| char::from(LETTERS[letter(part)])).collect()
}

fn opened(patient: &str) -> String {
    format!(
        r#""e":"open","ks":"pharmacy-17","who":"user:kim","rt":"prescription","rec":[["{patient}",null]],"cls":{{"identity":1}},"out":"ok""#
    )
}

fn kim_at(logged: &Logged, window: &str) -> Told {
    let key = logged.key.verifier();
    let theft = logged.place.theft().stolen(stolen(&format!("actor:user:kim@{window}")));
    let told = told(theft.log(logged.log(), Verifier::new([key])));
    // Nobody changed it.
    assert!(!told.codes().contains(&"log-tampered"), "{:?}", told.exposure.audit);
    told
}

const STOP: &str = r#""e":"stop""#;

/// The clock of the machine was three hours behind until somebody set it.
#[test]
fn an_opening_does_not_fall_out_of_the_time_by_a_clock_that_was_set() {
    let chain = |is_set: bool| {
        let logged = Logged::empty();
        let late = if is_set { 0 } else { 3 * HOUR };
        let (first, second) = (opened("1"), opened("2"));
        let mut events = vec![
            (EIGHT - 3 * HOUR + MINUTE, MINUTE, first.as_str()),
            (
                EIGHT - 3 * HOUR + 2 * MINUTE,
                2 * MINUTE,
                r#""e":"gap","lost":1,"from":90000,"to":120000,"why":"buffer full""#,
            ),
        ];
        if is_set {
            events.push((EIGHT + 10 * MINUTE, 10 * MINUTE, r#""e":"clock","by":10800000"#));
        }
        events.push((EIGHT + 11 * MINUTE - late, 11 * MINUTE, second.as_str()));
        events.push((EIGHT + 20 * MINUTE - late, 20 * MINUTE, STOP));
        write_chain(&logged, "7f3a9c0e5b1d2468", EIGHT - 3 * HOUR, 7, &events);
        logged
    };
    let set = chain(true);
    let told = kim_at(&set, "2026-08-30T20:00Z..2026-08-30T20:15Z");
    assert_eq!((told.state("1", "identity"), told.state("2", "identity")), ("could-be-read", "readable"));
    assert!(told.codes().contains(&"opening-time") && told.codes().contains(&"log-gap"), "{:?}", told.codes());
    assert!(told.states["1"]["sources"].contains("user:kim"));
    // By its own time an opening is where it was.
    let told = kim_at(&set, "2026-08-30T17:00Z..2026-08-30T17:05Z");
    assert_eq!(told.state("1", "identity"), "readable");
    // The log may have begun three hours later.
    assert!(told.codes().contains(&"log-begins-later"), "{:?}", told.codes());
    // A clock that nobody set is believed.
    let told = kim_at(&chain(false), "2026-08-30T20:00Z..2026-08-30T20:30Z");
    assert!(!told.codes().contains(&"opening-time") && !told.codes().contains(&"log-gap"), "{:?}", told.codes());
    assert!(told.states["1"]["sources"].is_empty());
}

/// A chain of yesterday has the same wrong clock as that of today, in which it was set.
#[test]
fn a_clock_was_wrong_in_the_chain_before_too() {
    let logged = Logged::empty();
    let (first, second) = (opened("1"), opened("2"));
    let noon = EIGHT - 8 * HOUR;
    write_chain(
        &logged,
        "00000000000000aa",
        noon,
        7,
        &[(noon + HOUR, HOUR, &first), (noon + 2 * HOUR, 2 * HOUR, r#""e":"stop","why":"day""#)],
    );
    write_chain(
        &logged,
        "00000000000000bb",
        noon + 2 * HOUR,
        7,
        &[
            (noon + 6 * HOUR, HOUR, r#""e":"clock","by":10800000"#),
            (noon + 6 * HOUR, HOUR, &second),
            (noon + 7 * HOUR, 2 * HOUR, STOP),
        ],
    );
    // 13:00 by the wrong clock was 16:00.
    let told = kim_at(&logged, "2026-08-30T15:55Z..2026-08-30T16:05Z");
    assert_eq!(told.state("1", "identity"), "could-be-read");
    assert!(told.codes().contains(&"opening-time"), "{:?}", told.codes());
}

/// While a log cannot be written, events wait, and get the time at which the next chain begins.
#[test]
fn an_opening_that_waited_for_its_chain_was_earlier() {
    let perhaps = |pid: u32, m: u64, stop: Option<&str>| {
        let logged = Logged::empty();
        let (first, second) = (opened("4"), opened("1"));
        let before = [(EIGHT - HOUR, HOUR, first.as_str())];
        let stop = stop.map(|stop| (EIGHT - HOUR, HOUR, stop));
        let before: Vec<_> = before.into_iter().chain(stop).collect();
        write_chain(&logged, "00000000000000aa", EIGHT - 2 * HOUR, 7, &before);
        let began = EIGHT + 3 * HOUR;
        write_chain(&logged, "00000000000000bb", began, pid, &[(began + m, m, &second), (began + HOUR, HOUR, STOP)]);
        let told = kim_at(&logged, "2026-08-30T20:00Z..2026-08-30T20:10Z");
        assert_eq!(told.codes().contains(&"opening-time"), !told.states["1"]["sources"].is_empty());
        told.codes().contains(&"opening-time")
    };
    assert!(perhaps(7, 0, None) && perhaps(7, 0, Some(r#""e":"stop","why":"size""#)));
    // Another process, one that had ended, and an event that is not from the beginning.
    assert!(!perhaps(8, 0, None) && !perhaps(7, 0, Some(STOP)) && !perhaps(7, 1, None));
}

/// Fields were opened, and the line does not say of which record.
#[test]
fn an_opening_of_no_record_is_of_somebody() {
    let numbers = |what: &str| {
        let logged = Logged::empty();
        let event = format!(r#""e":"open","ks":"pharmacy-17","who":"user:kim",{what}"out":"ok""#);
        write_chain(&logged, "7f3a9c0e5b1d2468", EIGHT, 7, &[(EIGHT, 1, &event), (EIGHT, 2, STOP)]);
        let told = kim_at(&logged, "2026-08-30T20:00Z..2026-08-30T20:10Z");
        (told.exposure.totals.patients, told.codes().contains(&"opening-unnamed"))
    };
    assert_eq!(numbers(r#""cls":{"identity":1},"#), (7, true));
    assert_eq!(numbers(r#""rec":[],"cls":{"identity":1},"#), (7, true));
    // A search without a hit, and an opening of nothing.
    assert_eq!(numbers(r#""find":{"idx":["patient.name"],"cand":1},"rec":[],"cls":{"identity":1},"#), (6, false));
    assert_eq!(numbers(r#""rec":[],"#), (6, false));
}

fn ago(hours: u64) -> TestClock {
    let clock = TestClock::default();
    clock.set_back(Duration::from_secs(hours * 3_600));
    clock
}

/// `FROM..TO`, of so many minutes from now on by a clock.
fn minutes(clock: &TestClock, from: u64, to: u64) -> String {
    let time =
        |minutes: u64| humantime::format_rfc3339_seconds(clock.now() + Duration::from_secs(minutes * 60)).to_string();
    format!("{}..{}", time(from), time(to))
}

/// Lines that no checkpoint from elsewhere covers say nothing against those before them.
#[test]
fn what_a_checkpoint_covers_is_not_doubted_by_what_comes_behind_it() {
    let logged = Logged::empty();
    let clock = ago(12);
    let (mut covered, mut behind) = (String::new(), String::new());
    logged.run_by(
        "ph17-a",
        |watch| watch.clock(&clock),
        |watch, keys| {
            open(keys, "user:kim", 1);
            watch.commit().unwrap();
            covered = minutes(&clock, 1, 30);
            clock.advance(Duration::from_secs(3_600));
            let glass =
                Access::new("user:lee", Purpose::TREAT).unwrap().break_glass("3", "a checkpoint, please").unwrap();
            open_by(keys, &glass, 3);
            watch.commit().unwrap();
            behind = minutes(&clock, 10, 30);
            clock.advance(Duration::from_secs(3_600));
            open(keys, "user:kim", 2);
            watch.commit().unwrap();
        },
    );
    let at = |window: &str| {
        let theft = logged.place.theft().stolen(stolen(&format!("actor:user:kim@{window}")));
        let told = told(theft.log(logged.log(), logged.verifier()));
        (told.numbers(), told.codes().iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!((at(&covered), at(&behind)), (((0, 0, 6), vec![]), ((0, 0, 6), vec![])));
    // The checkpoints behind that of the broken glass never arrived.
    let number = |path: &std::path::Path| -> u64 {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        name.rsplit_once('-').unwrap().1.parse().unwrap()
    };
    let lines = fs::read_to_string(&logged.chains()[0]).unwrap();
    let glass = u64::try_from(lines.lines().position(|line| line.contains("\"btg\"")).unwrap()).unwrap();
    for entry in fs::read_dir(logged.place.path("elsewhere")).unwrap() {
        let path = entry.unwrap().path();
        if number(&path) > glass + 1 {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(at(&covered), ((0, 0, 6), vec![]));
    assert_eq!(at(&behind), ((0, 6, 6), vec!["log-uncovered".to_owned()]));
}

/// Each host has a log of its own, and a login works on all of them.
#[test]
fn a_login_is_looked_for_in_the_logs_of_all_hosts() {
    let (one, other) = (Logged::empty(), Logged::empty());
    let clock = ago(12);
    let mut window = String::new();
    one.run_by(
        "ph17-a",
        |watch| watch.clock(&clock),
        |first, keys| {
            other.run_by(
                "ph17-b",
                |watch| watch.clock(&clock),
                |second, keys_there| {
                    window = minutes(&clock, 1, 3);
                    clock.advance(Duration::from_secs(120));
                    open(keys, "user:kim", 1);
                    open(keys_there, "user:kim", 4);
                    first.commit().unwrap();
                    second.commit().unwrap();
                    clock.advance(Duration::from_secs(120));
                },
            );
        },
    );
    let kim = || one.place.theft().stolen(stolen(&format!("actor:user:kim@{window}"))).log(one.log(), one.verifier());
    let alone = told(kim());
    assert_eq!((alone.numbers(), alone.codes()), ((1, 1, 6), vec![]));
    assert!(alone.exposure.assumed.iter().any(|assumed| assumed.text.ends_with("they ran on ph17-a")));
    let both = told(kim().log(other.log(), other.verifier()));
    assert_eq!((both.numbers(), both.codes()), ((2, 2, 6), vec![]));
    assert_eq!((both.state("4", "identity"), both.exposure.audit.as_ref().unwrap().chains), ("readable", 2));
    assert!(both.exposure.assumed.iter().any(|assumed| assumed.text.ends_with("they ran on ph17-a, ph17-b")));
    // What one of them lacks is not known, and the report says of which.
    let unverified = told(kim().log(other.log(), Verifier::new([])));
    assert_eq!((unverified.numbers(), unverified.codes()), ((2, 6, 6), vec!["log-unverified"]));
    assert!(unverified.exposure.doubts[0].text.starts_with(&other.log().display().to_string()));
    assert!(!unverified.exposure.audit.as_ref().unwrap().has_checkpoints);
    // Of a host only its own log counts.
    let host =
        |name: &str| one.place.theft().stolen(stolen(&format!("host:{name}@{window}"))).log(one.log(), one.verifier());
    assert_eq!(told(host("ph17-a").log(other.log(), Verifier::new([]))).codes(), Vec::<&str>::new());
    assert_eq!(told(host("ph17-b").log(other.log(), Verifier::new([]))).codes(), ["log-unverified"]);
    // The log of the key service has the unlockings of both, and one that neither has.
    one.place.write(
        "cloudtrail.json",
        r#"{"eventName":"Decrypt","requestID":"r","requestParameters":{"encryptionContext":{"rxseal:keyspace":"x"}}}"#,
    );
    let trail = one.place.path("cloudtrail.json");
    let theft = || one.place.theft().stolen(stolen(&format!("actor:user:kim@{window}")));
    let service = theft().log(one.log(), one.verifier().kms_log(&trail).unwrap()).log(other.log(), other.verifier());
    let service = told(service);
    assert_eq!(service.codes(), ["log-unlock-elsewhere"]);
    assert_eq!((service.exposure.doubts.len(), service.exposure.audit.as_ref().unwrap().has_service_log), (1, true));
}

/// The map knows one keyspace, and the log has openings of two: the same number is of two patients.
#[test]
fn keyspaces_of_a_log_keep_patients_apart() {
    let logged = Logged::empty();
    let (roots, ring) = insecure_keyring_file("clinic-3").unwrap();
    logged.run_by(
        "ph17-a",
        |watch| watch,
        |watch, keys| {
            open(keys, "user:kim", 1);
            let clinic = run_local(Keyring::unlock("clinic-3", &roots, &ring)).unwrap().observed_by(watch.observer());
            open(&clinic, "user:kim", 1);
        },
    );
    let kim = told(logged.kim());
    assert_eq!((kim.numbers(), kim.codes()), ((2, 2, 7), vec![]));
    // And so it is with a log that was stolen.
    let taken = told(logged.place.theft().stolen(stolen(&format!("audit:{}", logged.log().display()))));
    assert_eq!((taken.exposure.totals.patients, taken.exposure.totals.clear), (7, 2));
}

#[test]
fn a_second_log_that_is_not_there_proves_nothing() {
    let logged = Logged::new();
    let told = told(logged.kim().log(logged.place.path("nowhere"), Verifier::new([])));
    assert_eq!((told.exposure.totals.proven, told.exposure.totals.at_most), (2, 6));
    assert!(told.codes().contains(&"log-not-read"), "{:?}", told.codes());
}

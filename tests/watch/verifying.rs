//! What verifying says of logs that were not tampered with, and of checkpoints.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rxseal::testing::TestClock;
use rxseal_watch::verify::{Verdict, Verifier};
use rxseal_watch::{SigningKey, Watch};

use crate::support::{Place, access, files, keyring, open_records};
use crate::tampering::logged;

#[test]
fn without_checkpoints_from_elsewhere_it_proves_accidents_only() {
    let (place, _) = logged();
    let verifier = || Verifier::new([place.key().verifier()]).at(u64::MAX);
    let codes = |verifier: Verifier| {
        let report = verifier.verify(place.log()).unwrap();
        assert_eq!(report.verdict(), Verdict::Incomplete);
        report.findings().iter().map(rxseal_watch::verify::Finding::code).collect::<Vec<_>>()
    };
    assert_eq!(codes(verifier()), ["nothing-to-compare"]);
    // Beside the log is not elsewhere.
    assert_eq!(codes(verifier().checkpoints(place.log()).unwrap()), ["nothing-to-compare"]);
    assert!(verifier().checkpoints("/no/such/folder").is_err());
    let report = place.verify();
    assert_eq!((report.verdict(), report.chains()), (Verdict::Whole, 2));
    assert_eq!(report.events(), place.lines().len() as u64);
}

#[test]
fn checkpoints_of_another_key_and_forged_ones() {
    let (place, logs) = logged();
    let other = SigningKey::generate("tests.example").unwrap();
    let report = Verifier::new([other.verifier()]).at(u64::MAX).checkpoints(place.elsewhere()).unwrap();
    let report = report.verify(place.log()).unwrap();
    assert_eq!(report.verdict(), Verdict::Incomplete);
    assert!(report.findings().iter().any(|finding| finding.code() == "unknown-key"));

    // Somebody rewrites the log and the notes, and cannot sign.
    let notes = files(&place.elsewhere(), "note");
    let text = fs::read_to_string(&notes[0]).unwrap();
    fs::write(&notes[0], text.replace("size ", "size 1")).unwrap();
    assert!(place.codes().contains(&"checkpoint-forged"));
    fs::write(&notes[0], "junk").unwrap();
    assert!(place.codes().contains(&"checkpoint-forged"));
    fs::write(&notes[0], &text).unwrap();

    // A crash while a note is written beside the log is not forgery.
    let beside = logs[1].with_extension("rxn");
    let whole = fs::read_to_string(&beside).unwrap();
    fs::write(&beside, &whole[..whole.len() - 30]).unwrap();
    assert_eq!(place.codes(), ["checkpoint-torn"]);
}

#[test]
fn a_chain_that_is_gone_is_missing() {
    let (place, logs) = logged();
    for log in &logs {
        let text = fs::read(log).unwrap();
        fs::remove_file(log).unwrap();
        assert!(place.codes().contains(&"chain-missing"), "{:?}", place.codes());
        assert_eq!(place.verify().verdict(), Verdict::Tampered);
        fs::write(log, text).unwrap();
    }
    // After the time for which logs are kept, a chain goes with its checkpoints, and the next one says what was before it.
    fs::remove_file(&logs[0]).unwrap();
    fs::remove_file(logs[0].with_extension("rxn")).unwrap();
    let chain = logs[0].file_stem().unwrap().to_str().unwrap().split_once('-').unwrap().1.to_owned();
    for note in files(&place.elsewhere(), "note") {
        if note.to_str().unwrap().contains(&chain) {
            fs::remove_file(note).unwrap();
        }
    }
    assert_eq!(place.codes(), ["begins-later"]);
}

/// A machine and a copy of it that was restored write the same chain: their checkpoints of one size differ.
#[test]
fn two_writers_of_one_chain_are_a_fork() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    watch.commit().unwrap();
    let copy = Place::new();
    for path in place.files() {
        fs::copy(&path, copy.log().join(path.file_name().unwrap())).unwrap();
    }
    open_records(&keys, &access(), [1]);
    drop((keys, watch));
    // The copy goes on with another event of the same number; its writer has the same key.
    let lines = place.lines();
    let (head, changed) = lines.split_at(2);
    let changed: Vec<_> = changed.iter().map(|line| line.replace("\"1\"", "\"2\"")).collect();
    let mut previous = crate::python::last_hash(head);
    let mut text: String = head.iter().map(|line| format!("{line}\n")).collect();
    for line in &changed {
        let json = line.split_once(' ').unwrap().1;
        previous = crate::python::hash_line(&previous, json.as_bytes());
        text += &format!("{} {json}\n", crate::python::hash_text(&previous));
    }
    let name = place.files()[0].file_name().unwrap().to_owned();
    fs::write(copy.log().join(&name), text).unwrap();
    // With the checkpoints of the first, the log of the second differs; with those of both in one place, they say fork.
    let verifier = Verifier::new([place.key().verifier()]).at(u64::MAX).checkpoints(place.elsewhere()).unwrap();
    let report = verifier.verify(copy.log()).unwrap();
    assert_eq!(report.verdict(), Verdict::Tampered);
    assert!(report.findings().iter().any(|finding| finding.code() == "checkpoint-differs"));
}

#[test]
fn a_log_that_is_written_now_is_whole() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), 0..50);
    watch.commit().unwrap();
    let verifier = Verifier::new([place.key().verifier()]).checkpoints(place.elsewhere()).unwrap();
    let report = verifier.verify(place.log()).unwrap();
    assert_eq!(report.verdict(), Verdict::Whole);
    assert!(report.findings().iter().all(|finding| finding.code() == "running"), "{:?}", report.findings());
    // Three minutes later nobody has written on.
    assert_eq!(place.verify().verdict(), Verdict::Incomplete);
    drop(keys);
}

/// A log that is written on, while its checkpoints no longer arrive elsewhere: only lines of the last two minutes may be on their way.
#[test]
fn old_lines_that_no_checkpoint_covers_are_not_on_their_way() {
    let place = Place::new();
    let clock = TestClock::default();
    clock.set_back(Duration::from_secs(3_600));
    let watch = place.watch().clock(&clock).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), [1]);
    watch.commit().unwrap();
    let codes = |at: SystemTime| {
        let at = u64::try_from(at.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let verifier =
            Verifier::new([place.key().verifier()]).at(at).checkpoints(place.folder().join("nothing")).unwrap();
        let report = verifier.verify(place.log()).unwrap();
        (report.findings().iter().map(rxseal_watch::verify::Finding::code).collect::<Vec<_>>(), report.verdict())
    };
    fs::create_dir_all(place.folder().join("nothing")).unwrap();
    assert_eq!(codes(clock.now()), (vec!["running"], Verdict::Whole));
    clock.advance(Duration::from_secs(1_800));
    open_records(&keys, &access(), [2]);
    watch.commit().unwrap();
    // Its last line is young, and its first ones are half an hour old.
    assert_eq!(codes(clock.now()), (vec!["uncovered"], Verdict::Incomplete));
    drop((keys, watch));
}

#[test]
fn a_second_process_has_a_chain_of_its_own() {
    let place = Place::new();
    let watches: Vec<Watch> = (0..3).map(|_| place.watch().start().unwrap()).collect();
    let keys: Vec<_> = watches.iter().map(keyring).collect();
    for round in 0..20 {
        keys.iter().for_each(|keys| open_records(keys, &access(), [round]));
    }
    drop((keys, watches));
    assert_eq!(place.files().len(), 3);
    assert!(place.codes().is_empty(), "{:?}", place.verify().findings());
    assert_eq!(place.openings().len(), 60);
}

/// Files that are not logs, and empty ones.
#[test]
fn strange_files() {
    let place = Place::new();
    assert_eq!((place.verify().verdict(), place.verify().chains()), (Verdict::Whole, 0));
    fs::write(place.log().join("notes.txt"), "hello").unwrap();
    fs::write(place.log().join("1764000000000-7f3a9c0e5b1d2468.rxa"), "").unwrap();
    assert_eq!(place.codes(), ["empty"]);
    for (bytes, code) in [("junk\n", "changed"), ("junk", "torn"), ("\n", "changed")] {
        fs::write(place.log().join("1764000000000-7f3a9c0e5b1d2468.rxa"), bytes).unwrap();
        assert!(place.codes().contains(&code), "{bytes:?}: {:?}", place.codes());
    }
    let long = "x".repeat(1_000_000);
    fs::write(place.log().join("1764000000000-7f3a9c0e5b1d2468.rxa"), long).unwrap();
    assert!(place.codes().contains(&"changed"));
}

/// A long chain takes a few times as long to verify as to hash, which only a full run holds it to: others do not measure time.
#[test]
fn verifying_takes_a_few_times_as_long_as_hashing() {
    let events: u64 = match (cfg!(debug_assertions), crate::support::is_full()) {
        (true, _) => 2_000,
        (false, false) => 200_000,
        (false, true) => 1_000_000,
    };
    let place = Place::new();
    let chain = "7f3a9c0e5b1d2468";
    let path = place.log().join(format!("1764000000000-{chain}.rxa"));
    let (mut previous, mut bytes) = ([0; 32], Vec::new());
    for n in 0..events {
        let (t, rest) = (
            1_764_000_000_000 + n,
            format!(
                "\"ks\":\"pharmacy-17\",\"who\":\"user:kim.rph\",\"pou\":\"TREAT\",\"req\":\"01J9Z0Q7C1\",\"rt\":\"prescription\",\"rec\":[[\"RX-{n}\",\"pat-77\"]],\"cls\":{{\"identity\":1,\"medication\":2}},\"key\":[\"q3Zk81Ab\"],\"out\":\"ok\"}}"
            ),
        );
        let json = match n {
            0 => format!("{{\"n\":0,\"t\":{t},\"m\":0,\"e\":\"start\",\"chain\":\"{chain}\",\"buf\":4096}}"),
            _ if n + 1 == events => format!("{{\"n\":{n},\"t\":{t},\"m\":{n},\"e\":\"stop\"}}"),
            _ => format!("{{\"n\":{n},\"t\":{t},\"m\":{n},\"e\":\"open\",{rest}"),
        };
        previous = crate::python::hash_line(&previous, json.as_bytes());
        bytes.extend_from_slice(crate::python::hash_text(&previous).as_bytes());
        bytes.extend_from_slice(format!(" {json}\n").as_bytes());
    }
    fs::write(&path, &bytes).unwrap();
    let best = |work: &dyn Fn()| {
        let times = (0..5).map(|_| {
            let begun = std::time::Instant::now();
            work();
            begun.elapsed()
        });
        times.min().unwrap()
    };
    let hashing = best(&|| {
        use sha2::Digest;
        std::hint::black_box(sha2::Sha256::digest(&bytes));
    });
    let verifying = best(&|| {
        let report = Verifier::new([place.key().verifier()]).at(u64::MAX).verify(place.log()).unwrap();
        assert_eq!((report.events(), report.findings().len()), (events, 1), "{:?}", report.findings());
    });
    let ratio = verifying.as_secs_f64() / hashing.as_secs_f64();
    println!(
        "{events} events, {} MB: hashed in {hashing:?}, verified in {verifying:?}, {ratio:.2} times",
        bytes.len() / 1_000_000
    );
    assert!(ratio < 5.0 || !crate::support::is_full(), "{ratio:.2} times");
}

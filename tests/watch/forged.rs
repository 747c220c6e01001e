//! Logs that somebody made who can write every file and hash every line: each rule of FORMAT 16 about chains has its own word.

use std::fs;

use rxseal_watch::verify::{Finding, Verifier};

use crate::python::{ask_python, hash_line, hash_text, status_of};
use crate::support::Place;

/// The older chain and the newer one.
const OLD: &str = "00000000000000aa";
const NEW: &str = "00000000000000bb";
const STOP: &str = r#""e":"stop""#;
const OPEN: &str = r#""e":"open","out":"ok""#;

/// A chain: its id, and the text of its file.
type Chain = (&'static str, Vec<u8>);

/// A file whose lines have these members behind number and times, a second apart.
fn chain(id: &'static str, events: &[&str]) -> Chain {
    let numbered = |(n, event): (usize, &&str)| format!("{{\"n\":{n},\"t\":{},\"m\":{},{event}}}", n * 1000, n * 1000);
    (id, lines(&events.iter().enumerate().map(numbered).collect::<Vec<_>>()))
}

/// These lines of JSON with the hashes that they should have.
fn lines(jsons: &[String]) -> Vec<u8> {
    let (mut previous, mut text) = ([0; 32], String::new());
    for json in jsons {
        previous = hash_line(&previous, json.as_bytes());
        text += &format!("{} {json}\n", hash_text(&previous));
    }
    text.into_bytes()
}

fn start(chain: &str) -> String {
    format!(r#""e":"start","chain":"{chain}","buf":16"#)
}

/// The start of the newer chain, which says of the older one that line `n` has the hash of line `of` in `text`.
fn start_after(text: &[u8], n: usize, of: usize, more: &str) -> String {
    let hash = str::from_utf8(text.split(|byte| *byte == b'\n').nth(of).unwrap().get(..43).unwrap()).unwrap();
    format!(r#"{},"prev":{{"chain":"{OLD}","n":{n},"h":"{hash}"{more}}}"#, start(NEW))
}

/// An older chain, and a newer one that says this of it.
fn linked(old: Vec<u8>, n: usize, of: usize, more: &str) -> Vec<Chain> {
    let new = chain(NEW, &[&start_after(&old, n, of, more), STOP]);
    vec![(OLD, old), new]
}

fn forgeries() -> Vec<(&'static str, Vec<Chain>, &'static [&'static str])> {
    let started = start(OLD);
    let one = |events: &[&str]| vec![chain(OLD, events)];
    let whole = || chain(OLD, &[&start(OLD), OPEN, STOP]).1;
    let torn = |behind: &str| [&chain(OLD, &[&start(OLD), OPEN]).1, behind.as_bytes()].concat();
    let long = format!(r#""e":"open","x":"{}""#, "x".repeat(128 * 1024));
    let jumped = [
        format!(r#"{{"n":0,"t":0,"m":0,{started}}}"#),
        format!(r#"{{"n":1,"t":9000,"m":1000,{OPEN}}}"#),
        format!(r#"{{"n":2,"t":9000,"m":1000,{STOP}}}"#),
    ];
    let told = [
        format!(r#"{{"n":0,"t":0,"m":0,{started}}}"#),
        r#"{"n":1,"t":9000,"m":1000,"e":"clock","by":8000}"#.to_owned(),
        format!(r#"{{"n":2,"t":9000,"m":1000,{STOP}}}"#),
    ];
    let gap_in_numbers = [format!(r#"{{"n":0,"t":0,"m":0,{started}}}"#), format!(r#"{{"n":2,"t":0,"m":0,{STOP}}}"#)];
    vec![
        // 16.1 to 16.3
        ("a good chain", one(&[&started, OPEN, STOP]), &["uncovered"]),
        ("kinds and members of later versions", one(&[&started, r#""e":"later","x":[1]"#, STOP]), &["uncovered"]),
        ("a number is left out", vec![(OLD, lines(&gap_in_numbers))], &["changed"]),
        ("a line of 128 KiB", one(&[&started, &long, STOP]), &["changed"]),
        ("no start", one(&[OPEN, STOP]), &["not-its-start"]),
        ("a start without its chain", one(&[r#""e":"start""#, STOP]), &["not-its-start"]),
        ("a start of another chain", one(&[&start(NEW), STOP]), &["not-its-start"]),
        ("a start comes again", one(&[&started, &started, STOP]), &["not-its-start"]),
        ("a line behind the stop", one(&[&started, STOP, OPEN]), &["after-stop"]),
        // 16.5
        ("a good link", linked(whole(), 2, 2, ""), &["uncovered", "uncovered"]),
        ("a link to another hash", linked(whole(), 2, 1, ""), &["link-broken", "uncovered"]),
        ("a link to a line that is gone", linked(whole(), 3, 2, ""), &["link-broken", "uncovered"]),
        ("a link that knows lines twice", linked(whole(), 2, 2, r#","again":1"#), &["uncovered", "uncovered", "again"]),
        (
            "a torn end that was found",
            linked(torn("abc"), 1, 1, r#","torn":3"#),
            &["torn", "no-stop", "uncovered", "uncovered"],
        ),
        ("a torn end that grew", linked(torn("abcd"), 1, 1, r#","torn":3"#), &["link-broken", "uncovered"]),
        (
            "a chain that goes on behind its torn end",
            linked(whole(), 1, 1, r#","torn":3"#),
            &["link-broken", "uncovered"],
        ),
        ("the first chain names an older one", linked(whole(), 2, 2, "").split_off(1), &["begins-later", "uncovered"]),
        (
            "a chain between is gone",
            vec![
                ("0000000000000001", chain("0000000000000001", &[&start("0000000000000001"), STOP]).1),
                linked(whole(), 2, 2, "").remove(1),
            ],
            &["chain-missing", "uncovered", "uncovered"],
        ),
        // 16.6
        ("no stop", one(&[&started, OPEN]), &["no-stop", "uncovered"]),
        ("events were lost", one(&[&started, r#""e":"gap","lost":2"#, STOP]), &["gap", "uncovered"]),
        ("a clock that jumped", vec![(OLD, lines(&jumped))], &["clock-jumped", "uncovered"]),
        ("a clock that jumped, as a line says", vec![(OLD, lines(&told))], &["uncovered"]),
    ]
}

fn written(place: &Place, at: usize, chains: &[Chain]) -> std::path::PathBuf {
    let folder = place.folder().join(format!("forged-{at}"));
    fs::create_dir(&folder).unwrap();
    for (at, (id, text)) in chains.iter().enumerate() {
        fs::write(folder.join(format!("{:013}-{id}.rxa", 1_764_000_000_000 + at)), text).unwrap();
    }
    folder
}

fn verifier(place: &Place) -> Verifier {
    // No checkpoints are there, so what is at fault is a chain or a link.
    Verifier::new([place.key().verifier()]).at(u64::MAX).checkpoints(place.elsewhere()).unwrap()
}

#[test]
fn each_rule_of_chains_has_its_word() {
    let place = Place::new();
    for (at, (name, chains, expected)) in forgeries().iter().enumerate() {
        let report = verifier(&place).verify(written(&place, at, chains)).unwrap();
        let mut codes: Vec<_> = report.findings().iter().map(Finding::code).collect();
        let mut expected = expected.to_vec();
        codes.sort_unstable();
        expected.sort_unstable();
        assert_eq!(codes, expected, "{name}: {:?}", report.findings());
    }
}

#[test]
#[ignore = "needs python3 with cryptography"]
fn the_python_verifier_agrees_on_forged_logs() {
    let place = Place::new();
    let forgeries = forgeries();
    let folders: Vec<_> =
        forgeries.iter().enumerate().map(|(at, (_, chains, _))| written(&place, at, chains)).collect();
    let theirs = ask_python(&place, &folders);
    for ((name, ..), (folder, theirs)) in forgeries.iter().zip(folders.iter().zip(theirs)) {
        assert_eq!(theirs, status_of(&verifier(&place).verify(folder).unwrap()), "{name}");
    }
}

//! Nobody changes a log unnoticed whose checkpoints are kept elsewhere.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rxseal_watch::ToolRun;
use rxseal_watch::verify::{Verdict, Verifier};

use crate::conformance::AnyLog;
use crate::support::{Place, access, is_full, keyring, open_records};

/// A small generator, so that a failure can be repeated.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// A log of two runs, with checkpoints elsewhere up to its last line.
pub fn logged() -> (Place, Vec<PathBuf>) {
    let place = Place::new();
    write_two_runs(&place);
    let files = place.files();
    (place, files)
}

pub fn write_two_runs(log: &impl AnyLog) {
    for run in 0..2 {
        let watch = log.watch().start().unwrap();
        let keys = keyring(&watch);
        for part in 0..4 {
            open_records(&keys, &access(), (0..6).map(|n| run * 100 + part * 10 + n));
            // Two checkpoints in the middle.
            let glass = access().break_glass("1", "a checkpoint, please").unwrap();
            if part % 2 == 0 {
                open_records(&keys, &glass, [1]);
            }
        }
        watch
            .ran(&ToolRun::drill("user:lee", "restore", "passed").unwrap().number("opened", 6).wrote([7; 32]))
            .unwrap();
        drop((keys, watch));
    }
    assert!(log.codes().is_empty(), "{:?}", log.codes());
}

/// A chain that was written anew over lines as they are now: what someone does who can write the log and knows its form.
fn rehashed(lines: &[String]) -> String {
    let (mut previous, mut text) = ([0_u8; 32], String::new());
    for line in lines {
        let json = line.split_once(' ').map_or(line.as_str(), |(_, json)| json);
        previous = crate::python::hash_line(&previous, json.as_bytes());
        text += &format!("{} {json}\n", crate::python::hash_text(&previous));
    }
    text
}

/// The kinds of a change. Each is noticed.
const KINDS: usize = 12;

pub fn changed(kind: usize, text: &str, draw: &mut Draw) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = draw.below(lines.len());
    let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
    let renumbered = |lines: &mut [String]| {
        for (n, line) in lines.iter_mut().enumerate() {
            let rest = line.split_once(",\"t\"").unwrap().1.to_owned();
            *line = format!("{} {{\"n\":{n},\"t\"{rest}", &line[..43]);
        }
    };
    match kind {
        // One bit.
        0 => {
            let mut bytes = text.as_bytes().to_vec();
            let at = draw.below(bytes.len());
            bytes[at] ^= 1 << draw.below(8);
            bytes
        }
        // A line less, as it is and with a chain made anew.
        1 => {
            lines.remove(at);
            joined(&lines)
        }
        2 => {
            lines.remove(at);
            renumbered(&mut lines);
            rehashed(&lines).into_bytes()
        }
        // Two lines exchanged.
        3 | 4 => {
            let other = (at + 1 + draw.below(lines.len() - 1)) % lines.len();
            lines.swap(at, other);
            if kind == 3 {
                return joined(&lines);
            }
            renumbered(&mut lines);
            rehashed(&lines).into_bytes()
        }
        // A line more.
        5 | 6 => {
            let line = lines[draw.below(lines.len())].clone();
            lines.insert(at, line);
            if kind == 5 {
                return joined(&lines);
            }
            renumbered(&mut lines);
            rehashed(&lines).into_bytes()
        }
        // Another actor in one line.
        7 | 8 => {
            let at = lines.iter().skip(at).position(|line| line.contains("user:kim.rph")).map_or(3, |found| at + found);
            lines[at] = lines[at].replacen("user:kim.rph", "user:lee.rph", 1);
            if kind == 7 { joined(&lines) } else { rehashed(&lines).into_bytes() }
        }
        // A tail cut off at a line, and in the middle of one.
        9 => joined(&lines[..at]),
        10 => text.as_bytes()[..draw.below(text.len())].to_vec(),
        // Bytes behind the end.
        _ => {
            let mut bytes = text.as_bytes().to_vec();
            bytes.extend((0..=draw.below(40)).map(|_| draw.below(256) as u8));
            bytes
        }
    }
}

/// T73.
#[test]
fn every_change_is_noticed() {
    let trials = match (cfg!(debug_assertions), is_full()) {
        (true, _) => 600,
        (false, false) => 20_000,
        (false, true) => 1_000_000,
    };
    // Each thread has a log of its own.
    let threads = 2;
    let by_kind = std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || tamper(thread, trials / threads))).collect();
        running.into_iter().fold([0; KINDS], |mut sum, thread| {
            sum.iter_mut().zip(thread.join().unwrap()).for_each(|(sum, done)| *sum += done);
            sum
        })
    });
    println!("{} trials by kind {by_kind:?}", by_kind.iter().sum::<u32>());
    assert!(by_kind.iter().all(|done| *done > 0));
}

/// Changes a log so often, and says how many changes of each kind were noticed.
fn tamper(thread: usize, trials: usize) -> [u32; KINDS] {
    let (place, files) = logged();
    let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    // Who changes a log changes what is beside it.
    files.iter().for_each(|path| fs::remove_file(path.with_extension("rxn")).unwrap());
    let verifier = Verifier::new([place.key().verifier()]).at(u64::MAX).checkpoints(place.elsewhere()).unwrap();
    let mut draw = Draw(0x5EED + thread as u64);
    let mut by_kind = [0; KINDS];
    for trial in 0..trials {
        let (file, kind) = (draw.below(files.len()), trial % KINDS);
        let new = changed(kind, &texts[file], &mut draw);
        if new == texts[file].as_bytes() {
            continue;
        }
        put(&files[file], &new);
        let report = verifier.verify(place.log()).unwrap();
        assert_ne!(report.verdict(), Verdict::Whole, "thread {thread}, trial {trial}, kind {kind}");
        // A crash leaves an end without a line end, and that only.
        let may_be_crash = kind == 11 && !new[texts[file].len()..].contains(&b'\n');
        let expected = if may_be_crash { Verdict::Incomplete } else { Verdict::Tampered };
        assert_eq!(report.verdict(), expected, "thread {thread}, trial {trial}, kind {kind}: {:?}", report.findings());
        by_kind[kind] += 1;
        put(&files[file], texts[file].as_bytes());
    }
    assert_eq!(place.verify().verdict(), Verdict::Whole);
    by_kind
}

/// Writes over a file. One that is first cut to nothing is flushed to the disk when it is closed, which is nearly all that a trial would wait for.
fn put(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}

/// Who cuts the tail together with its later checkpoints is found by the checkpoints elsewhere; without those, nobody finds it.
#[test]
fn a_tail_that_is_cut_with_its_checkpoints() {
    let (place, files) = logged();
    let last = &files[1];
    let text = fs::read_to_string(last).unwrap();
    let cut = text.lines().take(7).map(|line| format!("{line}\n")).collect::<String>();
    fs::write(last, &cut).unwrap();
    fs::write(last.with_extension("rxn"), "").unwrap();
    assert_eq!(place.codes(), ["tail-cut"]);
    // Only the notes up to there are elsewhere: the rest is uncovered, and the chain has no end.
    let notes = crate::support::files(&place.elsewhere(), "note");
    for note in &notes {
        let text = fs::read_to_string(note).unwrap();
        let size: u64 = text.lines().find_map(|line| line.strip_prefix("size ")).unwrap().parse().unwrap();
        let chain = text.lines().find_map(|line| line.strip_prefix("chain ")).unwrap();
        if size > 7 && last.to_str().unwrap().contains(chain) {
            fs::remove_file(note).unwrap();
        }
    }
    let codes = place.codes();
    assert!(codes.contains(&"no-stop") && codes.contains(&"uncovered"), "{codes:?}");
    assert_eq!(place.verify().verdict(), Verdict::Incomplete);
}

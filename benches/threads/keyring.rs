//! The time that unlocking a keyring of 100 keys takes, and its memory.

use std::hint::black_box;
use std::time::Instant;

use rxseal::keys::{Backend, KeyringFile, Suite, UnlockOptions};
use rxseal::root::RootKeys;
use rxseal::{Class, Keyring, Record, RecordReader, Token, run_local};

use crate::common::heap::watch;
use crate::common::{self, clock, median, open_record, print_table, seal_record};

const KEYSPACE: &str = "pharmacy-17";
const KEYS: usize = 100;
const UNLOCK_TARGET_US: u32 = 150;
const MEMORY_TARGET_KIB: u32 = 256;

pub fn unlock(backend: Backend, times: usize) {
    let roots = common::roots();
    let mut file = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, Suite::default())).unwrap();
    while file.keys().len() < KEYS {
        file = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &file)).unwrap();
    }
    let text = file.to_string();
    let mut unlocking = times_of(times, || unlocked(backend, &roots, &file));
    let mut parsing = times_of(times, || text.parse::<KeyringFile>().unwrap());
    let row = |what: &str, (wall, cpu): &mut (Vec<f64>, Vec<f64>), target: String| {
        vec![what.to_owned(), format!("{:.0}", median(wall)), format!("{:.0}", median(cpu)), target]
    };
    print_table(
        &["a keyring of 100 keys", "us", "CPU us", "target"],
        &[
            row("unlock its file", &mut unlocking, UNLOCK_TARGET_US.to_string()),
            row("read the file's text", &mut parsing, String::new()),
        ],
    );
    println!();
}

/// Microseconds by the clock, and of the processor.
fn times_of<T>(times: usize, mut work: impl FnMut() -> T) -> (Vec<f64>, Vec<f64>) {
    let once = |_| {
        let (begun, cpu) = (Instant::now(), clock::of_thread());
        let result = work();
        let took = (begun.elapsed().as_secs_f64() * 1e6, (clock::of_thread() - cpu).as_secs_f64() * 1e6);
        drop(black_box(result));
        took
    };
    (0..times).map(once).unzip()
}

/// Class keys are made when they are first used, so the keyring grows until each of its keys was used for each class.
pub fn memory(backend: Backend) {
    let (roots, file, sealed) = rotated();
    let (keys, heap) = watch(|| unlocked(backend, &roots, &file));
    let open = keys.record("prescription", common::RECORD_ID).unwrap().opened_by(&common::access());
    let mut bytes = heap.left;
    let mut rows = vec![memory_row("unlocked", bytes, None)];
    for (what, places, target) in [
        ("each key used for the 6 ready classes", 0..6, Some(MEMORY_TARGET_KIB)),
        ("each key used for 16 classes", 6..16, None),
        ("each key used for 32 classes, the most there can be", 16..32, None),
    ] {
        bytes += watch(|| sealed.iter().for_each(|tokens| open_all(&open, tokens, places.clone()))).1.left;
        rows.push(memory_row(what, bytes, target));
    }
    print_table(&["memory of a keyring of 100 keys", "KiB", "target"], &rows);
    println!();
}

fn memory_row(what: &str, bytes: i64, target: Option<u32>) -> Vec<String> {
    let target = target.map_or_else(String::new, |kib| kib.to_string());
    vec![what.to_owned(), format!("{:.1}", bytes as f64 / 1024.0), target]
}

/// What many records leave behind: nothing.
pub fn many_records(backend: Backend, count: u64) {
    let keys = common::unlocked_with(Suite::default(), backend).unobserved();
    let access = common::access();
    let one = |id: u64| {
        let record = keys.record("prescription", id).unwrap();
        let tokens = seal_record(&record);
        black_box(open_record(&record.opened_by(&access), &tokens));
    };
    one(0);
    let ((), heap) = watch(|| (0..count).for_each(one));
    print_table(
        &["records sealed and opened", "bytes left", "most bytes at once"],
        &[vec![count.to_string(), heap.left.to_string(), heap.peak.to_string()]],
    );
    println!();
    assert_eq!(heap.left, 0, "memory grows with the number of records");
}

/// A keyring of 100 keys (one of them the index root) and the tokens of one record, of all classes, under each of its keys.
fn rotated() -> (RootKeys, KeyringFile, Vec<Vec<Token>>) {
    let roots = common::roots();
    let mut file = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, Suite::default())).unwrap();
    let mut sealed = Vec::new();
    loop {
        let keys = unlocked(Backend::default(), &roots, &file);
        sealed.push(seal_all(&keys.record("prescription", common::RECORD_ID).unwrap()));
        if file.keys().len() == KEYS {
            return (roots, file, sealed);
        }
        file = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &file)).unwrap();
    }
}

fn unlocked(backend: Backend, roots: &RootKeys, file: &KeyringFile) -> Keyring {
    let options = UnlockOptions::default().backend(backend);
    run_local(Keyring::unlock_with(options, KEYSPACE, roots, file)).unwrap().unobserved()
}

/// A field in each of 32 classes.
macro_rules! in_classes {
    ($($field:ident = $id:literal in $class:ident;)+ @own $($own:ident = $name:literal;)+) => {
        $(const $own: Class = Class::new($name);)+
        rxseal::fields! { $($field = $id in $class;)+ }

        fn seal_all(record: &Record) -> Vec<Token> {
            record.seal_fields(|pass| Ok(vec![$(pass.seal::<$field>("x")?),+])).unwrap()
        }

        /// Opens the `tokens` at `places`.
        fn open_all(open: &RecordReader, tokens: &[Token], places: std::ops::Range<usize>) {
            let openings = [$(|open: &RecordReader, token: &Token| {
                let value: String = open.open::<$field, _>(token).unwrap();
                assert_eq!(value, "x");
            }),+];
            for at in places {
                openings[at](open, &tokens[at]);
            }
        }
    };
}

in_classes! {
    F01 = "bench.f01" in Identity; F02 = "bench.f02" in Contact; F03 = "bench.f03" in Medication;
    F04 = "bench.f04" in Prescriber; F05 = "bench.f05" in Clinical; F06 = "bench.f06" in Coverage;
    F07 = "bench.f07" in OWN07; F08 = "bench.f08" in OWN08; F09 = "bench.f09" in OWN09; F10 = "bench.f10" in OWN10;
    F11 = "bench.f11" in OWN11; F12 = "bench.f12" in OWN12; F13 = "bench.f13" in OWN13; F14 = "bench.f14" in OWN14;
    F15 = "bench.f15" in OWN15; F16 = "bench.f16" in OWN16; F17 = "bench.f17" in OWN17; F18 = "bench.f18" in OWN18;
    F19 = "bench.f19" in OWN19; F20 = "bench.f20" in OWN20; F21 = "bench.f21" in OWN21; F22 = "bench.f22" in OWN22;
    F23 = "bench.f23" in OWN23; F24 = "bench.f24" in OWN24; F25 = "bench.f25" in OWN25; F26 = "bench.f26" in OWN26;
    F27 = "bench.f27" in OWN27; F28 = "bench.f28" in OWN28; F29 = "bench.f29" in OWN29; F30 = "bench.f30" in OWN30;
    F31 = "bench.f31" in OWN31; F32 = "bench.f32" in OWN32;
    @own
    OWN07 = "own-07"; OWN08 = "own-08"; OWN09 = "own-09"; OWN10 = "own-10"; OWN11 = "own-11"; OWN12 = "own-12";
    OWN13 = "own-13"; OWN14 = "own-14"; OWN15 = "own-15"; OWN16 = "own-16"; OWN17 = "own-17"; OWN18 = "own-18";
    OWN19 = "own-19"; OWN20 = "own-20"; OWN21 = "own-21"; OWN22 = "own-22"; OWN23 = "own-23"; OWN24 = "own-24";
    OWN25 = "own-25"; OWN26 = "own-26"; OWN27 = "own-27"; OWN28 = "own-28"; OWN29 = "own-29"; OWN30 = "own-30";
    OWN31 = "own-31"; OWN32 = "own-32";
}

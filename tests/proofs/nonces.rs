//! Proves that no nonce is used twice (T2, T5; FORMAT 5.3): by 64 forked children under one keyring, by threads, by passes and
//! pages that seal or reseal, by two serializations of one value, and after a failure inside a pass.
//!
//! A program of its own (`harness = false`), since it must fork before any thread exists. The children seal 10,000
//! tokens each in a release build, a sample in a debug build (`RXSEAL_FULL=1` runs all there too).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unsafe_code)]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use rxseal::keys::Suite;
use rxseal::page::{ResealPass, reseal_page, seal_page};
use rxseal::{Each, Error, Keyring, Phi, Record, Sealing, Token, run_local, testing};
use serde::ser::{Error as _, SerializeStruct};
use serde::{Serialize, Serializer};

const CHILDREN: usize = 64;

rxseal::fields! {
    Drug = "nonces.drug" in Medication;
    Directions = "nonces.directions" in Medication;
    Strength = "nonces.strength" in Medication { max: 64 };
    Note = "nonces.note" in Medication;
    Outer = "nonces.outer" in Medication;
}

/// `Strength` as it was before it got its limit.
mod before {
    rxseal::fields! { pub Strength = "nonces.strength" in Medication; }
}

/// What sets `helper` to work: how many records the traced program seals.
const HELPER: &str = "RXSEAL_NONCES_HELPER";

fn main() {
    if let Ok(records) = std::env::var(HELPER) {
        return helper(records.parse().unwrap());
    }
    // Of the usual harness's arguments, those that others pass to every test program.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if asked("--list") && !asked("--ignored") {
        println!("nonces: test");
    }
    // With `--skip` what follows is no wish, and nobody skips this.
    let filters =
        arguments.iter().filter(|argument| !argument.starts_with('-') && !asked("--skip")).collect::<Vec<_>>();
    let others = !filters.is_empty() && !filters.iter().any(|filter| "nonces".contains(filter.as_str()));
    if asked("--list") || asked("--ignored") || others {
        return;
    }
    forked_children();
    threads();
    passes_count_up();
    a_failure_uses_no_nonce_twice();
    reseal_passes_count_up();
    a_failed_reseal_uses_no_nonce_twice();
    serializations();
    pages();
    reseal_pages();
    draws();
    println!("nonces: ok");
}

fn full() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("RXSEAL_FULL").is_some()
}

fn keyring(suite: Suite) -> Keyring {
    let (roots, _) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, suite)).unwrap();
    run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().unobserved()
}

/// All seal in one context under one class key, where equal nonces would be fatal. The keyring is warm before the fork: what
/// it holds is inherited.
fn forked_children() {
    let tokens = if full() { 10_000 } else { 400 };
    let folder = folder("forked");
    let [xaes, chacha] = [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(keyring);
    let records = [
        xaes.record("prescription", "RX-1").unwrap(),
        xaes.record("prescription", "RX-1").unwrap().wide(),
        chacha.record("prescription", "RX-1").unwrap(),
    ];
    records.iter().for_each(|rec| drop(rec.seal::<Drug>("before the fork").unwrap()));
    let stale = stale_generator();

    let children: Vec<_> =
        (0..CHILDREN).map(|child| fork(|| child_seals(&folder, child, &records, tokens, stale))).collect();
    children.into_iter().for_each(wait);

    for (at, letter) in ["X", "x", "c"].iter().enumerate() {
        let nonces = read_nonces(&folder, at, if at == 0 { 12 } else { 24 });
        let sealed = nonces.len();
        let different = nonces.into_iter().collect::<HashSet<_>>().len();
        println!("letter {letter}: {sealed} tokens of {CHILDREN} forked children, {} equal nonces", sealed - different);
        assert_eq!(sealed, CHILDREN * tokens / if at == 0 { 1 } else { 10 });
        assert_eq!(different, sealed);
    }
    // The control: a generator that lives in the process repeats after a fork, and the same check sees it.
    let control = read_nonces(&folder, 3, 8);
    let different = control.iter().collect::<HashSet<_>>().len();
    assert_eq!((control.len(), different), (CHILDREN * 10, 10), "the control was to repeat in every child");
    fs::remove_dir_all(folder).unwrap();
}

/// Single fields and passes of several, sealed and resealed, alternating.
fn child_seals(folder: &Path, child: usize, records: &[Record], tokens: usize, mut stale: u64) {
    for (at, rec) in records.iter().enumerate() {
        let wanted = if at == 0 { tokens } else { tokens / 10 };
        let mut out = Vec::new();
        let mut sealed = 0;
        while sealed < wanted {
            if wanted - sealed >= 3 && sealed % 2 == 0 {
                let three = rec.seal_fields(|pass| {
                    Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Directions>("b")?, pass.seal::<Note>("c")?])
                });
                three.unwrap().iter().for_each(|token| out.extend(nonce(token)));
                sealed += 3;
            } else if wanted - sealed >= 2 && sealed % 5 == 0 {
                let token = rec.seal::<Drug>("a").unwrap();
                out.extend(nonce(&token));
                out.extend(nonce(&rec.reseal::<Drug>(&token).unwrap()));
                sealed += 2;
            } else {
                out.extend(nonce(&rec.seal::<Drug>("a").unwrap()));
                sealed += 1;
            }
        }
        fs::write(folder.join(format!("{at}-{child}")), out).unwrap();
    }
    let mut control = File::create(folder.join(format!("3-{child}"))).unwrap();
    for _ in 0..10 {
        stale = stale.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        control.write_all(&stale.to_be_bytes()).unwrap();
    }
}

fn stale_generator() -> u64 {
    u64::from_be_bytes(
        nonce(&keyring(Suite::default()).record("a", 1).unwrap().seal::<Drug>("a").unwrap())[..8].try_into().unwrap(),
    )
}

fn read_nonces(folder: &Path, kind: usize, len: usize) -> Vec<Vec<u8>> {
    let read = |child| fs::read(folder.join(format!("{kind}-{child}"))).unwrap();
    (0..CHILDREN).flat_map(|child| read(child).chunks(len).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

fn fork(work: impl FnOnce()) -> libc::pid_t {
    // No thread but this one is there yet, so the child may go on as if nothing had happened.
    match unsafe { libc::fork() } {
        0 => {
            let done = catch_unwind(AssertUnwindSafe(work)).is_ok();
            unsafe { libc::_exit(i32::from(!done)) }
        }
        child => {
            assert!(child > 0, "fork failed");
            child
        }
    }
}

fn wait(child: libc::pid_t) {
    let mut status = 0;
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "a child failed");
}

/// The nonce bytes of a token as they stand in it.
fn nonce(token: &Token) -> Vec<u8> {
    let len = if token.as_bytes()[2] == 0x17 { 12 } else { 24 };
    token.as_bytes()[9..9 + len].to_vec()
}

fn number(token: &Token) -> u128 {
    let nonce = nonce(token);
    nonce[nonce.len() - 12..].iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn assert_different(what: &str, nonces: impl IntoIterator<Item = Vec<u8>>) {
    let nonces: Vec<_> = nonces.into_iter().collect();
    let different = nonces.iter().collect::<HashSet<_>>().len();
    println!("{what}: {} tokens, {} equal nonces", nonces.len(), nonces.len() - different);
    assert_eq!(different, nonces.len());
}

fn threads() {
    let keys = keyring(Suite::default());
    let rec = keys.record("prescription", "RX-1").unwrap();
    let each = if full() { 10_000 } else { 300 };
    let seal = || (0..each).map(|_| nonce(&rec.seal::<Drug>("a").unwrap())).collect::<Vec<_>>();
    let nonces: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(seal)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_different("8 threads, one record", nonces);
}

/// FORMAT 5.3: token i of a pass uses the drawn number plus i.
fn passes_count_up() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let keys = keyring(suite);
        let rec = keys.record("prescription", "RX-1").unwrap();
        for rec in [keys.record("prescription", "RX-1").unwrap().wide(), rec] {
            let tokens = rec
                .seal_fields(|pass| {
                    Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Directions>("b")?, pass.seal::<Note>("c")?])
                })
                .unwrap();
            assert_counting(&tokens);
        }
    }
}

fn assert_counting(tokens: &[Token]) {
    let first = number(&tokens[0]);
    for (at, token) in tokens.iter().enumerate() {
        assert_eq!(number(token), (first + at as u128) % (1 << 96));
        let (own, base) = (nonce(token), nonce(&tokens[0]));
        assert_eq!(own[..own.len() - 12], base[..base.len() - 12], "what stands before the number stays");
    }
}

/// Whatever fails between two tokens, and however: the second one gets another nonce.
fn a_failure_uses_no_nonce_twice() {
    type Failing = (&'static str, fn(&mut rxseal::page::SealPass<'_>));
    const FAILURES: &[Failing] = &[
        ("too large", |pass| refused(pass.seal::<Strength>(&"x".repeat(65)), "too-large")),
        ("too large in JSON", |pass| refused(pass.seal::<Strength>(&vec!["x"; 65]), "too-large")),
        ("not finite", |pass| refused(pass.seal_text::<Note>(&("a", f64::NAN)), "not-finite")),
        ("fails to serialize", |pass| refused(pass.seal::<Note>(&Ends::Fails), "unrepresentable")),
        ("has a field of its own", |pass| {
            refused(pass.seal::<Outer>(&Inner { drug: "x".to_owned().into() }), "token-inside")
        }),
        ("sealed twice", |pass| refused(pass.seal::<Drug>("again"), "field-repeated")),
        ("a token", |pass| {
            refused(
                pass.seal::<Note>(&keyring(Suite::default()).record("a", 1).unwrap().seal_text::<Drug>("a").unwrap()),
                "token-as-plaintext",
            )
        }),
        ("in place, too large", |pass| refused(pass.seal_in_place::<Strength>(&mut vec![b'x'; 65]), "too-large")),
        ("in place, sealed twice", |pass| {
            refused(pass.seal_in_place::<Drug>(&mut b"again".to_vec()), "field-repeated")
        }),
        ("into a buffer, too large", |pass| {
            refused(pass.seal_into::<Strength>(&"x".repeat(65), &mut Vec::new()), "too-large")
        }),
        ("panics", |pass| assert!(catch_unwind(AssertUnwindSafe(|| pass.seal::<Note>(&Ends::Panics))).is_err())),
        ("panics as text", |pass| {
            assert!(catch_unwind(AssertUnwindSafe(|| pass.seal_text::<Note>(&Ends::Panics))).is_err())
        }),
    ];
    let keys = keyring(Suite::default());
    let rec = keys.record("prescription", "RX-1").unwrap();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut nonces = Vec::new();
    for (what, failure) in FAILURES {
        let pair = rec
            .seal_fields(|pass| {
                let first = pass.seal::<Drug>("a")?;
                failure(pass);
                Ok::<_, Error>([first, pass.seal::<Directions>("b")?])
            })
            .unwrap();
        assert_ne!(nonce(&pair[0]), nonce(&pair[1]), "after what {what}");
        assert!((1..=2).contains(&(number(&pair[1]).wrapping_sub(number(&pair[0])) % (1 << 96))), "after what {what}");
        nonces.extend(pair.iter().map(nonce));
    }
    std::panic::set_hook(hook);
    assert_different("after failures inside a pass", nonces);
}

/// As for sealing: token i of a pass uses the drawn number plus i, whatever key it came from.
fn reseal_passes_count_up() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let keys = keyring(suite);
        let rec = keys.record("prescription", "RX-1").unwrap();
        for rec in [keys.record("prescription", "RX-1").unwrap().wide(), rec] {
            let [drug, directions, note] = three_fields(&rec);
            let mut nonces: Vec<_> = [&drug, &directions, &note].map(nonce).to_vec();
            for _ in 0..100 {
                let resealed = rec.reseal_fields(|pass| {
                    let directions = pass.reseal_text::<Directions>(&directions.to_string())?.parse()?;
                    let mut out = Vec::new();
                    pass.reseal_into::<Drug>(drug.as_bytes(), &mut out)?;
                    Ok::<_, Error>([directions, Token::try_from(out)?, pass.reseal::<Note>(&note)?])
                });
                let resealed = resealed.unwrap();
                assert_counting(&resealed);
                nonces.extend(resealed.iter().map(nonce));
            }
            assert_different("100 passes that reseal", nonces);
        }
    }
}

/// What does not open or cannot be sealed any more, between two tokens of a pass.
fn a_failed_reseal_uses_no_nonce_twice() {
    type Failing = (&'static str, fn(&Record, &mut ResealPass<'_>));
    const FAILURES: &[Failing] = &[
        ("of another record", |rec, pass| {
            let part = rec.part("line", 1).unwrap();
            refused(pass.reseal::<Note>(&part.seal::<Note>("x").unwrap()), "open-failed");
        }),
        ("too large by now", |rec, pass| {
            let long = rec.seal::<before::Strength>(&"x".repeat(65)).unwrap();
            refused(pass.reseal::<Strength>(&long), "too-large");
            refused(pass.reseal_text::<Strength>(&long.to_string()), "too-large");
            refused(pass.reseal_into::<Strength>(long.as_bytes(), &mut Vec::new()), "too-large");
        }),
        ("twice", |rec, pass| refused(pass.reseal::<Drug>(&rec.seal::<Drug>("again").unwrap()), "field-repeated")),
        ("no token", |_, pass| refused(pass.reseal_text::<Note>("rxsX"), "not-a-token")),
        ("of another keyring", |_, pass| {
            let other = keyring(Suite::default()).record("prescription", "RX-1").unwrap().seal::<Note>("x").unwrap();
            refused(pass.reseal::<Note>(&other), "unknown-key");
        }),
    ];
    let keys = keyring(Suite::default());
    let rec = keys.record("prescription", "RX-1").unwrap();
    let [drug, directions, _] = three_fields(&rec);
    let mut nonces = Vec::new();
    for (what, failure) in FAILURES {
        let around = |pass: &mut ResealPass<'_>| {
            let first = pass.reseal::<Drug>(&drug)?;
            failure(&rec, pass);
            Ok::<_, Error>([first, pass.reseal::<Directions>(&directions)?])
        };
        let pair = rec.reseal_fields(around).unwrap();
        let of_page = reseal_page(std::slice::from_ref(&rec), |_, pass| around(pass)).unwrap();
        for [first, second] in [&pair, &of_page[0]] {
            let step = number(second).wrapping_sub(number(first)) % (1 << 96);
            assert!((1..=2).contains(&step), "after what is {what}");
            nonces.extend([nonce(first), nonce(second)]);
        }
    }
    assert_different("after failures inside a pass that reseals", nonces);
}

fn three_fields(rec: &Record) -> [Token; 3] {
    rec.seal_fields(|pass| {
        Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Directions>("b")?, pass.seal::<Note>("c")?])
    })
    .unwrap()
}

fn refused<T>(result: Result<T, Error>, code: &str) {
    assert_eq!(result.err().unwrap().code().as_str(), code);
}

#[derive(Serialize)]
struct Inner {
    drug: Phi<String, Drug>,
}

enum Ends {
    Fails,
    Panics,
}

impl Serialize for Ends {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serializer.serialize_struct("Ends", 2)?;
        value.serialize_field("text", "half of it")?;
        match self {
            Self::Fails => Err(S::Error::custom("constant")),
            Self::Panics => panic!("constant"),
        }
    }
}

/// One `sealing` value serialized again and again, as a retry or a log line does.
fn serializations() {
    #[derive(Serialize)]
    struct Row {
        drug: Phi<String, Drug>,
        #[serde(with = "Sealing::<Each<Directions>>")]
        directions: Vec<String>,
    }

    let keys = keyring(Suite::default());
    let rec = keys.record("prescription", "RX-1").unwrap();
    let row = Row { drug: "a".to_owned().into(), directions: vec!["b".into(); 5] };
    let sealing = rec.sealing(&row);
    let mut nonces = Vec::new();
    for _ in 0..200 {
        let json = serde_json::to_value(&sealing).unwrap();
        let texts = std::iter::once(&json["drug"]).chain(json["directions"].as_array().unwrap());
        let tokens: Vec<Token> = texts.map(|text| text.as_str().unwrap().parse().unwrap()).collect();
        assert_counting(&tokens);
        nonces.extend(tokens.iter().map(nonce));
    }
    assert_different("200 serializations of one value", nonces);
}

/// A page draws for many records at once; here all are the same record, so that any repetition would matter.
fn pages() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let keys = keyring(suite);
        let records: Vec<_> = (0..1000).map(|_| keys.record("prescription", "RX-1").unwrap()).collect();
        let mut nonces = Vec::new();
        for _ in 0..3 {
            let sealed = seal_page(&records, |_, pass| {
                Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Directions>("b")?, pass.seal::<Note>("c")?])
            });
            for tokens in sealed.unwrap() {
                assert_counting(&tokens);
                nonces.extend(tokens.iter().map(nonce));
            }
        }
        assert_different("3 pages of 1,000 records", nonces);
    }
}

/// The same for a page that reseals, and against the page that it came from.
fn reseal_pages() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let keys = keyring(suite);
        let records: Vec<_> = (0..1000).map(|_| keys.record("prescription", "RX-1").unwrap()).collect();
        let mut tokens = seal_page(&records, |_, pass| {
            Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Directions>("b")?, pass.seal::<Note>("c")?])
        })
        .unwrap();
        let mut nonces: Vec<_> = tokens.iter().flatten().map(nonce).collect();
        for _ in 0..3 {
            let resealed = reseal_page(&records, |at, pass| {
                let [drug, directions, note] = &tokens[at];
                let note = pass.reseal_text::<Note>(&note.to_string())?.parse()?;
                Ok::<_, Error>([pass.reseal::<Drug>(drug)?, pass.reseal::<Directions>(directions)?, note])
            });
            tokens = resealed.unwrap();
            for [drug, directions, note] in &tokens {
                assert_counting(&[note.clone(), drug.clone(), directions.clone()]);
            }
            nonces.extend(tokens.iter().flatten().map(nonce));
        }
        assert_different("a page of 1,000 records, resealed 3 times", nonces);
    }
}

/// Random draws counted from outside the process, where strace is there: one for each pass, and one for 256 records of a page.
fn draws() {
    if !traceable() {
        println!("draws: not counted, since strace is not there");
        return;
    }
    let count = |records: usize| {
        let folder = folder("draws");
        let log = folder.join("log");
        let traced = Command::new("strace")
            .args(["-f", "-e", "trace=getrandom", "-o"])
            .arg(&log)
            .arg(std::env::current_exe().unwrap())
            .env(HELPER, records.to_string())
            .output();
        assert!(traced.unwrap().status.success());
        let text = fs::read_to_string(&log).unwrap();
        fs::remove_dir_all(folder).unwrap();
        // Asked for as many bytes as a nonce or a page's nonces have.
        let asked = |bytes: usize| text.lines().filter(|line| line.contains(&format!(", {bytes}, "))).count();
        (asked(12), asked(24), asked(24 * 256))
    };
    let none = count(0);
    let some = count(512);
    println!(
        "draws: {} for 512 bound passes that seal and as many that reseal, {} for wide ones, {} for two pages of 512",
        some.0 - none.0,
        some.1 - none.1,
        some.2 - none.2
    );
    assert_eq!((some.0 - none.0, some.1 - none.1, some.2 - none.2), (1024, 1024, 4));
}

fn traceable() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
}

fn helper(records: usize) {
    let keys = keyring(Suite::default());
    let rec = keys.record("prescription", "RX-1").unwrap();
    let wide = keys.record("prescription", "RX-1").unwrap().wide();
    for rec in [rec, wide] {
        let [drug, _, note] = three_fields(&rec);
        for _ in 0..records {
            rec.seal_fields(|pass| Ok::<_, Error>([pass.seal::<Drug>("a")?, pass.seal::<Note>("b")?])).unwrap();
            rec.reseal_fields(|pass| Ok::<_, Error>([pass.reseal::<Drug>(&drug)?, pass.reseal::<Note>(&note)?]))
                .unwrap();
        }
    }
    let page: Vec<_> = (0..records).map(|id| keys.record("prescription", id).unwrap()).collect();
    let tokens = seal_page(&page, |_, pass| pass.seal::<Drug>("a")).unwrap();
    reseal_page(&page, |at, pass| pass.reseal::<Drug>(&tokens[at])).unwrap();
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rxseal-nonces-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

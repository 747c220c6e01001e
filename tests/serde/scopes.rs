//! Scopes fail closed: direction, nesting, threads, tasks and panics, and each refusal says what to do (T34 to T36, T45, T46 of
//! docs/THREAT-MODEL.md; FORMAT 4.5, 5.3).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use crate::support::{self, CANARY, Format, access, keyring, leaks, texts};
use rxseal::{
    Class, Each, Error, Keyring, Parts, Phi, Record, RecordReader, Sealed, Sealing, Token, accept_plaintext,
    expose_plaintext, phi,
};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

static KEYS: LazyLock<Keyring> = LazyLock::new(keyring);

fn record(id: &str) -> Record {
    KEYS.record("refill", id).unwrap()
}

fn opener(id: &str) -> RecordReader {
    record(id).opened_by(&access())
}

#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct Refill {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
}

fn refill() -> Refill {
    Refill { drug: CANARY.into() }
}

fn sealed(id: &str) -> String {
    serde_json::to_string(&record(id).sealing(&refill())).unwrap()
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(json)
}

#[track_caller]
fn refused<T, E>(result: Result<T, E>) -> E {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error,
    }
}

/// That `work` finds no scope in force, in either direction.
#[track_caller]
fn assert_no_scope() {
    assert!(serde_json::to_string(&refill()).is_err(), "a scope is in force");
    assert!(read::<Refill>(&sealed("RX-1")).is_err(), "a scope is in force");
}

// No scope

/// One struct for each form of a field.
mod forms {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Plain {
        #[serde(with = "Sealing::<phi::Drug>")]
        pub value: String,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Hidden {
        #[serde(with = "Sealing::<phi::Drug>")]
        pub value: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Visible {
        #[serde(with = "Sealing::<Option<phi::Drug>>")]
        pub value: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct List {
        #[serde(with = "Sealing::<Each<phi::Drug>>")]
        pub value: Vec<String>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Map {
        #[serde(with = "Sealing::<Parts<phi::Drug>>")]
        pub value: BTreeMap<u32, String>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct VisibleList {
        #[serde(with = "Sealing::<Option<Each<phi::Drug>>>")]
        pub value: Option<Vec<String>>,
    }

    #[derive(Serialize, Deserialize)]
    pub struct Silent {
        pub value: Phi<String, phi::Drug>,
    }
}

fn has_remedy(text: &str) -> bool {
    ["record.sealing(&value)", "run_sealing", "run_opening", "expose_plaintext"].iter().all(|name| text.contains(name))
}

fn needs_scope<T: Serialize + DeserializeOwned>(value: &T) {
    for format in Format::ALL {
        let error = refused(format.write(value));
        // Some formats drop a field's text; none writes anything.
        if format.is_json() {
            assert!(has_remedy(&error.0), "{error}");
        }
        let Ok(bytes) = format.write(&record("RX-1").sealing(value)) else { panic!("{}", format.name()) };
        let error = refused(format.read::<T>(&bytes));
        if format.is_json() {
            assert!(has_remedy(&error.0), "{error}");
        }
        assert!(!leaks(error.0.as_bytes()));
    }
}

#[test]
fn without_a_scope_every_form_fails_in_both_directions_and_names_the_remedy() {
    use forms::*;
    let text = || CANARY.to_owned();
    needs_scope(&Plain { value: text() });
    needs_scope(&Hidden { value: None });
    needs_scope(&Hidden { value: Some(text()) });
    needs_scope(&Visible { value: Some(text()) });
    needs_scope(&List { value: vec![text()] });
    needs_scope(&Map { value: [(1, text())].into() });
    needs_scope(&VisibleList { value: Some(vec![]) });
    needs_scope(&Silent { value: text().into() });
}

/// Nothing is written there that a scope could protect, but to notice at the first record without a value is luck.
#[test]
fn without_a_scope_nothing_and_empty_lists_fail_too() {
    use forms::*;
    needs_scope(&Visible { value: None });
    needs_scope(&VisibleList { value: None });
    needs_scope(&List { value: vec![] });
    needs_scope(&Map { value: [].into() });
}

#[test]
fn the_error_without_a_scope_is_typed_where_a_scope_can_carry_it() {
    // Outside of all scopes only the format's error exists; `run_*` around a foreign thread's work is the nearest.
    let error =
        refused(opener("RX-1").run_opening(|| std::thread::spawn(|| read::<Refill>(&sealed("RX-1"))).join().unwrap()));
    assert!(error.is_scope_missing());
    assert!(has_remedy(&texts(&error)));
}

// Direction

#[test]
fn a_sealing_scope_refuses_to_open_and_an_opening_scope_to_seal() {
    let json = sealed("RX-1");
    let error = refused(record("RX-1").run_sealing(|| read::<Refill>(&json)));
    assert_eq!((error.code().as_str(), error.field_id()), ("wrong-direction", Some("phi.rx.drug")));
    assert!(error.is_scope_missing());
    let error = refused(opener("RX-1").run_opening(|| serde_json::to_string(&refill())));
    assert_eq!((error.code().as_str(), error.field_id()), ("wrong-direction", Some("phi.rx.drug")));
    assert!(!leaks(texts(&error).as_bytes()));
}

#[test]
fn the_wrong_direction_is_refused_for_every_form() {
    use forms::*;

    fn check<T: Serialize + DeserializeOwned>(value: &T) {
        let record = record("RX-1");
        let json = serde_json::to_string(&record.sealing(value)).unwrap();
        assert_eq!(refused(record.run_sealing(|| read::<T>(&json))).code().as_str(), "wrong-direction");
        let open = record.opened_by(&access());
        assert_eq!(refused(open.run_opening(|| serde_json::to_string(value))).code().as_str(), "wrong-direction");
        let exposed = serde_json::to_string(&expose_plaintext(value)).unwrap();
        assert_eq!(refused(accept_plaintext(|| serde_json::to_string(value))).code().as_str(), "wrong-direction");
        assert!(accept_plaintext(|| read::<T>(&exposed)).is_ok());
    }

    let text = || CANARY.to_owned();
    check(&Plain { value: text() });
    check(&Hidden { value: None });
    check(&Visible { value: Some(text()) });
    check(&Visible { value: None });
    check(&List { value: vec![] });
    check(&List { value: vec![text()] });
    check(&Map { value: [].into() });
    check(&Map { value: [(7, text())].into() });
    check(&Silent { value: text().into() });
}

/// A value whose own `Serialize` reads, and one whose `Deserialize` writes.
#[test]
fn a_value_that_reads_while_it_is_written_is_refused() {
    struct Reads(String);

    impl Serialize for Reads {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let opened = read::<Refill>(&self.0).is_ok();
            serializer.serialize_bool(opened)
        }
    }

    struct Writes;

    impl<'de> Deserialize<'de> for Writes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer)?;
            let _ = serde_json::to_string(&refill());
            Ok(Self)
        }
    }

    assert!(serde_json::to_string(&record("RX-1").sealing(&Reads(sealed("RX-1")))).is_err());
    assert!(serde_json::to_string(&expose_plaintext(&Reads(sealed("RX-1")))).is_err());
    let error = refused(opener("RX-1").run_opening(|| read::<Writes>("\"x\"")));
    assert_eq!(error.code().as_str(), "wrong-direction");
    let error = refused(accept_plaintext(|| read::<Writes>("\"x\"")));
    assert_eq!(error.code().as_str(), "wrong-direction");
}

// Nesting

#[test]
fn scopes_of_other_records_nest_and_the_outer_one_comes_back() {
    let (one, two) = (record("RX-1"), record("RX-2"));
    let (inner, outer) = one
        .run_sealing(|| {
            let inner = serde_json::to_string(&two.sealing(&refill()))?;
            serde_json::to_string(&refill()).map(|outer| (inner, outer))
        })
        .unwrap();
    assert!(opener("RX-2").run_opening(|| read::<Refill>(&inner)).unwrap() == refill());
    assert!(opener("RX-1").run_opening(|| read::<Refill>(&outer)).unwrap() == refill());
    assert!(opener("RX-1").run_opening(|| read::<Refill>(&inner)).is_err());

    let both = opener("RX-1").run_opening(|| {
        let two = opener("RX-2").run_opening(|| read::<Refill>(&inner))?;
        let one = read::<Refill>(&outer).map_err(support::Problem::new).unwrap();
        Ok::<_, Error>((one, two))
    });
    assert!(both.unwrap() == (refill(), refill()));
}

#[test]
fn sealing_for_another_record_while_opening_one_is_how_rows_are_copied() {
    let json = sealed("RX-1");
    let copied = opener("RX-1").run_opening(|| {
        let row: Refill = read(&json)?;
        serde_json::to_string(&record("RX-2").sealing(&row))
    });
    assert!(opener("RX-2").run_opening(|| read::<Refill>(&copied.unwrap())).unwrap() == refill());

    let opened = record("RX-2").run_sealing(|| {
        let row = opener("RX-1").run_opening(|| read::<Refill>(&json)).map_err(support::Problem::new)?;
        serde_json::to_string(&row).map_err(support::Problem::new)
    });
    assert!(opener("RX-2").run_opening(|| read::<Refill>(&opened.unwrap())).unwrap() == refill());
}

#[test]
fn a_refusal_inside_stays_inside_where_the_program_handles_it() {
    let json = sealed("RX-1");
    let result = opener("RX-1").run_opening(|| {
        let error = refused(opener("RX-2").run_opening(|| read::<Refill>(&json)));
        assert!(error.is_open_failure());
        read::<Refill>(&json)
    });
    assert!(result.unwrap() == refill());
}

/// A row whose lines are records of their own, opened by their own id.
#[test]
fn a_nested_opening_by_seed_has_its_own_record() {
    let json = format!("[{},{}]", sealed("RX-1"), sealed("RX-2"));

    struct Rows;

    impl<'de> serde::de::Visitor<'de> for Rows {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("rows")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<String>, A::Error> {
            let first: Option<Refill> = seq.next_element_seed(opener("RX-1").opening())?;
            let second: Option<Refill> = seq.next_element_seed(opener("RX-2").opening())?;
            Ok([first, second].into_iter().flatten().map(|row| row.drug).collect())
        }
    }

    let mut reader = serde_json::Deserializer::from_str(&json);
    assert!(reader.deserialize_seq(Rows).unwrap() == [CANARY, CANARY]);
    assert_no_scope();
}

#[test]
fn plaintext_scopes_nest_nowhere_and_nothing_nests_in_them() {
    fn is_nested<T>(result: Result<T, Error>) -> Result<(), Error> {
        let error = refused(result);
        assert_eq!(error.code().as_str(), "plaintext-nested");
        assert!(error.is_api_misuse());
        Ok(())
    }
    fn says_nested<T>(result: Result<T, serde_json::Error>) -> Result<(), serde_json::Error> {
        let text = refused(result).to_string();
        assert!(text.contains("a plaintext scope cannot be nested"), "{text}");
        Ok(())
    }
    let expose = || serde_json::to_string(&expose_plaintext(&refill()));
    let json = sealed("RX-1");
    let (one, open) = (record("RX-1"), opener("RX-1"));

    // In a sealing, an opening and an accepting scope.
    one.run_sealing(|| says_nested(expose())).unwrap();
    open.run_opening(|| says_nested(expose())).unwrap();
    accept_plaintext(|| says_nested(expose())).unwrap();
    let accept = || accept_plaintext(|| read::<Refill>(r#"{"drug":"x"}"#));
    one.run_sealing(|| is_nested(accept())).unwrap();
    open.run_opening(|| is_nested(accept())).unwrap();
    accept_plaintext(|| is_nested(accept())).unwrap();

    // Nothing in them.
    accept_plaintext(|| is_nested(one.run_sealing(|| serde_json::to_string(&refill())))).unwrap();
    accept_plaintext(|| is_nested(open.run_opening(|| read::<Refill>(&json)))).unwrap();
    accept_plaintext(|| says_nested(serde_json::to_string(&one.sealing(&refill())))).unwrap();
    let seed = || open.opening::<Refill>().deserialize(&mut serde_json::Deserializer::from_str(&json));
    accept_plaintext(|| says_nested(seed())).unwrap();

    // `expose_plaintext` in itself, and the others in it, by a value that comes back here.
    struct Nests<F: Fn() -> bool>(F);
    impl<F: Fn() -> bool> Serialize for Nests<F> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bool((self.0)())
        }
    }
    let nests = |work: &dyn Fn() -> bool| serde_json::to_string(&expose_plaintext(&Nests(work))).unwrap() == "true";
    assert!(nests(&|| expose().is_err()));
    assert!(nests(&|| accept().is_err_and(|error| error.code().as_str() == "plaintext-nested")));
    assert!(nests(&|| open
        .run_opening(|| read::<Refill>(&json))
        .is_err_and(|e| e.code().as_str() == "plaintext-nested")));
    assert!(nests(&|| serde_json::to_string(&one.sealing(&refill())).is_err()));
    assert_no_scope();
}

// Panics

#[test]
fn a_panic_inside_brings_the_outer_scope_back() {
    let json = sealed("RX-1");
    let result = opener("RX-1").run_opening(|| {
        for _ in 0..3 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                opener("RX-2").run_opening(|| -> Result<(), Error> {
                    let _ = record("RX-3").run_sealing(|| -> Result<(), Error> { panic!("as planned") });
                    Ok(())
                })
            }));
            assert!(panicked.is_err());
        }
        read::<Refill>(&json)
    });
    assert!(result.unwrap() == refill());
    assert_no_scope();
}

/// Panics while it is read or written.
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("as planned")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("as planned")
    }
}

#[test]
fn a_panic_of_a_value_leaves_no_scope_and_no_part() {
    #[derive(Serialize, Deserialize)]
    struct Row {
        #[serde(with = "Sealing::<Parts<phi::Note>>")]
        notes: BTreeMap<u32, Panics>,
    }

    #[derive(Serialize, Deserialize)]
    struct Texts {
        #[serde(with = "Sealing::<Parts<phi::Note>>")]
        notes: BTreeMap<u32, String>,
    }

    let one = record("RX-1");
    let row = Row { notes: [(1, Panics)].into() };
    assert!(catch_unwind(AssertUnwindSafe(|| serde_json::to_string(&one.sealing(&row)))).is_err());
    assert_no_scope();
    assert!(catch_unwind(AssertUnwindSafe(|| serde_json::to_string(&expose_plaintext(&row)))).is_err());
    assert_no_scope();
    assert!(catch_unwind(AssertUnwindSafe(|| one.seal::<phi::Note>(&Panics))).is_err());

    let good = Texts { notes: [(1, CANARY.to_owned())].into() };
    let json = serde_json::to_string(&one.sealing(&good)).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| opener("RX-1").run_opening(|| read::<Row>(&json)))).is_err());
    assert_no_scope();
    assert!(catch_unwind(AssertUnwindSafe(|| accept_plaintext(|| read::<Row>(r#"{"notes":{"1":"x"}}"#)))).is_err());
    assert_no_scope();

    // Caught inside of the scope: the part that was being read or written is left too.
    let opened = opener("RX-1").run_opening(|| {
        assert!(catch_unwind(AssertUnwindSafe(|| read::<Row>(&json))).is_err());
        read::<Refill>(&sealed("RX-1"))
    });
    assert!(opened.unwrap() == refill());
    let written = one.run_sealing(|| {
        assert!(catch_unwind(AssertUnwindSafe(|| serde_json::to_string(&row))).is_err());
        serde_json::to_string(&refill())
    });
    assert!(opener("RX-1").run_opening(|| read::<Refill>(&written.unwrap())).unwrap() == refill());
}

// Threads and tasks

#[test]
fn another_thread_sees_no_scope() {
    let json = sealed("RX-1");
    let in_thread = || {
        std::thread::scope(|scope| {
            scope.spawn(|| (serde_json::to_string(&refill()).is_err(), read::<Refill>(&json).is_err())).join().unwrap()
        })
    };
    assert_eq!(record("RX-1").run_sealing(|| Ok::<_, Error>(in_thread())).unwrap(), (true, true));
    assert_eq!(opener("RX-1").run_opening(|| Ok::<_, Error>(in_thread())).unwrap(), (true, true));
    assert_eq!(accept_plaintext(|| Ok::<_, Error>(in_thread())).unwrap(), (true, true));
}

/// A thread that ends serializes from the destructor of a thread-local that is older than ours: no scope, no panic.
#[test]
fn a_thread_that_is_ending_sees_no_scope() {
    use std::sync::mpsc::{Sender, channel};

    struct AtTheEnd(Option<Sender<bool>>);

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            if let Some(sender) = &self.0 {
                let sealed = serde_json::to_string(&record("RX-1").sealing(&refill()));
                let refused = serde_json::to_string(&refill()).is_err();
                // Sealing may be refused here too: what matters is that there is no plaintext and no second panic.
                let _ = sender.send(refused && !sealed.is_ok_and(|json| json.contains(CANARY)));
            }
        }
    }

    thread_local! {
        static LAST: RefCell<AtTheEnd> = const { RefCell::new(AtTheEnd(None)) };
    }

    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        LAST.with(|last| last.borrow_mut().0 = Some(sender));
        let _ = serde_json::to_string(&record("RX-1").sealing(&refill()));
    })
    .join()
    .unwrap();
    assert!(receiver.recv().unwrap());
}

#[test]
fn a_task_and_what_follows_an_await_see_no_scope() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        // A future made inside a scope runs when the scope is over.
        let later = record("RX-1").run_sealing(|| {
            Ok::<_, Error>(async {
                let before = serde_json::to_string(&refill()).is_err();
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                before && serde_json::to_string(&refill()).is_err()
            })
        });
        assert!(later.unwrap().await);

        let spawned = opener("RX-1")
            .run_opening(|| Ok::<_, Error>(tokio::spawn(async { read::<Refill>(&sealed("RX-1")).is_err() })));
        assert!(spawned.unwrap().await.unwrap());

        // Records cross an await: they hold keys, not a scope.
        let (one, open) = (record("RX-1"), opener("RX-1"));
        let tasks = (0..16).map(|_| {
            let json = serde_json::to_string(&one.sealing(&refill())).unwrap();
            let open = open.clone();
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                open.run_opening(|| read::<Refill>(&json)).unwrap().drug == CANARY
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert!(task.await.unwrap());
        }
    });
}

/// Which task a field is written or read in is known where tokio runs it: a scope is the work's that entered it.
#[test]
fn a_task_that_the_work_polls_sees_no_scope() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let no_scope =
        |error: Error| (error.code().as_str() == "scope-missing" && error.to_string().contains("task")).then_some(());

    let sealing = record("RX-1").run_sealing(|| {
        let runtime = runtime();
        let other = runtime.spawn(async { serde_json::to_string(&refill()).map_err(|error| error.to_string()) });
        Ok::<_, Error>(runtime.block_on(other).unwrap())
    });
    no_scope(refused(sealing)).unwrap();

    let json = sealed("RX-1");
    let opening = opener("RX-1").run_opening(|| {
        let runtime = runtime();
        let other = runtime.spawn(async move { read::<Refill>(&json).is_err() });
        Ok::<_, Error>(runtime.block_on(other).unwrap())
    });
    no_scope(refused(opening)).unwrap();

    // A scope of its own is the task's, and what the work itself awaits is the work's.
    record("RX-1")
        .run_sealing(|| {
            let runtime = runtime();
            let other = runtime.spawn(async { serde_json::to_string(&record("RX-2").sealing(&refill())) });
            let json = runtime.block_on(other).unwrap().unwrap();
            assert!(opener("RX-2").run_opening(|| read::<Refill>(&json)).is_ok_and(|read| read == refill()));
            runtime.block_on(async { serde_json::to_string(&refill()) })
        })
        .unwrap();
    runtime().block_on(async {
        let task = tokio::spawn(async { record("RX-1").run_sealing(|| serde_json::to_string(&refill())) });
        assert!(task.await.unwrap().is_ok());
        let blocking = tokio::task::spawn_blocking(|| record("RX-1").run_sealing(|| serde_json::to_string(&refill())));
        assert!(blocking.await.unwrap().is_ok());
    });
}

// One value, many serializations

fn tokens(json: &serde_json::Value) -> Vec<Token> {
    match json {
        serde_json::Value::String(text) => text.parse().into_iter().collect(),
        serde_json::Value::Array(list) => list.iter().flat_map(tokens).collect(),
        serde_json::Value::Object(map) => map.values().flat_map(tokens).collect(),
        _ => Vec::new(),
    }
}

#[derive(Serialize)]
struct Wide {
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: &'static str,
    #[serde(with = "Sealing::<Each<phi::Allergy>>")]
    allergies: Vec<&'static str>,
    #[serde(with = "Sealing::<Parts<phi::Note>>")]
    notes: BTreeMap<u8, &'static str>,
}

/// FORMAT 5.3 and T5: the nonce of a token is never that of another, within a serialization or across two.
#[test]
fn two_serializations_of_one_value_share_no_token_and_no_nonce() {
    let wide = Wide { drug: CANARY, allergies: vec![CANARY; 20], notes: (0..20).map(|line| (line, CANARY)).collect() };
    let keys =
        [keyring().record("refill", 1).unwrap(), record("RX-1"), record("RX-1").wide(), KEYS.unbound("note").unwrap()];
    for record in keys {
        let sealing = record.sealing(&wide);
        let mut seen = BTreeSet::new();
        let mut nonces = BTreeSet::new();
        for _ in 0..50 {
            for token in tokens(&serde_json::to_value(&sealing).unwrap()) {
                let letter_is_x = token.to_string().starts_with("rxsX");
                let nonce = token.as_bytes()[9..if letter_is_x { 21 } else { 33 }].to_vec();
                assert!(nonces.insert(nonce), "a nonce was used twice");
                assert!(seen.insert(token.into_bytes()), "a token was made twice");
            }
        }
        assert_eq!(nonces.len(), 50 * 41);
    }
}

// Repeated fields (FORMAT 4.5, T14)

#[derive(Serialize)]
struct Two<A, B> {
    a: A,
    b: B,
}

#[derive(Serialize, Clone)]
struct Single {
    #[serde(with = "Sealing::<phi::Drug>")]
    value: &'static str,
}

#[derive(Serialize, Clone)]
struct Many {
    #[serde(with = "Sealing::<Each<phi::Drug>>")]
    value: Vec<&'static str>,
}

#[derive(Serialize, Clone)]
struct ByLine {
    #[serde(with = "Sealing::<Parts<phi::Drug>>")]
    value: BTreeMap<u8, &'static str>,
}

#[track_caller]
fn is_repeated(value: impl Serialize) {
    for format in Format::ALL {
        let error = refused(record("RX-1").run_sealing(|| format.write(&value)));
        assert_eq!(
            (error.code().as_str(), error.field_id()),
            ("field-repeated", Some("phi.rx.drug")),
            "{}",
            format.name()
        );
        assert!(error.is_api_misuse() && error.to_string().contains("Each"));
    }
}

#[test]
fn a_field_id_is_sealed_once_in_a_pass() {
    let single = Single { value: CANARY };
    is_repeated(Two { a: single.clone(), b: single.clone() });
    is_repeated(vec![single.clone(), single.clone()]);
    is_repeated(Two { a: single.clone(), b: Some(Phi::<_, phi::Drug>::new(CANARY.to_owned())) });
    is_repeated(Two { a: vec![single.clone()], b: [Two { a: 1, b: single.clone() }] });
    // One field, and a second pass.
    for _ in 0..2 {
        record("RX-1").run_sealing(|| serde_json::to_string(&single)).unwrap();
    }
    let error = refused(record("RX-1").seal_fields(|pass| {
        pass.seal::<phi::Drug>("a")?;
        pass.seal::<phi::Drug>("b")
    }));
    assert_eq!(error.code().as_str(), "field-repeated");
}

#[test]
fn each_repeats_a_field_id_and_nothing_else_may_share_it() {
    let (single, many) = (Single { value: CANARY }, Many { value: vec![CANARY; 3] });
    assert!(record("RX-1").run_sealing(|| serde_json::to_string(&many)).is_ok());
    // A token of the list could stand for the single one, which is no part of that set.
    is_repeated(Two { a: single.clone(), b: many.clone() });
    is_repeated(Two { a: many.clone(), b: single });
}

/// A field id belongs to one token, one list or one map of a record.
#[test]
fn no_two_containers_share_a_field_id() {
    #[derive(Serialize, Clone)]
    #[serde(untagged)]
    enum Form {
        Single(Single),
        Many(Many),
        Empty(Many),
        ByLine(ByLine),
    }

    #[derive(Serialize)]
    struct Flat<A: Serialize, B: Serialize> {
        #[serde(flatten)]
        a: A,
        #[serde(flatten)]
        b: B,
    }

    let forms = [
        Form::Single(Single { value: CANARY }),
        Form::Many(Many { value: vec![CANARY; 3] }),
        Form::Empty(Many { value: vec![] }),
        Form::ByLine(ByLine { value: [(1, CANARY)].into() }),
    ];
    for first in &forms {
        assert!(record("RX-1").run_sealing(|| serde_json::to_string(first)).is_ok(), "alone");
        for second in &forms {
            is_repeated(Two { a: first, b: second });
            is_repeated(Two { a: [first], b: Some(second) });
            is_repeated(vec![Two { a: 1, b: first }, Two { a: 2, b: second }]);
            let flat = Flat { a: Two { a: first, b: 1 }, b: BTreeMap::from([("c", second)]) };
            assert_eq!(
                refused(record("RX-1").run_sealing(|| serde_json::to_string(&flat))).code().as_str(),
                "field-repeated"
            );
        }
    }

    // Lines of a list are parts.
    struct Line<'f>(usize, &'f Form);

    impl Serialize for Line<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let part = record("RX-1").part("line", self.0).map_err(serde::ser::Error::custom)?;
            part.sealing(self.1).serialize(serializer)
        }
    }

    let lines: Vec<_> = forms.iter().cycle().take(9).enumerate().map(|(line, form)| Line(line, form)).collect();
    for format in Format::ALL {
        record("RX-1").run_sealing(|| format.write(&lines)).unwrap();
    }
}

/// toml tries every value on a serializer that fails, and writes it after that: what no format took uses nothing up.
#[test]
fn what_a_format_did_not_take_may_be_written_again() {
    struct Tried<T>(T);

    impl<T: Serialize> Serialize for Tried<T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // No room for a token, for the length of a list, and for its second element.
            for room in [0, 10, 90] {
                assert!(postcard::to_slice(&self.0, &mut [0; 90][..room]).is_err());
            }
            self.0.serialize(serializer)
        }
    }

    const LONG: &str = "so long that its token has more than ninety bytes, whatever it is padded to";

    #[derive(Serialize)]
    struct Many3 {
        #[serde(with = "Sealing::<Each<phi::Allergy>>")]
        value: Vec<&'static str>,
    }

    #[derive(Serialize)]
    struct Notes {
        #[serde(with = "Sealing::<Parts<phi::Note>>")]
        value: BTreeMap<u8, &'static str>,
    }

    let value = Two {
        a: Tried(Single { value: LONG }),
        b: [Two {
            a: Tried(Many3 { value: vec![CANARY; 3] }),
            b: Tried(Notes { value: [(1, CANARY), (2, CANARY)].into() }),
        }],
    };
    for format in Format::ALL {
        record("RX-1").run_sealing(|| format.write(&value)).unwrap();
        // What it took is used up.
        let twice = Two { a: Tried(Single { value: LONG }), b: Tried(Single { value: LONG }) };
        assert_eq!(refused(record("RX-1").run_sealing(|| format.write(&twice))).code().as_str(), "field-repeated");
        let twice = Two { a: Tried(Many3 { value: vec![CANARY; 3] }), b: Tried(Many3 { value: vec![CANARY; 3] }) };
        assert_eq!(refused(record("RX-1").run_sealing(|| format.write(&twice))).code().as_str(), "field-repeated");
    }
}

/// Formats that write a whole row twice (csv with headers, bincode 1) are told what to do.
#[test]
fn a_row_that_is_written_twice_needs_a_scope_of_its_own() {
    let single = Single { value: CANARY };
    let twice = || serde_json::to_string(&single).and_then(|_| serde_json::to_string(&single));
    let error = refused(record("RX-1").run_sealing(twice));
    assert!(error.code().as_str() == "field-repeated" && error.to_string().contains("record.sealing(&row)"));
    let record = record("RX-1");
    let row = record.sealing(&single);
    assert!(serde_json::to_string(&row).and_then(|_| serde_json::to_string(&row)).is_ok());
}

/// Keys that are written alike are one part: their values could be exchanged.
#[test]
fn two_keys_of_a_map_with_one_text_are_refused() {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
    struct Line(u8, u8);

    impl std::fmt::Display for Line {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}", self.0)
        }
    }

    #[derive(Serialize)]
    struct Lines {
        #[serde(with = "Sealing::<Parts<phi::Drug>>")]
        value: BTreeMap<Line, &'static str>,
    }

    let lines = Lines { value: [(Line(1, 1), CANARY), (Line(1, 2), CANARY)].into() };
    let error = refused(record("RX-1").run_sealing(|| Format::Cbor.write(&lines)));
    assert_eq!((error.code().as_str(), error.field_id()), ("invalid-id", Some("phi.rx.drug")));
}

#[test]
fn a_field_that_failed_may_be_tried_again_in_the_pass() {
    let token = record("RX-1").seal_fields(|pass| {
        assert_eq!(refused(pass.seal::<phi::Strength>(&f64::NAN)).code().as_str(), "not-finite");
        pass.seal::<phi::Strength>(&1.5)
    });
    assert!(opener("RX-1").open::<phi::Strength, f64>(&token.unwrap()).unwrap() == 1.5);
}

// Parts (FORMAT 4.7)

#[derive(Serialize, Deserialize, PartialEq)]
struct Lines {
    #[serde(with = "Sealing::<Parts<phi::Drug>>")]
    lines: BTreeMap<String, String>,
}

#[test]
fn values_of_parts_cannot_be_exchanged_among_keys() {
    let lines = Lines { lines: [("1".into(), CANARY.into()), ("2".into(), "warfarin".into())].into() };
    let record = record("RX-1");
    let open = record.opened_by(&access());
    for format in [Format::JsonText, Format::JsonValue, Format::Cbor, Format::RmpNamed] {
        let bytes = format.write(&record.sealing(&lines)).unwrap();
        assert!(!leaks(&bytes));
        assert!(open.run_opening(|| format.read::<Lines>(&bytes)).unwrap() == lines);
    }
    let json = serde_json::to_value(record.sealing(&lines)).unwrap();
    let (one, two) = (json["lines"]["1"].clone(), json["lines"]["2"].clone());
    let opens = |json: serde_json::Value| open.run_opening(|| serde_json::from_value::<Lines>(json));
    let failed = |json| refused(opens(json)).is_open_failure();
    assert!(failed(serde_json::json!({ "lines": { "1": two, "2": one } })), "exchanged");
    assert!(failed(serde_json::json!({ "lines": { "1": one, "2": one } })), "copied");
    assert!(failed(serde_json::json!({ "lines": { "01": one } })), "renamed");
    assert!(failed(serde_json::json!({ "lines": { "3": two } })), "moved");
    // Deleted: N4 says that this is not noticed.
    assert!(opens(serde_json::json!({ "lines": { "2": two } })).unwrap().lines.len() == 1);

    // The key is the part's id, and its name the field's.
    let part = record.part("phi.rx.drug", "1").unwrap().opened_by(&access());
    assert!(part.open_text::<phi::Drug, String>(one.as_str().unwrap()).unwrap() == CANARY);
    assert!(refused(open.open_text::<phi::Drug, String>(one.as_str().unwrap())).is_open_failure());
}

#[test]
fn the_key_of_an_entry_is_an_identifier() {
    for key in ["", "a b", "\u{e4}", "6F9619FF-8B86-D011-B42D-00CF4FC964FF", &"x".repeat(256)] {
        let lines = Lines { lines: [(key.to_owned(), CANARY.into())].into() };
        let error = refused(record("RX-1").run_sealing(|| serde_json::to_string(&lines)));
        assert_eq!((error.code().as_str(), error.field_id()), ("invalid-id", Some("phi.rx.drug")));
        let forged = serde_json::json!({ "lines": { key: sealed("RX-1") } }).to_string();
        let error = refused(opener("RX-1").run_opening(|| read::<Lines>(&forged)));
        assert_eq!(error.code().as_str(), "invalid-id");
        assert!(!error.is_api_misuse(), "a forged row is no mistake of the program's");
    }
}

#[test]
fn parts_of_a_record_are_contexts_of_their_own() {
    let rx = record("RX-1");
    let (one, two) = (rx.part("line", 1).unwrap(), rx.part("line", 2).unwrap());
    let deeper = one.part("line", 2).unwrap();
    let json = serde_json::to_string(&one.sealing(&refill())).unwrap();
    let opens = |record: &Record| record.opened_by(&access()).run_opening(|| read::<Refill>(&json)).is_ok();
    assert!(opens(&one) && opens(&record("RX-1").part("line", "1").unwrap()));
    let others = [rx, two, deeper, record("RX-2").part("line", 1).unwrap(), record("RX-1").part("lines", 1).unwrap()];
    for other in &others {
        assert!(!opens(other));
    }
}

// Classes

#[test]
fn a_limited_sealer_and_opener_refuse_other_classes_in_scopes() {
    let sealer = KEYS.sealer().only([Class::IDENTITY]).record("refill", "RX-1").unwrap();
    let error = refused(sealer.run_sealing(|| serde_json::to_string(&refill())));
    assert_eq!((error.code().as_str(), error.field_id()), ("class-locked", Some("phi.rx.drug")));
    let reader = KEYS.opener().only([Class::IDENTITY]).record("refill", "RX-1").unwrap().opened_by(&access());
    let error = refused(reader.run_opening(|| read::<Refill>(&sealed("RX-1"))));
    assert_eq!((error.code().as_str(), error.field_id()), ("class-locked", Some("phi.rx.drug")));
}

/// The limit is that of the handle that opens, also where its call joins a scope without limit.
#[test]
fn a_limited_handle_stays_limited_inside_a_wider_scope() {
    let access = access();
    let token = record("RX-1").seal::<phi::Drug>(CANARY).unwrap();
    let wide = record("RX-1").opened_by(&access);
    let limited = KEYS.opener().only([Class::IDENTITY]).record("refill", "RX-1").unwrap().opened_by(&access);
    let error = refused(wide.run_opening(|| {
        wide.open::<phi::Drug, String>(&token)?;
        limited.open::<phi::Drug, String>(&token)
    }));
    assert_eq!(error.code().as_str(), "class-locked");
}

// Sealed: untouched

#[derive(Serialize, Deserialize, PartialEq)]
struct Holder {
    id: u32,
    prescriber: Sealed<String, phi::PrescriberName>,
    maybe: Option<Sealed<String, phi::Note>>,
}

#[test]
fn a_sealed_field_passes_through_byte_for_byte_even_where_it_cannot_be_opened() {
    let foreign = keyring().record("refill", "RX-9").unwrap();
    let mut changed = record("RX-1").seal::<phi::Note>(CANARY).unwrap().into_bytes();
    *changed.last_mut().unwrap() ^= 1;
    let holder = Holder {
        id: 7,
        prescriber: Sealed::seal(&foreign, CANARY).unwrap(),
        maybe: Some(Token::try_from(changed).unwrap().into()),
    };
    let ours =
        |holder: &Holder| (holder.prescriber.token().clone(), holder.maybe.as_ref().map(|note| note.token().clone()));
    for format in Format::ALL {
        let first = format.write(&holder).unwrap();
        let outside: Holder = format.read(&first).unwrap();
        let opening: Holder = opener("RX-1").run_opening(|| format.read(&first)).unwrap();
        let sealing: Holder = record("RX-1").run_sealing(|| format.read(&first)).unwrap();
        for read in [outside, opening, sealing] {
            assert!(ours(&read) == ours(&holder));
            let again = [
                format.write(&read).unwrap(),
                record("RX-1").run_sealing(|| format.write(&read)).unwrap(),
                opener("RX-1").run_opening(|| format.write(&read)).unwrap(),
            ];
            assert!(again.iter().all(|bytes| *bytes == first), "{}", format.name());
        }
    }
    assert!(refused(holder.prescriber.open(&opener("RX-1"))).is_unknown_key());
    assert!(refused(holder.maybe.as_ref().unwrap().open(&opener("RX-1"))).is_open_failure());
}

#[test]
fn a_sealed_field_is_refused_in_plaintext_scopes() {
    let holder = Holder { id: 7, prescriber: Sealed::seal(&record("RX-1"), CANARY).unwrap(), maybe: None };
    for format in Format::ALL {
        assert!(format.write(&expose_plaintext(&holder)).is_err(), "{}", format.name());
        let bytes = format.write(&holder).unwrap();
        let error = refused(accept_plaintext(|| format.read::<Holder>(&bytes)));
        assert_eq!(error.code().as_str(), "wrong-direction", "{}", format.name());
    }
    let text = refused(serde_json::to_string(&expose_plaintext(&holder))).to_string();
    assert!(text.contains("open it first"), "{text}");
}

// The plaintext side (T45, T46)

#[test]
fn plaintext_scopes_write_and_read_plaintext_in_every_format_and_nothing_else_does() {
    #[derive(Serialize, Deserialize, PartialEq)]
    struct Form {
        #[serde(with = "Sealing::<phi::Drug>")]
        drug: String,
        #[serde(with = "Sealing::<Option<phi::Note>>", default)]
        note: Option<String>,
        #[serde(with = "Sealing::<Each<phi::Allergy>>")]
        allergies: Vec<String>,
        #[serde(with = "Sealing::<Parts<phi::Directions>>")]
        directions: BTreeMap<u8, String>,
        name: Phi<String, phi::PatientName>,
    }

    let form = Form {
        drug: CANARY.into(),
        note: Some(CANARY.into()),
        allergies: vec![CANARY.into()],
        directions: [(1, CANARY.into())].into(),
        name: CANARY.to_owned().into(),
    };
    for format in Format::ALL {
        let bytes = format.write(&expose_plaintext(&form)).unwrap();
        assert!(leaks(&bytes), "it is plaintext: {}", format.name());
        assert!(accept_plaintext(|| format.read::<Form>(&bytes)).unwrap() == form, "{}", format.name());
        // A plaintext row under an opening scope, and one without a scope.
        let error = refused(opener("RX-1").run_opening(|| format.read::<Form>(&bytes)));
        assert_eq!(error.code().as_str(), "not-a-token", "{}", format.name());
        assert!(format.read::<Form>(&bytes).is_err());
        // Sealed, it is no plaintext.
        let bytes = format.write(&record("RX-1").sealing(&form)).unwrap();
        assert!(!leaks(&bytes));
        let error = refused(accept_plaintext(|| format.read::<Form>(&bytes)));
        // Asked for text, a binary format may refuse the bytes of a token before our visitor sees them.
        let known = error.code().as_str() == "token-as-plaintext"
            || !format.is_json() && error.code().as_str() == "value-mismatch";
        assert!(known, "{} in {}", error.code().as_str(), format.name());
    }
}

/// A client with a stolen token posts it wherever a field takes text or bytes.
#[test]
fn a_token_that_a_client_posts_is_refused_in_every_position() {
    #[derive(Serialize, Deserialize)]
    struct Form<T> {
        #[serde(with = "Sealing::<phi::Note>", bound = "T: Serialize + DeserializeOwned")]
        note: T,
    }

    /// The form as a client writes it.
    #[derive(Serialize)]
    struct Body<T> {
        note: T,
    }

    #[derive(Serialize, Deserialize)]
    enum Choice {
        Text(String),
        Pair(u8, String),
        Named { text: String },
    }

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Loose {
        Number(u64),
        Text(String),
    }

    #[derive(Serialize, Deserialize)]
    struct Name(String);

    #[derive(Serialize, Deserialize)]
    struct Deep {
        id: u8,
        of: Vec<Option<Name>>,
    }

    #[track_caller]
    fn check<T: Serialize + DeserializeOwned>(note: T, formats: &[Format]) {
        let body = Body { note };
        for format in formats {
            let bytes = format.write(&body).unwrap();
            let error = refused(accept_plaintext(|| format.read::<Form<T>>(&bytes)));
            assert_eq!(
                (error.code().as_str(), error.field_id()),
                ("token-as-plaintext", Some("phi.clinical.note")),
                "{} in {}",
                std::any::type_name::<T>(),
                format.name()
            );
            assert!(!error.is_api_misuse());
        }
    }

    let text = || record("RX-2").seal_text::<phi::Drug>(CANARY).unwrap();
    let describing = &[Format::JsonText, Format::JsonStream, Format::JsonValue, Format::Cbor, Format::RmpNamed][..];
    check(text(), &Format::ALL);
    check(Some(text()), &Format::ALL);
    check(Name(text()), &Format::ALL);
    check(Box::new(text()), &Format::ALL);
    check(vec![String::new(), text()], &Format::ALL);
    check((1_u8, text()), &Format::ALL);
    check(BTreeMap::from([("key".to_owned(), text())]), &Format::ALL);
    check(BTreeMap::from([(text(), "value".to_owned())]), &Format::ALL);
    check(Choice::Text(text()), &Format::ALL);
    check(Choice::Pair(1, text()), &Format::ALL);
    check(Choice::Named { text: text() }, &Format::ALL);
    check(Deep { id: 1, of: vec![None, Some(Name(text()))] }, &Format::ALL);
    check(Loose::Text(text()), describing);
    check(serde_json::json!({ "a": [1, { "b": text() }] }), &[Format::JsonText, Format::JsonValue]);

    // As bytes, in formats that have them.
    let token = record("RX-2").seal::<phi::Drug>(CANARY).unwrap();
    for format in Format::ALL.into_iter().filter(|format| !format.is_json()) {
        let bytes = format.write(&Body { note: Sealed::<String, phi::Drug>::from(token.clone()) }).unwrap();
        let error = refused(accept_plaintext(|| format.read::<Form<Binary>>(&bytes)));
        assert_eq!(error.code().as_str(), "token-as-plaintext", "{}", format.name());
    }

    // Every letter, and a key of nobody's.
    let wide = KEYS.unbound("note").unwrap().seal_text::<phi::Drug>(CANARY).unwrap();
    let foreign = keyring().record("refill", 1).unwrap().seal_text::<phi::Drug>(CANARY).unwrap();
    for token in [wide, foreign] {
        check(token, &[Format::JsonText]);
    }
    // What only looks like one is text.
    let almost = format!("{} ", text());
    let json = serde_json::json!({ "note": almost }).to_string();
    assert!(accept_plaintext(|| read::<Form<String>>(&json)).unwrap().note == almost);
}

/// Bytes as crate serde_bytes has them.
#[derive(PartialEq)]
struct Binary(Vec<u8>);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Binary;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
                Ok(Binary(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// FORMAT 7.5
#[test]
fn a_token_is_never_sealed_as_a_value() {
    #[derive(Serialize)]
    struct Row<T: Serialize> {
        #[serde(with = "Sealing::<phi::Note>")]
        note: T,
    }

    struct Displayed(String);
    impl Serialize for Displayed {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&self.0)
        }
    }

    fn check<T: Serialize>(note: T) {
        assert_eq!(refused(record("RX-1").seal::<phi::Note>(&note)).code().as_str(), "token-as-plaintext");
        let row = Row { note };
        let error = refused(record("RX-1").run_sealing(|| serde_json::to_string(&row)));
        assert_eq!((error.code().as_str(), error.field_id()), ("token-as-plaintext", Some("phi.clinical.note")));
        assert!(!error.is_api_misuse(), "a client may have sent it");
    }

    let token = record("RX-2").seal::<phi::Drug>(CANARY).unwrap();
    check(token.to_string());
    check(Some(token.to_string()));
    check(Phi::<_, phi::Note>::new(token.to_string()).expose_into_inner());
    check(Displayed(token.to_string()));
    check(Binary(token.as_bytes().to_vec()));
    check(keyring().record("refill", 1).unwrap().seal_text::<phi::Drug>("x").unwrap());
    // Bytes under a key of nobody's are bytes. What is inside of a larger value: tests/serde/nesting.rs.
    let foreign = keyring().record("refill", 1).unwrap().seal::<phi::Drug>("x").unwrap();
    assert!(record("RX-1").seal::<phi::Note>(&Binary(foreign.into_bytes())).is_ok());
}

//! What every store of keyrings must do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rxseal::Error;
use rxseal::keys::KeyringFile;
use rxseal::store::KeyringStore;
use tokio::runtime::Runtime;

use crate::broken::Broken;
use crate::files::{generations, rivals};
use crate::rule::{Check, Rule};

const TENANT: &str = "pharmacy-17";

/// A new, empty store.
pub struct FreshStore {
    store: Arc<dyn KeyringStore>,
    spoil: Option<Spoil>,
    has_generations: bool,
}

/// The keyspace, the generation stored with the file, and the text.
type Spoil = Box<dyn Fn(&str, u64, &str)>;

impl FreshStore {
    /// The store to test.
    pub fn new(store: impl KeyringStore + 'static) -> Self {
        Self { store: Arc::new(store), spoil: None, has_generations: false }
    }

    /// Sets a function that changes a stored keyring behind the store's back, as a failing disk or a person would: it
    /// replaces the text that is stored for a keyspace. Without it, the rules about damaged keyrings are skipped.
    #[must_use]
    pub fn spoiled_by(mut self, spoil: impl Fn(&str, &str) + 'static) -> Self {
        self.spoil = Some(Box::new(move |keyspace, _, text| spoil(keyspace, text)));
        self
    }

    /// Like [`spoiled_by`](Self::spoiled_by), for a store that keeps a generation next to each text: `spoil` replaces
    /// both.
    #[must_use]
    pub fn spoiled_with_generation_by(mut self, spoil: impl Fn(&str, u64, &str) + 'static) -> Self {
        self.spoil = Some(Box::new(spoil));
        self.has_generations = true;
        self
    }
}

impl fmt::Debug for FreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshStore").field("is_spoiled", &self.spoil.is_some()).finish_non_exhaustive()
    }
}

/// Checks every rule of [`KeyringStore`], each with a store of its own from `fresh`. It runs for some seconds, on its
/// own tokio runtime and from several threads: call it from a plain `#[test]`.
///
/// # Errors
///
/// The first promise that is broken.
pub fn keyring_store(fresh: impl AsyncFn() -> FreshStore) -> Result<(), Broken> {
    let runtime = Runtime::new().map_err(|error| Broken::new("a tokio runtime is there", error.to_string()))?;
    for rule in [
        nothing_is_there_at_first,
        what_is_not_awaited_is_not_done,
        what_was_put_is_got,
        only_over_what_is_stored,
        keyspaces_are_apart_and_sorted,
        illegal_names_reach_nothing,
        one_of_sixteen_wins,
        sixteen_create_one,
        what_was_spoiled_is_an_error,
    ] {
        rule(&Calls { runtime: &runtime, fresh: runtime.block_on(fresh()) })?;
    }
    Ok(())
}

/// Calls are awaited on one runtime, from any thread.
struct Calls<'a> {
    runtime: &'a Runtime,
    fresh: FreshStore,
}

/// The part that threads share.
#[derive(Clone, Copy)]
struct Shared<'a>(&'a Runtime, &'a dyn KeyringStore);

impl Shared<'_> {
    fn get(self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        self.0.block_on(self.1.get(keyspace))
    }

    fn put(self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        self.0.block_on(self.1.put(file, over))
    }
}

impl Calls<'_> {
    fn shared(&self) -> Shared<'_> {
        Shared(self.runtime, &*self.fresh.store)
    }

    fn put(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        self.shared().put(file, over)
    }

    fn keyspaces(&self) -> Result<Vec<String>, Error> {
        self.runtime.block_on(self.fresh.store.keyspaces())
    }

    /// The stored keyring must be this file.
    fn has(&self, rule: Rule, file: Option<&KeyringFile>) -> Check {
        let got = rule.ok(self.shared().get(file.map_or(TENANT, KeyringFile::keyspace)))?;
        let generation = |file: Option<&KeyringFile>| file.map(KeyringFile::generation);
        rule.is(got.as_ref() == file, || {
            format!("generation {:?} where {:?} belongs, or another file", generation(got.as_ref()), generation(file))
        })
    }
}

/// Files that the suite itself makes.
fn made(rule: Rule, keyspace: &str, count: usize) -> Result<Vec<KeyringFile>, Broken> {
    rule.ok(generations(keyspace, count))
}

fn nothing_is_there_at_first(store: &Calls<'_>) -> Check {
    let rule = Rule("a new store is empty: `get` gives nothing, and there are no keyspaces");
    store.has(rule, None)?;
    rule.equal(&rule.ok(store.keyspaces())?, &Vec::new())
}

fn what_is_not_awaited_is_not_done(store: &Calls<'_>) -> Check {
    let rule = Rule("a `put` that is not awaited stores nothing");
    for file in &made(rule, TENANT, 1)? {
        drop(store.fresh.store.put(file, None));
    }
    store.has(rule, None)
}

fn what_was_put_is_got(store: &Calls<'_>) -> Check {
    let rule = Rule("`get` gives the newest file that was put, to the byte");
    let mut over = None;
    for file in &made(rule, TENANT, 3)? {
        rule.ok(store.put(file, over))?;
        store.has(rule, Some(file))?;
        over = Some(file.generation());
    }
    rule.equal(&rule.ok(store.keyspaces())?, &vec![TENANT.to_owned()])
}

fn only_over_what_is_stored(store: &Calls<'_>) -> Check {
    let rule = Rule("a file is stored only over the generation that it was made from, and never goes back");
    let files = made(rule, TENANT, 4)?;
    let [one, two, three, four] = &files[..] else { return Ok(()) };
    // Nothing is stored, but the caller believes that something is.
    rule.fails(store.put(two, Some(1)), &["store-conflict"])?;
    store.has(rule, None)?;
    rule.ok(store.put(two, None))?;
    // Something is stored, but the caller believes that nothing is, or something else.
    let lost = ["store-conflict", "keyring-too-old"];
    for (file, over) in [(one, None), (two, None), (three, None), (three, Some(1)), (four, Some(3)), (four, Some(9))] {
        rule.fails(store.put(file, over), &lost)?;
        store.has(rule, Some(two))?;
    }
    rule.fails(store.put(three, Some(1)), &["store-conflict"])?;
    // Never an older generation, and never the same one again.
    for file in [one, two] {
        rule.fails(store.put(file, Some(2)), &["keyring-too-old"])?;
        store.has(rule, Some(two))?;
    }
    // A generation may be skipped.
    rule.ok(store.put(four, Some(2)))?;
    rule.fails(store.put(three, Some(4)), &lost)?;
    rule.fails(store.put(four, Some(u64::MAX)), &["keyring-too-old"])?;
    store.has(rule, Some(four))
}

fn keyspaces_are_apart_and_sorted(store: &Calls<'_>) -> Check {
    let rule = Rule("keyspaces have a file each, and are listed in ascending order of their bytes");
    let mut names = ["b", "a", "pharmacy-17", "pharmacy-170", "pharmacy.17", "a_b", "a-b", "a.b", "z9", "0"];
    let mut files = Vec::new();
    for name in names {
        files.extend(made(rule, name, 1)?);
    }
    for file in &files {
        rule.ok(store.put(file, None))?;
    }
    names.sort_unstable();
    rule.equal(&rule.ok(store.keyspaces())?, &names.map(str::to_owned).to_vec())?;
    files.iter().try_for_each(|file| store.has(rule, Some(file)))
}

fn illegal_names_reach_nothing(store: &Calls<'_>) -> Check {
    let rule = Rule("an illegal name is `invalid-id` or finds nothing");
    let long = "a".repeat(65);
    for file in &made(rule, "a", 1)? {
        rule.ok(store.put(file, None))?;
    }
    for name in ["../a", "A", "./a", "a/../a", "", ".", "a\0", "a' OR '1'='1", "a ", "%", long.as_str()] {
        match store.shared().get(name) {
            Ok(found) => rule.is(found.is_none(), || format!("a keyring under {name:?}"))?,
            failed => rule.fails(failed, &["invalid-id"])?,
        }
    }
    rule.equal(&rule.ok(store.keyspaces())?, &vec!["a".to_owned()])
}

fn one_of_sixteen_wins(store: &Calls<'_>) -> Check {
    let rule = Rule("of several changes at once one is stored, and readers see whole files that do not go back");
    let (first, rivals) = rule.ok(rivals(TENANT, 16))?;
    rule.ok(store.put(&first, None))?;
    let (calls, done) = (store.shared(), AtomicBool::new(false));
    let (won, read) = thread::scope(|scope| {
        let read = || -> Check {
            let (mut once, mut newest) = (false, 1);
            while !done.load(Ordering::Relaxed) || !once {
                let file = rule.ok(calls.get(TENANT))?;
                let file = file.ok_or_else(|| Broken::new(rule.0, "nothing, in the middle of a change"))?;
                rule.is(file.generation() >= newest, || "an older generation after a newer one".to_owned())?;
                rule.is(file == first || rivals.contains(&file), || "a file that nobody wrote".to_owned())?;
                (once, newest) = (true, file.generation());
            }
            Ok(())
        };
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        let writers = rivals.iter().map(|rival| scope.spawn(move || calls.put(rival, Some(1))));
        let writers: Vec<_> = writers.collect();
        let won = winner(rule, writers.into_iter().map(thread::ScopedJoinHandle::join));
        done.store(true, Ordering::Relaxed);
        let read = readers.into_iter().map(|reader| reader.join().unwrap_or_else(|_| Err(panicked(rule))));
        (won, read.collect::<Check>())
    });
    read?;
    store.has(rule, rivals.get(won?))
}

fn sixteen_create_one(store: &Calls<'_>) -> Check {
    let rule = Rule("of several first generations at once one is stored");
    let mut files = Vec::new();
    for _ in 0..16 {
        files.extend(made(rule, TENANT, 1)?);
    }
    let calls = store.shared();
    let won = thread::scope(|scope| {
        let writers: Vec<_> = files.iter().map(|file| scope.spawn(move || calls.put(file, None))).collect();
        winner(rule, writers.into_iter().map(thread::ScopedJoinHandle::join))
    })?;
    store.has(rule, files.get(won))
}

/// Exactly one; all others got a conflict.
fn winner(rule: Rule, ended: impl Iterator<Item = thread::Result<Result<(), Error>>>) -> Result<usize, Broken> {
    let mut won = Vec::new();
    for (at, ended) in ended.enumerate() {
        match ended.map_err(|_| panicked(rule))? {
            Ok(()) => won.push(at),
            failed => rule.fails(failed, &["store-conflict"])?,
        }
    }
    match won[..] {
        [one] => Ok(one),
        _ => Err(Broken::new(rule.0, format!("{} changes that say they were stored", won.len()))),
    }
}

fn panicked(rule: Rule) -> Broken {
    Broken::new(rule.0, "a panic")
}

fn what_was_spoiled_is_an_error(store: &Calls<'_>) -> Check {
    let rule = Rule("a damaged keyring is an error, and is not written over");
    let Some(spoil) = &store.fresh.spoil else { return Ok(()) };
    let files = made(rule, TENANT, 3)?;
    let [first, second, third] = &files[..] else { return Ok(()) };
    rule.ok(store.put(first, None))?;
    let good = first.to_string();
    let other = made(rule, "pharmacy-18", 1)?.iter().map(ToString::to_string).collect();
    let cut = good.get(..good.len() / 2).unwrap_or_default().to_owned();
    let mut garbage = vec![
        (1, cut, "invalid-keyring"),
        (1, String::new(), "invalid-keyring"),
        (1, other, "keyring-mismatch"),
        (1, format!("{good}{}", " ".repeat(KeyringFile::MAX_LEN.saturating_mul(2))), "invalid-keyring"),
        (1, "rxsX".to_owned(), "invalid-keyring"),
    ];
    if store.fresh.has_generations {
        garbage.push((1, third.to_string(), "invalid-keyring"));
        garbage.push((2, good.clone(), "invalid-keyring"));
    }
    for (generation, text, code) in garbage {
        spoil(TENANT, generation, &text);
        rule.fails(store.shared().get(TENANT), &[code])?;
        // Whatever generation the caller expects.
        for over in [None, Some(1), Some(2)] {
            rule.fails(store.put(third, over), &[code])?;
        }
        rule.fails(store.shared().get(TENANT), &[code])?;
    }
    spoil(TENANT, 1, &good);
    rule.ok(store.put(second, Some(1)))?;
    store.has(rule, Some(second))
}

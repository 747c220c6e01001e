//! What every store must do, whoever keeps the rows or files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rxseal::keys::KeyringFile;
use rxseal::store::KeyringStore;
use rxseal::testing::insecure_keyring_file;
use rxseal::{Error, run_local};
use tokio::runtime::Runtime;

/// Changes what is stored behind the store's back: the keyspace, the generation of the row, and the text.
pub type Spoil = Box<dyn Fn(&str, u64, &str)>;

/// A new, empty store.
pub struct Fresh {
    pub store: Arc<dyn KeyringStore>,
    /// Where that can be done.
    pub spoil: Option<Spoil>,
    /// Whether the generation is stored beside the file too.
    pub rows: bool,
}

/// Calls are awaited on one runtime, from any thread.
struct Calls<'a>(&'a Runtime, Arc<dyn KeyringStore>);

impl Calls<'_> {
    fn get(&self, keyspace: &str) -> Result<Option<KeyringFile>, Error> {
        self.0.block_on(self.1.get(keyspace))
    }

    fn put(&self, file: &KeyringFile, over: Option<u64>) -> Result<(), Error> {
        self.0.block_on(self.1.put(file, over))
    }

    fn keyspaces(&self) -> Vec<String> {
        self.0.block_on(self.1.keyspaces()).unwrap()
    }
}

/// Every rule, each on a store of its own.
pub fn all(runtime: &Runtime, fresh: &dyn Fn() -> Fresh) {
    let calls = |fresh: &Fresh| Calls(runtime, Arc::clone(&fresh.store));
    nothing_is_there_at_first(&calls(&fresh()));
    what_is_not_awaited_is_not_done(&calls(&fresh()));
    what_was_put_is_got(&calls(&fresh()));
    only_over_what_is_stored(&calls(&fresh()));
    keyspaces_are_apart_and_sorted(&calls(&fresh()));
    names_that_are_none_reach_nothing(&calls(&fresh()));
    one_of_sixteen_wins(&calls(&fresh()));
    sixteen_create_one(&calls(&fresh()));
    let spoiled = fresh();
    what_was_spoiled_is_an_error(&calls(&spoiled), &spoiled);
}

/// A keyring of `keyspace` in its first generations.
pub fn generations(keyspace: &str, count: usize) -> Vec<KeyringFile> {
    let (roots, first) = insecure_keyring_file(keyspace).unwrap();
    let mut files = vec![first];
    while files.len() < count {
        files.push(run_local(rxseal::testing::rotate_keyring(keyspace, &roots, files.last().unwrap())).unwrap());
    }
    files
}

/// A first generation, and several second ones that are made from it.
pub fn rivals(keyspace: &str, count: usize) -> (KeyringFile, Vec<KeyringFile>) {
    let (roots, first) = insecure_keyring_file(keyspace).unwrap();
    let rivals =
        (0..count).map(|_| run_local(rxseal::testing::rotate_keyring(keyspace, &roots, &first)).unwrap()).collect();
    (first, rivals)
}

fn nothing_is_there_at_first(store: &Calls<'_>) {
    assert_eq!(store.get("pharmacy-17").unwrap(), None);
    assert!(store.keyspaces().is_empty());
}

fn what_is_not_awaited_is_not_done(store: &Calls<'_>) {
    drop(store.1.put(&generations("pharmacy-17", 1)[0], None));
    assert_eq!(store.get("pharmacy-17").unwrap(), None);
}

fn what_was_put_is_got(store: &Calls<'_>) {
    let files = generations("pharmacy-17", 3);
    let mut over = None;
    for file in &files {
        store.put(file, over).unwrap();
        let got = store.get("pharmacy-17").unwrap().unwrap();
        assert_eq!((&got, got.to_string()), (file, file.to_string()));
        over = Some(file.generation());
    }
    assert_eq!(store.keyspaces(), ["pharmacy-17"]);
}

fn only_over_what_is_stored(store: &Calls<'_>) {
    let files = generations("pharmacy-17", 4);
    let code = |file: usize, over| store.put(&files[file - 1], over).map_err(|error| error.code().as_str());
    // Nothing is stored, and somebody thinks that there is.
    assert_eq!(code(2, Some(1)), Err("store-conflict"));
    assert_eq!(store.get("pharmacy-17").unwrap(), None);
    assert_eq!(code(2, None), Ok(()));
    let stored = || store.get("pharmacy-17").unwrap().unwrap().generation();
    // Something is stored, and somebody thinks that there is nothing, or another one.
    for (file, over) in [(1, None), (2, None), (3, None), (3, Some(1)), (4, Some(3)), (4, Some(9))] {
        let conflict = code(file, over).unwrap_err();
        assert!(["store-conflict", "keyring-too-old"].contains(&conflict), "{file} over {over:?}: {conflict}");
        assert_eq!(stored(), 2);
    }
    assert!(store.put(&files[2], Some(1)).unwrap_err().is_conflict());
    // Never backwards, and never the same generation again.
    assert_eq!(code(1, Some(2)), Err("keyring-too-old"));
    assert_eq!(code(2, Some(2)), Err("keyring-too-old"));
    assert_eq!(stored(), 2);
    // Generations may be left out.
    assert_eq!(code(4, Some(2)), Ok(()));
    assert_eq!(stored(), 4);
    assert!(code(3, Some(4)).is_err() && stored() == 4);
    assert_eq!(code(4, Some(u64::MAX)), Err("keyring-too-old"));
}

fn keyspaces_are_apart_and_sorted(store: &Calls<'_>) {
    let names = ["b", "a", "pharmacy-17", "pharmacy-170", "pharmacy.17", "a_b", "a-b", "a.b", "z9", "0"];
    let files: Vec<_> = names.iter().map(|name| generations(name, 1).remove(0)).collect();
    for file in &files {
        store.put(file, None).unwrap();
    }
    let mut sorted = names.map(str::to_owned);
    sorted.sort_unstable();
    assert_eq!(store.keyspaces(), sorted);
    for file in &files {
        assert_eq!(store.get(file.keyspace()).unwrap().as_ref(), Some(file));
    }
}

fn names_that_are_none_reach_nothing(store: &Calls<'_>) {
    let long = "a".repeat(65);
    let file = generations("a", 1).remove(0);
    store.put(&file, None).unwrap();
    for name in ["../a", "A", "./a", "a/../a", "", ".", "a\0", "a' OR '1'='1", "a ", "%", long.as_str()] {
        match store.get(name) {
            Ok(found) => assert_eq!(found, None, "{name:?}"),
            Err(error) => assert_eq!(error.code().as_str(), "invalid-id", "{name:?}"),
        }
    }
    assert_eq!(store.keyspaces(), ["a"]);
}

fn one_of_sixteen_wins(store: &Calls<'_>) {
    let (first, rivals) = rivals("pharmacy-17", 16);
    store.put(&first, None).unwrap();
    let done = AtomicBool::new(false);
    let (won, read) = thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut read, mut newest) = (0_u32, 1);
                    while !done.load(Ordering::Relaxed) || read == 0 {
                        let file = store.get("pharmacy-17").unwrap().unwrap();
                        assert!(file.generation() >= newest, "a reader saw an older generation after a newer one");
                        assert!(file == first || rivals.contains(&file), "a reader saw what nobody wrote");
                        newest = file.generation();
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        let writers: Vec<_> = rivals.iter().map(|rival| scope.spawn(|| store.put(rival, Some(1)))).collect();
        let won = winners(writers.into_iter().map(|writer| writer.join().unwrap()).collect());
        done.store(true, Ordering::Relaxed);
        (won, readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>())
    });
    assert_eq!(store.get("pharmacy-17").unwrap().as_ref(), Some(&rivals[won]));
    assert!(read >= 4);
}

fn sixteen_create_one(store: &Calls<'_>) {
    let files: Vec<_> = (0..16).map(|_| generations("pharmacy-17", 1).remove(0)).collect();
    let won = thread::scope(|scope| {
        let writers: Vec<_> = files.iter().map(|file| scope.spawn(|| store.put(file, None))).collect();
        winners(writers.into_iter().map(|writer| writer.join().unwrap()).collect())
    });
    assert_eq!(store.get("pharmacy-17").unwrap().as_ref(), Some(&files[won]));
}

/// Exactly one; all others were told of a conflict.
fn winners(ended: Vec<Result<(), Error>>) -> usize {
    for error in ended.iter().filter_map(|ended| ended.as_ref().err()) {
        assert!(error.is_conflict(), "{error:?}: {:?}", std::error::Error::source(error).map(ToString::to_string));
    }
    let won: Vec<_> = ended.iter().enumerate().filter(|(_, ended)| ended.is_ok()).map(|(at, _)| at).collect();
    assert_eq!(won.len(), 1, "{} of {} won", won.len(), ended.len());
    won[0]
}

fn what_was_spoiled_is_an_error(store: &Calls<'_>, fresh: &Fresh) {
    let Some(spoil) = &fresh.spoil else { return };
    let files = generations("pharmacy-17", 3);
    store.put(&files[0], None).unwrap();
    let good = files[0].to_string();
    let other = generations("pharmacy-18", 1).remove(0).to_string();
    let huge = format!("{good}{}", " ".repeat(2 * 1024 * 1024));
    let mut garbage = vec![
        ("cut", 1, good[..good.len() / 2].to_owned(), "invalid-keyring"),
        ("empty", 1, String::new(), "invalid-keyring"),
        ("another keyspace", 1, other, "keyring-mismatch"),
        ("2 MiB", 1, huge, "invalid-keyring"),
        ("another format", 1, "rxsX".to_owned(), "invalid-keyring"),
    ];
    if fresh.rows {
        garbage.push(("another generation", 1, files[2].to_string(), "invalid-keyring"));
        garbage.push(("a row of another generation", 2, good.clone(), "invalid-keyring"));
    }
    for (what, generation, text, code) in garbage {
        spoil("pharmacy-17", generation, &text);
        assert_eq!(store.get("pharmacy-17").unwrap_err().code().as_str(), code, "{what}");
        // Not written over either, whatever the caller believes to be there.
        for over in [None, Some(1), Some(2)] {
            let refused = store.put(&files[2], over).unwrap_err();
            assert_eq!(refused.code().as_str(), code, "{what}, put over {over:?}");
        }
        assert_eq!(store.get("pharmacy-17").unwrap_err().code().as_str(), code, "{what} is still there");
    }
    spoil("pharmacy-17", 1, &good);
    store.put(&files[1], Some(1)).unwrap();
    assert_eq!(store.get("pharmacy-17").unwrap().as_ref(), Some(&files[1]));
}

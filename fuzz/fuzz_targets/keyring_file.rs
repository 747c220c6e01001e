//! A keyring file that parses has exactly the members of FORMAT 8, is written and read as the same file, and unlocks
//! only if it is the genuine one.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal::keys::KeyringFile;
use rxseal::root::RootKeys;
use rxseal::{Keyring, run_local, testing};
use rxseal_fuzz::changed;

static GENUINE: LazyLock<(RootKeys, KeyringFile)> =
    LazyLock::new(|| testing::insecure_keyring_file("fuzz").expect("a keyring"));
static FOREIGN: LazyLock<RootKeys> = LazyLock::new(|| testing::insecure_keyring_file("fuzz").expect("a keyring").0);

const MEMBERS: [&str; 8] = ["body", "generation", "kek", "keys", "keyspace", "kind", "rxseal_keyring", "wraps"];

fuzz_target!(|data: &[u8]| {
    let (roots, genuine) = &*GENUINE;
    let written = genuine.to_string();
    // The genuine file with a member moved, or with another value.
    let members = serde_json::from_str::<serde_json::Value>(&written).expect("JSON");
    let mut replaced = members.clone();
    if let (Some((at, value)), Some(object)) = (data.split_first(), replaced.as_object_mut())
        && let Ok(value) = serde_json::from_slice(value)
    {
        object.insert(MEMBERS[usize::from(*at) % MEMBERS.len()].to_owned(), value);
    }
    for text in [data, &changed(written.as_bytes(), data), replaced.to_string().as_bytes()] {
        let Ok(file) = KeyringFile::try_from(text) else { continue };
        has_its_members(text);
        assert!(file.keys().len() >= 2 && file.wraps().count() >= 1);
        let again: KeyringFile = file.to_string().parse().expect("what was written");
        assert_eq!(again, file);
        assert_eq!(again.to_string(), file.to_string());
        assert!(
            run_local(Keyring::unlock(file.keyspace(), &FOREIGN, &file)).is_err(),
            "a foreign root key unlocked it"
        );
        if run_local(Keyring::unlock("fuzz", roots, &file)).is_ok() {
            assert_eq!(file, *genuine, "a changed file was unlocked");
        }
    }
});

fn has_its_members(text: &[u8]) {
    let read: serde_json::Value = serde_json::from_slice(text).expect("one JSON document");
    let mut names: Vec<&str> = read.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, MEMBERS);
    for (list, least) in [("keys", 7), ("wraps", 3)] {
        let objects = read[list].as_array().expect("a list");
        assert!(objects.iter().all(|object| object.as_object().expect("an object").len() >= least));
    }
}

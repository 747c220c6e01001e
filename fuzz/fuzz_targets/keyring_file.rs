//! A keyring file that parses is written and read as the same file, and unlocks under no root key that did not make it.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rxseal::{Keyring, KeyringFile, RootKeys, run_local};

static GENUINE: LazyLock<(RootKeys, KeyringFile)> =
    LazyLock::new(|| rxseal::testing::insecure_keyring_file("fuzz").expect("a keyring"));

fuzz_target!(|input: (&[u8], u16, u8)| {
    let (bytes, at, flip) = input;
    let (roots, genuine) = &*GENUINE;
    let mut changed = genuine.to_string().into_bytes();
    let at = usize::from(at) % changed.len();
    changed[at] ^= flip;
    for text in [bytes, &changed] {
        let Ok(file) = KeyringFile::try_from(text) else { continue };
        let again: KeyringFile = file.to_string().parse().expect("what was written");
        assert_eq!(again, file);
        if run_local(Keyring::unlock("fuzz", roots, &file)).is_ok() {
            assert_eq!(file, *genuine, "a changed file was unlocked");
        }
    }
});

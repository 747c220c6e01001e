//! The example as somebody runs it first: with a key file of its own. `.ci/run slow` runs it with the other root keys.

use std::process::Command;

#[test]
fn the_life_of_a_keyring_ends_well_with_a_key_file() {
    let run = Command::new(env!("CARGO_BIN_EXE_kms_rotation")).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}{error}");
    assert!(said.contains("500 rows open"), "{said}");
}

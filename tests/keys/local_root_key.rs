//! The root key on this machine, tested like every root key.

use rxseal::root::RootKeyFile;

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let folder = std::env::temp_dir().join(format!("rxseal-local-root-key-{}", std::process::id()));
    let key = |name: &str| RootKeyFile::new(folder.join(name)).create().unwrap();
    let found = rxseal_conformance::root_key(key("one.key"), key("other.key")).await.unwrap();
    found.check_strict().unwrap();
    assert!(found.wraps_differ);
    println!("{found:#?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Without its source an error of a missing file must say what is wrong and what to do; its source says where.
#[test]
fn a_missing_file_is_told() {
    let error = RootKeyFile::new("no-such-folder/root.key").load().err().unwrap();
    assert!(error.to_string().contains("no file at this path"), "{error}");
    assert!(format!("{error:?}").contains("no-such-folder/root.key"), "{error:?}");
}

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

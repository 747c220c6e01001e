//! The root key on this machine, held to what every root key must do.

use std::sync::Arc;

use rxseal::root::{RootKey, RootKeyFile};

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    let folder = std::env::temp_dir().join(format!("rxseal-local-root-key-{}", std::process::id()));
    let key = |name: &str| -> Arc<dyn RootKey> { Arc::new(RootKeyFile::new(folder.join(name)).create().unwrap()) };
    let found = crate::conformance::conforms(key("one.key"), key("other.key")).await;
    found.assert_provider_is_strict();
    assert!(found.wraps_differ);
    println!("{found:#?}");
    std::fs::remove_dir_all(folder).unwrap();
}

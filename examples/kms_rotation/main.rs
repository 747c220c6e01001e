//! The whole life of a keyring, with the root key of your choice: it is created, rotated and counted, its old key is
//! destroyed, and it moves to another root key. Each step is checked, and the example ends with an error if a claim
//! does not hold.
//!
//! ```text
//! cargo run -p rxseal-example-kms-rotation                       a key file, made for it
//! cargo run -p rxseal-example-kms-rotation --features aws-kms -- aws-kms alias/phi-root
//!                                                                AWS KMS, standard credentials
//! cargo run -p rxseal-example-kms-rotation --features pkcs11 -- pkcs11 /usr/lib/hsm.so 'pkcs11:token=phi;object=phi-root'
//!                                                                with RXSEAL_PKCS11_PIN
//! cargo run -p rxseal-example-kms-rotation --features vault -- vault https://vault:8200 phi-root
//!                                                                with VAULT_TOKEN
//! ```
//!
//! To copy: `roots.rs` shows how root keys are named, and `rows.rs` how rows are sealed, resealed and counted.

mod roots;
mod rows;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Parser;
use rxseal::Keyring;
use rxseal::keys::{KeyState, KeyringAdmin, KeyringManager, RemainingUse, Suite};
use rxseal::observe::TracingObserver;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal_sqlite::SqliteStore;

use roots::Root;
use rows::Rows;

const TENANT: &str = "pharmacy-17";
const ROWS: u32 = 500;

/// Runs the whole life of a keyring against one provider of root keys.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    root: Option<Root>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let folder = std::env::temp_dir().join(format!("rxseal-kms-rotation-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = live(&folder, arguments.root).await;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn live(folder: &Path, root: Option<Root>) -> Result<(), Box<dyn Error>> {
    let root = roots::connect(root, folder).await?;
    println!("root key        {} {}", root.provider(), root.name());
    let roots = RootKeys::from(Arc::clone(&root));
    // Keyrings are kept apart from the data: a thief of one has nothing of the other.
    let store = Arc::new(SqliteStore::open(folder.join("keyrings.db"))?);
    let admin = KeyringAdmin::new(Arc::clone(&store), roots.clone()).observed_by(TracingObserver);

    admin.create(TENANT, Suite::default()).await?;
    let manager = KeyringManager::builder(Arc::clone(&store), roots.clone()).observed_by(TracingObserver);
    let keys = manager.keyring(TENANT).await?;
    let old = keys.primary_key();
    let rows = Rows::sealed(&folder.join("pharmacy.db"), &keys, ROWS)?;
    println!("sealed          {ROWS} rows under key {old}");

    // If several processes hold the keyring, all must see a new key within the staging time. Here there is one process.
    let (_, new) = admin.stage(TENANT).await?;
    admin.promote(TENANT, new, SystemTime::now(), Duration::ZERO).await?;
    // A manager looks for newer generations on its own, within its staleness. This example does not wait for that.
    manager.forget(TENANT);
    let keys = manager.keyring(TENANT).await?;
    check(keys.primary_key() == new, "the new key seals")?;
    check(rows.open_all(&keys)? == ROWS, "every row opens after the rotation")?;
    println!("rotated         {new} seals now, {old} still opens");

    // The old key is not destroyed while anything is under it.
    let before = rows.count()?;
    check(before.of(old) == u64::from(ROWS) && before.not_tokens() == 0, "every row is under the old key")?;
    let still = RemainingUse::counted([&before], keys.keys(), old, 0, None)?;
    check(
        admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO).await.is_err(),
        "a key in use is not destroyed",
    )?;
    rows.reseal_all(&keys)?;
    let after = rows.count()?;
    check((after.of(old), after.of(new)) == (0, u64::from(ROWS)), "every row is under the new key")?;
    println!("resealed        {} rows, {} left under {old}", after.of(new), after.of(old));

    let still = RemainingUse::counted([&after], keys.keys(), old, 0, None)?;
    // If other processes hold the keyring, wait for `KeyringAdmin::UNUSED_FOR`. Here nothing has the old key any more.
    let stored = admin.destroy(TENANT, old, still, SystemTime::now(), Duration::ZERO).await?;
    let state = stored.keys().iter().find(|key| key.id() == old).map(rxseal::keys::KeyInfo::state);
    check(state == Some(KeyState::Destroyed), "the old key is destroyed")?;
    println!("destroyed       {old}");

    // An escrow root key, kept offline, and the drill that it works.
    let escrow = RootKeyFile::new(folder.join("escrow.key")).create()?;
    let stored = admin.add_root(TENANT, &escrow).await?;
    let (escrow_provider, escrow_name) = ("local", rxseal::root::RootKey::name(&escrow).to_owned());
    let drill = Keyring::unlock(TENANT, &RootKeys::from(escrow), &stored).await?.unobserved();
    check(rows.open_all(&drill)? == ROWS, "the escrow root key opens every row without the other")?;
    check(
        admin.verify(TENANT).await?.iter().any(|check| matches!(check.result(), Some(Ok(())))),
        "a root key unlocks",
    )?;
    admin.remove_root(TENANT, escrow_provider, &escrow_name).await?;
    let stored = admin.rewrap(TENANT, &roots).await?;
    println!("root keys       escrow added, drilled and removed; {} remains", stored.wraps().count());

    let keys = Keyring::unlock(TENANT, &roots, &stored).await?.unobserved();
    check(rows.open_all(&keys)? == ROWS, "every row opens at the end")?;
    println!("ok              generation {}, {ROWS} rows open", stored.generation());
    Ok(())
}

fn check(holds: bool, claim: &str) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(format!("this does not hold: {claim}").into()) }
}

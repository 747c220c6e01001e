//! A service of two pharmacies. Its database holds sealed rows, and its clients see plaintext.
//!
//!     cargo run -p rxseal-example-service -- ~/pharmacy 8080       # serves
//!     cargo run -p rxseal-example-service -- ~/pharmacy night      # exports, and seals what is left in an old table
//!     cargo run -p rxseal-example-service -- ~/pharmacy rotate     # makes new keys; while the service is stopped
//!     cargo run -p rxseal-example-service -- schema                # prints rxseal-schema.json
//!
//! README.md of the repository walks through it.

mod jobs;
mod records;
mod routes;
mod search;
mod staff;
mod store;
mod watch;

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rxseal::ErrorCode;
use rxseal::keys::{KeyringAdmin, KeyringManager, Suite, UnlockOptions};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys};
use rxseal_sqlite::{SqliteStore, SqliteSubjectStore};
use rxseal_watch::Watch;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use records::SealedPatient;
use store::Store;

const TENANTS: [&str; 2] = ["pharmacy-17", "pharmacy-18"];

struct Service {
    store: Store,
    watch: Watch,
    /// Asked in each request: a keyring is a snapshot, and the manager has the newest.
    keyrings: KeyringManager,
    subjects: SubjectKeys,
    admin: KeyringAdmin,
    subject_admin: SubjectAdmin,
    shredded: ShredLog,
}

impl Service {
    /// Everything is in one folder here. Keep data, keys and root key apart, and the root key in a key service.
    async fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let watch = watch::start(folder)?;
        let roots = RootKeys::from(RootKeyFile::new(folder.join("root.key")).load_or_create()?);
        let (keyrings, subjects) = (SqliteStore::open(folder.join("keys.db"))?, folder.join("subjects.db"));
        let admin =
            KeyringAdmin::new(SqliteStore::open(folder.join("keys.db"))?, roots.clone()).observed_by(watch.observer());
        for tenant in TENANTS {
            if admin.stored(tenant).await.is_err_and(|error| error.code() == ErrorCode::KeyringMissing) {
                admin.create(tenant, Suite::default()).await?;
            }
        }
        Ok(Self {
            store: Store::open(&folder.join("pharmacy.db")).await?,
            keyrings: KeyringManager::builder(keyrings, roots)
                .options_for(|_| UnlockOptions::default().with_index_roots())
                .observed_by(watch.observer()),
            subjects: SubjectKeys::new(SqliteSubjectStore::open(&subjects)?),
            admin,
            subject_admin: SubjectAdmin::new(SqliteSubjectStore::open(&subjects)?)
                .indexed::<SealedPatient>()
                .observed_by(watch.observer()),
            shredded: ShredLog::new(folder.join("shredded.log"), Duration::from_secs(30 * 86_400)),
            watch,
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let arguments: Vec<_> = std::env::args().collect();
    if arguments.get(1).is_some_and(|what| what == "schema") {
        print!("{}", records::schema()?.to_json());
        return Ok(());
    }
    let [_, folder, what] = arguments.as_slice() else {
        return Err("usage: service FOLDER PORT|night|rotate, or service schema".into());
    };
    let (folder, at) = (Path::new(folder), Arc::new(Service::start(Path::new(folder)).await?));
    let watch = at.watch.clone();
    match what.as_str() {
        "night" => jobs::night(&at, folder).await,
        "rotate" => jobs::rotate(&at).await,
        port => serve(at, port.parse()?).await,
    }?;
    Ok(watch.stop()?)
}

async fn serve(at: Arc<Service>, port: u16) -> Result<(), Box<dyn Error>> {
    // This socket carries plaintext: use loopback here, and TLS anywhere else.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut asked_to_end = signal(SignalKind::terminate())?;
    let ended = async move {
        asked_to_end.recv().await;
    };
    Ok(axum::serve(listener, routes::router(at)).with_graceful_shutdown(ended).await?)
}

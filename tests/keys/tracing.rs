//! `TracingObserver`: what it says about openings and keys, and what it must not say.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Mode, TENANT, TestRoot, TestStore};
use rxseal::keys::{KeyUse, KeyringAdmin, KeyringManager, Suite};
use rxseal::observe::{Asked, TracingObserver};
use rxseal::page::{Candidate, open_candidates};
use rxseal::phi::Drug;
use rxseal::root::RootKeys;
use rxseal::{Access, Keyring, Purpose, run_local};
use tokio::time::advance;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down every event, of whatever level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Line<'a>(&'a mut String);
        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, " {field}={value:?}").unwrap();
            }
        }
        let mut log = self.0.lock().unwrap();
        write!(log, "{} {}", event.metadata().level(), event.metadata().target()).unwrap();
        event.record(&mut Line(&mut log));
        log.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn it_says_what_happened_and_names_no_patient() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let (root, spare) = (TestRoot::new("root-1"), TestRoot::new("root-2"));
        let roots = RootKeys::from(root.clone()).and(spare);
        let store = TestStore::default();
        let admin = KeyringAdmin::new(store, roots.clone()).observed_by(TracingObserver);
        run_local(admin.create(TENANT, Suite::default())).unwrap();
        let (_, staged) = run_local(admin.stage(TENANT)).unwrap();
        root.set(Mode::Refuses);
        let stored = run_local(admin.stored(TENANT)).unwrap();
        let keys = run_local(Keyring::unlock(TENANT, &roots, &stored)).unwrap().observed_by(TracingObserver);
        let subject = keys.create_subject_key("patient-Zoraida").unwrap().0;
        let rec = keys.record("prescription", "RX-Zoraida").unwrap().subject(&subject).unwrap();
        let token = rec.seal::<Drug>("warfarin 5 MG").unwrap();
        let access = Access::new("user:kim", Purpose::TREAT).unwrap();
        let _: String = rec.opened_by(&access).open::<Drug, _>(&token).unwrap();
        let other = keys.record("prescription", "RX-2").unwrap();
        other.opened_by(&access).open::<Drug, String>(&token).unwrap_err();
        assert!(log.0.lock().unwrap().contains(&format!("change=\"staged\" key={staged}")));
    });
    let log = log.0.lock().unwrap().clone();
    for part in [
        "INFO rxseal message=keyring changed keyspace=\"pharmacy-17\" generation=1 change=\"created\"",
        "WARN rxseal message=root key failed keyspace=\"pharmacy-17\" provider=\"test\" root_key=\"root-1\" code=\"provider-refused\"",
        "denied: grant decrypt",
        "INFO rxseal message=keyring unlocked keyspace=\"pharmacy-17\" generation=2 provider=\"test\" root_key=\"root-2\"",
        "actor=\"user:kim\" purpose=TREAT",
        "outcome=\"opened\"",
        "outcome=\"open-failed\"",
    ] {
        assert!(log.contains(part), "{part} is not in:\n{log}");
    }
    for leak in ["Zoraida", "warfarin", "RX-2"] {
        assert!(!log.contains(leak), "{log}");
    }
}

/// What happens to keys while data is moved, and what a manager of keyrings does in an outage.
#[tokio::test(start_paused = true)]
async fn it_says_what_is_resealed_and_what_could_not_be_refreshed() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (root, store) = (TestRoot::new("root-1"), TestStore::default());
    let roots = RootKeys::from(root);
    let admin = KeyringAdmin::new(store.clone(), roots.clone());
    admin.create(TENANT, Suite::default()).await.unwrap();
    let manager = KeyringManager::builder(store.clone(), roots)
        .max_staleness(Duration::from_secs(300))
        .grace(Duration::from_secs(3600))
        .observed_by(TracingObserver);
    store.set(Mode::Unavailable);
    manager.keyring(TENANT).await.unwrap_err();
    store.set(Mode::Works);
    advance(Duration::from_secs(2)).await;
    let keys = manager.keyring(TENANT).await.unwrap();
    let token = keys.record("prescription", "RX-Zoraida").unwrap().seal::<Drug>("warfarin 5 MG").unwrap();

    admin.rotate(TENANT).await.unwrap();
    let next = || async {
        advance(Duration::from_secs(200)).await;
        manager.keyring(TENANT).await.unwrap();
        // It asks the store in the background.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        manager.keyring(TENANT).await.unwrap()
    };
    let record = next().await.record("prescription", "RX-Zoraida").unwrap();
    record.reseal::<Drug>(&token).unwrap();
    store.set(Mode::Unavailable);
    next().await;

    let access = Access::new("user:kim", Purpose::TREAT).unwrap();
    let reader = record.opened_by(&access);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        reader.open_fields::<()>(|pass| {
            pass.open::<Drug, String>(&token)?;
            panic!("a program's own")
        })
    }));
    assert!(panicked.is_err());
    let log = log.0.lock().unwrap().clone();
    for part in [
        "WARN rxseal message=keyring not unlocked keyspace=\"pharmacy-17\" code=\"store-unavailable\"",
        "INFO rxseal message=keyring refreshed keyspace=\"pharmacy-17\" generation=2",
        "WARN rxseal message=keyring not refreshed keyspace=\"pharmacy-17\" generation=2 stale_for=",
        "INFO rxseal message=fields resealed keyspace=\"pharmacy-17\"",
        "records=1 fields=1",
        "outcome=\"panicked\"",
    ] {
        assert!(log.contains(part), "{part} is not in:\n{log}");
    }
    for leak in ["Zoraida", "warfarin"] {
        assert!(!log.contains(leak), "{log}");
    }
}

/// A page of candidates is one event: how many were opened and how many of them were hits, and nothing of whom was looked for.
#[test]
fn it_says_of_a_search_how_many_were_opened_and_names_nobody() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let keys = rxseal::testing::insecure_keyring(TENANT).unwrap().observed_by(TracingObserver);
        let access = Access::new("user:kim", Purpose::TREAT).unwrap();
        let root = keys.keys().iter().find(|key| key.usage() == KeyUse::Index).unwrap().id();
        let roots = [root];
        let of = |id| keys.record("prescription", id).unwrap();
        let ids = ["RX-Zoraida", "RX-2", "RX-3"];
        let names = ["Zoraida", "stranger", "stranger"];
        let rows: Vec<_> = ids.iter().zip(names).map(|(id, name)| of(*id).seal::<Drug>(name).unwrap()).collect();
        let search = |broken: bool, opened_before| {
            let candidates = ids.iter().enumerate().map(|(at, id)| (at, of(*id)));
            let asked = Asked::new(&["prescription.drug"], &roots).opened_before(opened_before);
            let open = |at: usize, candidate: &mut Candidate<'_>| {
                let row = if broken { (at + 1) % rows.len() } else { at };
                candidate.pass().open::<Drug, String>(&rows[row])
            };
            open_candidates(candidates, asked, &access, open, |drug| drug == "Zoraida").unwrap().len()
        };
        assert_eq!((search(false, 0), search(true, 3)), (1, 3));
    });
    let log = log.0.lock().unwrap().clone();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("message=searched")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for part in [
        "INFO rxseal message=searched keyspace=\"pharmacy-17\" record_type=\"prescription\" indexes=\"prescription.drug\" index_roots=1 candidates=3 \
         hits=1 not_opened=0 opened_before=0 fields=3",
        "actor=\"user:kim\" purpose=TREAT",
        "outcome=\"opened\"",
    ] {
        assert!(lines[0].contains(part), "{part} is not in:\n{log}");
    }
    for part in
        ["WARN rxseal message=searched", "candidates=3 hits=0 not_opened=3 opened_before=3", "outcome=\"open-failed\""]
    {
        assert!(lines[1].contains(part), "{part} is not in:\n{log}");
    }
    for leak in ["Zoraida", "stranger", "RX-"] {
        assert!(!log.contains(leak), "{log}");
    }
}

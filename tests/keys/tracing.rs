//! `TracingObserver`: what it says about openings and keys, and what it must not say.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use crate::support::{Mode, TENANT, TestRoot, TestStore};
use rxseal::keys::{KeyringAdmin, Suite};
use rxseal::observe::TracingObserver;
use rxseal::phi::Drug;
use rxseal::root::RootKeys;
use rxseal::{Access, Keyring, Purpose, run_local};
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

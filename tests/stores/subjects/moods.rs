//! Subject keys over a store that is busy, down or wrong.

use std::fs;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use rxseal::keys::KeyringAdmin;
use rxseal::observe::{KeyEvent, Observer, OpenEvent};
use rxseal::store::{
    FileSubjectStore, KeyringStore, MemoryStore, MemorySubjectStore, Retention, StoredSubject, SubjectKeyStore,
};
use rxseal::subjects::{ShredLog, SubjectAdmin, SubjectKeys};
use rxseal::{Keyring, run_local};

use super::{Counting, Folder, MONTH, TENANT, keyring};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, u64)>>>);

impl Observer for Heard {
    fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        Ok(())
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        if let KeyEvent::Shredded { subject, complete_at, .. } = event {
            self.0.lock().unwrap().push(((*subject).to_owned(), *complete_at));
        }
    }
}

/// A shredding is told by every call that did it, and by no other.
#[test]
fn the_observer_hears_of_everyone_who_is_shredded() {
    let folder = Folder::new("heard");
    let log = ShredLog::new(folder.0.join("log"), MONTH);
    let heard = Heard::default();
    let admin = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too().observed_by(heard.clone());
    let receipt = run_local(admin.shred(TENANT, "P-7", &log)).unwrap();
    run_local(admin.shred(TENANT, "P-8", &log)).unwrap();
    assert_eq!(heard.0.lock().unwrap()[0], ("P-7".to_owned(), receipt.complete_at().unwrap()));
    assert_eq!(heard.0.lock().unwrap().len(), 2);
    run_local(admin.reapply(&log)).unwrap();
    assert_eq!(heard.0.lock().unwrap().len(), 2, "they were shredded before");
    let restored = SubjectAdmin::new(MemorySubjectStore::default()).unknown_too().observed_by(heard.clone());
    assert_eq!(run_local(restored.reapply(&log)).unwrap().unknown(), 2);
    assert_eq!(heard.0.lock().unwrap().len(), 4);
    assert!(!format!("{admin:?} {:?}", run_local(restored.reapply(&log)).unwrap()).contains("P-7"));

    let nowhere = ShredLog::new(folder.0.join("missing").join("log"), MONTH);
    assert_eq!(run_local(admin.shred(TENANT, "P-9", &nowhere)).unwrap_err().code().as_str(), "store-refused");
    // As long as no line of ours is.
    fs::write(folder.0.join("log"), format!("{{\"keyspace\":\"{}", "x".repeat(2_000))).unwrap();
    assert_eq!(run_local(admin.shred(TENANT, "P-9", &log)).unwrap_err().code().as_str(), "store-refused");
    assert_eq!(heard.0.lock().unwrap().len(), 4, "and of nobody else");
}

#[test]
fn a_change_of_somebody_else_is_met_or_told() {
    let folder = Folder::new("met");
    let store = Arc::new(Counting::default());
    let admin = SubjectAdmin::new(Arc::clone(&store)).unknown_too();
    store.conflicts.store(3, SeqCst);
    assert!(run_local(admin.set_legal_hold(TENANT, "P-7", true)).unwrap().is_held());
    store.conflicts.store(1_000, SeqCst);
    assert!(
        run_local(admin.set_retain_until(TENANT, "P-7", Some(4_000_000_000))).unwrap_err().is_conflict(),
        "not for ever"
    );
    store.conflicts.store(0, SeqCst);
    store.broken.store(true, SeqCst);
    assert!(run_local(admin.set_legal_hold(TENANT, "P-7", false)).unwrap_err().is_retryable());
    store.broken.store(false, SeqCst);
    assert_eq!(run_local(admin.retention(TENANT, "P-7")).unwrap(), Retention::default().legal_hold(true));

    // A rewrap that somebody else did is neither done nor failed; one that cannot be stored ends the job.
    let keys = keyring();
    run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&keys, "P-8")).unwrap();
    let (roots, file) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
    let rings = Arc::new(MemoryStore::default());
    run_local(rings.put(&file, None)).unwrap();
    let unlock = || {
        let file = run_local(rings.get(TENANT)).unwrap().unwrap();
        run_local(Keyring::unlock(TENANT, &roots, &file)).unwrap().unobserved()
    };
    let first = unlock();
    run_local(SubjectKeys::new(Arc::clone(&store)).subject_or_create(&first, "P-9")).unwrap();
    run_local(KeyringAdmin::new(Arc::clone(&rings), roots.clone()).rotate(TENANT)).unwrap();
    let second = unlock();
    store.conflicts.store(1, SeqCst);
    let report = run_local(admin.rewrap(&second)).unwrap();
    assert_eq!((report.rewrapped(), report.failed().count()), (0, 1), "P-8 is of another keyring");
    assert_eq!(run_local(admin.rewrap_compromised(&second)).unwrap().rewrapped(), 1);
    assert!(format!("{report:?}").contains("failed: 1"));
    run_local(KeyringAdmin::new(Arc::clone(&rings), roots.clone()).rotate(TENANT)).unwrap();
    store.broken.store(true, SeqCst);
    let third = unlock();
    assert!(run_local(admin.rewrap(&third)).unwrap_err().is_retryable());

    // Nor does reapply go on over a store that is down.
    let log = ShredLog::new(folder.0.join("log"), MONTH);
    run_local(SubjectAdmin::new(MemorySubjectStore::default()).unknown_too().shred(TENANT, "P-8", &log)).unwrap();
    assert!(run_local(admin.reapply(&log)).unwrap_err().is_retryable());
}

#[test]
fn keys_that_do_not_fit_are_no_keys() {
    let store = Arc::new(Counting::default());
    let (keys, subjects) = (keyring(), SubjectKeys::new(Arc::clone(&store)));
    run_local(subjects.subject_or_create(&keys, "P-7")).unwrap();

    // Of another keyring of the same name, and of another patient.
    let other = keyring();
    let fresh = SubjectKeys::new(Arc::clone(&store));
    assert!(run_local(fresh.subject(&other, "P-7")).unwrap_err().is_unknown_key());
    let stored = run_local(store.store.get(TENANT, &["P-7"])).unwrap().remove(0);
    let StoredSubject::Key(wrapped) = &stored else { panic!("{stored:?}") };
    run_local(store.store.insert(TENANT, "P-8", wrapped)).unwrap();
    assert_eq!(run_local(fresh.subject(&keys, "P-8")).unwrap_err().code().as_str(), "subject-key-refused");
    let report = run_local(SubjectAdmin::new(Arc::clone(&store)).unknown_too().rewrap_compromised(&other)).unwrap();
    assert_eq!(report.failed().count(), 2);
}

#[test]
fn what_is_no_file_of_a_subject_is_passed_over_or_told() {
    let folder = Folder::new("foreign");
    let home = folder.0.join("deep").join("files");
    let store = FileSubjectStore::new(&home);
    assert_eq!(run_local(store.page(TENANT, None, 10)).unwrap(), [], "nobody yet");
    run_local(SubjectKeys::new(store.clone()).subject_or_create(&keyring(), "P-7")).unwrap();
    for name in ["zz", "lost+found"] {
        fs::create_dir(home.join(TENANT).join(name)).unwrap();
    }
    assert_eq!(run_local(store.page(TENANT, None, 10)).unwrap().len(), 1);
    fs::write(home.join("pharmacy-18"), "").unwrap();
    assert_eq!(run_local(store.page("pharmacy-18", None, 10)).unwrap_err().code().as_str(), "store-refused");
    assert_eq!(run_local(store.get("pharmacy-18", &["P-7"])).unwrap_err().code().as_str(), "store-refused");
}

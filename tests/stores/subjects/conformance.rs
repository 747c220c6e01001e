//! What every store of subject keys does, whatever it is made of.

use std::sync::Arc;

use rxseal::Keyring;
use rxseal::store::{Retention, StoredSubject, SubjectKeyStore};
use rxseal::subjects::WrappedSubjectKey;

const TENANT: &str = "pharmacy-17";

pub async fn conforms(store: Arc<dyn SubjectKeyStore>) {
    let keys = Keyring::insecure_for_tests(TENANT).unwrap().unobserved();
    let key = |subject: &str| keys.create_subject_key(subject).unwrap().1;
    what_is_not_awaited_is_not_done(&*store, &key).await;
    insert_if_absent(&*store, &key).await;
    in_the_order_asked_for(&*store, &key).await;
    replaced_by_compare_and_swap(&*store, &key).await;
    shredded_for_ever(&*store, &key).await;
    kept_while_retained(&*store, &key).await;
    pages(&*store, &key).await;
    names_are_checked(&*store, &key).await;
    sixteen_first_meetings_agree(store, &keys).await;
}

type Make<'a> = &'a dyn Fn(&str) -> WrappedSubjectKey;

async fn one(store: &dyn SubjectKeyStore, subject: &str) -> StoredSubject {
    store.get(TENANT, &[subject]).await.unwrap().remove(0)
}

async fn what_is_not_awaited_is_not_done(store: &dyn SubjectKeyStore, key: Make<'_>) {
    drop(store.insert(TENANT, "P-0", &key("P-0")));
    drop(store.shred(TENANT, "P-0", 1));
    assert_eq!(one(store, "P-0").await, StoredSubject::Absent);
}

async fn insert_if_absent(store: &dyn SubjectKeyStore, key: Make<'_>) {
    assert_eq!(one(store, "P-1").await, StoredSubject::Absent);
    let (first, second) = (key("P-1"), key("P-1"));
    assert_eq!(store.insert(TENANT, "P-1", &first).await.unwrap(), StoredSubject::Key(first.clone()));
    assert_eq!(
        store.insert(TENANT, "P-1", &second).await.unwrap(),
        StoredSubject::Key(first.clone()),
        "the first stays"
    );
    assert_eq!(one(store, "P-1").await, StoredSubject::Key(first));
    // Another keyspace has subjects of its own, and case is not folded.
    assert_eq!(store.get("pharmacy-18", &["P-1"]).await.unwrap(), [StoredSubject::Absent]);
    assert_eq!(one(store, "p-1").await, StoredSubject::Absent);
}

async fn in_the_order_asked_for(store: &dyn SubjectKeyStore, key: Make<'_>) {
    for at in 0..50 {
        let subject = format!("many-{at}");
        store.insert(TENANT, &subject, &key(&subject)).await.unwrap();
    }
    let names: Vec<_> = (0..60).rev().map(|at| format!("many-{at}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).chain(["many-7", "many-7"]).collect();
    let found = store.get(TENANT, &names).await.unwrap();
    assert_eq!(found.len(), 62);
    assert!(found[..10].iter().all(|stored| *stored == StoredSubject::Absent));
    assert!(found[10..].iter().all(|stored| matches!(stored, StoredSubject::Key(_))));
    assert_eq!(found[60], found[52]);
    assert_eq!(store.get(TENANT, &[]).await.unwrap(), []);
}

async fn replaced_by_compare_and_swap(store: &dyn SubjectKeyStore, key: Make<'_>) {
    let (first, second, third) = (key("P-2"), key("P-2"), key("P-2"));
    assert!(store.replace(TENANT, "P-2", &first, &second).await.unwrap_err().is_conflict(), "nothing is there");
    assert_eq!(one(store, "P-2").await, StoredSubject::Absent);
    store.insert(TENANT, "P-2", &first).await.unwrap();
    store.replace(TENANT, "P-2", &first, &second).await.unwrap();
    assert!(store.replace(TENANT, "P-2", &first, &third).await.unwrap_err().is_conflict());
    assert_eq!(one(store, "P-2").await, StoredSubject::Key(second));
}

async fn shredded_for_ever(store: &dyn SubjectKeyStore, key: Make<'_>) {
    let first = key("P-3");
    store.insert(TENANT, "P-3", &first).await.unwrap();
    assert_eq!(store.shred(TENANT, "P-3", 1_000).await.unwrap(), 1_000);
    assert_eq!(one(store, "P-3").await, StoredSubject::Shredded { at: 1_000 });
    assert_eq!(store.shred(TENANT, "P-3", 2_000).await.unwrap(), 1_000, "once is enough");
    assert_eq!(store.insert(TENANT, "P-3", &key("P-3")).await.unwrap(), StoredSubject::Shredded { at: 1_000 });
    assert!(store.replace(TENANT, "P-3", &first, &key("P-3")).await.unwrap_err().is_conflict());
    assert_eq!(one(store, "P-3").await, StoredSubject::Shredded { at: 1_000 });
    // Also one that never had a key.
    store.shred(TENANT, "P-never", 3_000).await.unwrap();
    assert_eq!(store.insert(TENANT, "P-never", &key("P-never")).await.unwrap(), StoredSubject::Shredded { at: 3_000 });
}

async fn kept_while_retained(store: &dyn SubjectKeyStore, key: Make<'_>) {
    assert_eq!(store.retention(TENANT, "P-4").await.unwrap(), Retention::default());
    let stored = StoredSubject::Key(key("P-4"));
    let StoredSubject::Key(wrapped) = &stored else { unreachable!() };
    store.insert(TENANT, "P-4", wrapped).await.unwrap();
    let mut old = Retention::default();
    // Whatever time the caller says, which may come from a file: what counts is what time it is.
    let far = 4_000_000_000;
    for (retention, at) in [
        (Retention::default().legal_hold(true), u64::from(u32::MAX)),
        (Retention::default().until(Some(far)), 4_999),
        (Retention::default().until(Some(far)), far),
        (Retention::default().until(Some(far)), u64::try_from(i64::MAX).unwrap()),
        (Retention::default().until(Some(far)).legal_hold(true), 9_000),
        (Retention::default().until(Some(5_000)).legal_hold(true), 9_000),
    ] {
        store.retain(TENANT, "P-4", old, retention).await.unwrap();
        if old != retention {
            let lost = store.retain(TENANT, "P-4", old, Retention::default()).await;
            assert!(lost.unwrap_err().is_conflict(), "a hold is lost");
        }
        old = retention;
        assert_eq!(store.retention(TENANT, "P-4").await.unwrap(), retention);
        assert_eq!(store.shred(TENANT, "P-4", at).await.unwrap_err().code().as_str(), "subject-retained");
        assert_eq!(one(store, "P-4").await, stored);
    }
    store.retain(TENANT, "P-4", old, Retention::default().until(Some(5_000))).await.unwrap();
    assert_eq!(store.shred(TENANT, "P-4", 4_000).await.unwrap(), 4_000, "it is over, whatever the caller says");
    // There is nothing left to keep, and nobody is told that there is.
    let past = Retention::default().until(Some(5_000));
    for new in [past.legal_hold(true), past.until(Some(far)), Retention::default()] {
        assert!(store.retain(TENANT, "P-4", past, new).await.unwrap_err().is_shredded());
    }
    assert_eq!(store.retention(TENANT, "P-4").await.unwrap(), past);
    // A hold before there is a key.
    store.retain(TENANT, "P-5", Retention::default(), Retention::default().legal_hold(true)).await.unwrap();
    assert_eq!(one(store, "P-5").await, StoredSubject::Absent);
    assert_eq!(store.shred(TENANT, "P-5", 1).await.unwrap_err().code().as_str(), "subject-retained");
    assert!(matches!(store.insert(TENANT, "P-5", &key("P-5")).await.unwrap(), StoredSubject::Key(_)));
    assert!(store.retention(TENANT, "P-5").await.unwrap().is_held(), "the key changes nothing about the hold");
}

async fn pages(store: &dyn SubjectKeyStore, key: Make<'_>) {
    let keyspace = "pages-1";
    for at in (0..25).rev() {
        let subject = format!("S{at:02}");
        store.insert(keyspace, &subject, &key(&subject)).await.unwrap();
    }
    store.shred(keyspace, "S03", 1).await.unwrap();
    store.retain(keyspace, "S99", Retention::default(), Retention::default().legal_hold(true)).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store.page(keyspace, after.as_deref(), 7).await.unwrap();
        assert!(page.len() <= 7);
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page.into_iter().map(|(subject, _)| subject));
    }
    let wanted: Vec<_> = (0..25).filter(|at| *at != 3).map(|at| format!("S{at:02}")).collect();
    assert_eq!(seen, wanted);
}

async fn names_are_checked(store: &dyn SubjectKeyStore, key: Make<'_>) {
    let wrapped = key("P-1");
    for (keyspace, subject) in
        [("../x", "P-1"), ("Pharmacy", "P-1"), (TENANT, ""), (TENANT, "two words"), (TENANT, "a\0b"), (TENANT, "Zoë")]
    {
        assert_eq!(store.get(keyspace, &[subject]).await.unwrap_err().code().as_str(), "invalid-id");
        assert_eq!(store.insert(keyspace, subject, &wrapped).await.unwrap_err().code().as_str(), "invalid-id");
        assert_eq!(store.shred(keyspace, subject, 1).await.unwrap_err().code().as_str(), "invalid-id");
        assert_eq!(
            store
                .retain(keyspace, subject, Retention::default(), Retention::default())
                .await
                .unwrap_err()
                .code()
                .as_str(),
            "invalid-id"
        );
        assert_eq!(store.retention(keyspace, subject).await.unwrap_err().code().as_str(), "invalid-id");
        if keyspace != TENANT {
            assert_eq!(store.page(keyspace, None, 1).await.unwrap_err().code().as_str(), "invalid-id");
        }
    }
    // Odd ones that are legal.
    for subject in ["../../etc/passwd", "a'b\"c;--", "%00", &"x".repeat(255)] {
        store.insert(TENANT, subject, &key(subject)).await.unwrap();
        assert!(matches!(one(store, subject).await, StoredSubject::Key(_)));
    }
}

async fn sixteen_first_meetings_agree(store: Arc<dyn SubjectKeyStore>, keys: &Keyring) {
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (store, wrapped) = (Arc::clone(&store), keys.create_subject_key("P-new").unwrap().1);
            tokio::spawn(async move { store.insert(TENANT, "P-new", &wrapped).await.unwrap() })
        })
        .collect();
    let mut stored = Vec::new();
    for caller in callers {
        stored.push(caller.await.unwrap());
    }
    assert!(stored.windows(2).all(|pair| pair[0] == pair[1]));
}

//! What every store of subject keys must do.

use std::sync::Arc;

use rxseal::store::{Retention, StoredSubject, SubjectKeyStore};
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{Error, Keyring};
use tokio::runtime::Builder;

use crate::broken::Broken;
use crate::files::keyring;
use crate::rule::{Check, Rule};

const TENANT: &str = "pharmacy-17";

/// Checks every rule of [`SubjectKeyStore`] in the new, empty store from `fresh`. It runs for some seconds, on its own
/// tokio runtime: call it from a plain `#[test]`.
///
/// # Errors
///
/// The first promise that is broken.
pub fn subject_store<S: SubjectKeyStore + 'static>(fresh: impl AsyncFnOnce() -> S) -> Result<(), Broken> {
    // As many threads as calls that meet, on a machine with few processors too.
    let runtime = Builder::new_multi_thread().worker_threads(16).enable_all().build();
    let runtime = runtime.map_err(|error| Broken::new("a tokio runtime is there", error.to_string()))?;
    runtime.block_on(async {
        let keys = Rule("a keyring is made").ok(keyring(TENANT))?;
        let looked = Looked { store: Arc::new(fresh().await), keys };
        looked.what_is_not_awaited_is_not_done().await?;
        looked.insert_if_absent().await?;
        looked.in_the_order_asked_for().await?;
        looked.replaced_by_compare_and_swap().await?;
        looked.shredded_for_ever().await?;
        looked.kept_while_retained().await?;
        looked.held_before_there_is_a_key().await?;
        looked.pages().await?;
        looked.names_are_checked().await?;
        looked.odd_names_are_taken().await?;
        looked.sixteen_first_meetings_agree().await
    })
}

/// A store, and a keyring that makes subject keys for it. Each rule has its own subjects.
struct Looked {
    store: Arc<dyn SubjectKeyStore>,
    keys: Keyring,
}

impl Looked {
    fn key(&self, rule: Rule, subject: &str) -> Result<WrappedSubjectKey, Broken> {
        Ok(rule.ok(self.keys.create_subject_key(subject))?.1)
    }

    async fn insert(&self, rule: Rule, subject: &str) -> Result<WrappedSubjectKey, Broken> {
        let key = self.key(rule, subject)?;
        let stored = rule.ok(self.store.insert(TENANT, subject, &key).await)?;
        rule.equal(&stored, &StoredSubject::Key(key.clone()))?;
        Ok(key)
    }

    async fn has(&self, rule: Rule, subject: &str, wanted: &StoredSubject) -> Check {
        rule.equal(&rule.ok(self.store.get(TENANT, &[subject]).await)?, &vec![wanted.clone()])
    }

    async fn what_is_not_awaited_is_not_done(&self) -> Check {
        let rule = Rule("a call that is not awaited changes nothing");
        let key = self.key(rule, "P-0")?;
        drop(self.store.insert(TENANT, "P-0", &key));
        drop(self.store.shred(TENANT, "P-0", 1));
        self.has(rule, "P-0", &StoredSubject::Absent).await
    }

    async fn insert_if_absent(&self) -> Check {
        let rule = Rule(
            "`insert` stores a key if there is none, and gives the one that is stored; each keyspace and spelling is apart",
        );
        self.has(rule, "P-1", &StoredSubject::Absent).await?;
        let first = StoredSubject::Key(self.insert(rule, "P-1").await?);
        let second = self.key(rule, "P-1")?;
        rule.equal(&rule.ok(self.store.insert(TENANT, "P-1", &second).await)?, &first)?;
        self.has(rule, "P-1", &first).await?;
        rule.equal(&rule.ok(self.store.get("pharmacy-18", &["P-1"]).await)?, &vec![StoredSubject::Absent])?;
        self.has(rule, "p-1", &StoredSubject::Absent).await
    }

    async fn in_the_order_asked_for(&self) -> Check {
        let rule = Rule(
            "`get` answers for each subject, in the order in which they were asked for, also for one that is named twice",
        );
        let mut keys = Vec::new();
        for at in 0..50 {
            keys.push(StoredSubject::Key(self.insert(rule, &format!("many-{at}")).await?));
        }
        let names: Vec<_> = (0..60).rev().map(|at| format!("many-{at}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).chain(["many-7", "many-7"]).collect();
        let seventh = keys.get(7).cloned().into_iter();
        let absent = std::iter::repeat_n(StoredSubject::Absent, 10);
        let wanted: Vec<_> = absent.chain(keys.iter().rev().cloned()).chain(seventh.clone()).chain(seventh).collect();
        rule.equal(&rule.ok(self.store.get(TENANT, &names).await)?, &wanted)?;
        rule.equal(&rule.ok(self.store.get(TENANT, &[]).await)?, &Vec::new())
    }

    async fn replaced_by_compare_and_swap(&self) -> Check {
        let rule = Rule("`replace` stores a key only in place of the one that the caller saw");
        let (old, new, other) = (self.key(rule, "P-2")?, self.key(rule, "P-2")?, self.key(rule, "P-2")?);
        rule.fails(self.store.replace(TENANT, "P-2", &old, &new).await, &["store-conflict"])?;
        self.has(rule, "P-2", &StoredSubject::Absent).await?;
        rule.ok(self.store.insert(TENANT, "P-2", &old).await)?;
        rule.ok(self.store.replace(TENANT, "P-2", &old, &new).await)?;
        rule.fails(self.store.replace(TENANT, "P-2", &old, &other).await, &["store-conflict"])?;
        self.has(rule, "P-2", &StoredSubject::Key(new)).await
    }

    async fn shredded_for_ever(&self) -> Check {
        let rule = Rule("what is shredded stays shredded, and gets no other key");
        let old = self.insert(rule, "P-3").await?;
        let shredded = StoredSubject::Shredded { at: 1_000 };
        rule.equal(&rule.ok(self.store.shred(TENANT, "P-3", 1_000).await)?, &1_000)?;
        self.has(rule, "P-3", &shredded).await?;
        rule.equal(&rule.ok(self.store.shred(TENANT, "P-3", 2_000).await)?, &1_000)?;
        let new = self.key(rule, "P-3")?;
        rule.equal(&rule.ok(self.store.insert(TENANT, "P-3", &new).await)?, &shredded)?;
        rule.fails(self.store.replace(TENANT, "P-3", &old, &new).await, &["store-conflict"])?;
        self.has(rule, "P-3", &shredded).await?;
        // Also a subject that never had a key.
        let shredded = StoredSubject::Shredded { at: 3_000 };
        rule.ok(self.store.shred(TENANT, "P-never", 3_000).await)?;
        rule.equal(&rule.ok(self.store.insert(TENANT, "P-never", &new).await)?, &shredded)
    }

    async fn kept_while_retained(&self) -> Check {
        let rule = Rule(
            "a retention is stored only in place of the one that the caller saw, and keeps the key while it lasts",
        );
        let none = Retention::default();
        rule.equal(&rule.ok(self.store.retention(TENANT, "P-4").await)?, &none)?;
        let stored = StoredSubject::Key(self.insert(rule, "P-4").await?);
        let mut old = none;
        // The caller's time, which may come from a file, does not matter: only the real time does.
        let far = 4_000_000_000;
        for (new, at) in [
            (none.legal_hold(true), u64::from(u32::MAX)),
            (none.until(Some(far)), 4_999),
            (none.until(Some(far)), far),
            (none.until(Some(far)), u64::MAX >> 1),
            (none.until(Some(far)).legal_hold(true), 9_000),
            (none.until(Some(5_000)).legal_hold(true), 9_000),
        ] {
            rule.ok(self.store.retain(TENANT, "P-4", old, new).await)?;
            if old != new {
                rule.fails(self.store.retain(TENANT, "P-4", old, none).await, &["store-conflict"])?;
            }
            old = new;
            rule.equal(&rule.ok(self.store.retention(TENANT, "P-4").await)?, &new)?;
            rule.fails(self.store.shred(TENANT, "P-4", at).await, &["subject-retained"])?;
            self.has(rule, "P-4", &stored).await?;
        }
        let past = none.until(Some(5_000));
        rule.ok(self.store.retain(TENANT, "P-4", old, past).await)?;
        rule.equal(&rule.ok(self.store.shred(TENANT, "P-4", 4_000).await)?, &4_000)?;
        // There is nothing left to keep, and the call must not report that there is.
        for new in [past.legal_hold(true), past.until(Some(far)), none] {
            rule.fails(self.store.retain(TENANT, "P-4", past, new).await, &["subject-shredded"])?;
        }
        rule.equal(&rule.ok(self.store.retention(TENANT, "P-4").await)?, &past)
    }

    async fn held_before_there_is_a_key(&self) -> Check {
        let rule = Rule("a legal hold may be set before there is a key, and stays when one is stored");
        let (none, held) = (Retention::default(), Retention::default().legal_hold(true));
        rule.ok(self.store.retain(TENANT, "P-5", none, held).await)?;
        self.has(rule, "P-5", &StoredSubject::Absent).await?;
        rule.fails(self.store.shred(TENANT, "P-5", 1).await, &["subject-retained"])?;
        self.insert(rule, "P-5").await?;
        rule.equal(&rule.ok(self.store.retention(TENANT, "P-5").await)?, &held)
    }

    async fn pages(&self) -> Check {
        let rule = Rule("`page` goes through all subjects that have a key, in ascending order, and through no other");
        let keyspace = "pages-1";
        for at in (0..25).rev() {
            let subject = format!("S{at:02}");
            let key = self.key(rule, &subject)?;
            rule.ok(self.store.insert(keyspace, &subject, &key).await)?;
        }
        rule.ok(self.store.shred(keyspace, "S03", 1).await)?;
        let (none, held) = (Retention::default(), Retention::default().legal_hold(true));
        rule.ok(self.store.retain(keyspace, "S99", none, held).await)?;
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        // A store whose pages do not advance would go on for ever.
        for _ in 0..25 {
            let page = rule.ok(self.store.page(keyspace, after.as_deref(), 7).await)?;
            rule.is(page.len() <= 7, || format!("{} on a page of 7", page.len()))?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            seen.extend(page.into_iter().map(|(subject, _)| subject));
        }
        let wanted: Vec<_> = (0..25).filter(|at| *at != 3).map(|at| format!("S{at:02}")).collect();
        rule.equal(&seen, &wanted)
    }

    async fn names_are_checked(&self) -> Check {
        let rule = Rule("an illegal name is `invalid-id`");
        let (key, none, illegal) = (self.key(rule, "P-1")?, Retention::default(), ["invalid-id"]);
        for (keyspace, subject) in [
            ("../x", "P-1"),
            ("Pharmacy", "P-1"),
            (TENANT, ""),
            (TENANT, "two words"),
            (TENANT, "a\0b"),
            (TENANT, "Zoë"),
        ] {
            rule.fails(self.store.get(keyspace, &[subject]).await, &illegal)?;
            rule.fails(self.store.insert(keyspace, subject, &key).await, &illegal)?;
            rule.fails(self.store.replace(keyspace, subject, &key, &key).await, &illegal)?;
            rule.fails(self.store.shred(keyspace, subject, 1).await, &illegal)?;
            rule.fails(self.store.retain(keyspace, subject, none, none).await, &illegal)?;
            rule.fails(self.store.retention(keyspace, subject).await, &illegal)?;
            if keyspace != TENANT {
                rule.fails(self.store.page(keyspace, None, 1).await, &illegal)?;
            }
        }
        Ok(())
    }

    async fn odd_names_are_taken(&self) -> Check {
        let rule = Rule("every legal name of a subject is one: none is a path or a pattern");
        for subject in ["../../etc/passwd", "a'b\"c;--", "%00", &"x".repeat(255)] {
            let key = self.insert(rule, subject).await?;
            self.has(rule, subject, &StoredSubject::Key(key)).await?;
        }
        Ok(())
    }

    /// Several times, since whether two calls really meet is up to the machine.
    async fn sixteen_first_meetings_agree(&self) -> Check {
        for subject in ["P-new", "P-newer", "P-newest"] {
            self.first_meetings_agree(subject).await?;
        }
        Ok(())
    }

    async fn first_meetings_agree(&self, subject: &'static str) -> Check {
        let rule = Rule("of several programs that meet a subject at once all use the same key");
        let mut callers = Vec::new();
        for _ in 0..16 {
            let (store, key) = (Arc::clone(&self.store), self.key(rule, subject)?);
            callers.push(tokio::spawn(async move { store.insert(TENANT, subject, &key).await }));
        }
        let mut stored = Vec::new();
        for caller in callers {
            let ended: Result<StoredSubject, Error> =
                caller.await.map_err(|_| Broken::new(rule.0, "a call that panicked"))?;
            stored.push(rule.ok(ended)?);
        }
        let Some(first) = stored.first() else { return Ok(()) };
        stored.iter().try_for_each(|other| rule.equal(other, first))?;
        self.has(rule, subject, first).await
    }
}

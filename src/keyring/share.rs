//! How records share an unlocked keyring.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::id::{Class, FieldId, KeyId};
use crate::key::{KeyState, Keys};
use crate::observe::{KeyEvent, Observer};
use crate::read_through::{Permits, ReadThrough};

/// The classes that a sealer or an opener was limited to; without a limit, all classes.
pub(crate) type ClassLimit = Option<Arc<[Class]>>;

/// The number of counts. If there are more threads, some share a count.
const COUNTS: usize = 16;

/// What the records of a keyring share.
pub(crate) struct Shared {
    pub(crate) keys: Keys,
    pub(crate) observer: Option<Box<dyn Observer>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            let (keyspace, generation) = (self.keys.keyspace().as_str(), self.keys.generation());
            observer.key_event(&KeyEvent::Locked { keyspace, generation });
        }
    }
}

impl Shared {
    /// Tells the observer how many fields of how many records a call has resealed.
    pub(crate) fn tell_resealed(&self, records: usize, fields: usize) {
        if let Some(observer) = self.observer.as_ref().filter(|_| fields > 0) {
            let (keyspace, key_id) = (self.keys.keyspace().as_str(), self.keys.primary().id);
            observer.key_event(&KeyEvent::Resealed { keyspace, key_id, records, fields });
        }
    }

    /// Tells the observer that data under a compromised key counts as authentic from now on.
    pub(crate) fn tell_compromised(&self, key_id: KeyId) {
        let compromised = self.keys.find(key_id).is_ok_and(|dek| dek.state == KeyState::Compromised);
        if let Some(observer) = self.observer.as_ref().filter(|_| compromised) {
            observer.key_event(&KeyEvent::CompromisedKeyUsed { keyspace: self.keys.keyspace().as_str(), key_id });
        }
    }
}

/// A keyring and the permissions of whoever has it. Each record has one.
///
/// Each of 16 threads has its own reference count in its own cache lines. With a single count, its cache line would travel between
/// the processors with every record that is made and dropped.
pub(crate) struct KeyringShare {
    shared: Arc<Shared>,
    limit: ClassLimit,
    permits: Permits,
    /// Keeps the count of the next one away. No alignment, whose padding would be unwritten room.
    _apart: [u64; 16],
}

impl KeyringShare {
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn allows(&self, class: Class) -> bool {
        self.limit.as_ref().is_none_or(|classes| classes.contains(&class))
    }

    pub(crate) fn permit(&self, field: FieldId) -> Option<&ReadThrough> {
        self.permits.of(field)
    }

    /// Whether both are of the same unlocked keyring, and so have the same observer.
    pub(crate) fn shares_keyring(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

/// The shares of one handle, one for each count.
pub(crate) struct KeyringShares([Arc<KeyringShare>; COUNTS]);

impl KeyringShares {
    pub(super) fn new(shared: Shared) -> Arc<Self> {
        Self::of(&Arc::new(shared), &None, &Permits::default())
    }

    /// The same keyring, limited to these classes. It never allows more classes than before.
    pub(crate) fn only(&self, classes: impl IntoIterator<Item = Class>) -> Arc<Self> {
        let known = self.any();
        let limit = classes.into_iter().filter(|class| known.allows(*class)).collect();
        Self::of(&known.shared, &Some(limit), &known.permits)
    }

    /// The same keyring and classes, with one more permit.
    pub(super) fn with_permit(&self, field: FieldId, permit: &ReadThrough) -> Arc<Self> {
        let known = self.any();
        Self::of(&known.shared, &known.limit, &known.permits.with(field, permit))
    }

    pub(crate) fn limit(&self) -> &ClassLimit {
        &self.any().limit
    }

    pub(crate) fn shared(&self) -> &Shared {
        self.any().shared()
    }

    /// The share of this thread.
    pub(crate) fn share(&self) -> Arc<KeyringShare> {
        thread_local! {
            static COUNT: usize = next_count();
        }
        // A thread that is ending uses the first count.
        let count = COUNT.try_with(|count| *count).unwrap_or_default();
        Arc::clone(self.0.get(count).unwrap_or_else(|| self.any()))
    }

    fn of(shared: &Arc<Shared>, limit: &ClassLimit, permits: &Permits) -> Arc<Self> {
        let share = || KeyringShare {
            shared: Arc::clone(shared),
            limit: limit.clone(),
            permits: permits.clone(),
            _apart: [0; 16],
        };
        Arc::new(Self(std::array::from_fn(|_| Arc::new(share()))))
    }

    fn any(&self) -> &Arc<KeyringShare> {
        let [first, ..] = &self.0;
        first
    }
}

fn next_count() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed).checked_rem(COUNTS).unwrap_or_default()
}

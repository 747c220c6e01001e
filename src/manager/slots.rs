//! The keyspaces that are held, and which of them goes when there are too many.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::slot::Slot;
use crate::id::Name;

pub(super) struct Slots {
    capacity: NonZeroUsize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    slots: BTreeMap<String, Used>,
    /// Counts up with each use; larger is later.
    uses: u64,
    /// The newest generation seen of a keyspace that was let go: not even then is an older one accepted.
    generations: BTreeMap<String, u64>,
}

struct Used {
    slot: Arc<Slot>,
    last: u64,
}

impl Slots {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    /// The slot of a keyspace, made where there is none.
    pub(super) fn slot(&self, keyspace: &Name) -> Arc<Slot> {
        let mut held = self.lock();
        held.uses = held.uses.saturating_add(1);
        let now = held.uses;
        if let Some(used) = held.slots.get_mut(keyspace.as_str()) {
            used.last = now;
            return Arc::clone(&used.slot);
        }
        while held.slots.len() >= self.capacity.get() {
            held.let_one_go();
        }
        let min_generation = held.generations.get(keyspace.as_str()).copied().unwrap_or_default();
        let slot = Arc::new(Slot::new(keyspace.clone(), min_generation));
        held.slots.insert(keyspace.as_str().to_owned(), Used { slot: Arc::clone(&slot), last: now });
        slot
    }

    pub(super) fn forget(&self, keyspace: &str) {
        self.lock().remove(keyspace);
    }

    pub(super) fn unlocked(&self) -> usize {
        self.lock().slots.values().filter(|used| used.slot.generation().is_some()).count()
    }

    /// Each change leaves it whole, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// First those that hold nothing, so that asking for keyspaces that do not exist pushes no keyring out.
    fn let_one_go(&mut self) {
        let order = |used: &Used| (used.slot.generation().is_some(), used.last);
        let oldest = self.slots.iter().min_by_key(|(_, used)| order(used)).map(|(keyspace, _)| keyspace.clone());
        if let Some(keyspace) = oldest {
            self.remove(&keyspace);
        }
    }

    fn remove(&mut self, keyspace: &str) {
        if let Some(generation) = self.slots.remove(keyspace).and_then(|used| used.slot.generation()) {
            self.generations.insert(keyspace.to_owned(), generation);
        }
    }
}

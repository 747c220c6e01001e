//! The keyspaces that are held, and which one is dropped if there are too many.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::slot::Slot;
use crate::id::Name;

pub(super) struct Slots {
    capacity: NonZeroUsize,
    held: Mutex<UsedSlots>,
}

#[derive(Default)]
struct UsedSlots {
    slots: BTreeMap<String, Used>,
    /// Counts up with each use. A larger value is later.
    uses: u64,
}

struct Used {
    slot: Arc<Slot>,
    last: u64,
}

impl Slots {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    /// The slot of a keyspace, created if there is none.
    pub(super) fn slot(&self, keyspace: &Name) -> Arc<Slot> {
        let mut held = self.lock();
        held.uses = held.uses.saturating_add(1);
        let now = held.uses;
        if let Some(used) = held.slots.get_mut(keyspace.as_str()) {
            used.last = now;
            return Arc::clone(&used.slot);
        }
        while held.slots.len() >= self.capacity.get() && held.let_one_go() {}
        let slot = Arc::new(Slot::new(keyspace.clone()));
        held.slots.insert(keyspace.as_str().to_owned(), Used { slot: Arc::clone(&slot), last: now });
        slot
    }

    pub(super) fn forget(&self, keyspace: &str) {
        self.lock().slots.remove(keyspace);
    }

    pub(super) fn unlocked(&self) -> usize {
        self.lock().slots.values().filter(|used| used.slot.is_unlocked()).count()
    }

    /// Each change leaves it whole, so a panic elsewhere does no harm.
    fn lock(&self) -> MutexGuard<'_, UsedSlots> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UsedSlots {
    /// Empty slots go first, so that asking for keyspaces that do not exist drops no keyring. A slot with waiting
    /// callers stays, because its next caller would begin again. So for a moment there may be more slots than the
    /// capacity.
    fn let_one_go(&mut self) -> bool {
        let idle = self.slots.iter().filter(|(_, used)| Arc::strong_count(&used.slot) == 1);
        let oldest = idle.min_by_key(|(_, used)| (used.slot.is_unlocked(), used.last));
        let Some(keyspace) = oldest.map(|(keyspace, _)| keyspace.clone()) else { return false };
        self.slots.remove(&keyspace).is_some()
    }
}

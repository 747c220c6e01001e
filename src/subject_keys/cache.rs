//! Keys that are held in memory for minutes, and wiped when their time is over.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use crate::backend::Backend;
use crate::clock::{Clock, Moment};
use crate::error::{Error, ErrorKind};
use crate::kdf;
use crate::key::SubjectKey;
use crate::root_key::run_local;
use crate::store::HELD_AT_MOST;

/// The longest time for which a key is held, whatever the caller asks for.
const LONGEST: Duration = Duration::from_secs(270);
/// The longest time from the question to the store until its answer. An answer that took longer is not held.
const LONGEST_READ: Duration = Duration::from_secs(15);
/// How often expired keys are wiped. The tests of this crate wait for it.
const SWEEP: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
// A key is read, held and wiped before the receipt says that its shredding is effective.
const _: () = assert!(LONGEST_READ.as_secs() + LONGEST.as_secs() + SWEEP.as_secs() < HELD_AT_MOST.as_secs());

/// What is known of a subject. The cache does not hold that a subject has no key, because the next call may make one.
pub(super) enum KnownSubject {
    Key(SubjectKey),
    Shredded,
}

impl KnownSubject {
    pub(super) fn key(self) -> Result<SubjectKey, Error> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Shredded => Err(ErrorKind::SubjectShredded.into()),
        }
    }

    pub(super) fn share(&self) -> Self {
        match self {
            Self::Key(key) => Self::Key(key.share()),
            Self::Shredded => Self::Shredded,
        }
    }
}

/// A held key, and when the store was asked for it: moka's own clock stops while the machine is suspended. The slot is emptied when the
/// cache removes it, because moka frees removed entries later, and a key must be wiped at once.
type CachedSubject = Arc<Mutex<Option<(KnownSubject, Moment)>>>;

/// When the store was asked.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    forgotten: u64,
    begun: Moment,
}

#[derive(Clone)]
pub(super) struct SubjectCache {
    swept: Arc<Swept>,
    clock: Clock,
}

struct Swept {
    slots: Cache<Box<str>, CachedSubject>,
    /// How long a key is held.
    time: Duration,
    /// The digests of the names of subjects that were seen shredded. They are never removed: if a restored store says otherwise
    /// later, its state is older.
    shredded: Mutex<BTreeSet<[u8; 32]>>,
    /// How often a key was forgotten. A key that was read from the store before the latest of these is not held.
    forgotten: AtomicU64,
    /// The thread ends when this is dropped.
    _alive: Option<Sender<()>>,
}

impl SubjectCache {
    pub(super) fn new(capacity: u64, time: Duration) -> Self {
        let time = time.min(LONGEST);
        let swept = Arc::new_cyclic(|swept| {
            let alive = sweep(Weak::clone(swept));
            // Without the sweeping thread an idle program would hold keys for ever, so it holds none.
            let capacity = if alive.is_some() { capacity } else { 0 };
            let slots = Cache::builder()
                .max_capacity(capacity)
                // A patient seen just now is more likely to come again than one who came often yesterday.
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(time)
                .eviction_listener(|_, slot, _| drop(take(&slot)))
                .build();
            Swept { slots, time, shredded: Mutex::default(), forgotten: AtomicU64::new(0), _alive: alive }
        });
        Self { swept, clock: Clock::default() }
    }

    #[cfg(any(test, feature = "insecure-test-keys"))]
    pub(super) fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    pub(super) async fn get(&self, name: &str) -> Option<KnownSubject> {
        let held = self.look(&self.swept.slots.get(name).await?);
        self.unless_buried(name, held)
    }

    /// A key may be put here after its subject was seen shredded, if it was read from the store before that.
    fn unless_buried(&self, name: &str, held: Option<KnownSubject>) -> Option<KnownSubject> {
        match held {
            Some(KnownSubject::Key(_)) if self.is_buried(name) => Some(KnownSubject::Shredded),
            other => other,
        }
    }

    /// Remembers that the subject of this name was shredded.
    pub(super) fn bury(&self, name: &str) {
        self.shredded().insert(digest(name));
    }

    pub(super) fn is_buried(&self, name: &str) -> bool {
        let shredded = self.shredded();
        !shredded.is_empty() && shredded.contains(&digest(name))
    }

    fn shredded(&self) -> MutexGuard<'_, BTreeSet<[u8; 32]>> {
        self.swept.shredded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, slot: &CachedSubject) -> Option<KnownSubject> {
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|(_, asked)| self.clock.now().since(*asked) >= self.swept.time) {
            *slot = None;
        }
        slot.as_ref().map(|(held, _)| held.share())
    }

    /// Call this before asking the store.
    pub(super) fn mark(&self) -> Mark {
        Mark { forgotten: self.swept.forgotten.load(Ordering::SeqCst), begun: self.clock.now() }
    }

    /// Callers that wait for the same name share one call of `make`. The result is `None` if the cache dropped the key at once, because
    /// it had no room or the key was forgotten meanwhile.
    pub(super) async fn get_or_make<E: Send + Sync + 'static>(
        &self,
        name: &str,
        make: impl Future<Output = Result<KnownSubject, E>>,
    ) -> Result<Option<KnownSubject>, Arc<E>> {
        let late = Late { cache: self, mark: self.mark(), slot: CachedSubject::default() };
        let fill = async {
            let held = make.await?;
            if self.is_good(&late.mark) {
                late.fill(held);
            }
            Ok(Arc::clone(&late.slot))
        };
        let slot = self.swept.slots.try_get_with(name.into(), fill).await?;
        let held = self.look(&slot);
        if held.is_none() {
            self.swept.slots.invalidate(name).await;
        }
        Ok(self.unless_buried(name, held))
    }

    pub(super) async fn put(&self, name: Box<str>, held: KnownSubject, mark: Mark) {
        let late = Late { cache: self, mark, slot: CachedSubject::default() };
        if self.is_good(&late.mark) {
            late.fill(held);
            self.swept.slots.insert(name, Arc::clone(&late.slot)).await;
        }
    }

    pub(super) async fn forget(&self, name: &str) {
        self.swept.forgotten.fetch_add(1, Ordering::SeqCst);
        self.swept.slots.invalidate(name).await;
    }

    fn is_good(&self, mark: &Mark) -> bool {
        mark.forgotten == self.swept.forgotten.load(Ordering::SeqCst)
            && self.clock.now().since(mark.begun) < LONGEST_READ
    }

    pub(super) fn count(&self) -> u64 {
        self.swept.slots.entry_count()
    }
}

/// Checks once more when it is dropped, after its slot is in the cache and even if its caller no longer waits. The key may have been
/// forgotten between the last check and that moment, and nobody else would empty the slot then.
struct Late<'a> {
    cache: &'a SubjectCache,
    mark: Mark,
    slot: CachedSubject,
}

impl Late<'_> {
    fn fill(&self, held: KnownSubject) {
        #[cfg(test)]
        tests::meanwhile();
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((held, self.mark.begun));
    }
}

impl Drop for Late<'_> {
    fn drop(&mut self) {
        if !self.cache.is_good(&self.mark) {
            drop(take(&self.slot));
        }
    }
}

fn take(slot: &CachedSubject) -> Option<(KnownSubject, Moment)> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn digest(name: &str) -> [u8; 32] {
    kdf::sha256(Backend::default(), name.as_bytes())
}

/// moka drops expired entries only when it is called, which may be never, so a thread calls it. Returns `None` if no thread can be
/// started.
fn sweep(swept: Weak<Swept>) -> Option<Sender<()>> {
    let (alive, ended) = mpsc::channel();
    let sweeping = move || {
        let clock = Clock::default();
        let mut before = clock.now();
        while ended.recv_timeout(SWEEP) == Err(RecvTimeoutError::Timeout) {
            let Some(swept) = swept.upgrade() else { return };
            let now = clock.now();
            // The machine was suspended, or its clock was set: nobody knows how old the keys are.
            if now.since(before) > now.steadily_since(before).saturating_add(SWEEP) {
                swept.slots.invalidate_all();
            }
            before = now;
            // This waits only for another call that sweeps.
            let _ = run_local(async {
                // One call stops after some thousands of entries.
                let mut more = u64::MAX;
                while swept.slots.entry_count() < more {
                    more = swept.slots.entry_count();
                    swept.slots.run_pending_tasks().await;
                }
                Ok(())
            });
        }
    };
    thread::Builder::new().name("rxseal-subjects".to_owned()).spawn(sweeping).ok().map(|_| alive)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::clock::TestClock;

    thread_local!(static FORGETTING: Cell<Option<SubjectCache>> = const { Cell::new(None) });

    /// Somebody else forgets the key at the worst moment.
    pub(super) fn meanwhile() {
        if let Some(cache) = FORGETTING.take() {
            run(cache.forget("P-7"));
        }
    }

    #[test]
    fn what_is_forgotten_while_it_is_put_is_not_held() {
        let cache = SubjectCache::new(100, Duration::MAX);
        let get = || run(cache.get("P-7"));
        run(cache.put("P-7".into(), KnownSubject::Shredded, cache.mark()));
        assert!(get().is_some());
        FORGETTING.set(Some(cache.clone()));
        run(cache.put("P-7".into(), KnownSubject::Shredded, cache.mark()));
        assert!(get().is_none());
        FORGETTING.set(Some(cache.clone()));
        run(cache.forget("P-7"));
        let make = async { Ok::<_, ()>(KnownSubject::Shredded) };
        assert!(run(cache.get_or_make("P-7", make)).is_ok_and(|held| held.is_some()), "it was read before");
        assert!(FORGETTING.take().is_none());
        assert!(get().is_none());
    }

    /// T55: two calls at once. One read the key before the shredding, the other the tombstone after it.
    #[test]
    fn a_key_that_is_put_after_its_shredding_was_seen_is_not_given() {
        let keys = crate::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
        let key = || KnownSubject::Key(keys.create_subject_key("P-7").unwrap().0);
        let cache = SubjectCache::new(100, Duration::MAX);
        let mark = cache.mark();
        cache.bury("P-7");
        run(cache.put("P-7".into(), key(), mark));
        run(cache.put("P-8".into(), key(), mark));
        assert!(matches!(run(cache.get("P-7")), Some(KnownSubject::Shredded)));
        assert!(matches!(run(cache.get("P-8")), Some(KnownSubject::Key(_))));
        let shared = run(cache.get_or_make("P-7", async { Ok::<_, ()>(key()) }));
        assert!(matches!(shared, Ok(Some(KnownSubject::Shredded))));
        cache.bury("P-9");
        let made = run(cache.get_or_make("P-9", async { Ok::<_, ()>(key()) }));
        assert!(matches!(made, Ok(Some(KnownSubject::Shredded))));
    }

    /// A machine that was suspended, or whose clock was set, holds no key for longer than its time.
    #[test]
    fn time_is_over_by_the_clock_that_moved_further() {
        let seconds = Duration::from_secs;
        for (steady, forward, back, is_held) in [
            (269, 0, 0, true),
            (270, 0, 0, false),
            (0, 269, 0, true),
            (0, 270, 0, false),
            (0, 0, 269, true),
            (0, 0, 270, false),
            (269, 0, 269, true),
            (270, 0, 270, false),
        ] {
            let test = TestClock::default();
            let cache = SubjectCache::new(100, Duration::MAX).clock(Clock::from(&test));
            run(cache.put("P-7".into(), KnownSubject::Shredded, cache.mark()));
            let make = || async { Ok::<_, ()>(KnownSubject::Shredded) };
            test.advance(seconds(steady));
            test.set_forward(seconds(forward));
            test.set_back(seconds(back));
            assert_eq!(run(cache.get("P-7")).is_some(), is_held, "{steady} {forward} {back}");
            let shared = run(cache.get_or_make("P-7", make())).unwrap();
            assert_eq!(shared.is_some(), is_held, "an expired key is not shared with those who wait");
            assert!(run(cache.get_or_make("P-7", make())).unwrap().is_some(), "and the store is asked again");
            // The answer to a call of the store that took that long is not held.
            let mark = cache.mark();
            test.set_forward(LONGEST_READ);
            run(cache.put("P-8".into(), KnownSubject::Shredded, mark));
            assert!(run(cache.get("P-8")).is_none());
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        run_local(async { Ok(work.await) }).unwrap()
    }
}

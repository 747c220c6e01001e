//! What is derived from the keys of a keyring when it is first needed, by type. It is read without a lock after that.

use std::any::{Any, TypeId};
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind};

/// The places of a table. A keyring that needs more has several tables.
const PLACES: usize = 32;
const LAST: usize = PLACES - 1;

/// At most one value of each type. Values are added and never removed.
///
/// Pointers only, since it moves to the heap before it is filled: see "No unwritten room" in `secret`.
pub(crate) struct Made {
    places: [OnceLock<Box<Entry>>; PLACES],
    next: OnceLock<Box<Made>>,
}

struct Entry {
    of: TypeId,
    value: Box<dyn Any + Send + Sync>,
}

impl Made {
    pub(super) fn new() -> Self {
        Self { places: [const { OnceLock::new() }; PLACES], next: OnceLock::new() }
    }

    /// The `T`, which `make` makes if it is not there yet.
    pub(crate) fn get_or_make<T: Any + Send + Sync>(
        &self,
        make: impl FnOnce() -> Result<T, Error>,
    ) -> Result<&T, Error> {
        let of = TypeId::of::<T>();
        let found = match self.find(of) {
            Some(found) => Some(found),
            // If another thread makes it meanwhile, that one stays.
            None => self.add(Box::new(Entry { of, value: Box::new(make()?) })),
        };
        found.and_then(|found| found.value.downcast_ref()).ok_or_else(|| ErrorKind::BackendFailed.into())
    }

    /// A value is in the first free place from that of its type on, and none is removed. So a free place ends the search.
    fn find(&self, of: TypeId) -> Option<&Entry> {
        for place in self.places_from(of) {
            let found = place.get()?;
            if found.of == of {
                return Some(found);
            }
        }
        self.next.get()?.find(of)
    }

    fn add(&self, entry: Box<Entry>) -> Option<&Entry> {
        let of = entry.of;
        let mut left = Some(entry);
        for place in self.places_from(of) {
            if let Some(entry) = left.take() {
                left = place.set(entry).err();
            }
            if let Some(found) = place.get().filter(|found| found.of == of) {
                return Some(found);
            }
        }
        self.next.get_or_init(|| Box::new(Self::new())).add(left?)
    }

    /// All places, first that of the type.
    fn places_from(&self, of: TypeId) -> impl Iterator<Item = &OnceLock<Box<Entry>>> {
        let mut hash = Folded(0);
        of.hash(&mut hash);
        let [start, ..] = hash.0.to_le_bytes();
        let (before, from) = self.places.split_at(usize::from(start) & LAST);
        from.iter().chain(before)
    }
}

/// The hash of a `TypeId`, which is a hash already.
struct Folded(u64);

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 ^= hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Of<const N: usize>(usize);

    macro_rules! with_types {
        ($made:expr, $($n:literal)*) => {
            [$($made.get_or_make(|| Ok(Of::<$n>($n))).unwrap().0),*]
        };
    }

    #[test]
    fn more_types_than_a_table_has_places() {
        let made = Made::new();
        let all = || with_types!(made, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);
        let expected: Vec<_> = (0..40).collect();
        assert_eq!(all().as_slice(), expected);
        assert_eq!(all().as_slice(), expected);
        assert!(made.next.get().is_some_and(|next| next.next.get().is_none()));
        assert_eq!(made.get_or_make(|| Ok(Of::<7>(0))).unwrap().0, 7, "it was made already");
    }

    #[test]
    fn threads_get_the_same_one() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let made = Made::new();
        let get = || made.get_or_make(|| Ok(Of::<0>(CALLS.fetch_add(1, Ordering::Relaxed)))).unwrap().0;
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
            let first = get();
            assert!(all.into_iter().all(|one| one.join().unwrap() == first));
        });
    }

    #[test]
    fn an_error_is_not_kept() {
        let made = Made::new();
        assert!(made.get_or_make::<Of<1>>(|| Err(ErrorKind::BackendFailed.into())).is_err());
        assert_eq!(made.get_or_make(|| Ok(Of::<1>(1))).unwrap().0, 1);
    }
}

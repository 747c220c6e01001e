//! The permit to read the plaintext of a field that is being migrated: until when, and by which change.

use std::fmt;
use std::sync::Arc;

#[cfg(any(test, feature = "insecure-test-keys"))]
use crate::clock::TestClock;
use crate::clock::{Clock, days_before, days_of};
use crate::error::{Error, ErrorKind, Reason};
use crate::id::FieldId;

const DAY: u64 = 86_400;
const MAX_CHANGE: usize = 64;

/// The permit to read plaintext in a column that is being migrated, until a day and by a change that somebody approved.
///
/// Both are in code: neither a row nor a configuration file can prolong it. [`Keyring::read_through`](crate::Keyring::read_through) gives
/// it to a keyring, for one field.
///
/// ```
/// use rxseal::migrating::ReadThrough;
/// use rxseal::phi::Drug;
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let permit = ReadThrough::until(2027, 3, 1, "CHG-1234")?;
/// let keys = keys.read_through::<Drug>(&permit);
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone)]
pub struct ReadThrough {
    /// The first Unix second at which it has ended.
    ends: u64,
    change: &'static str,
    writes_plain: bool,
    clock: Clock,
}

impl ReadThrough {
    /// A permit that ends with this day, in UTC. `change` names who approved it, such as a ticket; each reading of plaintext tells it to
    /// the observer.
    ///
    /// # Errors
    ///
    /// `invalid-id` if there is no such day from 2000 to 9999, or if `change` is not 1 to 64 visible ASCII characters.
    pub fn until(year: u16, month: u8, day: u8, change: &'static str) -> Result<Self, Error> {
        const DATE: Reason = "there is no such day from 2000 to 9999";
        const CHANGE: Reason = "it must be 1 to 64 visible ASCII characters";
        if !(2000..=9999).contains(&year) || !(1..=days_of(year, month)).contains(&day) {
            return Err(Error::invalid_id("read-through date", DATE));
        }
        if !(1..=MAX_CHANGE).contains(&change.len()) || !change.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid_id("read-through change", CHANGE));
        }
        let ends = days_before(year, month).saturating_add(day.into()).saturating_mul(DAY);
        Ok(Self { ends, change, writes_plain: false, clock: Clock::default() })
    }

    /// The same permit for the first step of a migration, in which all programs learn to read tokens and none writes them yet:
    /// [`Migrating::write`](crate::migrating::Migrating::write) then keeps plaintext.
    #[must_use]
    pub fn write_plain(mut self) -> Self {
        self.writes_plain = true;
        self
    }

    /// The same permit by a clock of a test.
    #[cfg(any(test, feature = "insecure-test-keys"))]
    #[must_use]
    pub fn clock(mut self, clock: &TestClock) -> Self {
        self.clock = clock.into();
        self
    }

    /// The change that it is for.
    #[must_use]
    pub fn change(&self) -> &'static str {
        self.change
    }

    pub(crate) fn writes_plain(&self) -> bool {
        self.writes_plain
    }

    /// Refuses when it has ended.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.clock.unix_now() < self.ends { Ok(()) } else { Err(ErrorKind::ReadThroughEnded.into()) }
    }
}

impl fmt::Debug for ReadThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadThrough").field("change", &self.change).field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// The permits of a handle, at most one for each field. Almost every handle has no permit.
#[derive(Clone, Default)]
pub(crate) struct Permits(Option<Arc<[(FieldId, ReadThrough)]>>);

impl Permits {
    /// These and one more, which takes the place of an earlier one for the same field.
    pub(crate) fn with(&self, field: FieldId, permit: &ReadThrough) -> Self {
        let others = self.0.iter().flat_map(|permits| permits.iter()).filter(|(other, _)| *other != field).cloned();
        Self(Some(others.chain([(field, permit.clone())]).collect()))
    }

    pub(crate) fn of(&self, field: FieldId) -> Option<&ReadThrough> {
        self.0.as_ref()?.iter().find(|(other, _)| *other == field).map(|(_, permit)| permit)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// The last second of the day is permitted, and the next is not.
    #[test]
    fn a_permit_ends_with_its_day() {
        for (year, month, day, ends) in [
            (2000, 1, 1, 946_771_200),
            (2027, 3, 1, 1_803_945_600),
            (2028, 2, 29, 1_835_481_600),
            (2100, 3, 1, 4_107_628_800),
            (9999, 12, 31, 253_402_300_800),
        ] {
            let clock = TestClock::default();
            clock.set_back(clock.now().duration_since(UNIX_EPOCH).unwrap());
            clock.set_forward(Duration::from_secs(ends - 1));
            let permit = ReadThrough::until(year, month, day, "CHG-1234").unwrap().clock(&clock);
            assert_eq!(permit.ends, ends);
            permit.check().unwrap();
            clock.set_forward(Duration::from_secs(1));
            assert!(permit.check().is_err(), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn what_is_no_day_and_no_change_is_refused() {
        for (year, month, day) in [
            (1999, 12, 31),
            (10_000, 1, 1),
            (2027, 0, 1),
            (2027, 13, 1),
            (2027, 1, 0),
            (2027, 1, 32),
            (2027, 2, 29),
            (2100, 2, 29),
            (2027, 4, 31),
        ] {
            assert!(ReadThrough::until(year, month, day, "CHG-1234").is_err(), "{year}-{month}-{day}");
        }
        for change in ["", " ", "CHG 1234", "CHG-1234\n", "CHÄNGE", "c".repeat(65).leak()] {
            assert!(ReadThrough::until(2027, 3, 1, change).is_err(), "{change:?}");
        }
    }
}

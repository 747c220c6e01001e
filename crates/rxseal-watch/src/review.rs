//! Reviews: somebody looked at what others did.

use std::ops::RangeInclusive;

use crate::act::checked_reason;
use crate::budget::checked_actor;
use crate::chain::ChainId;
use crate::error::WatchError;
use crate::event::Event;
use crate::watch::Watch;

/// That a person looked at lines of a log, such as those of a broken glass, and what they found.
#[derive(Clone, Debug)]
pub struct Review {
    who: String,
    why: String,
    chain: ChainId,
    lines: RangeInclusive<u64>,
}

impl Review {
    /// Who looked at these lines of a chain, and what they found.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if `who` is not the name of an actor, `found` is not 8 to 200 printable characters, `chain` is not 16 digits of lower-case hex,
    /// or there are no lines.
    pub fn new(who: &str, found: &str, chain: &str, lines: RangeInclusive<u64>) -> Result<Self, WatchError> {
        let (who, why) = (checked_actor(who)?.to_owned(), checked_reason(found)?.to_owned());
        let chain = ChainId::parse(chain).ok_or_else(|| WatchError::settings("this is not the id of a chain"))?;
        if lines.is_empty() {
            return Err(WatchError::settings("a review is of at least one line"));
        }
        Ok(Self { who, why, chain, lines })
    }
}

impl Watch {
    /// Writes a review. When this returns `Ok`, it is on the disk.
    ///
    /// # Errors
    ///
    /// One that [`is_audit_unavailable`](WatchError::is_audit_unavailable), after a second.
    pub fn review(&self, review: &Review) -> Result<(), WatchError> {
        let Review { who, why, chain, lines } = review;
        self.keep_on_disk(&Event::Review { who, why, chain: *chain, lines: (*lines.start(), *lines.end()) })
    }
}

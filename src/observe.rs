//! Who hears of every opening, and of every change of keys.
//!
//! Give a keyring your [`Observer`] when you unlock it, and it is asked before each opening and told after it: who opened which
//! fields of which record, and why. It never sees a value. With the feature `tracing_0_1`, `TracingObserver` writes these events
//! to `tracing`.
//!
//! ```
//! # fn main() -> Result<(), rxseal::Error> {
//! use rxseal::observe::{Observer, OpenEvent};
//! use rxseal::{Access, Error, Purpose, phi::Drug};
//!
//! struct Audit(std::sync::mpsc::SyncSender<String>);
//!
//! impl Observer for Audit {
//!     fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
//!         let line = format!("{} opened {} fields", event.opening().access().actor(), event.fields());
//!         // If nobody writes the event down, the caller does not get what was opened.
//!         self.0.send(line).map_err(Error::refused)
//!     }
//! }
//!
//! let (sender, events) = std::sync::mpsc::sync_channel(1000);
//! let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.observed_by(Audit(sender));
//! let record = keys.record("prescription", 1001)?;
//! let token = record.seal::<Drug>("warfarin 5 MG")?;
//! let access = Access::new("user:kim.rph", Purpose::TREAT)?;
//! record.opened_by(&access).open::<Drug, String>(&token)?;
//! assert_eq!(events.recv().unwrap(), "user:kim.rph opened 1 fields");
//! # Ok(())
//! # }
//! ```

mod key_event;
mod open_event;
mod search;
#[cfg(feature = "tracing_0_1")]
mod to_tracing;

use std::sync::Arc;

pub use crate::access::BrokenGlass;
pub use key_event::{KeyChange, KeyEvent};
pub(crate) use open_event::Touched;
pub use open_event::{OpenEvent, OpenedRecord, Opening, Outcome, PlaintextRead};
pub use search::{Asked, SearchEvent, Searching};
#[cfg(feature = "tracing_0_1")]
pub use to_tracing::TracingObserver;

use crate::error::Error;

/// Your own code that is told of every outermost opening: of one record, one single field, or one page of a bulk call or a search. It
/// never sees a value.
///
/// rxseal calls it on the thread that opens, so it should return quickly: put events into a channel, and write them to disk
/// elsewhere.
///
/// ```
/// use rxseal::observe::{Observer, OpenEvent, Opening};
/// use rxseal::Error;
///
/// struct Audit(std::sync::mpsc::Sender<String>);
///
/// impl Observer for Audit {
///     fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
///         // An access budget, a break-glass rule or a maintenance window may refuse here.
///         if opening.access().actor() == "svc:mallory" { Err(Error::refused("blocked")) } else { Ok(()) }
///     }
///
///     fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
///         let access = event.opening().access();
///         let line = format!("{} opened {} fields for {}", access.actor(), event.fields(), access.purpose());
///         // If nobody writes the event down, the caller does not get what was opened.
///         self.0.send(line).map_err(Error::refused)
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Called before anything is opened. An error (see [`Error::refused`]) refuses the opening.
    ///
    /// # Errors
    ///
    /// The error with which the observer refuses; the caller gets it.
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        let _ = opening;
        Ok(())
    }

    /// Called once after it, whatever the outcome, and before anything is handed out. On an error (see [`Error::refused`]) the caller gets that error
    /// in place of what was opened, which is dropped, and wiped where its type can be. An opening that failed keeps its own error.
    ///
    /// A closure of the caller's, such as that of [`open_fields`](crate::RecordReader::open_fields), has seen its values by then.
    ///
    /// # Errors
    ///
    /// The error with which the observer says that it did not take the event.
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error>;

    /// Called before the candidates of a search are opened, once for each page of them. An error refuses the page, and ends the search. By default
    /// it is [`before_open`](Self::before_open) with all candidates as the records.
    ///
    /// A limit of its own belongs here: a search by birth date in a large table opens a hundred strangers, which nobody sees.
    ///
    /// # Errors
    ///
    /// The error with which the observer refuses; the caller gets it.
    fn before_search(&self, search: &Searching<'_>) -> Result<(), Error> {
        self.before_open(search.opening())
    }

    /// Called once after a page of candidates, in the place of [`opened`](Self::opened). By default it calls that with all candidates as the
    /// records, so nothing is lost; an observer that charges an actor for what was seen overrides it, and charges for the hits. On an error no hit
    /// is handed out.
    ///
    /// # Errors
    ///
    /// As [`opened`](Self::opened).
    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), Error> {
        self.opened(event.opened())
    }

    /// Called when something happens to keys. By default it does nothing.
    fn key_event(&self, event: &KeyEvent<'_>) {
        let _ = event;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        (**self).before_open(opening)
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        (**self).opened(event)
    }

    fn before_search(&self, search: &Searching<'_>) -> Result<(), Error> {
        (**self).before_search(search)
    }

    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), Error> {
        (**self).searched(event)
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        (**self).key_event(event);
    }
}

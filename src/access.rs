//! Who opens and why.

mod exception;
mod purpose;
mod rules;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

pub use exception::{BrokenGlass, Recipient};
pub use purpose::Purpose;

use crate::error::{Error, ErrorKind, Reason};
use rules::is_id;

/// Who opens sealed fields, and for which purpose. Make one per request; cloning it is cheap.
///
/// No function of this crate returns plaintext without one. If the keyring has an
/// [`Observer`](crate::observe::Observer), it is told of every opening and of the access.
///
/// ```
/// use rxseal::{Access, Purpose};
/// let access = Access::new("user:kim.rph", Purpose::TREAT)?.request_id("req-7f3a")?;
/// assert_eq!(access.actor(), "user:kim.rph");
/// assert!(Access::new("kim", Purpose::TREAT).is_err());
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone)]
pub struct Access(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    actor: Box<str>,
    purpose: Purpose,
    request_id: Option<Box<str>>,
    broken_glass: Option<BrokenGlass>,
    recipient: Option<Recipient>,
    kept: OnceLock<Arc<dyn Any + Send + Sync>>,
}

const ACTOR: Reason =
    "an actor is `user:`, `svc:` or `job:` and an id of 1 to 255 characters of printable ASCII without space";
const REQUEST_ID: Reason = "a request id is 1 to 255 characters of printable ASCII without space";

impl Access {
    /// An access by `actor`, which is `user:`, `svc:` or `job:` followed by an id of 1 to 255 characters of printable ASCII
    /// without space.
    ///
    /// # Errors
    ///
    /// `invalid-access` if the actor is anything else.
    pub fn new(actor: &str, purpose: Purpose) -> Result<Self, Error> {
        let id = ["user:", "svc:", "job:"].iter().find_map(|kind| actor.strip_prefix(kind));
        if !id.is_some_and(is_id) {
            return Err(ErrorKind::InvalidAccess.because(ACTOR));
        }
        Ok(Self(Arc::new(Inner {
            actor: actor.into(),
            purpose,
            request_id: None,
            broken_glass: None,
            recipient: None,
            kept: OnceLock::new(),
        })))
    }

    /// The same access as part of the request with this id.
    ///
    /// # Errors
    ///
    /// `invalid-access` if the id is not 1 to 255 characters of printable ASCII without space.
    pub fn request_id(self, id: &str) -> Result<Self, Error> {
        if !is_id(id) {
            return Err(ErrorKind::InvalidAccess.because(REQUEST_ID));
        }
        Ok(self.with(|inner| inner.request_id = Some(id.into())))
    }

    /// The same access in an emergency, past a limit: to one patient, and with a reason, which an observer keeps for somebody else to
    /// review. `patient` is the subject's id, or the record's if it has no subject. Say here why, and do not name the patient in it.
    ///
    /// What it permits is up to the observer; without one, nothing changes.
    ///
    /// ```
    /// use rxseal::{Access, Purpose};
    /// let access = Access::new("user:kim.rph", Purpose::ETREAT)?;
    /// let access = access.break_glass("pat-77", "patient unconscious, physician on the phone")?;
    /// assert_eq!(access.broken_glass().map(|glass| glass.patient()), Some("pat-77"));
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid-access` if the reason is not 8 to 200 printable characters, or the id not 1 to 255 characters of printable ASCII without space.
    pub fn break_glass(self, patient: &str, reason: &str) -> Result<Self, Error> {
        let glass = BrokenGlass::new(patient, reason)?;
        Ok(self.with(|inner| inner.broken_glass = Some(glass)))
    }

    /// The same access as a disclosure: what is opened goes to this recipient. An observer keeps it for the accounting of disclosures.
    #[must_use]
    pub fn disclosed_to(self, recipient: Recipient) -> Self {
        self.with(|inner| inner.recipient = Some(recipient))
    }

    /// Who opens: `user:`, `svc:` or `job:` and an id.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Why they open.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.0.purpose
    }

    /// The id of the request that this access belongs to, if it was given one.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The emergency that this access is for.
    #[must_use]
    pub fn broken_glass(&self) -> Option<&BrokenGlass> {
        self.0.broken_glass.as_ref()
    }

    /// Who gets what is opened, if it is disclosed.
    #[must_use]
    pub fn recipient(&self) -> Option<&Recipient> {
        self.0.recipient.as_ref()
    }

    /// A place for an observer to keep what it looked up for this access, such as the limits of its actor, so that it looks once for a request and
    /// not for each record. Clones share it, and an access that is changed in any way begins anew. `make` is called if nothing was kept yet. Another
    /// observer may have been first: look at the type.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::TREAT)?;
    /// let kept = access.keep(|| Arc::new(2000_u32));
    /// assert_eq!(kept.downcast_ref::<u32>(), Some(&2000));
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    pub fn keep(&self, make: impl FnOnce() -> Arc<dyn Any + Send + Sync>) -> &Arc<dyn Any + Send + Sync> {
        self.0.kept.get_or_init(make)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        // What was looked up is of the access as it was.
        inner.kept = OnceLock::new();
        Self(Arc::new(inner))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("actor", &self.actor())
            .field("purpose", &self.purpose())
            .field("request_id", &self.request())
            .field("breaks_glass", &self.broken_glass().is_some())
            .field("recipient", &self.recipient())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_are_strict() {
        for good in ["user:kim.rph", "svc:label-printer", "job:nightly:7"] {
            assert!(Access::new(good, Purpose::TREAT).is_ok(), "{good}");
        }
        let long = format!("user:{}", "x".repeat(256));
        for bad in ["", "kim", "user:", "root:kim", "user:kim lee", "user:k\u{ef}m", "USER:kim", &long] {
            assert_eq!(Access::new(bad, Purpose::TREAT).unwrap_err().code().as_str(), "invalid-access", "{bad}");
        }
        let access = Access::new("svc:x", Purpose::HPAYMT).unwrap();
        assert!(access.clone().request_id("a b").is_err());
        assert_eq!(access.request_id("r1").unwrap().request(), Some("r1"));
    }

    #[test]
    fn breaking_glass_needs_a_patient_and_a_reason() {
        let access = || Access::new("user:kim", Purpose::ETREAT).unwrap();
        let long = "x".repeat(201);
        for (patient, reason) in [
            ("", "unconscious"),
            ("pat 7", "unconscious"),
            ("pat-7", "short"),
            ("pat-7", "two\nlines"),
            ("pat-7", &long),
        ] {
            assert_eq!(
                access().break_glass(patient, reason).unwrap_err().code().as_str(),
                "invalid-access",
                "{reason:?}"
            );
        }
        let broken = access().break_glass("pat-7", "Müller, unconscious").unwrap().request_id("r1").unwrap();
        let glass = broken.broken_glass().unwrap();
        assert_eq!((glass.patient(), glass.reason(), broken.request()), ("pat-7", "Müller, unconscious", Some("r1")));
        assert!(access().broken_glass().is_none());
        let shown = format!("{broken:?} {glass:?}");
        assert!(
            shown.contains("breaks_glass: true") && !shown.contains("conscious") && !shown.contains("pat-7"),
            "{shown}"
        );
    }

    #[test]
    fn a_recipient_has_a_name_and_what_else_is_known() {
        let pmp = Recipient::named("State PMP").unwrap().address("1 Main St").unwrap().basis("164.512(a)").unwrap();
        let access = Access::new("svc:pmp", Purpose::PUBHLTH).unwrap().disclosed_to(pmp);
        let pmp = access.recipient().unwrap();
        assert_eq!((pmp.name(), pmp.where_it_is(), pmp.why()), ("State PMP", Some("1 Main St"), Some("164.512(a)")));
        for bad in ["", "a\u{7}b", &"x".repeat(201)] {
            assert!(Recipient::named(bad).is_err());
            assert!(Recipient::named("x").unwrap().address(bad).is_err());
            assert!(Recipient::named("x").unwrap().basis(bad).is_err());
        }
    }

    #[test]
    fn what_is_kept_is_shared_by_clones() {
        let access = Access::new("user:kim", Purpose::TREAT).unwrap();
        access.keep(|| Arc::new(7_u8));
        assert_eq!(access.clone().keep(|| Arc::new(8_u8)).downcast_ref::<u8>(), Some(&7));
        let other = access.clone().request_id("r1").unwrap();
        assert_eq!(other.keep(|| Arc::new(8_u8)).downcast_ref::<u8>(), Some(&8), "another access");
    }
}

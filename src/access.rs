//! Who opens and why.

mod purpose;

use std::sync::Arc;

pub use purpose::Purpose;

use crate::error::{Error, ErrorKind, Reason};

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
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    actor: Box<str>,
    purpose: Purpose,
    request_id: Option<Box<str>>,
}

const ACTOR: Reason =
    "an actor is `user:`, `svc:` or `job:` and an id of 1 to 255 characters of printable ASCII without space";
const REQUEST_ID: Reason = "a request id is 1 to 255 characters of printable ASCII without space";

fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

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
        Ok(Self(Arc::new(Inner { actor: actor.into(), purpose, request_id: None })))
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
        let inner = Inner { request_id: Some(id.into()), ..Arc::unwrap_or_clone(self.0) };
        Ok(Self(Arc::new(inner)))
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

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
}

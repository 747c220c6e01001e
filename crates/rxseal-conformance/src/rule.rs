//! A promise of a store, and how it is checked.

use std::fmt;

use rxseal::Error;

use crate::broken::{Broken, hold, with_causes};

pub(crate) type Check = Result<(), Broken>;

/// The promise as a sentence.
#[derive(Clone, Copy)]
pub(crate) struct Rule(pub(crate) &'static str);

impl Rule {
    pub(crate) fn is(self, holds: bool, seen: impl FnOnce() -> String) -> Check {
        if holds { Ok(()) } else { Err(Broken::new(self.0, seen())) }
    }

    pub(crate) fn equal<T: PartialEq + fmt::Debug>(self, seen: &T, wanted: &T) -> Check {
        self.is(seen == wanted, || format!("{seen:?} instead of {wanted:?}"))
    }

    /// The result of a call that must succeed.
    pub(crate) fn ok<T>(self, ended: Result<T, Error>) -> Result<T, Broken> {
        ended.map_err(|error| Broken::by(self.0, &error))
    }

    /// A call that must fail with one of these codes.
    pub(crate) fn fails<T>(self, ended: Result<T, Error>, codes: &[&str]) -> Check {
        match ended {
            Ok(_) => Err(Broken::new(self.0, format!("success instead of {codes:?}"))),
            Err(error) => {
                let code = error.code().as_str();
                let seen = format!("{code} instead of {codes:?}: {}", with_causes(&error));
                hold(self.0, codes.contains(&code), seen)
            }
        }
    }
}

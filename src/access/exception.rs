//! What sets an access apart: an emergency, or a disclosure.

use std::fmt;

use super::rules::{is_id, printable};
use crate::error::{Error, ErrorKind, Reason};

/// An emergency in which a limit may be passed: [`Access::break_glass`](crate::Access::break_glass) makes it.
#[derive(Clone)]
pub struct BrokenGlass {
    patient: Box<str>,
    reason: Box<str>,
}

/// Who gets what is opened, when it is disclosed outside. An accounting of disclosures lists it (45 CFR 164.528).
///
/// ```
/// use rxseal::Recipient;
/// let recipient = Recipient::named("State PMP")?.address("1 Main St, Springfield")?.basis("state law, 164.512(a)")?;
/// let access = rxseal::Access::new("svc:pmp-report", rxseal::Purpose::PUBHLTH)?.disclosed_to(recipient);
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    name: Box<str>,
    address: Option<Box<str>>,
    basis: Option<Box<str>>,
}

const PATIENT: Reason =
    "the patient of a broken glass is an id of 1 to 255 characters of printable ASCII without space";
const REASON: Reason = "the reason for breaking the glass is 8 to 200 printable characters";
const RECIPIENT: Reason = "name, address and basis of a recipient are 1 to 200 printable characters each";

impl BrokenGlass {
    pub(super) fn new(patient: &str, reason: &str) -> Result<Self, Error> {
        if !is_id(patient) {
            return Err(ErrorKind::InvalidAccess.because(PATIENT));
        }
        Ok(Self { patient: patient.into(), reason: printable(reason, 8, REASON)? })
    }

    /// The only patient who may be opened by it: a subject's id, or the id of a record that has no subject.
    #[must_use]
    pub fn patient(&self) -> &str {
        &self.patient
    }

    /// Why, 8 to 200 printable characters that a person wrote. Keep it with the log, and out of traces.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Debug for BrokenGlass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokenGlass").finish_non_exhaustive()
    }
}

impl Recipient {
    /// A recipient of this name, 1 to 200 printable characters.
    ///
    /// # Errors
    ///
    /// `invalid-access` for any other text.
    pub fn named(name: &str) -> Result<Self, Error> {
        Ok(Self { name: printable(name, 1, RECIPIENT)?, address: None, basis: None })
    }

    /// The same recipient at this address, 1 to 200 printable characters.
    ///
    /// # Errors
    ///
    /// `invalid-access` for any other text.
    pub fn address(self, address: &str) -> Result<Self, Error> {
        Ok(Self { address: Some(printable(address, 1, RECIPIENT)?), ..self })
    }

    /// The same recipient and on which basis it gets what it gets, such as the section of a law: 1 to 200 printable characters.
    ///
    /// # Errors
    ///
    /// `invalid-access` for any other text.
    pub fn basis(self, basis: &str) -> Result<Self, Error> {
        Ok(Self { basis: Some(printable(basis, 1, RECIPIENT)?), ..self })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, if it was said.
    #[must_use]
    pub fn where_it_is(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The basis of the disclosure, if it was said.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.basis.as_deref()
    }
}

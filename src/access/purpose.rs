//! Purposes of use.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// Why PHI is opened: a code of HL7 v3 PurposeOfUse (value set 2.16.840.1.113883.1.11.20448 version 3.1.0 of
/// HL7 Terminology), and nothing else. A code that comes as text is parsed; any other text is `invalid-access`.
///
/// ```
/// use rxseal::Purpose;
/// assert_eq!("ETREAT".parse::<Purpose>()?, Purpose::ETREAT);
/// assert!("curiosity".parse::<Purpose>().is_err());
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose(&'static str);

impl Purpose {
    /// The code, such as `TREAT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! purposes {
    ($($code:ident = $meaning:literal,)*) => {
        impl Purpose {
            $(
                #[doc = concat!("For ", $meaning, ".")]
                pub const $code: Self = Self(stringify!($code));
            )*

            const ALL: &[Self] = &[$(Self::$code),*];
        }
    };
}

purposes! {
    HMARKT = "healthcare marketing",
    HOPERAT = "healthcare operations",
    CAREMGT = "care management",
    DONAT = "donation",
    FRAUD = "fraud",
    GOV = "government",
    HACCRED = "health accreditation",
    HCOMPL = "health compliance",
    HDECD = "decedent",
    HDIRECT = "directory",
    HDM = "healthcare delivery management",
    HLEGAL = "legal",
    HOUTCOMS = "health outcome measure",
    HPRGRP = "health program reporting",
    HQUALIMP = "health quality improvement",
    HSYSADMIN = "health system administration",
    LABELING = "labeling",
    METAMGT = "metadata management",
    MEMADMIN = "member administration",
    MILCDM = "military command",
    PATADMIN = "patient administration",
    PATSFTY = "patient safety",
    PERFMSR = "performance measure",
    RECORDMGT = "records management",
    SYSDEV = "system development",
    HTEST = "test health data",
    TRAIN = "training",
    HPAYMT = "healthcare payment",
    CLMATTCH = "claim attachment",
    COVAUTH = "coverage authorization",
    COVERAGE = "coverage under policy or program",
    ELIGDTRM = "eligibility determination",
    ELIGVER = "eligibility verification",
    ENROLLM = "enrollment",
    MILDCRG = "military discharge",
    REMITADV = "remittance advice",
    HRESCH = "healthcare research",
    BIORCH = "biomedical research",
    CLINTRCH = "clinical trial research",
    CLINTRCHNPC = "clinical trial research without patient care",
    CLINTRCHPC = "clinical trial research with patient care",
    PRECLINTRCH = "preclinical trial research",
    DSRCH = "disease specific healthcare research",
    POARCH = "population origins or ancestry healthcare research",
    TRANSRCH = "translational healthcare research",
    PATRQT = "patient requested",
    FAMRQT = "family requested",
    PWATRNY = "power of attorney",
    SUPNWK = "support network",
    PUBHLTH = "public health",
    DISASTER = "disaster",
    THREAT = "threat",
    TREAT = "treatment",
    CLINTRL = "clinical trial",
    COC = "coordination of care",
    ETREAT = "emergency treatment",
    BTG = "break the glass",
    ERTREAT = "emergency room treatment",
    POPHLTH = "population health",
}

impl FromStr for Purpose {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|purpose| purpose.0 == code).copied();
        found.ok_or_else(|| ErrorKind::InvalidAccess.because("the purpose is not a code of HL7 v3 PurposeOfUse"))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Purpose({})", self.0)
    }
}

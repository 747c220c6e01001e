//! Why a root key could not be connected to.

use std::error::Error as _;
use std::fmt;

/// Why a root key could not be read from its text, or connected to. Its text names the root key, unless somebody may have written the key
/// itself in the place of its name.
pub struct SpecError {
    root: Option<String>,
    kind: Kind,
}

enum Kind {
    Usage(String),
    Core(rxseal::Error),
    /// A code of the core with another text: the core's may quote what is not shown.
    Coded(&'static str, &'static str),
    NotBuilt(&'static str, &'static str),
}

impl SpecError {
    /// The code of rxseal's own error, or `usage`: the text is wrong, or a setting that it names.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.kind {
            Kind::Usage(_) | Kind::NotBuilt(..) => "usage",
            Kind::Core(error) => error.code().as_str(),
            Kind::Coded(code, _) => code,
        }
    }

    /// The feature of this crate that the program was built without, if that is what is missing.
    #[must_use]
    pub fn feature(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::NotBuilt(_, feature) => Some(feature),
            _ => None,
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::of(Kind::Usage(text.into()))
    }

    #[cfg_attr(
        all(feature = "aws-kms", feature = "pkcs11", feature = "vault"),
        expect(dead_code, reason = "this build has everything")
    )]
    pub(crate) fn not_built(what: &'static str, feature: &'static str) -> Self {
        Self::of(Kind::NotBuilt(what, feature))
    }

    /// The same error of the root key with this text. The text of the error is replaced by `instead` if the error quotes what must not be
    /// shown.
    pub(crate) fn of_root(mut self, shown: &str, hides: Option<&str>, instead: &'static str) -> Self {
        if let Kind::Core(error) = &self.kind
            && hides.is_some_and(|place| self.to_string().contains(place))
        {
            self.kind = Kind::Coded(error.code().as_str(), instead);
        }
        self.root = Some(shown.to_owned());
        self
    }

    fn of(kind: Kind) -> Self {
        Self { root: None, kind }
    }
}

impl From<rxseal::Error> for SpecError {
    fn from(error: rxseal::Error) -> Self {
        Self::of(Kind::Core(error))
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(root) = &self.root {
            write!(f, "root key {root}: ")?;
        }
        match &self.kind {
            Kind::Usage(text) => f.write_str(text),
            Kind::Coded(_, text) => f.write_str(text),
            Kind::NotBuilt(what, _) => write!(f, "{what} is not in this build"),
            Kind::Core(error) => {
                write!(f, "{error}")?;
                // An operator needs to see what the provider said.
                let mut cause = error.source();
                while let Some(error) = cause {
                    write!(f, ": {error}")?;
                    cause = error.source();
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpecError({}: {self})", self.code())
    }
}

impl std::error::Error for SpecError {}

pub(crate) fn refuse<T>(text: &str) -> Result<T, SpecError> {
    Err(SpecError::usage(text))
}

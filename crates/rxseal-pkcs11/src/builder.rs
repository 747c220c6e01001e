//! The settings of a `Pkcs11Key`, and their checks.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rxseal::Error;
use rxseal::provider::SecretFile;
use zeroize::Zeroizing;

use crate::failure::BoxError;
use crate::key::Pkcs11Key;
use crate::mechanism::Pkcs11Mechanism;
use crate::pin::{Login, PinSource};
use crate::pool::Pool;
use crate::selection::Selection;
use crate::token::Place;

const MAX_DEADLINE: Duration = Duration::from_secs(600);

/// Builds a [`Pkcs11Key`]. Nothing is sent to the HSM before the key's first use.
#[must_use = "call `.build()`"]
pub struct Pkcs11KeyBuilder {
    library: PathBuf,
    selection: Selection,
    pin: Option<PinSource>,
    allow_group_read: bool,
    deadline: Duration,
    sessions: usize,
    mechanism: Option<Pkcs11Mechanism>,
    allow_extractable: bool,
}

impl Pkcs11Key {
    /// A key behind the PKCS#11 library at this absolute path. Next say which token, which key and how to log in, and
    /// call [`build`](Pkcs11KeyBuilder::build).
    pub fn builder(library: impl Into<PathBuf>) -> Pkcs11KeyBuilder {
        Pkcs11KeyBuilder::new(library.into(), Selection::default())
    }

    /// Like [`builder`](Self::builder), with the token and the key from a URI of RFC 7512, such as
    /// `pkcs11:token=phi;object=phi-root`.
    ///
    /// Its attributes are `token`, `serial`, `slot-id`, `object`, `id`, and `type`, which must be `secret-key`.
    ///
    /// # Errors
    ///
    /// `invalid-root-key` if it is not such a URI, or has other attributes or a query.
    pub fn builder_from_uri(library: impl Into<PathBuf>, uri: &str) -> Result<Pkcs11KeyBuilder, Error> {
        Ok(Pkcs11KeyBuilder::new(library.into(), Selection::parse(uri)?))
    }
}

impl Pkcs11KeyBuilder {
    fn new(library: PathBuf, selection: Selection) -> Self {
        Self {
            library,
            selection,
            pin: None,
            allow_group_read: false,
            deadline: Duration::from_secs(5),
            sessions: 4,
            mechanism: None,
            allow_extractable: false,
        }
    }

    /// The token with this label.
    pub fn token(mut self, label: impl Into<String>) -> Self {
        self.selection.token = Some(label.into());
        self
    }

    /// The token with this serial number. Add it to the label if several tokens have that label.
    pub fn token_serial(mut self, serial: impl Into<String>) -> Self {
        self.selection.serial = Some(serial.into());
        self
    }

    /// The token in this slot. Name the token by its label or serial number if you can: some libraries renumber the
    /// slots at each start.
    pub fn slot_id(mut self, slot_id: u64) -> Self {
        self.selection.slot_id = Some(slot_id);
        self
    }

    /// The AES key with this label (`CKA_LABEL`).
    pub fn key_label(mut self, label: impl Into<String>) -> Self {
        self.selection.label = Some(label.into());
        self
    }

    /// The AES key with this id (`CKA_ID`). Add it to the label if several keys have that label.
    pub fn key_id(mut self, id: impl Into<Vec<u8>>) -> Self {
        self.selection.id = Some(id.into());
        self
    }

    /// Asks `pin` for the user's PIN when the process has to log in to the token. That is once, unless the HSM ends
    /// sessions or the login fails.
    ///
    /// The callback runs on a thread of its own, and its time counts against the deadline. The PIN is wiped once the
    /// token has it. An error becomes the cause of ours: keep the PIN out of its text.
    pub fn pin<P, E>(mut self, pin: impl Fn() -> Result<P, E> + Send + Sync + 'static) -> Self
    where
        P: Into<Zeroizing<String>>,
        E: Into<BoxError>,
    {
        self.pin = Some(PinSource::Callback(Box::new(move || pin().map(Into::into).map_err(Into::into))));
        self
    }

    /// Reads the PIN from this environment variable, at the times that [`pin`](Self::pin) describes. Prefer a file: a
    /// process's environment can be read by its user and by root, and its children inherit it.
    pub fn pin_from_env(mut self, variable: impl Into<String>) -> Self {
        self.pin = Some(PinSource::Environment(variable.into()));
        self
    }

    /// Reads the PIN from the first line of this file, at the times that [`pin`](Self::pin) describes. The file must
    /// belong to root or to the user of this process and have mode 0600. A file that somebody else can read or change
    /// is refused with `root-key-permissions`.
    pub fn pin_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pin = Some(PinSource::File(SecretFile::new(path)));
        self
    }

    /// Also accepts a PIN file that its group may read (mode 0640), as Kubernetes mounts secrets for a `fsGroup`.
    pub fn allow_group_read(mut self) -> Self {
        self.allow_group_read = true;
        self
    }

    /// How long a call may take, including the wait for a session. The default is 5 seconds, the maximum 10 minutes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many sessions are kept open and used at a time. The default is 4, the maximum 64.
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// Wraps with this mechanism. The default is the first one that the token and the key support. Wraps made with
    /// other mechanisms still unwrap.
    pub fn mechanism(mut self, mechanism: Pkcs11Mechanism) -> Self {
        self.mechanism = Some(mechanism);
        self
    }

    /// Accepts a key that the token would hand out (`CKA_EXTRACTABLE`, or not `CKA_SENSITIVE`). Whoever has the PIN can
    /// copy such a key, and the HSM's log does not show what the copy is used for. Use this in tests, or to move off
    /// such a key.
    pub fn allow_extractable(mut self) -> Self {
        self.allow_extractable = true;
        self
    }

    /// Checks the settings. This neither loads the library nor contacts the HSM.
    ///
    /// # Errors
    ///
    /// `invalid-root-key` if the token, the key or the PIN is not given, a name or a limit is not valid, or the
    /// library's path is not absolute. The library receives the PIN and the KEK, so no search path may choose it.
    pub fn build(self) -> Result<Pkcs11Key, Error> {
        let name = self.selection.name()?;
        if !self.library.is_absolute() {
            return Err(Error::invalid_root_key(
                "the path of the PKCS#11 library is not absolute, such as /usr/lib/softhsm/libsofthsm2.so",
            ));
        }
        if self.deadline.is_zero() || self.deadline > MAX_DEADLINE {
            return Err(Error::invalid_root_key("the deadline is zero or more than 10 minutes"));
        }
        if !(1..=64).contains(&self.sessions) {
            return Err(Error::invalid_root_key("the number of sessions is not 1 to 64"));
        }
        let pin = match self.pin {
            Some(PinSource::File(file)) if self.allow_group_read => PinSource::File(file.allow_group_read()),
            Some(pin) => pin,
            None => {
                return Err(Error::invalid_root_key(
                    "say where the PIN comes from: `pin`, `pin_from_env` or `pin_file`",
                ));
            }
        };
        let place =
            Place { library: self.library, selection: self.selection, allow_extractable: self.allow_extractable };
        let pool = Pool::new(name, place, Login::new(pin), self.sessions, self.deadline);
        Ok(Pkcs11Key::new(pool, self.mechanism))
    }
}

impl fmt::Debug for Pkcs11KeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11KeyBuilder")
            .field("library", &self.library)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rxseal::root::RootKey;

    use super::*;

    fn builder() -> Pkcs11KeyBuilder {
        let pin = || Ok::<_, std::io::Error>("canary-pin".to_owned());
        Pkcs11Key::builder("/usr/lib/hsm.so").token("phi").key_label("phi-root").pin(pin)
    }

    #[test]
    fn settings_that_are_none() {
        type Change = fn(Pkcs11KeyBuilder) -> Pkcs11KeyBuilder;
        let cases: [(Change, &str); 5] = [
            (|b| b.deadline(Duration::ZERO), "deadline"),
            (|b| b.deadline(Duration::from_secs(601)), "deadline"),
            (|b| b.sessions(0), "sessions"),
            (|b| b.sessions(65), "sessions"),
            (|b| b.key_label(""), "empty"),
        ];
        for (change, part) in cases {
            let error = change(builder()).build().unwrap_err();
            assert!(error.code().as_str() == "invalid-root-key" && error.to_string().contains(part), "{error}");
        }
        let relative = Pkcs11Key::builder("hsm.so").token("phi").key_label("phi-root").pin_file("/pin").build();
        assert!(relative.unwrap_err().to_string().contains("absolute"));
        let silent = Pkcs11Key::builder("/usr/lib/hsm.so").token("phi").key_label("phi-root").build();
        assert!(silent.unwrap_err().to_string().contains("pin_file"));
    }

    #[test]
    fn debug_shows_no_pin() {
        let builder = builder().pin_file("/run/pin");
        assert!(!format!("{builder:?}").contains("pin"), "{builder:?}");
        let key = builder.build().unwrap();
        assert_eq!(format!("{key:?}"), "Pkcs11Key(token=phi;object=phi-root)");
        assert_eq!((key.provider(), key.name()), ("pkcs11", "token=phi;object=phi-root"));
    }
}

//! A KEK, and the context that its wrap is bound to.

use std::fmt;

use crate::codec::frame::{FrameWriter, domain};
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::id::Name;
use crate::random;
use crate::secret::SecretBytes;

/// A key-encryption key: 32 bytes, wiped on drop, neither `Clone` nor readable by accident.
///
/// The bytes are on the heap, so moving the value leaves no copy behind.
pub struct Kek {
    secret: SecretBytes<32>,
    request_id: Option<Box<str>>,
}

impl Kek {
    /// A copy of the bytes that a root key unwrapped. The caller wipes `bytes`.
    ///
    /// # Errors
    ///
    /// `provider-refused` if it does not have 32 bytes. `unlock-failed` if all of them are zero, which is never a KEK
    /// (FORMAT 1.8).
    ///
    /// ```
    /// use rxseal::provider::Kek;
    /// assert_eq!(Kek::from_bytes(&[7; 32])?.expose_bytes(), &[7; 32]);
    /// assert_eq!(Kek::from_bytes(&[7; 16]).unwrap_err().code(), rxseal::ErrorCode::ProviderRefused);
    /// assert_eq!(Kek::from_bytes(&[0; 32]).unwrap_err().code(), rxseal::ErrorCode::UnlockFailed);
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = <&[u8; 32]>::try_from(bytes);
        let bytes = bytes.map_err(|_| Error::from_provider(false, "what was unwrapped is not a key of 32 bytes"))?;
        let secret = SecretBytes::copy_of(bytes);
        if secret.is_zero() { Err(ErrorKind::UnlockFailed.into()) } else { Ok(Self { secret, request_id: None }) }
    }

    /// The same KEK with the id under which the key service logged the call that unwrapped it. An observer is told of it, so that its log and that of
    /// the service can be compared. An id that is not 1 to 255 characters of printable ASCII without space is left out.
    ///
    /// ```
    /// use rxseal::provider::Kek;
    /// let kek = Kek::from_bytes(&[7; 32])?.with_request_id("6f3a9c0e-5b1d-2468");
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    #[must_use]
    pub fn with_request_id(self, id: &str) -> Self {
        let is_id = (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        Self { request_id: is_id.then(|| id.into()), ..self }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// A new random one.
    pub(crate) fn generate() -> Result<Self, Error> {
        Ok(Self { secret: random::key()?, request_id: None })
    }

    /// The key bytes, for a provider to wrap.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        self.secret.expose_bytes()
    }

    pub(crate) fn secret(&self) -> &SecretBytes<32> {
        &self.secret
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek([REDACTED])")
    }
}

/// The context that a wrapped KEK is bound to (FORMAT 8.4): its keyspace and its public fingerprint.
///
/// Unwrapping with another context must fail. A provider that binds bytes uses
/// [`associated_data`](Self::associated_data). One that binds named values uses the other methods.
#[derive(Clone, Copy, Debug)]
pub struct KekContext<'a> {
    pub(crate) keyspace: &'a str,
    pub(crate) fingerprint: &'a [u8; 32],
}

impl<'a> KekContext<'a> {
    /// A context for the tests of a root key. In a program, rxseal makes it.
    ///
    /// # Errors
    ///
    /// `invalid-id` if `keyspace` is not a legal name.
    ///
    /// ```
    /// use rxseal::provider::KekContext;
    /// let context = KekContext::new("pharmacy-17", &[0xFF; 32])?;
    /// assert_eq!(context.fingerprint_text(), "__________________________________________8");
    /// # Ok::<(), rxseal::Error>(())
    /// ```
    pub fn new(keyspace: &'a str, fingerprint: &'a [u8; 32]) -> Result<Self, Error> {
        Name::check("keyspace", keyspace)?;
        Ok(Self { keyspace, fingerprint })
    }

    /// The keyspace, 1 to 64 bytes of ASCII.
    #[must_use]
    pub fn keyspace(&self) -> &str {
        self.keyspace
    }

    /// The KEK's fingerprint, 32 public bytes.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        self.fingerprint
    }

    /// The KEK's fingerprint as 43 characters of base64url without padding, for a provider that binds text.
    #[must_use]
    pub fn fingerprint_text(&self) -> String {
        text::encode(self.fingerprint)
    }

    /// Keyspace and fingerprint as one value of at most 160 bytes (FORMAT 2.3, `kek-wrap`).
    #[must_use]
    pub fn associated_data(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        FrameWriter::new(domain::KEK_WRAP, &mut bytes).part(2, self.keyspace.as_bytes()).part(8, self.fingerprint);
        bytes
    }
}

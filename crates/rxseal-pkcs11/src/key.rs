//! A root key in an HSM, through PKCS#11.

use std::fmt;

use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::RootKey;

use crate::mechanism::Pkcs11Mechanism;
use crate::pool::Pool;
use crate::wrap;

/// An AES-256 key in an HSM or smart card, or in SoftHSM, through its PKCS#11 library. The key never leaves the token.
///
/// ```no_run
/// use rxseal::Keyring;
/// use rxseal::root::RootKeys;
/// use rxseal_pkcs11::Pkcs11Key;
/// # async fn example(stored: &rxseal::keys::KeyringFile) -> Result<(), rxseal::Error> {
/// let root = Pkcs11Key::builder("/usr/lib/softhsm/libsofthsm2.so")
///     .token("phi")
///     .key_label("phi-root")
///     .pin_file("/run/secrets/hsm-pin")
///     .build()?;
/// let keys = Keyring::unlock("pharmacy-17", &RootKeys::from(root), stored).await?.unobserved();
/// # Ok(())
/// # }
/// ```
///
/// # Devices
///
/// SoftHSM is the only device that this was tested with. Known differences of other devices were tested with SoftHSM
/// behind a library that imitates them. Try yours before you rely on it, with a keyring that holds nothing.
///
/// # The key
///
/// The key is an AES key of 256 bits, and its label or id must match exactly one key of the token. Use it for nothing
/// else.
///
/// - It must be private (`CKA_PRIVATE`). Any process can use or replace a key that is not private without the PIN, so
///   such a key is always refused.
/// - It must be sensitive and not extractable. Any other key is refused unless you allow it with
///   [`allow_extractable`](crate::Pkcs11KeyBuilder::allow_extractable).
/// - It needs `CKA_ENCRYPT` and `CKA_DECRYPT`, or `CKA_WRAP` and `CKA_UNWRAP` if the token does not support AES-GCM.
///
/// ```sh
/// pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label phi --login \
///     --keygen --key-type AES:32 --label phi-root --id 01 --private --sensitive --usage-decrypt
/// ```
///
/// Whoever can log in to the token can use every key in it. So give this key its own token or partition.
///
/// # What a wrap is bound to
///
/// A wrap is bound to the keyspace and the KEK's fingerprint. With `CKM_AES_GCM` they are the associated data.
/// `CKM_AES_KEY_WRAP` and `CKM_AES_KEY_WRAP_PAD` have no associated data, so a digest is wrapped with the KEK and
/// compared after unwrapping. The first mechanism that the token and the key support is used. If a token supports key
/// wrapping only through `C_WrapKey` (SoftHSM), the KEK is an object of our session for a moment, and other code in
/// this process could read it.
///
/// # Names
///
/// Keyring files name the key `token=LABEL;object=LABEL`, in the spelling of RFC 7512. If you name the token by its
/// serial number or slot, or the key by its id, that is in the name instead; an id given with a label adds `;id=%01`.
/// So always name a key in the same way. A copy in a second HSM under the same labels unlocks what the first one
/// wrapped.
///
/// # The PIN
///
/// The PIN is asked for when this process has to log in. It is wiped afterwards, and never appears in an error, a log
/// or `Debug`. If a login fails, this process never tries that PIN at that token again, through any root key, since a
/// few attempts lock a token. A corrected PIN is tried. If the PIN was right and the login failed for another reason,
/// restart the program.
///
/// A login counts for the whole process. Anything else in it that uses the token is logged in too. If that calls
/// `C_Logout`, this crate notices and logs in once more.
///
/// # Time, and what fails
///
/// A call ends within its [deadline](crate::Pkcs11KeyBuilder::deadline), even if the library hangs. Its thread and
/// session are then left behind until the library returns. At most 16 are left behind, in addition to the configured
/// sessions; after that, no call starts until one returns. If a session is lost (the HSM was restarted, the card taken
/// out), it is opened again and the call is repeated once. The error's [`source`](std::error::Error::source) says in
/// one line what to do.
///
/// Not every HSM tells a changed wrap from a failure: SoftHSM answers `CKR_GENERAL_ERROR` to both. While unwrapping,
/// such an answer counts as a wrap that does not open, and is not retryable.
///
/// Drop the root key before the program ends. Dropping its last copy closes its sessions and waits up to a second for
/// its threads to end: a program that exits while such a thread runs may crash in the library's clean-up. Nothing waits
/// if the root key is in a static, at `std::process::exit`, or for calls that hang longer. Some libraries, SoftHSM
/// among them, also crash at exit on their own.
///
/// # Processes
///
/// The library is loaded into this process and initialized once for all keys, and never finalized. It is code of your
/// HSM's vendor and can see every key of this program. After `fork` a child must make its own `Pkcs11Key`; it cannot
/// use one of its parent. The buffers of the library cannot be wiped from here, nor can those of the crate cryptoki for
/// key wrapping.
///
/// Needs a tokio runtime with its timers enabled; without one, calls fail with `runtime-needed`.
pub struct Pkcs11Key {
    pool: Pool,
    mechanism: Option<Pkcs11Mechanism>,
}

impl Pkcs11Key {
    pub(crate) fn new(pool: Pool, mechanism: Option<Pkcs11Mechanism>) -> Self {
        Self { pool, mechanism }
    }
}

impl RootKey for Pkcs11Key {
    fn provider(&self) -> &'static str {
        "pkcs11"
    }

    fn name(&self) -> &str {
        self.pool.name()
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        // A copy that the call's thread takes along.
        let (kek, associated_data) = (Kek::from_bytes(kek.expose_bytes()), context.associated_data());
        let mechanism = self.mechanism;
        Box::pin(async move {
            let kek = kek?;
            self.pool.call(move |connection| wrap::wrap(connection, mechanism, &kek, &associated_data)).await
        })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        let (wrapped, associated_data) = (wrapped.to_vec(), context.associated_data());
        let call = self.pool.call(move |connection| wrap::unwrap(connection, &wrapped, &associated_data));
        Box::pin(async move { Kek::from_bytes(&call.await?) })
    }
}

impl fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pkcs11Key({})", self.name())
    }
}

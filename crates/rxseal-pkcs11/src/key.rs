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
/// SoftHSM is the only one that this was tried with. What others are said to do differently was tried with SoftHSM
/// behind a library that does the like. So try yours before you rely on it, with a keyring that holds nothing.
///
/// # The key
///
/// An AES key of 256 bits, found by label or id, which is exactly one of its token. It must be private (`CKA_PRIVATE`):
/// one that is not can be used, and planted, by any process without the PIN, and is always refused. It must be
/// sensitive and not extractable; one that is not is refused unless
/// [`allow_extractable`](crate::Pkcs11KeyBuilder::allow_extractable) says otherwise. It needs `CKA_ENCRYPT` and `CKA_DECRYPT`,
/// or `CKA_WRAP` and `CKA_UNWRAP` where the token cannot do AES-GCM. Use it for nothing else.
///
/// ```sh
/// pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label phi --login \
///     --keygen --key-type AES:32 --label phi-root --id 01 --private --sensitive --usage-decrypt
/// ```
///
/// Whoever can log in to the token can use every key in it. So give this key a token, or a partition, of its own.
///
/// # What a wrap is bound to
///
/// Keyspace and fingerprint of the KEK: with `CKM_AES_GCM` as associated data; with `CKM_AES_KEY_WRAP` and
/// `CKM_AES_KEY_WRAP_PAD`, which have none, as a digest that is wrapped with the KEK and compared after unwrapping. The
/// first that token and key can do is used. Where a token does key wrapping by `C_WrapKey` alone (SoftHSM), the KEK is
/// for a moment an object of our session there, which others in this process could read.
///
/// # Names
///
/// In keyring files the key is `token=LABEL;object=LABEL`, in the spelling of RFC 7512; where the token is named by its
/// serial number or slot, or the key by its id, that stands there; `;id=%01` also beside a label. So name a key always
/// in one way. A copy in a second HSM under the same labels unlocks what the first one wrapped.
///
/// # The PIN
///
/// It is asked for when this process has to log in, wiped afterwards, and in no error, log or `Debug`. A PIN with which
/// a login failed is never tried again at that token by this process, also by other root keys, since a few attempts
/// lock a token. A corrected one is tried; where the PIN was right and the failure another, restart. A login is of the
/// whole process. Whatever else in it uses the token is logged in too, and a `C_Logout` there is noticed and costs us
/// one more login.
///
/// # Time, and what fails
///
/// A call ends within its [deadline](crate::Pkcs11KeyBuilder::deadline), also where the library hangs. Then a thread and a
/// session are left behind until the library returns. At most 16 are, beside as many as it has sessions; then no call
/// is begun until one returns. A session that was lost (the HSM was restarted, the card taken out) is opened anew and
/// the call made once more, once. The error's [`source`](std::error::Error::source) says in one line what to do.
/// Whether a wrap was changed or an HSM failed cannot be told apart at every HSM: SoftHSM says `CKR_GENERAL_ERROR` to
/// both. Such an answer while unwrapping counts as a wrap that does not open, and is not retryable.
///
/// Dropping the last of a root key closes its sessions, and waits up to a second until all of its threads have ended: a
/// program that exits beside such a thread may crash in the library's clean-up. So drop the root key before the program
/// ends. Nothing waits where it is in a static, at `std::process::exit`, and for calls that hang longer; and some
/// libraries, SoftHSM among them, have crashes at exit of their own.
///
/// # Processes
///
/// The library is loaded into this process and initialized once, for all keys of it, and never finalized. It is code
/// from your HSM's vendor which sees every key of this program. After `fork` a child must make its own `Pkcs11Key`; one
/// of its parent refuses. The library's own buffers, and those of the crate cryptoki for key wrapping, cannot be wiped
/// from here.
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

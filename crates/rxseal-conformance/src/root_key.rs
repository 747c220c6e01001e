//! What every root key must do.
//!
//! The suite uses a root key through a keyring, as a program does. `Tampering` is between the two: it changes what the
//! provider receives, and tells what the provider itself refused from what rxseal refused after a wrong answer.

mod tampering;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rxseal::keys::{KeyringAdmin, KeyringFile, Suite};
use rxseal::root::{RootKey, RootKeys};
use rxseal::store::MemoryStore;
use rxseal::{Error, ErrorCode, Keyring};

use crate::broken::{Broken, hold, with_causes};
use crate::silence::shown_in;
use tampering::Tampering;

/// No provider call may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

const KEYSPACE: &str = "conformance-a";
const OTHER_KEYSPACE: &str = "conformance-b";

/// How a root key handled what it must refuse. Every case ended in an error of rxseal; these numbers say whether the
/// root key had refused it before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RootKeyReport {
    /// Wraps that were changed by a bit or a byte, cut off, extended or empty.
    pub changed: usize,
    /// How many of them the root key answered with a KEK, which rxseal then refused by its fingerprint.
    pub changed_but_answered: usize,
    /// How many of them gave the right KEK, because the root key ignores the changed part.
    pub changed_without_effect: usize,
    /// Wraps of another keyspace, of another keyring, or of another root key.
    pub moved: usize,
    /// How many of them the root key answered with a KEK.
    pub moved_but_answered: usize,
    /// The distinct texts of errors. They were searched for key bytes.
    pub errors: BTreeSet<String>,
    /// Whether two wraps of one KEK differ.
    pub wraps_differ: bool,
}

impl RootKeyReport {
    /// Checks that the root key itself refused every changed and every moved wrap. A root key that does not is still
    /// safe, since rxseal checks the KEK's fingerprint, but it does not bind its wraps as it should.
    ///
    /// # Errors
    ///
    /// The broken promise.
    pub fn check_strict(&self) -> Result<(), Broken> {
        let changed = self.changed_but_answered.saturating_add(self.changed_without_effect);
        hold("the root key itself refuses changed wraps", changed == 0, format!("{changed} of {}", self.changed))?;
        let (answered, moved) = (self.moved_but_answered, self.moved);
        let promise = "the root key itself refuses wraps of another keyspace, keyring or root key";
        hold(promise, answered == 0, format!("{answered} of {moved}"))
    }
}

/// Checks that `root` keeps the promises of a root key. `other` is another root key of the same provider.
///
/// The suite creates and unlocks about 200 keyrings. It drops some calls halfway, and makes 32 at once. Run it in a
/// tokio runtime with timers, and also against the real service: an emulator is not always as strict.
///
/// # Errors
///
/// The first promise that is broken.
///
/// # Example
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir();
/// use rxseal::root::RootKeyFile;
/// let [one, other] = ["one.key", "other.key"].map(|name| RootKeyFile::new(folder.join(name)).load_or_create());
/// let report = rxseal_conformance::root_key(one?, other?).await?;
/// report.check_strict()?;
/// # Ok(())
/// # }
/// ```
pub async fn root_key(root: impl RootKey + 'static, other: impl RootKey + 'static) -> Result<RootKeyReport, Broken> {
    let (root, other): (Arc<dyn RootKey>, Arc<dyn RootKey>) = (Arc::new(root), Arc::new(other));
    let mut report = RootKeyReport::default();
    names_are_legal(&*root, &*other)?;
    wraps_and_unwraps(&root).await?;
    two_wraps_of_one_kek(&root, &mut report).await?;
    changed_wraps_are_refused(&root, &mut report).await?;
    moved_wraps_are_refused(&root, &mut report).await?;
    another_root_key_refuses(&root, &other, &mut report).await?;
    either_root_key_unlocks(&root, &other).await?;
    a_dropped_call_does_no_harm(&root).await?;
    many_at_once(&root).await?;
    Ok(report)
}

fn names_are_legal(root: &dyn RootKey, other: &dyn RootKey) -> Result<(), Broken> {
    for root in [root, other] {
        let (provider, name) = (root.provider().to_owned(), root.name().to_owned());
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let begins = provider.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_name = (1..=64).contains(&provider.len()) && begins && provider.chars().all(legal);
        hold("the provider's name is 1 to 64 characters of a-z 0-9 . _ -", is_name, &*provider)?;
        let is_printable = (1..=2048).contains(&name.len()) && name.chars().all(|c| c.is_ascii_graphic());
        hold("the key's name is 1 to 2,048 characters of printable ASCII", is_printable, &*name)?;
        hold("names are stable", (root.provider(), root.name()) == (&*provider, &*name), root.name())?;
    }
    hold("two root keys are of one provider", root.provider() == other.provider(), other.provider())?;
    hold("two root keys have two names", root.name() != other.name(), root.name())
}

async fn wraps_and_unwraps(root: &Arc<dyn RootKey>) -> Result<(), Broken> {
    for suite in [Suite::default(), Suite::XChaCha20Poly1305] {
        let roots = RootKeys::from(Arc::clone(root));
        let admin = KeyringAdmin::new(MemoryStore::default(), roots.clone());
        let stored = made(bounded(admin.create(KEYSPACE, suite)).await?)?;
        let text = stored.to_string();
        let read: KeyringFile =
            text.parse().map_err(|error| Broken::by("a keyring is stored and read back", &error))?;
        unlocks(&roots, &read).await?;
        let (rotated, _) = made(bounded(admin.rotate(KEYSPACE)).await?)?;
        unlocks(&roots, &rotated).await?;
    }
    Ok(())
}

/// A provider need not draw a nonce: both wraps must unlock, and whether they differ is only noted.
async fn two_wraps_of_one_kek(root: &Arc<dyn RootKey>, report: &mut RootKeyReport) -> Result<(), Broken> {
    let tampering = Tampering::of(root);
    tampering.wrap_twice();
    let roots = RootKeys::from(tampering.clone());
    let stored = create(KEYSPACE, &roots).await?;
    let wraps = tampering.seen().wraps.clone();
    for wrap in wraps.clone() {
        tampering.replace(move |_| wrap.clone());
        unlock(&roots, &stored).await?.map_err(|error| Broken::by("each of two wraps of one KEK unwraps", &error))?;
    }
    report.wraps_differ = wraps.iter().collect::<BTreeSet<_>>().len() == wraps.len();
    Ok(())
}

async fn changed_wraps_are_refused(root: &Arc<dyn RootKey>, report: &mut RootKeyReport) -> Result<(), Broken> {
    let tampering = Tampering::of(root);
    let roots = RootKeys::from(tampering.clone());
    let stored = create(KEYSPACE, &roots).await?;
    let genuine = tampering.seen().wraps.first().cloned().unwrap_or_default();
    for changed in changes(&genuine) {
        tampering.replace(move |_| changed.clone());
        report.changed = report.changed.saturating_add(1);
        match unlock(&roots, &stored).await? {
            // Only the wrapped KEK opens the keyring.
            Ok(()) => report.changed_without_effect = report.changed_without_effect.saturating_add(1),
            Err(error) => {
                let answered = check_refusal(&error, &tampering, report)?;
                report.changed_but_answered = report.changed_but_answered.saturating_add(usize::from(answered));
            }
        }
    }
    tampering.replace(<[u8]>::to_vec);
    unlocks(&roots, &stored).await
}

/// One bit of every byte of a short wrap, or of a sample of a long one, and every input that is not a wrap.
fn changes(genuine: &[u8]) -> Vec<Vec<u8>> {
    let len = genuine.len();
    let mut wrong = vec![Vec::new(), vec![0], vec![0; len], b"Jane Doe".to_vec(), vec![0xFF; 8192]];
    for at in (0..len).step_by(len.div_ceil(64).max(1)) {
        let mut changed = genuine.to_vec();
        let bit = u32::try_from(at % 8).unwrap_or_default();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1_u8.rotate_left(bit);
        }
        wrong.push(changed);
    }
    for len in [1, len / 2, len.saturating_sub(16), len.saturating_sub(1)] {
        wrong.push(genuine.iter().take(len).copied().collect());
        wrong.push(genuine.iter().skip(genuine.len().saturating_sub(len)).copied().collect());
    }
    for more in [vec![0; 1], vec![0; 16], genuine.to_vec()] {
        wrong.push([genuine, &more].concat());
        wrong.push([&more, genuine].concat());
    }
    wrong.retain(|changed| changed != genuine);
    wrong
}

/// A wrap is bound to the keyspace and to the KEK's fingerprint.
async fn moved_wraps_are_refused(root: &Arc<dyn RootKey>, report: &mut RootKeyReport) -> Result<(), Broken> {
    let tampering = Tampering::of(root);
    let roots = RootKeys::from(tampering.clone());
    let mut stored = Vec::new();
    for keyspace in [KEYSPACE, KEYSPACE, OTHER_KEYSPACE] {
        stored.push(create(keyspace, &roots).await?);
    }
    let wraps = tampering.seen().wraps.clone();
    for (at, file) in stored.iter().enumerate() {
        for wrap in wraps.iter().enumerate().filter(|(of, _)| *of != at).map(|(_, wrap)| wrap.clone()) {
            tampering.replace(move |_| wrap.clone());
            refused(&roots, file, &tampering, report).await?;
        }
    }
    Ok(())
}

async fn another_root_key_refuses(
    root: &Arc<dyn RootKey>,
    other: &Arc<dyn RootKey>,
    report: &mut RootKeyReport,
) -> Result<(), Broken> {
    let tampering = Tampering::of(root);
    let stored = create(KEYSPACE, &RootKeys::from(tampering)).await?;
    // Under its own name it is not even asked. Under the name in the file, it is.
    let posing = Tampering::posing(other, root.name());
    refused(&RootKeys::from(posing.clone()), &stored, &posing, report).await
}

async fn either_root_key_unlocks(root: &Arc<dyn RootKey>, other: &Arc<dyn RootKey>) -> Result<(), Broken> {
    let stored = create(KEYSPACE, &RootKeys::from(Arc::clone(root)).and(Arc::clone(other))).await?;
    for one in [root, other] {
        unlocks(&RootKeys::from(Arc::clone(one)), &stored).await?;
    }
    // After a wrong answer of the first, the second is still asked.
    let tampering = Tampering::of(root);
    tampering.replace(|_| b"Jane Doe".to_vec());
    unlocks(&RootKeys::from(tampering).and(Arc::clone(other)), &stored).await
}

/// A cancelled request, as when a web server's client goes away, leaves the root key usable.
async fn a_dropped_call_does_no_harm(root: &Arc<dyn RootKey>) -> Result<(), Broken> {
    let roots = RootKeys::from(Arc::clone(root));
    let stored = create(KEYSPACE, &roots).await?;
    for micros in [0, 50, 200, 1000] {
        let call = Keyring::unlock(KEYSPACE, &roots, &stored);
        drop(tokio::time::timeout(Duration::from_micros(micros), call).await);
    }
    let unlocked = unlock(&roots, &stored).await?;
    unlocked.map_err(|error| Broken::by("a call that was dropped does no harm to the next", &error))
}

async fn many_at_once(root: &Arc<dyn RootKey>) -> Result<(), Broken> {
    let roots = RootKeys::from(Arc::clone(root));
    let stored = create(KEYSPACE, &roots).await?;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (roots, stored) = (roots.clone(), stored.clone());
            tokio::spawn(async move { Keyring::unlock(KEYSPACE, &roots, &stored).await.map(drop) })
        })
        .collect();
    for call in calls {
        let promise = "32 calls at once succeed";
        let unlocked = bounded(call).await?.map_err(|error| Broken::by(promise, &error))?;
        unlocked.map_err(|error| Broken::by(promise, &error))?;
    }
    Ok(())
}

async fn create(keyspace: &str, roots: &RootKeys) -> Result<KeyringFile, Broken> {
    let admin = KeyringAdmin::new(MemoryStore::default(), roots.clone());
    made(bounded(admin.create(keyspace, Suite::default())).await?)
}

fn made<T>(result: Result<T, Error>) -> Result<T, Broken> {
    result.map_err(|error| Broken::by("a KEK is wrapped, and unwraps to the same KEK", &error))
}

/// Unlocks and forgets.
async fn unlock(roots: &RootKeys, stored: &KeyringFile) -> Result<Result<(), Error>, Broken> {
    Ok(bounded(Keyring::unlock(stored.keyspace(), roots, stored)).await?.map(drop))
}

async fn unlocks(roots: &RootKeys, stored: &KeyringFile) -> Result<(), Broken> {
    made(unlock(roots, stored).await?)
}

/// A provider call ends in limited time.
async fn bounded<T>(call: impl Future<Output = T>) -> Result<T, Broken> {
    let ended = tokio::time::timeout(PATIENCE, call).await;
    ended.map_err(|_| Broken::new("a call ends within 30 seconds", "it did not"))
}

/// A wrap of another keyring, given to `keys`.
async fn refused(
    roots: &RootKeys,
    stored: &KeyringFile,
    keys: &Tampering,
    report: &mut RootKeyReport,
) -> Result<(), Broken> {
    let Err(error) = unlock(roots, stored).await? else {
        return Err(Broken::new("only its own wrap unlocks a keyring", "another one unlocked it"));
    };
    report.moved = report.moved.saturating_add(1);
    let answered = check_refusal(&error, keys, report)?;
    report.moved_but_answered = report.moved_but_answered.saturating_add(usize::from(answered));
    Ok(())
}

/// An error with the right code that shows nothing of what `keys` has seen. Returns whether the provider had answered.
fn check_refusal(error: &Error, keys: &Tampering, report: &mut RootKeyReport) -> Result<bool, Broken> {
    let seen = keys.seen();
    let secrets: Vec<&[u8]> =
        seen.keks.iter().map(<[u8; 32]>::as_slice).chain(seen.wraps.iter().map(Vec::as_slice)).collect();
    if let Some(form) = shown_in(error, &secrets) {
        return Err(Broken::new("no error shows a KEK or a wrap", format!("one does, as {form}")));
    }
    if error.is_retryable() {
        return Err(Broken::by("a wrong wrap is refused for good, since waiting does not make it right", error));
    }
    let is_refusal = matches!(error.code(), ErrorCode::UnlockFailed | ErrorCode::ProviderRefused);
    hold("a wrong wrap is refused by the codes `provider-refused` or `unlock-failed`", is_refusal, with_causes(error))?;
    // Without request ids, since each request has its own.
    let text = with_causes(error);
    report.errors.insert(text.split(", request ").next().unwrap_or_default().to_owned());
    Ok(seen.answered)
}

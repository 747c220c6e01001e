//! The suite of root keys finds each promise that a planted root key breaks, and accepts one that keeps them all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "it is a test")]

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use rxseal::Error;
use rxseal::provider::{Kek, KekContext, ProviderFuture, fill_random};
use rxseal::root::RootKey;
use rxseal_conformance::{Broken, RootKeyReport};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    // Names
    Provider,
    NameWithSpace,
    NameOfAnother,
    NameChanges,
    // Keys
    WrongKek,
    FirstWrapForgotten,
    LastWrapForgotten,
    NoBinding,
    NoBindingToKeyspace,
    AnyWrap,
    FirstByteIgnored,
    EveryRootKey,
    // Errors
    Retryable,
    KekInHex,
    WrapInDebug,
    KekInBase64OfTheCause,
    OddCode,
    // Calls
    Hangs,
    HangsAfterADroppedCall,
    OneAtATime,
}

type Kept = BTreeMap<Vec<u8>, (Vec<u8>, Vec<u8>, String)>;

struct Toy {
    name: &'static str,
    fault: Fault,
    kept: Mutex<Kept>,
    last: Mutex<Vec<u8>>,
    asked: AtomicUsize,
    running: AtomicUsize,
}

/// The state that toys share, for those that are one root key under two names.
static EVERYWHERE: Mutex<Kept> = Mutex::new(BTreeMap::new());

impl Toy {
    fn new(name: &'static str, fault: Fault) -> Self {
        Self {
            name,
            fault,
            kept: Mutex::default(),
            last: Mutex::default(),
            asked: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        if self.fault == Fault::EveryRootKey { &EVERYWHERE } else { &self.kept }.lock().unwrap()
    }

    fn wrap(&self, kek: &Kek, context: KekContext<'_>) -> Result<Vec<u8>, Error> {
        let mut number = vec![0; 32];
        fill_random(&mut number)?;
        *self.last.lock().unwrap() = kek.expose_bytes().to_vec();
        let mut kept = self.kept();
        if self.fault == Fault::FirstWrapForgotten {
            kept.clear();
        }
        let value = (kek.expose_bytes().to_vec(), context.associated_data(), context.keyspace().to_owned());
        if self.fault != Fault::LastWrapForgotten || kept.is_empty() {
            kept.insert(number.clone(), value);
        }
        Ok(number)
    }

    fn unwrap(&self, wrapped: &[u8], context: KekContext<'_>) -> Result<Kek, Error> {
        let kept = self.kept();
        let found = match self.fault {
            Fault::AnyWrap => kept.values().next_back(),
            Fault::FirstByteIgnored => {
                kept.iter().find(|(number, _)| number.get(1..) == wrapped.get(1..)).map(|(_, k)| k)
            }
            _ => kept.get(wrapped),
        };
        let Some((kek, bound, keyspace)) = found else { return Err(self.refusal(wrapped)) };
        let is_bound = match self.fault {
            Fault::NoBinding | Fault::AnyWrap => true,
            Fault::NoBindingToKeyspace => *keyspace != context.keyspace() || *bound == context.associated_data(),
            _ => *bound == context.associated_data(),
        };
        if !is_bound {
            return Err(self.refusal(wrapped));
        }
        Kek::from_bytes(if self.fault == Fault::WrongKek { &[7; 32] } else { kek })
    }

    fn refusal(&self, wrapped: &[u8]) -> Error {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let kek = &self.last.lock().unwrap()[..];
        match self.fault {
            Fault::Retryable => Error::from_provider(true, "later, perhaps"),
            Fault::KekInHex => Error::from_provider(false, format!("it is not {}", hex(kek))),
            Fault::WrapInDebug => Error::from_provider(false, format!("{wrapped:?}")),
            Fault::KekInBase64OfTheCause => Error::from_provider(false, Nested(std::io::Error::other(base64(kek)))),
            Fault::OddCode => Error::store_conflict(),
            _ => Error::from_provider(false, "the service has no such key"),
        }
    }
}

#[derive(Debug)]
struct Nested(std::io::Error);

impl std::fmt::Display for Nested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the service refused")
    }
}

impl std::error::Error for Nested {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let groups =
        bytes.chunks_exact(3).map(|group| group.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)));
    groups.flat_map(|sum| [18, 12, 6, 0].map(|shift| char::from(ALPHABET[sum >> shift & 63]))).collect()
}

/// Set when it is dropped before its end.
struct Running<'t>(&'t Toy);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl RootKey for Toy {
    fn provider(&self) -> &str {
        if self.fault == Fault::Provider { "Toy" } else { "toy" }
    }

    fn name(&self) -> &str {
        match self.fault {
            Fault::NameWithSpace => "a toy",
            Fault::NameOfAnother => "one",
            Fault::NameChanges if self.asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => "even",
            _ => self.name,
        }
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, context: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(async move { self.wrap(kek, context) })
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], context: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(async move {
            if self.fault == Fault::Hangs {
                pending::<()>().await;
            }
            if self.fault == Fault::HangsAfterADroppedCall {
                // Only a call that ends gives its turn back.
                if self.running.swap(1, Ordering::SeqCst) == 1 {
                    pending::<()>().await;
                }
                tokio::task::yield_now().await;
                self.running.store(0, Ordering::SeqCst);
            }
            if self.fault == Fault::OneAtATime {
                let others = self.running.fetch_add(1, Ordering::SeqCst);
                let _running = Running(self);
                tokio::task::yield_now().await;
                if others > 0 {
                    return Err(Error::from_provider(true, "one at a time"));
                }
            }
            self.unwrap(wrapped, context)
        })
    }
}

/// With a clock that jumps while everybody waits.
fn run(fault: Fault) -> Result<RootKeyReport, Broken> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(rxseal_conformance::root_key(Toy::new("one", fault), Toy::new("other", fault)))
}

#[test]
fn one_that_keeps_every_promise_passes() {
    let report = run(Fault::None).unwrap();
    report.check_strict().unwrap();
    assert!(report.wraps_differ && report.changed > 40 && report.moved == 7, "{report:?}");
    assert_eq!(report.errors.len(), 1, "{:?}", report.errors);
}

#[test]
fn each_broken_promise_is_found() {
    for (fault, promise) in [
        (Fault::Provider, "the provider's name is"),
        (Fault::NameWithSpace, "the key's name is"),
        (Fault::NameOfAnother, "two root keys have two names"),
        (Fault::NameChanges, "names are stable"),
        (Fault::WrongKek, "a KEK is wrapped, and unwraps"),
        (Fault::FirstWrapForgotten, "each of two wraps of one KEK unwraps"),
        (Fault::LastWrapForgotten, "a KEK is wrapped, and unwraps"),
        (Fault::EveryRootKey, "only its own wrap unlocks a keyring"),
        (Fault::Retryable, "a wrong wrap is refused for good"),
        (Fault::KekInHex, "no error shows a KEK or a wrap"),
        (Fault::WrapInDebug, "no error shows a KEK or a wrap"),
        (Fault::KekInBase64OfTheCause, "no error shows a KEK or a wrap"),
        (Fault::OddCode, "a wrong wrap is refused by the codes"),
        (Fault::Hangs, "a call ends within 30 seconds"),
        (Fault::HangsAfterADroppedCall, "a call ends within 30 seconds"),
        (Fault::OneAtATime, "32 calls at once succeed"),
    ] {
        let broken = run(fault).expect_err(&format!("{fault:?} was not found"));
        assert!(broken.promise().starts_with(promise), "{fault:?}: {broken}");
    }
}

/// rxseal itself notices a wrong KEK, so these pass and are reported.
#[test]
fn one_that_is_not_strict_is_told_of() {
    for (fault, promise) in [
        (Fault::NoBinding, "the root key itself refuses wraps of another"),
        (Fault::NoBindingToKeyspace, "the root key itself refuses wraps of another"),
        (Fault::FirstByteIgnored, "the root key itself refuses changed wraps"),
        (Fault::AnyWrap, "the root key itself refuses changed wraps"),
    ] {
        match run(fault).map(|report| report.check_strict()) {
            Ok(strict) => assert!(strict.unwrap_err().promise().starts_with(promise), "{fault:?}"),
            // If two keys were wrapped and the last is always the answer, the first no longer unlocks.
            Err(broken) => assert!(fault == Fault::AnyWrap, "{fault:?}: {broken}"),
        }
    }
}

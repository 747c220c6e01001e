//! `Pkcs11Key` against SoftHSM2, a complete HSM in a library (T51, T56).
//!
//! `RXSEAL_TEST_SOFTHSM` names the library. Every run makes its tokens in its own folder, and sets `SOFTHSM2_CONF` to
//! it. Faults come from a library in front of SoftHSM2 (`pkcs11_faults.c`), which needs a C compiler `cc`.
//!
//! ```text
//! apt-get install softhsm2
//! RXSEAL_TEST_SOFTHSM=/usr/lib/softhsm/libsofthsm2.so cargo test -p rxseal-tests-live --test pkcs11 -- --include-ignored
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../root_keys.rs"]
mod root_keys;
mod softhsm;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use root_keys::{Tampering, bounded, chain, create, unlock, unlock_many};
use rxseal::keys::{KeyringFile, Suite};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Error, Keyring};
use rxseal_pkcs11::{Pkcs11Key, Pkcs11Mechanism};
use softhsm::{Faults, Key, PIN, Token};

/// Far from what anything here takes, and from what hangs.
const BOUND: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn conforms() {
    let token = Token::new();
    token.make(Key::named("one"));
    token.make(Key::named("other"));
    let root = |label: &str| -> Arc<dyn RootKey> { Arc::new(token.root(label).build().unwrap()) };
    let found = rxseal_conformance::root_key(root("one"), root("other")).await.unwrap();
    println!("CKM_AES_GCM: {found:#?}");
    found.check_strict().unwrap();
    assert!(found.wraps_differ);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn conforms_with_key_wrapping() {
    for mechanism in [Pkcs11Mechanism::AesKeyWrap, Pkcs11Mechanism::AesKeyWrapPad] {
        let token = Token::new();
        token.make(Key::named("one"));
        token.make(Key::named("other"));
        let root =
            |label: &str| -> Arc<dyn RootKey> { Arc::new(token.root(label).mechanism(mechanism).build().unwrap()) };
        let found = rxseal_conformance::root_key(root("one"), root("other")).await.unwrap();
        println!("{mechanism}: {found:#?}");
        found.check_strict().unwrap();
        assert!(!found.wraps_differ, "key wrapping draws no nonce");
        assert_eq!(token.session_objects(), 0, "no KEK is left in the token");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn the_mechanism_follows_token_and_key() {
    let token = Token::new();
    token.make(Key::named("both"));
    token.make(Key { encrypts: false, ..Key::named("wraps") });
    token.make(Key { wraps: false, ..Key::named("encrypts") });
    token.make(Key { wraps: false, encrypts: false, ..Key::named("neither") });
    for (label, first, len) in [("both", 1, 61), ("wraps", 2, 73), ("encrypts", 1, 61)] {
        let wrap = wrap_of(token.root(label).build().unwrap()).await;
        assert_eq!((wrap[0], wrap.len()), (first, len), "{label}");
    }
    let forced = token.root("both").mechanism(Pkcs11Mechanism::AesKeyWrapPad).build().unwrap();
    let wrap = wrap_of(forced).await;
    assert_eq!((wrap[0], wrap.len()), (3, 73), "RFC 5649, which adds no padding to 64 bytes");

    let error = refused_create(&RootKeys::from(token.root("neither").build().unwrap())).await;
    says(&error, &["CKM_AES_GCM, CKM_AES_KEY_WRAP", "CKA_ENCRYPT"]);
    let asked = token.root("encrypts").mechanism(Pkcs11Mechanism::AesKeyWrap).build().unwrap();
    says(&refused_create(&RootKeys::from(asked)).await, &["does not support CKM_AES_KEY_WRAP", "CKA_WRAP"]);
    let asked = token.root("wraps").mechanism(Pkcs11Mechanism::AesGcm).build().unwrap();
    says(&refused_create(&RootKeys::from(asked)).await, &["does not support CKM_AES_GCM"]);

    // What was wrapped with one mechanism is unwrapped after another was chosen.
    for wrapping in MECHANISMS {
        let roots = RootKeys::from(token.root("both").mechanism(wrapping).build().unwrap());
        let stored = create(TENANT, &roots, Suite::default()).await;
        for unwrapping in MECHANISMS {
            let root = token.root("both").mechanism(unwrapping).build().unwrap();
            unlock(&RootKeys::from(root), &stored).await.unwrap();
        }
    }
}

/// HSMs that do key wrapping as encryption, and allow no key to be brought in as SoftHSM needs it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn key_wrapping_of_data_is_the_same() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    for mechanism in [Pkcs11Mechanism::AesKeyWrap, Pkcs11Mechanism::AesKeyWrapPad] {
        let faults = Faults::new();
        faults.set("C_GetMechanismInfo data 1\n");
        let root = |library| {
            let builder = token.builder_of(library).key_label("phi-root").pin(softhsm::pin);
            RootKeys::from(builder.mechanism(mechanism).build().unwrap())
        };
        let (as_data, as_object) = (root(&faults.library), root(&softhsm::library()));
        for (wrapping, unwrapping) in [(&as_data, &as_data), (&as_data, &as_object), (&as_object, &as_data)] {
            let stored = create(TENANT, wrapping, Suite::default()).await;
            unlock(unwrapping, &stored).await.unwrap();
            let changed = root_keys::change_wraps(&stored, |wrap| *wrap.last_mut().unwrap() ^= 1);
            says(&refused(unwrapping, &changed).await, &["does not open"]);
        }
        assert_eq!(faults.calls("C_DestroyObject"), 0, "we have made no object");
        assert!(faults.calls("C_Encrypt") > 0 && faults.calls("C_Decrypt") > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn one_key_and_no_other() {
    let token = Token::new();
    for (label, id) in [("twin", 1), ("twin", 2), ("single", 3)] {
        token.make(Key { id, ..Key::named(label) });
    }
    token.make(Key { bytes: 16, ..Key::named("short") });
    token.make(Key { generic: true, ..Key::named("generic") });
    let roots = |label: &str| RootKeys::from(token.root(label).build().unwrap());
    says(&refused_create(&roots("twin")).await, &["2 AES keys", "id"]);
    says(&refused_create(&roots("absent")).await, &["no AES key", "object=absent"]);
    says(&refused_create(&roots("generic")).await, &["no AES key"]);
    says(&refused_create(&roots("short")).await, &["256 bits"]);
    says(&refused_create(&RootKeys::from(token.root("single").key_id([9]).build().unwrap())).await, &["no AES key"]);

    // A label and an id, an id alone, a URI; and the two twins are two keys.
    let first = token.root("twin").key_id([1]).build().unwrap();
    let second = token.builder().key_id([2]).build().unwrap();
    assert_eq!(first.name(), format!("token={};object=twin;id=%01", token.label));
    assert_eq!(second.name(), format!("token={};id=%02", token.label));
    let stored = create(TENANT, &RootKeys::from(first).and(second), Suite::default()).await;
    let uri = format!("pkcs11:token={};id=%02;type=secret-key", token.label);
    let by_uri = Pkcs11Key::builder_from_uri(softhsm::library(), &uri).unwrap().pin(softhsm::pin).build().unwrap();
    unlock(&RootKeys::from(by_uri), &stored).await.unwrap();

    // Both by the label they share and their ids.
    let twin = |id: u8| token.root("twin").key_id([id]).build().unwrap();
    let stored = create(TENANT, &RootKeys::from(twin(1)).and(twin(2)), Suite::default()).await;
    for id in [1, 2] {
        unlock(&RootKeys::from(twin(id)), &stored).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn one_token_and_no_other() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let twin = Token::labelled(&token.label);
    let error = refused_create(&RootKeys::from(token.root("phi-root").build().unwrap())).await;
    says(&error, &["2 tokens", "serial"]);
    let by_serial = token.root("phi-root").token_serial(&token.serial).build().unwrap();
    let stored = create(TENANT, &RootKeys::from(by_serial), Suite::default()).await;
    let in_twin = token.root("phi-root").token_serial(&twin.serial).build().unwrap();
    says(&refused(&RootKeys::from(in_twin), &stored).await, &["no AES key"]);

    let library = softhsm::library;
    let absent = Pkcs11Key::builder(library()).token("absent").key_label("phi-root").pin(softhsm::pin).build().unwrap();
    let error = refused_create(&RootKeys::from(absent)).await;
    says(&error, &["no token", "connected", "token=absent"]);
    assert!(error.is_retryable(), "a token that is not plugged in may be later");
    let by_slot = Pkcs11Key::builder(library()).slot_id(token.slot.id()).key_label("phi-root").pin(softhsm::pin);
    create(TENANT, &RootKeys::from(by_slot.build().unwrap()), Suite::default()).await;
    let lost = Pkcs11Key::builder("/no/such/library.so").token("phi").key_label("phi-root").pin(softhsm::pin);
    says(&refused_create(&RootKeys::from(lost.build().unwrap())).await, &["cannot be loaded", "/no/such/library.so"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_key_that_could_leave_is_refused() {
    let token = Token::new();
    token.make(Key { extractable: true, ..Key::named("extractable") });
    token.make(Key { sensitive: false, ..Key::named("readable") });
    for label in ["extractable", "readable"] {
        let error = refused_create(&RootKeys::from(token.root(label).build().unwrap())).await;
        says(&error, &["CKA_SENSITIVE", "CKA_EXTRACTABLE", "allow_extractable"]);
        let roots = RootKeys::from(token.root(label).allow_extractable().build().unwrap());
        let stored = create(TENANT, &roots, Suite::default()).await;
        refused(&RootKeys::from(token.root(label).build().unwrap()), &stored).await;
    }
}

/// Whoever has no PIN can make a key in the token, and use it, if it is not private.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_key_that_anybody_can_use_is_refused() {
    let token = Token::new();
    token.make(Key { public: true, ..Key::named("phi-root") });
    for roots in [token.roots("phi-root"), RootKeys::from(token.root("phi-root").allow_extractable().build().unwrap())]
    {
        says(&refused_create(&roots).await, &["any process can use or replace this key without the PIN", "--private"]);
    }
    // Beside the real key a planted one is passed over, before and after.
    token.make(Key::named("phi-root"));
    let stored = create(TENANT, &token.roots("phi-root"), Suite::default()).await;
    token.log_out();
    token.make(Key { public: true, ..Key::named("phi-root") });
    unlock(&token.roots("phi-root"), &stored).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_wrong_pin_is_tried_once() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let stored = create(TENANT, &token.roots("phi-root"), Suite::default()).await;
    token.log_out();
    let faults = Faults::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let pin = move || {
        counting.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>("canary-wrong-pin".to_owned())
    };
    let roots = RootKeys::from(token.builder_of(&faults.library).key_label("phi-root").pin(pin).build().unwrap());
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let (roots, stored) = (roots.clone(), stored.clone());
            tokio::spawn(async move { unlock(&roots, &stored).await.unwrap_err() })
        })
        .collect();
    let mut first = 0;
    for call in calls {
        let error = bounded(call).await.unwrap();
        assert!(!error.is_retryable() && error.code().as_str() == "provider-refused", "{error:?}");
        assert!(!text(&error).contains("canary") && !format!("{roots:?}").contains("canary"), "{}", text(&error));
        first += usize::from(text(&error).contains("PinIncorrect"));
    }
    says(&refused(&roots, &stored).await, &["not tried again", "restart"]);
    // Asked for each time, since it may have been corrected.
    assert_eq!((first, faults.calls("C_Login"), asked.load(Ordering::Relaxed)), (1, 1, 65));
    assert!(token.info().user_pin_count_low(), "the token has seen it too");
    // A root key that is made anew does not try it either.
    let wrong = || Ok::<_, std::io::Error>("canary-wrong-pin".to_owned());
    let anew = token.builder_of(&faults.library).key_label("phi-root").pin(wrong).build().unwrap();
    says(&refused(&RootKeys::from(anew), &stored).await, &["not tried again"]);
    assert_eq!(faults.calls("C_Login"), 1);
    unlock(&token.roots("phi-root"), &stored).await.unwrap();
    assert!(!token.info().user_pin_count_low());
}

/// Who waits behind a slow answer until the deadline has left, and needs no PIN any more.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn nobody_is_asked_for_a_pin_after_the_deadline() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    token.log_out();
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let slow = move || {
        counting.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(600));
        Err::<String, _>("the operator is at lunch")
    };
    let root = token.builder().key_label("phi-root").pin(slow).deadline(Duration::from_millis(200));
    let roots = RootKeys::from(root.build().unwrap());
    let (first, second) = tokio::join!(refused_create(&roots), refused_create(&roots));
    says(&first, &["did not answer within 200 ms"]);
    says(&second, &["did not answer within 200 ms"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_corrected_pin_is_tried() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    token.log_out();
    let file = softhsm::folder().join(format!("{}-corrected.pin", token.label));
    softhsm::write_pin(&file, "canary-wrong-pin\n");
    let roots = RootKeys::from(token.builder().key_label("phi-root").pin_file(&file).build().unwrap());
    says(&refused_create(&roots).await, &["PinIncorrect"]);
    says(&refused_create(&roots).await, &["not tried again"]);
    softhsm::write_pin(&file, &format!("{PIN}\n"));
    create(TENANT, &roots, Suite::default()).await;
}

/// Not every HSM says PIN_INCORRECT to a wrong one: GENERAL_ERROR, FUNCTION_FAILED, DEVICE_ERROR, PIN_EXPIRED,
/// PIN_LOCKED, and a code of its own. What comes before a look at the PIN does not count: SESSION_HANDLE_INVALID,
/// DEVICE_REMOVED, SESSION_COUNT, HOST_MEMORY.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_login_that_fails_may_have_cost_an_attempt() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    for code in ["5", "6", "30", "a3", "a4", "80000001"] {
        let faults = Faults::new();
        faults.set(&format!("C_Login {code} 99\n"));
        token.log_out();
        refused_create(&token.roots_behind(&faults)).await;
        says(&refused_create(&token.roots_behind(&faults)).await, &["not tried again"]);
        assert_eq!(faults.calls("C_Login"), 1, "{code}");
    }
    for code in ["b3", "32", "b1", "2"] {
        let faults = Faults::new();
        faults.set(&format!("C_Login {code} 2\n"));
        token.log_out();
        refused_create(&token.roots_behind(&faults)).await;
        faults.set("");
        create(TENANT, &token.roots_behind(&faults), Suite::default()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn other_pins_that_do_not_do() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    for (code, words) in [
        ("a4", &["locked", "security officer", "C_Login: PinLocked"][..]),
        ("a3", &["expired"]),
        ("104", &["another user"]),
        ("a2", &["refuses the PIN"]),
    ] {
        let faults = Faults::new();
        faults.set(&format!("C_Login {code} 99\n"));
        let root = token.builder_of(&faults.library).key_label("phi-root").pin(softhsm::pin).build().unwrap();
        token.log_out();
        let error = refused_create(&RootKeys::from(root)).await;
        says(&error, words);
        assert!(!error.is_retryable() && !text(&error).contains(PIN), "{}", text(&error));
        assert_eq!(faults.calls("C_Login"), 1);
    }
    let blank = Token::without_pin();
    says(&refused_create(&blank.roots("phi-root")).await, &["no user PIN yet"]);
    let silent = token.builder().key_label("phi-root").pin_from_env("RXSEAL_NO_SUCH_PIN").build().unwrap();
    says(&refused_create(&RootKeys::from(silent)).await, &["PIN could not be read", "RXSEAL_NO_SUCH_PIN"]);
    let closed = || Err::<String, _>("the safe is closed");
    let closed = token.builder().key_label("phi-root").pin(closed).build().unwrap();
    says(&refused_create(&RootKeys::from(closed)).await, &["PIN could not be read", "the safe is closed"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn the_pin_of_a_file() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    token.log_out();
    let file = softhsm::folder().join(format!("{}.pin", token.label));
    softhsm::write_pin(&file, &format!("{PIN}\n"));
    let root = token.builder().key_label("phi-root").pin_file(&file).build().unwrap();
    let mode = |mode| std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    let roots = RootKeys::from(root);
    mode(0o644);
    let error = refused_create(&roots).await;
    says(&error, &["0600", &file.display().to_string()]);
    assert_eq!((error.code().as_str(), error.is_retryable()), ("root-key-permissions", false));
    mode(0o640);
    assert_eq!(refused_create(&roots).await.code().as_str(), "root-key-permissions");
    let shared = token.builder().key_label("phi-root").pin_file(&file).allow_group_read().build().unwrap();
    create(TENANT, &RootKeys::from(shared), Suite::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn many_callers_share_a_few_sessions_and_one_login() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let stored = create(TENANT, &token.roots("phi-root"), Suite::default()).await;
    token.log_out();
    let faults = Faults::new();
    let roots = token.roots_behind(&faults);
    let begun = Instant::now();
    unlock_many(&roots, TENANT, &stored, 64).await;
    println!("64 cold callers took {:?}", begun.elapsed());
    let sessions = faults.calls("C_OpenSession");
    assert!((1..=4).contains(&sessions), "{sessions} sessions");
    assert_eq!((faults.calls("C_Login"), faults.calls("C_DecryptInit")), (1, 64));
    let begun = Instant::now();
    for _ in 0..100 {
        unlock(&roots, &stored).await.unwrap();
    }
    println!("a warm unlock takes {:?}", begun.elapsed() / 100);
    assert_eq!((faults.calls("C_OpenSession"), faults.calls("C_Login")), (sessions, 1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_lost_session_is_opened_anew() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    let roots = token.roots_behind(&faults);
    let stored = create(TENANT, &roots, Suite::default()).await;
    unlock_many(&roots, TENANT, &stored, 16).await;

    // Closed behind our back: all of them, and with them the login.
    let (sessions, logins) = (faults.calls("C_OpenSession"), faults.calls("C_Login"));
    faults.set("C_DecryptInit close 1\n");
    unlock(&roots, &stored).await.unwrap();
    assert_eq!((faults.calls("C_OpenSession"), faults.calls("C_Login")), (sessions + 1, logins + 1));
    unlock_many(&roots, TENANT, &stored, 16).await;

    // Logged out behind our back.
    token.log_out_others();
    unlock_many(&roots, TENANT, &stored, 16).await;

    // Each code that means it, once and twice: SESSION_HANDLE_INVALID, SESSION_CLOSED, DEVICE_REMOVED,
    // USER_NOT_LOGGED_IN, KEY_HANDLE_INVALID.
    for code in ["b3", "b0", "32", "101", "60"] {
        let faults = Faults::new();
        let roots = token.roots_behind(&faults);
        unlock(&roots, &stored).await.unwrap();
        faults.set(&format!("C_DecryptInit {code} 1\n"));
        unlock(&roots, &stored).await.unwrap();
        let before = faults.calls("C_DecryptInit");
        faults.set(&format!("C_DecryptInit {code} 99\n"));
        let error = refused(&roots, &stored).await;
        assert!(error.is_retryable(), "{code}: {}", text(&error));
        assert_eq!(faults.calls("C_DecryptInit") - before, 2, "{code}: once more, and no more");
        faults.set("");
        unlock(&roots, &stored).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn failures_of_the_device() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let stored = create(TENANT, &token.roots("phi-root"), Suite::default()).await;
    for (function, code, retryable, words) in [
        ("C_OpenSession", "b1", true, &["no session left", "sessions"][..]),
        ("C_OpenSession", "30", true, &["HSM failed", "C_OpenSession: DeviceError"]),
        ("C_OpenSession", "e0", true, &["removed"]),
        ("C_GetSlotList", "5", true, &["HSM failed", "C_GetSlotList: GeneralError"]),
        ("C_FindObjectsInit", "31", true, &["HSM failed"]),
        ("C_DecryptInit", "68", false, &["CKA_DECRYPT"]),
        ("C_Decrypt", "5", false, &["does not open", "log", "C_Decrypt: GeneralError"]),
        ("C_Decrypt", "30", true, &["HSM failed"]),
        ("C_Decrypt", "40", false, &["does not open"]),
        ("C_Decrypt", "80000001", false, &["does not open", "VendorDefined"]),
    ] {
        let faults = Faults::new();
        let roots = token.roots_behind(&faults);
        faults.set(&format!("{function} {code} 99\n"));
        let error = refused(&roots, &stored).await;
        says(&error, words);
        assert_eq!(error.is_retryable(), retryable, "{function} {code}: {}", text(&error));
        faults.set("");
        unlock(&roots, &stored).await.unwrap();
    }
    let faults = Faults::new();
    faults.set("C_Encrypt 30 99\n");
    let roots = token.roots_behind(&faults);
    says(
        &bounded(rxseal::testing::create_keyring(TENANT, &roots, Suite::default())).await.unwrap_err(),
        &["HSM failed", "C_Encrypt"],
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn an_hsm_that_hangs_holds_nobody_up() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let stored = create(TENANT, &token.roots("phi-root"), Suite::default()).await;
    let faults = Faults::new();
    let root = |library| token.builder_of(library).key_label("phi-root").pin(softhsm::pin).sessions(2);
    let limit = Duration::from_millis(500);
    let roots = RootKeys::from(root(&faults.library).deadline(limit).build().unwrap());
    unlock_at_last(&roots, &stored).await;

    let before = faults.calls("C_DecryptInit");
    faults.set("C_DecryptInit hang 999\n");
    let begun = Instant::now();
    let error = refused(&roots, &stored).await;
    says(&error, &["did not answer within 500 ms", "deadline"]);
    assert!(error.is_retryable() && begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    // Sessions that hang are replaced: as many as are there and 16 more, then nothing more is begun.
    let mut last = String::new();
    for _ in 0..20 {
        let error = refused(&roots, &stored).await;
        assert!(error.is_retryable());
        last = text(&error);
    }
    assert!(last.contains("18 calls hang") && last.contains("restart"), "{last}");
    assert_eq!(faults.calls("C_DecryptInit") - before, 18);

    // It comes back, and what had hung gives its turns back. Nobody has to restart.
    faults.set("");
    for _ in 0..16 {
        unlock_at_last(&roots, &stored).await;
    }

    // Callers that give up by themselves, before the deadline.
    let faults = Faults::new();
    let roots = RootKeys::from(root(&faults.library).sessions(1).build().unwrap());
    unlock(&roots, &stored).await.unwrap();
    faults.set("C_DecryptInit hang 8\n");
    for _ in 0..8 {
        let call = Keyring::unlock(TENANT, &roots, &stored);
        assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    }
    unlock(&roots, &stored).await.unwrap();
    faults.set("");
}

/// With a deadline so short that a slow machine may miss it.
async fn unlock_at_last(roots: &RootKeys, stored: &KeyringFile) {
    let begun = Instant::now();
    while let Err(error) = unlock(roots, stored).await {
        assert!(error.is_retryable() && begun.elapsed() < BOUND, "{}", text(&error));
    }
}

/// What is hanging must not keep a program from ending.
#[test]
#[ignore = "needs SoftHSM2"]
fn an_hsm_that_hangs_does_not_hold_up_the_end_of_a_runtime() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    let root = token.builder_of(&faults.library).key_label("phi-root").pin(softhsm::pin);
    let roots = RootKeys::from(root.deadline(Duration::from_millis(100)).build().unwrap());
    faults.set("C_OpenSession hang 9\n");
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    runtime.block_on(rxseal::testing::create_keyring(TENANT, &roots, Suite::default())).unwrap_err();
    drop(runtime);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    faults.set("");
}

/// Nor must what hangs when the last session is closed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_root_key_is_dropped_in_bounded_time() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    let roots = token.roots_behind(&faults);
    create(TENANT, &roots, Suite::default()).await;
    drop(roots);
    assert_eq!(faults.calls("C_CloseSession"), faults.calls("C_OpenSession"), "they are closed when it is dropped");

    let roots = token.roots_behind(&faults);
    create(TENANT, &roots, Suite::default()).await;
    faults.set("C_CloseSession hang 99\n");
    let begun = Instant::now();
    drop(roots);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    faults.set("");
    // A program that ends with a thread in SoftHSM was seen to crash.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// A thread that has answered is not yet at its end, and one that ends beside `exit` may crash there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_root_key_that_is_dropped_leaves_no_thread() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    struct LastStep;
    impl Drop for LastStep {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(300));
            ENDED.fetch_add(1, Ordering::SeqCst);
        }
    }
    thread_local!(static LAST_STEP: LastStep = const { LastStep });

    let token = Token::new();
    token.make(Key::named("phi-root"));
    token.log_out();
    // The PIN is asked for on the thread of the call, which so gets a slow end.
    let pin = || LAST_STEP.with(|_| softhsm::pin());
    let faults = Faults::new();
    let root = token.builder_of(&faults.library).key_label("phi-root").pin(pin).build().unwrap();
    drop(wrap_of(root).await);
    assert_eq!((faults.calls("C_Login"), ENDED.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_key_that_is_deleted_is_missed() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let roots = token.roots("phi-root");
    let stored = create(TENANT, &roots, Suite::default()).await;
    token.destroy("phi-root");
    says(&refused(&roots, &stored).await, &["no AES key", "check its label and id"]);
    // Another of the same name is another key.
    token.make(Key::named("phi-root"));
    says(&refused(&roots, &stored).await, &["does not open"]);
}

/// What is wrapped has to last, so a session that was open before takes nothing for granted.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn a_wrap_is_of_the_key_as_it_is_now() {
    let token = Token::new();
    token.make(Key { id: 1, ..Key::named("phi-root") });
    let roots = token.roots("phi-root");
    create(TENANT, &roots, Suite::default()).await;
    token.make(Key { id: 2, ..Key::named("phi-root") });
    says(&refused_create(&roots).await, &["2 AES keys"]);

    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    let roots = token.roots_behind(&faults);
    create(TENANT, &roots, Suite::default()).await;
    faults.set("C_Encrypt damage 1\n");
    says(&refused_create(&roots).await, &["does not open its own wrap", "nothing was stored"]);
    faults.set("");
    create(TENANT, &roots, Suite::default()).await;
}

/// AWS CloudHSM refuses an IV that is not zero, and writes its own in its place: with MECHANISM_PARAM_INVALID,
/// ARGUMENTS_BAD or DATA_INVALID.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn an_hsm_may_draw_the_nonce() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    for code in ["71", "7", "20"] {
        let faults = Faults::new();
        faults.set(&format!("C_EncryptInit draws-{code} 1\n"));
        let behind = || token.builder_of(&faults.library).key_label("phi-root").pin(softhsm::pin).build().unwrap();
        let wrap = wrap_of(behind()).await;
        assert!(wrap[0] == 1 && wrap.len() == 61 && wrap[1..13] != [0; 12], "{code}: {wrap:?}");
        let stored = create(TENANT, &RootKeys::from(behind()), Suite::default()).await;
        unlock(&token.roots("phi-root"), &stored).await.unwrap();
        // One that gives none is refused: the same nonce twice would give the KEKs away.
        faults.set(&format!("C_EncryptInit zero-{code} 1\n"));
        says(&refused_create(&RootKeys::from(behind())).await, &["does not accept our nonce", "mechanism"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn an_hsm_may_have_read_write_sessions_alone() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    faults.set("C_OpenSession rw 1\n");
    let stored = create(TENANT, &token.roots_behind(&faults), Suite::default()).await;
    token.log_out();
    unlock(&token.roots_behind(&faults), &stored).await.unwrap();
}

/// Which says nothing of the wrap: TEMPLATE_INCONSISTENT, ATTRIBUTE_VALUE_INVALID, MECHANISM_INVALID,
/// MECHANISM_PARAM_INVALID, ARGUMENTS_BAD, FUNCTION_NOT_SUPPORTED.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SoftHSM2"]
async fn what_an_hsm_does_not_do_is_no_changed_wrap() {
    let token = Token::new();
    token.make(Key::named("phi-root"));
    let faults = Faults::new();
    let root = token.builder_of(&faults.library).key_label("phi-root").pin(softhsm::pin);
    let roots = RootKeys::from(root.mechanism(Pkcs11Mechanism::AesKeyWrap).build().unwrap());
    let stored = create(TENANT, &roots, Suite::default()).await;
    for code in ["d1", "13", "70", "71", "7", "54"] {
        faults.set(&format!("C_UnwrapKey {code} 99\n"));
        says(&refused(&roots, &stored).await, &["does not support this call", "try another mechanism"]);
    }
    faults.set("C_GetAttributeValue sensitive 1\n");
    says(&refused(&roots, &stored).await, &["does not hand the KEK back", "use AES-GCM"]);
    faults.set("");
    unlock(&roots, &stored).await.unwrap();
}

#[test]
#[ignore = "needs SoftHSM2"]
fn without_a_runtime_it_says_so() {
    let token = Token::new();
    let roots = token.roots("phi-root");
    let call = rxseal::testing::create_keyring(TENANT, &roots, Suite::default());
    assert_eq!(rxseal::run_local(call).unwrap_err().code().as_str(), "runtime-needed");
    let without_timers = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let call = rxseal::testing::create_keyring(TENANT, &roots, Suite::default());
    assert_eq!(without_timers.block_on(call).unwrap_err().code().as_str(), "runtime-needed");
}

const TENANT: &str = "conformance-a";

const MECHANISMS: [Pkcs11Mechanism; 3] =
    [Pkcs11Mechanism::AesGcm, Pkcs11Mechanism::AesKeyWrap, Pkcs11Mechanism::AesKeyWrapPad];

async fn wrap_of(root: Pkcs11Key) -> Vec<u8> {
    let root: Arc<dyn RootKey> = Arc::new(root);
    let seen = Tampering::of(&root);
    create(TENANT, &RootKeys::from(seen.clone()), Suite::default()).await;
    seen.wraps().remove(0)
}

async fn refused(roots: &RootKeys, stored: &KeyringFile) -> Error {
    unlock(roots, stored).await.expect_err("it is refused")
}

async fn refused_create(roots: &RootKeys) -> Error {
    bounded(rxseal::testing::create_keyring(TENANT, roots, Suite::default())).await.expect_err("it is refused")
}

fn says(error: &Error, words: &[&str]) {
    let text = text(error);
    assert!(words.iter().all(|word| text.contains(word)), "{words:?} in: {text}");
    assert!(!text.contains('\n') && !text.contains("  "), "{text}");
    println!("{text}");
}

fn text(error: &Error) -> String {
    format!("{error}{}", chain(error))
}

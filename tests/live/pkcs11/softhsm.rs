//! Tokens and keys in SoftHSM2, and the library in front of it that fails on command.
#![allow(dead_code, reason = "each test uses its part of this")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::{AuthPin, Ulong};
use rxseal::root::RootKeys;
use rxseal_pkcs11::{Pkcs11Key, Pkcs11KeyBuilder};

pub const PIN: &str = "canary-pin-4711";
const SO_PIN: &str = "so-pin-0815";

static SOFTHSM: LazyLock<Pkcs11> = LazyLock::new(|| {
    let folder = folder();
    remove_earlier_runs();
    fs::create_dir_all(folder.join("tokens")).unwrap();
    let configuration = folder.join("softhsm2.conf");
    let tokens = folder.join("tokens");
    fs::write(&configuration, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
    // SAFETY: SoftHSM reads it when it is initialized, which is in the line after the next and once for a process.
    // Whatever else runs now reads the environment through std, which takes a lock.
    unsafe { std::env::set_var("SOFTHSM2_CONF", &configuration) };
    let pkcs11 = Pkcs11::new(library()).expect("RXSEAL_TEST_SOFTHSM is the library of SoftHSM2");
    pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    pkcs11
});

/// Of processes that are no more: two runs at a time leave each other's tokens alone.
fn remove_earlier_runs() {
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in fs::read_dir(env!("CARGO_TARGET_TMPDIR")).unwrap().flatten() {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix("live-pkcs11-"));
        if run.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// SoftHSM gives a new token the slot that was free, so one is made at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// For the tokens, copies and files of this run.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-pkcs11-{}", std::process::id()))
}

pub fn library() -> PathBuf {
    let library = std::env::var("RXSEAL_TEST_SOFTHSM");
    library.expect("RXSEAL_TEST_SOFTHSM=/usr/lib/softhsm/libsofthsm2.so names the library of SoftHSM2").into()
}

pub fn pin() -> Result<String, std::io::Error> {
    Ok(PIN.to_owned())
}

/// For its owner alone, as a root key asks for.
pub fn write_pin(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A token of its own for each test, with the user PIN [`PIN`].
pub struct Token {
    pub label: String,
    pub serial: String,
    pub slot: Slot,
}

impl Token {
    pub fn new() -> Self {
        Self::labelled(&unique("phi"))
    }

    pub fn labelled(label: &str) -> Self {
        let token = Self::initialized(label);
        let session = SOFTHSM.open_rw_session(token.slot).unwrap();
        session.login(UserType::So, Some(&auth(SO_PIN))).unwrap();
        session.init_pin(&auth(PIN)).unwrap();
        session.logout().unwrap();
        token
    }

    pub fn without_pin() -> Self {
        Self::initialized(&unique("blank"))
    }

    fn initialized(label: &str) -> Self {
        let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |slot: &Slot| !SOFTHSM.get_token_info(*slot).unwrap().token_initialized();
        let slot = SOFTHSM.get_slots_with_token().unwrap().into_iter().find(free).unwrap();
        SOFTHSM.init_token(slot, &auth(SO_PIN), label).unwrap();
        let serial = SOFTHSM.get_token_info(slot).unwrap().serial_number().to_owned();
        Self { label: label.to_owned(), serial, slot }
    }

    pub fn info(&self) -> TokenInfo {
        SOFTHSM.get_token_info(self.slot).unwrap()
    }

    /// The token, and how to log in is still to be said.
    pub fn builder_of(&self, library: &Path) -> Pkcs11KeyBuilder {
        // Long enough for a machine that stands still for some seconds, as those of CI do.
        Pkcs11Key::builder(library).token(&self.label).deadline(Duration::from_secs(20))
    }

    pub fn builder(&self) -> Pkcs11KeyBuilder {
        self.builder_of(&library()).pin(pin)
    }

    pub fn root(&self, label: &str) -> Pkcs11KeyBuilder {
        self.builder().key_label(label)
    }

    pub fn roots(&self, label: &str) -> RootKeys {
        RootKeys::from(self.root(label).build().unwrap())
    }

    pub fn roots_behind(&self, faults: &Faults) -> RootKeys {
        RootKeys::from(self.builder_of(&faults.library).pin(pin).key_label("phi-root").build().unwrap())
    }

    pub fn make(&self, key: Key<'_>) {
        // A public key needs no login, so it is made as anybody could.
        let session = if key.public { SOFTHSM.open_rw_session(self.slot).unwrap() } else { self.session() };
        let mut template = vec![
            Attribute::Token(true),
            Attribute::Private(!key.public),
            Attribute::Label(key.label.into()),
            Attribute::Id(vec![key.id]),
            Attribute::ValueLen(Ulong::new(key.bytes)),
            Attribute::Sensitive(key.sensitive),
            Attribute::Extractable(key.extractable),
        ];
        if key.generic {
            session.generate_key(&Mechanism::GenericSecretKeyGen, &template).unwrap();
            return;
        }
        template.extend([Attribute::Encrypt(key.encrypts), Attribute::Decrypt(key.encrypts)]);
        template.extend([Attribute::Wrap(key.wraps), Attribute::Unwrap(key.wraps)]);
        session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    }

    pub fn destroy(&self, label: &str) {
        let session = self.session();
        for key in session.find_objects(&[Attribute::Label(label.into())]).unwrap() {
            session.destroy_object(key).unwrap();
        }
    }

    /// Secrets that are no keys of the token, but of a session.
    pub fn session_objects(&self) -> usize {
        let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::GENERIC_SECRET)];
        self.session().find_objects(&template).unwrap().len()
    }

    /// Ends the login of this process, of which nothing is in use.
    pub fn log_out(&self) {
        drop(self.session().logout());
    }

    /// Ends the login under the sessions of others.
    pub fn log_out_others(&self) {
        self.session().logout().unwrap();
    }

    fn session(&self) -> Session {
        let session = SOFTHSM.open_rw_session(self.slot).unwrap();
        match session.login(UserType::User, Some(&auth(PIN))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => session,
            Err(error) => panic!("{error}"),
        }
    }
}

/// An AES key as it should be; tests change what should not.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    pub label: &'a str,
    pub id: u8,
    pub bytes: std::ffi::c_ulong,
    pub sensitive: bool,
    pub extractable: bool,
    pub encrypts: bool,
    pub wraps: bool,
    pub generic: bool,
    pub public: bool,
}

impl<'a> Key<'a> {
    pub fn named(label: &'a str) -> Self {
        let (sensitive, extractable) = (true, false);
        let (generic, public) = (false, false);
        Self { label, id: 0, bytes: 32, sensitive, extractable, encrypts: true, wraps: true, generic, public }
    }
}

/// A copy of the library in front of SoftHSM, with faults and a record of calls of its own.
pub struct Faults {
    pub library: PathBuf,
}

static IN_FRONT: LazyLock<PathBuf> = LazyLock::new(|| {
    LazyLock::force(&SOFTHSM);
    let (source, library) = (folder().join("pkcs11_faults.c"), folder().join("in-front.so"));
    fs::write(&source, include_str!("pkcs11_faults.c")).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    assert!(built.expect("a C compiler `cc` is installed").success());
    library
});

impl Faults {
    pub fn new() -> Self {
        let library = folder().join(format!("{}.so", unique("faults")));
        // A copy and no link: by its file a library is known to be loaded already.
        fs::copy(&*IN_FRONT, &library).unwrap();
        Self { library }
    }

    /// Lines of `FUNCTION ACTION TIMES`, instead of those before.
    pub fn set(&self, faults: &str) {
        let next = self.library.with_extension("so.next");
        fs::write(&next, faults).unwrap();
        fs::rename(next, self.library.with_extension("so.faults")).unwrap();
    }

    /// How often a function was called.
    pub fn calls(&self, function: &str) -> usize {
        let calls = fs::read_to_string(self.library.with_extension("so.calls")).unwrap_or_default();
        calls.lines().filter(|line| *line == function).count()
    }
}

fn auth(pin: &str) -> AuthPin {
    AuthPin::new(pin.into())
}

fn unique(what: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{what}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

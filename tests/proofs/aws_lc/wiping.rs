//! The memory that rxseal frees when AWS-LC computes: it holds no key in any form, and no plaintext.
//!
//! `tests/proofs/memory` proves the same of Rust's heap for the default backend, and for this one if CI runs the suite
//! with it. This test also looks into AWS-LC's own memory, and for its own forms of a key. Both leave the stack out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, CHACHA20_POLY1305, LessSafeKey, UnboundKey};
use rxseal::keys::{Backend, KeyState, KeyringFile, Suite, UnlockOptions};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::subjects::{SubjectKey, WrappedSubjectKey};
use rxseal::{Access, Class, Error, Keyring, Purpose, Record, RecordReader, Token, run_local};
use zeroize::Zeroize;

use crate::heap::{self, Seen, Watching};
use crate::needles::{
    Needle, Search, add_chacha_message_key, add_gcm_message_key, add_kdf_key, add_xaes_key, ecb_pieces, gcm_pieces,
};
use support::keys::{self, Key};

const KEYSPACE: &str = "pharmacy-17";
const SUBJECT: &str = "patient-88";
const TEXT: &str = "CANARY-Jane-Doe-warfarin-5mg-#Q7x!zK2v9LmPt4RwYs";

rxseal::fields! {
    Name = "wiping.name" in Identity;
    Phone = "wiping.phone" in Contact { block: 64 };
    Drug = "wiping.drug" in Medication { block: 1 };
    Prescriber = "wiping.prescriber" in Prescriber;
    Note = "wiping.note" in Clinical { block: 4096 };
    Plan = "wiping.plan" in Coverage;
    Renamed = "wiping.renamed" in Clinical, was "wiping.old-name" in Identity, was "wiping.older-name" in Contact;
}

mod before {
    rxseal::fields! { pub OlderName = "wiping.older-name" in Contact; }
}

const CLASSES: [Class; 6] =
    [Class::IDENTITY, Class::CONTACT, Class::MEDICATION, Class::PRESCRIBER, Class::CLINICAL, Class::COVERAGE];

/// What a path leaves to be looked into after it was watched: whatever new keys can be computed from.
#[derive(Default)]
struct After {
    files: Vec<KeyringFile>,
    wrapped: Vec<(&'static str, WrappedSubjectKey)>,
    tokens: Vec<Token>,
}

/// Its name, how many expanded AEAD keys AWS-LC must have given back at least, and what it does.
type Path = (&'static str, usize, fn(&World) -> After);

#[rustfmt::skip]
const PATHS: &[Path] = &[
    // Sealing
    ("seal", 1, |w| sealed(w.rec().seal::<Name>(TEXT))),
    ("seal, suite c", 1, |w| sealed(w.rec_chacha().seal::<Name>(TEXT))),
    ("seal_text", 1, |w| sealed(w.rec().seal_text::<Name>(TEXT).map(|text| text.parse().unwrap()))),
    ("seal a JSON value", 1, |w| sealed(w.rec().seal::<Note>(&[TEXT, TEXT]))),
    ("seal wide", 1, |w| sealed(w.rec().wide().seal::<Name>(TEXT))),
    ("seal unbound", 1, |w| sealed(w.keys.unbound("prescription").unwrap().seal::<Name>(TEXT))),
    ("seal in a part", 1, |w| sealed(w.rec().part("line", 2).unwrap().seal::<Name>(TEXT))),
    ("seal with a subject", 1, |w| sealed(w.rec_subject().seal::<Name>(TEXT))),
    ("seal with a subject, suite c", 1, |w| sealed(w.rec_subject_chacha().seal::<Name>(TEXT))),
    ("seal_fields of all classes", 6, |w| seal_all(&w.rec())),
    ("seal_fields of all classes, suite c", 6, |w| seal_all(&w.rec_chacha())),
    ("seal_fields of all classes, with a subject", 6, |w| seal_all(&w.rec_subject())),
    ("seal_in_place", 1, |w| sealed(seal_in_place(&w.rec(), 40))),
    ("seal_in_place 200 KiB", 1, |w| sealed(seal_in_place(&w.rec(), 200 * 1024))),
    ("seal_in_place 200 KiB, suite c", 1, |w| sealed(seal_in_place(&w.rec_chacha(), 200 * 1024))),
    ("seal_page", 40, |w| {
        let records: Vec<_> = (0..20_u32).map(|id| w.keys.record("prescription", id).unwrap()).collect();
        rxseal::page::seal_page(&records, |_, pass| { pass.seal::<Name>(TEXT)?; pass.seal::<Note>(TEXT) }).unwrap();
        After::default()
    }),
    // Opening
    ("open", 1, |w| wiped(w.open().open::<Name, String>(&w.tokens.text))),
    ("open, suite c", 1, |w| wiped(w.rec_chacha().opened_by(&w.access).open::<Name, String>(&w.tokens.all_chacha[0]))),
    ("open_text", 1, |w| wiped(w.open().open_text::<Name, String>(&w.tokens.text.to_string()))),
    ("open wide", 1, |w| wiped(w.rec().wide().opened_by(&w.access).open::<Name, String>(&w.tokens.wide))),
    ("open_into", 1, |w| {
        let mut out = Vec::new();
        w.open().open_fields(|pass| pass.open_into::<Name>(w.tokens.text.as_bytes(), &mut out)).unwrap();
        out.zeroize();
        After::default()
    }),
    ("open_fields of all classes", 6, |w| open_all(&w.open(), &w.tokens.all)),
    ("open_fields of all classes, suite c", 6, |w| open_all(&w.rec_chacha().opened_by(&w.access), &w.tokens.all_chacha)),
    ("open_fields of all classes, with a subject", 6, |w| open_all(&w.rec_subject().opened_by(&w.access), &w.tokens.all_subject)),
    ("open_in_place", 1, |w| wiped(open_in_place::<Drug>(&w.open(), &w.tokens.text_block_1))),
    ("open_in_place 200 KiB", 1, |w| wiped(open_in_place::<Drug>(&w.open(), &w.tokens.large))),
    ("open_page", 20, |w| {
        let records: Vec<_> = (0..20_u32).map(|_| w.rec()).collect();
        let opened: Vec<String> = rxseal::page::open_page(&records, &w.access, |_, pass| pass.open::<Name, _>(&w.tokens.text)).unwrap();
        opened.into_iter().for_each(|mut text| text.zeroize());
        After::default()
    }),
    ("open under a former id and class", 3, |w| wiped(w.open().open::<Renamed, String>(&w.tokens.former))),
    ("open_in_place under a former id and class", 3, |w| wiped(open_in_place::<Renamed>(&w.open(), &w.tokens.former))),
    // Moving
    ("reseal", 2, |w| { w.rec().reseal::<Name>(&w.tokens.text).unwrap(); After::default() }),
    ("reseal_page", 40, |w| {
        let records: Vec<_> = (0..20_u32).map(|_| w.rec()).collect();
        rxseal::page::reseal_page(&records, |_, pass| pass.reseal::<Name>(&w.tokens.text)).unwrap();
        After::default()
    }),
    ("rebind", 2, |w| {
        w.rec().rebind::<Name>(&w.keys.record("prescription", "RX-2").unwrap(), &w.tokens.text, &w.access).unwrap();
        After::default()
    }),
    // What fails
    ("open a changed token", 1, |w| refused(w.open().open::<Name, String>(&w.tokens.changed))),
    ("open a changed token, suite c", 1, |w| refused(w.rec_chacha().opened_by(&w.access).open::<Name, String>(&w.tokens.changed_chacha))),
    ("open_in_place a changed token", 1, |w| refused(open_in_place::<Name>(&w.open(), &w.tokens.changed))),
    ("open for another record", 1, |w| {
        refused(w.keys.record("prescription", "RX-2").unwrap().opened_by(&w.access).open::<Name, String>(&w.tokens.text))
    }),
    ("a pass that panics", 1, |w| {
        let work = || w.rec().seal_fields(|pass| -> Result<(), Error> { pass.seal::<Name>(TEXT)?; panic!("constant") });
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        After::default()
    }),
    ("a thread that ends", 2, |w| {
        std::thread::scope(|scope| scope.spawn(|| {
            // To the end of the thread: what it keeps for the next call goes then.
            std::mem::forget(Watching::begin());
            sealed(w.rec().seal_text::<Name>(TEXT).map(|text| text.parse().unwrap()));
            wiped(w.open().open::<Name, String>(&w.tokens.text));
        }).join().unwrap());
        After::default()
    }),
    // Keys: the ECB keys of the classes are in memory of Rust, their blocks wiped by aws-lc-rs
    ("unlock and drop", 1, |w| { drop(w.unlock(&w.stored)); After::default() }),
    ("a keyring used for all classes, and dropped", 24, |w| {
        let keys = w.unlock(&w.stored);
        let rec = || keys.record("prescription", "RX-1").unwrap();
        let subject = keys.unwrap_subject_key(SUBJECT, &w.wrapped).unwrap();
        seal_all(&rec());
        seal_all(&rec().subject(&subject).unwrap());
        open_all(&rec().opened_by(&w.access), &w.tokens.all);
        open_all(&rec().subject(&subject).unwrap().opened_by(&w.access), &w.tokens.all_subject);
        After { tokens: all_fields(&rec().wide()), ..After::default() }
    }),
    ("the same of suite c", 12, |w| {
        let keys = w.unlock(&w.stored_chacha);
        let rec = keys.record("prescription", "RX-1").unwrap();
        open_all(&rec.opened_by(&w.access), &w.tokens.all_chacha);
        seal_all(&rec)
    }),
    ("rotate_with", 2, |w| file(run_local(rxseal::testing::rotate_keyring_with(aws_lc(), KEYSPACE, &w.roots, &w.stored)))),
    ("force_state_with", 4, |w| {
        let rotated = run_local(rxseal::testing::rotate_keyring_with(aws_lc(), KEYSPACE, &w.roots, &w.stored)).unwrap();
        let old = w.keys.primary_key();
        file(run_local(rxseal::testing::force_key_state_with(aws_lc(), KEYSPACE, &w.roots, &rotated, old, KeyState::Destroyed)))
    }),
    ("unlock a changed keyring", 1, |w| {
        let changed = w.stored.to_string().replace("\"generation\": 1", "\"generation\": 2").parse().unwrap();
        let unlocked = run_local(Keyring::unlock_with(aws_lc(), KEYSPACE, &w.roots, &changed));
        assert_eq!(unlocked.unwrap_err().code().as_str(), "unlock-failed");
        After::default()
    }),
    ("create_subject_key", 1, |w| {
        let (key, wrapped) = w.keys.create_subject_key("patient-89").unwrap();
        drop(key);
        After { wrapped: vec![("patient-89", wrapped)], ..After::default() }
    }),
    ("unwrap_subject_key", 1, |w| { drop(w.subject_key()); After::default() }),
    ("unwrap_subject_key of another subject", 1, |w| {
        assert_eq!(w.keys.unwrap_subject_key("patient-1", &w.wrapped).unwrap_err().code().as_str(), "subject-key-refused");
        After::default()
    }),
    ("rewrap_subject_key", 2, |w| {
        After { wrapped: vec![(SUBJECT, w.keys.rewrap_subject_key(SUBJECT, &w.wrapped).unwrap())], ..After::default() }
    }),
];

#[test]
fn nothing_is_left_in_the_memory_of_aws_lc() {
    let world = World::get();
    let expanded = wiped_len();
    // Each path in a thread of its own, and all of them in one: what one leaves on the stack must not reach the heap by another.
    let mut runs: Vec<Run> = PATHS.iter().flat_map(|path| run(std::slice::from_ref(path))).collect();
    runs.extend(run(PATHS));

    let (mut secrets, mut of_records) = (Vec::new(), Vec::new());
    runs.iter().for_each(|run| world.add_needles_of(&run.after, &mut secrets, &mut of_records));
    let of_records = || world.of_records.iter().chain(&of_records);
    let given = Search::of(world.secrets.iter().chain(&secrets).chain(of_records()));
    // What a thread keeps for its next call, and a keyring for its next record, has no key of a record in it.
    let kept = Search::of(of_records());

    let mut bad = Vec::new();
    for Run { path: (name, keys_at_least, _), round, seen, .. } in &runs {
        bad.extend(given.hits(&seen.given).iter().map(|what| format!("{name}, round {round}, given back: {what}")));
        bad.extend(kept.hits(&seen.held).iter().map(|what| format!("{name}, round {round}, kept: {what}")));
        let wiped = wiped_keys(seen, expanded);
        if wiped < *keys_at_least {
            bad.push(format!("{name}, round {round}: {wiped} expanded keys of AWS-LC were seen to be wiped"));
        }
    }
    let blocks: usize = runs.iter().map(|run| run.seen.given.len()).sum();
    println!("{} paths, {} runs, {blocks} blocks given back, {} hits", PATHS.len(), runs.len(), bad.len());
    assert!(bad.is_empty(), "the memory is not clean:\n{}", bad.join("\n"));
}

/// One path, watched.
struct Run {
    path: &'static Path,
    round: usize,
    after: After,
    seen: Seen,
}

/// Runs the paths in a new thread, on whose stack nothing lies that this test computed: once while keys are derived on first
/// use, and once more with all in place.
fn run(paths: &'static [Path]) -> Vec<Run> {
    let world = World::get();
    let watched = |(round, path): (usize, &'static Path)| {
        let (after, seen) = heap::watch(|| path.2(world));
        Run { path, round, after, seen }
    };
    let each = || (0..2).flat_map(|round| paths.iter().map(move |path| (round, path)));
    std::thread::scope(|scope| scope.spawn(|| each().map(watched).collect()).join().unwrap())
}

/// What is looked for is what stands in memory: while keys are in use, each is found.
#[test]
fn keys_in_use_are_found() {
    let world = World::get();
    let in_pass = |rec: &Record, tokens: &[Token], find: &[&str]| {
        let (sealing, _) = heap::watch(|| rec.seal_fields(|pass| Ok::<_, Error>((seal_each(pass)?, heap::held()))));
        let (tokens_made, held_sealing) = sealing.unwrap();
        let opening = || {
            rec.opened_by(&world.access).open_fields(|pass| {
                open_each(pass, tokens)?;
                Ok::<_, Error>(heap::held())
            })
        };
        let held_opening = heap::watch(opening).0.unwrap();
        let mut made = Vec::new();
        tokens_made.iter().for_each(|token| world.add_token(token, &mut made));
        for what in find {
            found_for_all_classes(&held_sealing, world.of_records.iter().chain(&made), what);
            found_for_all_classes(&held_opening, &world.of_records, what);
        }
    };
    in_pass(&world.rec(), &world.tokens.all, &["X, message key, expanded"]);
    in_pass(&world.rec_subject(), &world.tokens.all_subject, &["X with subject, message key, expanded"]);
    in_pass(&world.rec_chacha(), &world.tokens.all_chacha, &["c, message key", "c, message key, expanded"]);

    // A keyring keeps its class keys expanded, and a `c` key as it is.
    let (keys, seen) = heap::watch(|| {
        let (keys, chacha) = (world.unlock(&world.stored), world.unlock(&world.stored_chacha));
        let rec = keys.record("prescription", "RX-1").unwrap();
        drop(all_fields(&rec));
        drop(all_fields(&rec.wide()));
        drop(all_fields(&chacha.record("prescription", "RX-1").unwrap()));
        (keys, chacha)
    });
    for find in ["X, expanded", "X, K1", "x, expanded", "x, K1", "c"] {
        found_for_all_classes(&seen.held, &world.secrets, find);
    }
    drop(keys);
}

/// Ordinary code, each kind of which leaves something behind: the search must find every one.
#[test]
fn leaking_controls_are_caught() {
    let world = World::get();
    let (class_key, message_key) = (world.class_key, world.message_key);
    let controls: &[(&str, &dyn Fn())] = &[
        ("a key in a block of `malloc`, freed", &|| leave_in_c_heap(&message_key)),
        ("a key in a box", &|| drop(std::hint::black_box(Box::new(message_key)))),
        ("an expanded key copied into a block of `malloc`, freed", &|| {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &message_key).unwrap());
            let copy = heap::held().into_iter().max_by_key(Vec::len).unwrap();
            leave_in_c_heap(&copy);
            drop(key);
        }),
        ("round keys of the message key alone", &|| leave_in_c_heap(&world.gcm_pieces[4])),
        ("round keys of the class key alone", &|| leave_in_c_heap(&world.ecb_pieces[4])),
        ("half of a key wiped", &|| {
            let mut half = Box::new(class_key);
            half[..16].zeroize();
            drop(std::hint::black_box(half));
        }),
        ("a subject key as the salt of aws-lc-rs's HKDF", &|| {
            drop(std::hint::black_box(aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, &world.subject)));
        }),
        ("the plaintext", &|| leave_in_c_heap(TEXT.as_bytes())),
    ];
    let search = Search::of(world.secrets.iter().chain(&world.of_records));
    for (name, control) in controls {
        let ((), seen) = heap::watch(control);
        assert!(!search.hits(&seen.given).is_empty(), "the control `{name}` was not caught");
    }
    // And a key that is leaked is neither given back nor seen to be wiped.
    let expanded = wiped_len();
    let (key, seen) = heap::watch(|| {
        Box::leak(Box::new(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &message_key).unwrap())))
    });
    assert_eq!(wiped_keys(&seen, expanded), 0, "{key:?} was leaked");
    println!("{} leaking controls, all caught", controls.len() + 1);
}

/// The option says who computes: with the other backend no key reaches AWS-LC.
#[test]
fn the_option_decides_who_computes() {
    let world = World::get();
    let expanded = wiped_len();
    let sealed_with = |backend| {
        let options = UnlockOptions::default().backend(backend);
        let keys =
            run_local(Keyring::unlock_with(options, KEYSPACE, &world.roots, &world.stored)).unwrap().unobserved();
        let (_, seen) = heap::watch(|| seal_all(&keys.record("prescription", "RX-1").unwrap()));
        wiped_keys(&seen, expanded)
    };
    assert_eq!(sealed_with(Backend::RustCrypto), 0);
    assert_eq!(sealed_with(Backend::AwsLc), CLASSES.len());
    assert_eq!(
        sealed_with(Backend::default()),
        if cfg!(rxseal_default_backend = "aws-lc") { CLASSES.len() } else { 0 }
    );
}

/// Bytes of a block in which AWS-LC keeps an expanded AEAD key.
fn wiped_len() -> usize {
    let (key, seen) = heap::watch(|| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap()));
    drop(key);
    seen.held.iter().map(Vec::len).max().unwrap()
}

/// How many of these were given back, as zeros. The C library may give 16 bytes more than are asked for.
fn wiped_keys(seen: &Seen, expanded: usize) -> usize {
    let as_long = |block: &Vec<u8>| block.len().abs_diff(expanded) <= 16;
    seen.given.iter().filter(|block| as_long(block) && block.iter().all(|byte| *byte == 0)).count()
}

fn found_for_all_classes<'n>(blocks: &[Vec<u8>], needles: impl IntoIterator<Item = &'n Needle>, what: &str) {
    let found = Search::of(needles).hits(blocks);
    for class in CLASSES {
        let what = format!("{} {what},", class.as_str());
        assert!(found.iter().any(|found| found.starts_with(&what)), "`{what}` is not found while it is in use");
    }
}

/// Written into the C heap and given back as it is.
fn leave_in_c_heap(bytes: &[u8]) {
    // A block of `malloc`, of which no byte beyond its length is touched.
    unsafe {
        let block = libc::malloc(bytes.len()).cast::<u8>();
        block.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        libc::free(std::hint::black_box(block).cast());
    }
}

/// Everything that the paths work on, and every key in it.
struct World {
    roots: RootKeys,
    root: Key,
    stored: KeyringFile,
    stored_chacha: KeyringFile,
    keys: Keyring,
    chacha: Keyring,
    wrapped: WrappedSubjectKey,
    wrapped_chacha: WrappedSubjectKey,
    access: Access,
    tokens: Tokens,
    /// Keys that a keyring holds, and the plaintext.
    secrets: Vec<Needle>,
    /// Message keys, and the plaintext: nothing of a record outlives a call.
    of_records: Vec<Needle>,
    subject: Key,
    class_key: Key,
    message_key: Key,
    ecb_pieces: Vec<Vec<u8>>,
    gcm_pieces: Vec<Vec<u8>>,
}

struct Tokens {
    text: Token,
    text_block_1: Token,
    large: Token,
    wide: Token,
    former: Token,
    changed: Token,
    changed_chacha: Token,
    all: Vec<Token>,
    all_chacha: Vec<Token>,
    all_subject: Vec<Token>,
}

impl World {
    fn get() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::new)
    }

    fn new() -> Self {
        std::panic::set_hook(Box::new(|info| {
            // Panics with this text are part of the test.
            if info.payload_as_str() != Some("constant") {
                eprintln!("{info}");
            }
        }));
        let folder = std::env::temp_dir().join(format!("rxseal-aws-lc-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let path = folder.join("root.key");
        let roots = RootKeys::from(RootKeyFile::new(&path).create().unwrap());
        let root = keys::root_key(&std::fs::read_to_string(&path).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();

        let create = |suite| run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, suite)).unwrap();
        let unlock = |file| run_local(Keyring::unlock_with(aws_lc(), KEYSPACE, &roots, file)).unwrap().unobserved();
        let (stored, stored_chacha) = (create(Suite::Xaes256Gcm), create(Suite::XChaCha20Poly1305));
        let (keys, chacha) = (unlock(&stored), unlock(&stored_chacha));
        let (subject_key, wrapped) = keys.create_subject_key(SUBJECT).unwrap();
        let (_, wrapped_chacha) = chacha.create_subject_key(SUBJECT).unwrap();
        let rec = keys.record("prescription", "RX-1").unwrap();
        let rec_chacha = chacha.record("prescription", "RX-1").unwrap();
        let tokens = Tokens {
            text: rec.seal::<Name>(TEXT).unwrap(),
            text_block_1: rec.seal::<Drug>(TEXT).unwrap(),
            large: seal_in_place(&rec, 200 * 1024).unwrap(),
            wide: keys.record("prescription", "RX-1").unwrap().wide().seal::<Name>(TEXT).unwrap(),
            former: rec.seal::<before::OlderName>(TEXT).unwrap(),
            changed: changed(rec.seal::<Name>(TEXT).unwrap()),
            changed_chacha: changed(rec_chacha.seal::<Name>(TEXT).unwrap()),
            all: all_fields(&rec),
            all_chacha: all_fields(&rec_chacha),
            all_subject: all_fields(&rec.subject(&subject_key).unwrap()),
        };
        let unlocked = keys::unlock(&root, &stored.to_string());
        let dek = dek_of(&unlocked, keys.primary_key().as_bytes());
        let class_key = keys::class_key(&dek, "seal", KEYSPACE, b'X', "identity");
        let message_key = keys::xaes(&class_key, &keys::context_digest(KEYSPACE, "prescription", "RX-1", None)).0;
        let mut world = Self {
            access: Access::new("user:kim.rph", Purpose::TREAT).unwrap(),
            subject: keys::subject_key(&dek, KEYSPACE, SUBJECT, wrapped.as_bytes()).1,
            ecb_pieces: ecb_pieces(&class_key),
            gcm_pieces: gcm_pieces(&message_key),
            secrets: vec![Needle::text("text", TEXT.as_bytes())],
            of_records: vec![Needle::text("text", TEXT.as_bytes())],
            roots,
            root,
            stored,
            stored_chacha,
            keys,
            chacha,
            wrapped,
            wrapped_chacha,
            tokens,
            class_key,
            message_key,
        };
        world.add_needles();
        world
    }

    fn rec(&self) -> Record {
        self.keys.record("prescription", "RX-1").unwrap()
    }

    fn rec_chacha(&self) -> Record {
        self.chacha.record("prescription", "RX-1").unwrap()
    }

    fn rec_subject(&self) -> Record {
        self.rec().subject(&self.subject_key()).unwrap()
    }

    fn rec_subject_chacha(&self) -> Record {
        let key = self.chacha.unwrap_subject_key(SUBJECT, &self.wrapped_chacha).unwrap();
        self.rec_chacha().subject(&key).unwrap()
    }

    fn subject_key(&self) -> SubjectKey {
        self.keys.unwrap_subject_key(SUBJECT, &self.wrapped).unwrap()
    }

    fn open(&self) -> RecordReader {
        self.rec().opened_by(&self.access)
    }

    fn unlock(&self, file: &KeyringFile) -> Keyring {
        run_local(Keyring::unlock_with(aws_lc(), KEYSPACE, &self.roots, file)).unwrap().unobserved()
    }

    fn add_needles(&mut self) {
        let (mut secrets, mut of_records) = (Vec::new(), Vec::new());
        for file in [&self.stored, &self.stored_chacha] {
            self.add_file(file, &mut secrets, &mut of_records);
        }
        for (file, wrapped, letter) in
            [(&self.stored, &self.wrapped, b'X'), (&self.stored_chacha, &self.wrapped_chacha, b'c')]
        {
            let unlocked = keys::unlock(&self.root, &file.to_string());
            let dek = dek_of(&unlocked, &wrapped.as_bytes()[3..9]);
            let subject = self.add_subject_key(SUBJECT, wrapped, &mut secrets);
            for class in CLASSES {
                let key = keys::subject_class_key(&dek, &subject, KEYSPACE, letter, class.as_str(), SUBJECT);
                let what = format!("{} {} with subject", class.as_str(), char::from(letter));
                let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", Some(SUBJECT));
                if letter == b'X' {
                    add_xaes_key(&what, &key, &mut secrets);
                    add_gcm_message_key(&what, &key, &digest, &mut of_records);
                } else {
                    secrets.push(Needle::key(&what, &key));
                }
            }
        }
        let tokens = &self.tokens;
        let of_tokens = tokens.all_chacha.iter().chain([&tokens.changed_chacha, &tokens.wide]);
        of_tokens.for_each(|token| self.add_token(token, &mut of_records));
        self.secrets.extend(secrets);
        self.of_records.extend(of_records);
    }

    /// The keys of one keyring file, with the class keys and the record keys of `RX-1`.
    fn add_file(&self, file: &KeyringFile, secrets: &mut Vec<Needle>, of_records: &mut Vec<Needle>) {
        let unlocked = keys::unlock(&self.root, &file.to_string());
        let json: serde_json::Value = serde_json::from_str(&file.to_string()).unwrap();
        add_kdf_key("root key", &self.root, secrets);
        add_kdf_key("KEK", &unlocked.kek, secrets);
        add_xaes_key("root-wrap key", &unlocked.root_wrap, secrets);
        add_xaes_key("body key", &unlocked.body_key, secrets);
        add_gcm_message_key("root-wrap key", &unlocked.root_wrap, &decoded(&json["wraps"][0]["wrapped"]), secrets);
        add_gcm_message_key("body key", &unlocked.body_key, &decoded(&json["body"]), secrets);
        let digest = keys::context_digest(KEYSPACE, "prescription", "RX-1", None);
        for (_, dek) in &unlocked.body {
            add_kdf_key("DEK or index root", dek, secrets);
            for class in CLASSES {
                let class = class.as_str();
                for letter in *b"Xx" {
                    let key = keys::class_key(dek, "seal", KEYSPACE, letter, class);
                    add_xaes_key(&format!("{class} {}", char::from(letter)), &key, secrets);
                }
                secrets.push(Needle::key(&format!("{class} c"), &keys::class_key(dek, "seal", KEYSPACE, b'c', class)));
                for letter in *b"Xc" {
                    let input = keys::class_key(dek, "subject", KEYSPACE, letter, class);
                    add_kdf_key(&format!("{class} subject input"), &input, secrets);
                }
                let key = keys::class_key(dek, "seal", KEYSPACE, b'X', class);
                add_gcm_message_key(&format!("{class} X"), &key, &digest, of_records);
            }
        }
    }

    fn add_subject_key(&self, subject: &str, wrapped: &WrappedSubjectKey, secrets: &mut Vec<Needle>) -> Key {
        let file = if self.keys.primary_key() == wrapped.key_id() { &self.stored } else { &self.stored_chacha };
        let unlocked = keys::unlock(&self.root, &file.to_string());
        let dek = dek_of(&unlocked, wrapped.key_id().as_bytes());
        let (wrap, key) = keys::subject_key(&dek, KEYSPACE, subject, wrapped.as_bytes());
        add_xaes_key("wrap key of subject keys", &wrap, secrets);
        add_gcm_message_key("wrap key of subject keys", &wrap, &wrapped.as_bytes()[9..], secrets);
        add_kdf_key("subject key", &key, secrets);
        key
    }

    /// The message keys of a token whose nonce stands in it, of any class, with the subject and without.
    fn add_token(&self, token: &Token, of_records: &mut Vec<Needle>) {
        let letter = token.to_string().as_bytes()[3];
        if letter == b'X' {
            return;
        }
        let chacha = letter == b'c';
        let (file, wrapped) =
            if chacha { (&self.stored_chacha, &self.wrapped_chacha) } else { (&self.stored, &self.wrapped) };
        let add = if chacha { add_chacha_message_key } else { add_gcm_message_key };
        let unlocked = keys::unlock(&self.root, &file.to_string());
        let dek = dek_of(&unlocked, token.key_id().as_bytes());
        let subject = keys::subject_key(&dek, KEYSPACE, SUBJECT, wrapped.as_bytes()).1;
        for class in CLASSES {
            let (class, nonce) = (class.as_str(), &token.as_bytes()[9..]);
            let what = format!("{class} {}", char::from(letter));
            add(&what, &keys::class_key(&dek, "seal", KEYSPACE, letter, class), nonce, of_records);
            let key = keys::subject_class_key(&dek, &subject, KEYSPACE, letter, class, SUBJECT);
            add(&format!("{what} with subject"), &key, nonce, of_records);
        }
    }

    /// The keys that a path made: those that a keyring holds, and those of records.
    fn add_needles_of(&self, after: &After, secrets: &mut Vec<Needle>, of_records: &mut Vec<Needle>) {
        after.files.iter().for_each(|file| self.add_file(file, secrets, of_records));
        for (subject, wrapped) in &after.wrapped {
            self.add_subject_key(subject, wrapped, secrets);
        }
        after.tokens.iter().for_each(|token| self.add_token(token, of_records));
    }
}

fn dek_of(unlocked: &keys::Unlocked, id: &[u8]) -> Key {
    unlocked.body.iter().find(|(key_id, _)| key_id == id).unwrap().1
}

fn decoded(text: &serde_json::Value) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

fn aws_lc() -> UnlockOptions {
    UnlockOptions::default().backend(Backend::AwsLc)
}

// What the paths have in common

fn sealed(token: Result<Token, Error>) -> After {
    After { tokens: vec![token.unwrap()], ..After::default() }
}

/// What was opened is the caller's, who wipes it.
fn wiped<T: Zeroize>(opened: Result<T, Error>) -> After {
    opened.unwrap().zeroize();
    After::default()
}

fn refused<T>(opened: Result<T, Error>) -> After {
    assert_eq!(opened.err().map(|error| error.code().as_str()), Some("open-failed"));
    After::default()
}

fn file(made: Result<KeyringFile, Error>) -> After {
    After { files: vec![made.unwrap()], ..After::default() }
}

fn changed(token: Token) -> Token {
    let mut bytes = token.into_bytes();
    *bytes.last_mut().unwrap() ^= 1;
    Token::try_from(bytes).unwrap()
}

/// `len` bytes of the text, sealed in their own buffer, which has room for it.
fn seal_in_place(rec: &Record, len: usize) -> Result<Token, Error> {
    let mut buffer = Vec::with_capacity(len + 8192);
    buffer.extend(TEXT.bytes().cycle().take(len));
    rec.seal_fields(|pass| pass.seal_in_place::<Drug>(&mut buffer))?;
    Token::try_from(buffer)
}

fn open_in_place<F: rxseal::Field>(open: &RecordReader, token: &Token) -> Result<Vec<u8>, Error> {
    let mut buffer = token.as_bytes().to_vec();
    open.open_fields(|pass| pass.open_in_place::<F>(&mut buffer)).map(|()| buffer)
}

fn seal_all(rec: &Record) -> After {
    After { tokens: all_fields(rec), ..After::default() }
}

fn all_fields(rec: &Record) -> Vec<Token> {
    rec.seal_fields(seal_each).unwrap()
}

fn seal_each(pass: &mut rxseal::page::SealPass<'_>) -> Result<Vec<Token>, Error> {
    Ok(vec![
        pass.seal::<Name>(TEXT)?,
        pass.seal::<Phone>(TEXT)?,
        pass.seal::<Drug>(TEXT)?,
        pass.seal::<Prescriber>(TEXT)?,
        pass.seal::<Note>(TEXT)?,
        pass.seal::<Plan>(TEXT)?,
    ])
}

fn open_all(open: &RecordReader, tokens: &[Token]) -> After {
    open.open_fields(|pass| open_each(pass, tokens)).unwrap();
    After::default()
}

fn open_each(pass: &mut rxseal::page::OpenPass<'_>, tokens: &[Token]) -> Result<(), Error> {
    pass.open::<Name, String>(&tokens[0])?.zeroize();
    pass.open::<Phone, String>(&tokens[1])?.zeroize();
    pass.open::<Drug, String>(&tokens[2])?.zeroize();
    pass.open::<Prescriber, String>(&tokens[3])?.zeroize();
    pass.open::<Note, String>(&tokens[4])?.zeroize();
    pass.open::<Plan, String>(&tokens[5])?.zeroize();
    Ok(())
}

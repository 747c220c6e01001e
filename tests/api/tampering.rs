//! Proves that a changed token is refused, whatever was changed (T6, T7, T12, T15, T16; FORMAT 6.3, 6.4, 7.4).
//!
//! Every bit, every prefix, every suffix, extensions, other spellings and splices of 1,000 tokens of all letters: at
//! least a million inputs in a release build, a sample of them in a debug build (`RXSEAL_FULL=1` runs all there too).

use std::collections::{BTreeMap, BTreeSet};

use rxseal::keys::Suite;
use rxseal::root::RootKeys;
use rxseal::{Access, Error, Keyring, Phi, Purpose, Record, RecordReader, Sealing, Token, run_local, testing};
use serde::Deserialize;

rxseal::fields! {
    Tight = "tampering.tight" in Medication { block: 1 };
    Padded = "tampering.padded" in Medication;
    Renamed = "tampering.renamed" in Medication, was "tampering.old" in Clinical, was "tampering.older" in Identity;
}

/// What a refused input may be called.
const CODES: [&str; 3] = ["not-a-token", "open-failed", "unknown-key"];

fn full() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("RXSEAL_FULL").is_some()
}

#[test]
fn no_changed_token_opens() {
    let tokens = if full() { 1000 } else { 12 };
    let [first, second] = [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(Keys::new);
    let targets: Vec<Target> = (0..tokens).map(|number| Target::new(number, &first, &second)).collect();
    let texts: BTreeSet<&str> = targets.iter().map(|target| &target.text[..4]).collect();
    assert_eq!(Vec::from_iter(texts), ["rxsX", "rxsc", "rxsx"], "tokens of all letters");

    let halves = targets.split_at(targets.len() / 2);
    let mut report = Report::default();
    std::thread::scope(|scope| {
        let workers = [halves.0, halves.1]
            .map(|half| scope.spawn(|| half.iter().map(|target| attack(target, &targets)).collect()));
        workers.into_iter().for_each(|worker| report.add(worker.join().expect("no input may panic (T15)")));
    });
    targets.iter().for_each(|target| target.assert_opens());

    println!("{report}");
    assert_eq!(report.accepted, 0, "changed tokens were accepted");
    assert_eq!(report.codes.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from(CODES), "and no other code");
    assert_eq!(report.open_failures.len(), 1, "one text for every failed opening (T16)");
    let wanted = if full() { 1_000_000 } else { 10_000 };
    assert!(report.inputs() >= wanted, "{} inputs are fewer than {wanted}", report.inputs());
}

/// Where the token stands in a serialized record, the same holds: the scope fails, whatever serde made of it.
#[test]
fn no_changed_token_opens_through_serde() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Row {
        phi: Phi<String, Padded>,
        #[serde(with = "Sealing::<Option<Tight>>", default)]
        optional: Option<String>,
    }

    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let rec = keys.record("prescription", "RX-1").unwrap();
    let access = rec.opened_by(&Access::new("job:test", Purpose::HOPERAT).unwrap());
    let phi = rec.seal_text::<Padded>("warfarin 5 MG").unwrap();
    let optional = rec.seal_text::<Tight>("one daily").unwrap();
    let read = |phi: &str, optional: &str| {
        let json = format!(r#"{{"phi":"{phi}","optional":"{optional}"}}"#);
        access.run_opening(|| serde_json::from_str::<Row>(&json))
    };
    read(&phi, &optional).unwrap();
    let mut refused = 0;
    for at in 0..phi.len() {
        for other in "A_z".chars().filter(|other| !phi[at..].starts_with(*other)) {
            let changed = format!("{}{other}{}", &phi[..at], &phi[at + 1..]);
            assert!(CODES.contains(&read(&changed, &optional).err().unwrap().code().as_str()));
            refused += 1;
        }
    }
    for at in 0..optional.len() {
        assert!(CODES.contains(&read(&phi, &optional[..at]).err().unwrap().code().as_str()));
        refused += 1;
    }
    println!("{refused} changed rows refused");
}

/// A keyring with two keys, so that a changed key id can name one that is there.
struct Keys {
    keyring: Keyring,
    before: Keyring,
    other_id: [u8; 6],
}

impl Keys {
    fn new(suite: Suite) -> Self {
        let (roots, _) = testing::insecure_keyring_file("pharmacy-17").unwrap();
        let unlock = |file: &_| run_local(Keyring::unlock("pharmacy-17", &roots, file)).unwrap().unobserved();
        let file = create(&roots, suite);
        let rotated = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &file)).unwrap();
        let (before, keyring) = (unlock(&file), unlock(&rotated));
        let other_id = *before.primary_key().as_bytes();
        assert_ne!(other_id, *keyring.primary_key().as_bytes());
        Self { keyring, before, other_id }
    }
}

fn create(roots: &RootKeys, suite: Suite) -> rxseal::keys::KeyringFile {
    run_local(rxseal::testing::create_keyring("pharmacy-17", roots, suite)).unwrap()
}

/// One token, and how to open it.
struct Target {
    token: Token,
    text: String,
    access: RecordReader,
    field: usize,
    other_id: [u8; 6],
    number: usize,
}

impl Target {
    fn new(number: usize, xaes: &Keys, chacha: &Keys) -> Self {
        let keys = if number % 3 == 2 { chacha } else { xaes };
        let rec = keys.keyring.record("prescription", number).unwrap();
        let rec = match (number % 3, number % 4) {
            // A record type each: without ids, the tokens of one type may be exchanged (N8).
            (1, 0) => keys.keyring.unbound(&format!("prescription-{number}")).unwrap(),
            (1, _) => rec.wide(),
            (_, 1) => rec.part("line", number).unwrap(),
            _ => rec,
        };
        let field = number / 3 % FIELDS.len();
        let token = FIELDS[field].0(&rec, number);
        let access = rec.opened_by(&Access::new("job:test", Purpose::HOPERAT).unwrap());
        // Every fifth is of the key before.
        let old = || {
            let rec = keys.before.record("prescription", number).unwrap();
            (FIELDS[field].0(&rec, number), *keys.keyring.primary_key().as_bytes())
        };
        let plain = number % 3 != 1 && number % 4 != 1;
        let (token, other_id) = if number.is_multiple_of(5) && plain { old() } else { (token, keys.other_id) };
        let target = Self { text: token.to_string(), token, access, field, other_id, number };
        target.assert_opens();
        target
    }

    fn assert_opens(&self) {
        self.open(self.token.as_bytes()).expect("the token itself opens");
        self.open_text(&self.text).expect("the token itself opens");
    }

    fn open(&self, token: &[u8]) -> Result<(), Error> {
        FIELDS[self.field].1(&self.access, token)
    }

    fn open_text(&self, token: &str) -> Result<(), Error> {
        FIELDS[self.field].2(&self.access, token)
    }
}

type Seal = fn(&Record, usize) -> Token;
type Open = fn(&RecordReader, &[u8]) -> Result<(), Error>;
type OpenText = fn(&RecordReader, &str) -> Result<(), Error>;

/// How each kind of target is sealed and opened: text, JSON and bytes-as-text, by all the calls that open one field.
#[rustfmt::skip]
const FIELDS: [(Seal, Open, OpenText); 3] = [
    (
        |rec, number| rec.seal::<Tight>(&"x".repeat(number * 7 % 41)).unwrap(),
        |access, token| access.open::<Tight, String>(&Token::try_from(token)?).map(drop),
        |access, token| access.open_text::<Tight, String>(token).map(drop),
    ),
    (
        |rec, number| rec.seal::<Padded>(&vec![number; number % 5]).unwrap(),
        |access, token| access.open_fields(|pass| pass.open::<Padded, Vec<usize>>(&Token::try_from(token.to_vec())?)).map(drop),
        |access, token| access.open_fields(|pass| pass.open_text::<Padded, Vec<usize>>(token)).map(drop),
    ),
    (
        |rec, number| rec.seal::<Renamed>(&number.to_string()).unwrap(),
        |access, token| access.open_fields(|pass| pass.open_into::<Renamed>(token, &mut Vec::with_capacity(64))),
        |access, token| access.open::<Renamed, String>(&token.parse()?).map(drop),
    ),
];

/// Every change of one token.
fn attack(target: &Target, all: &[Target]) -> Report {
    let mut report = Report::default();
    let bytes = target.token.as_bytes();
    let mut binary = |kind, changed: &[u8]| {
        if changed != bytes {
            report.count(kind, target.open(changed));
        }
    };

    let mut changed = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            changed[at] ^= 1 << bit;
            binary("bits", &changed);
            changed[at] = bytes[at];
        }
    }
    (0..bytes.len()).for_each(|len| binary("prefixes", &bytes[..len]));
    (1..=bytes.len()).for_each(|start| binary("suffixes", &bytes[start..]));
    for len in 1..=33 {
        binary("extensions", &[bytes, &vec![0; len]].concat());
        binary("extensions", &[bytes, &bytes[bytes.len() - len..]].concat());
        binary("extensions", &[&bytes[..len], bytes].concat());
    }
    for magic in [[0xAF, 0x1B, 0x17], [0xAF, 0x1B, 0x31], [0xAF, 0x1B, 0x1C], [0xAF, 0x1A, 0xD7], [0xAF, 0x1A, 0xFF]] {
        let relabelled = [&magic, &bytes[3..]].concat();
        binary("letters", &relabelled);
        binary("letters", &[&relabelled[..9], &[0; 12], &relabelled[9..]].concat());
        binary("letters", &[&relabelled[..9], &relabelled[21..]].concat());
    }
    binary("key ids", &[&bytes[..3], &target.other_id, &bytes[9..]].concat());
    binary("key ids", &[&bytes[..3], &[0; 6], &bytes[9..]].concat());

    let mut random = Random(target.number as u64);
    for _ in 0..200 {
        let other = all[random.below(all.len())].token.as_bytes();
        let (cut, other_cut) = (random.below(bytes.len()), random.below(other.len()));
        let aligned = cut.min(other.len());
        binary("splices", &[&bytes[..cut], &other[aligned..]].concat());
        binary("splices", &[&other[..aligned], &bytes[cut..]].concat());
        binary("splices", &[&bytes[..cut], &other[other_cut..]].concat());
    }

    let text = target.text.as_str();
    let mut textual = |kind, changed: &str| {
        if changed != text {
            report.count(kind, target.open_text(changed));
        }
    };
    let mut spelled = text.as_bytes().to_vec();
    for at in 0..text.len() {
        for bit in 0..7 {
            spelled[at] ^= 1 << bit;
            textual("text bits", std::str::from_utf8(&spelled).unwrap());
            spelled[at] = text.as_bytes()[at];
        }
    }
    (0..text.len()).for_each(|len| textual("text prefixes", &text[..len]));
    (1..text.len()).for_each(|start| textual("text suffixes", &text[start..]));
    for extra in ["=", "==", " ", "\n", "\0", "A", "AA", "AAA", "AAAA", "-", "_", "\u{feff}", "%3D", "\"", ",", text] {
        textual("spellings", &format!("{text}{extra}"));
        textual("spellings", &format!("{extra}{text}"));
        textual("spellings", &format!("{}{extra}{}", &text[..20], &text[20..]));
    }
    textual("spellings", &text.to_uppercase());
    textual("spellings", &text.to_lowercase());
    textual("spellings", &text.replace('-', "+"));
    textual("spellings", &text.replace('_', "/"));
    // The last character's unused bits (FORMAT 1.2): every other one in its place.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        textual("spellings", &format!("{}{last}", &text[..text.len() - 1]));
    }
    report
}

/// What came of the inputs.
#[derive(Default)]
struct Report {
    kinds: BTreeMap<&'static str, usize>,
    codes: BTreeMap<&'static str, usize>,
    open_failures: BTreeSet<String>,
    accepted: usize,
}

impl Report {
    fn count(&mut self, kind: &'static str, result: Result<(), Error>) {
        *self.kinds.entry(kind).or_default() += 1;
        let Err(error) = result else {
            self.accepted += 1;
            return;
        };
        *self.codes.entry(error.code().as_str()).or_default() += 1;
        assert!(!error.is_api_misuse(), "untrusted data is never misuse by the program");
        if error.code().as_str() == "open-failed" {
            // What the error is about stands in brackets: field, record type and key, all known without the key.
            let text = error.to_string();
            let (said, about) = text.split_once(" (").unwrap();
            assert!(about.starts_with("field tampering.") && about.contains(", record type prescription"));
            assert!(std::error::Error::source(&error).is_none(), "a cause could tell them apart");
            if !self.open_failures.contains(said) {
                self.open_failures.insert(said.to_owned());
            }
        }
    }

    fn add(&mut self, others: Vec<Self>) {
        for other in others {
            other.kinds.into_iter().for_each(|(kind, count)| *self.kinds.entry(kind).or_default() += count);
            other.codes.into_iter().for_each(|(code, count)| *self.codes.entry(code).or_default() += count);
            self.open_failures.extend(other.open_failures);
            self.accepted += other.accepted;
        }
    }

    fn inputs(&self) -> usize {
        self.kinds.values().sum()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} changed tokens, {} accepted, 0 panics", self.inputs(), self.accepted)?;
        self.kinds.iter().try_for_each(|(kind, count)| writeln!(f, "  {count:>8} {kind}"))?;
        self.codes.iter().try_for_each(|(code, count)| writeln!(f, "  {count:>8} refused as {code}"))?;
        write!(f, "  {} text(s) for what does not open", self.open_failures.len())
    }
}

/// Numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

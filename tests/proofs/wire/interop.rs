//! Rust and the independent Python reader and writer of docs/FORMAT.md (tests/python) understand each other. They
//! exchange random tokens of all suites, kinds, bindings, parts and subjects in both directions, changed tokens, and
//! keyring files through rotations and states. They disagree about no content and no error code (FORMAT 3 to 10).
//!
//! Ignored by default, since they need python3 with `cryptography`; `.ci/run` runs them. Every run draws new cases:
//! RXSEAL_SEED repeats one.

#[path = "../../python/ask.rs"]
mod ask;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::golden;
use crate::opened::Opened;
use rxseal::keys::{KeyState, KeyringFile, Suite};
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{Access, Class, Error, Field, Keyring, Purpose, Record, Sealing, Token, run_local};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

const KEYSPACE: &str = "interop-7";
const OWN: Class = Class::new("own-class");

rxseal::fields! {
    Name = "interop.name" in Identity;
    Drug = "interop.drug" in Medication { block: 64 };
    Note = "interop.note" in Clinical { block: 256 };
    Tight = "interop.tight" in Contact { block: 1 };
    Large = "interop.large" in Prescriber { block: 4096 };
    Odd = "interop.odd" in OWN { block: 33 };
    New = "interop.new" in Coverage,
        was "interop.new-1" in Coverage,
        was "interop.new-2" in Clinical,
        was "interop.new-3" in OWN,
        was "interop.new-4" in Identity;
}

/// What `New` was before.
mod before {
    use super::OWN;

    rxseal::fields! {
        pub(crate) First = "interop.new-1" in Coverage;
        pub(crate) Third = "interop.new-3" in OWN;
        pub(crate) Fourth = "interop.new-4" in Identity { block: 5 };
    }
}

/// Runs `$body` with `$field` as the field of this id.
macro_rules! by_field {
    ($id:expr, $field:ident => $body:expr) => {
        by_field!(@ $id, $field => $body, Name Drug Note Tight Large Odd New First Third Fourth)
    };
    (@ $id:expr, $field:ident => $body:expr, $($known:ident)*) => {{
        #[allow(unused_imports)]
        use before::{First, Fourth, Third};
        match $id {
            $(id if id == <$known as Field>::ID.as_str() => {
                type $field = $known;
                $body
            })*
            other => panic!("no such field in this test: {other}"),
        }
    }};
}

/// Random enough to find disagreements, and the same again for the same seed (SplitMix64).
struct Draw(u64);

impl Draw {
    fn new(test: &str) -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = std::env::var("RXSEAL_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
        println!("{test}: RXSEAL_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// Mostly short, at times around a multiple of a block, at times long.
    fn length(&mut self) -> usize {
        match self.below(10) {
            0 => 0,
            1..6 => self.below(40),
            6..9 => (32 << self.below(4)) + self.below(6) - 3,
            _ => self.below(5000),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let all_padding = self.chance(20);
        let length = self.length();
        (0..length).map(|_| if all_padding { [0, 0x80][self.below(2)] } else { self.next() as u8 }).collect()
    }

    fn text(&mut self) -> String {
        let length = self.length();
        (0..length).map(|_| self.character()).collect()
    }

    fn character(&mut self) -> char {
        let range = match self.below(8) {
            0..4 => 0x20..0x7F,
            4 => 0..0x20,
            5 => 0x80..0x800,
            6 => 0x800..0xFFFF,
            _ => 0x1_0000..0x11_0000,
        };
        let drawn = range.start + self.below(range.len()) as u32;
        char::from_u32(drawn).unwrap_or('\u{FFFD}')
    }

    /// 1 to 255 bytes of printable ASCII without space (FORMAT 1.4).
    fn identifier(&mut self) -> String {
        if self.chance(25) {
            return self.one_of(&["42", "0042", "+42", "0193e0f2-7c1a-7d3e-8f00-0123456789ab", "~"]).to_owned();
        }
        let length = if self.chance(5) { 255 } else { 1 + self.below(24) };
        (0..length).map(|_| char::from(0x21 + self.below(0x5E) as u8)).collect()
    }

    /// FORMAT 1.3
    fn name(&mut self) -> String {
        let length = if self.chance(5) { 64 } else { 1 + self.below(16) };
        let first = self.one_of(&["a", "z", "0", "9"]).to_owned();
        (1..length).fold(first, |name, _| name + self.one_of(&["a", "k", "z", "0", "9", ".", "_", "-"]))
    }

    fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => self.chance(50).into(),
            2 => self.next().into(),
            3 => (self.next() as i64).into(),
            4 => f64::from_bits(self.next() & !(1 << 62)).into(),
            5 => self.text().into(),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.name(), self.json(depth - 1)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// What is sealed.
#[derive(Clone, PartialEq)]
enum Plain {
    Raw(Vec<u8>),
    Text(String),
    Json(Value),
}

impl Plain {
    fn draw(draw: &mut Draw) -> Self {
        match draw.below(3) {
            0 => Self::Raw(draw.bytes()),
            1 => Self::Text(draw.text()),
            _ => match draw.json(3) {
                // Text that stands alone is of kind 1.
                Value::String(text) => Self::Text(text),
                value => Self::Json(value),
            },
        }
    }

    /// Kind and content as docs/FORMAT.md has them.
    fn content(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Raw(bytes) => (0, bytes.clone()),
            Self::Text(text) => (1, text.clone().into_bytes()),
            Self::Json(value) => (2, serde_json::to_vec(value).unwrap()),
        }
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(bytes) => serializer.serialize_bytes(bytes),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Json(value) => value.serialize(serializer),
        }
    }
}

/// What a token is bound to.
#[derive(Clone)]
struct Context {
    binding: &'static str,
    record_type: String,
    record_id: String,
    parts: Vec<(String, String)>,
    subject: Option<(String, WrappedSubjectKey)>,
}

impl Context {
    fn draw(draw: &mut Draw, subjects: &[(String, WrappedSubjectKey)]) -> Self {
        let steps = if draw.chance(50) { 0 } else { draw.below(9) };
        Self {
            binding: draw.one_of(&["bound", "bound", "wide", "unbound"]),
            record_type: draw.name(),
            record_id: draw.identifier(),
            parts: (0..steps).map(|_| (draw.name(), draw.identifier())).collect(),
            subject: draw.chance(35).then(|| subjects[draw.below(subjects.len())].clone()),
        }
    }

    fn record(&self, keys: &Keyring) -> Result<Record, Error> {
        let mut record = match self.binding {
            "bound" => keys.record(&self.record_type, &self.record_id)?,
            "wide" => keys.record(&self.record_type, &self.record_id)?.wide(),
            _ => keys.unbound(&self.record_type)?,
        };
        if let Some((id, wrapped)) = &self.subject {
            record = record.subject(&keys.unwrap_subject_key(id, wrapped)?)?;
        }
        for (name, id) in &self.parts {
            record = record.part(name, id)?;
        }
        Ok(record)
    }

    /// Another context, near enough to be mistaken for this one.
    fn other(&self, draw: &mut Draw, subjects: &[(String, WrappedSubjectKey)]) -> Self {
        let mut other = self.clone();
        match draw.below(6) {
            0 => other.record_type = draw.name(),
            1 => other.record_id = draw.identifier(),
            2 => other.binding = draw.one_of(&["bound", "wide", "unbound"]),
            3 => _ = other.parts.pop(),
            4 => other.parts.reverse(),
            _ => other.subject = draw.chance(50).then(|| subjects[draw.below(subjects.len())].clone()),
        }
        other
    }
}

/// A token with all that Rust or Python needs to open it.
#[derive(Clone)]
struct Case {
    keyring: usize,
    context: Context,
    field: &'static str,
    token: String,
}

/// The keyrings of a suite: the same keys through rotations and states.
struct World {
    root_line: String,
    stages: Vec<Stage>,
    subjects: Vec<(String, WrappedSubjectKey)>,
}

struct Stage {
    keys: Keyring,
    /// As a file, or as a JSON column gives it back.
    text: String,
}

impl World {
    /// Five stages of one keyring: new; rotated; the first key compromised; rotated again; the second key destroyed.
    fn new(suite: Suite) -> Self {
        let roots = Roots::new();
        let unlock = |file: &KeyringFile| run_local(Keyring::unlock(KEYSPACE, &roots.both, file)).unwrap().unobserved();
        let rotate =
            |file: &KeyringFile| run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots.both, file)).unwrap();
        let set = |file: &KeyringFile, primary_of: &KeyringFile, state| {
            let key = unlock(primary_of).primary_key();
            run_local(rxseal::testing::force_key_state(KEYSPACE, &roots.both, file, key, state)).unwrap()
        };
        let created = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots.both, suite)).unwrap();
        let rotated = rotate(&created);
        let compromised = set(&rotated, &created, KeyState::Compromised);
        let again = rotate(&compromised);
        let destroyed = set(&again, &rotated, KeyState::Destroyed);

        let files = [created, rotated, compromised, again, destroyed];
        let text =
            |at: usize, file: &KeyringFile| if at.is_multiple_of(2) { file.to_string() } else { as_json_column(file) };
        let stage = |(at, file)| Stage { keys: unlock(file), text: text(at, file) };
        let stages: Vec<_> = files.iter().enumerate().map(stage).collect();
        // Wrapped under the first and the second key, so that some of them share their fate.
        let subject = |stage: &Stage, id: &str| (id.to_owned(), stage.keys.create_subject_key(id).unwrap().1);
        let subjects = vec![
            subject(&stages[0], "patient-1"),
            subject(&stages[0], "patient-2"),
            subject(&stages[1], "patient-1"),
            subject(&stages[3], "patient-3"),
        ];
        Self { root_line: roots.second_line, stages, subjects }
    }

    fn draw_case(&self, draw: &mut Draw, stage: usize) -> Case {
        let fields = ["interop.name", "interop.drug", "interop.note", "interop.tight", "interop.large", "interop.odd"];
        let former = ["interop.new", "interop.new-1", "interop.new-3", "interop.new-4"];
        let fields = [&fields[..], &former].concat();
        // A subject key that cannot be unwrapped at this stage cannot seal.
        let context = loop {
            let context = Context::draw(draw, &self.subjects);
            if context.record(&self.stages[stage].keys).is_ok() {
                break context;
            }
        };
        Case { keyring: stage, context, field: draw.one_of(&fields), token: String::new() }
    }

    fn record(&self, case: &Case) -> Result<Record, Error> {
        case.context.record(&self.stages[case.keyring].keys)
    }

    /// What Python is asked.
    fn request<F: Field>(&self, case: &Case) -> serde_json::Map<String, Value> {
        let Context { binding, record_type, record_id, parts, subject } = &case.context;
        let former: Vec<_> = F::FORMER.iter().map(|(id, class)| [id.as_str(), class.as_str()]).collect();
        let request = json!({
            "root_key": self.root_line,
            "keyring": self.stages[case.keyring].text,
            "keyspace": KEYSPACE,
            "record_type": record_type,
            "record_id": (*binding != "unbound").then_some(record_id),
            "binding": binding,
            "parts": parts,
            "subject_id": subject.as_ref().map(|(id, _)| id),
            "subject_key": subject.as_ref().map(|(_, wrapped)| wrapped.to_string()),
            "field_id": F::ID.as_str(),
            "class": F::CLASS.as_str(),
            "former": former,
            "token": case.token,
        });
        match request {
            Value::Object(members) => members,
            _ => unreachable!(),
        }
    }
}

fn worlds() -> [World; 2] {
    [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(World::new)
}

/// Two root keys: either unlocks what is made with both. Python is given the second.
struct Roots {
    both: RootKeys,
    second: RootKeys,
    second_line: String,
}

impl Roots {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("rxseal-interop-{}-{number}", std::process::id()));
        let [first, second] = ["first.key", "second.key"].map(|name| RootKeyFile::new(folder.join(name)));
        let roots = Self {
            both: RootKeys::from(first.create().unwrap()).and(second.create().unwrap()),
            second: RootKeys::from(second.load().unwrap()),
            second_line: fs::read_to_string(folder.join("second.key")).unwrap(),
        };
        fs::remove_dir_all(&folder).unwrap();
        roots
    }
}

/// What a `jsonb` column makes of a file: other spaces, another order of members (FORMAT 8.2).
fn as_json_column(file: &KeyringFile) -> String {
    serde_json::from_str::<Value>(&file.to_string()).unwrap().to_string()
}

fn access() -> Access {
    Access::new("job:interop", Purpose::HOPERAT).unwrap()
}

fn python(command: &str, requests: &[Value]) -> Vec<Value> {
    ask::ask(concat!(env!("CARGO_MANIFEST_DIR"), "/../python"), command, requests)
}

/// What opening came to: the kind with the value, or an error code.
type Outcome = Result<(u8, Opened), String>;

fn outcome_of_python(answer: &Value) -> Outcome {
    let code = answer["outcome"].as_str().unwrap();
    if code != "ok" {
        return Err(code.to_owned());
    }
    let content = unhex(answer["content_hex"].as_str().unwrap());
    let kind = answer["kind"].as_u64().unwrap().try_into().unwrap();
    let value = match kind {
        0 => Opened::Raw(content),
        1 => Opened::Value(String::from_utf8(content).unwrap().into()),
        _ => Opened::Value(serde_json::from_slice(&content).unwrap()),
    };
    Ok((kind, value))
}

fn outcome_of_rust<F: Field>(record: Result<Record, Error>, token: &str) -> Outcome {
    let open = |record: Record| {
        record.opened_by(&access()).open_fields(|pass| {
            let value = pass.open_text::<F, Opened>(token)?;
            // What has no content of its own is JSON.
            let raw = pass.open_into::<F>(token.parse::<Token>()?.as_bytes(), &mut Vec::new());
            let kind = match (&value, raw) {
                (Opened::Raw(_), Ok(())) => 0,
                (Opened::Value(Value::String(_)), Ok(())) => 1,
                (Opened::Value(_), Err(error)) if error.is_type_mismatch() => 2,
                _ => panic!("`open_text` and `open_into` disagree"),
            };
            Ok((kind, value))
        })
    };
    record.and_then(open).map_err(|error: Error| error.code().as_str().to_owned())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The field that a token of this field is opened as: what was sealed under a former id is opened under the new one.
fn opened_as(field: &'static str) -> &'static str {
    if field.starts_with("interop.new") { "interop.new" } else { field }
}

/// Seals by one of the ways there are, which all give the same kind of token.
fn seal<F: Field>(draw: &mut Draw, record: &Record, plain: &Plain) -> String {
    #[derive(Serialize)]
    #[serde(bound = "F: Field")]
    struct Row<'p, F> {
        #[serde(with = "Sealing::<F>")]
        field: &'p Plain,
        #[serde(skip)]
        _field: std::marker::PhantomData<F>,
    }

    match draw.below(4) {
        0 => record.seal_text::<F>(plain).unwrap(),
        1 => record.seal::<F>(plain).unwrap().to_string(),
        2 => {
            let row = Row::<F> { field: plain, _field: std::marker::PhantomData };
            let json = serde_json::to_value(record.sealing(&row)).unwrap();
            json["field"].as_str().unwrap().to_owned()
        }
        _ => {
            let page = rxseal::page::seal_page(std::slice::from_ref(record), |_, pass| {
                // Not the first token of its pass.
                pass.seal_text::<Filler>("before it")?;
                pass.seal_text::<F>(plain)
            });
            page.unwrap().remove(0)
        }
    }
}

rxseal::fields! { Filler = "interop.filler" in Clinical; }

/// Something about the case is changed, so that in most cases it must not open.
fn altered(draw: &mut Draw, world: &World, case: &Case) -> Case {
    let mut case = case.clone();
    match draw.below(6) {
        0 | 1 => case.context = case.context.other(draw, &world.subjects),
        2 => case.keyring = draw.below(world.stages.len()),
        3 => case.field = draw.one_of(&["interop.name", "interop.drug", "interop.new"]),
        4 => {
            let mut bytes = case.token.parse::<Token>().unwrap().into_bytes();
            // As often in the header and the nonce as in what follows.
            let at = if draw.chance(50) { draw.below(33) } else { draw.below(bytes.len()) };
            bytes[at] ^= 1 << draw.below(8);
            case.token = base64_text(&bytes);
        }
        _ => {
            let at = draw.below(case.token.len() + 1);
            match draw.below(3) {
                0 => case.token.truncate(at),
                1 => case.token.insert(at, ['A', '_', '=', ' ', '\n'][draw.below(5)]),
                _ => _ = case.token.pop(),
            }
        }
    }
    case
}

fn base64_text(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn python_opens_1000_tokens_of_rust() {
    let mut draw = Draw::new("python_opens_1000_tokens_of_rust");
    let worlds = worlds();
    let (mut requests, mut contents, mut letters) = (Vec::new(), Vec::new(), BTreeMap::new());
    for number in 0..1000 {
        let world = &worlds[number % 2];
        let stage = draw.below(world.stages.len());
        let mut case = world.draw_case(&mut draw, stage);
        let plain = Plain::draw(&mut draw);
        let record = world.record(&case).unwrap();
        case.token = by_field!(case.field, F => seal::<F>(&mut draw, &record, &plain));
        *letters.entry(case.token[..4].to_owned()).or_insert(0) += 1;
        requests.push(by_field!(opened_as(case.field), F => world.request::<F>(&case)).into());
        contents.push(plain.content());
    }
    let mut disagreements = 0;
    for (answer, (kind, content)) in python("open", &requests).iter().zip(contents) {
        let expected = json!({"outcome": "ok", "kind": kind, "content_hex": hex(&content)});
        disagreements += usize::from(*answer != expected);
    }
    println!("1000 tokens of Rust opened by Python, {letters:?}, {disagreements} disagreements");
    assert_eq!(disagreements, 0);
    assert!(letters.len() == 3 && letters.values().all(|count| *count > 100), "{letters:?}");
}

#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn rust_opens_1000_tokens_of_python() {
    let mut draw = Draw::new("rust_opens_1000_tokens_of_python");
    let worlds = worlds();
    let (mut requests, mut cases) = (Vec::new(), Vec::new());
    for number in 0..1000 {
        let world = &worlds[number % 2];
        let stage = draw.below(world.stages.len());
        let case = world.draw_case(&mut draw, stage);
        let plain = Plain::draw(&mut draw);
        let (kind, content) = plain.content();
        let mut request = by_field!(case.field, F => world.request::<F>(&case));
        request.extend([
            ("kind".to_owned(), kind.into()),
            ("content_hex".to_owned(), hex(&content).into()),
            ("block".to_owned(), (1 + draw.below(300)).into()),
        ]);
        requests.push(request.into());
        cases.push((world, case, plain));
    }
    let mut disagreements = 0;
    for (answer, (world, mut case, plain)) in python("seal", &requests).iter().zip(cases) {
        case.token = answer["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let outcome = by_field!(opened_as(case.field), F => outcome_of_rust::<F>(world.record(&case), &case.token));
        let expected = match plain {
            Plain::Raw(bytes) => (0, Opened::Raw(bytes)),
            Plain::Text(text) => (1, Opened::Value(text.into())),
            Plain::Json(value) => (2, Opened::Value(value)),
        };
        disagreements += usize::from(outcome != Ok(expected));
    }
    println!("1000 tokens of Python opened by Rust, {disagreements} disagreements");
    assert_eq!(disagreements, 0);
}

/// Not only what opens: what was changed, moved to another record, or is under a key in another state comes to the same
/// for both.
#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn both_refuse_2000_altered_tokens_alike() {
    let mut draw = Draw::new("both_refuse_2000_altered_tokens_alike");
    let worlds = worlds();
    let (mut requests, mut outcomes) = (Vec::new(), Vec::new());
    for number in 0..2000 {
        let world = &worlds[number % 2];
        let stage = draw.below(world.stages.len());
        let mut case = world.draw_case(&mut draw, stage);
        let plain = Plain::draw(&mut draw);
        let record = world.record(&case).unwrap();
        case.token = by_field!(case.field, F => seal::<F>(&mut draw, &record, &plain));
        let case = altered(&mut draw, world, &case);
        by_field!(opened_as(case.field), F => {
            outcomes.push(outcome_of_rust::<F>(world.record(&case), &case.token));
            requests.push(world.request::<F>(&case).into());
        });
    }
    let (mut disagreements, mut codes) = (Vec::new(), BTreeMap::new());
    for (number, answer) in python("open", &requests).iter().enumerate() {
        let expected = outcome_of_python(answer);
        let code = |outcome: &Outcome| outcome.as_ref().map_or_else(String::clone, |_| "ok".to_owned());
        *codes.entry(code(&expected)).or_insert(0) += 1;
        if outcomes[number] != expected {
            disagreements.push((number, code(&outcomes[number]), code(&expected)));
        }
    }
    println!("2000 altered tokens, {codes:?}");
    assert!(disagreements.is_empty(), "(number, Rust, Python): {disagreements:?}");
    for code in ["ok", "open-failed", "not-a-token", "unknown-key", "key-compromised", "key-destroyed"] {
        assert!(codes.get(code).is_some_and(|count| *count > 10), "{code} was hardly tried: {codes:?}");
    }
}

/// FORMAT 8.1, 8.2 and 8.5: a keyring file in which something was changed.
#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn both_judge_1000_altered_keyring_files_alike() {
    let mut draw = Draw::new("both_judge_1000_altered_keyring_files_alike");
    let (mut requests, mut outcomes) = (Vec::new(), Vec::new());
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let Roots { both, second, second_line } = Roots::new();
        let file = run_local(rxseal::testing::create_keyring(KEYSPACE, &both, suite)).unwrap();
        let file = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &both, &file)).unwrap();
        let keys = run_local(Keyring::unlock(KEYSPACE, &both, &file)).unwrap().unobserved();
        let token = keys.unbound("patient").unwrap().seal_text::<Name>("x").unwrap();
        for _ in 0..500 {
            let text = altered_text(&mut draw, &file.to_string());
            let unlocked = text.parse().and_then(|file| run_local(Keyring::unlock(KEYSPACE, &second, &file)));
            let outcome = unlocked.and_then(|keys| {
                let record = keys.unobserved().unbound("patient")?;
                record.opened_by(&access()).open_text::<Name, String>(&token)
            });
            outcomes.push(outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok").to_owned());
            requests.push(json!({
                "root_key": second_line, "keyring": text, "keyspace": KEYSPACE, "record_type": "patient", "record_id": null,
                "binding": "unbound", "parts": [], "subject_id": null, "subject_key": null, "field_id": Name::ID.as_str(),
                "class": Name::CLASS.as_str(), "former": [], "token": token,
            }));
        }
    }
    let (mut disagreements, mut codes) = (Vec::new(), BTreeMap::new());
    for (number, answer) in python("open", &requests).iter().enumerate() {
        let expected = answer["outcome"].as_str().unwrap().to_owned();
        if outcomes[number] != expected {
            println!("{}", requests[number]["keyring"].as_str().unwrap());
            disagreements.push((number, outcomes[number].clone(), expected.clone()));
        }
        *codes.entry(expected).or_insert(0) += 1;
    }
    println!("1000 altered keyring files, {codes:?}");
    assert!(disagreements.is_empty(), "(number, Rust, Python): {disagreements:?}");
    for code in ["ok", "invalid-keyring", "unlock-failed"] {
        assert!(codes.get(code).is_some_and(|count| *count > 10), "{code} was hardly tried: {codes:?}");
    }
}

/// One edit, mostly of one that leaves JSON behind.
fn altered_text(draw: &mut Draw, text: &str) -> String {
    let mut text = text.to_owned();
    let swaps = [
        ("\"active\"", "\"deactivated\""),
        ("\"deactivated\"", "\"active\""),
        ("\"deactivated\"", "\"compromised\""),
        ("\"deactivated\"", "\"destroyed\""),
        ("true", "false"),
        ("false", "true"),
        ("\"generation\": 2", "\"generation\": 1"),
        ("\"generation\": 2", "\"generation\": 2.0"),
        ("\"generation\": 2", "\"generation\": 02"),
        ("\"generation\": 2", "\"generation\": -2"),
        ("\"generation\": 2", "\"generation\": 9007199254740992"),
        ("\"generation\": 2", "\"generation\": 18446744073709551616"),
        ("\"kind\": \"full\"", "\"kind\": \"class\""),
        ("\"kind\": \"full\"", "\"kind\": \"full\", \"kind\": \"full\""),
        ("\"kind\": \"full\"", "\"kind\": \"f\\u0075ll\""),
        ("\"suite\": \"X\"", "\"suite\": \"c\""),
        ("\"suite\": \"c\"", "\"suite\": \"X\""),
        ("\"use\": \"index\"", "\"use\": \"seal\""),
        (":", " :\n\t"),
        ("}", "\r\n}"),
        ("\n", ""),
        ("interop-7", "interop-8"),
        ("\"local\"", "\"other\""),
    ];
    match draw.below(4) {
        0 | 1 => {
            let (from, to) = swaps[draw.below(swaps.len())];
            text.replacen(from, to, 1 + draw.below(2))
        }
        2 => {
            let at = draw.below(text.len());
            let character = char::from(0x20 + draw.below(0x5F) as u8).to_string();
            text.replace_range(at..=at, &character);
            text
        }
        _ => {
            text.remove(draw.below(text.len()));
            text
        }
    }
}

/// FORMAT.md alone lets a stranger open the golden tokens (tests/golden).
#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn python_opens_the_golden_tokens() {
    let read =
        |file: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden").join(file)).unwrap();
    let subject_keys: BTreeMap<String, String> = serde_json::from_str(&read("subject-keys.json")).unwrap();
    let lists = golden::token_files().map(|file| serde_json::from_str::<Vec<Value>>(&read(file)).unwrap());
    let mut requests: Vec<_> = lists.flatten().collect();
    for request in &mut requests {
        let keyring = request["keyring"].as_str().unwrap().to_owned();
        request["subject_key"] = request["subject"].as_str().map(|_| subject_keys[&keyring].clone()).into();
        request["subject_id"] = request["subject"].take();
        request["field_id"] = request["field"].take();
        request["keyring"] = read(&keyring).into();
        request["root_key"] = read("root-key.txt").into();
        request["keyspace"] = "golden".into();
    }
    for (request, answer) in requests.iter().zip(python("open", &requests)) {
        assert_eq!(answer["outcome"], request["expect"], "{}", answer["why"]);
        let Ok((_, opened)) = outcome_of_python(&answer) else { continue };
        let opened = match opened {
            Opened::Raw(bytes) => json!(bytes),
            Opened::Value(value) => value,
        };
        assert!(opened == request["value"], "a golden token opened to something else");
    }
    println!("{} golden tokens opened by Python", requests.len());
}

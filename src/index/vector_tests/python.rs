//! Random definitions, keys, forms and owners: this crate and tests/python compute the same values.
//!
//! Ignored by default, since it needs python3; `.ci/run` runs it. Every run draws new cases: RXSEAL_SEED repeats one.

#[path = "../../../tests/python/ask.rs"]
mod ask;

use serde_json::{Value, json};

use super::{computed, hex, texts};
use crate::backend::Backend;

#[test]
#[ignore = "needs python3 with cryptography and unicodedata2"]
fn random_values_are_those_of_python() {
    let count = if std::env::var_os("RXSEAL_FULL").is_some() { 10_000 } else { 500 };
    let mut random = Random::new();
    let requests: Vec<_> = (0..count).map(|_| random.request()).collect();
    let (mut values, mut refused) = (0, 0);
    for (request, answer) in requests.iter().zip(python(&requests)) {
        for backend in Backend::ALL {
            let outcome = computed(*backend, request);
            let code = outcome.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
            assert_eq!(code, answer["outcome"].as_str().unwrap(), "seed {}: {request}", random.seed);
            let Ok(made) = outcome else {
                refused += 1;
                continue;
            };
            assert_eq!(hex(&made.digest), answer["digest_hex"].as_str().unwrap(), "seed {}: {request}", random.seed);
            assert_eq!(hex(&made.prefix), answer["prefix_hex"].as_str().unwrap(), "seed {}: {request}", random.seed);
            let expected: Vec<_> =
                answer["values"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
            let all: Vec<_> = made.values.iter().map(|(_, _, value)| value.to_string()).collect();
            assert_eq!(all, expected, "seed {}: {request}", random.seed);
            assert_eq!(
                texts(made.stored.as_slice()),
                super::list(&answer["stored"]),
                "seed {}: {request}",
                random.seed
            );
            values += all.len();
        }
    }
    assert!(values > count && refused > 0, "{values} values, {refused} refusals");
}

fn python(requests: &[Value]) -> Vec<Value> {
    ask::ask(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python"), "index", requests)
}

/// SplitMix64.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let drawn = || {
            let mut bytes = [0; 8];
            crate::random::fill(&mut bytes).unwrap();
            u64::from_be_bytes(bytes)
        };
        let seed = std::env::var("RXSEAL_SEED").map_or_else(|_| drawn(), |seed| seed.parse().unwrap());
        Self { seed, state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()]
    }

    fn name(&mut self) -> String {
        const FIRST: &[u8] = b"abcxyz019";
        const OTHER: &[u8] = b"abcxyz019._-";
        let length = 1 + self.below(64);
        let mut letter =
            |of: &[u8]| char::from(of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()]);
        std::iter::once(letter(FIRST)).chain((1..length).map(|_| letter(OTHER))).collect()
    }

    /// A normal form; now and then one that has slots, an empty one, or one that is too long.
    fn form(&mut self) -> String {
        match self.below(12) {
            0..=5 => self.one(&["smith", "jones", "obrien", "smi", "王"]).to_owned(),
            6 => String::new(),
            7 => "n".repeat(usize::try_from(250 + self.below(8)).unwrap()),
            _ => (0..=self.below(40))
                .filter_map(|_| char::from_u32(u32::try_from(self.below(0x2000)).unwrap()))
                .collect(),
        }
    }

    fn request(&mut self) -> Value {
        let kind = self.one(&["whole", "whole", "compound", "parts", "sounds"]);
        let components = if kind == "compound" { 2 + self.below(3) } else { 1 };
        let has_slots = kind != "compound" && self.below(2) == 0;
        let is_unique = matches!(kind, "whole" | "compound") && !has_slots && self.below(8) == 0;
        let bits = if is_unique { 128 } else { 8 + self.below(57) };
        let slots = has_slots.then(|| {
            let entries: Vec<_> = ["smith", "jones", "王"].map(|form| json!([form, 2 + self.below(255)])).into();
            json!({"id": format!("{}/{}", self.name(), 1 + self.below(99)), "entries": entries})
        });
        let normalizers: Vec<_> = (0..components).map(|_| format!("{}/{}", self.name(), 1 + self.below(12))).collect();
        let many = matches!(kind, "parts" | "sounds");
        let forms: Vec<Vec<_>> = (0..if many { self.below(10) } else { self.below(2) })
            .map(|_| (0..components).map(|_| self.form()).collect())
            .collect();
        let owner = match self.below(10) {
            0 => Value::Null,
            1 => json!(["person", self.one(&["", "a b", "urn:uuid:1", "é"])]),
            _ => json!([self.one(&["subject", "record", "person"]), format!("P-{}", self.next())]),
        };
        let mut root = [0; 32];
        root.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_be_bytes()));
        json!({
            "index_root_hex": hex(&root),
            "keyspace": self.name(),
            "definition": {
                "record_type": self.name(), "index_id": self.name(), "kind": kind, "bits": bits, "slots": slots,
                "normalizers": normalizers,
            },
            "forms": forms,
            "owner": owner,
        })
    }
}

//! Random texts: the crate and tests/python make the same of each.
//!
//! Ignored by default, since it needs python3 with `unicodedata2`; `.ci/run` runs it. Every run draws new texts: RXSEAL_SEED repeats one.

#[path = "../../python/ask.rs"]
mod ask;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{Made, made};
use crate::draw::Draw;

/// Texts for each normaliser.
fn count() -> usize {
    if std::env::var_os("RXSEAL_FULL").is_some() { 10_000 } else { 500 }
}

/// What texts are made of: pieces that mean something to a normaliser, and characters of many scripts.
const NAMES: &[&str] = &[
    "smith",
    "Jones",
    "O'Brien",
    "de",
    "la",
    "De La",
    "van",
    "Mac",
    "Jr.",
    "III",
    "phd",
    "v",
    "Peña",
    "José",
    "\u{301}",
    "ß",
    "Æ",
    "Ø",
    "ŋ",
    "İ",
    "ı",
    "Σ",
    "ς",
    "-",
    " ",
    ", ",
    "'",
    "\u{2019}",
    "\u{ad}",
    "\u{200d}",
    ".",
    "unknown",
    "baby boy",
    "\u{915}\u{94d}\u{937}",
    "\u{958}",
    "가",
    "\u{1100}\u{1161}",
    "\u{ac00}\u{11a8}",
    "王",
    "\u{fb01}",
    "Ⅳ",
    "x",
    "schm",
    "wicz",
    "gh",
    "cc",
    "ough",
    "tion",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "555",
    "212",
    "8",
    "9",
    "19",
    "70",
    "2000",
    "-02-29",
    "-",
    "-0",
    "-12-31",
    " ",
    "\u{a0}",
    "\u{2013}",
    "(",
    ")",
    "(0)",
    "+",
    ".",
    "/",
    "x1",
    "ext. 12",
    "#5",
    ";ext=7",
    "AP5836727",
    "A",
    "b",
    "a9",
    "1234567893",
    "0002-8215-01",
    "078-05-1120",
    "1970-01-31",
    "\u{661}",
    "@",
    "ann",
    "example.org",
    "\n",
    "\t",
];

#[test]
#[ignore = "needs python3 with unicodedata2"]
fn random_texts_have_one_form() {
    let mut random = Random::new();
    let mut requests = Vec::new();
    for normalizer in ["family/1", "given/1", "sounds/1"] {
        requests.extend((0..count()).map(|_| json!({"normalizer": normalizer, "text": random.text(NAMES)})));
        requests.extend((0..count()).map(|_| json!({"normalizer": normalizer, "text": random.word()})));
    }
    for normalizer in ["date/1", "phone/1", "npi/1", "dea/1", "ssn/1", "ndc/1", "id/1", "email/1", "exact/1"] {
        requests.extend((0..count()).map(|_| json!({"normalizer": normalizer, "text": random.text(NUMBERS)})));
    }
    let mut forms = 0;
    for (request, answer) in requests.iter().zip(python(&requests)) {
        let outcome = made(request["normalizer"].as_str().unwrap(), request["text"].as_str().unwrap());
        let list = answer.get("parts").or_else(|| answer.get("codes"));
        let list =
            list.map(|list| list.as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect());
        let expected = match answer["outcome"].as_str().unwrap() {
            "ok" => Ok(Made { form: answer.get("form").and_then(Value::as_str).map(str::to_owned), parts: list }),
            code => Err(code.to_owned()),
        };
        forms += usize::from(expected.is_ok());
        assert_eq!(
            outcome.map_err(|error| error.code().as_str().to_owned()),
            expected,
            "seed {}: {request}",
            random.seed
        );
    }
    println!("{} texts, {forms} forms", requests.len());
    assert!(forms > requests.len() / 10, "nearly every text is refused");
}

fn python(requests: &[Value]) -> Vec<Value> {
    ask::ask(concat!(env!("CARGO_MANIFEST_DIR"), "/../python"), "form", requests)
}

struct Random {
    seed: u64,
    draw: Draw,
}

impl Random {
    fn new() -> Self {
        let now =
            || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % 1_000_000_007).unwrap();
        let seed = std::env::var("RXSEAL_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
        println!("RXSEAL_SEED={seed}");
        Self { seed, draw: Draw(seed) }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.draw.below(bound)
    }

    fn text(&mut self, pieces: &[&str]) -> String {
        let count = self.below(7);
        let mut text = String::new();
        for _ in 0..count {
            match self.below(40) {
                0 => text.extend(char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap())),
                1 => text.extend(char::from_u32(u32::try_from(self.below(0x3000)).unwrap())),
                _ => text.push_str(pieces[self.below(pieces.len())]),
            }
        }
        text
    }

    /// Letters, which Double Metaphone has most to say of.
    fn word(&mut self) -> String {
        const LETTERS: &[u8] = b"aabcdeefgghhiijkllmmnnooppqrrssttuvwwxyyzz";
        let count = 1 + self.below(9);
        (0..count).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }
}

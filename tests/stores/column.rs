//! A column in the middle of a migration: tokens of every kind and record tags under several keys, as text and as bytes, truncated
//! and changed ones, plaintext and nulls.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rxseal::count::KeyCounts;
use rxseal::keys::{KeyringFile, Suite};
use rxseal::root::RootKeys;
use rxseal::testing::insecure_keyring_file;
use rxseal::{KeyId, Keyring, RecordTag, Token, phi, run_local};

pub enum Value {
    Null,
    Text(String),
    Bytes(Vec<u8>),
}

/// Three keyrings: of suite X, the same after a rotation, and of suite c.
pub fn key_ids() -> &'static [(KeyringFile, RootKeys)] {
    static KEYS: OnceLock<Vec<(KeyringFile, RootKeys)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        let (others, _) = insecure_keyring_file("pharmacy-18").unwrap();
        let second = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        let chacha =
            run_local(rxseal::testing::create_keyring("pharmacy-18", &others, Suite::XChaCha20Poly1305)).unwrap();
        vec![(first, roots.clone()), (second, roots), (chacha, others)]
    })
}

/// Tokens of the letters X, x and c, under each key.
pub fn tokens() -> &'static [Token] {
    static TOKENS: OnceLock<Vec<Token>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let mut tokens = Vec::new();
        for (file, roots) in key_ids() {
            let keys = run_local(Keyring::unlock(file.keyspace(), roots, file)).unwrap().unobserved();
            // Every length of text, modulo 4.
            for length in [1, 33, 65, 100] {
                let plain = "x".repeat(length);
                tokens.push(keys.record("rx", 1).unwrap().seal::<phi::Drug>(&plain).unwrap());
                tokens.push(keys.unbound("rx").unwrap().seal::<phi::Drug>(&plain).unwrap());
            }
        }
        tokens
    })
}

/// What is under a key: a token or a record tag.
pub struct UnderKey {
    pub key: KeyId,
    pub text: String,
    pub bytes: Vec<u8>,
}

/// All tokens, and two record tags under each key. Counting does not verify a tag, so their HMAC is made up.
pub fn all() -> &'static [UnderKey] {
    static ALL: OnceLock<Vec<UnderKey>> = OnceLock::new();
    ALL.get_or_init(|| {
        let token =
            |token: &Token| UnderKey { key: token.key_id(), text: token.to_string(), bytes: token.as_bytes().to_vec() };
        let keys: std::collections::BTreeSet<_> = tokens().iter().map(Token::key_id).collect();
        let tag = |(key, number): (&KeyId, u8)| {
            let bytes =
                [&[0xAF, 0x1A, 0xD2][..], key.as_bytes(), &[1, 0, 0, 0, 0, 0, number], &[number ^ 0xB7; 32]].concat();
            let tag = RecordTag::try_from(bytes.as_slice()).unwrap();
            UnderKey { key: *key, text: tag.text().unwrap(), bytes }
        };
        let tags = keys.iter().flat_map(|key| [tag((key, 1)), tag((key, 200))]);
        tokens().iter().map(token).chain(tags).collect()
    })
}

pub fn values(rows: usize) -> Vec<Value> {
    (0..rows).map(|row| value(row, &all()[row / 16 % all().len()])).collect()
}

/// One of 16 kinds, the last ones with a place in the token that moves on.
fn value(row: usize, token: &UnderKey) -> Value {
    let (text, bytes) = (token.text.clone(), token.bytes.clone());
    let at = row / 16 % text.len();
    match row % 16 {
        0..4 => Value::Text(text),
        4..8 => Value::Bytes(bytes),
        8 => Value::Null,
        9 => Value::Text(
            ["warfarin 5 MG", "", "rxs", "rxsX", "Jane Doe", "rxs\\x", "ärxsX", "rxrS", "rxrR", "rxr\\S"]
                [row / 16 % 10]
                .to_owned(),
        ),
        10 => Value::Text(text[..at].to_owned()),
        11 => Value::Bytes(bytes[..row / 16 % bytes.len()].to_vec()),
        // One character is another: of the alphabet, where it may be a token still, or not of it.
        12 => Value::Text(format!("{}{}{}", &text[..at], ["A", "B", "g", "8"][row / 16 % 4], &text[at + 1..])),
        13 => Value::Text(format!("{}{}{}", &text[..at], ["=", "+", " ", "\n"][row / 16 % 4], &text[at + 1..])),
        14 => {
            let magics = [[0x1B, 0x17], [0x1B, 0x31], [0x1B, 0x1C], [0x1B, 0x18], [0x1A, 0xD2], [0x1A, 0xD1]];
            Value::Bytes([&[0xAF], &magics[row / 16 % magics.len()][..], &bytes[3..]].concat())
        }
        _ => Value::Bytes(b"warfarin 5 MG, once a day, for the patient of before".to_vec()),
    }
}

/// Texts of tokens that are joined in all kinds of ways, and how many of each key are in them.
pub fn joined_texts(cases: usize) -> impl Iterator<Item = (String, BTreeMap<KeyId, u64>)> {
    const BETWEEN: [&str; 31] = [
        "-",
        "_",
        "",
        "a",
        "Zz9",
        "-7-",
        ",",
        "\n",
        "\r\n",
        "\"",
        " ",
        "ä",
        "rxs",
        "rxsX",
        "rxrxs",
        "rxsc-",
        r"\u002d",
        "%2D",
        "&#45;",
        r"\/",
        "RXSX",
        "=\n",
        "%72%78%73",
        "rx\nsX",
        "rxrS",
        "rxrxrS",
        "rxrs",
        "rxsrx",
        "RXRS",
        "rx\nrS",
        r"\u0072\u0078\u0072S",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..cases).map(move |_| {
        let (mut text, mut placed) = (String::new(), BTreeMap::new());
        for _ in 0..=draw(4) {
            let UnderKey { key, text: letters, .. } = &all()[draw(all().len())];
            text.push_str(BETWEEN[draw(BETWEEN.len())]);
            match draw(12) {
                // Cut off, or with letters that are others: it is none any more.
                0 => text.push_str(&letters[..draw(letters.len())]),
                1 => text.push_str(&letters.to_uppercase()),
                // Wrapped, as mail is.
                2 => {
                    // Not within its key, of which nothing can be read then where it is joined to another one.
                    let at = [1 + draw(3), 12 + draw(letters.len() - 20)][draw(2)];
                    text.push_str(&format!("{}{}{}", &letters[..at], ["\n", "\r\n", "=\n"][draw(3)], &letters[at..]));
                    *placed.entry(*key).or_default() += 1;
                }
                _ => {
                    text.push_str(letters);
                    *placed.entry(*key).or_default() += 1;
                }
            }
        }
        text.push_str(BETWEEN[draw(BETWEEN.len())]);
        (text, placed)
    })
}

/// Binary tokens of these keys, one behind the other, with nothing or a byte between.
pub fn joined_bytes(placed: &BTreeMap<KeyId, u64>) -> Vec<(Vec<u8>, BTreeMap<KeyId, u64>)> {
    // Each other one is a record tag.
    let of = |key: &KeyId, at: u64| {
        let one = all().iter().find(|one| one.key == *key && (one.bytes.len() == 48) == (at % 2 == 1));
        one.unwrap().bytes.as_slice()
    };
    let join = |between: &[u8]| {
        let all: Vec<_> = placed.iter().flat_map(|(key, count)| (0..*count).map(|at| of(key, at))).collect();
        (all.join(between), placed.clone())
    };
    let none = placed.is_empty();
    if none { Vec::new() } else { vec![join(&[]), join(&[0]), join(&[0xAF]), join(&[0xAF, 0x1B]), join(&[0xAF, 0x1A])] }
}

/// The rows of a statement, in the way in which `KeyCounts` tells them: what is joined counts as what it is where its key is known.
pub fn with_joined(rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let (joined, plain): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(name, _)| name.starts_with("joined:"));
    let mut all: BTreeMap<_, _> = plain.into_iter().collect();
    for (name, count) in joined {
        let key = name.trim_start_matches("joined:").to_owned();
        *all.entry(if all.contains_key(&key) { key } else { name }).or_default() += count;
    }
    all.into_iter().collect()
}

pub fn rows_of(counts: &KeyCounts) -> Vec<(String, u64)> {
    let plain = counts.not_tokens() - counts.look_alikes();
    let others = [
        ("looks like a token", counts.look_alikes()),
        ("not a token", plain),
        ("not one token as a whole", counts.not_sealed()),
        ("null", counts.nulls()),
    ];
    let others = others.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count));
    let joined = counts.joined().map(|(key, count)| (format!("joined:{key}"), count));
    let mut rows: Vec<_> =
        counts.iter().map(|(key, count)| (key.to_string(), count)).chain(others).chain(joined).collect();
    rows.sort();
    rows
}

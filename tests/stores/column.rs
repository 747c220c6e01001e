//! A column as it looks in the middle of a migration: tokens of every kind under several keys, as text and as bytes, cut off and
//! changed ones, plaintext and nulls.

use std::sync::OnceLock;

use rxseal::testing::insecure_keyring_file;
use rxseal::{KeyCounts, Keyring, KeyringFile, RootKeys, Suite, Token, count_by_key, phi, run_local};

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
        let second = run_local(Keyring::rotate("pharmacy-17", &roots, &first)).unwrap();
        let chacha = run_local(Keyring::create("pharmacy-18", &others, Suite::XChaCha20Poly1305)).unwrap();
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

pub fn values(rows: usize) -> Vec<Value> {
    (0..rows).map(|row| value(row, &tokens()[row / 16 % tokens().len()])).collect()
}

/// One of 16 kinds, the last ones with a place in the token that moves on.
fn value(row: usize, token: &Token) -> Value {
    let (text, bytes) = (token.to_string(), token.as_bytes().to_vec());
    let at = row / 16 % text.len();
    match row % 16 {
        0..4 => Value::Text(text),
        4..8 => Value::Bytes(bytes),
        8 => Value::Null,
        9 => Value::Text(["warfarin 5 MG", "", "rxs", "rxsX", "Jane Doe", "rxs\\x", "ärxsX"][row / 16 % 7].to_owned()),
        10 => Value::Text(text[..at].to_owned()),
        11 => Value::Bytes(bytes[..row / 16 % bytes.len()].to_vec()),
        // One character is another: of the alphabet, where it may be a token still, or not of it.
        12 => Value::Text(format!("{}{}{}", &text[..at], ["A", "B", "g", "8"][row / 16 % 4], &text[at + 1..])),
        13 => Value::Text(format!("{}{}{}", &text[..at], ["=", "+", " ", "\n"][row / 16 % 4], &text[at + 1..])),
        14 => Value::Bytes([&[0xAF, 0x1B, [0x17, 0x31, 0x1C, 0x18][row / 16 % 4]], &bytes[3..]].concat()),
        _ => Value::Bytes(b"warfarin 5 MG, once a day, for the patient of before".to_vec()),
    }
}

/// What Rust counts, and the nulls.
#[allow(dead_code, reason = "only SQLite has columns of both types")]
pub fn expected(column: &[Value]) -> (KeyCounts, u64) {
    let nulls = column.iter().filter(|value| matches!(value, Value::Null)).count();
    let bytes = column.iter().filter_map(|value| match value {
        Value::Null => None,
        Value::Text(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes.as_slice()),
    });
    (count_by_key(bytes), nulls as u64)
}

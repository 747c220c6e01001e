//! A column of index values: of every length, as text and as bytes, under several prefixes, damaged ones, plaintext and nulls.

use rxseal::count::IndexCounts;

use crate::column::Value;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The cells, and what is to be counted.
pub fn index_cells() -> (Vec<Value>, IndexCounts) {
    let mut cells = Vec::new();
    for prefix in [[0xC0, 0xB8, 0x1F], [0, 0, 0], [0xFF, 0xFB, 0xEF], [0x9E, 0xE9, 0x65]] {
        for len in 0..=24 {
            let value: Vec<_> =
                prefix.into_iter().chain((0..21_u8).map(|at| (at * 12).wrapping_add(prefix[0]))).take(len).collect();
            let text = base64url(&value);
            // A bit that no value of this length has.
            let mut changed = text.clone();
            changed.pop();
            changed.push('B');
            for text in [text.clone(), changed, format!("{text}="), format!("{text} "), text.to_lowercase()] {
                cells.push(Value::Text(text));
            }
            cells.push(Value::Bytes(value));
        }
    }
    for text in ["", "1970-01-31", "null", "no value", "wLgfnG+", "wLgfn\u{e9}"] {
        cells.push(Value::Text(text.to_owned()));
    }
    cells.push(Value::Null);
    let mut counts = IndexCounts::default();
    for cell in &cells {
        match cell {
            Value::Null => counts.add_nulls(1),
            Value::Text(text) => counts.add_text(text),
            Value::Bytes(bytes) => counts.add_bytes(bytes),
        }
    }
    assert!(counts.iter().count() >= 4 && counts.not_values() > 100 && counts.total() > 50);
    (cells, counts)
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or_default()));
        let bits = padded[0] << 16 | padded[1] << 8 | padded[2];
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[usize::try_from(bits >> (18 - 6 * at) & 63).unwrap()]));
        }
    }
    text
}

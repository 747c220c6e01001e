//! The keys of rows as text: what a chunk begins with, and what a fault names.

use std::fmt::Write as _;

use rxseal::Error;
use zeroize::Zeroizing;

use super::held::Held;
use crate::key_text;
use crate::trouble::refused;

/// A key, with the types of its columns: `123` and the text "123" are different rows.
pub(super) fn exact(ids: &[Held]) -> String {
    let ids: Vec<_> = ids.iter().map(typed).collect();
    key_text::write(&ids)
}

/// A key as people write it.
pub(super) fn shown(ids: &[Held]) -> String {
    // The type is the first character.
    let ids: Vec<_> = ids.iter().map(|id| typed(id).split_off(1)).collect();
    key_text::write(&ids)
}

fn typed(id: &Held) -> String {
    match id {
        Held::Null => "n".to_owned(),
        Held::Integer(_, text) => format!("i{}", **text),
        // All its digits: it reads back as the same number.
        Held::Real(number, _) => format!("r{number:?}"),
        Held::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => format!("t{text}"),
            Err(_) => hex('x', bytes),
        },
        Held::Bytes(bytes) => hex('b', bytes),
    }
}

fn hex(kind: char, bytes: &[u8]) -> String {
    let mut text = String::from(kind);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The key that [`exact`] wrote, of so many columns.
pub(super) fn parse(text: &str, columns: usize) -> Result<Vec<Held>, Error> {
    let ids: Option<Vec<Held>> = key_text::read(text, columns)?.iter().map(|id| held(id)).collect();
    // Whoever writes the database can write the chunks.
    ids.ok_or_else(|| refused("a bound in rxseal_chunk is not one of the table's keys"))
}

fn held(typed: &str) -> Option<Held> {
    let (kind, text) = typed.split_at_checked(1)?;
    let owned = || Zeroizing::new(text.to_owned());
    match kind {
        "n" if text.is_empty() => Some(Held::Null),
        "i" => text.parse().ok().map(|number| Held::Integer(number, owned())),
        "r" => text.parse().ok().map(|number: f64| Held::Real(number, Zeroizing::new(number.to_string()))),
        "t" => Some(Held::Text(Zeroizing::new(text.as_bytes().to_vec()))),
        "x" => bytes(text).map(|bytes| Held::Text(Zeroizing::new(bytes))),
        "b" => bytes(text).map(|bytes| Held::Bytes(Zeroizing::new(bytes))),
        _ => None,
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).ok());
    digits.map(|pair| u8::from_str_radix(pair.filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::types::ValueRef;

    use super::*;

    #[test]
    fn ids_read_back_with_their_types() {
        for value in [
            ValueRef::Null,
            ValueRef::Integer(i64::MIN),
            ValueRef::Integer(42),
            ValueRef::Real(0.1),
            ValueRef::Real(1e300),
            ValueRef::Text(b"42"),
            ValueRef::Text(b""),
            ValueRef::Text(b"\xff\xfe"),
            ValueRef::Text("\u{e4}\"],[".as_bytes()),
            ValueRef::Blob(b""),
            ValueRef::Blob(&[0, 255, 7]),
        ] {
            let ids = [Held::of(value), Held::Null];
            let back = parse(&exact(&ids), 2).unwrap();
            assert!(back == ids, "{value:?}");
        }
        for text in [r#"["zz"]"#, r#"["b0"]"#, r#"["i"]"#, r#"[""]"#, r#"["i1","i2"]"#, "1"] {
            assert!(parse(text, 1).is_err(), "{text}");
        }
        assert_eq!(shown(&[Held::of(ValueRef::Integer(7)), Held::of(ValueRef::Text(b"a"))]), r#"["7","a"]"#);
    }
}

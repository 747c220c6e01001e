//! Proves that `ColumnLen` is the exact length of tokens, as bytes and as text, for every suite, block and kind of value (FORMAT 6, 7.2).

use crate::vectors::Bytes;
use rxseal::columns::ColumnLen;
use rxseal::keys::Suite;
use rxseal::{Field, Keyring, Record, Token, run_local, testing};
use serde::Serialize;

rxseal::fields! {
    Tight = "lengths.tight" in Medication { block: 1 };
    Odd = "lengths.odd" in Medication { block: 7 };
    Usual = "lengths.usual" in Medication;
    Wide = "lengths.wide" in Clinical { block: 128 };
    Coarse = "lengths.coarse" in Clinical { block: 4096 };
    Lot = "lengths.lot" in Medication { max: 60 };
}

/// As programs write it: beside their migration.
const DRUG: ColumnLen = ColumnLen::of::<rxseal::phi::Drug>(60).any_suite();
const _: () = assert!(DRUG.text() <= 160 && DRUG.bytes() <= 120);
const _: () = assert!(ColumnLen::of_longest::<Lot>().text() == ColumnLen::padded_to(32, 60).text());

#[test]
fn lengths_are_those_of_the_guide() {
    let page = include_str!("../../../docs/COLUMNS.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains(" bytes | "));
    let rows = rows.filter_map(|row| {
        row.split(['|', ' ']).map(str::parse).filter_map(Result::ok).collect::<Vec<usize>>().try_into().ok()
    });
    let rows: Vec<[usize; 6]> = rows.collect();
    assert_eq!(rows.len(), 4);
    for [least, most, bytes, text, any_bytes, any_text] in rows {
        for plain in [least, most] {
            let (len, any) = (ColumnLen::of::<Usual>(plain), ColumnLen::of::<Usual>(plain).any_suite());
            assert_eq!(
                [len.bytes(), len.text(), any.bytes(), any.text()],
                [bytes, text, any_bytes, any_text],
                "{plain}"
            );
        }
    }
}

#[test]
fn lengths_are_exact() {
    for (suite, any) in [(Suite::Xaes256Gcm, false), (Suite::XChaCha20Poly1305, true)] {
        let keys = keyring(suite);
        let record = |id: &str| keys.record("fill", id).unwrap();
        are_exact(&record("1"), any);
        are_exact(&record("1").part("line", 1).unwrap(), any);
        are_exact(&record("1").wide(), true);
        are_exact(&keys.unbound("fill").unwrap(), true);
    }
}

fn are_exact(record: &Record, any_suite: bool) {
    of_field::<Tight>(record, any_suite);
    of_field::<Odd>(record, any_suite);
    of_field::<Usual>(record, any_suite);
    of_field::<Wide>(record, any_suite);
    of_field::<Coarse>(record, any_suite);
}

fn of_field<F: Field>(record: &Record, any_suite: bool) {
    for len in (0..=66).chain([126, 127, 254, 255, 4094, 4095]) {
        // Of one, two and four bytes, so a text has fewer characters than bytes.
        for piece in ["a", "ö", "💊"] {
            let text = piece.repeat(len / piece.len());
            is_exact::<F>(record, any_suite, text.len(), &text);
        }
        is_exact::<F>(record, any_suite, len, &Bytes(&vec![0x80; len]));
        let list = vec![true; len % 100];
        is_exact::<F>(record, any_suite, serde_json::to_vec(&list).unwrap().len(), &list);
    }
    for number in [0_i64, -1, i64::MIN, i64::MAX] {
        is_exact::<F>(record, any_suite, number.to_string().len(), &number);
    }
    // The longest of their kinds, as the docs count them.
    is_exact::<F>(record, any_suite, 20, &u64::MAX);
    is_exact::<F>(record, any_suite, 24, &-2.225_073_858_507_201_4e-308_f64);
    is_exact::<F>(record, any_suite, 5, &false);
    let allergies = vec!["p".repeat(40); 10];
    is_exact::<F>(record, any_suite, 431, &allergies);
    is_exact::<F>(record, any_suite, 2 + 2 * 3 + 6 + 2, &["\"\\\n\u{1}"]);
}

fn is_exact<F: Field>(record: &Record, any_suite: bool, plain: usize, value: &(impl Serialize + ?Sized)) {
    let token: Token = record.seal::<F>(value).unwrap();
    let len = ColumnLen::of::<F>(plain);
    let len = if any_suite { len.any_suite() } else { len };
    let found = (token.as_bytes().len(), token.to_string().len());
    assert_eq!((len.bytes(), len.text()), found, "{}: {plain} bytes", F::ID.as_str());
    assert_eq!(ColumnLen::padded_to(F::BLOCK, plain).bytes(), ColumnLen::of::<F>(plain).bytes());
    // A column that is made for any suite holds the tokens of each.
    assert!(len.any_suite().bytes() >= found.0 && len.any_suite().text() >= found.1);
}

fn keyring(suite: Suite) -> Keyring {
    let (roots, _) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let file = run_local(testing::create_keyring("pharmacy-17", &roots, suite)).unwrap();
    run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().unobserved()
}

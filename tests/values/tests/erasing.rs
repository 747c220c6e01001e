//! The control of the matrix: what the formats write and read through the erased traits is what they write and read without them.

use std::collections::BTreeMap;

use rxseal_values::erased::{Leaf, read_leaf, read_row, reading_as};
use rxseal_values::formats::Format;
use rxseal_values::rows::{Flat, Tagged, Untagged, element::Plain};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct Sample {
    name: String,
    dose: Option<f64>,
    lines: BTreeMap<u32, Line>,
    #[serde(with = "serde_bytes")]
    scan: Vec<u8>,
    missing: Option<u8>,
    unit: (),
    pair: (char, i64),
    large: i128,
}

#[derive(Serialize, Deserialize, PartialEq, Clone)]
enum Line {
    Unit,
    Newtype(String),
    Tuple(u8, bool),
    Struct { a: u64 },
}

#[derive(Serialize, Deserialize, PartialEq, Clone)]
struct Flat2 {
    id: u8,
    #[serde(flatten)]
    line: Line,
}

fn sample() -> Sample {
    Sample {
        name: "a <b> & \"c\"".into(),
        dose: Some(2.5),
        lines: [
            (1, Line::Unit),
            (2, Line::Newtype("x".into())),
            (3, Line::Tuple(1, true)),
            (4, Line::Struct { a: u64::MAX }),
        ]
        .into(),
        scan: vec![0, 255],
        missing: None,
        unit: (),
        pair: ('é', -1),
        large: i128::from(i64::MIN),
    }
}

#[test]
fn erasing_changes_nothing() {
    let mut compared = 0;
    for format in Format::ALL {
        compared += same::<Sample>(format, sample());
        compared += same::<String>(format, " text ".into());
        compared += same::<Option<u32>>(format, None);
        compared += same::<Option<u32>>(format, Some(7));
        compared += same::<f64>(format, 0.1);
        compared += same::<u128>(format, u128::MAX);
        compared += same::<Vec<Line>>(format, vec![Line::Unit, Line::Newtype(String::new())]);
        compared += same::<Flat2>(format, Flat2 { id: 1, line: Line::Struct { a: 7 } });
    }
    println!("{compared} of {} are written", Format::ALL.len() * 8 * 4);
    assert!(compared > 200);
}

/// Compares at every place; says how many could be written.
fn same<T: Serialize + DeserializeOwned + PartialEq + Clone + 'static>(format: Format, value: T) -> usize {
    let plain = || Plain { id: 7, value: value.clone(), end: true };
    let erased = || Plain { id: 7, value: Leaf::new(value.clone()), end: true };
    let mut compared = 0;
    reading_as(read_leaf::<T>, || {
        compared += same_rows::<Plain<T>, Plain<Leaf>, T>(format, plain(), erased(), |row| row.value, |row| row.value);
        compared += same_rows::<Flat<Plain<T>>, Flat<Plain<Leaf>>, T>(
            format,
            Flat { before: "x".into(), row: plain() },
            Flat { before: "x".into(), row: erased() },
            |flat| flat.row.value,
            |flat| flat.row.value,
        );
        compared += same_rows::<Tagged<Plain<T>>, Tagged<Plain<Leaf>>, T>(
            format,
            Tagged::Row(plain()),
            Tagged::Row(erased()),
            |Tagged::Row(row)| row.value,
            |Tagged::Row(row)| row.value,
        );
        compared += same_rows::<Untagged<Plain<T>>, Untagged<Plain<Leaf>>, T>(
            format,
            Untagged::Row(plain()),
            Untagged::Row(erased()),
            |Untagged::Row(row)| row.value,
            |Untagged::Row(row)| row.value,
        );
    });
    compared
}

fn same_rows<A, B, T>(format: Format, plain: A, erased: B, of_plain: fn(A) -> T, of_erased: fn(B) -> Leaf) -> usize
where
    A: Serialize + DeserializeOwned + 'static,
    B: Serialize + DeserializeOwned + 'static,
    T: Serialize + PartialEq + 'static,
{
    let written = format.write(&plain).ok();
    let erased: &dyn erased_serde::Serialize = &erased;
    assert!(written == format.write(erased).ok(), "{format:?} writes something else");
    let Some(bytes) = written else { return 0 };
    let read = format.read::<A>(&bytes).ok().map(of_plain);
    let erased = read_row::<B, _>(|| format.read(&bytes)).ok().map(of_erased);
    match (read, erased) {
        (Some(read), Some(erased)) => assert!(*erased.get::<T>() == read, "{format:?} reads something else"),
        (read, erased) => assert_eq!(read.is_some(), erased.is_some(), "{format:?} reads it only in one of both ways"),
    }
    1
}

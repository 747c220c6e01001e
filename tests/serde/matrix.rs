//! Sealed fields work wherever plain serde does: 22 shapes by 8 format paths, as `with` fields, as `Phi` and as `Sealed`, and
//! no canary in any output (T1, docs/THREAT-MODEL.md). Run with `--nocapture` for the table.

use std::fmt;

use crate::support::{CANARY, Format, NUMBER, Problem, access, keyring, leaks};
use rxseal::{Record, RecordReader};
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor as SerdeVisitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One shape of data, in one form.
pub trait Shape: Serialize + DeserializeOwned + PartialEq {
    const NAME: &'static str;
    /// Whether its plain text must be found in its plain output: the control of the scan.
    const TEXT: bool = true;
    fn samples(maker: &Maker) -> Vec<Self>;
}

/// Gets every shape of one form in the order of the table.
pub trait Visitor {
    fn shape<T: Shape>(&mut self);
}

/// Makes the values of fields.
pub struct Maker {
    record: Record,
}

/// Bytes as crate serde_bytes has them.
#[derive(PartialEq, rxseal::Wipe)]
pub struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl<'de> SerdeVisitor<'de> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element::<u8>()? {
                    bytes.push(byte);
                }
                if bytes.len() > 4096 { Err(A::Error::custom("too long")) } else { Ok(Bytes(bytes)) }
            }
        }

        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

/// What the shapes of every form use.
mod prelude {
    pub use std::borrow::Cow;
    pub use std::collections::BTreeMap;

    pub use rxseal::phi;
    pub use serde::{Deserialize, Serialize};

    pub use super::{Bytes, Maker, Shape, Visitor};
    pub use crate::support::{CANARY, NUMBER};
}

mod plain_with {
    use super::prelude::*;

    /// A `with` adapter that does nothing.
    pub struct PassThrough<F>(std::marker::PhantomData<F>);

    impl<F> PassThrough<F> {
        pub fn serialize<T: serde::Serialize, S: serde::Serializer>(
            value: &T,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            value.serialize(serializer)
        }

        pub fn deserialize<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(
            deserializer: D,
        ) -> Result<T, D::Error> {
            T::deserialize(deserializer)
        }
    }

    type S<F> = PassThrough<F>;
    include!("matrix/with.rs");
}

mod sealing_with {
    use super::prelude::*;
    use rxseal::Sealing as S;

    include!("matrix/with.rs");
}

mod plain_typed {
    use super::prelude::*;

    /// In the place of rxseal's, which is not written outside of a sealed field.
    #[derive(Serialize, Deserialize, PartialEq)]
    #[serde(transparent)]
    pub struct NotWiped<T>(pub T);

    pub trait Of<T> {
        type Is;
    }

    impl<F, T> Of<T> for F {
        type Is = T;
    }

    type P<T, F> = <F as Of<T>>::Is;

    trait Put {
        fn put<T>(&self, value: T) -> T;
    }

    impl Put for Maker {
        fn put<T>(&self, value: T) -> T {
            value
        }
    }

    include!("matrix/typed.rs");
}

mod phi_typed {
    use super::prelude::*;
    use rxseal::Phi;
    use rxseal::forms::{NotWiped, Wipe};

    type P<T, F> = Phi<T, F>;

    trait Put {
        fn put<T: Wipe, F>(&self, value: T) -> Phi<T, F>;
    }

    impl Put for Maker {
        fn put<T: Wipe, F>(&self, value: T) -> Phi<T, F> {
            Phi::new(value)
        }
    }

    include!("matrix/typed.rs");
}

mod sealed_typed {
    use super::prelude::*;
    use rxseal::forms::NotWiped;
    use rxseal::{Field, Sealed};

    type P<T, F> = Sealed<T, F>;

    trait Put {
        fn put<T: Serialize, F: Field>(&self, value: T) -> Sealed<T, F>;
    }

    impl Put for Maker {
        fn put<T: Serialize, F: Field>(&self, value: T) -> Sealed<T, F> {
            Sealed::seal(&self.record, &value).unwrap()
        }
    }

    include!("matrix/typed.rs");
}

/// How the values of one form are written and read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As they are.
    Plain,
    /// In the scopes of a record.
    Scoped,
    /// As they are, and they hold tokens: nothing of the plaintext may be in the output.
    Tokens,
}

/// One row of a form: whether each format works.
struct Row {
    shape: &'static str,
    works: Vec<bool>,
}

struct Run {
    way: Way,
    maker: Maker,
    open: RecordReader,
    rows: Vec<Row>,
}

impl Visitor for Run {
    fn shape<T: Shape>(&mut self) {
        let works = Format::ALL.iter().map(|format| self.cell::<T>(*format)).collect();
        self.rows.push(Row { shape: T::NAME, works });
    }
}

impl Run {
    fn over(way: Way, each_shape: impl FnOnce(&mut Self)) -> Vec<Row> {
        let keys = keyring();
        let maker = Maker { record: keys.record("prescription", "RX-1001").unwrap() };
        let open = maker.record.opened_by(&access());
        let mut run = Self { way, maker, open, rows: Vec::new() };
        each_shape(&mut run);
        run.rows
    }

    /// Whether every sample of the shape comes back. What is written is scanned in any case.
    fn cell<T: Shape>(&self, format: Format) -> bool {
        let samples = T::samples(&self.maker);
        let mut leaked = false;
        let mut back = true;
        for sample in &samples {
            let Ok(bytes) = self.write(format, sample) else { return false };
            leaked |= leaks(&bytes);
            back &= self.read::<T>(format, &bytes).is_ok_and(|read| read == *sample);
        }
        match self.way {
            // The control: a scan that finds nothing in plain output is no scan.
            Way::Plain => assert!(leaked || !T::TEXT, "the scan misses the canary: {} in {}", T::NAME, format.name()),
            _ => assert!(!leaked, "plaintext in the output: {} in {}", T::NAME, format.name()),
        }
        back
    }

    fn write<T: Shape>(&self, format: Format, sample: &T) -> Result<Vec<u8>, Problem> {
        match self.way {
            Way::Plain | Way::Tokens => format.write(sample),
            Way::Scoped => format.write(&self.maker.record.sealing(sample)),
        }
    }

    fn read<T: Shape>(&self, format: Format, bytes: &[u8]) -> Result<T, Problem> {
        match self.way {
            Way::Plain | Way::Tokens => format.read(bytes),
            Way::Scoped => self.open.run_opening(|| format.read(bytes)).map_err(Problem::new),
        }
    }
}

fn count(rows: &[Row]) -> usize {
    rows.iter().flat_map(|row| &row.works).filter(|works| **works).count()
}

/// Prints one table and gives how many cells differ.
fn compare(form: &str, plain: &[Row], ours: &[Row]) -> usize {
    println!("\n{form}: + both work, . neither, PLAIN only plain serde works, OURS only sealed works");
    let names: String = Format::ALL.iter().map(|format| format!("{:>7}", format.name())).collect();
    println!("{:<30}{names}", "");
    let mut different = 0;
    for (plain, ours) in plain.iter().zip(ours) {
        assert_eq!(plain.shape, ours.shape);
        let cells = plain.works.iter().zip(&ours.works).map(|pair| match pair {
            (true, true) => "+",
            (false, false) => ".",
            (true, false) => "PLAIN",
            (false, true) => "OURS",
        });
        let cells: Vec<_> = cells.collect();
        different += cells.iter().filter(|cell| cell.len() > 1).count();
        println!("{:<30}{}", plain.shape, cells.iter().map(|cell| format!("{cell:>7}")).collect::<String>());
    }
    println!("plain {} of {}, sealed {}", count(plain), plain.len() * Format::ALL.len(), count(ours));
    different
}

const SHAPES: usize = 22;
/// What plain serde does of the 22 * 8 = 176: the rest are the formats' own limits.
const PLAIN_WORKS: usize = 164;

#[test]
fn sealing_works_wherever_plain_serde_does() {
    let plain = Run::over(Way::Plain, plain_with::each_shape);
    let sealing = Run::over(Way::Scoped, sealing_with::each_shape);
    let different = compare("#[serde(with = \"Sealing::<F>\")]", &plain, &sealing);
    assert_eq!((plain.len(), count(&plain), count(&sealing), different), (SHAPES, PLAIN_WORKS, PLAIN_WORKS, 0));
}

#[test]
fn phi_and_sealed_work_wherever_plain_serde_does() {
    let plain = Run::over(Way::Plain, plain_typed::each_shape);
    let phi = Run::over(Way::Scoped, phi_typed::each_shape);
    let sealed = Run::over(Way::Tokens, sealed_typed::each_shape);
    let different = [compare("Phi<T, F>", &plain, &phi), compare("Sealed<T, F>", &plain, &sealed)];
    assert_eq!((plain.len(), count(&plain)), (SHAPES, PLAIN_WORKS));
    assert_eq!((count(&phi), count(&sealed), different), (PLAIN_WORKS, PLAIN_WORKS, [0, 0]));
}

#[test]
fn the_scan_sees_every_spelling() {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [CANARY.to_owned(), hex.to_uppercase(), hex, NUMBER.to_string()] {
        assert!(leaks(format!("..{text}..").as_bytes()));
    }
    for offset in 0..3 {
        use base64::Engine as _;
        let text = format!("{}{CANARY}???", "x".repeat(offset));
        assert!(leaks(base64::engine::general_purpose::STANDARD.encode(&text).as_bytes()), "offset {offset}");
        assert!(leaks(base64::engine::general_purpose::URL_SAFE.encode(&text).as_bytes()), "offset {offset}");
    }
    assert!(leaks(&NUMBER.to_le_bytes()) && !leaks(b"nothing of the kind"));
}

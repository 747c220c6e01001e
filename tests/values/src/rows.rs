//! A row with one value, plain and in each form, and where the row stands.

use std::collections::BTreeMap;

use rxseal::forms::NotWiped;
use rxseal::{Each, Parts, Phi, Record, RecordReader, Sealed, Sealing, phi};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::erased::Leaf;

/// The marker of every row.
pub type Marker = phi::Note;

/// How a value is held in a row.
pub trait Form: Serialize + DeserializeOwned + 'static {
    /// The row with this value. An error is one of sealing.
    fn with(value: &Leaf, record: &Record) -> Result<Self, rxseal::Error>;
    /// Whether the value in it is this one. An error is one of opening.
    fn holds(&self, value: &Leaf, open: &RecordReader) -> Result<bool, rxseal::Error>;
}

/// The rows of one spelling of the field's name: each form once, with the field between two others.
macro_rules! rows {
    ($module:ident: $id:literal, $name:literal, $end:literal) => {
        pub mod $module {
            use super::*;

            #[derive(Serialize, Deserialize)]
            pub struct Plain<V> {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name)]
                pub value: V,
                #[serde(rename = $end)]
                pub end: bool,
            }

            impl Form for Plain<Leaf> {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: value.clone(), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == *value && self.id == 7 && self.end)
                }
            }

            impl Form for Plain<Vec<Leaf>> {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: twice(value), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == twice(value) && self.id == 7 && self.end)
                }
            }

            impl Form for Plain<BTreeMap<String, Leaf>> {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: by_line(value), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == by_line(value) && self.id == 7 && self.end)
                }
            }

            #[derive(Serialize, Deserialize)]
            pub struct With {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name, with = "Sealing::<Marker>")]
                value: Leaf,
                #[serde(rename = $end)]
                end: bool,
            }

            impl Form for With {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: value.clone(), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == *value && self.id == 7 && self.end)
                }
            }

            #[derive(Serialize, Deserialize)]
            pub struct Typed {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name)]
                value: Phi<NotWiped<Leaf>, Marker>,
                #[serde(rename = $end)]
                end: bool,
            }

            impl Form for Typed {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: Phi::new(NotWiped(value.clone())), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value.expose_phi().0 == *value && self.id == 7 && self.end)
                }
            }

            #[derive(Serialize, Deserialize)]
            pub struct Token {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name)]
                value: Sealed<Leaf, Marker>,
                #[serde(rename = $end)]
                end: bool,
            }

            impl Form for Token {
                fn with(value: &Leaf, record: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: Sealed::seal(record, value)?, end: true })
                }

                fn holds(&self, value: &Leaf, open: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value.open(open)? == *value && self.id == 7 && self.end)
                }
            }

            #[derive(Serialize, Deserialize)]
            pub struct List {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name, with = "Sealing::<Each<Marker>>")]
                value: Vec<Leaf>,
                #[serde(rename = $end)]
                end: bool,
            }

            impl Form for List {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: twice(value), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == twice(value) && self.id == 7 && self.end)
                }
            }

            #[derive(Serialize, Deserialize)]
            pub struct Map {
                #[serde(rename = $id)]
                pub id: u32,
                #[serde(rename = $name, with = "Sealing::<Parts<Marker>>")]
                value: BTreeMap<String, Leaf>,
                #[serde(rename = $end)]
                end: bool,
            }

            impl Form for Map {
                fn with(value: &Leaf, _: &Record) -> Result<Self, rxseal::Error> {
                    Ok(Self { id: 7, value: by_line(value), end: true })
                }

                fn holds(&self, value: &Leaf, _: &RecordReader) -> Result<bool, rxseal::Error> {
                    Ok(self.value == by_line(value) && self.id == 7 && self.end)
                }
            }
        }
    };
}

rows!(element: "id", "value", "end");
// As XML has them beside elements.
rows!(attribute: "@id", "@value", "@end");
rows!(content: "@id", "$text", "@end");

fn twice(value: &Leaf) -> Vec<Leaf> {
    vec![value.clone(), value.clone()]
}

fn by_line(value: &Leaf) -> BTreeMap<String, Leaf> {
    ["line1", "line2"].map(|line| (line.to_owned(), value.clone())).into()
}

// Where a row stands if not alone: where serde holds it in a buffer of its own before it is read.

#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "R: DeserializeOwned"))]
pub struct Flat<R> {
    pub before: String,
    #[serde(flatten)]
    pub row: R,
}

impl<R: Form> Form for Flat<R> {
    fn with(value: &Leaf, record: &Record) -> Result<Self, rxseal::Error> {
        R::with(value, record).map(|row| Self { before: "x".into(), row })
    }

    fn holds(&self, value: &Leaf, open: &RecordReader) -> Result<bool, rxseal::Error> {
        self.row.holds(value, open)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", bound(deserialize = "R: DeserializeOwned"))]
pub enum Tagged<R> {
    Row(R),
}

impl<R: Form> Form for Tagged<R> {
    fn with(value: &Leaf, record: &Record) -> Result<Self, rxseal::Error> {
        R::with(value, record).map(Self::Row)
    }

    fn holds(&self, value: &Leaf, open: &RecordReader) -> Result<bool, rxseal::Error> {
        let Self::Row(row) = self;
        row.holds(value, open)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, bound(deserialize = "R: DeserializeOwned"))]
pub enum Untagged<R> {
    Row(R),
}

impl<R: Form> Form for Untagged<R> {
    fn with(value: &Leaf, record: &Record) -> Result<Self, rxseal::Error> {
        R::with(value, record).map(Self::Row)
    }

    fn holds(&self, value: &Leaf, open: &RecordReader) -> Result<bool, rxseal::Error> {
        let Self::Row(row) = self;
        row.holds(value, open)
    }
}

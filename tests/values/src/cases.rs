//! The values: one case for each type, or for what is peculiar in it.

mod bytes;
mod crates;
mod enums;
mod health;
mod maps;
mod scalars;
mod shapes;
mod standard;
mod tokens;

use rxseal::{Record, RecordReader};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::erased::{Leaf, Read, read_leaf};
use crate::matrix::Outcome;
use crate::rows::Marker;

/// A type and values of it.
pub struct Case {
    pub name: &'static str,
    pub values: Vec<Leaf>,
    pub read: Read<Leaf>,
    /// Seals and opens the value alone, without the erased traits.
    pub direct: fn(&Leaf, &Record, &RecordReader) -> Outcome,
}

/// Collects the cases.
#[derive(Default)]
pub struct Cases(Vec<Case>);

impl Cases {
    fn add<T: Serialize + DeserializeOwned + PartialEq + 'static>(&mut self, name: &'static str, values: Vec<T>) {
        assert!(self.0.iter().all(|case| case.name != name), "two cases are called {name}");
        self.0.push(Case {
            name,
            values: values.into_iter().map(Leaf::new).collect(),
            read: read_leaf::<T>,
            direct: direct::<T>,
        });
    }
}

fn direct<T: Serialize + DeserializeOwned + PartialEq + 'static>(
    value: &Leaf,
    record: &Record,
    open: &RecordReader,
) -> Outcome {
    let value = value.get::<T>();
    match record.seal::<Marker>(value).map(|token| open.open::<Marker, T>(&token)) {
        Ok(Ok(read)) if read == *value => Outcome::Kept,
        Ok(Ok(_)) => Outcome::Changed,
        Ok(Err(error)) => Outcome::Late(error.code().as_str().to_owned()),
        Err(error) => Outcome::Refused(error.code().as_str().to_owned()),
    }
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = Cases::default();
    for family in [
        scalars::add,
        shapes::add,
        enums::add,
        maps::add,
        bytes::add,
        standard::add,
        crates::add,
        health::add,
        tokens::add,
    ] {
        family(&mut cases);
    }
    cases.0
}

//! The values: one case for each type, or for what is peculiar in it.

mod bytes;
mod crates;
mod enums;
mod health;
mod maps;
mod scalars;
mod shapes;
mod standard;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::erased::{Leaf, Read, read_leaf};

/// A type and values of it.
pub struct Case {
    pub name: &'static str,
    pub values: Vec<Leaf>,
    pub read: Read<Leaf>,
}

/// Collects the cases.
#[derive(Default)]
pub struct Cases(Vec<Case>);

impl Cases {
    fn add<T: Serialize + DeserializeOwned + PartialEq + 'static>(&mut self, name: &'static str, values: Vec<T>) {
        assert!(self.0.iter().all(|case| case.name != name), "two cases are called {name}");
        self.0.push(Case { name, values: values.into_iter().map(Leaf::new).collect(), read: read_leaf::<T> });
    }
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = Cases::default();
    for family in
        [scalars::add, shapes::add, enums::add, maps::add, bytes::add, standard::add, crates::add, health::add]
    {
        family(&mut cases);
    }
    cases.0
}

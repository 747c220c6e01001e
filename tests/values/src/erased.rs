//! Values and whole rows behind one type each, so that a format or a form is compiled for them once.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use erased_serde::Deserializer as ErasedDeserializer;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of any type. What type it is read as says [`reading_as`].
#[derive(Clone)]
pub struct Leaf(Rc<dyn Value>);

trait Value: erased_serde::Serialize {
    fn same(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

impl<T: Serialize + PartialEq + 'static> Value for T {
    fn same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Leaf {
    pub fn new<T: Serialize + PartialEq + 'static>(value: T) -> Self {
        Self(Rc::new(value))
    }

    pub fn get<T: 'static>(&self) -> &T {
        self.0.as_any().downcast_ref().expect("a value of its case")
    }
}

/// For a failing test: nothing here is anybody's.
impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_else(|error| error.to_string()))
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(other.0.as_any())
    }
}

impl Serialize for Leaf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(&*self.0, serializer)
    }
}

/// Reads one type from any format.
pub type Read<V> = fn(&mut dyn ErasedDeserializer<'_>) -> Result<V, erased_serde::Error>;

pub fn read_leaf<T: Serialize + DeserializeOwned + PartialEq + 'static>(
    deserializer: &mut dyn ErasedDeserializer<'_>,
) -> Result<Leaf, erased_serde::Error> {
    erased_serde::deserialize::<T>(deserializer).map(Leaf::new)
}

thread_local! {
    static LEAF: Cell<Option<Read<Leaf>>> = const { Cell::new(None) };
    static ROW: Cell<Option<Read<Box<dyn Any>>>> = const { Cell::new(None) };
}

/// Runs `work`, in which a [`Leaf`] is read as this type.
pub fn reading_as<V>(read: Read<Leaf>, work: impl FnOnce() -> V) -> V {
    let before = LEAF.replace(Some(read));
    let value = work();
    LEAF.set(before);
    value
}

impl<'de> Deserialize<'de> for Leaf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = LEAF.get().ok_or_else(|| D::Error::custom("no type was named"))?;
        read(&mut <dyn ErasedDeserializer<'_>>::erase(deserializer)).map_err(D::Error::custom)
    }
}

/// A whole row, as what the formats read.
pub struct Row(Box<dyn Any>);

/// Runs `read`, in which a [`Row`] is an `R`.
pub fn read_row<R: DeserializeOwned + 'static, E>(read: impl FnOnce() -> Result<Row, E>) -> Result<R, E> {
    fn as_row<R: DeserializeOwned + 'static>(
        deserializer: &mut dyn ErasedDeserializer<'_>,
    ) -> Result<Box<dyn Any>, erased_serde::Error> {
        erased_serde::deserialize::<R>(deserializer).map(|row| Box::new(row) as Box<dyn Any>)
    }
    let before = ROW.replace(Some(as_row::<R>));
    let row = read();
    ROW.set(before);
    row.map(|row| *row.0.downcast().expect("the row that was asked for"))
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = ROW.get().ok_or_else(|| D::Error::custom("no row was named"))?;
        read(&mut <dyn ErasedDeserializer<'_>>::erase(deserializer)).map(Self).map_err(D::Error::custom)
    }
}

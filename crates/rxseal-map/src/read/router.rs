//! Which spot a value belongs to: a whole column, places in its documents, or a column that the map does not name.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::json::{self, each_at};
use super::value::{JsonValue, Value};
use super::visitor::{SourceRead, Spot, Visitor};
use crate::clear::ClearKind;
use crate::place::Place;
use crate::source::Source;

/// A file may have any number of names, which are not all kept.
const MAX_COLUMNS: usize = 2000;
const MORE: &str = "(more columns)";

/// Brings the values of a source to their spots.
pub(crate) struct Router<'v> {
    visitor: &'v mut dyn Visitor,
    columns: Vec<Column>,
    by_name: HashMap<Box<str>, usize>,
    whose: Vec<Whose>,
    pub(super) read: SourceRead,
}

/// A column that says whose a row is: its keyspace, its subject, its id; and where in the column.
struct Whose {
    column: usize,
    inside: Inside,
    seen: u64,
}

struct Column {
    name: Box<str>,
    role: Role,
    /// Whether every file must have it, since sealed values are in it.
    is_needed: bool,
    /// How many rows had it.
    seen: u64,
}

enum Role {
    /// All of it is one spot, if anybody wants it.
    Whole(Option<usize>),
    /// Places are in its documents. First the spot of the documents themselves.
    Document(Option<usize>, Vec<Inside>),
}

/// A place in a document.
struct Inside {
    spot: usize,
    steps: Vec<String>,
}

impl<'v> Router<'v> {
    pub(crate) fn new(source: &Source, visitor: &'v mut dyn Visitor) -> Self {
        let mut router = Self {
            visitor,
            columns: Vec::new(),
            by_name: HashMap::new(),
            whose: Vec::new(),
            read: SourceRead::default(),
        };
        let mut known: Vec<&Place> = Vec::new();
        let sealed = source.sealed().iter().map(|sealed| (sealed.place(), Spot::Sealed(sealed)));
        let tag = source.tag().map(|tag| (tag, Spot::Tag(tag)));
        let index = source.index().iter().map(|index| (index.place(), Spot::Index(index)));
        let clear = source.clear().iter().map(|clear| (clear.place(), Spot::Clear(clear.place(), clear.kind())));
        let ids = source.id().iter().chain(source.subject()).chain(source.keyspace().column());
        let ids = ids.map(|id| (id, Spot::Clear(id, ClearKind::Identifier)));
        for (place, spot) in sealed.chain(tag).chain(index).chain(clear).chain(ids) {
            if !known.contains(&place) {
                known.push(place);
                router.add_place(place, spot);
            }
        }
        let keyspace = source.keyspace().column().map(|place| (place, Spot::Keyspace(place)));
        let subject = source.subject().map(|place| (place, Spot::Subject(place)));
        let ids = source.id().iter().map(|place| (place, Spot::Id(place)));
        for (place, spot) in keyspace.into_iter().chain(subject).chain(ids) {
            if let Some(spot) = router.visitor.spot(spot) {
                let (column, steps) = (router.column(place.column()), json::steps(place));
                router.whose.push(Whose { column, inside: Inside { spot, steps }, seen: 0 });
            }
        }
        router
    }

    fn add_place(&mut self, place: &Place, spot: Spot<'_>) {
        let Some(number) = self.visitor.spot(spot) else {
            // Its column is known all the same, so that it is no undeclared one.
            if !self.by_name.contains_key(place.column()) && place.pointer().is_none() {
                self.add_column(place.column(), Role::Whole(None));
            }
            return;
        };
        let at = match self.by_name.get(place.column()) {
            Some(at) => *at,
            None if place.pointer().is_none() => self.add_column(place.column(), Role::Whole(Some(number))),
            None => {
                let documents = self.visitor.spot(Spot::Document(place.column()));
                self.add_column(place.column(), Role::Document(documents, Vec::new()))
            }
        };
        let Some(column) = self.columns.get_mut(at) else { return };
        column.is_needed |= !matches!(spot, Spot::Clear(..));
        if let Role::Document(_, inside) = &mut column.role {
            inside.push(Inside { spot: number, steps: json::steps(place) });
        }
    }

    fn add_column(&mut self, name: &str, role: Role) -> usize {
        let at = self.columns.len();
        self.by_name.insert(name.into(), at);
        self.columns.push(Column { name: name.into(), role, is_needed: false, seen: 0 });
        at
    }

    /// The position of a column.
    pub(super) fn column(&mut self, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let name = if self.columns.len() < MAX_COLUMNS { name } else { MORE };
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let spot = self.visitor.spot(Spot::Undeclared(name));
        self.add_column(name, Role::Whole(spot))
    }

    /// The columns that every file must have, since places are in them.
    pub(super) fn needed(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.is_needed).map(|column| &*column.name)
    }

    /// Every column that the source names.
    #[cfg(feature = "sqlite")]
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// The position of a column whose values somebody wants.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn wanted(&mut self, name: &str) -> Option<usize> {
        let at = self.column(name);
        let is_whose = self.whose.iter().any(|whose| whose.column == at);
        self.columns.get(at).filter(|column| is_whose || !matches!(column.role, Role::Whole(None))).map(|_| at)
    }

    /// One value of the present row.
    pub(super) fn add(&mut self, column: usize, value: Value<'_>) {
        let Self { visitor, columns, whose, .. } = self;
        for whose in whose.iter_mut().filter(|whose| whose.column == column) {
            whose.seen = whose.seen.saturating_add(1);
            visitor.value(whose.inside.spot, last_at(value, &whose.inside.steps));
        }
        let Some(column) = columns.get_mut(column) else { return };
        column.seen = column.seen.saturating_add(1);
        match &column.role {
            Role::Whole(None) => {}
            Role::Whole(Some(spot)) => visitor.value(*spot, value),
            Role::Document(whole, inside) => {
                if let Some(whole) = whole {
                    visitor.value(*whole, value);
                }
                let document = document_of(value);
                for Inside { spot, steps } in inside {
                    match (value, document) {
                        (Value::Null, _) => visitor.value(*spot, Value::Null),
                        (_, None) => visitor.value(*spot, Value::Other),
                        (_, Some(document)) => {
                            let mut none = true;
                            each_at(document, steps, &mut |value| {
                                none = false;
                                visitor.value(*spot, Value::of_json(value));
                            });
                            if none {
                                visitor.value(*spot, Value::Null);
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn end_row(&mut self) {
        self.read.rows = self.read.rows.saturating_add(1);
        self.visitor.end_row();
    }

    /// The rows that lacked a column have no value in its spots.
    pub(super) fn end(self) -> SourceRead {
        for whose in &self.whose {
            self.visitor.absent(whose.inside.spot, self.read.rows.saturating_sub(whose.seen));
        }
        for column in &self.columns {
            let absent = self.read.rows.saturating_sub(column.seen);
            if absent == 0 {
                continue;
            }
            match &column.role {
                Role::Whole(spot) => spot.iter().for_each(|spot| self.visitor.absent(*spot, absent)),
                Role::Document(whole, inside) => {
                    let spots = whole.iter().chain(inside.iter().map(|inside| &inside.spot));
                    spots.for_each(|spot| self.visitor.absent(*spot, absent));
                }
            }
        }
        self.read
    }
}

fn document_of(value: Value<'_>) -> Option<&RawValue> {
    match value {
        Value::Text(text) => serde_json::from_str(text).ok(),
        Value::Json(JsonValue(raw)) => json::document_of(raw),
        _ => None,
    }
}

/// The last value at a place, or the whole.
fn last_at<'v>(value: Value<'v>, steps: &[String]) -> Value<'v> {
    if steps.is_empty() {
        return value;
    }
    let mut last = Value::Null;
    if let Some(document) = document_of(value) {
        each_at(document, steps, &mut |value| last = Value::of_json(value));
    }
    last
}

//! Draws records of a source at random: so many for each key, in one pass, with memory for no more than these.

use std::collections::BTreeMap;
use std::rc::Rc;

use rxseal::keys::KeyringFile;
use rxseal::{Error, KeyId};
use rxseal_map::{Addresses, Keyspace, Place, Source, SourceRead, Spot, Value, Visitor, read_source};

use super::layout::Layout;
use super::patients::Patients;
use super::random::Random;
use super::row::{Cell, Found, Row, tag, token};
use crate::count::has_key;

/// What a pass over a source found.
pub struct Drawn {
    pub read: SourceRead,
    pub keys: BTreeMap<KeyId, OfKey>,
    /// Of each keyring, how many rows have a token of it.
    pub rows_of_rings: Vec<u64>,
    /// How many tokens each sealed place of the map has.
    pub places: Vec<u64>,
    /// Values in sealed places that are not tokens.
    pub not_tokens: u64,
    /// Rows that name a keyspace that is not drilled, and rows that name none.
    pub rows_of_others: u64,
    pub rows_of_none: u64,
}

/// What is under one key, and the rows that were drawn of it.
#[derive(Default)]
pub struct OfKey {
    pub rows: u64,
    pub tokens: u64,
    /// Record tags.
    pub tags: u64,
    /// How many of the tokens need a patient's key too.
    pub with_subject: u64,
    pub drawn: Vec<Rc<Row>>,
}

impl Drawn {
    /// Each row that was drawn, once.
    pub fn rows(&self) -> Vec<Rc<Row>> {
        let mut rows: Vec<_> = self.keys.values().flat_map(|of| of.drawn.iter().map(Rc::clone)).collect();
        rows.sort_by_key(Rc::as_ptr);
        rows.dedup_by(|one, other| Rc::ptr_eq(one, other));
        rows
    }
}

/// Reads a source, and draws `want` records of each key.
pub async fn draw(
    source: &Source,
    addresses: &Addresses,
    layout: &Layout,
    rings: &[KeyringFile],
    want: u32,
    patients: Option<&mut Patients>,
) -> Result<Drawn, Error> {
    let mut drawing = Drawing::new(source, layout, rings, want, patients)?;
    let read = read_source(source, addresses, &mut drawing).await?;
    Ok(Drawn { read, ..drawing.drawn })
}

/// What a spot is to a row.
enum Use {
    Token(usize),
    Tag,
    Keyspace,
    /// A readable cell, by its place among those of the row.
    Cell(usize),
}

struct Drawing<'s> {
    source: &'s Source,
    layout: &'s Layout,
    rings: &'s [KeyringFile],
    want: usize,
    random: Random,
    uses: Vec<Use>,
    /// The columns of the readable cells, and their values in the present row.
    columns: Vec<Box<str>>,
    cells: Vec<Cell>,
    keyspace: Cell,
    row: Row,
    drawn: Drawn,
    /// If somebody wants to know how many there are.
    patients: Option<&'s mut Patients>,
}

impl<'s> Drawing<'s> {
    fn new(
        source: &'s Source,
        layout: &'s Layout,
        rings: &'s [KeyringFile],
        want: u32,
        patients: Option<&'s mut Patients>,
    ) -> Result<Self, Error> {
        let drawn = Drawn {
            read: SourceRead::default(),
            keys: BTreeMap::new(),
            rows_of_rings: vec![0; rings.len()],
            places: vec![0; source.sealed().len()],
            not_tokens: 0,
            rows_of_others: 0,
            rows_of_none: 0,
        };
        Ok(Self {
            source,
            layout,
            rings,
            want: usize::try_from(want).unwrap_or(usize::MAX),
            random: Random::new()?,
            uses: Vec::new(),
            columns: Vec::new(),
            cells: Vec::new(),
            keyspace: Cell::Null,
            row: Row::default(),
            drawn,
            patients,
        })
    }

    fn use_as(&mut self, as_what: Use) -> Option<usize> {
        self.uses.push(as_what);
        self.uses.len().checked_sub(1)
    }

    fn use_cell(&mut self, name: String) -> Option<usize> {
        let at = self.cells.len();
        self.columns.push(name.into());
        self.cells.push(Cell::Null);
        self.use_as(Use::Cell(at))
    }

    fn cell(&self, name: &str) -> Cell {
        let at = self.columns.iter().position(|column| **column == *name);
        at.and_then(|at| self.cells.get(at)).cloned().unwrap_or_default()
    }

    fn is_id(&self, place: &Place) -> bool {
        self.source.id().iter().chain(self.source.subject()).any(|id| id == place)
    }

    fn is_bound(&self, column: &str) -> bool {
        self.layout.has_tag && self.layout.record.bound().any(|bound| bound.member() == column)
    }

    /// The keyring of the present row. `Err` for one that is left out.
    fn ring(&mut self) -> Result<Option<usize>, ()> {
        let named = |name: &str| self.rings.iter().position(|ring| ring.keyspace() == name);
        match (self.source.keyspace(), &self.keyspace) {
            (Keyspace::One(name), _) => Ok(named(name)),
            (Keyspace::Column(_), Cell::Text(name)) if !name.is_empty() => match named(name) {
                Some(ring) => Ok(Some(ring)),
                None => {
                    self.drawn.rows_of_others = self.drawn.rows_of_others.saturating_add(1);
                    Err(())
                }
            },
            (Keyspace::Column(_), _) => {
                self.drawn.rows_of_none = self.drawn.rows_of_none.saturating_add(1);
                Err(())
            }
            // Only the tokens say it.
            _ => Ok(self.row.keys().iter().find_map(|key| self.rings.iter().position(|ring| has_key(ring, *key)))),
        }
    }

    fn end(&mut self) {
        let Ok(ring) = self.ring() else { return };
        let keys = self.row.keys();
        if keys.is_empty() {
            return;
        }
        self.row.ring = ring;
        self.count_row(ring);
        let subject = self.source.subject().filter(|_| self.layout.record.subject().is_some());
        self.row.subject = subject.map(|place| self.cell(&place.to_string())).unwrap_or_default();
        let has_subject = self.row.subject.is_some();
        self.count_patient(&keys);
        let mut kept: Option<Rc<Row>> = None;
        for key in keys {
            let tokens = self.row.tokens_under(key);
            let of_key = self.drawn.keys.entry(key).or_default();
            of_key.rows = of_key.rows.saturating_add(1);
            of_key.tokens = of_key.tokens.saturating_add(tokens);
            of_key.with_subject = of_key.with_subject.saturating_add(if has_subject { tokens } else { 0 });
            let at = if of_key.drawn.len() < self.want { of_key.drawn.len() } else { self.below(key) };
            if at >= self.want {
                continue;
            }
            let row = Rc::clone(kept.get_or_insert_with(|| Rc::new(self.whole_row())));
            if let Some(of_key) = self.drawn.keys.get_mut(&key) {
                match of_key.drawn.get_mut(at) {
                    Some(place) => *place = row,
                    None => of_key.drawn.push(row),
                }
            }
        }
    }

    fn count_row(&mut self, ring: Option<usize>) {
        let add = |count: Option<&mut u64>| count.into_iter().for_each(|count| *count = count.saturating_add(1));
        add(ring.and_then(|ring| self.drawn.rows_of_rings.get_mut(ring)));
        for (at, _) in &self.row.tokens {
            add(self.drawn.places.get_mut(*at));
        }
        if let Some(key) = self.row.tag.and_then(|tag| tag.key_id()) {
            add(Some(&mut self.drawn.keys.entry(key).or_default().tags));
        }
    }

    fn count_patient(&mut self, keys: &[KeyId]) {
        let Some(patients) = self.patients.take() else { return };
        let ids = self.ids();
        for key in keys {
            patients.add(&self.row, self.source.record(), &ids, *key, self.row.tokens_under(*key));
        }
        self.patients = Some(patients);
    }

    fn ids(&self) -> Vec<Cell> {
        self.source.id().iter().map(|place| self.cell(&place.to_string())).collect()
    }

    /// The place of the present row among all of its key. Each of them ends among the first `want` with the same chance.
    fn below(&mut self, key: KeyId) -> usize {
        let rows = self.drawn.keys.get(&key).map_or(0, |of| of.rows);
        usize::try_from(self.random.below(rows)).unwrap_or(usize::MAX)
    }

    fn whole_row(&self) -> Row {
        let bound = self.layout.record.bound().map(|bound| self.cell(bound.member()));
        Row {
            ids: self.ids(),
            bound: if self.layout.has_tag { bound.collect() } else { Vec::new() },
            ..self.row.clone()
        }
    }
}

impl Visitor for Drawing<'_> {
    fn spot(&mut self, spot: Spot<'_>) -> Option<usize> {
        match spot {
            Spot::Sealed(sealed) => {
                let at = self.source.sealed().iter().position(|other| other.place() == sealed.place());
                let is_opened = at.is_some_and(|at| self.layout.fields.get(at).is_some_and(Option::is_some));
                self.use_as(Use::Token(at.filter(|_| is_opened)?))
            }
            Spot::Tag(_) => self.use_as(Use::Tag),
            Spot::Keyspace(_) => self.use_as(Use::Keyspace),
            Spot::Clear(place, _) if self.is_id(place) || self.is_bound(&place.to_string()) => {
                self.use_cell(place.to_string())
            }
            Spot::Undeclared(column) if self.is_bound(column) => self.use_cell(column.to_owned()),
            _ => None,
        }
    }

    fn value(&mut self, spot: usize, value: Value<'_>) {
        let Some(what) = self.uses.get(spot) else { return };
        match what {
            Use::Token(at) => match token(value) {
                Found::Nothing => {}
                Found::One(token) => self.row.tokens.push((*at, token)),
                Found::Other => self.drawn.not_tokens = self.drawn.not_tokens.saturating_add(1),
            },
            Use::Tag => match tag(value) {
                Found::Nothing => {}
                Found::One(tag) => self.row.tag = Some(tag),
                Found::Other => self.drawn.not_tokens = self.drawn.not_tokens.saturating_add(1),
            },
            Use::Keyspace => self.keyspace = Cell::of(value),
            Use::Cell(at) => {
                if let Some(cell) = self.cells.get_mut(*at) {
                    *cell = Cell::of(value);
                }
            }
        }
    }

    fn absent(&mut self, _: usize, _: u64) {}

    fn end_row(&mut self) {
        self.end();
        self.row.tokens.clear();
        self.row.tag = None;
        self.keyspace = Cell::Null;
        self.cells.fill(Cell::Null);
    }
}

//! Reading one source or one copy of it: each row's facts go to its patient.

mod row;
mod unnamed;

use std::collections::BTreeMap;

use rxseal::KeyId;
use rxseal::schema::Schema;
use rxseal_map::__private::said;
use rxseal_map::{Addresses, ClearKind, Keyspace, Map, Place, Source, Spot, Value, Visitor, read_source};
use rxseal_scan::{SealedCell, SealedPlace};

use crate::classes::{Classes, field_of};
use crate::database::lacks_newest;
use crate::error::ExposureError;
use crate::jurisdiction::Jurisdictions;
use crate::keys::Keys;
use crate::names::shown;
use crate::patients::Patients;
use crate::rule::{Held, TokenFacts, guessable, readable, undecided, unsealed};
use crate::state::State;
use row::{Fact, Id, Row, Whom};
pub(crate) use unnamed::Unnamed;

/// Which state of a source is read, and how sure it is that the thief has it.
pub(crate) struct Copy {
    pub(crate) source: Source,
    /// The name of the source in the map.
    pub(crate) of: String,
    pub(crate) data: Held,
    /// The bit of the stolen thing whose data it is, and the parts of it.
    pub(crate) bits: Option<Bits>,
}

/// The bits by which patients are marked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bits {
    pub(crate) tokens: u64,
    pub(crate) plaintext: u64,
    pub(crate) clear: u64,
    pub(crate) index: u64,
    pub(crate) undeclared: u64,
}

impl Bits {
    pub(crate) fn all(self) -> u64 {
        self.tokens | self.plaintext | self.clear | self.index | self.undeclared
    }
}

/// What a source had.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) rows: u64,
    /// Why it may have more.
    pub(crate) not_whole: Option<String>,
    pub(crate) keys: BTreeMap<KeyId, u64>,
    /// By place: what is no token, is damaged, or has an odd length.
    pub(crate) plaintext: BTreeMap<String, u64>,
    pub(crate) damaged: BTreeMap<String, u64>,
    pub(crate) odd: BTreeMap<String, u64>,
    pub(crate) undeclared: BTreeMap<String, u64>,
    /// Readable places, with what they tell.
    pub(crate) clear: Vec<(String, ClearKind)>,
    /// Tokens whose key the thief has, or perhaps has, and of whose subject's key nobody knows it.
    pub(crate) subject_key_unknown: u64,
    pub(crate) index_values: u64,
    /// Those of which nobody knows whether the root of their index was taken.
    pub(crate) index_root_unknown: u64,
    pub(crate) index_root: Option<Held>,
    /// Rows whose patient cannot be read.
    pub(crate) unnamed: Unnamed,
    /// Whether its rows are of several keyspaces and do not say of which, so that two patients with one id look like one.
    pub(crate) mixes_keyspaces: bool,
}

impl Found {
    /// Whether all of its patients are known.
    pub(crate) fn is_whole(&self) -> bool {
        self.not_whole.is_none() && self.unnamed.rows == 0 && !self.mixes_keyspaces
    }
}

/// What every reading needs.
pub(crate) struct Known<'k> {
    pub(crate) map: &'k Map,
    pub(crate) schema: &'k Schema,
    pub(crate) classes: &'k Classes,
    pub(crate) keys: &'k Keys,
    /// The bits of the stolen things by number, for keys.
    pub(crate) key_bits: &'k [u64],
    /// Whether the names of patients need their keyspace.
    pub(crate) has_keyspaces: bool,
    pub(crate) jurisdiction: Option<&'k str>,
}

impl Known<'_> {
    fn is_declared(&self, source: &str, column: &str) -> bool {
        let of_name = self.map.sources().iter().filter(|of| of.name() == source);
        of_name.flat_map(Source::columns).any(|known| known == column)
    }
}

/// Reads it.
pub(crate) async fn read(
    copy: &Copy,
    known: &Known<'_>,
    addresses: &Addresses,
    patients: &mut Patients,
    jurisdictions: &mut Jurisdictions,
) -> Result<Found, ExposureError> {
    let keyspace = known.has_keyspaces.then(|| label(copy.source.keyspace())).flatten();
    let mut reading = Reading {
        copy,
        known,
        patients,
        jurisdictions,
        spots: Vec::new(),
        row: Row::new(copy.source.id().len()),
        keyspace,
        found: Found::default(),
        failed: None,
    };
    let read = read_source(&copy.source, addresses, &mut reading).await;
    let Reading { mut found, failed, .. } = reading;
    if let Some(error) = failed {
        return Err(error);
    }
    match read {
        Ok(read) => {
            found.rows = read.rows;
            found.not_whole = read.doubt.map(str::to_owned);
            let names = if let Keyspace::Several(names) = copy.source.keyspace() { names.len() } else { 1 };
            found.mixes_keyspaces = known.has_keyspaces && names > 1 && read.rows > 0;
            if read.rows == 0 && !copy.source.empty().is_all() {
                found.not_whole =
                    Some("it has no rows: another database, a mistyped name and hidden rows look the same".to_owned());
            }
        }
        Err(error) => found.not_whole = Some(said(&error)),
    }
    if found.not_whole.is_none() && copy.data == Held::Taken {
        found.not_whole = lacks_newest(copy.source.at()).map(str::to_owned);
    }
    Ok(found)
}

/// The keyspace of all rows, if the rows do not say it. Of several, nobody knows which.
fn label(keyspace: &Keyspace) -> Option<String> {
    match keyspace {
        Keyspace::One(name) => Some(name.clone()),
        Keyspace::Several(names) => Some(names.join("|")),
        _ => None,
    }
}

struct Reading<'r> {
    copy: &'r Copy,
    known: &'r Known<'r>,
    patients: &'r mut Patients,
    jurisdictions: &'r mut Jurisdictions,
    spots: Vec<What>,
    row: Row,
    keyspace: Option<String>,
    found: Found,
    failed: Option<ExposureError>,
}

/// What a spot has.
enum What {
    Sealed { class: usize, place: SealedPlace, shown: String },
    Index(usize),
    Clear { class: Option<usize>, is_jurisdiction: bool },
    Undeclared(String),
    Keyspace,
    Subject,
    Id(usize),
}

impl Visitor for Reading<'_> {
    fn spot(&mut self, spot: Spot<'_>) -> Option<usize> {
        let (source, known) = (&self.copy.source, self.known);
        let is_jurisdiction = |place: &Place| known.jurisdiction.is_some_and(|of| place.to_string() == of);
        // Of what was not taken only the patients are read.
        if self.copy.data == Held::NotTaken {
            match spot {
                Spot::Sealed(_) | Spot::Index(_) | Spot::Undeclared(_) => return None,
                Spot::Clear(place, _) if !is_jurisdiction(place) => return None,
                _ => {}
            }
        }
        let what = match spot {
            Spot::Sealed(sealed) => What::Sealed {
                class: known.classes.of_field(known.schema, source, sealed.field())?,
                place: SealedPlace::of_field(field_of(known.schema, source, sealed.field())),
                shown: sealed.place().to_string(),
            },
            Spot::Index(index) => What::Index(known.classes.of_index(index.index())?),
            Spot::Clear(place, kind) => {
                let class = known.classes.of_clear(kind);
                if class.is_some() {
                    self.found.clear.push((place.to_string(), kind));
                }
                What::Clear { class, is_jurisdiction: is_jurisdiction(place) }
            }
            // Another record type in the same table may have it.
            Spot::Undeclared(column) if known.is_declared(&self.copy.of, column) => return None,
            Spot::Undeclared(column) => What::Undeclared(shown(column, "(a column without a plain name)").to_owned()),
            Spot::Keyspace(_) => What::Keyspace,
            Spot::Subject(_) => What::Subject,
            Spot::Id(place) => What::Id(self.copy.source.id().iter().position(|id: &Place| id == place)?),
            _ => return None,
        };
        self.spots.push(what);
        self.spots.len().checked_sub(1)
    }

    fn value(&mut self, spot: usize, value: Value<'_>) {
        let Self { spots, row, found, .. } = self;
        if matches!(value, Value::Null) {
            return;
        }
        match spots.get(spot) {
            Some(What::Sealed { class, place, shown }) => place_value(place, value, &mut |cell| {
                let fact = match cell {
                    SealedCell::Token(key) => {
                        add(&mut found.keys, &key);
                        Fact::Token(key)
                    }
                    SealedCell::OfOddLength(key) => {
                        add(&mut found.keys, &key);
                        add_shown(&mut found.odd, shown);
                        Fact::Undecided
                    }
                    SealedCell::Plaintext => {
                        add_shown(&mut found.plaintext, shown);
                        Fact::Plaintext
                    }
                    _ => {
                        add_shown(&mut found.damaged, shown);
                        Fact::Undecided
                    }
                };
                row.facts.push((*class, fact));
            }),
            Some(What::Index(class)) => {
                found.index_values = found.index_values.saturating_add(1);
                row.facts.push((*class, Fact::Index));
            }
            Some(What::Clear { class, is_jurisdiction }) => {
                if let Some(class) = class {
                    row.facts.push((*class, Fact::Clear));
                }
                if *is_jurisdiction {
                    row.jurisdiction = Id::of(value);
                }
            }
            Some(What::Undeclared(shown)) => {
                add_shown(&mut found.undeclared, shown);
                row.facts.push((self.known.classes.undeclared(), Fact::Undeclared));
            }
            Some(What::Keyspace) => row.keyspace = Id::of_keyspace(value),
            Some(What::Subject) => row.subject = Id::of(value),
            Some(What::Id(at)) => {
                if let Some(id) = row.ids.get_mut(*at) {
                    *id = Id::of(value);
                }
            }
            None => {}
        }
    }

    fn absent(&mut self, _: usize, _: u64) {}

    fn end_row(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.add_row()
        {
            self.failed = Some(error);
        }
        self.row.clear();
    }
}

impl Reading<'_> {
    fn add_row(&mut self) -> Result<(), ExposureError> {
        let Self { copy, known, patients, jurisdictions, row, keyspace, found, .. } = self;
        let of_row = row.keyspace.text().filter(|_| known.has_keyspaces);
        // An id of an unknown keyspace may be anybody's.
        let is_known = of_row.is_some() || copy.source.keyspace().column().is_none();
        let of = of_row.or(keyspace.as_deref());
        let patient = match row.patient().filter(|_| is_known) {
            Some(Whom::Subject(subject)) => Some(patients.number(of, None, subject)?),
            Some(Whom::Record(id)) => {
                Some(patients.number(of, Some(known.classes.record(copy.source.record())), &id)?)
            }
            None => None,
        };
        let subject_key = row.subject.is_some().then(|| patient.map_or(Held::Unknown, |of| patients.subject_key(of)));
        let index_root = || known.keys.index_root(of_row.or(only_keyspace(&copy.source)));
        let mut states = Vec::new();
        for (class, fact) in &row.facts {
            let state = match fact {
                Fact::Token(key) => {
                    let of_token = TokenFacts { data: copy.data, key: known.keys.held(*key), subject_key };
                    let without_subject = TokenFacts { subject_key: None, ..of_token };
                    let is_why =
                        readable(&of_token) == State::Undecided && readable(&without_subject) != State::Undecided;
                    found.subject_key_unknown = found.subject_key_unknown.saturating_add(u64::from(is_why));
                    readable(&of_token)
                }
                Fact::Undecided | Fact::Undeclared => undecided(copy.data),
                Fact::Plaintext => unsealed(copy.data, State::Plaintext),
                Fact::Index => {
                    let root = index_root();
                    found.index_root = Some(root);
                    found.index_root_unknown =
                        found.index_root_unknown.saturating_add(u64::from(root == Held::Unknown));
                    guessable(copy.data, root)
                }
                Fact::Clear => unsealed(copy.data, State::Readable),
            };
            states.push((*class, state));
        }
        let Some(patient) = patient else {
            if states.iter().any(|(_, state)| state.is_at_risk()) {
                jurisdictions.add_unnamed(row.jurisdiction.text());
            }
            found.unnamed.add(known.classes, &states);
            return Ok(());
        };
        let bits = copy.bits.unwrap_or_default();
        for ((class, state), (_, fact)) in states.into_iter().zip(&row.facts) {
            let bit = match fact {
                Fact::Token(key) => {
                    if matches!(state, State::Readable | State::CouldBeRead) {
                        let by = known.keys.taken_by(*key).filter_map(|by| known.key_bits.get(by));
                        by.for_each(|bit| patients.add_taken(patient, *bit));
                    }
                    bits.tokens
                }
                Fact::Undecided => bits.tokens,
                Fact::Plaintext => bits.plaintext,
                Fact::Index => bits.index,
                Fact::Clear => bits.clear,
                Fact::Undeclared => bits.undeclared,
            };
            patients.add(patient, class, state);
            patients.add_taken(patient, bit);
        }
        if let Some(state) = row.jurisdiction.text() {
            jurisdictions.add(patient, state);
        }
        Ok(())
    }
}

/// The keyspace whose index roots made the values of a source. Without one, those of all are looked at.
fn only_keyspace(source: &Source) -> Option<&str> {
    match source.keyspace() {
        Keyspace::One(name) => Some(name),
        _ => None,
    }
}

/// A dump of PostgreSQL writes bytes as `\x6a61`.
fn place_value(place: &SealedPlace, value: Value<'_>, each: &mut dyn FnMut(SealedCell)) {
    let bytes = match value {
        Value::Text(text) => text.strip_prefix("\\x").and_then(row::bytes_of_hex),
        _ => None,
    };
    match bytes {
        Some(bytes) => place.each(Value::Bytes(&bytes), each),
        None => place.each(value, each),
    }
}

fn add<K: Ord + Clone>(counts: &mut BTreeMap<K, u64>, of: &K) {
    match counts.get_mut(of) {
        Some(count) => *count = count.saturating_add(1),
        None => {
            counts.insert(of.clone(), 1);
        }
    }
}

fn add_shown(counts: &mut BTreeMap<String, u64>, of: &String) {
    add(counts, of);
}

//! Opens rows that were drawn, with the keys that are at hand, and counts what opened. What is opened is dropped at once.

use std::collections::BTreeMap;
use std::rc::Rc;

use rxseal::keys::KeyringFile;
use rxseal::page::{OpenPass, open_page};
use rxseal::schema::{DeclaredRow, FieldSchema, Plain};
use rxseal::subjects::{LoadedSubjects, SubjectKeys};
use rxseal::{Access, Error, ErrorCode, Identifier, KeyId, Keyring, Record, Token};
use serde::de::IgnoredAny;

use super::layout::Layout;
use super::row::Row;
use crate::count::has_key;

/// How many rows are one opening, of which the log has one event.
const PAGE: usize = 500;

/// The keys that are at hand.
pub struct Hand<'h> {
    /// Of each keyring, or why it is not unlocked.
    pub keys: &'h [Result<Keyring, &'static str>],
    pub subjects: Option<&'h SubjectKeys>,
    pub access: &'h Access,
}

/// What became of the tokens of each key.
#[derive(Default)]
pub struct Tried(pub BTreeMap<KeyId, OfKey>);

/// What became of the tokens of one key.
#[derive(Clone, Default)]
pub struct OfKey {
    pub opened: u64,
    /// Their patient's key was destroyed on purpose.
    pub shredded: u64,
    /// By the code of the error.
    pub failed: BTreeMap<&'static str, u64>,
}

impl OfKey {
    pub fn failures(&self) -> u64 {
        self.failed.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl Tried {
    pub fn add(&mut self, key: KeyId, result: Result<(), &'static str>) {
        let of = self.0.entry(key).or_default();
        let count = match result {
            Ok(()) => &mut of.opened,
            Err(code) if code == ErrorCode::SubjectShredded.as_str() => &mut of.shredded,
            Err(code) => of.failed.entry(code).or_default(),
        };
        *count = count.saturating_add(1);
    }

    /// What became of the tokens of one keyring.
    pub fn of(&self, ring: &KeyringFile) -> Self {
        Self(self.0.iter().filter(|(key, _)| has_key(ring, **key)).map(|(key, of)| (*key, of.clone())).collect())
    }

    /// The same of each token of a row, and of its tag.
    fn add_row(&mut self, row: &Row, code: &'static str) {
        row.tokens.iter().for_each(|(_, token)| self.add(token.key_id(), Err(code)));
        row.tag.and_then(|tag| tag.key_id()).into_iter().for_each(|key| self.add(key, Err(code)));
    }
}

impl Hand<'_> {
    /// Opens all fields of these rows.
    ///
    /// Fails if the observer refuses it, or the store of subject keys does not answer.
    pub async fn open(&self, layout: &Layout, rows: &[Rc<Row>]) -> Result<Tried, Error> {
        let mut tried = Tried::default();
        for row in rows.iter().filter(|row| row.ring.is_none()) {
            tried.add_row(row, ErrorCode::UnknownKey.as_str());
        }
        for (ring, keys) in self.keys.iter().enumerate() {
            let of_ring: Vec<_> = rows.iter().filter(|row| row.ring == Some(ring)).map(Rc::clone).collect();
            match keys {
                Ok(keys) => {
                    for page in of_ring.chunks(PAGE) {
                        self.open_page(layout, keys, page, &mut tried).await?;
                    }
                }
                Err(code) => of_ring.iter().for_each(|row| tried.add_row(row, code)),
            }
        }
        Ok(tried)
    }

    async fn open_page(
        &self,
        layout: &Layout,
        keys: &Keyring,
        rows: &[Rc<Row>],
        tried: &mut Tried,
    ) -> Result<(), Error> {
        let loaded = self.load(layout, keys, rows).await?;
        let (mut records, mut ready) = (Vec::new(), Vec::new());
        for row in rows {
            match record_of(layout, keys, row, loaded.as_ref()) {
                Ok(record) => {
                    records.push(record);
                    ready.push(row);
                }
                Err(error) => tried.add_row(row, error.code().as_str()),
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        let opened =
            open_page(&records, self.access, |at, pass| Ok(ready.get(at).map(|row| open_row(layout, row, pass))))?;
        opened.into_iter().flatten().flatten().for_each(|(key, result)| tried.add(key, result));
        Ok(())
    }

    /// The keys of these patients. `None` if there is no store of them.
    async fn load(&self, layout: &Layout, keys: &Keyring, rows: &[Rc<Row>]) -> Result<Option<LoadedSubjects>, Error> {
        let Some(subjects) = self.subjects else { return Ok(None) };
        let named = rows.iter().filter_map(|row| subject_of(layout, row).ok().flatten());
        subjects.load(keys, named).await.map(Some)
    }
}

fn subject_of(layout: &Layout, row: &Row) -> Result<Option<Identifier<'static>>, Error> {
    layout.record.subject_id(row.subject.plain().unwrap_or(Plain::Null))
}

/// The record of a row, with its patient's key if that is at hand.
fn record_of(layout: &Layout, keys: &Keyring, row: &Row, loaded: Option<&LoadedSubjects>) -> Result<Record, Error> {
    let ids: Vec<_> = row.ids.iter().map(|cell| cell.plain().unwrap_or(Plain::Null)).collect();
    let record = keys.record(layout.record.record_type(), layout.record.record_id(&ids)?)?;
    let record = layout.record.former_types().try_fold(record, Record::was)?;
    match (subject_of(layout, row)?, loaded) {
        (Some(subject), Some(loaded)) => record.subject(loaded.get(subject)?),
        _ => Ok(record),
    }
}

/// What became of each token of a row, and of its tag.
fn open_row(layout: &Layout, row: &Row, pass: &mut OpenPass<'_>) -> Vec<(KeyId, Result<(), &'static str>)> {
    let code = |result: Result<(), Error>| result.map_err(|error| error.code().as_str());
    // A row whose tag was taken away does not open either.
    let whole = layout.has_tag.then(|| declared(layout, row).and_then(|row| pass.open_row(&row)).map(drop));
    let is_whole = matches!(whole, Some(Ok(())));
    let key = row.tag.and_then(|tag| tag.key_id()).or(row.tokens.first().map(|(_, token)| token.key_id()));
    let refused = key.zip(whole.filter(Result::is_err));
    let mut results: Vec<_> = refused.map(|(key, whole)| (key, code(whole))).into_iter().collect();
    for (at, token) in &row.tokens {
        let Some(field) = layout.fields.get(*at).and_then(Option::as_ref) else { continue };
        // The whole row was opened, and each of its tokens.
        let result = if is_whole { Ok(()) } else { open_token(field, token, pass) };
        results.push((token.key_id(), code(result)));
    }
    results
}

/// The row with its tag, and all that this covers.
fn declared(layout: &Layout, row: &Row) -> Result<DeclaredRow, Error> {
    let token_of = |field: &FieldSchema| {
        let is_it = |(at, _): &&(usize, Token)| {
            layout.fields.get(*at).and_then(Option::as_ref).is_some_and(|other| other.id() == field.id())
        };
        row.tokens.iter().find(is_it).map(|(_, token)| token.clone())
    };
    let tokens: Vec<_> = layout.record.fields().iter().map(token_of).collect();
    let bound: Vec<_> = row.bound.iter().map(|cell| cell.plain().unwrap_or(Plain::Null)).collect();
    DeclaredRow::new(&layout.record, tokens, &bound, row.tag.unwrap_or_default())
}

fn open_token(field: &FieldSchema, token: &Token, pass: &mut OpenPass<'_>) -> Result<(), Error> {
    if field.content().is_some() {
        return pass.open_declared(field, token).map(drop);
    }
    // The schema does not know what is in it, and it opens all the same.
    let mut any = |(id, class)| pass.open_by_id::<IgnoredAny>(id, class, token).map(drop);
    let first = any((field.id(), field.class()));
    field.former().iter().fold(first, |result, former| result.or_else(|_| any(*former)))
}

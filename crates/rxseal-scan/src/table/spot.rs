//! One place of a source while it is read.

use rxseal::count::IndexCounts;
use rxseal_map::{ClearKind, Source, Value};
use zeroize::Zeroizing;

use crate::cell::{SealedCell, SealedPlace};
use crate::finding::{Finding, Undecided};
use crate::kind::{Certainty, Kind};
use crate::report::{Report, Tally};
use crate::rules::Rules;
use crate::sealed::{Blocks, Form, each_in_list};
use crate::text::{Checked, Hit, Word, find_numbers, find_tokens, is_whole};

pub(super) struct Place {
    column: Box<str>,
    /// As findings show it.
    shown: Box<str>,
    /// Of the map. `None` for a column that it does not name, and for whole documents.
    place: Option<rxseal_map::Place>,
    what: What,
    tally: Tally,
    /// Rows or elements that have a value.
    values: u64,
    tokens: u64,
    /// Whole tokens of a length that tokens of this field do not have.
    of_odd_length: u64,
}

pub(super) enum What {
    Sealed(SealedPlace),
    Index(Box<IndexCounts>),
    /// Readable, as the map says, or in no part of it.
    Readable {
        is_declared: bool,
        /// What it may have, since the map says that it is readable.
        expected: &'static [Kind],
        word: Option<Word>,
        checked: [(Kind, Checked); 2],
    },
    Document,
    /// A readable place in documents, which are read as a whole.
    InDocument(ClearKind),
}

impl What {
    pub(super) fn index() -> Self {
        Self::Index(Box::default())
    }

    pub(super) fn document() -> Self {
        Self::Document
    }

    pub(super) fn readable(column: &str, kind: Option<ClearKind>) -> Self {
        let checked = [(Kind::Npi, Checked::default()), (Kind::Dea, Checked::default())];
        let expected = kind.map(expected).unwrap_or_default();
        Self::Readable { is_declared: kind.is_some(), expected, word: Word::of_column(column), checked }
    }
}

/// What a column may have if the map calls it readable and says that it tells this. Nobody may have social security numbers readable.
fn expected(kind: ClearKind) -> &'static [Kind] {
    match kind {
        ClearKind::Identifier => &[Kind::Npi, Kind::Dea],
        ClearKind::Contact => &[Kind::Phone, Kind::Email],
        ClearKind::Date => &[Kind::BirthDate],
        ClearKind::Health => &[Kind::Ndc],
        _ => &[],
    }
}

impl Place {
    pub(super) fn new(place: &rxseal_map::Place, what: What) -> Self {
        let shown = place.to_string().into();
        let (column, place) = (place.column().into(), Some(place.clone()));
        Self { column, shown, place, what, tally: Tally::default(), values: 0, tokens: 0, of_odd_length: 0 }
    }

    /// A column that the map names for what is in it, or not at all.
    pub(super) fn of_column(column: &str, what: What) -> Self {
        let shown = if is_plain_name(column) { column } else { "(a column without a plain name)" };
        let (column, shown) = (column.into(), shown.into());
        Self { column, shown, place: None, what, tally: Tally::default(), values: 0, tokens: 0, of_odd_length: 0 }
    }

    pub(super) fn add(&mut self, value: Value<'_>, rules: &Rules, report: &mut Report) {
        if matches!(value, Value::Null) {
            return;
        }
        self.values = self.values.saturating_add(1);
        match &self.what {
            What::Sealed(_) => self.add_sealed(value, rules, report),
            What::Index(_) => self.add_index_value(value),
            What::Readable { .. } | What::Document => match value {
                Value::Integer(number) => {
                    // It may be a social security number.
                    let text = Zeroizing::new(number.to_string());
                    self.add_readable(Value::Text(&text), rules, report);
                }
                value => self.add_readable(value, rules, report),
            },
            What::InDocument(_) => {}
        }
    }

    fn add_sealed(&mut self, value: Value<'_>, rules: &Rules, report: &mut Report) {
        let Self { what: What::Sealed(place), tally, tokens, of_odd_length, .. } = self else { return };
        let mut is_other = false;
        place.each(value, &mut |cell| {
            let key = match cell {
                SealedCell::Token(key) => key,
                SealedCell::OfOddLength(key) => {
                    *of_odd_length = of_odd_length.saturating_add(1);
                    key
                }
                SealedCell::Damaged => return tally.add(Kind::TokenDamaged, Certainty::Certain),
                SealedCell::Plaintext => {
                    is_other = true;
                    return tally.add(Kind::Plaintext, Certainty::Certain);
                }
            };
            *tokens = tokens.saturating_add(1);
            report.add_key(key);
            if let Some(fault) = rules.keys().fault(key) {
                tally.add(fault, Certainty::Certain);
            }
        });
        // In a document, the whole of it is looked through.
        let is_inside = self.place.as_ref().is_some_and(|place| place.pointer().is_some());
        if is_other && !is_inside {
            self.look_for_known(bytes_of(value), rules);
        }
    }

    fn add_index_value(&mut self, value: Value<'_>) {
        let What::Index(counts) = &mut self.what else { return };
        match value {
            Value::Text(text) if text.starts_with(['[', '{']) => {
                each_in_list(text, &mut |piece| add_text(counts, piece));
            }
            Value::Text(text) => counts.add_text(text),
            Value::Bytes(bytes) => counts.add_bytes(bytes),
            Value::Json(json) => match json.letters() {
                Some(text) => counts.add_text(text),
                None => each_in_list(json.as_written(), &mut |piece| counts.add_text(piece)),
            },
            _ => counts.add_not_values(1),
        }
    }

    fn add_readable(&mut self, value: Value<'_>, rules: &Rules, report: &mut Report) {
        let bytes = bytes_of(value);
        let is_document = matches!(self.what, What::Document);
        // A token as bytes is the whole value.
        if let (Value::Bytes(bytes), false) = (value, is_document)
            && let Form::Token(key, _) | Form::Tag(key) = Form::of_bytes(bytes)
        {
            report.add_key(key);
            self.tokens = self.tokens.saturating_add(1);
            return;
        }
        let (tally, tokens) = (&mut self.tally, &mut self.tokens);
        // Their lengths are judged by no field, so one that fits is enough.
        find_tokens(bytes, rules.keys(), &Blocks::any(), &mut |_, hit| match hit {
            Hit::Token(key, _, certainty) => {
                if certainty == Certainty::Certain {
                    *tokens = tokens.saturating_add(1);
                } else {
                    tally.add(Kind::TokenElsewhere, certainty);
                }
                // Those in documents are counted at their places.
                if !is_document {
                    report.add_key(key);
                }
            }
            Hit::Damaged(certainty) => tally.add(Kind::TokenDamaged, certainty),
            Hit::Like(_) => {}
        });
        self.look_for_numbers(value, bytes, rules);
        self.look_for_known(bytes, rules);
    }

    fn look_for_numbers(&mut self, value: Value<'_>, bytes: &[u8], rules: &Rules) {
        let tally = &mut self.tally;
        if let What::Readable { word, checked, .. } = &mut self.what {
            let cell = match value {
                Value::Json(json) => json.letters().unwrap_or(json.as_written()).as_bytes(),
                _ => bytes,
            };
            if let Some(word) = word.filter(|word| is_whole(cell, *word)) {
                tally.add(word.kind(), Certainty::Possible);
                return;
            }
            if word.is_none() {
                for (word, (_, checked)) in [Word::Npi, Word::Dea].into_iter().zip(checked) {
                    checked.add(cell, word);
                }
            }
        }
        find_numbers(bytes, rules.words(), &mut |_, hit| {
            if let Hit::Like(kind) = hit {
                tally.add(kind, Certainty::Possible);
            }
        });
    }

    fn look_for_known(&mut self, bytes: &[u8], rules: &Rules) {
        if let Some(known) = rules.known() {
            let tally = &mut self.tally;
            known.find(bytes, &mut |known, _| tally.add_at(Kind::KnownValue, Certainty::Certain, Some(known), || None));
        }
    }
}

fn add_text(counts: &mut IndexCounts, text: &str) {
    // PostgreSQL writes bytes in an array as `\x6a61`, in which no value can be told from others.
    if !text.starts_with('\\') {
        counts.add_text(text);
    }
}

fn bytes_of(value: Value<'_>) -> &[u8] {
    match value {
        Value::Text(text) => text.as_bytes(),
        Value::Bytes(bytes) | Value::Foreign(bytes) => bytes,
        Value::Json(json) => json.as_written().as_bytes(),
        _ => &[],
    }
}

/// A name that a program gave. In a file without a first line of names, a name is a value, and an object may have patients as members.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let is_letter = |char: char| char.is_ascii_alphanumeric() || "_-.() ".contains(char);
    let words = name.split([' ', '-', '.']).count();
    name.len() <= 64
        && words <= 3
        && name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '(')
        && name.chars().all(is_letter)
}

/// What all places come to.
pub(super) fn end(places: Vec<Place>, rules: &Rules, source: &Source, report: &mut Report) {
    // What is in documents was seen at its places and with the whole documents.
    let inside: Vec<_> =
        places.iter().filter_map(|of| Some((of, of.place.as_ref().filter(|p| p.pointer().is_some())?))).collect();
    let of_document = |column: &str| {
        let of = inside.iter().filter(|(_, place)| place.column() == column).map(|(of, _)| *of);
        let (mut tokens, mut damaged, mut expects) = (0_u64, 0_u64, Vec::new());
        for place in of {
            tokens = tokens.saturating_add(place.tokens);
            damaged = damaged.saturating_add(place.tally.of(Kind::TokenDamaged));
            if let What::InDocument(kind) = place.what {
                expects.extend_from_slice(expected(kind));
            }
        }
        (tokens, damaged, expects)
    };
    let documents: Vec<_> = places
        .iter()
        .map(|place| if matches!(place.what, What::Document) { Some(of_document(&place.column)) } else { None })
        .collect();
    for (mut place, document) in places.into_iter().zip(documents) {
        let mut expects = Vec::new();
        let mut hidden = 0;
        match (&place.what, document) {
            (What::Document, Some((tokens, damaged, allowed))) => {
                let strays = place.tokens.saturating_sub(tokens);
                place.tally.add_many(Kind::TokenElsewhere, Certainty::Certain, strays);
                (expects, hidden) = (allowed, damaged);
            }
            (What::Readable { expected, checked, is_declared, .. }, _) => {
                expects.extend_from_slice(expected);
                place.tally.add_many(Kind::TokenElsewhere, Certainty::Certain, place.tokens);
                for (kind, checked) in checked {
                    place.tally.add_many(*kind, Certainty::Possible, checked.count().unwrap_or_default());
                }
                if !is_declared && place.values > 0 {
                    let text = "values are in a column that the map does not name, so nobody said whether they may be readable: add it to `sealed` or to `clear`";
                    report.undecided.push(of_place(&place, "column-undeclared", place.values, text));
                }
            }
            (What::Index(counts), _) => {
                place.tally.add_many(Kind::IndexPlaintext, Certainty::Certain, counts.not_values());
            }
            _ => {}
        }
        if place.of_odd_length > 0 {
            let text = "tokens are of a length that no whole token of the field has: they were cut off, or the field had another block. Open them to know";
            report.undecided.push(of_place(&place, "cut-or-whole", place.of_odd_length, text));
        }
        let is_empty = place.place.as_ref().is_some_and(|of| source.empty().is_column(of));
        if is_empty && matches!(place.what, What::Sealed(_) | What::Index(_)) {
            place.tally.add_many(Kind::NotEmpty, Certainty::Certain, place.values);
        }
        let named = |known| rules.known().map(|values| values.named(known)).unwrap_or_default();
        let shown = std::mem::take(&mut place.shown);
        let findings = place.tally.findings(Some(&shown), named).filter(|finding| !expects.contains(&finding.kind));
        report.findings.extend(findings.filter_map(|finding| without(finding, &mut hidden)));
    }
}

/// Leaves out damaged tokens in documents that were found at their places, too.
fn without(finding: Finding, hidden: &mut u64) -> Option<Finding> {
    if finding.kind != Kind::TokenDamaged {
        return Some(finding);
    }
    let count = finding.count.saturating_sub(*hidden);
    *hidden = hidden.saturating_sub(finding.count);
    (count > 0).then_some(Finding { count, ..finding })
}

fn of_place(place: &Place, code: &'static str, count: u64, text: &str) -> Undecided {
    Undecided { code, place: Some(place.shown.clone()), count: Some(count), text: text.into() }
}

//! One table or file as it is, whichever database or format it is of, and what the map says of its columns.

use std::collections::BTreeSet;

use rxseal::columns::ColumnLen;
use rxseal::schema::{FieldSchema, Schema};

use crate::finding::Finding;
use crate::place::Place;
use crate::source::{Clear, Indexed, Sealed, Source};

/// A field without a `max` may have this many bytes.
const NO_MAX: u32 = 16 * 1024 * 1024;
/// Of a record tag's text, in characters.
const TAG_TEXT: usize = 64;
/// Of an index value's prefix, in bytes.
const INDEX_PREFIX: usize = 3;

/// A column as it is.
pub(super) struct Column {
    pub(super) name: String,
    /// Its type as people write it. Empty for columns of files.
    pub(super) declared: String,
    /// Whether tokens may be in it, as text or bytes.
    pub(super) takes_tokens: bool,
    /// Whether it may have JSON documents.
    pub(super) takes_documents: bool,
    /// The most characters that a value has.
    pub(super) max_chars: Option<u32>,
    pub(super) is_generated: bool,
}

/// All columns of one table or of files.
pub(super) struct Columns {
    pub(super) all: Vec<Column>,
    pub(super) ignores_case: bool,
}

impl Columns {
    fn find(&self, name: &str) -> Option<&Column> {
        self.all.iter().find(|column| self.is_one(&column.name, name))
    }

    fn is_one(&self, a: &str, b: &str) -> bool {
        if self.ignores_case { a.eq_ignore_ascii_case(b) } else { a == b }
    }

    /// Checks the columns that a source names.
    pub(super) fn check(&self, source: &Source, schema: &Schema, findings: &mut Vec<Finding>) {
        let record = schema.record(source.record());
        let mut absent = BTreeSet::new();
        for place in source.places() {
            if self.find(place.column()).is_none() && absent.insert(place.column()) {
                let text = "there is no such column: correct the map, or add the column";
                findings.push(Finding::fault("column-missing", text).of(source).at(place, line_of(source, place)));
            }
        }
        for sealed in source.sealed() {
            // Those of parts are in documents, whose length no column limits.
            let field = record.and_then(|record| record.field(sealed.field()));
            let longest = field.map(longest_text);
            self.check_own(source, sealed.place(), sealed.line(), longest, findings);
        }
        if let Some(tag) = source.tag() {
            self.check_own(source, tag, source.line(), Some(Longest::Chars(TAG_TEXT)), findings);
        }
        for index in source.index() {
            let known = record.and_then(|record| record.indexes().iter().find(|known| known.id() == index.index()));
            let longest = known.filter(|known| !known.is_set()).map(|known| {
                let bytes = usize::from(known.bits()).div_ceil(8).saturating_add(INDEX_PREFIX);
                Longest::Chars(bytes.saturating_mul(4).div_ceil(3))
            });
            self.check_own(source, index.place(), index.line(), longest, findings);
        }
    }

    /// Of a column in which rxseal writes.
    fn check_own(
        &self,
        source: &Source,
        place: &Place,
        line: usize,
        longest: Option<Longest>,
        findings: &mut Vec<Finding>,
    ) {
        let Some(column) = self.find(place.column()) else { return };
        let mut found = |finding: Finding| findings.push(finding.of(source).at(place, line));
        let declared = &column.declared;
        if column.is_generated {
            found(Finding::fault(
                "column-generated",
                "it is computed from other columns, so nothing can be sealed in it: name the column that it is computed from",
            ));
        }
        if place.pointer().is_some() {
            if !column.takes_documents {
                found(Finding::fault("column-type", format!("it is {declared}, which has no JSON documents")));
            }
            return;
        }
        if !column.takes_tokens {
            let text = format!(
                "it is {declared}, and a token is text or bytes: add a new column of text or bytes, and move the values there (docs/COLUMNS.md)"
            );
            found(Finding::fault("column-type", text));
            return;
        }
        match (column.max_chars.map(|max| usize::try_from(max).unwrap_or(usize::MAX)), longest) {
            (Some(max), Some(Longest::Chars(longest))) if longest > max => {
                let text = format!(
                    "it is {declared}, and the longest value has {longest} characters: make it longer, or text without a limit"
                );
                found(Finding::fault("column-short", text));
            }
            (Some(_), Some(Longest::Any)) => {
                let text = format!(
                    "it is {declared}, and the field declares no `max`, so the database refuses long values when they are written: declare a `max` that fits"
                );
                found(Finding::note("field-without-max", text));
            }
            _ => {}
        }
    }

    /// The columns that none of the sources of this table names.
    pub(super) fn find_undeclared(&self, sources: &[&Source], findings: &mut Vec<Finding>) {
        let Some(first) = sources.first() else { return };
        for column in &self.all {
            let mut declared = sources.iter().flat_map(|source| source.columns());
            if !declared.any(|declared| self.is_one(declared, &column.name)) {
                let text = "the map does not name this column: add it to `sealed`, or to `clear` with what it tells about a person";
                let finding = Finding::fault("column-undeclared", text).of(first);
                findings.push(match Place::parse(&column.name) {
                    Ok(place) => finding.at(&place, first.line()),
                    Err(_) => finding,
                });
            }
        }
    }
}

enum Longest {
    Chars(usize),
    /// There is no limit.
    Any,
}

/// Of a token of any suite, since an operator may choose another one for the next key.
fn longest_text(field: &FieldSchema) -> Longest {
    if field.max_len() >= NO_MAX {
        return Longest::Any;
    }
    let max = usize::try_from(field.max_len()).unwrap_or(usize::MAX);
    Longest::Chars(ColumnLen::padded_to(field.block(), max).any_suite().text())
}

fn line_of(source: &Source, place: &Place) -> usize {
    let sealed = source.sealed().iter().find(|sealed| sealed.place() == place).map(Sealed::line);
    let index = || source.index().iter().find(|index| index.place() == place).map(Indexed::line);
    let clear = || source.clear().iter().find(|clear| clear.place() == place).map(Clear::line);
    sealed.or_else(index).or_else(clear).unwrap_or(source.line())
}

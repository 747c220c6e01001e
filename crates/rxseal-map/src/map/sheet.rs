//! The text of a map as tables of TOML whose lines are known, and the mistakes found in it.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mistake::Mistake;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// Where lines begin, and what is wrong so far.
pub(super) struct Sheet {
    /// The offset of each line's first byte, but not of the first line's.
    lines: Vec<usize>,
    mistakes: Vec<Mistake>,
}

impl Sheet {
    pub(super) fn new(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        Self { lines: ends.collect(), mistakes: Vec::new() }
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.partition_point(|begins| *begins <= span.start).saturating_add(1)
    }

    pub(super) fn wrong(&mut self, span: &Range<usize>, key: &str, text: impl Into<Box<str>>) {
        self.wrong_at(self.line(span), key, text);
    }

    pub(super) fn wrong_at(&mut self, line: usize, key: &str, text: impl Into<Box<str>>) {
        self.mistakes.push(Mistake { line, key: key.into(), text: text.into() });
    }

    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    /// A text that is not empty.
    pub(super) fn text<'v>(&mut self, value: &'v Value<'_>, key: &str, what: &str) -> Option<&'v str> {
        let text = match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => return Some(text),
            DeValue::String(_) => format!("it is empty: write {what}"),
            _ => format!("it is no text: write {what} in quotes"),
        };
        self.wrong(&value.span(), key, text);
        None
    }

    /// A text, or a list of one or more, none of them twice.
    pub(super) fn texts<'v>(&mut self, value: &'v Value<'_>, key: &str, what: &str) -> Vec<Item<'v>> {
        let DeValue::Array(list) = value.get_ref() else {
            return self.text(value, key, what).map(|text| Item { text, span: value.span() }).into_iter().collect();
        };
        if list.is_empty() {
            self.wrong(&value.span(), key, format!("the list is empty: write {what}, or leave the key out"));
        }
        let mut items: Vec<Item<'v>> = Vec::new();
        for value in list {
            let Some(text) = self.text(value, key, what) else { continue };
            if items.iter().any(|item| item.text == text) {
                self.wrong(&value.span(), key, format!("{text:?} is in the list twice"));
            } else {
                items.push(Item { text, span: value.span() });
            }
        }
        items
    }

    /// The members of a table in the order of the file, each a text.
    pub(super) fn pairs<'v>(&mut self, value: &'v Value<'_>, key: &str, what: &str) -> Vec<Pair<'v>> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(&value.span(), key, format!("it is no table: write `{{ {what} }}`"));
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in in_order(table) {
            let key = format!("{key}.{}", name.get_ref());
            if let Some(text) = self.text(value, &key, "a name") {
                pairs.push(Pair { name: name.get_ref(), text, span: name.span(), key });
            }
        }
        pairs
    }
}

/// One text of a list.
pub(super) struct Item<'v> {
    pub(super) text: &'v str,
    pub(super) span: Range<usize>,
}

/// `name = "text"`
pub(super) struct Pair<'v> {
    pub(super) name: &'v str,
    pub(super) text: &'v str,
    pub(super) span: Range<usize>,
    /// With the keys around it.
    pub(super) key: String,
}

/// A table whose keys are known one by one.
pub(super) struct Keys<'v, 't> {
    table: &'v DeTable<'t>,
    pub(super) span: Range<usize>,
    path: &'static str,
}

impl<'v, 't> Keys<'v, 't> {
    /// Notes every key that is not in `known`.
    pub(super) fn new(
        sheet: &mut Sheet,
        table: &'v DeTable<'t>,
        span: Range<usize>,
        path: &'static str,
        known: &[&str],
    ) -> Self {
        for (name, _) in in_order(table) {
            if !known.contains(&&**name.get_ref()) {
                let text = format!("there is no such key here: the keys are {}", known.join(", "));
                sheet.wrong(&name.span(), &format!("{path}{}", name.get_ref()), text);
            }
        }
        Self { table, span, path }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'v Value<'t>> {
        self.table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    /// Notes its absence.
    pub(super) fn need(&self, sheet: &mut Sheet, name: &str, what: &str) -> Option<&'v Value<'t>> {
        let value = self.get(name);
        if value.is_none() {
            sheet.wrong(&self.span, &self.path(name), format!("it is missing: write {what}"));
        }
        value
    }
}

/// As the file has them, and not by name.
fn in_order<'v, 't>(table: &'v DeTable<'t>) -> Vec<(&'v Spanned<Cow<'t, str>>, &'v Value<'t>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

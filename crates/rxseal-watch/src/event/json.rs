//! JSON objects, member by member, without spaces.

use std::fmt::Display;
use std::io::Write;

/// An object that is being written.
pub(super) struct Object<'v> {
    json: &'v mut Vec<u8>,
}

impl<'v> Object<'v> {
    pub(super) fn begin(json: &'v mut Vec<u8>) -> Self {
        json.push(b'{');
        Self { json }
    }

    /// Writes further members of an object that was begun elsewhere.
    pub(super) fn go_on(json: &'v mut Vec<u8>) -> Self {
        Self { json }
    }

    pub(super) fn end(self) {
        self.json.push(b'}');
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.digits(number);
    }

    pub(super) fn numbers(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(name, number);
        }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quoted(text);
    }

    pub(super) fn texts(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(super) fn shown(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, &value.to_string());
        }
    }

    /// A member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.json.extend_from_slice(json.as_bytes());
    }

    /// A list of texts; left out if it is empty.
    pub(super) fn list<'t>(&mut self, name: &str, texts: impl IntoIterator<Item = &'t str>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_none() {
            return;
        }
        self.name(name);
        self.array(texts, Self::quoted);
    }

    /// An object inside.
    pub(super) fn object(&mut self, name: &str, members: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut inner = Object::begin(self.json);
        members(&mut inner);
        inner.end();
    }

    /// A member whose value `write` writes.
    pub(super) fn value(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        write(self);
    }

    /// A list whose elements `write` writes.
    pub(super) fn array<T>(&mut self, elements: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.json.push(b'[');
        for (at, element) in elements.enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            write(self, element);
        }
        self.json.push(b']');
    }

    pub(super) fn quoted_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.quoted(text),
            None => self.json.extend_from_slice(b"null"),
        }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.json.push(byte);
    }

    pub(super) fn len(&self) -> usize {
        self.json.len()
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
            self.json.push(b'"');
            self.json.extend_from_slice(text.as_bytes());
            self.json.push(b'"');
        } else {
            // Writing to memory does not fail.
            drop(serde_json::to_writer(&mut *self.json, text));
        }
    }

    fn digits(&mut self, number: u64) {
        drop(write!(self.json, "{number}"));
    }

    fn name(&mut self, name: &str) {
        if self.json.last() != Some(&b'{') {
            self.json.push(b',');
        }
        self.quoted(name);
        self.json.push(b':');
    }
}

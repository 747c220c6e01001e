//! An opening in the buffer between the thread that opens and the one that writes: short to make, and no allocation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rxseal::observe::{BrokenGlass, OpenEvent, OpenedRecord, SearchEvent};
use rxseal::{Access, Recipient};

use super::json::Object;

/// What is in a buffer: the time, what the writer has to know, and the event.
///
/// `length of the rest (4) | time (8) | flags (1) | body`, little-endian
#[derive(Clone, Copy)]
pub(crate) struct Entry<'b> {
    /// Nanoseconds since the watch began.
    pub(crate) time: u64,
    pub(crate) flags: u8,
    body: &'b [u8],
}

impl<'b> Entry<'b> {
    /// The body is the JSON behind `m` of any event but an opening.
    const IS_TAIL: u8 = 1;
    /// A checkpoint follows.
    const CHECKPOINT: u8 = 2;
    /// It breaks the glass: it may use the reserve of the disk.
    const GLASS: u8 = 4;

    /// Writes an entry whose body `write` writes.
    fn write(buffer: &mut Vec<u8>, time: u64, flags: u8, write: impl FnOnce(&mut Vec<u8>)) {
        let start = buffer.len();
        buffer.extend_from_slice(&[0; 4]);
        buffer.extend_from_slice(&time.to_le_bytes());
        buffer.push(flags);
        write(buffer);
        let len = buffer.len().saturating_sub(start).saturating_sub(4);
        if let Some(place) = buffer.get_mut(start..).and_then(|entry| entry.first_chunk_mut()) {
            *place = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
        }
    }

    /// An event whose JSON behind `m` was written.
    pub(crate) fn write_tail(buffer: &mut Vec<u8>, time: u64, with_checkpoint: bool, tail: &[u8]) {
        let flags = Self::IS_TAIL | if with_checkpoint { Self::CHECKPOINT } else { 0 };
        Self::write(buffer, time, flags, |buffer| buffer.extend_from_slice(tail));
    }

    /// Puts an entry that was read back into a buffer.
    pub(crate) fn put(&self, buffer: &mut Vec<u8>) {
        Self::write(buffer, self.time, self.flags, |buffer| buffer.extend_from_slice(self.body));
    }

    /// The first entry, and how many bytes it has.
    pub(crate) fn read(buffer: &'b [u8]) -> Option<(Self, usize)> {
        let (len, rest) = buffer.split_first_chunk()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (time, rest) = rest.get(..len)?.split_first_chunk()?;
        let (flags, body) = rest.split_first()?;
        Some((Self { time: u64::from_le_bytes(*time), flags: *flags, body }, len.saturating_add(4)))
    }

    /// The JSON behind `m`, unless this is an opening.
    pub(crate) fn as_tail(&self) -> Option<&'b [u8]> {
        (self.flags & Self::IS_TAIL != 0).then_some(self.body)
    }

    pub(crate) fn as_opened(&self) -> Option<Opened<'b>> {
        Opened::read(self.body)
    }

    pub(crate) fn needs_checkpoint(&self) -> bool {
        self.flags & Self::CHECKPOINT != 0
    }

    pub(crate) fn breaks_glass(&self) -> bool {
        self.flags & Self::GLASS != 0
    }
}

/// How an opening ended, as `out` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Partial,
    Failed,
    ClassDenied,
    OverBudget,
    Frozen,
    Refused,
    Shredded,
    Panic,
}

impl Outcome {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Ok, "ok"),
        (Self::Partial, "partial"),
        (Self::Failed, "failed"),
        (Self::ClassDenied, "class_denied"),
        (Self::OverBudget, "over_budget"),
        (Self::Frozen, "frozen"),
        (Self::Refused, "refused"),
        (Self::Shredded, "shredded"),
        (Self::Panic, "panic"),
    ];

    fn to_byte(self) -> u8 {
        let place = Self::ALL.iter().position(|(outcome, _)| *outcome == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }

    fn text(byte: u8) -> &'static str {
        Self::ALL.get(usize::from(byte)).map_or("failed", |(_, text)| text)
    }
}

/// What the entries of all openings by one access begin with: it is put together once.
pub(crate) struct Who {
    bytes: Box<[u8]>,
    breaks_glass: bool,
}

impl Who {
    pub(crate) fn of(access: &Access) -> Self {
        let mut bytes = Vec::with_capacity(64);
        let (glass, to) = (access.broken_glass(), access.recipient());
        put_text(&mut bytes, Some(access.actor()));
        put_text(&mut bytes, Some(access.purpose().as_str()));
        put_text(&mut bytes, access.request());
        put_text(&mut bytes, glass.map(BrokenGlass::reason));
        put_text(&mut bytes, to.map(Recipient::name));
        put_text(&mut bytes, to.and_then(Recipient::where_it_is));
        put_text(&mut bytes, to.and_then(Recipient::why));
        Self { bytes: bytes.into(), breaks_glass: glass.is_some() }
    }

    pub(crate) fn breaks_glass(&self) -> bool {
        self.breaks_glass
    }
}

/// Writes the entry of an opening, or of a search with its hits.
pub(crate) fn write_opened(
    buffer: &mut Vec<u8>,
    time: u64,
    (event, search): (&OpenEvent<'_>, Option<&SearchEvent<'_>>),
    who: &Who,
    (outcome, level): (Outcome, Option<&'static str>),
) {
    let opening = event.opening();
    let flags = if who.breaks_glass { Entry::GLASS | Entry::CHECKPOINT } else { 0 };
    Entry::write(buffer, time, flags, |buffer| {
        buffer.extend_from_slice(&[u8::from(opening.hands_out()), outcome.to_byte(), u8::from(search.is_some())]);
        put_text(buffer, level);
        put_text(buffer, Some(opening.keyspace()));
        buffer.extend_from_slice(&who.bytes);
        if let Some(search) = search {
            put_number(buffer, search.searching().candidates());
            put_number(buffer, search.not_opened());
            put_list(buffer, search.searching().indexes().iter(), |buffer, index| put_text(buffer, Some(index)));
        }
        put_number(buffer, event.failed_fields());
        put_list(buffer, event.opened_by_class(), |buffer, (class, opened)| {
            put_text(buffer, Some(class.as_str()));
            put_number(buffer, opened);
        });
        put_list(buffer, event.classes_and_keys(), |buffer, (_, key)| buffer.extend_from_slice(key.as_bytes()));
        put_text(buffer, opening.records().first().map(OpenedRecord::record_type));
        let put_record = |buffer: &mut Vec<u8>, record: OpenedRecord<'_>| {
            put_text(buffer, record.record_id());
            put_text(buffer, record.subject_id());
        };
        match search {
            Some(search) => put_list(buffer, search.hits(), put_record),
            None => put_list(buffer, opening.records().iter().copied(), put_record),
        }
    });
}

/// A text of less than 64 KiB: `length + 1` in two bytes, or 0 for no text.
fn put_text(buffer: &mut Vec<u8>, text: Option<&str>) {
    let text = text.map(|text| text.get(..usize::from(u16::MAX).saturating_sub(1)).unwrap_or(text));
    let len = text.map_or(0, |text| text.len().saturating_add(1));
    buffer.extend_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
    buffer.extend_from_slice(text.unwrap_or_default().as_bytes());
}

fn put_number(buffer: &mut Vec<u8>, number: usize) {
    buffer.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

/// The number of elements, and the elements.
fn put_list<T>(buffer: &mut Vec<u8>, elements: impl Iterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) {
    let start = buffer.len();
    put_number(buffer, 0);
    let mut len = 0_u32;
    for element in elements {
        put(buffer, element);
        len = len.saturating_add(1);
    }
    if let Some(place) = buffer.get_mut(start..).and_then(|list| list.first_chunk_mut()) {
        *place = len.to_le_bytes();
    }
}

/// What was read is not what was put.
struct Unreadable;

/// What was put into a buffer, read in the same order.
#[derive(Clone, Copy)]
struct Parts<'b>(&'b [u8]);

impl<'b> Parts<'b> {
    fn bytes(&mut self, len: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// A text that is there.
    fn text(&mut self) -> Option<&'b str> {
        self.maybe_text().ok()?
    }

    /// A text or `None`; an error if it cannot be read.
    fn maybe_text(&mut self) -> Result<Option<&'b str>, Unreadable> {
        let len = self.bytes(2).and_then(|len| len.try_into().ok()).ok_or(Unreadable)?;
        let Some(len) = u16::from_le_bytes(len).checked_sub(1) else { return Ok(None) };
        let bytes = self.bytes(usize::from(len)).ok_or(Unreadable)?;
        Ok(Some(str::from_utf8(bytes).map_err(|_| Unreadable)?))
    }

    /// The elements of a list, each read by `element`.
    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = self.number()?;
        (0..len).map(|_| element(self)).collect()
    }
}

/// An opening as it was put into the buffer.
pub(crate) struct Opened<'b> {
    hands_out: bool,
    outcome: u8,
    level: Option<&'b str>,
    keyspace: &'b str,
    actor: &'b str,
    purpose: &'b str,
    request: Option<&'b str>,
    reason: Option<&'b str>,
    recipient: [Option<&'b str>; 3],
    /// Candidates, those that did not open, and the indexes.
    search: Option<(u64, u64, Vec<&'b str>)>,
    failed: u64,
    classes: Vec<(&'b str, u64)>,
    keys: Vec<&'b [u8]>,
    record_type: Option<&'b str>,
    records: Parts<'b>,
    len: u32,
}

/// The records of an opening that are not written yet.
pub(crate) struct Records<'b> {
    parts: Parts<'b>,
    left: u32,
}

impl<'b> Opened<'b> {
    fn read(body: &'b [u8]) -> Option<Self> {
        let mut parts = Parts(body);
        let (hands_out, outcome, is_search) = (parts.byte()? != 0, parts.byte()?, parts.byte()? != 0);
        let level = parts.maybe_text().ok()?;
        let (keyspace, actor, purpose) = (parts.text()?, parts.text()?, parts.text()?);
        let request = parts.maybe_text().ok()?;
        let reason = parts.maybe_text().ok()?;
        let (mut recipient, mut search) = ([None; 3], None);
        for part in &mut recipient {
            *part = parts.maybe_text().ok()?;
        }
        if is_search {
            search = Some((parts.number()?.into(), parts.number()?.into(), parts.list(Parts::text)?));
        }
        let failed = parts.number()?.into();
        let classes = parts.list(|parts| Some((parts.text()?, parts.number()?.into())))?;
        let keys = parts.list(|parts| parts.bytes(6))?;
        let record_type = parts.maybe_text().ok()?;
        let len = parts.number()?;
        Some(Self {
            hands_out,
            outcome,
            level,
            keyspace,
            actor,
            purpose,
            request,
            reason,
            recipient,
            search,
            failed,
            classes,
            keys,
            record_type,
            records: parts,
            len,
        })
    }

    pub(super) fn records(&self) -> Records<'b> {
        Records { parts: self.records, left: self.len }
    }

    /// The members of each line of an opening.
    pub(super) fn write_who(&self, object: &mut Object<'_>) {
        object.text("e", if self.hands_out { "open" } else { "index" });
        object.text("ks", self.keyspace);
        object.text("who", self.actor);
        object.text("pou", self.purpose);
        object.texts("req", self.request);
        object.texts("btg", self.reason);
        let [name, address, basis] = self.recipient;
        if name.is_some() {
            object.object("to", |object| {
                object.texts("name", name);
                object.texts("address", address);
                object.texts("basis", basis);
            });
        }
        object.texts("rt", self.record_type);
    }

    /// The members of its first line only.
    pub(super) fn write_what(&self, object: &mut Object<'_>) {
        if let Some((candidates, not_opened, indexes)) = &self.search {
            object.object("find", |object| {
                object.list("idx", indexes.iter().copied());
                object.number("cand", *candidates);
                object.numbers("not", Some(*not_opened).filter(|not_opened| *not_opened > 0));
            });
        }
        if !self.classes.is_empty() {
            object.object("cls", |object| {
                for (class, opened) in &self.classes {
                    object.number(class, *opened);
                }
            });
        }
        let mut keys: Vec<_> = self.keys.iter().map(|key| URL_SAFE_NO_PAD.encode(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        object.list("key", keys.iter().map(String::as_str));
        object.text("out", Outcome::text(self.outcome));
        object.numbers("err", Some(self.failed).filter(|failed| *failed > 0));
        object.texts("bud", self.level);
    }
}

impl<'b> Records<'b> {
    /// As many of the records as one line takes. Says whether these were the last.
    pub(super) fn write(&mut self, object: &mut Object<'_>, most: usize, longest: usize) -> bool {
        let end = object.len().saturating_add(longest);
        let mut written = 0_usize;
        object.value("rec", |object| {
            object.byte(b'[');
            while self.left > 0 && written < most && object.len() < end {
                let read = |parts: &mut Parts<'b>| Some((parts.maybe_text().ok()?, parts.maybe_text().ok()?));
                let Some((record, subject)) = read(&mut self.parts) else {
                    self.left = 0;
                    break;
                };
                if written > 0 {
                    object.byte(b',');
                }
                object.array([record, subject].into_iter(), Object::quoted_or_null);
                self.left = self.left.saturating_sub(1);
                written = written.saturating_add(1);
            }
            object.byte(b']');
        });
        self.left == 0
    }
}

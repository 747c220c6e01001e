//! Writes a payload, and says how long its padding is. The kind follows from the first call that the value's `Serialize` makes.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Display};

use serde::ser::{self, Serialize, Serializer};

use super::json_check::Checked;
use super::{Content, KIND_BYTES, KIND_JSON, KIND_TEXT, PAD_START, writing};
use crate::error::{Error, ErrorKind};
use crate::field::Declaration;
use crate::secret::reserve_wiping;

/// The maximum length of a field's content, and the block that it is padded to.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    max: usize,
    block: usize,
}

impl Limits {
    /// Of a field, whose declaration was checked.
    pub(crate) fn of(field: &Declaration) -> Self {
        Self { max: usize::try_from(field.max_len).unwrap_or(usize::MAX), block: usize::from(field.block) }
    }

    #[cfg(fuzzing)]
    pub(crate) const fn new(max: usize, block: usize) -> Self {
        Self { max, block }
    }

    /// The maximum number of content bytes.
    pub(super) fn max(self) -> usize {
        self.max
    }

    /// How many bytes of padding follow `unpadded` bytes (FORMAT 7.2): at least one.
    pub(super) fn padding(self, unpadded: usize) -> usize {
        let over = unpadded.checked_rem(self.block).unwrap_or_default();
        self.block.saturating_sub(over)
    }
}

/// The place of a payload in a token.
#[derive(Clone, Copy)]
pub(crate) struct PayloadPlace {
    pub(crate) limits: Limits,
    /// Bytes before it. The caller fills them.
    pub(crate) head: usize,
    /// Bytes after it. Room is made for them.
    pub(crate) tail: usize,
}

impl PayloadPlace {
    /// For a payload that is looked at and not sealed.
    pub(crate) const ALONE: Self = Self { limits: Limits { max: 1024, block: 1 }, head: 0, tail: 0 };
}

/// Something that becomes a payload.
pub(crate) trait Plaintext {
    /// Appends `place.head` zero bytes and the payload. On an error the caller wipes the appended bytes.
    fn write_payload(&self, place: PayloadPlace, out: &mut Vec<u8>) -> Result<(), Error>;
}

/// A user's value.
pub(crate) struct Value<'v, T: ?Sized>(pub(crate) &'v T);

impl<T: Serialize + ?Sized> Plaintext for Value<'_, T> {
    fn write_payload(&self, place: PayloadPlace, out: &mut Vec<u8>) -> Result<(), Error> {
        writing::value(|| Sink::write(place, out, |sink| sink.value(self.0)))
    }
}

/// The content of another token. It keeps its kind.
impl Plaintext for Content<'_> {
    fn write_payload(&self, place: PayloadPlace, out: &mut Vec<u8>) -> Result<(), Error> {
        Sink::write(place, out, |sink| match self {
            Self::Bytes(bytes) => sink.bytes(bytes),
            Self::Text(text) => sink.text(text),
            Self::Json(json) => {
                sink.begin(KIND_JSON, json.len())?;
                sink.push(json.as_bytes())
            }
        })
    }
}

/// Receives the content.
struct Sink<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    place: PayloadPlace,
    problem: Option<ErrorKind>,
}

impl<'o> Sink<'o> {
    /// Lets `content` write itself, and pads it.
    fn write(
        place: PayloadPlace,
        out: &'o mut Vec<u8>,
        content: impl FnOnce(&mut Self) -> Result<(), Refused>,
    ) -> Result<(), Error> {
        let start = out.len().saturating_add(place.head);
        let mut sink = Self { out, start, place, problem: None };
        if let Err(Refused) = content(&mut sink) {
            return Err(sink.problem.take().unwrap_or(ErrorKind::Unrepresentable).into());
        }
        let padding = place.limits.padding(sink.out.len().saturating_sub(start));
        reserve_wiping(sink.out, padding.saturating_add(place.tail));
        sink.out.push(PAD_START);
        sink.out.resize(sink.out.len().saturating_add(padding).saturating_sub(1), 0);
        Ok(())
    }

    fn fail(&mut self, problem: ErrorKind) -> Refused {
        self.problem = Some(problem);
        Refused
    }

    /// Begins content of `kind` with at least `len` bytes. The length is checked before anything is allocated (FORMAT
    /// 7.1), and room is made for the whole token at once.
    fn begin(&mut self, kind: u8, len: usize) -> Result<(), Refused> {
        if len > self.place.limits.max {
            return Err(self.fail(ErrorKind::TooLarge));
        }
        let unpadded = len.saturating_add(1);
        let padded = unpadded.saturating_add(self.place.limits.padding(unpadded));
        reserve_wiping(self.out, padded.saturating_add(self.place.head).saturating_add(self.place.tail));
        self.out.resize(self.start, 0);
        self.out.push(kind);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let content = self.out.len().saturating_sub(self.start).saturating_sub(1);
        if content.saturating_add(bytes.len()) > self.place.limits.max {
            return Err(self.fail(ErrorKind::TooLarge));
        }
        reserve_wiping(self.out, bytes.len());
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refused> {
        self.scalar(KIND_TEXT, text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.scalar(KIND_BYTES, bytes)
    }

    fn scalar(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Refused> {
        self.begin(kind, bytes.len())?;
        // Its length was checked, and there is room for it.
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// A user's value. Its `Serialize` runs once: a value that gives its content away, such as an iterator, would have
    /// nothing left for a second time, and that nothing would be sealed.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        let problem = Cell::new(None);
        let sink = RefCell::new(self);
        let mut json = serde_json::Serializer::new(Shared(&sink));
        let probe = Probe { sink: Shared(&sink), json: Checked::new(&mut json, &problem) };
        // serde_json's own error may quote the value, and is dropped here.
        let written = value.serialize(probe).map_err(drop);
        match (written, problem.take()) {
            (Ok(()), None) => Ok(()),
            (_, Some(problem)) => Err(sink.into_inner().fail(problem)),
            (Err(()), None) => Err(Refused),
        }
    }
}

/// The sink of the probe, and of the JSON that the value may turn out to be. It is borrowed only while bytes are
/// copied, and never while the user's code runs.
#[derive(Clone, Copy)]
struct Shared<'s, 'm, 'o>(&'s RefCell<&'m mut Sink<'o>>);

impl Shared<'_, '_, '_> {
    fn with(self, work: impl FnOnce(&mut Sink<'_>) -> Result<(), Refused>) -> Result<(), Refused> {
        work(*self.0.try_borrow_mut().map_err(|_| Refused)?)
    }
}

impl std::io::Write for Shared<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|sink| sink.push(bytes)).map_err(|Refused| std::io::ErrorKind::Other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Shared<'_, '_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.with(|sink| sink.push(text.as_bytes())).map_err(|Refused| fmt::Error)
    }
}

/// Something was refused, and the sink is unchanged. It has no details, so that it can contain no value.
#[derive(Debug)]
struct Refused;

impl From<Refused> for serde_json::Error {
    fn from(Refused: Refused) -> Self {
        ser::Error::custom("refused")
    }
}

type Json<'j, 's, 'm, 'o> = &'j mut serde_json::Serializer<Shared<'s, 'm, 'o>>;

/// The serializer that finds out what the value is. It writes text and bytes unchanged. At the first sign of anything
/// else, before any member of the value is visited, it switches to JSON.
struct Probe<'j, 's, 'm, 'o> {
    sink: Shared<'s, 'm, 'o>,
    json: Checked<'s, Json<'j, 's, 'm, 'o>>,
}

impl<'j, 's, 'm, 'o> Probe<'j, 's, 'm, 'o> {
    fn json(self) -> Result<Checked<'s, Json<'j, 's, 'm, 'o>>, serde_json::Error> {
        self.sink.with(|sink| sink.begin(KIND_JSON, 0))?;
        Ok(self.json)
    }
}

macro_rules! as_json {
    ($($method:ident($($name:ident: $type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<$ok, serde_json::Error> {
            self.json()?.$method($($name),*)
        }
    )*};
}

macro_rules! of_json {
    ($($compound:ident)*) => {$(
        type $compound = <Checked<'s, Json<'j, 's, 'm, 'o>> as Serializer>::$compound;
    )*};
}

impl<'j, 's, 'm, 'o> Serializer for Probe<'j, 's, 'm, 'o> {
    type Ok = ();
    type Error = serde_json::Error;

    of_json! {
        SerializeSeq SerializeTuple SerializeTupleStruct SerializeTupleVariant SerializeMap SerializeStruct SerializeStructVariant
    }

    fn serialize_str(self, text: &str) -> Result<(), serde_json::Error> {
        Ok(self.sink.with(|sink| sink.text(text))?)
    }

    fn serialize_char(self, character: char) -> Result<(), serde_json::Error> {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), serde_json::Error> {
        self.serialize_str(variant)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        Ok(self.sink.with(|sink| sink.bytes(bytes))?)
    }

    fn collect_str<T: Display + ?Sized>(mut self, value: &T) -> Result<(), serde_json::Error> {
        // Directly into the sink, since nobody would wipe a String.
        self.sink.with(|sink| sink.begin(KIND_TEXT, 0))?;
        fmt::write(&mut self.sink, format_args!("{value}")).map_err(|fmt::Error| Refused.into())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), serde_json::Error> {
        value.serialize(Self { json: self.json.in_option(), ..self })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        self.json()?.serialize_newtype_variant(name, index, variant, value)
    }

    as_json! {
        serialize_bool(value: bool) -> ();
        serialize_i8(value: i8) -> ();
        serialize_i16(value: i16) -> ();
        serialize_i32(value: i32) -> ();
        serialize_i64(value: i64) -> ();
        serialize_i128(value: i128) -> ();
        serialize_u8(value: u8) -> ();
        serialize_u16(value: u16) -> ();
        serialize_u32(value: u32) -> ();
        serialize_u64(value: u64) -> ();
        serialize_u128(value: u128) -> ();
        serialize_f32(value: f32) -> ();
        serialize_f64(value: f64) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(name: &'static str) -> ();
        serialize_seq(len: Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(len: usize) -> Self::SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Self::SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> Self::SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> Self::SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Self::SerializeStructVariant;
    }
}

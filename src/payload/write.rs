//! Writing a payload: the kind follows from the first call that the value's `Serialize` makes.

use std::cell::Cell;
use std::fmt::{self, Display};

use serde::ser::{self, Impossible, Serialize, Serializer};

use super::json_check::Checked;
use super::{Content, KIND_BYTES, KIND_JSON, KIND_TEXT, PAD_START, writing};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::secret::reserve_wiping;

/// How long a field's content may be and to what it is padded.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    max: usize,
    block: usize,
}

impl Limits {
    #[expect(clippy::as_conversions, reason = "they widen, and `From` is not const")]
    pub(crate) const fn of<F: Field>() -> Self {
        const { crate::field::check::<F>() };
        Self { max: F::MAX_LEN as usize, block: F::BLOCK as usize }
    }

    #[cfg(fuzzing)]
    pub(crate) const fn new(max: usize, block: usize) -> Self {
        Self { max, block }
    }

    /// The most bytes of content.
    pub(super) fn max(self) -> usize {
        self.max
    }

    /// What padding adds to `unpadded` bytes (FORMAT 7.2): one byte at least.
    pub(super) fn padding(self, unpadded: usize) -> usize {
        let over = unpadded.checked_rem(self.block).unwrap_or_default();
        self.block.saturating_sub(over)
    }
}

/// Where a payload stands in a token.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) limits: Limits,
    /// Bytes before it, which the caller fills.
    pub(crate) head: usize,
    /// Bytes after it, for which room is made.
    pub(crate) tail: usize,
}

/// What becomes a payload.
pub(crate) trait Plaintext {
    /// Appends `room.head` zero bytes and the payload. On an error the caller wipes what was appended.
    fn write_payload(&self, room: Room, out: &mut Vec<u8>) -> Result<(), Error>;
}

/// A user's value.
pub(crate) struct Value<'v, T: ?Sized>(pub(crate) &'v T);

impl<T: Serialize + ?Sized> Plaintext for Value<'_, T> {
    fn write_payload(&self, room: Room, out: &mut Vec<u8>) -> Result<(), Error> {
        let content = |sink: &mut Sink<'_>| {
            let mut shape = Shape::Whole;
            let written = self.0.serialize(Probe { sink, shape: &mut shape });
            match shape {
                Shape::Whole => written,
                Shape::Compound => sink.json(self.0),
            }
        };
        writing::value(|| Sink::write(room, out, content))
    }
}

/// The content of another token, of the same kind there as here.
impl Plaintext for Content<'_> {
    fn write_payload(&self, room: Room, out: &mut Vec<u8>) -> Result<(), Error> {
        Sink::write(room, out, |sink| match self {
            Self::Bytes(bytes) => sink.bytes(bytes),
            Self::Text(text) => sink.text(text),
            Self::Json(json) => {
                sink.begin(KIND_JSON, json.len())?;
                sink.push(json.as_bytes())
            }
        })
    }
}

/// Where the content goes.
struct Sink<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    room: Room,
    problem: Option<ErrorKind>,
}

impl<'o> Sink<'o> {
    /// Has `content` written, and pads it.
    fn write(
        room: Room,
        out: &'o mut Vec<u8>,
        content: impl FnOnce(&mut Self) -> Result<(), Refused>,
    ) -> Result<(), Error> {
        let start = out.len().saturating_add(room.head);
        let mut sink = Self { out, start, room, problem: None };
        if let Err(Refused) = content(&mut sink) {
            return Err(sink.problem.take().unwrap_or(ErrorKind::Unrepresentable).into());
        }
        let padding = room.limits.padding(sink.out.len().saturating_sub(start));
        reserve_wiping(sink.out, padding.saturating_add(room.tail));
        sink.out.push(PAD_START);
        sink.out.resize(sink.out.len().saturating_add(padding).saturating_sub(1), 0);
        Ok(())
    }

    fn fail(&mut self, problem: ErrorKind) -> Refused {
        self.problem = Some(problem);
        Refused
    }

    /// Begins content of `kind` of which `len` bytes are already known to come: checked before anything is allocated
    /// (FORMAT 7.1), and room made for the whole token at once.
    fn begin(&mut self, kind: u8, len: usize) -> Result<(), Refused> {
        if len > self.room.limits.max {
            return Err(self.fail(ErrorKind::TooLarge));
        }
        let unpadded = len.saturating_add(1);
        let padded = unpadded.saturating_add(self.room.limits.padding(unpadded));
        reserve_wiping(self.out, padded.saturating_add(self.room.head).saturating_add(self.room.tail));
        self.out.resize(self.start, 0);
        self.out.push(kind);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let content = self.out.len().saturating_sub(self.start).saturating_sub(1);
        if content.saturating_add(bytes.len()) > self.room.limits.max {
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

    /// The whole of `value` as JSON.
    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.begin(KIND_JSON, 0)?;
        let problem = Cell::new(None);
        let mut json = serde_json::Serializer::new(&mut *self);
        // serde_json's own error may quote the value, and is dropped here.
        let written = value.serialize(Checked::new(&mut json, &problem)).map_err(drop);
        match (written, problem.take()) {
            (Ok(()), None) => Ok(()),
            (_, Some(problem)) => Err(self.fail(problem)),
            (Err(()), None) => Err(Refused),
        }
    }
}

impl std::io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(bytes).map_err(|Refused| std::io::ErrorKind::Other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes()).map_err(|Refused| fmt::Error)
    }
}

/// Something was refused; what it was stands in the sink. Says nothing, so that it can hold no value.
#[derive(Debug)]
struct Refused;

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be sealed")
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<M: Display>(_: M) -> Self {
        Self
    }
}

/// Whether the probe wrote the value or found that it is more than one string.
enum Shape {
    Whole,
    Compound,
}

/// The serializer that finds out what the value is. Text and bytes are written as they are. At the first sign of
/// anything else it stops, before any member of the value is visited, and the value is written as JSON.
struct Probe<'s, 'o> {
    sink: &'s mut Sink<'o>,
    shape: &'s mut Shape,
}

impl Probe<'_, '_> {
    fn compound<T>(self) -> Result<T, Refused> {
        *self.shape = Shape::Compound;
        Err(Refused)
    }
}

macro_rules! compound {
    ($($method:ident($($name:ident: $type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<$ok, Refused> {
            self.compound()
        }
    )*};
}

impl Serializer for Probe<'_, '_> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Impossible<(), Refused>;
    type SerializeTuple = Impossible<(), Refused>;
    type SerializeTupleStruct = Impossible<(), Refused>;
    type SerializeTupleVariant = Impossible<(), Refused>;
    type SerializeMap = Impossible<(), Refused>;
    type SerializeStruct = Impossible<(), Refused>;
    type SerializeStructVariant = Impossible<(), Refused>;

    fn serialize_str(self, text: &str) -> Result<(), Refused> {
        self.sink.text(text)
    }

    fn serialize_char(self, character: char) -> Result<(), Refused> {
        self.sink.text(character.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Refused> {
        self.sink.text(variant)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Refused> {
        self.sink.bytes(bytes)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Refused> {
        // Into the sink, not through a String that nobody would wipe.
        self.sink.begin(KIND_TEXT, 0)?;
        fmt::write(self.sink, format_args!("{value}")).map_err(|fmt::Error| Refused)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Refused> {
        self.compound()
    }

    compound! {
        serialize_bool(_v: bool) -> ();
        serialize_i8(_v: i8) -> ();
        serialize_i16(_v: i16) -> ();
        serialize_i32(_v: i32) -> ();
        serialize_i64(_v: i64) -> ();
        serialize_i128(_v: i128) -> ();
        serialize_u8(_v: u8) -> ();
        serialize_u16(_v: u16) -> ();
        serialize_u32(_v: u32) -> ();
        serialize_u64(_v: u64) -> ();
        serialize_u128(_v: u128) -> ();
        serialize_f32(_v: f32) -> ();
        serialize_f64(_v: f64) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(_n: &'static str) -> ();
        serialize_seq(_l: Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(_l: usize) -> Self::SerializeTuple;
        serialize_tuple_struct(_n: &'static str, _l: usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(_n: &'static str, _i: u32, _v: &'static str, _l: usize) -> Self::SerializeTupleVariant;
        serialize_map(_l: Option<usize>) -> Self::SerializeMap;
        serialize_struct(_n: &'static str, _l: usize) -> Self::SerializeStruct;
        serialize_struct_variant(_n: &'static str, _i: u32, _v: &'static str, _l: usize) -> Self::SerializeStructVariant;
    }
}

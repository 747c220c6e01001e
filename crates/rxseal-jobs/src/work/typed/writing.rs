//! The cells of a struct of the program, by its `Serialize`.

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use zeroize::Zeroizing;

use super::reading::Unreadable;
use crate::row::{Form, NewCell, Row};
use crate::spec::Column;
use crate::work::token_cell::form;

/// The cells of the columns that a job writes, in the order of the columns.
pub(super) fn cells<S: Serialize>(
    columns: &[Column],
    was: &Row<'_>,
    row: &S,
) -> Result<Vec<(usize, NewCell)>, Unreadable> {
    let mut fields = Fields { columns, was, cells: Vec::new() };
    row.serialize(&mut fields)?;
    fields.cells.sort_by_key(|(at, _)| *at);
    let written = columns.iter().filter(|column| column.is_written()).count();
    // A column without a field would silently keep its old value.
    if fields.cells.len() == written { Ok(fields.cells) } else { Err(Unreadable) }
}

impl ser::Error for Unreadable {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Fields<'a, 'r> {
    columns: &'a [Column],
    was: &'a Row<'r>,
    cells: Vec<(usize, NewCell)>,
}

impl SerializeStruct for &mut Fields<'_, '_> {
    type Ok = ();
    type Error = Unreadable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unreadable> {
        let Some(at) = self.columns.iter().position(|column| column.is_written() && column.name() == name) else {
            // Not even looked at, since a job does not write it.
            return Ok(());
        };
        let cell = value.serialize(ToCell { form: form(self.was.cell(at)) })?;
        self.cells.push((at, cell));
        Ok(())
    }

    fn end(self) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// What is refused is not a struct, or not a cell.
macro_rules! refuses {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, _: $type) -> Result<Self::Ok, Unreadable> {
            Err(Unreadable)
        }
    )*};
    (@kinds) => {
        refuses! {
            serialize_bool: bool,
            serialize_i8: i8,
            serialize_i16: i16,
            serialize_i32: i32,
            serialize_i64: i64,
            serialize_u8: u8,
            serialize_u16: u16,
            serialize_u32: u32,
            serialize_u64: u64,
            serialize_f32: f32,
            serialize_f64: f64,
            serialize_char: char,
        }

        fn serialize_unit(self) -> Result<Self::Ok, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<Self::Ok, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, Unreadable> {
            Err(Unreadable)
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, Unreadable> {
            Err(Unreadable)
        }
    };
}

impl Serializer for &mut Fields<'_, '_> {
    type Ok = ();
    type Error = Unreadable;
    type SerializeSeq = Impossible<(), Unreadable>;
    type SerializeTuple = Impossible<(), Unreadable>;
    type SerializeTupleStruct = Impossible<(), Unreadable>;
    type SerializeTupleVariant = Impossible<(), Unreadable>;
    type SerializeMap = Impossible<(), Unreadable>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unreadable>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unreadable> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unreadable> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Unreadable> {
        Err(Unreadable)
    }

    fn serialize_none(self) -> Result<(), Unreadable> {
        Err(Unreadable)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unreadable> {
        Err(Unreadable)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unreadable> {
        Err(Unreadable)
    }

    refuses!(serialize_str: &str, serialize_bytes: &[u8]);
    refuses!(@kinds);
}

/// A token, a tag, an index value, or a list or a map of them, in the form of its column.
struct ToCell {
    form: Form,
}

impl Serializer for ToCell {
    type Ok = NewCell;
    type Error = Unreadable;
    type SerializeSeq = Values;
    type SerializeTuple = Impossible<NewCell, Unreadable>;
    type SerializeTupleStruct = Impossible<NewCell, Unreadable>;
    type SerializeTupleVariant = Impossible<NewCell, Unreadable>;
    type SerializeMap = Entries;
    type SerializeStruct = Impossible<NewCell, Unreadable>;
    type SerializeStructVariant = Impossible<NewCell, Unreadable>;

    fn is_human_readable(&self) -> bool {
        self.form == Form::Text
    }

    fn serialize_str(self, text: &str) -> Result<NewCell, Unreadable> {
        Ok(NewCell::Text(Zeroizing::new(text.to_owned())))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<NewCell, Unreadable> {
        Ok(NewCell::Bytes(Zeroizing::new(bytes.to_vec())))
    }

    fn serialize_none(self) -> Result<NewCell, Unreadable> {
        Ok(NewCell::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<NewCell, Unreadable> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<NewCell, Unreadable> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Values, Unreadable> {
        Ok(Values(Vec::new()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Unreadable> {
        Ok(Entries { json: "{".into() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unreadable> {
        Err(Unreadable)
    }

    refuses!(@kinds);
}

/// A list, as a JSON array of texts.
struct Values(Vec<String>);

impl SerializeSeq for Values {
    type Ok = NewCell;
    type Error = Unreadable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unreadable> {
        self.0.push(text(value)?);
        Ok(())
    }

    fn end(self) -> Result<NewCell, Unreadable> {
        let json = serde_json::to_string(&self.0).map_err(|_| Unreadable)?;
        Ok(NewCell::Text(Zeroizing::new(json)))
    }
}

/// A map, as a JSON object of texts.
struct Entries {
    json: String,
}

impl SerializeMap for Entries {
    type Ok = NewCell;
    type Error = Unreadable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unreadable> {
        // As serde_json writes a key: a number is a text as well.
        let key = serde_json::to_string(key).map_err(|_| Unreadable)?;
        let key = if key.starts_with('"') { key } else { format!("\"{key}\"") };
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push_str(&key);
        self.json.push(':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unreadable> {
        let text = serde_json::to_string(&text(value)?).map_err(|_| Unreadable)?;
        self.json.push_str(&text);
        Ok(())
    }

    fn end(mut self) -> Result<NewCell, Unreadable> {
        self.json.push('}');
        Ok(NewCell::Text(Zeroizing::new(self.json)))
    }
}

/// The text of a token or an index value in a list or a map.
fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, Unreadable> {
    match value.serialize(ToCell { form: Form::Text })? {
        NewCell::Text(text) => Ok(text.to_string()),
        NewCell::Null | NewCell::Bytes(_) => Err(Unreadable),
    }
}

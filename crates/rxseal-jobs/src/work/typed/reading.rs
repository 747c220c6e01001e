//! A row of a table as a struct of the program, by its `Deserialize`.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::row::{Cell, Row};
use crate::spec::Column;

/// What a struct does not read. It has no text, since that could quote a value.
#[derive(Debug)]
pub(super) struct Unreadable;

/// Reads a row: each column is the field of its name.
pub(super) fn read<S: de::DeserializeOwned>(columns: &[Column], row: &Row<'_>) -> Result<S, Unreadable> {
    S::deserialize(Cells { columns, row })
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the row is not one of the program's type")
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Cells<'a, 'r> {
    columns: &'a [Column],
    row: &'a Row<'r>,
}

impl<'de> Deserializer<'de> for Cells<'de, '_> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(Pairs { columns: self.columns, row: self.row, at: 0 })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct Pairs<'a, 'r> {
    columns: &'a [Column],
    row: &'a Row<'r>,
    at: usize,
}

impl<'a> MapAccess<'a> for Pairs<'a, '_> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(column) = self.columns.get(self.at) else { return Ok(None) };
        let name: StrDeserializer<'_, Unreadable> = column.name().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        let cell = self.row.cell(self.at);
        self.at = self.at.saturating_add(1);
        seed.deserialize(OneCell(cell))
    }
}

struct OneCell<'r>(Cell<'r>);

impl<'r> OneCell<'r> {
    fn text(&self) -> Result<&'r str, Unreadable> {
        match self.0 {
            Cell::Text(text) => Ok(text),
            _ => Err(Unreadable),
        }
    }

    fn parsed<T: std::str::FromStr>(&self) -> Result<T, Unreadable> {
        self.text()?.parse().map_err(|_| Unreadable)
    }
}

/// Numbers are texts in a row.
macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.$visit(self.parsed()?)
        }
    )*};
}

/// Lists, and what else is JSON in a text.
macro_rules! json {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Unreadable> {
            let mut json = serde_json::Deserializer::from_str(self.text()?);
            json.$method($($argument,)* visitor).map_err(|_| Unreadable)
        }
    )*};
}

impl<'de> Deserializer<'de> for OneCell<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Cell::Null(_) => visitor.visit_none(),
            Cell::Text(text) => visitor.visit_borrowed_str(text),
            Cell::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Cell::Other => Err(Unreadable),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.text()? {
            "true" | "t" | "1" => visitor.visit_bool(true),
            "false" | "f" | "0" => visitor.visit_bool(false),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    numbers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64 deserialize_i128 visit_i128
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64 deserialize_u128 visit_u128
        deserialize_f32 visit_f32 deserialize_f64 visit_f64 deserialize_char visit_char
    }

    json! {
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    forward_to_deserialize_any! { str string bytes byte_buf unit unit_struct identifier ignored_any }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::row::Form;
    use crate::spec::ColumnRole;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        MailOrder,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Bytes(#[serde(with = "bytes")] Vec<u8>);

    mod bytes {
        use serde::de::{Deserializer, Visitor};

        struct Any;

        impl Visitor<'_> for Any {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
            deserializer.deserialize_byte_buf(Any)
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Mixed {
        id: u64,
        count: i8,
        ratio: f64,
        is_active: bool,
        kind: Kind,
        note: Option<String>,
        none: Option<u8>,
        list: Vec<String>,
        raw: Bytes,
    }

    fn columns(names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::new(*name, ColumnRole::Clear, "")).collect()
    }

    #[test]
    fn a_row_is_read_by_names() {
        let names = ["id", "count", "ratio", "is_active", "kind", "note", "none", "list", "raw", "unknown"];
        let row = Row::new(vec![
            Cell::Text("18446744073709551615"),
            Cell::Text("-1"),
            Cell::Text("1.5"),
            Cell::Text("t"),
            Cell::Text("mail-order"),
            Cell::Text("n"),
            Cell::Null(Form::Text),
            Cell::Text("[\"a\",\"b\"]"),
            Cell::Bytes(&[7, 8]),
            Cell::Text("x"),
        ]);
        let read: Mixed = read(&columns(&names), &row).unwrap();
        let list = vec!["a".to_owned(), "b".to_owned()];
        let (note, raw) = (Some("n".to_owned()), Bytes(vec![7, 8]));
        let kind = Kind::MailOrder;
        assert_eq!(
            read,
            Mixed { id: u64::MAX, count: -1, ratio: 1.5, is_active: true, kind, note, none: None, list, raw }
        );
    }

    #[test]
    fn an_error_quotes_nothing() {
        for (name, cell) in [
            ("id", Cell::Text("Zoraida")),
            ("id", Cell::Bytes(b"Zoraida")),
            ("id", Cell::Other),
            ("other", Cell::Text("Zoraida")),
        ] {
            #[derive(Debug, Deserialize)]
            struct One {
                #[serde(rename = "id")]
                _id: u64,
            }
            let error = read::<One>(&columns(&[name]), &Row::new(vec![cell])).unwrap_err();
            assert!(!format!("{error}{error:?}").contains("Zoraida"));
        }
    }
}

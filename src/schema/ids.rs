//! The id of a row, from the cells of its columns.

use std::borrow::Cow;

use super::cell::Plain;
use super::clear::ClearSchema;
use super::content::{ContentType, TextFormat};
use super::fields::PartSchema;
use super::format::{is_integer, spelled};
use super::record::RecordSchema;
use crate::error::{Error, Reason};
use crate::id::{Identifier, joined_id};

impl RecordSchema {
    /// The id of a record: one cell for each of [`ids`](Self::ids), in their order. It is the id that the record struct has, so several are
    /// joined with `/`. A UUID may be its 16 bytes, as drivers of SQLite write it.
    ///
    /// ```
    /// use rxseal::schema::{Plain, Schema};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let schema = Schema::parse(
    /// #     r#"{"rxseal_schema": 1, "records": [{"record": "fill", "ids": [
    /// #         {"member": "rx_number", "content": "u64"}, {"member": "fill", "content": "u8"}
    /// #     ], "fields": []}]}"#,
    /// # )?;
    /// # let fill = &schema.records()[0];
    /// let record = keys.record_type_of(fill)?.record(fill.record_id(&[Plain::Text("1001"), Plain::Text("2")])?)?;
    /// # let token = record.seal::<rxseal::phi::Drug>("x")?;
    /// # keys.record("fill", "1001/2")?.reseal::<rxseal::phi::Drug>(&token)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `invalid-id` if a cell is no id, is not spelled as the struct's type writes it, or there are more or fewer cells. Also for an enum,
    /// whose variants have ids of their own.
    pub fn record_id(&self, cells: &[Plain<'_>]) -> Result<Identifier<'static>, Error> {
        const ENUM: Reason = "the record is an enum, whose variants have ids of their own";
        let id = if self.is_enum() { Err(Error::invalid_id(RECORD_ID, ENUM)) } else { joined(self.ids(), cells) };
        id.map_err(|error| error.in_record(self.record_type()))
    }

    /// The id of the subject from its cell; `None` for a row without one.
    ///
    /// # Errors
    ///
    /// `invalid-id` if the cell is no id, or is null and the subject is needed.
    pub fn subject_id(&self, cell: Plain<'_>) -> Result<Option<Identifier<'static>>, Error> {
        let Some(subject) = self.subject() else { return Ok(None) };
        if matches!(cell, Plain::Null) && subject.is_optional() {
            return Ok(None);
        }
        let id = of_cell("subject id", subject, cell).map_err(|error| error.in_record(self.record_type()))?;
        Ok(Some(id.into_owned().into()))
    }
}

impl PartSchema {
    /// The id of a part: one cell for each of [`ids`](Self::ids), in their order.
    ///
    /// # Errors
    ///
    /// `invalid-id`, as for [`RecordSchema::record_id`].
    pub fn part_id(&self, cells: &[Plain<'_>]) -> Result<Identifier<'static>, Error> {
        joined(self.ids(), cells)
    }
}

const RECORD_ID: Reason = "record id";

fn joined(ids: &[ClearSchema], cells: &[Plain<'_>]) -> Result<Identifier<'static>, Error> {
    const COUNT: Reason = "an id has one cell for each of its columns";
    match (ids, cells) {
        ([id], [cell]) => Ok(of_cell(RECORD_ID, id, *cell)?.into_owned().into()),
        _ if ids.is_empty() || ids.len() != cells.len() => Err(Error::invalid_id(RECORD_ID, COUNT)),
        _ => {
            let of_one = |(id, cell): (&ClearSchema, &Plain<'_>)| of_cell(RECORD_ID, id, *cell).map(Cow::into_owned);
            let ids = ids.iter().zip(cells).map(|pair| of_one(pair).map(Identifier::from));
            joined_id(&ids.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// The cell as an id in its one spelling.
fn of_cell<'c>(what: Reason, id: &ClearSchema, cell: Plain<'c>) -> Result<Cow<'c, str>, Error> {
    const TEXT: Reason = "it is null or no text";
    const SPELLED: Reason = "it is not spelled as the type of the id writes it";
    let is_uuid = id.content() == Some(ContentType::Text(TextFormat::Uuid));
    let text: Cow<'c, str> = match cell {
        Plain::Text(text) => text.into(),
        Plain::Bytes(bytes) => match <[u8; 16]>::try_from(bytes) {
            Ok(bytes) if is_uuid => uuid_text(bytes).into(),
            _ => std::str::from_utf8(bytes).map_err(|_| Error::invalid_id(what, TEXT))?.into(),
        },
        Plain::Null => return Err(Error::invalid_id(what, TEXT)),
    };
    let is_spelled = match id.content() {
        Some(ContentType::Integer { signed, bits }) => is_integer(&text, signed, bits),
        Some(ContentType::Text(TextFormat::Uuid)) => spelled(TextFormat::Uuid, &text).is_some(),
        _ => true,
    };
    if !is_spelled {
        return Err(Error::invalid_id(what, SPELLED));
    }
    Identifier::from(&*text).parse(what)?;
    Ok(text)
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let places = [0..8, 8..12, 12..16, 16..20, 20..32];
    places.map(|place| digits.get(place).unwrap_or_default()).join("-")
}

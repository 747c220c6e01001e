//! The canonical text of a cell that a record tag covers (FORMAT 14.8).

use super::cell::Plain;
use super::clear::ClearSchema;
use super::content::{ContentType, TextFormat};
use super::format::{Digits, is_integer, spelled};
use super::moment::{Date, Moment, Time, date, time};
use crate::error::{Error, ErrorKind, Reason};
use crate::record_tag::{calendar, decimal};

/// The text of a cell; `None` is null.
pub(super) fn clear_text(value: &ClearSchema, cell: Plain<'_>) -> Result<Option<Box<str>>, Error> {
    const NULL: Reason = "it is null, and its column has no null";
    const BYTES: Reason = "it is bytes, and a record tag covers text";
    let text = match cell {
        Plain::Null if value.is_optional() => return Ok(None),
        Plain::Null => return Err(refused(NULL)),
        Plain::Text(text) => text,
        Plain::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| refused(BYTES))?,
    };
    canonical(value, text).map(|text| Some(text.into()))
}

fn canonical(value: &ClearSchema, text: &str) -> Result<String, Error> {
    const UNKNOWN: Reason =
        "the schema does not say what the column holds, so only its own program makes and verifies the record tag";
    const FORM: Reason = "it has another form than its type, such as a date that does not exist";
    let form = || refused(FORM);
    match value.content().ok_or_else(|| refused(UNKNOWN))? {
        ContentType::Bool => match text {
            "true" | "t" | "1" => Ok("true".into()),
            "false" | "f" | "0" => Ok("false".into()),
            _ => Err(form()),
        },
        ContentType::Integer { signed, bits } if is_integer(text, signed, bits) => Ok(text.into()),
        ContentType::Text(TextFormat::Date) => {
            of_date(date(text).filter(|(_, rest)| rest.is_empty()).ok_or_else(form)?.0)
        }
        ContentType::Text(TextFormat::Time) => {
            of_time(time(text).filter(|(_, rest)| rest.is_empty()).ok_or_else(form)?.0)
        }
        ContentType::Text(TextFormat::DateTime) => {
            let moment = Moment::of(text).filter(|moment| moment.in_utc().is_none()).ok_or_else(form)?;
            calendar::civil(of_date(moment.date), of_time(moment.time))
        }
        ContentType::Text(TextFormat::Timestamp) => {
            let (date, time) = Moment::of(text).and_then(Moment::in_utc).ok_or_else(form)?;
            calendar::utc(calendar::civil(of_date(date), of_time(time)))
        }
        ContentType::Text(TextFormat::Decimal) => {
            let (digits, behind) = Digits::of(text).and_then(Digits::parts).ok_or_else(form)?;
            match value.scale() {
                Some(scale) => decimal::scaled(digits, behind, scale.into()),
                None => decimal::plain(digits, behind),
            }
        }
        ContentType::Text(format) if spelled(format, text).is_some() => Ok(text.into()),
        _ => Err(form()),
    }
}

fn of_date(Date { year, month, day }: Date) -> Result<String, Error> {
    calendar::date(year.into(), month, day)
}

fn of_time(Time { hour, minute, second, nanos }: Time) -> Result<String, Error> {
    calendar::time(hour, minute, second, nanos)
}

#[cold]
fn refused(reason: Reason) -> Error {
    ErrorKind::ClearRefused.because(reason)
}

#[cfg(test)]
mod tests {
    use super::super::clear::Bound;
    use super::super::place::Place;
    use super::*;
    use crate::id::FieldId;

    fn text(content: &str, scale: Option<u8>, cell: &str) -> Result<String, &'static str> {
        let bind = Some(Bound { id: FieldId::new("rx.value"), scale, since: 1 });
        let place = Place::new("value", Vec::new(), None).unwrap();
        let value = ClearSchema { place, content: Some(content.parse().unwrap()), optional: false, bind };
        let text = clear_text(&value, Plain::Text(cell)).map_err(|error| error.code().as_str())?;
        assert_eq!(clear_text(&value, Plain::Null).unwrap_err().code().as_str(), "clear-refused");
        Ok(text.unwrap().into_string())
    }

    #[test]
    fn the_text_of_a_cell_is_that_of_its_value() {
        for (content, scale, cell, canonical) in [
            ("text", None, " Ä", " Ä"),
            ("bool", None, "t", "true"),
            ("bool", None, "0", "false"),
            ("i16", None, "-7", "-7"),
            ("uuid", None, "00000000-0000-0000-0000-0000000000ab", "00000000-0000-0000-0000-0000000000ab"),
            ("date", None, "2026-01-09", "2026-01-09"),
            ("time", None, "00:30:05", "00:30:05.000000"),
            ("date-time", None, "2026-01-09 00:30:05.12", "2026-01-09T00:30:05.120000"),
            ("timestamp", None, "2026-01-09 00:30:05.12+01", "2026-01-08T23:30:05.120000Z"),
            ("timestamp", None, "2026-01-09T00:30:05Z", "2026-01-09T00:30:05.000000Z"),
            ("decimal", None, "-1.5", "-1.5"),
            ("decimal", Some(2), "1.5", "1.50"),
            ("decimal", Some(2), "-0.5000", "-0.50"),
        ] {
            assert_eq!(text(content, scale, cell).as_deref(), Ok(canonical), "{content} {cell}");
        }
        for (content, scale, cell) in [
            ("bool", None, "yes"),
            ("i16", None, "32768"),
            ("date", None, "2026-02-30"),
            ("time", None, "00:30:05.0000001"),
            ("date-time", None, "2026-01-09T00:30:05Z"),
            ("timestamp", None, "2026-01-09T00:30:05"),
            ("decimal", None, "1.50"),
            ("decimal", Some(2), "1.505"),
            ("f64", None, "1"),
            ("json", None, "1"),
            ("uuid", None, "00000000-0000-0000-0000-0000000000AB"),
        ] {
            assert_eq!(text(content, scale, cell).unwrap_err(), "clear-refused", "{content} {cell}");
        }
    }
}

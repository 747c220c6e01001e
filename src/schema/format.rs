//! Texts with a form: dates, times, UUIDs and decimals, in the one spelling that is sealed and given back.

use super::content::TextFormat;
use super::moment::{Moment, Rest, date, time};
use super::short::Short;

/// A text in the spelling that is sealed.
pub(super) enum Spelled<'t> {
    AsItIs(&'t str),
    Anew(Short),
}

/// `text` in the form, or `None` if it is another text.
pub(super) fn spelled(format: TextFormat, text: &str) -> Option<Spelled<'_>> {
    let is_it = match format {
        TextFormat::Any => true,
        TextFormat::Char => {
            let mut characters = text.chars();
            characters.next().is_some() && characters.next().is_none()
        }
        TextFormat::Date => date(text).is_some_and(|(_, rest)| rest.is_empty()),
        TextFormat::Time => time(text).is_some_and(|(_, rest)| rest.is_empty()),
        TextFormat::DateTime => return moment(text, |rest| rest == Rest::Nothing),
        TextFormat::Timestamp => return moment(text, |rest| rest != Rest::Nothing),
        TextFormat::Uuid => is_uuid(text),
        TextFormat::Decimal => Digits::of(text).is_some_and(Digits::is_decimal),
    };
    is_it.then_some(Spelled::AsItIs(text))
}

/// PostgreSQL writes a space where ISO 8601 has a `T`, and leaves out the minutes of most offsets.
fn moment(text: &str, fits: impl FnOnce(Rest) -> bool) -> Option<Spelled<'_>> {
    let moment = Moment::of(text)?;
    if !fits(moment.rest) {
        return None;
    }
    Some(if moment.is_iso { Spelled::AsItIs(text) } else { Spelled::Anew(moment.to_iso(text)?) })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Whether `text` is the shortest decimal of an integer of this size.
pub(super) fn is_integer(text: &str, signed: bool, bits: u8) -> bool {
    let Some(Digits { negative, whole, fraction: None }) = Digits::of(text) else { return false };
    let Some(spare) = 128_u32.checked_sub(bits.into()) else { return false };
    let Ok(number) = whole.parse::<u128>() else { return false };
    let largest = u128::MAX.checked_shr(spare).unwrap_or_default();
    match (signed, negative) {
        (false, false) => number <= largest,
        (false, true) => false,
        (true, false) => number <= largest / 2,
        (true, true) => number <= (largest / 2).saturating_add(1),
    }
}

/// A decimal number without an exponent, in its one spelling.
#[derive(Clone, Copy)]
pub(super) struct Digits<'t> {
    negative: bool,
    whole: &'t str,
    fraction: Option<&'t str>,
}

impl<'t> Digits<'t> {
    /// `None` for any other text: without a digit, or with a zero too many in front, a plus, or a minus before zero.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let (negative, number) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let shortest = whole.len() == 1 || !whole.starts_with('0');
        let is_zero = number.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let is_one = is_digits(whole) && fraction.is_none_or(is_digits) && shortest && !(negative && is_zero);
        is_one.then_some(Self { negative, whole, fraction })
    }

    /// Whether a `Decimal` keeps all digits: 28 behind the point, and 96 bits together.
    fn is_decimal(self) -> bool {
        self.parts().is_some_and(|(digits, behind)| digits.unsigned_abs() < 1 << 96 && behind <= 28)
    }

    /// All digits as one number, and how many of them are behind the point.
    pub(super) fn parts(self) -> Option<(i128, u32)> {
        let fraction = self.fraction.unwrap_or_default();
        let digits =
            self.whole.bytes().chain(fraction.bytes()).try_fold(0_i128, |number, digit| {
                number.checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into())
            })?;
        let digits = if self.negative { digits.checked_neg()? } else { digits };
        Some((digits, fraction.len().try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: TextFormat, text: &str) -> Option<String> {
        spelled(format, text).map(|spelled| match spelled {
            Spelled::AsItIs(text) => text.to_owned(),
            Spelled::Anew(short) => short.as_str().to_owned(),
        })
    }

    #[test]
    fn each_form_has_one_spelling() {
        let same: &[(TextFormat, &[&str])] = &[
            (TextFormat::Any, &["", "x", " 007 "]),
            (TextFormat::Char, &["x", "Ä", " "]),
            (TextFormat::Date, &["2026-11-29", "2028-02-29", "0000-01-01", "9999-12-31"]),
            (TextFormat::Time, &["00:00:00", "23:59:59.123456789", "07:30:00.5"]),
            (TextFormat::DateTime, &["2026-11-29T07:30:00", "2026-11-29T07:30:00.000001"]),
            (
                TextFormat::Timestamp,
                &["2026-11-29T07:30:00Z", "2026-11-29T07:30:00.5+05:30", "2026-11-29T07:30:00-00:00"],
            ),
            (TextFormat::Uuid, &["6f9619ff-8b86-d011-b42d-00cf4fc964ff"]),
            (
                TextFormat::Decimal,
                &["0", "0.0", "-12.50", "79228162514264337593543950335", "0.0000000000000000000000000001"],
            ),
        ];
        for (format, texts) in same {
            for text in *texts {
                assert_eq!(written(*format, text).as_deref(), Some(*text), "{format:?}");
            }
        }
        for (format, text, iso) in [
            (TextFormat::DateTime, "2026-11-29 07:30:00.25", "2026-11-29T07:30:00.25"),
            (TextFormat::Timestamp, "2026-11-29 07:30:00+00", "2026-11-29T07:30:00Z"),
            (TextFormat::Timestamp, "2026-11-29 07:30:00.123456-03", "2026-11-29T07:30:00.123456-03:00"),
            (TextFormat::Timestamp, "2026-11-29 07:30:00+05:30", "2026-11-29T07:30:00+05:30"),
        ] {
            assert_eq!(written(format, text).as_deref(), Some(iso), "{text}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        let refused: &[(TextFormat, &[&str])] = &[
            (TextFormat::Char, &["", "xy"]),
            (
                TextFormat::Date,
                &[
                    "",
                    "2026-11-31",
                    "2027-02-29",
                    "2026-13-01",
                    "2026-1-1",
                    "29.11.2026",
                    "2026-11-29 ",
                    "12026-11-29",
                    "2026-11-29 BC",
                ],
            ),
            (
                TextFormat::Time,
                &["24:00:00", "07:30", "07:60:00", "07:30:60", "07:30:00.", "07:30:00.1234567890", "7:30:00"],
            ),
            (
                TextFormat::DateTime,
                &["2026-11-29", "2026-11-29T07:30:00Z", "2026-11-29t07:30:00", "2026-11-29  07:30:00", "infinity"],
            ),
            (
                TextFormat::Timestamp,
                &[
                    "2026-11-29T07:30:00",
                    "2026-11-29T07:30:00z",
                    "2026-11-29 07:30:00+00:19:32",
                    "2026-11-29T07:30:00+24:00",
                    "2026-11-29T07:30:00+1",
                    "-infinity",
                ],
            ),
            (TextFormat::Uuid, &["6F9619ff-8b86-d011-b42d-00cf4fc964ff", "6f9619ff8b86d011b42d00cf4fc964ff", ""]),
            (
                TextFormat::Decimal,
                &[
                    "",
                    "-",
                    ".5",
                    "5.",
                    "1e3",
                    "+1",
                    "007",
                    "-0",
                    "-0.00",
                    "1,5",
                    "79228162514264337593543950336",
                    "0.00000000000000000000000000001",
                ],
            ),
        ];
        for (format, texts) in refused {
            for text in *texts {
                assert!(written(*format, text).is_none(), "{format:?} {text:?}");
            }
        }
    }

    #[test]
    fn an_integer_has_its_bounds() {
        for (bits, unsigned, signed) in [
            (8, u128::from(u8::MAX), i128::from(i8::MAX)),
            (64, u64::MAX.into(), i64::MAX.into()),
            (128, u128::MAX, i128::MAX),
        ] {
            assert!(is_integer(&unsigned.to_string(), false, bits) && is_integer(&signed.to_string(), true, bits));
            assert!(is_integer(&(-signed - 1).to_string(), true, bits) && is_integer("0", true, bits));
            assert!(!is_integer(&(signed.unsigned_abs() + 1).to_string(), true, bits), "{bits}");
            assert!(!is_integer(&format!("-{}", signed.unsigned_abs() + 2), true, bits), "{bits}");
            for bad in [
                "",
                "-",
                "+1",
                "01",
                "-0",
                "1.0",
                " 1",
                "1 ",
                "abc",
                "0x1",
                "٣",
                "340282366920938463463374607431768211456",
            ] {
                assert!(!is_integer(bad, false, bits) && !is_integer(bad, true, bits), "{bad}");
            }
        }
        assert!(!is_integer("256", false, 8) && !is_integer("300", false, 8) && !is_integer("-1", false, 8));
    }
}

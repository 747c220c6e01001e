//! `date/1`: days, such as birth dates.

#[cfg(any(feature = "chrono_0_4", feature = "time_0_3", feature = "jiff_0_2"))]
mod foreign;

use std::marker::PhantomData;

use rxseal::Error;

use super::form::NormalForm;
use super::normalizer::{Normalizer, Normalizes};
use super::placeholders::{Placeholders, UsualPlaceholders};

/// Days of the years 1 to 9999, as `YYYY-MM-DD`: `date/1`. The calendar is the Gregorian one throughout, and the day must exist.
///
/// - The types of dates of chrono, time and jiff need the features `chrono_0_4`, `time_0_3` and `jiff_0_2`.
/// - A part of a date, `1970` or `1970-01`, has an empty form, and so has a placeholder.
/// - Any other order is refused, since `01/02/1970` is two days. So is a date with a time, whose day depends on a time zone.
///
/// ```
/// use rxseal_search::normal::{Date, NormalForm, Normalizes};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// <Date>::write("1970-01-31", &mut form)?;
/// assert_eq!(form.as_bytes(), b"1970-01-31");
///
/// assert!(<Date>::write("01/02/1970", &mut form).unwrap_err().is_not_indexable());
/// assert!(<Date>::write("1970-02-30", &mut form).unwrap_err().is_not_indexable());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Date<P = UsualPlaceholders>(PhantomData<P>);

impl<P> Normalizer for Date<P> {
    const ID: &'static str = "date/1";
}

impl<P: Placeholders> Normalizes<str> for Date<P> {
    fn write(text: &str, form: &mut NormalForm) -> Result<(), Error> {
        form.clear();
        match text.trim_ascii().as_bytes() {
            [] => Ok(()),
            [y1, y2, y3, y4] => number(&[*y1, *y2, *y3, *y4]).map(drop),
            [y1, y2, y3, y4, b'-', m1, m2] => {
                number(&[*y1, *y2, *y3, *y4])?;
                let month = number(&[*m1, *m2])?;
                if (1..=12).contains(&month) { Ok(()) } else { Err(refused()) }
            }
            [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
                write_day::<P>(number(&[*y1, *y2, *y3, *y4])?, number(&[*m1, *m2])?, number(&[*d1, *d2])?, form)
            }
            _ => Err(refused()),
        }
    }
}

fn write_day<P: Placeholders>(year: u16, month: u16, day: u16, form: &mut NormalForm) -> Result<(), Error> {
    if !(1..=9999).contains(&year) || day == 0 || day > days_of(year, month) {
        return Err(refused());
    }
    for (number, digits) in [(year, 4), (month, 2), (day, 2)] {
        if !form.is_empty() {
            form.push_byte(b'-')?;
        }
        write_number(number, digits, form)?;
    }
    if P::is_date(form.as_bytes()) {
        form.clear();
    }
    Ok(())
}

fn write_number(number: u16, digits: u32, form: &mut NormalForm) -> Result<(), Error> {
    for place in (0..digits).rev() {
        let digit = 10_u16.checked_pow(place).and_then(|unit| number.checked_div(unit)).unwrap_or_default() % 10;
        form.push_byte(u8::try_from(digit).unwrap_or_default().saturating_add(b'0'))?;
    }
    Ok(())
}

fn days_of(year: u16, month: u16) -> u16 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

fn number(digits: &[u8]) -> Result<u16, Error> {
    digits.iter().try_fold(0_u16, |number, digit| match digit {
        b'0'..=b'9' => Ok(number.saturating_mul(10).saturating_add(u16::from(digit & 0x0F))),
        _ => Err(refused()),
    })
}

fn refused() -> Error {
    Error::not_indexable("a date is YYYY-MM-DD, a day that exists, without a time")
}

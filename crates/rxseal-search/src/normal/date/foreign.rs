//! The types of days of other crates.

use rxseal::Error;

use super::super::form::NormalForm;
use super::super::normalizer::Normalizes;
use super::super::placeholders::Placeholders;
use super::{Date, refused, write_day};

#[cfg(feature = "chrono_0_4")]
impl<P: Placeholders> Normalizes<chrono::NaiveDate> for Date<P> {
    fn write(day: &chrono::NaiveDate, form: &mut NormalForm) -> Result<(), Error> {
        use chrono::Datelike;
        write_parts::<P>(day.year(), day.month(), day.day(), form)
    }
}

#[cfg(feature = "time_0_3")]
impl<P: Placeholders> Normalizes<time::Date> for Date<P> {
    fn write(day: &time::Date, form: &mut NormalForm) -> Result<(), Error> {
        write_parts::<P>(day.year(), u8::from(day.month()).into(), day.day().into(), form)
    }
}

#[cfg(feature = "jiff_0_2")]
impl<P: Placeholders> Normalizes<jiff::civil::Date> for Date<P> {
    fn write(day: &jiff::civil::Date, form: &mut NormalForm) -> Result<(), Error> {
        let of = |part: i8| u32::try_from(part).unwrap_or_default();
        write_parts::<P>(day.year().into(), of(day.month()), of(day.day()), form)
    }
}

fn write_parts<P: Placeholders>(year: i32, month: u32, day: u32, form: &mut NormalForm) -> Result<(), Error> {
    form.clear();
    let (Ok(year), Ok(month), Ok(day)) = (u16::try_from(year), u16::try_from(month), u16::try_from(day)) else {
        return Err(refused());
    };
    write_day::<P>(year, month, day, form)
}

//! Days, months and leap years of the Gregorian calendar.

/// The days from 1970 to the first of a month.
pub(crate) fn days_before(year: u16, month: u8) -> u64 {
    let years = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 });
    let months = (1..month).map(|month| u64::from(days_of(year, month)));
    years.chain(months).fold(0, u64::saturating_add)
}

/// The days of a month; none for what is no month.
pub(crate) fn days_of(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

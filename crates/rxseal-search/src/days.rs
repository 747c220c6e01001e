//! Days one after another, and the year that a person may be known by.

use std::fmt::{self, Write as _};

use rxseal::Error;
use zeroize::Zeroizing;

use crate::normal::{Date, NoPlaceholders, NormalForm, Normalizes};

/// More bytes than three numbers of 16 bits with two hyphens have.
const LONGEST: usize = 20;
/// From this age on a person has no year of birth that may be known.
const OLD: u16 = 90;

/// The year of a birth date, or "90+" of a person who turns 90 in `this_year` or is older. It may be stored readable, beside a sealed birth date.
/// `None` of a text that has no day.
///
/// A year alone does not identify a person under 45 CFR 164.514(b)(2)(i)(C), except one over 89 years. **Store it again each January**, for
/// the persons who turn 90 in the new year. And know what it costs: whoever steals the table has 365 birth dates for each value of a
/// birth-date index instead of 36,865.
///
/// ```
/// use rxseal_search::{YearOr90Plus, year_or_90_plus};
///
/// # fn main() -> Result<(), rxseal::Error> {
/// assert_eq!(year_or_90_plus("1970-01-31", 2026)?, Some(YearOr90Plus::Year(1970)));
/// assert_eq!(year_or_90_plus("1936-12-31", 2026)?.unwrap().to_string(), "90+");
/// assert_eq!(year_or_90_plus("1970-01", 2026)?, None);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// `not-indexable`.
pub fn year_or_90_plus<T: AsDay + ?Sized>(birth_date: &T, this_year: u16) -> Result<Option<YearOr90Plus>, Error> {
    let year = |day: Day| {
        if this_year.saturating_sub(day.year) >= OLD { YearOr90Plus::NinetyPlus } else { YearOr90Plus::Year(day.year) }
    };
    Ok(Day::of(birth_date)?.map(year))
}

/// A year of birth, unless the person is old: [`year_or_90_plus`] makes it. Its text is "1970" or "90+".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum YearOr90Plus {
    /// The year of birth.
    Year(u16),
    /// The person is 90 or older, or will be this year.
    NinetyPlus,
}

impl fmt::Display for YearOr90Plus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::NinetyPlus => f.write_str("90+"),
        }
    }
}

/// What `date/1` takes as a day, also if it is a placeholder of the index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no day",
    note = "text as YYYY-MM-DD is, and so are dates of another crate, with the feature of its name"
)]
pub trait AsDay {
    /// Its text as YYYY-MM-DD, or nothing for a part of a date.
    ///
    /// # Errors
    ///
    /// `not-indexable`.
    fn write(&self, form: &mut NormalForm) -> Result<(), Error>;
}

impl<T: ?Sized> AsDay for T
where
    Date<NoPlaceholders>: Normalizes<T>,
{
    fn write(&self, form: &mut NormalForm) -> Result<(), Error> {
        Date::<NoPlaceholders>::write(self, form)
    }
}

/// The days of a range with both ends, at most `limit`.
pub(crate) fn days(first: &impl AsDay, last: &impl AsDay, limit: usize) -> Result<Vec<Zeroizing<String>>, Error> {
    let (Some(mut day), Some(last)) = (Day::of(first)?, Day::of(last)?) else { return Err(Error::empty_query()) };
    let last = last.text();
    let mut days = Vec::new();
    // The texts are ordered as the days are.
    while day.exists() && *day.text() <= *last {
        if days.len() >= limit {
            return Err(Error::query_too_large());
        }
        days.push(day.text());
        day = day.next();
    }
    Ok(days)
}

/// A day of the calendar.
#[derive(Clone, Copy)]
struct Day {
    year: u16,
    month: u16,
    day: u16,
}

impl Day {
    /// `None` of what has no form, such as a part of a date.
    fn of<T: AsDay + ?Sized>(date: &T) -> Result<Option<Self>, Error> {
        let mut form = NormalForm::new();
        date.write(&mut form)?;
        let number = |from, to| {
            let digits = form.as_bytes().get(from..to)?;
            let add = |number: u16, digit: &u8| number.saturating_mul(10).saturating_add(u16::from(digit & 0x0F));
            Some(digits.iter().fold(0, add))
        };
        Ok(match (number(0, 4), number(5, 7), number(8, 10)) {
            (Some(year), Some(month), Some(day)) => Some(Self { year, month, day }),
            _ => None,
        })
    }

    fn text(self) -> Zeroizing<String> {
        // Of a capacity that is never too small: growth would leave a part of the day behind.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        // Writing to a text does not fail.
        let _ = write!(text, "{:04}-{:02}-{:02}", self.year, self.month, self.day);
        text
    }

    fn exists(self) -> bool {
        Date::<NoPlaceholders>::write(self.text().as_str(), &mut NormalForm::new()).is_ok()
    }

    /// The next day; after the last one of all, a day that does not exist.
    fn next(self) -> Self {
        let next_month = Self { month: self.month.saturating_add(1), day: 1, ..self };
        let next_year = Self { year: self.year.saturating_add(1), month: 1, day: 1 };
        let tomorrow = Self { day: self.day.saturating_add(1), ..self };
        [tomorrow, next_month].into_iter().find(|day| day.exists()).unwrap_or(next_year)
    }
}

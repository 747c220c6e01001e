//! Values that a form was filled with because nobody knew better.

/// The names and dates that are placeholders: whoever has one is not indexed by it, since a search for it would find everybody else who
/// has it.
///
/// The list is no part of a definition: a name that joins it is null from the next write on, and found by no query.
///
/// ```
/// use rxseal_search::normal::{Date, NormalForm, Normalizes, Placeholders};
///
/// struct Ours;
///
/// impl Placeholders for Ours {
///     const NAMES: &'static [&'static str] = &["unknown", "zztest"];
///     const DATES: &'static [&'static str] = &["1900-01-01", "1911-11-11"];
/// }
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let mut form = NormalForm::new();
/// Date::<Ours>::write("1911-11-11", &mut form)?;
/// assert!(form.is_empty());
/// # Ok(())
/// # }
/// ```
pub trait Placeholders {
    /// Names as the whole form of `family/1` has them: small letters, without spaces, such as `babyboy`.
    const NAMES: &'static [&'static str];
    /// Dates as `YYYY-MM-DD`.
    const DATES: &'static [&'static str];

    #[doc(hidden)]
    #[must_use]
    fn is_name(form: &[u8]) -> bool {
        has(Self::NAMES, form)
    }

    #[doc(hidden)]
    #[must_use]
    fn is_date(form: &[u8]) -> bool {
        has(Self::DATES, form)
    }
}

/// The list that is used if no other one is named: `unknown`, `test`, `baby boy`, `baby girl`, `1900-01-01` and `1800-01-01`.
#[derive(Debug)]
pub struct UsualPlaceholders;

impl Placeholders for UsualPlaceholders {
    const NAMES: &'static [&'static str] = &["unknown", "test", "babyboy", "babygirl"];
    const DATES: &'static [&'static str] = &["1900-01-01", "1800-01-01"];
}

/// No name and no date is a placeholder.
#[derive(Debug)]
pub struct NoPlaceholders;

impl Placeholders for NoPlaceholders {
    const NAMES: &'static [&'static str] = &[];
    const DATES: &'static [&'static str] = &[];
}

fn has(list: &[&str], form: &[u8]) -> bool {
    list.iter().any(|placeholder| placeholder.as_bytes() == form)
}

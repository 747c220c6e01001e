//! Days of chrono, time and jiff have the forms of their text.

use rxseal_search::normal::{Date, NormalForm, Normalizes, Placeholders};

use crate::support::form;

#[test]
fn days_of_other_crates_have_the_form_of_their_text() {
    let mut day = jiff::civil::date(1583, 1, 1);
    while day.year() < 2150 {
        let (year, month, number) = (day.year(), day.month(), day.day());
        let text = form::<Date>(&format!("{year:04}-{month:02}-{number:02}"));
        let month = u8::try_from(month).unwrap();
        let number = u8::try_from(number).unwrap();
        let by_time = time::Date::from_calendar_date(year.into(), month.try_into().unwrap(), number).unwrap();
        let by_chrono = chrono::NaiveDate::from_ymd_opt(year.into(), month.into(), number.into()).unwrap();
        assert_eq!(of(&day), Some(text.clone()));
        assert_eq!(of(&by_time), Some(text.clone()));
        assert_eq!(of(&by_chrono), Some(text));
        day = day.checked_add(jiff::Span::new().days(13)).unwrap();
    }
}

#[test]
fn a_day_that_text_cannot_have_is_refused() {
    for year in [-1, 0, 10_000] {
        assert_eq!(of(&chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap()), None);
    }
    assert_eq!(of(&jiff::civil::date(0, 1, 1)), None);
    assert_eq!(of(&time::Date::MIN), None);
}

#[test]
fn a_program_has_its_own_placeholders() {
    struct Ours;
    impl Placeholders for Ours {
        const NAMES: &'static [&'static str] = &[];
        const DATES: &'static [&'static str] = &["1911-11-11"];
    }
    assert_eq!(form::<Date<Ours>>("1911-11-11"), "");
    assert_eq!(form::<Date<Ours>>("1900-01-01"), "1900-01-01");
    assert_eq!(of(&jiff::civil::date(1900, 1, 1)), Some(String::new()));
}

/// `None` is a refusal.
fn of<T>(day: &T) -> Option<String>
where
    Date: Normalizes<T>,
{
    let mut form = NormalForm::new();
    <Date>::write(day, &mut form).ok()?;
    Some(String::from_utf8(form.as_bytes().to_vec()).unwrap())
}

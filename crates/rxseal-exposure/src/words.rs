//! Kinds of data, days and numbers of patients in plain words.

use rxseal_html::number;

use crate::day::Day;
use crate::model::ClassPatients;
use crate::state::State;

/// What a kind of data is called.
pub(crate) struct Words {
    /// Beside a bar.
    pub(crate) label: String,
    /// In a sentence: "... of 3,283 patients".
    pub(crate) phrase: String,
    /// In a letter to a patient.
    pub(crate) letter: String,
}

/// Of a class of the vocabulary or a kind of a readable column. Another class is called by its name.
pub(crate) fn words(class: &ClassPatients) -> Words {
    let known = if class.is_clear { of_kind(&class.class) } else { of_class(&class.class) };
    let (label, phrase, letter) = known.map_or_else(
        || {
            let named = match class.class.strip_prefix("index ") {
                Some(index) => format!("values of the index {index}"),
                None => format!("data of the class {}", class.class),
            };
            (class.class.clone(), named.clone(), named)
        },
        |(label, phrase, letter)| (label.to_owned(), phrase.to_owned(), letter.to_owned()),
    );
    Words { label: if class.is_clear { format!("{label} (not sealed)") } else { label }, phrase, letter }
}

type Known = (&'static str, &'static str, &'static str);

fn of_class(class: &str) -> Option<Known> {
    Some(match class {
        "identity" => (
            "Identity",
            "identity data (such as names)",
            "who you are, such as your name, date of birth, or medical record or social security number",
        ),
        "contact" => ("Contact", "contact data", "how to reach you, such as your phone number or address"),
        "medication" => ("Medication", "medications", "which medications you take, and how"),
        "prescriber" => ("Prescriber", "prescribers", "who prescribed your medications"),
        "clinical" => ("Clinical", "diagnoses or notes", "diagnoses, allergies or notes on your treatment"),
        "coverage" => ("Coverage", "insurance data", "your health plan, member or account number"),
        _ => return None,
    })
}

fn of_kind(kind: &str) -> Option<Known> {
    Some(match kind {
        "identifier" => ("Identifiers", "record numbers", "numbers of your records or prescriptions"),
        "name" => ("Names", "names", "your name or a part of it"),
        "contact" => ("Contact", "contact data", "how to reach you, such as your phone number or address"),
        "place" => ("Places", "places", "where you live or were treated"),
        "date" => ("Dates", "dates", "dates, such as when a prescription was filled"),
        "health" => ("Health", "health data", "what you have or take"),
        "payment" => ("Payment", "payment data", "who pays for your treatment, and how much"),
        "other" => ("Other", "other data", "other data about you"),
        "none" => ("No person's", "data that is about no person", "data that is not about you"),
        _ => return None,
    })
}

impl ClassPatients {
    /// How many patients are in one of the states.
    pub(crate) fn count(&self, is_meant: impl Fn(State) -> bool) -> u64 {
        count(&self.patients, is_meant)
    }
}

pub(crate) fn count(counts: &[(State, u64)], is_meant: impl Fn(State) -> bool) -> u64 {
    counts.iter().filter(|(state, _)| is_meant(*state)).fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// What is not proven and cannot be ruled out.
pub(crate) fn is_possible(state: State) -> bool {
    state.is_at_risk() && !state.is_proven()
}

/// "names, medications or prescribers", the kinds with most patients first; after a few of them, how many more there are.
pub(crate) fn kinds<'c>(classes: impl IntoIterator<Item = &'c ClassPatients>, of: impl Fn(State) -> bool) -> String {
    let mut counted: Vec<_> = classes
        .into_iter()
        .map(|class| (class.count(&of), class))
        .filter(|(count, class)| *count > 0 && !(class.is_clear && class.class == "none"))
        .collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let more = counted.len().saturating_sub(FEW);
    let mut phrases: Vec<_> = counted.iter().take(FEW).map(|(_, class)| words(class).phrase).collect();
    match more {
        0 => {}
        1 => phrases.push("one more kind of data".to_owned()),
        _ => phrases.push(format!("{more} more kinds of data")),
    }
    match phrases.pop() {
        None => "data of no kind that is known".to_owned(),
        Some(last) if phrases.is_empty() => last,
        Some(last) => format!("{} or {last}", phrases.join(", ")),
    }
}

const FEW: usize = 4;

/// "1 patient", "2,300,000 patients"
pub(crate) fn patients(count: u64) -> String {
    if count == 1 { "1 patient".to_owned() } else { format!("{} patients", number(count)) }
}

/// "1 Nov 2026"
pub(crate) fn day(day: Day) -> String {
    let text = day.to_string();
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month =
        month.and_then(|month| month.parse::<usize>().ok()).and_then(|month| MONTHS.get(month.saturating_sub(1)));
    match (year, month, day) {
        (Some(year), Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        _ => text,
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// "30 Aug 2026 20:51", of Unix seconds, in UTC.
pub(crate) fn minute(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    format!("{} {:02}:{:02}", day(Day::of_unix(seconds)), of_day / 3_600, of_day / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::{day, kinds, minute, patients};
    use crate::model::ClassPatients;
    use crate::state::State;

    #[test]
    fn days_and_numbers_are_plain() {
        assert_eq!(day("2026-11-01".parse().unwrap()), "1 Nov 2026");
        assert_eq!(minute(1_788_123_060), "30 Aug 2026 20:51");
        assert_eq!([patients(0), patients(1), patients(2_300_000)], ["0 patients", "1 patient", "2,300,000 patients"]);
        assert_eq!(minute(u64::MAX).split(' ').nth(2), Some("9999"));
    }

    #[test]
    fn a_few_kinds_are_named_and_the_others_counted() {
        let class = |class: &str, count| ClassPatients {
            class: class.to_owned(),
            is_clear: false,
            patients: vec![(State::Readable, count), (State::Sealed, 9)],
        };
        let proven = |classes: &[ClassPatients]| kinds(classes, State::is_proven);
        assert_eq!(
            proven(&[class("medication", 2), class("identity", 3), class("clinical", 0)]),
            "identity data (such as names) or medications"
        );
        let many: Vec<_> = (0..40_u64).map(|at| class(&format!("c{at}"), 40_u64.saturating_sub(at))).collect();
        assert!(proven(&many).ends_with("data of the class c3 or 36 more kinds of data"), "{}", proven(&many));
        assert_eq!(proven(&[class("index birth-day", 1)]), "values of the index birth-day");
        assert_eq!(proven(&[]), "data of no kind that is known");
    }
}

//! Texts and lists as long as a page has room for them.

use rxseal_html::number;

use crate::model::Doubt;

/// As long as a page has room for it. `exposure.json` has the whole.
pub(super) fn short(text: &str) -> String {
    cut(text, 260)
}

/// As long as a heading has room for it.
pub(super) fn brief(text: &str) -> String {
    cut(text, 70)
}

/// One word.
pub(super) fn word(text: &str) -> String {
    cut(text, 12)
}

fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters { text.to_owned() } else { text.chars().take(letters).chain(['…']).collect() }
}

/// Why something is undecided: where, what and how often, with texts as long as `cut` leaves them.
pub(super) fn doubt_said(doubt: &Doubt, cut: fn(&str) -> String) -> String {
    let place = doubt.place.as_ref().map_or_else(String::new, |place| format!("{}: ", cut(place)));
    let times = doubt.count.map_or_else(String::new, |count| format!(" ({})", number(count)));
    format!("{place}{}{times}", short(&doubt.text))
}

/// At most a few, and how many more there are.
pub(super) fn listed<S: AsRef<str>>(texts: &[S]) -> String {
    let few: Vec<_> = texts.iter().take(ROWS).map(|text| short(text.as_ref())).collect();
    few.join("; ") + &more(texts.len())
}

/// What a sentence or a table of the first [`ROWS`] ends with, if there are more.
pub(super) fn more(all: usize) -> String {
    match all.saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("; {more} more are in exposure.json"),
    }
}

/// How many rows or members of a list a page has.
pub(super) const ROWS: usize = 10;

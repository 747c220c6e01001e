//! The four factors of 45 CFR 164.402(2): what the facts fill, and what a person must write.

use rxseal_html::{Page, Text, number};

use super::short::{ROWS, listed, more, short};
use crate::model::{Exposure, Mitigation};
use crate::state::State;
use crate::words::{count, is_possible, minute, patients, words};

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.heading("Four factors, 45 CFR 164.402(2)");
    page.facts([
        ("1 Nature and extent", nature(exposure)),
        ("2 Who", Text::default().to_write("to be written: who used the data, or to whom it was disclosed")),
        ("3 Acquired or viewed", viewed(exposure)),
        ("4 Mitigation", mitigation(exposure)),
    ]);
}

fn nature(exposure: &Exposure) -> Text {
    let concerned: Vec<_> = exposure.classes.iter().filter(|class| class.count(State::is_at_risk) > 0).collect();
    let said: Vec<_> = concerned
        .iter()
        .take(ROWS)
        .map(|class| {
            let (proven, possible) = (class.count(State::is_proven), class.count(is_possible));
            let possible =
                if possible > 0 { format!(" (and {} not ruled out)", number(possible)) } else { String::new() };
            format!("{} {}{possible}", words(class).label, number(proven))
        })
        .collect();
    if said.is_empty() {
        return Text::new("No kind of data is known to be readable. ").to_write("to be confirmed");
    }
    let text = Text::new(format!("Patients: {}{}. ", said.join(", "), more(concerned.len())));
    let is_direct = |class: &str| matches!(class, "identity" | "contact" | "coverage" | "name" | "identifier");
    if concerned.iter().any(|class| is_direct(&class.class)) {
        text.plain("Direct identifiers are among them, so it can be told who is meant.")
    } else {
        text.to_write("to be written: can it be told who is meant?")
    }
}

fn viewed(exposure: &Exposure) -> Text {
    let by_state = |meant: State| count(&exposure.totals.by_state, |state| state == meant);
    let mut text = Text::default();
    match &exposure.audit {
        None => text = text.plain("Viewed: cannot be said, since no log of openings was given. "),
        Some(audit) if audit.viewed.is_empty() => {
            text = text.plain("Viewed: the log has no line by which data was viewed. ");
        }
        Some(audit) => {
            let lines: Vec<_> = audit
                .viewed
                .iter()
                .map(|viewed| {
                    format!(
                        "{} between {} and {} of chain {}",
                        number(viewed.lines),
                        number(viewed.first),
                        number(viewed.last),
                        short(&viewed.chain)
                    )
                })
                .collect();
            text = text.plain(format!("Viewed, by lines of the log: {}. ", listed(&lines)));
        }
    }
    let parts = [
        (by_state(State::Plaintext), "acquired as plaintext"),
        (exposure.totals.clear, "acquired in readable columns"),
        (
            by_state(State::CouldBeRead).saturating_add(by_state(State::Guessable)),
            "could be viewed, and nothing proves it",
        ),
        (by_state(State::Undecided), "undecided"),
        (by_state(State::Sealed), "acquired as sealed copies, not viewable without a key"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{what}: {}", patients(*count)))
        .collect();
    if parts.is_empty() { text } else { text.plain(capitalized(&parts.join("; "))).plain(".") }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn mitigation(exposure: &Exposure) -> Text {
    let done: Vec<_> = shown(&exposure.mitigation)
        .into_iter()
        .map(|done| {
            let who = done.who.as_ref().map_or_else(String::new, |who| format!(" by {}", short(who)));
            format!("{}: {}{who}", minute(done.at), short(&done.what))
        })
        .collect();
    let text = if done.is_empty() {
        Text::new(match exposure.audit {
            Some(_) => "The log has nothing that was done against the theft. ",
            None => "No log was given, so what was done against the theft is not known here. ",
        })
    } else {
        Text::new(format!("{}{}. ", done.join("; "), more(exposure.mitigation.len())))
    };
    text.to_write("assurances: to be written")
}

/// What the page has room for, in its order: whom an operator stopped first of all, and then what was done first.
fn shown(done: &[Mitigation]) -> Vec<&Mitigation> {
    let is_stop = |done: &Mitigation| done.what.ends_with(FROZEN) || done.what.starts_with(FREEZE);
    let mut chosen: Vec<_> = done.iter().enumerate().collect();
    chosen.sort_by_key(|(at, done)| (!is_stop(done), *at));
    chosen.truncate(ROWS);
    chosen.sort_by_key(|(at, _)| *at);
    chosen.into_iter().map(|(_, done)| done).collect()
}

/// How a service says that somebody is frozen, and the command that an operator did it.
const FROZEN: &str = ": frozen";
const FREEZE: &str = "budget-freeze";

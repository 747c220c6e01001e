//! Which kinds of data: a bar for each.

use rxseal_html::{Bars, Page, Shade};

use crate::model::Exposure;
use crate::state::State;
use crate::words::words;

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.heading("Which kinds of data, by patients");
    if exposure.classes.is_empty() {
        page.nothing("No kind of data is known: the map has no sealed and no readable column.");
        return;
    }
    let mut bars = Bars::new(State::ALL.map(|state| (shade(state), said(state))));
    for class in exposure.classes.iter().take(MOST) {
        bars.bar(words(class).label, State::ALL.map(|state| class.count(|other| other == state)));
    }
    page.bars(&bars);
    if exposure.classes.len() > MOST {
        page.small(format!("{} more kinds are in exposure.json.", exposure.classes.len().saturating_sub(MOST)));
    }
}

const MOST: usize = 60;

const fn shade(state: State) -> Shade {
    match state {
        State::Readable | State::Plaintext => Shade::Alarm,
        State::CouldBeRead | State::Guessable => Shade::Caution,
        State::Undecided => Shade::Unsure,
        State::Sealed => Shade::Calm,
        State::NotTaken => Shade::Empty,
    }
}

const fn said(state: State) -> &'static str {
    match state {
        State::Readable => "readable",
        State::Plaintext => "plaintext",
        State::CouldBeRead => "could be read",
        State::Guessable => "guessable",
        State::Undecided => "undecided",
        State::Sealed => "copied, sealed",
        State::NotTaken => "not taken",
    }
}

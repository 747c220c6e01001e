//! The first sentence: how many, which data, by when. And the key figures below it.

use rxseal_html::{Page, Text, Tone, number};

use super::short::{brief, doubt_said, word};
use crate::model::Exposure;
use crate::state::State;
use crate::words::{count, day, is_possible, kinds, minute, patients};

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.verdict(tone(exposure), sentence(exposure));
    match exposure.audit.as_ref().map(|audit| audit.verdict.as_str()) {
        None | Some("whole") => {}
        Some("incomplete") => page.red_line("The log of openings is not complete, so more may have been viewed than it says."),
        Some(_) => page.red_line("The log of openings was changed after it was written, so it does not prove what was viewed and what was not."),
    }
    if exposure.doubts.iter().any(|doubt| doubt.code == "table-undeclared") {
        page.red_line(
            "A stolen database has tables that no source of the map has. What is in them is in none of these numbers.",
        );
    }
    if let Some(why) = why(exposure) {
        page.red_line(why);
    }
    page.figures(figures(exposure));
}

/// The first reasons why something is undecided. All that the page has room for are below.
fn why(exposure: &Exposure) -> Option<String> {
    let (first, others) = exposure.doubts.split_at_checked(REASONS).unwrap_or((&exposure.doubts, &[]));
    let said: Vec<_> = first.iter().map(|doubt| doubt_said(doubt, brief)).collect();
    let more = match others.len() {
        0 => String::new(),
        more => format!("; {} more are under “How sure is this”", number(u64::try_from(more).unwrap_or(u64::MAX))),
    };
    (!said.is_empty()).then(|| format!("Not all is decided: {}{more}.", said.join("; ")))
}

const REASONS: usize = 3;

fn tone(exposure: &Exposure) -> Tone {
    let totals = &exposure.totals;
    if totals.proven > 0 || totals.clear > 0 {
        Tone::Alarm
    } else if totals.at_most > 0 || totals.patients == 0 || totals.is_patients_at_least {
        Tone::Caution
    } else {
        Tone::Neutral
    }
}

fn sentence(exposure: &Exposure) -> Text {
    let totals = &exposure.totals;
    let (sealed_kinds, clear_kinds) = exposure.classes.iter().partition::<Vec<_>, _>(|class| !class.is_clear);
    let (possible, sealed) = (exposure.possible(), count(&totals.by_state, |state| state == State::Sealed));
    let mut text = Text::default();
    if totals.proven > 0 {
        let at_least = if exposure.is_proven_at_least() { "at least " } else { "" };
        text = text
            .plain(format!("The thief could read {} of ", kinds(sealed_kinds.iter().copied(), State::is_proven)))
            .strong(format!("{at_least}{}", patients(totals.proven)))
            .plain(". ");
    }
    if possible > 0 {
        let begin = if totals.proven > 0 { "It" } else { "It is not proven that sealed data was read, and it" };
        text = text
            .plain(format!("{begin} cannot be ruled out for "))
            .strong(exposure.at_least(&format!(
                "{}{}",
                if totals.proven > 0 { "another " } else { "" },
                patients(possible)
            )))
            .plain(format!(" ({}). ", kinds(sealed_kinds.iter().copied(), is_possible)));
    }
    if totals.clear > 0 {
        text = text
            .plain(format!("Readable columns show {} of ", kinds(clear_kinds.iter().copied(), State::is_at_risk)))
            .strong(exposure.at_least(&patients(totals.clear)))
            .plain(". ");
    }
    if sealed > 0 {
        let another = if totals.at_most > 0 { "another " } else { "" };
        text = text
            .plain("Sealed data of ")
            .strong(exposure.at_least(&format!("{another}{}", patients(sealed))))
            .plain(" was copied, and no key that opens it was taken. ");
    }
    if totals.patients == 0 {
        text = text.strong("0 patients").plain(
            " are in the sources and the log that were given, so nothing can be said of any kind of data. That nobody is concerned does not follow. ",
        );
    } else if totals.at_most == 0 && totals.clear == 0 && sealed == 0 {
        text = text
            .plain("No kind of data is known to be taken of ")
            .strong(exposure.at_least(&patients(totals.patients)))
            .plain(" in the sources and the log. ");
    }
    text.plain("If letters must go, the last day is ").strong(day(exposure.deadline)).plain(".")
}

fn figures(exposure: &Exposure) -> [(String, String); 5] {
    let totals = &exposure.totals;
    let of = |meant: State| number(count(&totals.by_state, |state| state == meant));
    let (log, covers) = exposure.audit.as_ref().map_or_else(
        || ("No log".to_owned(), "of openings was given: what was viewed cannot be said".to_owned()),
        |audit| {
            (
                format!("Log {}", word(&audit.verdict)),
                format!("of openings, from {} to {}", minute(audit.from), minute(audit.to)),
            )
        },
    );
    [
        (
            number(totals.proven),
            format!("proven: {} readable, {} stored as plaintext", of(State::Readable), of(State::Plaintext)),
        ),
        (
            number(exposure.possible()),
            format!(
                "not ruled out: {} could be read, {} guessable, {} undecided",
                of(State::CouldBeRead),
                of(State::Guessable),
                of(State::Undecided)
            ),
        ),
        (number(totals.clear), "with data in readable columns that were taken".to_owned()),
        (log, covers),
        (day(exposure.deadline), format!("last day for letters: 60 calendar days after {}", day(exposure.discovered))),
    ]
}

impl Exposure {
    /// Patients of whom nothing is proven, and something cannot be ruled out.
    pub(super) fn possible(&self) -> u64 {
        self.totals.at_most.saturating_sub(self.totals.proven)
    }

    fn is_proven_at_least(&self) -> bool {
        let is_more = self.possible() > 0 || self.totals.is_patients_at_least;
        is_more || self.taken.iter().any(|taken| taken.is_at_least)
    }

    /// Says that there may be more, if a source was not read to its end.
    pub(super) fn at_least(&self, patients: &str) -> String {
        format!("{}{patients}", if self.totals.is_patients_at_least { "at least " } else { "" })
    }
}

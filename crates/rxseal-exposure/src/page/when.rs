//! When: what the stolen identity opened, over time.

use rxseal_html::{Line, Page, number};

use super::short::short;
use crate::Day;
use crate::model::{Exposure, Timeline};
use crate::words::{day, minute};

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.heading("When");
    match (&exposure.timeline, &exposure.audit) {
        (Some(timeline), _) if timeline.patients.iter().any(|patients| *patients > 0) => {
            page.line(&line(timeline).note(most(timeline)));
        }
        (Some(timeline), _) => page.nothing(format!("The log has no opening by {} in this time.", short(&timeline.of))),
        (None, Some(_)) => page.nothing("No stolen identity or host was named, so there is no time line."),
        (None, None) => page.nothing("No log of openings was given: what was viewed, and when, cannot be said."),
    }
}

fn line(timeline: &Timeline) -> Line {
    let label = format!("different patients opened per {} by {}", step(timeline), short(&timeline.of));
    let mut line = Line::new(label, timeline.from, timeline.step, timeline.patients.clone())
        .band(timeline.usual.clone(), "what is usual, from the 28 days before");
    if let Some((from, to)) = timeline.stolen {
        line = line.window(from, to, format!("stolen, {} to {}", minute(from), minute(to)));
    }
    for (times, what) in [(&timeline.refused, "a budget refused it"), (&timeline.frozen, "frozen by an operator")] {
        if let Some((first, others)) = times.split_first() {
            let others = match others.len() {
                0 => String::new(),
                others => format!(", and in {others} more steps"),
            };
            line = line.mark(*first, format!("{}: {what}{others}", minute(*first)));
        }
    }
    days(timeline).fold(line, |line, day| line.tick(day.begins(), short_day(day)))
}

fn step(timeline: &Timeline) -> &'static str {
    match timeline.step {
        3_600 => "hour",
        86_400 => "day",
        _ => "step",
    }
}

/// The midnights of the time.
fn days(timeline: &Timeline) -> impl Iterator<Item = Day> {
    let steps = u64::try_from(timeline.patients.len()).unwrap_or(u64::MAX);
    let end = timeline.from.saturating_add(steps.saturating_mul(timeline.step));
    let first = Day::of_unix(timeline.from);
    let from = timeline.from;
    (0..MOST_DAYS)
        .map(move |days| first.plus(days))
        .filter(move |day| day.begins() >= from)
        .take_while(move |day| day.begins() < end)
}

const MOST_DAYS: u32 = 3_660;

/// Without the year, which the list below the chart has.
fn short_day(day_of: Day) -> String {
    let text = day(day_of);
    text.rsplit_once(' ').map_or_else(|| text.clone(), |(short, _)| short.to_owned())
}

fn most(timeline: &Timeline) -> String {
    let Some((at, most)) =
        timeline.patients.iter().enumerate().max_by_key(|(at, most)| (**most, std::cmp::Reverse(*at)))
    else {
        return String::new();
    };
    let since = u64::try_from(at).unwrap_or(u64::MAX).saturating_mul(timeline.step);
    let usual = match timeline.usual.get(at) {
        Some(Some((least, most))) => format!("Usual at this time: {} to {}.", number(*least), number(*most)),
        _ => "The log has no earlier days to compare with.".to_owned(),
    };
    format!(
        "The most: {} in the {} from {}. {usual}",
        number(*most),
        step(timeline),
        minute(timeline.from.saturating_add(since))
    )
}

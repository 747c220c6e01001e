//! `rxseal budget suggest`: budgets from what a log says.

use std::path::Path;
use std::time::Duration;

use rxseal_watch::Budgets;
use rxseal_watch::budget::{Budget, Ledger, Rate, Verdict};
use serde_json::json;

use super::usage::{Most, Usage, is_actor};
use crate::audit::events;
use crate::audit::log::failed;
use crate::failure::Failure;
use crate::output::{Output, table};

/// A shorter log has not seen the end of a month.
const ENOUGH_DAYS: u64 = 28;
/// A budget is so many times what was the most. A busier day is no theft.
const TIMES: u64 = 3;
/// A smaller budget would refuse a program that has one busy day.
const LEAST: u64 = 100;
/// The rates and bursts of `Budgets::pharmacy()`.
const PRESET: [u64; 4] = [2000, 1000, 12_000, 10_000];

/// What is suggested for an actor: patients an hour, at once, a day, at once.
struct Suggestion {
    who: String,
    most: Most,
    rates: [u64; 4],
}

pub fn suggest(log: &Path, within: Duration, output: &Output) -> Result<(), Failure> {
    let mut usage = Usage::read(log, events::since(Some(within)))?;
    let most = usage.most();
    let of = |are_actors: bool| most.iter().filter(move |(name, _)| is_actor(name) == are_actors);
    let actors: Vec<_> = of(true).map(|(who, most)| Suggestion::of(who, *most)).collect();
    let places: Vec<_> =
        of(false).map(|(place, most)| (place, *most, round_up(TIMES.saturating_mul(most.hour)))).collect();
    let (preset, suggested) = (refused(&mut usage, &[])?, refused(&mut usage, &actors)?);
    let days = usage.days();
    let json = json!({
        "days": days, "is_enough": days >= ENOUGH_DAYS, "refused_by_preset": preset, "refused_by_suggestion": suggested,
        "actors": actors.iter().map(Suggestion::as_json).collect::<Vec<_>>(),
        "places": places.iter().map(|(place, most, hour)| json!({
            "place": place, "most_in_an_hour": most.hour, "most_in_a_day": most.day, "alarm_above_an_hour": hour,
        })).collect::<Vec<_>>(),
    });
    if actors.is_empty() {
        return Ok(output.list(&[], "the log has no opening in this time, so there is nothing to suggest", &json)?);
    }
    if days < ENOUGH_DAYS {
        output.warning(&format!(
            "the log covers {days} days, and a month has busier ones: look again after {ENOUGH_DAYS}"
        ));
    }
    let rows = actors.iter().map(Suggestion::as_row);
    let of_actors =
        table(["actor", "most an hour", "most a day", "an hour, at once", "a day, at once", "budget"], rows);
    let rows = places
        .iter()
        .map(|(place, most, hour)| [(*place).clone(), most.hour.to_string(), most.day.to_string(), hour.to_string()]);
    let of_places = table(["keyspace and purpose", "most an hour", "most a day", "alarm above, an hour"], rows);
    let text = format!(
        "{of_actors}\n\n{of_places}\n\nOf these {days} days the preset of a pharmacy would have refused {preset} patients, and these budgets {suggested}"
    );
    Ok(output.say(&text, &json)?)
}

impl Suggestion {
    /// For a person the preset, if it is enough. A program does the same every day, so its own most says more, also if that is little.
    fn of(who: &str, most: Most) -> Self {
        let [hour, hour_burst, day, day_burst] = PRESET;
        let (in_hour, in_day) = (TIMES.saturating_mul(most.hour), TIMES.saturating_mul(most.day));
        let fits = in_hour <= hour && most.hour <= hour_burst && in_day <= day && most.day <= day_burst;
        let (in_hour, in_day) = (round_up(in_hour.max(LEAST)), round_up(in_day.max(LEAST)));
        let own = [in_hour, in_hour, in_day, in_day];
        let rates = if who.starts_with("user:") && fits { PRESET } else { own };
        Self { who: who.to_owned(), most, rates }
    }

    fn is_preset(&self) -> bool {
        self.rates == PRESET
    }

    fn budget(&self) -> Budget {
        let [hour, hour_burst, day, day_burst] = self.rates;
        Budget::new(Rate::per_hour(hour, hour_burst), Rate::per_day(day, day_burst))
    }

    fn as_row(&self) -> [String; 6] {
        let [hour, hour_burst, day, day_burst] = self.rates;
        [
            self.who.clone(),
            self.most.hour.to_string(),
            self.most.day.to_string(),
            format!("{hour}, {hour_burst}"),
            format!("{day}, {day_burst}"),
            if self.is_preset() { "the preset".to_owned() } else { "its own".to_owned() },
        ]
    }

    fn as_json(&self) -> serde_json::Value {
        let [hour, hour_burst, day, day_burst] = self.rates;
        json!({
            "actor": self.who, "most_in_an_hour": self.most.hour, "most_in_a_day": self.most.day, "per_hour": [hour, hour_burst],
            "per_day": [day, day_burst], "is_preset": self.is_preset(),
        })
    }
}

/// How many patients would have been refused, as if all programs were one.
fn refused(usage: &mut Usage, own: &[Suggestion]) -> Result<u64, Failure> {
    let mut budgets = Budgets::pharmacy();
    for suggestion in own.iter().filter(|suggestion| !suggestion.is_preset()) {
        budgets = budgets.actor(&suggestion.who, suggestion.budget()).map_err(failed)?;
    }
    let ledger = Ledger::new(budgets).map_err(failed)?;
    let mut refused = 0_u64;
    usage.replay(|actor, patient, at| {
        let patient = format!("{patient:016x}");
        let verdict = ledger.open(actor, [patient.as_str()], Duration::from_millis(at));
        if !matches!(verdict, Verdict::Allowed { .. }) {
            refused = refused.saturating_add(1);
        }
    });
    Ok(refused)
}

/// To two digits, as a person would write it.
fn round_up(number: u64) -> u64 {
    let mut unit = 1_u64;
    while number.checked_div(unit).unwrap_or_default() >= 100 {
        unit = unit.saturating_mul(10);
    }
    number.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_three_times_the_most_or_the_preset() {
        assert_eq!([0, 7, 99, 100, 101, 4567].map(round_up), [0, 7, 99, 100, 110, 4600]);
        let rates = |who, hour, day| Suggestion::of(who, Most { hour, day }).rates;
        assert_eq!(rates("user:x", 600, 4000), PRESET);
        assert_eq!(rates("user:x", 700, 4000), [2100, 2100, 12_000, 12_000]);
        assert_eq!(rates("svc:x", 600, 4100), [1800, 1800, 13_000, 13_000]);
        assert_eq!(rates("job:x", 1, 2), [100, 100, 100, 100]);
    }
}

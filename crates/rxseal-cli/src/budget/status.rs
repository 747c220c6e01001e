//! `rxseal budget status`: what actors used of their budgets lately.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rxseal_watch::budget::FrozenList;
use serde_json::json;

use super::usage::{Usage, is_actor};
use crate::audit::events;
use crate::audit::log::failed;
use crate::failure::Failure;
use crate::output::{Output, table};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn status(log: &Path, list: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let frozen = list.map(|list| FrozenList::at(list).actors().map_err(failed)).transpose()?.unwrap_or_default();
    let mut usage = Usage::read(log, events::since(Some(DAY)))?;
    let (hour, day) = (usage.since(events::since(Some(HOUR))), usage.since(0));
    let actors: BTreeSet<_> =
        day.keys().chain(usage.refused.keys()).filter(|name| is_actor(name)).chain(&frozen).collect();
    let of =
        |counts: &std::collections::BTreeMap<String, u64>, actor: &str| counts.get(actor).copied().unwrap_or_default();
    let json: Vec<_> = actors
        .iter()
        .map(|actor| {
            json!({
                "actor": actor, "patients_in_the_last_hour": of(&hour, actor), "patients_in_the_last_day": of(&day, actor),
                "refused_in_the_last_day": of(&usage.refused, actor), "is_frozen": frozen.contains(*actor),
            })
        })
        .collect();
    if actors.is_empty() {
        return Ok(output.list(&[], "nobody opened anything in the last day, and nobody is frozen", &json!(json))?);
    }
    let rows = actors.iter().map(|actor| {
        [
            (*actor).clone(),
            of(&hour, actor).to_string(),
            of(&day, actor).to_string(),
            of(&usage.refused, actor).to_string(),
            if frozen.contains(*actor) { "frozen".to_owned() } else { String::new() },
        ]
    });
    let titles = ["actor", "patients, last hour", "patients, last day", "refused, last day", ""];
    Ok(output.say(&table(titles, rows), &json!(json))?)
}

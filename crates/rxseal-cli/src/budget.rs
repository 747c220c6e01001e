//! `rxseal budget`.

mod status;
mod suggest;
mod usage;

use rxseal_watch::budget::FrozenList;
use serde_json::json;

use crate::args::{Budget, Global};
use crate::audit::log::failed;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(global: &Global, command: Budget, output: &Output) -> Result<(), Failure> {
    let (actor, list, by, is_frozen) = match command {
        Budget::Freeze { actor, list, by } => (actor, list, by, true),
        Budget::Unfreeze { actor, list, by } => (actor, list, by, false),
        Budget::Suggest { log, within } => return suggest::suggest(&log, within, output),
        Budget::Status { log, list } => return status::status(&log, list.as_deref(), output),
        Budget::Frozen { list } => {
            let actors: Vec<_> = FrozenList::at(list).actors().map_err(failed)?.into_iter().collect();
            return Ok(output.list(&actors, "nobody is frozen", &json!(actors))?);
        }
    };
    let what = if is_frozen { "budget-freeze" } else { "budget-unfreeze" };
    let act = Config::of(global)?.journal.begin(&by, what, |act| act.actor(&actor), output)?;
    let is_changed = act.end(FrozenList::at(list).set(&actor, is_frozen).map_err(failed))?;
    let state = if is_frozen { "frozen" } else { "not frozen" };
    let text = if is_changed { format!("{actor} is {state} now") } else { format!("{actor} was {state} already") };
    output.done(is_changed, &text, &json!({ "actor": actor, "is_frozen": is_frozen, "is_changed": is_changed }))
}

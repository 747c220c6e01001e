//! `rxseal audit review`: what somebody else should have looked at, and what was looked at already.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use rxseal_watch::{LoggedEvent, Review as Mark};
use serde_json::{Value, json};

use super::events;
use super::log::failed;
use crate::args::{Global, Review};
use crate::config::Config;
use crate::failure::{Failure, usage};
use crate::journal::{Journal, who};
use crate::output::{Output, table};

/// Openings of one patient by one actor for one reason, which break the glass, or an act whose end is missing.
struct Open {
    /// Chain and number of the first line.
    chain: String,
    first: u64,
    last: u64,
    /// Unix milliseconds.
    from: u64,
    to: u64,
    lines: u64,
    kind: &'static str,
    who: String,
    about: String,
    reason: String,
    /// Which event of the logs the first is: several events may have one millisecond.
    place: u64,
}

impl Open {
    fn name(&self) -> String {
        format!("{}:{}", self.chain, self.first)
    }
}

/// What a `review` event says was looked at.
struct Reviewed {
    chain: String,
    first: u64,
    last: u64,
    who: String,
}

pub fn run(global: &Global, command: &Review, output: &Output) -> Result<(), Failure> {
    let journal = Config::of(global)?.journal;
    let mut logs = command.logs.clone();
    // Reviews are in the command's own log.
    if let Some(own) = journal.folder().filter(|own| !is_among(own, &logs)) {
        logs.push(own.clone());
    }
    let open = unreviewed(&logs)?;
    if command.done.is_empty() {
        return show(&open, output);
    }
    review(command, &open, &journal, output)
}

fn is_among(own: &PathBuf, logs: &[PathBuf]) -> bool {
    let place = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    logs.iter().any(|log| place(log) == place(own))
}

/// What nobody else has reviewed yet, the oldest first.
fn unreviewed(logs: &[PathBuf]) -> Result<Vec<Open>, Failure> {
    let (mut groups, mut reviews): (Vec<Open>, Vec<Reviewed>) = (Vec::new(), Vec::new());
    let (mut acts, mut ended) = (Vec::new(), BTreeSet::new());
    // Which reviews there are must be known before openings are put together, or one that came after a review would be hidden by it.
    for log in logs {
        events::each(log, None, |event| {
            if let Some(review) = as_review(&event) {
                reviews.push(review);
            }
            Ok(())
        })?;
    }
    let covering = |event: &LoggedEvent, who: &str| {
        reviews.iter().any(|review| {
            event.chain().to_string() == review.chain
                && (review.first..=review.last).contains(&event.number())
                && review.who != who
        })
    };
    let mut newest: HashMap<(String, String, String, String), usize> = HashMap::new();
    let mut place = 0_u64;
    for log in logs {
        events::each(log, None, |event| {
            place = place.saturating_add(1);
            let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
            let who = text("who");
            if event.kind() == "act" {
                match event.text("out") {
                    Some("begun") if !covering(&event, &who) => {
                        acts.push((text("act"), group(&event, place, "act without end")));
                    }
                    Some("begun") => {}
                    _ => {
                        ended.insert(text("act"));
                    }
                }
            } else if let Some(reason) = event.text("btg").filter(|_| !covering(&event, &who)) {
                let patients: BTreeSet<_> = event.patients().collect();
                let patients = patients.into_iter().collect::<Vec<_>>().join(" ");
                let key = (event.chain().to_string(), who.clone(), reason.to_owned(), patients);
                match newest.get(&key).and_then(|at| groups.get_mut(*at)) {
                    Some(open) => {
                        open.last = event.number();
                        open.to = event.time();
                        open.lines = open.lines.saturating_add(1);
                    }
                    None => {
                        newest.insert(key, groups.len());
                        groups.push(group(&event, place, "glass broken"));
                    }
                }
            }
            Ok(())
        })?;
    }
    groups.extend(acts.into_iter().filter(|(id, _)| !ended.contains(id)).map(|(_, open)| open));
    groups.sort_by_key(|open| (open.from, open.place));
    Ok(groups)
}

fn group(event: &LoggedEvent, place: u64, kind: &'static str) -> Open {
    let text = |name: &str| event.text(name).unwrap_or_default().to_owned();
    let patients = event.patients().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ");
    let is_act = event.kind() == "act";
    Open {
        chain: event.chain().to_string(),
        first: event.number(),
        last: event.number(),
        from: event.time(),
        to: event.time(),
        lines: 1,
        kind,
        who: text("who"),
        about: if is_act { text("what") } else { patients },
        reason: text(if is_act { "why" } else { "btg" }),
        place,
    }
}

fn as_review(event: &LoggedEvent) -> Option<Reviewed> {
    let lines = event.json().get("lines").filter(|_| event.kind() == "review")?;
    let number = |name: &str| lines.get(name).and_then(Value::as_u64);
    Some(Reviewed {
        chain: lines.get("chain")?.as_str()?.to_owned(),
        first: number("n")?,
        last: number("last")?,
        who: event.text("who")?.to_owned(),
    })
}

fn show(open: &[Open], output: &Output) -> Result<(), Failure> {
    let value: Vec<_> = open
        .iter()
        .map(|open| {
            json!({
                "event": open.name(), "last": open.last, "from": open.from, "to": open.to, "events": open.lines, "kind": open.kind,
                "who": open.who, "about": open.about, "reason": open.reason,
            })
        })
        .collect();
    if open.is_empty() {
        return Ok(output.list(&[], "nothing waits for a review", &json!(value))?);
    }
    let rows = open.iter().map(|open| {
        [
            open.name(),
            events::shown(open.from),
            open.lines.to_string(),
            open.kind.to_owned(),
            open.who.clone(),
            open.about.clone(),
            open.reason.clone(),
        ]
    });
    let text = table(["event", "first", "events", "kind", "who", "patient or act", "reason"], rows);
    output.say(&text, &json!(value))?;
    Err(Failure::Checked(format!(
        "{} entries wait for a review: `--done EVENT` says that you looked at one",
        open.len()
    )))
}

/// Writes that somebody looked at these. It is all of them or none.
fn review(command: &Review, open: &[Open], journal: &Journal, output: &Output) -> Result<(), Failure> {
    let Some(watch) = journal.watch(output)? else {
        return usage("there is no audit log to write the review to: say where it is with --audit-log and --audit-key");
    };
    let Some(reason) = &command.by.reason else { return usage("say what you found with --reason TEXT") };
    let who = who(&command.by.who)?;
    let mut marks = Vec::new();
    for name in &command.done {
        let found = open.iter().find(|open| open.name() == *name);
        let found = found.ok_or_else(|| {
            Failure::Usage(format!("{name} does not wait for a review: `rxseal audit review` lists what does"))
        })?;
        if found.who == who {
            return Err(Failure::Usage(format!("{name} is of {who}: somebody else has to review it")));
        }
        marks.push(Mark::new(&who, reason, &found.chain, found.first..=found.last).map_err(failed)?);
    }
    for mark in &marks {
        watch.review(mark).map_err(failed)?;
    }
    let text = format!("{} entries were reviewed by {who}", marks.len());
    output.done(true, &text, &json!({ "reviewed": command.done, "who": who }))
}

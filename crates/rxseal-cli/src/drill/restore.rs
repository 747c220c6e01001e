//! `rxseal drill restore`: whether the records of a restored copy open with the real root keys.

use std::path::Path;
use std::time::{Duration, Instant};

use rxseal::{KeyId, Keyring};
use serde_json::{Value, json};

use super::answer::Answer;
use super::bench::{Bench, Size, Table, Tables};
use super::draw::OfKey;
use super::end::end;
use super::fault::Fault;
use super::opening::{self, Hand};
use super::rows::Expected;
use super::undecided::Undecided;
use crate::args::{DrillOptions, Global, Rings};
use crate::failure::Failure;
use crate::output::Output;

/// What was opened of one table under one key.
struct Line {
    source: String,
    key: KeyId,
    rows: u64,
    tokens: u64,
    drawn: usize,
    tried: opening::OfKey,
}

pub async fn run(
    global: &Global,
    copies: Option<&Path>,
    rings: &Rings,
    expected: &[String],
    options: &DrillOptions,
    output: &Output,
) -> Result<(), Failure> {
    let bench = Bench::of(global, copies, rings, options).await?;
    bench.check_copies(copies, options.map.postgres.as_deref())?;
    let expected = Expected::of(expected, &bench)?;
    let roots = bench.config.roots(output).await?;
    let tables = bench.draw(None).await?;
    let subjects = bench.subjects(&tables).await?;
    bench.start_log("restore", &tables, 1, 0, output)?;

    let begun = Instant::now();
    let (mut keys, mut faults) = (Vec::new(), Vec::new());
    for ring in &bench.rings {
        let unlocked = Keyring::unlock(ring.keyspace(), &roots, ring).await;
        keys.push(match unlocked {
            Ok(unlocked) => Ok(bench.config.journal.observed(unlocked, output)?),
            Err(error) => {
                let code = error.code().as_str();
                faults.push(Fault::new(code, ring.keyspace(), Failure::from_reference(&error)));
                Err(code)
            }
        });
    }
    let unlocked = begun.elapsed();

    let begun = Instant::now();
    let hand = Hand { keys: &keys, subjects: subjects.as_ref(), access: &bench.access };
    let mut lines = Vec::new();
    for table in &tables.read {
        let tried = hand.open(&table.layout, &table.drawn.rows()).await?;
        lines.extend(table.drawn.keys.iter().map(|(key, of)| Line::new(table, *key, of, tried.0.get(key))));
    }
    let times = Times { read: tables.took, unlocked, opened: begun.elapsed() };
    end(&answer(&bench, &tables, &lines, &expected, faults, &times), &bench, output)
}

struct Times {
    read: Duration,
    unlocked: Duration,
    opened: Duration,
}

impl Line {
    fn new(table: &Table<'_>, key: KeyId, of: &OfKey, tried: Option<&opening::OfKey>) -> Self {
        let (rows, tokens, drawn) = (of.rows, of.tokens, of.drawn.len());
        Self { source: table.source.name().into(), key, rows, tokens, drawn, tried: tried.cloned().unwrap_or_default() }
    }

    fn fault(&self) -> Option<Fault> {
        let failures = self.tried.failures();
        let codes: Vec<_> = self.tried.failed.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let text =
            format!("{failures} of the drawn values under the key {} do not open: {}", self.key, codes.join(", "));
        (failures > 0).then(|| Fault::new("not-opened", &self.source, text))
    }

    /// If every drawn patient was forgotten on purpose, nothing shows that the key opens.
    fn undecided(&self) -> Option<Undecided> {
        let text =
            format!("every drawn value under the key {} is of a shredded patient: draw more with --records", self.key);
        let is_open = self.tried.opened == 0 && self.tried.failures() == 0;
        is_open.then(|| Undecided::of(&self.source, "all-shredded", text))
    }

    fn cells(&self) -> [String; 7] {
        let Self { source, key, rows, tokens, drawn, tried } = self;
        let numbers = [*rows, *tokens, u64::try_from(*drawn).unwrap_or(u64::MAX), tried.opened, tried.failures()];
        let [rows, tokens, drawn, opened, failed] = numbers.map(|number| number.to_string());
        [source.clone(), key.to_string(), rows, tokens, drawn, opened, failed]
    }

    fn as_json(&self) -> Value {
        let Self { source, key, rows, tokens, drawn, tried } = self;
        json!({
            "source": source, "key": key.to_string(), "rows": rows, "tokens": tokens, "drawn": drawn, "opened": tried.opened,
            "shredded": tried.shredded, "failed": tried.failed,
        })
    }
}

fn answer(
    bench: &Bench,
    tables: &Tables<'_>,
    lines: &[Line],
    expected: &Expected,
    mut faults: Vec<Fault>,
    times: &Times,
) -> Answer<7> {
    let mut undecided = tables.undecided.clone();
    tables.judge(&mut faults, &mut undecided);
    expected.judge(bench, tables, &mut faults, &mut undecided);
    faults.extend(lines.iter().filter_map(Line::fault));
    undecided.extend(lines.iter().filter_map(Line::undecided));
    let sum = |number: fn(&Line) -> u64| lines.iter().map(number).fold(0, u64::saturating_add);
    let (opened, shredded) = (sum(|line| line.tried.opened), sum(|line| line.tried.shredded));
    let failed = sum(|line| line.tried.failures());
    let read = tables.read.iter().map(|table| table.drawn.read.rows).fold(0, u64::saturating_add);
    let seconds = |time: &Duration| format!("{:.2}", time.as_secs_f64());
    let summary = format!(
        "{opened} values opened, {failed} did not, {shredded} are of shredded patients; {read} rows, {}; read in {} s, unlocked in {} s, opened in {} s",
        expected.shown(bench),
        seconds(&times.read),
        seconds(&times.unlocked),
        seconds(&times.opened)
    );
    let others = tables.read.iter().map(|table| table.drawn.rows_of_others).fold(0, u64::saturating_add);
    let value = json!({
        "keys": lines.iter().map(Line::as_json).collect::<Vec<_>>(), "opened": opened, "failed": failed, "shredded": shredded,
        "rows_of_other_keyspaces": others, "sources": expected.as_json(tables),
        "seconds": { "read": times.read.as_secs_f64(), "unlock": times.unlocked.as_secs_f64(), "open": times.opened.as_secs_f64() },
    });
    Answer {
        drill: "restore",
        about: "Records of a restored copy were opened at random, with the real root keys.",
        titles: ["source", "key", "rows", "tokens", "drawn", "opened", "failed"],
        rows: lines.iter().map(Line::cells).collect(),
        numbers_from: 2,
        summary,
        figures: vec![("opened", opened), ("failed", failed), ("shredded", shredded)],
        of_keyspaces: bench
            .rings
            .iter()
            .zip(tables.sizes(&bench.rings))
            .map(|(ring, Size { rows, tokens })| (ring.keyspace().to_owned(), vec![("rows", rows), ("tokens", tokens)]))
            .collect(),
        faults,
        undecided,
        value,
    }
}

//! The page of a drill: did it pass, what was tried, and what is open.

use rxseal_html::{Page, Table, Text, Tone, number};

use super::answer::{Answer, Verdict};
use super::bench::Bench;
use crate::output::time;

/// One page, which names no patient and has no value.
pub fn page<const N: usize>(answer: &Answer<N>, bench: &Bench, made_at: u64) -> String {
    let keyspaces: Vec<_> = bench.rings.iter().map(rxseal::keys::KeyringFile::keyspace).collect();
    let about = format!("{}, made {} by {}", keyspaces.join(", "), time(made_at), bench.who);
    let mut page = Page::new(&format!("Drill: {}", answer.drill), &about);
    let (tone, first) = match answer.verdict() {
        Verdict::Passed => (Tone::Neutral, "The drill passed."),
        Verdict::Undecided => (Tone::Caution, "Not all of it could be tried, so the drill did not pass."),
        Verdict::Failed => (Tone::Alarm, "The drill failed."),
    };
    page.verdict(tone, Text::new(first).plain(" ").plain(answer.about));
    for fault in &answer.faults {
        page.red_line(format!("{}: {}", fault.of, fault.text));
    }
    page.figures(answer.figures.iter().map(|(name, count)| (number(*count), name.replace('-', " "))));
    page.heading("What was tried");
    if answer.rows.is_empty() {
        page.nothing("Nothing could be tried.");
    } else {
        let mut table = Table::new(answer.titles);
        for column in answer.numbers_from..N {
            table = table.numeric(column);
        }
        for row in &answer.rows {
            table.row(row.each_ref().map(Text::new));
        }
        page.table(&table);
    }
    page.heading("What is open");
    if answer.undecided.is_empty() {
        page.nothing("Everything that the map names was tried.");
    }
    for undecided in &answer.undecided {
        let place = undecided.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        page.text(format!("{}{place}: {}", undecided.source, undecided.text));
    }
    let rings = bench.rings.iter().map(|ring| format!("{} generation {}", ring.keyspace(), ring.generation()));
    page.heading("By what");
    page.facts([
        ("Keyrings", rings.collect::<Vec<_>>().join(", ")),
        ("SHA-256 of the map", hex::encode(bench.map.digest())),
        ("Result", answer.summary.clone()),
    ]);
    page.into_html()
}

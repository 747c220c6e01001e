//! The page of a pack: `evidence.html`.

mod data;
mod keys;
mod proof;
mod rows;
mod time;

use rxseal_html::{Page, Text, Tone, number};

use crate::facts::Facts;
use crate::remark::{Remark, Verdict};
use crate::scan::ScanFacts;
use time::shown;

/// The same as `evidence.json`, for people.
pub(crate) fn page(facts: &Facts, verdict: Verdict, remarks: &[Remark]) -> String {
    let keyspaces: Vec<_> = facts.keyrings.iter().map(|ring| &*ring.keyspace).collect();
    let about =
        format!("{}, made {} by {} on {}", shown_names(&keyspaces), shown(facts.made_at), facts.made_by, facts.made_on);
    let mut page = Page::new("Evidence of encryption", &about);
    let red = remarks.iter().filter(|remark| remark.is_red()).count();
    let (tone, sentence) = first_sentence(facts, verdict, red, remarks.len().saturating_sub(red));
    page.verdict(tone, sentence);
    for remark in remarks.iter().filter(|remark| remark.is_red()) {
        page.red_line(remark.to_string());
    }
    page.figures(figures(facts));
    page.heading("What is not known");
    let open: Vec<_> = remarks.iter().filter(|remark| !remark.is_red()).collect();
    if open.is_empty() {
        page.nothing("Every question of this page is answered by what was observed, or by somebody who is named.");
    }
    for remark in open {
        page.text(remark.to_string());
    }
    data::write(&mut page, facts);
    keys::write(&mut page, facts);
    proof::write(&mut page, facts);
    page.small(
        "This page states facts as they were at the time above. SHA256SUMS beside it has the digests of all files of this pack and is signed; \
         `rxseal evidence verify` shows any change. No keyring was unlocked, and no value of a field is in this pack.",
    );
    page.into_html()
}

fn first_sentence(facts: &Facts, verdict: Verdict, red: usize, open: usize) -> (Tone, Text) {
    let things = |count: usize| if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    match verdict {
        Verdict::Red => {
            let rest = format!(" {} wrong, and {} {} not known.", are(red), things(open), are(open));
            (Tone::Alarm, Text::new("").strong(things(red)).plain(rest))
        }
        Verdict::Open => {
            let begin = "Nothing was found to be wrong, and ";
            (Tone::Caution, Text::new(begin).strong(things(open)).plain(format!(" {} not known.", are(open))))
        }
        Verdict::Complete => {
            let rows = facts.scan.as_ref().map_or(0, ScanFacts::rows);
            let text = format!(
                "No plaintext was found in {} rows, every key is of NIST-approved algorithms, and every root key is apart from the data, \
                 as observed or as stated by somebody who is named below.",
                number(rows)
            );
            (Tone::Neutral, text.into())
        }
    }
}

fn figures(facts: &Facts) -> Vec<(String, &'static str)> {
    let scan = facts.scan.as_ref();
    let found = scan.map(|scan| scan.findings().fold(0_u64, |sum, (_, of)| sum.saturating_add(of.count)));
    let count = |len: usize| number(u64::try_from(len).unwrap_or(u64::MAX));
    let places = facts.map.sources.iter().map(|source| source.sealed.len()).sum();
    let unknown = || "unknown".to_owned();
    vec![
        (count(places), "places are declared as sealed"),
        (scan.map_or_else(unknown, |scan| number(scan.rows())), "rows and lines were scanned"),
        (found.map_or_else(unknown, number), "findings of that scan"),
        (last_restore(facts), "last restore drill"),
    ]
}

/// Of the keyspace whose drill is the longest ago.
fn last_restore(facts: &Facts) -> String {
    let days = facts.keyrings.iter().map(|ring| facts.last_restore(&ring.keyspace).map(|drill| drill.at));
    let oldest = days.min().flatten();
    oldest.map_or_else(|| "none".to_owned(), time::day)
}

fn shown_names(names: &[&str]) -> String {
    match names {
        [] => "no keyring".to_owned(),
        [first, second, third, _, ..] => {
            format!("{first}, {second}, {third} and {} more", names.len().saturating_sub(3))
        }
        few => few.join(", "),
    }
}

//! A file of no declared form: a log, a dump, an export.

mod blocks;
mod encoding;

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::Path;

use crate::finding::Undecided;
use crate::kind::{Certainty, Kind};
use crate::report::{Report, Tally};
use crate::rules::Rules;
use crate::sealed::Blocks;
use crate::text::{Hit, find};
use blocks::{Block, Reader};
use encoding::{Encoding, Utf16};

pub(crate) fn scan(rules: &Rules, path: &Path) -> Report {
    let mut report = Report { name: path.display().to_string().into(), ..Report::default() };
    let mut found = Found { tally: Tally::default(), of_odd_length: 0, is_cut: false };
    if let Err(why) = read(rules, path, &mut report, &mut found) {
        let text = format!("it could not be read to its end, so what was found is a least count: {why}");
        report.undecided.push(Undecided::new("not-read", text));
    }
    if found.is_cut {
        let text =
            "a line is longer than 16 MiB, so it was read in pieces, and a token between two of them may be missing";
        report.undecided.push(Undecided::new("line-too-long", text));
    }
    if found.of_odd_length > 0 {
        let text = "tokens are of a length that no whole token has: they were cut off, or their field has a block of its own. Give the schema, or open them to know";
        let cut = Undecided::new("cut-or-whole", text);
        report.undecided.push(Undecided { count: Some(found.of_odd_length), ..cut });
    }
    let named = |known| rules.known().map(|values| values.named(known)).unwrap_or_default();
    report.findings.extend(found.tally.findings(None, named));
    report
}

struct Found {
    tally: Tally,
    of_odd_length: u64,
    is_cut: bool,
}

fn read(rules: &Rules, path: &Path, report: &mut Report, found: &mut Found) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(said)?;
    if !file.metadata().map_err(said)?.is_file() {
        return Err("it is no file: name the files".to_owned());
    }
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(encoding::HEAD).read_to_end(&mut head).map_err(said)?;
    file.rewind().map_err(said)?;
    if let Some(format) = encoding::packed(&head) {
        let text = format!(
            "it is {format}, which is not unpacked here: what is in it as it is was looked for, and nothing more"
        );
        report.undecided.push(Undecided::new("format", text));
    }
    match encoding::of(&head) {
        Encoding::Ascii => each_block(rules, Reader::new(file), report, found),
        Encoding::Utf16(which) => each_block(rules, Reader::new(Utf16::new(file, which)), report, found),
    }
    .map_err(said)
}

fn each_block<R: Read>(
    rules: &Rules,
    mut reader: Reader<R>,
    report: &mut Report,
    found: &mut Found,
) -> std::io::Result<()> {
    let blocks = rules.blocks();
    while let Some(block) = reader.next()? {
        look(rules, &block, &blocks, report, found);
        report.bytes = report.bytes.saturating_add(u64::try_from(block.fresh()).unwrap_or(u64::MAX));
        found.is_cut |= block.is_cut;
        report.rows = block.line_of(block.text.len()).saturating_sub(1);
    }
    if !reader.ends_a_line() {
        report.rows = report.rows.saturating_add(1);
    }
    Ok(())
}

fn look(rules: &Rules, block: &Block<'_>, blocks: &Blocks, report: &mut Report, found: &mut Found) {
    let Found { tally, of_odd_length, .. } = found;
    find(block.text, rules.keys(), blocks, rules.words(), &mut |range, hit| {
        if !block.is_fresh(&range) {
            return;
        }
        let line = || Some(block.line_of(range.start));
        match hit {
            Hit::Token(key, fits, certainty) => {
                if certainty == Certainty::Certain {
                    report.add_key(key);
                    *of_odd_length = of_odd_length.saturating_add(u64::from(!fits));
                    if let Some(fault) = rules.keys().fault(key) {
                        tally.add_at(fault, certainty, None, line);
                    }
                }
                if !rules.expects_tokens() {
                    tally.add_at(Kind::TokenElsewhere, certainty, None, line);
                }
            }
            Hit::Damaged(certainty) => tally.add_at(Kind::TokenDamaged, certainty, None, line),
            Hit::Like(kind) => tally.add_at(kind, Certainty::Possible, None, line),
        }
    });
    if let Some(known) = rules.known() {
        known.find(block.text, &mut |known, range| {
            if block.is_fresh(&range) {
                tally.add_at(Kind::KnownValue, Certainty::Certain, Some(known), || Some(block.line_of(range.start)));
            }
        });
    }
}

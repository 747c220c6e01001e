//! The rows of the table "what was taken, and what it opens".

use rxseal_html::number;

use super::Theft;
use super::investigation::Investigation;
use crate::log::Openings;
use crate::model::{KeyTokens, Taken};
use crate::reading::{Copy, Found};
use crate::rule::Held;
use crate::stolen::{Stolen, Thing};
use crate::time::shown;

/// The times at which data was taken, as far as somebody said them.
pub(super) fn times(theft: &Theft) -> impl Iterator<Item = u64> {
    theft.stolen.iter().filter_map(|stolen| match stolen.thing {
        Thing::Data { at, .. } => at,
        _ => None,
    })
}

impl Investigation<'_> {
    pub(super) fn taken(&self, found: &[Found], openings: &Openings, by_bit: &[u64]) -> Vec<Taken> {
        let mut rows = Vec::new();
        for (at, stolen) in self.theft.stolen.iter().enumerate() {
            let bits = self.bits.get(at).copied().unwrap_or_default();
            if let Thing::Data { .. } = stolen.thing {
                let is_of = |copy: &Copy| copy.bits.is_some_and(|of| of.all() & bits != 0);
                for (copy, found) in self.copies.iter().zip(found).filter(|(copy, _)| is_of(copy)) {
                    self.add_copy(stolen, copy, found, by_bit, &mut rows);
                }
                continue;
            }
            let (what, opens) = self.said(at, &stolen.thing, openings, found);
            let is_at_least = self.has_unknown_key || self.floor.is_at_risk();
            let tokens_by_key = Vec::new();
            rows.push(Taken {
                stolen: stolen.to_string(),
                what,
                opens,
                patients: of(by_bit, bits),
                is_at_least,
                tokens_by_key,
            });
        }
        rows
    }

    /// A copy, and the parts of it that are not sealed.
    fn add_copy(&self, stolen: &Stolen, copy: &Copy, found: &Found, by_bit: &[u64], rows: &mut Vec<Taken>) {
        let bits = copy.bits.unwrap_or_default();
        let is_at_least = !found.is_whole();
        let mut push = |what: String, opens: String, bit: u64, tokens_by_key: Vec<KeyTokens>| {
            let (stolen, patients) = (stolen.to_string(), of(by_bit, bit));
            rows.push(Taken { stolen, what, opens, patients, is_at_least, tokens_by_key });
        };
        let keys: Vec<_> = found
            .keys
            .iter()
            .map(|(key, tokens)| KeyTokens {
                key: key.to_string(),
                tokens: *tokens,
                is_taken: self.keys.held(*key) == Held::Taken,
            })
            .collect();
        let least = if found.not_whole.is_some() { "at least " } else { "" };
        let state = if copy.data == Held::Unknown { "the present state of" } else { "a copy of" };
        push(format!("{state} {} ({least}{} rows)", copy.of, number(found.rows)), tokens(&keys), bits.tokens, keys);
        if !found.plaintext.is_empty() {
            let places = found.plaintext.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let values = found.plaintext.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
            push(
                format!("{places} of the same"),
                format!("plaintext: {} values are not sealed", number(values)),
                bits.plaintext,
                Vec::new(),
            );
        }
        let clear: Vec<_> = found.clear.iter().map(|(place, kind)| format!("{place} ({kind})")).collect();
        if !clear.is_empty() {
            push(
                "readable columns of the same".to_owned(),
                format!("readable: {}", clear.join(", ")),
                bits.clear,
                Vec::new(),
            );
        }
        if found.index_values > 0 {
            let opens = match found.index_root {
                Some(Held::NotTaken) => "which rows have the same value; the root of the index was not taken",
                Some(Held::Taken) => "what a dictionary of names or days finds, since a root of the index was taken",
                _ => {
                    "which rows have the same value, and perhaps more: it is not known whether the root of the index was taken"
                }
            };
            push("index columns of the same".to_owned(), opens.to_owned(), bits.index, Vec::new());
        }
        if !found.undeclared.is_empty() {
            let places = found.undeclared.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let opens = "not known: the map does not say what is in them";
            push(format!("{places} of the same"), opens.to_owned(), bits.undeclared, Vec::new());
        }
    }

    fn said(&self, thing: usize, stolen: &Thing, openings: &Openings, found: &[Found]) -> (String, String) {
        let tokens = self.tokens_by_key(found);
        let keys = number(self.keys.count_taken_by(thing));
        let with_keys = |none: &str| {
            if keys == "0" {
                none.to_owned()
            } else {
                format!("{keys} keys, and what is sealed under them in what was taken")
            }
        };
        let whose = self.whose.iter().position(|whose| self.bits.get(thing) == Some(&whose.bit));
        let events = whose.and_then(|at| openings.events.get(at)).copied().unwrap_or_default();
        let said = whose.and_then(|at| self.whose.get(at)).and_then(|whose| whose.said);
        let time = said.map_or_else(String::new, |(from, to)| format!(", {} to {}", shown(from), shown(to)));
        match stolen {
            Thing::Data { what, .. } => (what.clone(), String::new()),
            Thing::Key(key) => (
                format!("key {key}"),
                format!("{} tokens in what was taken", number(tokens.get(key).copied().unwrap_or_default())),
            ),
            Thing::Kek(_) => (
                "a key that wraps the keys of a keyring".to_owned(),
                with_keys("not known: no keyring file that was given is under it"),
            ),
            Thing::Keyring(path) => (
                format!("keyring file {}", path.display()),
                with_keys("nothing: its keys are wrapped, and no key to them was taken"),
            ),
            Thing::Root(name) => {
                (format!("root key {name}"), with_keys("not known: no keyring file that was given is under it"))
            }
            Thing::Host(name, _) => {
                let opened = format!("what was opened there: {} events of the log", number(events));
                (format!("host {name}{time}"), if keys == "0" { opened } else { format!("{keys} keys, and {opened}") })
            }
            Thing::Actor(name, _) => {
                (format!("login {name}{time}"), format!("what was opened for it: {} events of the log", number(events)))
            }
            Thing::SubjectKeys { .. } => (
                "wrapped keys of subjects".to_owned(),
                "nothing alone; with the key that wraps it, the key of a subject".to_owned(),
            ),
            Thing::Audit(folder) => (
                format!("log {}", folder.display()),
                "the ids of patients and when they were opened, and no field".to_owned(),
            ),
        }
    }
}

/// `nothing: 20 tokens under 3 keys, none of them taken`
fn tokens(keys: &[KeyTokens]) -> String {
    let count = keys.iter().fold(0, |sum: u64, key| sum.saturating_add(key.tokens));
    let taken = keys.iter().filter(|key| key.is_taken).count();
    let of = |count: usize| if count == 1 { "1 key".to_owned() } else { format!("{count} keys") };
    match (keys.len(), taken) {
        (0, _) => "nothing: it has no tokens".to_owned(),
        (all, 0) => format!("nothing: {} tokens under {}, none of them taken", number(count), of(all)),
        (all, taken) if all == taken => format!("{} tokens under {}, all of them taken", number(count), of(all)),
        (all, taken) => format!("{} tokens under {}, {taken} of them taken", number(count), of(all)),
    }
}

fn of(by_bit: &[u64], bits: u64) -> u64 {
    by_bit
        .iter()
        .enumerate()
        .filter(|(bit, _)| (bits >> bit) & 1 == 1)
        .map(|(_, count)| *count)
        .max()
        .unwrap_or_default()
}

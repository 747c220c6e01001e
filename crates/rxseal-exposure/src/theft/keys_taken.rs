//! Which keys the thief has, from keyring files, from logs, and by what was stolen.

use std::collections::BTreeSet;

use rxseal::keys::KeyringFile;
use rxseal_watch::verify::Verdict;

use super::investigation::Investigation;
use crate::log::Root;
use crate::model::Doubt;
use crate::rule::Held;
use crate::stolen::{Stolen, Thing};

impl Investigation<'_> {
    pub(super) fn learn_keys(&mut self) {
        for ring in &self.rings {
            self.keys.know_ring(&ring.file);
        }
        let opens_rings = |stolen: &Stolen| matches!(stolen.thing, Thing::Kek(_) | Thing::Root(_) | Thing::Host(..));
        let could_be_in_a_ring = self.theft.stolen.iter().any(opens_rings);
        // In a log that somebody changed, a key may be invented.
        let facts = self.facts.iter().filter(|facts| facts.verdict() != Verdict::Tampered);
        for key in facts.flat_map(|facts| facts.keys.keys()) {
            self.keys.know_from_log(*key, could_be_in_a_ring);
        }
        for (number, stolen) in self.theft.stolen.iter().enumerate() {
            let rings = &self.rings;
            let is_known = match &stolen.thing {
                Thing::Key(key) => {
                    if !self.keys.is_known(*key) {
                        self.unseen_keys.push((*key, stolen.to_string()));
                    }
                    self.keys.take(*key, Held::Taken, number);
                    true
                }
                Thing::Kek(fingerprint) => {
                    let opens = |file: &KeyringFile| file.kek_fingerprint() == fingerprint;
                    self.keys.take_rings(rings, opens, number, Held::Taken)
                }
                Thing::Root(name) => {
                    let opens = |file: &KeyringFile| is_wrapped_by(file, name);
                    self.keys.doubt_moved(rings, opens);
                    self.keys.take_rings(rings, opens, number, Held::Taken)
                }
                Thing::Host(name, _) => {
                    self.take_keys_of_host(name, number);
                    true
                }
                _ => true,
            };
            if !is_known {
                self.has_unknown_key = true;
                let text = "no keyring file that was given is under it, so the keys that it opens are not known: give the keyring files of that time".to_owned();
                self.doubts.push(Doubt { code: "key-unknown", place: Some(stolen.to_string()), count: None, text });
            }
        }
    }

    /// The keys that a host had, and perhaps those of every keyring that its root keys open.
    fn take_keys_of_host(&mut self, name: &str, number: usize) {
        let Some(facts) = &self.facts else { return };
        // It may have been stolen at several times.
        let windows =
            || self.whose.iter().filter(|whose| whose.is_host && whose.name == *name).map(|whose| whose.window);
        for (key, held) in windows().flat_map(|window| facts.chains().keys_of_host(name, window)) {
            self.keys.take(key, held, number);
        }
        let roots: BTreeSet<&Root> = windows().flat_map(|window| facts.chains().roots_of_host(name, window)).collect();
        if roots.is_empty() {
            return;
        }
        for (key, _) in facts.keys.iter().filter(|(_, of)| of.iter().any(|root| roots.contains(root))) {
            self.keys.take(*key, Held::Perhaps, number);
        }
        let is_of = |(provider, name): &Root, file: &KeyringFile| {
            file.wraps().any(|wrap| wrap.provider() == provider && wrap.root_key() == name)
        };
        let opens = |file: &KeyringFile| roots.iter().any(|root| is_of(root, file));
        self.keys.doubt_moved(&self.rings, opens);
        self.keys.take_rings(&self.rings, opens, number, Held::Perhaps);
    }
}

/// `local:q3Zk81Ab`, or the name alone.
fn is_wrapped_by(file: &KeyringFile, root: &str) -> bool {
    file.wraps().any(|wrap| {
        wrap.root_key() == root
            || root.strip_prefix(wrap.provider()).and_then(|rest| rest.strip_prefix(':')) == Some(wrap.root_key())
    })
}

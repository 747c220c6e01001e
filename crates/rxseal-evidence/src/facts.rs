//! The facts of evidence, as `evidence.json` has them, and what follows from several of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::answer::{Answer, Word};
use crate::log::{LogFacts, Run};
use crate::map::MapFacts;
use crate::ring::{Here, Ring};
use crate::scan::{Dated, ScanFacts};
use crate::stated::{Statement, Topic, said};

/// What `evidence.json` has, but for what it comes to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Facts {
    pub(crate) form: &'static str,
    pub(crate) made_at: u64,
    pub(crate) made_by: String,
    /// The machine on which it was made, which files are on.
    pub(crate) made_on: String,
    pub(crate) tool: Tool,
    pub(crate) map: MapFacts,
    pub(crate) here: Here,
    pub(crate) data_hosts: Vec<String>,
    pub(crate) keyrings: Vec<Ring>,
    pub(crate) stated: Vec<Statement>,
    pub(crate) observed: Answer,
    pub(crate) scan: Option<ScanFacts>,
    pub(crate) logs: Vec<LogFacts>,
    pub(crate) key_service: Option<Vec<ServiceFinding>>,
    /// SHA-256 of programs and lock files, by name.
    pub(crate) programs: BTreeMap<String, String>,
}

/// The program that made the evidence.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// What the log of the key service says of unlockings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ServiceFinding {
    pub(crate) code: &'static str,
    pub(crate) chain: Option<String>,
    pub(crate) line: Option<u64>,
}

impl Facts {
    /// What is where, and who watches, as far as it is seen or stated.
    pub(crate) fn judge_places(&mut self) {
        self.here.data = self.here.data || self.map.sources.iter().any(|source| source.at == "file");
        let apart = said(&self.stated, Topic::Apart);
        for ring in &mut self.keyrings {
            ring.judge_places(self.here, apart);
        }
        let has = |code: &str| self.key_service.iter().flatten().any(|finding| finding.code == code);
        let stated = said(&self.stated, Topic::Observed);
        self.observed = if has(CODE_NOT_HERE) {
            Answer::observed(Word::No, "the key service has unlockings that no log has")
        } else if self.is_matched_by_service() && stated.is_none_or(|(is_so, _)| is_so) {
            Answer::observed(Word::Yes, "each unlocking at the key service is in a log, and each in a log is there")
        } else {
            let why =
                "only the log of the key service shows an unlocking that no log has, and a local root key has none";
            Answer::stated_or_unknown(stated, why)
        };
    }

    /// Whether the log of the key service and the logs here have the same unlockings, and nobody can unlock without that service.
    fn is_matched_by_service(&self) -> bool {
        let is_same = self.key_service.as_ref().is_some_and(Vec::is_empty);
        let unlockings = self.logs.iter().fold(0_u64, |sum, log| sum.saturating_add(log.unlockings));
        let roots = self.keyrings.iter().flat_map(|ring| &ring.root_keys);
        let providers: BTreeSet<_> = roots.map(|root| &*root.provider).collect();
        let is_one_service = providers.len() == 1 && providers.iter().all(|name| ["aws-kms", "vault"].contains(name));
        is_same && unlockings > 0 && is_one_service
    }

    /// What shows when the scan was.
    pub(crate) fn date_scan(&mut self) {
        let is_logged = self.event_of_scan().is_some();
        if let Some(scan) = &mut self.scan
            && scan.dated == Dated::File
            && is_logged
        {
            scan.dated = Dated::Log;
        }
    }

    /// The last restore drill of a keyspace, of logs that are believed. One that names no keyspace is of all that its map has.
    pub(crate) fn last_restore(&self, keyspace: &str) -> Option<&Run> {
        let believed = self.logs.iter().filter(|log| !log.is_tampered());
        let is_of = |run: &&Run| match &run.keyspace {
            Some(name) => name == keyspace,
            None => run.map.as_ref() == Some(&self.map.sha256),
        };
        let drills = believed.flat_map(|log| log.drills.values()).filter(|run| run.what == "restore");
        drills.filter(is_of).max_by_key(|run| run.at)
    }

    /// The event of the scan that this evidence has, in a log that is believed.
    pub(crate) fn event_of_scan(&self) -> Option<&Run> {
        let sha256 = self.scan.as_ref()?.sha256.as_ref()?;
        self.logs.iter().filter(|log| !log.is_tampered()).find_map(|log| log.scans.get(sha256))
    }
}

/// The key service unlocked, and no log has that.
const CODE_NOT_HERE: &str = "unlock-not-here";

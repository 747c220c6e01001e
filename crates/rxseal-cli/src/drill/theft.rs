//! `rxseal drill theft`: what a thief of the database gets, and what more with each thing that is stolen besides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use rxseal::keys::{KeyState, KeyringFile};
use rxseal::root::RootKey;
use rxseal::subjects::SubjectKeys;
use rxseal::{KeyId, Keyring};
use rxseal_exposure::{Held, State, TokenFacts, readable};
use rxseal_scan::{Canaries, Certainty, Finding, Kind, KnownValues, Report, Scan};
use rxseal_watch::Watch;
use serde_json::{Value, json};

use super::answer::Answer;
use super::bench::{Bench, Tables};
use super::compare::Compared;
use super::end::end;
use super::fault::Fault;
use super::opening::Hand;
use super::patients::{Need, Patients};
use super::row::Row;
use super::tables::tables_of_no_source;
use super::thief::{self, StolenKek, take_kek, unlocks_for_a_stranger, watched_openings};
use super::undecided::Undecided;
use crate::args::{DrillOptions, Global, Rings};
use crate::canary::{keyspace_of, open_list};
use crate::count::has_key;
use crate::failure::Failure;
use crate::output::Output;
use crate::read::read_text;

/// The most canaries of one list.
const CANARIES: u64 = 100;

/// What the thief has by now. Each step has all of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Data,
    Keyring,
    OneKey,
    SubjectKeys,
    Kek,
    RootKey,
}

impl Step {
    const ALL: [Self; 6] = [Self::Data, Self::Keyring, Self::OneKey, Self::SubjectKeys, Self::Kek, Self::RootKey];

    fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Keyring => "keyring",
            Self::OneKey => "one-key",
            Self::SubjectKeys => "subject-keys",
            Self::Kek => "kek",
            Self::RootKey => "root-key",
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Data => "the data",
            Self::Keyring => "+ the keyring file",
            Self::OneKey => "+ the key of most values",
            Self::SubjectKeys => "+ the subject keys",
            Self::Kek => "+ the KEK",
            Self::RootKey => "+ a root key",
        }
    }

    /// What the rule says of a value under this key.
    fn state(self, key: KeyId, need: Need, rings: &[Ring<'_>]) -> State {
        let subject_key = match need {
            Need::Nothing => None,
            Need::Gone => Some(Held::NotTaken),
            Need::SubjectKeyUnder(_) if self < Self::SubjectKeys => Some(Held::NotTaken),
            Need::SubjectKeyUnder(under) => Some(self.key(under, rings)),
        };
        readable(&TokenFacts { data: Held::Taken, key: self.key(key, rings), subject_key })
    }

    /// Whether a key of a keyring was taken.
    fn key(self, key: KeyId, rings: &[Ring<'_>]) -> Held {
        match rings.iter().find(|ring| has_key(ring.file, key)) {
            None => Held::Unknown,
            // Nobody has its bytes any more.
            Some(ring) if ring.state(key) == Some(KeyState::Destroyed) => Held::NotTaken,
            Some(ring) if self >= Self::Kek || self >= Self::OneKey && ring.most == Some(key) => Held::Taken,
            Some(_) => Held::NotTaken,
        }
    }
}

/// A keyring, and the key that most values are under.
struct Ring<'b> {
    file: &'b KeyringFile,
    most: Option<KeyId>,
}

impl Ring<'_> {
    fn state(&self, key: KeyId) -> Option<KeyState> {
        self.file.keys().iter().find(|info| info.id() == key).map(rxseal::keys::KeyInfo::state)
    }
}

/// What one step gave.
struct Got {
    step: Step,
    patients: u64,
    values: u64,
    opened: u64,
    drawn: u64,
}

pub async fn run(
    global: &Global,
    copies: Option<&Path>,
    rings: &Rings,
    canaries: &[PathBuf],
    without_phi: &[String],
    options: &DrillOptions,
    output: &Output,
) -> Result<(), Failure> {
    let bench = Bench::of(global, copies, rings, options).await?;
    bench.check_copies(copies, options.map.postgres.as_deref())?;
    let lists =
        canaries.iter().map(|path| Ok((path.as_path(), read_text(path)?))).collect::<Result<Vec<_>, Failure>>()?;
    let (roots, _) = bench.config.each_reachable_root(output).await?;
    let mut patients = Patients::default();
    if bench.config.has_subject_store() {
        let store = bench.config.subject_store(false).await?;
        patients.read_subject_keys(&*store, &bench.rings).await?;
    }
    let tables = bench.draw(Some(&mut patients)).await?;
    let subjects = bench.subjects(&tables).await?;
    let canaries = u64::try_from(lists.len()).unwrap_or(u64::MAX).saturating_mul(CANARIES);
    bench.start_log("theft", &tables, Step::ALL.len(), canaries, output)?;
    let mut drill = Theft::begin(&bench, &tables, &patients, roots, subjects, output).await?;
    let reports = drill.scan(&lists).await?;
    let has_subjects = drill.subjects.is_some();
    for step in Step::ALL.into_iter().filter(|step| *step != Step::SubjectKeys || has_subjects) {
        drill.take(step).await?;
    }
    let unnamed = tables_of_no_source(&bench.map, options.map.postgres.as_deref(), without_phi).await;
    end(&drill.answer(&reports, unnamed), &bench, output)
}

struct Theft<'b> {
    bench: &'b Bench,
    tables: &'b Tables<'b>,
    patients: &'b Patients,
    subjects: Option<SubjectKeys>,
    rings: Vec<Ring<'b>>,
    /// Each keyring as its owner has it, and its KEK.
    owned: Vec<Keyring>,
    keks: Vec<StolenKek>,
    log: Option<&'b Watch>,
    got: Vec<Got>,
    faults: Vec<Fault>,
    undecided: Vec<Undecided>,
}

impl<'b> Theft<'b> {
    async fn begin(
        bench: &'b Bench,
        tables: &'b Tables<'b>,
        patients: &'b Patients,
        roots: Vec<Arc<dyn RootKey>>,
        subjects: Option<SubjectKeys>,
        output: &Output,
    ) -> Result<Self, Failure> {
        let (mut rings, mut owned, mut keks) = (Vec::new(), Vec::new(), Vec::new());
        for file in &bench.rings {
            let (unlocked, kek) = take_kek(file, &roots).await?;
            owned.push(bench.config.journal.observed(unlocked, output)?);
            keks.push(kek);
            rings.push(Ring { file, most: most(tables, file) });
        }
        let (got, faults) = (Vec::new(), Vec::new());
        let (log, undecided) = (bench.config.journal.watch(output)?, tables.undecided.clone());
        Ok(Self { bench, tables, patients, subjects, rings, owned, keks, log, got, faults, undecided })
    }

    /// Plaintext and canaries in the copy: what needs no key.
    async fn scan(&mut self, lists: &[(&Path, String)]) -> Result<Vec<Report>, Failure> {
        let mut scan = Scan::new().with_schema(self.bench.schema.clone());
        for ring in &self.bench.rings {
            scan = scan.with_keyring(ring);
        }
        if let Some(known) = self.known(lists)? {
            scan = scan.looking_for(known);
        }
        let mut reports = Vec::new();
        for source in self.bench.map.sources() {
            let report = scan.source(source, &self.bench.addresses).await;
            report.findings().iter().for_each(|finding| self.judge(report.name(), finding));
            for of in report.undecided() {
                let place = of.place().map(str::to_owned);
                self.undecided.push(Undecided {
                    code: of.code(),
                    source: report.name().to_owned(),
                    place,
                    text: of.to_string(),
                });
            }
            reports.push(report);
        }
        Ok(reports)
    }

    fn known(&self, lists: &[(&Path, String)]) -> Result<Option<KnownValues>, Failure> {
        let mut canaries = Canaries::default();
        for (path, text) in lists {
            let keyspace = keyspace_of(path, text)?;
            let keys = self.owned.iter().find(|keys| keys.keyspace() == keyspace).ok_or_else(|| {
                let text = format!("{} is sealed in the keyspace {keyspace}, which is not drilled", path.display());
                Failure::Coded("keyring-missing", text)
            })?;
            let opened = open_list(path, text, keys, &self.bench.access)?;
            opened.iter().for_each(|canary| canaries.add(canary.clone()));
        }
        if lists.is_empty() {
            return Ok(None);
        }
        canaries.known().map(Some).map_err(|error| Failure::Checked(error.to_string()))
    }

    /// What the scan found is readable, or nobody knows. A token that is elsewhere is sealed all the same.
    fn judge(&mut self, source: &str, finding: &Finding) {
        match (finding.kind(), finding.certainty()) {
            (Kind::Plaintext | Kind::KnownValue | Kind::IndexPlaintext, Certainty::Certain) => {
                self.faults.push(Fault::new("readable", source, finding.to_string()));
            }
            (Kind::TokenElsewhere | Kind::KeyDestroyed, _) => {}
            (kind, _) => {
                let place = finding.place().map(str::to_owned);
                self.undecided.push(Undecided {
                    code: kind.as_str(),
                    source: source.to_owned(),
                    place,
                    text: finding.to_string(),
                });
            }
        }
    }

    /// One thing more is stolen: what opens now?
    async fn take(&mut self, step: Step) -> Result<(), Failure> {
        let keys = self.keys(step).await?;
        let subjects = self.subjects.as_ref().filter(|_| step >= Step::SubjectKeys);
        let hand = Hand { keys: &keys, subjects, access: &self.bench.access };
        let mut compared = Compared::default();
        for table in &self.tables.read {
            let mut by_need: BTreeMap<Need, Vec<Rc<Row>>> = BTreeMap::new();
            for row in table.drawn.rows() {
                by_need.entry(self.patients.need(&row)).or_default().push(row);
            }
            for (need, rows) in by_need {
                let tried = hand.open(&table.layout, &rows).await?;
                compared.add(&tried, |key| self.should_open(step, key, need));
            }
        }
        let against = compared.opened_against_rule.saturating_add(compared.closed_against_rule);
        if against > 0 {
            let text = format!(
                "with {}, {against} drawn values open that should not, or do not open that should",
                step.shown()
            );
            self.faults.push(Fault::new("against-rule", step.as_str(), text));
        }
        let is_read = |key, need| step.state(key, need, &self.rings) == State::Readable;
        let (patients, values) = self.patients.readable(is_read);
        if patients.is_none() && step == Step::Data {
            self.undecided.push(Undecided::of(
                "all sources",
                "too-many-keys",
                "patients are not counted for more than 128 keys",
            ));
        }
        let Compared { opened, drawn, .. } = compared;
        self.got.push(Got { step, patients: patients.unwrap_or_default(), values, opened, drawn });
        Ok(())
    }

    /// Whether a value opens by the rule. `None` if the rule does not say, or rxseal opens nothing under the key.
    fn should_open(&self, step: Step, key: KeyId, need: Need) -> Option<bool> {
        let is_compromised = |key| self.rings.iter().any(|ring| ring.state(key) == Some(KeyState::Compromised));
        let is_subject_compromised = matches!(need, Need::SubjectKeyUnder(under) if is_compromised(under));
        match step.state(key, need, &self.rings) {
            State::Readable if is_compromised(key) || is_subject_compromised => None,
            State::Readable => Some(true),
            State::Sealed => Some(false),
            _ => None,
        }
    }

    /// Exactly the keys that were stolen, as keyrings.
    async fn keys(&mut self, step: Step) -> Result<Vec<Result<Keyring, &'static str>>, Failure> {
        let mut keys = Vec::new();
        for (at, ring) in self.rings.iter().enumerate() {
            let (Some(kek), Some(owned)) = (self.keks.get(at), self.owned.get(at)) else { continue };
            let observed = |unlocked| watched_openings(unlocked, self.log.map(Watch::observer));
            keys.push(match (step, ring.most) {
                (Step::Data, _) | (Step::OneKey | Step::SubjectKeys, None) => Err("no-key"),
                (Step::Keyring, _) => {
                    if unlocks_for_a_stranger(ring.file).await? {
                        self.faults.push(Fault::new(
                            "unlocked",
                            ring.file.keyspace(),
                            "the keyring unlocks without a root key",
                        ));
                    }
                    Err("no-key")
                }
                (Step::OneKey | Step::SubjectKeys, Some(key)) => {
                    Ok(observed(thief::only(ring.file, kek.again()?, key).await?))
                }
                (Step::Kek, _) => Ok(observed(thief::all(ring.file, kek.again()?).await?)),
                (Step::RootKey, _) => Ok(owned.clone()),
            });
        }
        Ok(keys)
    }

    fn answer(self, reports: &[Report], unnamed: Vec<Undecided>) -> Answer<5> {
        let Self { tables, patients, got, mut faults, mut undecided, .. } = self;
        tables.judge_absent(&mut undecided);
        undecided.extend(unnamed);
        let at_first = got.first().map_or(0, |got| got.patients);
        if at_first > 0 {
            faults.push(Fault::new("readable", "data", format!("{at_first} patients are readable without any key")));
        }
        for (source, error) in &tables.unread {
            faults.push(Fault::new("not-read", source.name(), Failure::from_reference(error)));
        }
        let plain = faults.iter().filter(|fault| fault.code == "readable").count();
        let summary = format!("{} patients in the copy; {plain} places are readable without any key", patients.count());
        let rows = reports.iter().map(Report::rows).fold(0, u64::saturating_add);
        let value = json!({
            "patients": patients.count(), "rows": rows, "steps": got.iter().map(Got::as_json).collect::<Vec<_>>(),
        });
        Answer {
            drill: "theft",
            about: "A copy was read as a thief would read it, first without any key, and then with one stolen thing after the other.",
            titles: ["stolen", "patients readable", "values readable", "opened", "of drawn"],
            rows: got.iter().map(Got::cells).collect(),
            numbers_from: 1,
            summary,
            figures: vec![
                ("patients", patients.count()),
                ("readable-without-key", u64::try_from(plain).unwrap_or(u64::MAX)),
            ],
            of_keyspaces: Vec::new(),
            faults,
            undecided,
            value,
        }
    }
}

impl Got {
    fn cells(&self) -> [String; 5] {
        let Self { step, patients, values, opened, drawn } = self;
        let [patients, values, opened, drawn] = [patients, values, opened, drawn].map(ToString::to_string);
        [step.shown().to_owned(), patients, values, opened, drawn]
    }

    fn as_json(&self) -> Value {
        let Self { step, patients, values, opened, drawn } = self;
        json!({ "stolen": step.as_str(), "patients": patients, "values": values, "opened": opened, "drawn": drawn })
    }
}

/// The key of a keyring that most values are under.
fn most(tables: &Tables<'_>, ring: &KeyringFile) -> Option<KeyId> {
    let is_whole = |info: &&rxseal::keys::KeyInfo| {
        !matches!(info.state(), KeyState::Destroyed | KeyState::Compromised | KeyState::PreActive)
    };
    let values = |key: KeyId| {
        let of = tables.read.iter().filter_map(|table| table.drawn.keys.get(&key)).map(|of| of.tokens);
        of.fold(0, u64::saturating_add)
    };
    let keys = ring.keys().iter().filter(is_whole).map(|info| (values(info.id()), info.id()));
    keys.filter(|(values, _)| *values > 0).max().map(|(_, key)| key)
}

//! `rxseal drill key-loss`: what each loss of keys would cost. Each is taken away in memory, and what is left is tried.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rxseal::Keyring;
use rxseal::keys::KeyringFile;
use rxseal::root::RootKey;
use rxseal::subjects::SubjectKeys;
use rxseal_exposure::{Held, State, TokenFacts, readable};
use serde_json::{Value, json};

use super::answer::Answer;
use super::bench::{Bench, Tables};
use super::compare::Compared;
use super::end::end;
use super::fault::Fault;
use super::opening::Hand;
use super::row::Row;
use crate::args::{DrillOptions, Global, Rings};
use crate::config::subject_store_at;
use crate::count::has_key;
use crate::failure::Failure;
use crate::output::Output;
use crate::root::trusted;

/// What is taken away.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    Nothing,
    RootKey { provider: String, name: String },
    Provider(String),
    SubjectKeys,
}

/// Keys of this machine have no provider that could fail: each is a loss of its own.
const LOCAL: &str = "local";

impl Loss {
    /// Every loss, and first that of nothing. A root key that wraps a keyring and was not given is not there in any case.
    fn all(roots: &[Arc<dyn RootKey>], rings: &[KeyringFile], has_subjects: bool) -> Vec<Self> {
        let given = roots.iter().map(|root| (root.provider(), root.name()));
        let wraps = rings.iter().flat_map(KeyringFile::wraps).map(|wrap| (wrap.provider(), wrap.root_key()));
        let mut losses = BTreeSet::from([Self::Nothing]);
        for (provider, name) in given.chain(wraps) {
            losses.insert(Self::RootKey { provider: provider.to_owned(), name: name.to_owned() });
            if provider != LOCAL {
                losses.insert(Self::Provider(provider.to_owned()));
            }
        }
        if has_subjects {
            losses.insert(Self::SubjectKeys);
        }
        losses.into_iter().collect()
    }

    fn leaves(&self, root: &dyn RootKey) -> bool {
        match self {
            Self::RootKey { provider, name } => (root.provider(), root.name()) != (provider, name),
            Self::Provider(provider) => root.provider() != provider,
            Self::Nothing | Self::SubjectKeys => true,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::RootKey { provider, name } => format!("the root key {provider} {name}"),
            Self::Provider(provider) => format!("the provider {provider}"),
            Self::SubjectKeys => "the subject keys".to_owned(),
        }
    }
}

/// What one loss costs one keyspace.
struct Cost {
    loss: Loss,
    keyspace: String,
    /// Why the keyring is not unlocked any more.
    locked: Option<&'static str>,
    lost: u64,
    of: u64,
    /// Of the values that were drawn, how many open.
    opened: u64,
    drawn: u64,
}

pub async fn run(
    global: &Global,
    copies: Option<&Path>,
    rings: &Rings,
    subject_backup: Option<&str>,
    options: &DrillOptions,
    output: &Output,
) -> Result<(), Failure> {
    let bench = Bench::of(global, copies, rings, options).await?;
    let (roots, _) = bench.config.each_reachable_root(output).await?;
    let tables = bench.draw(None).await?;
    let subjects = bench.subjects(&tables).await?;
    let backup = match subject_backup {
        Some(store) => Some(SubjectKeys::new(subject_store_at(store, "--subject-backup").await?)),
        None => None,
    };
    let losses = Loss::all(&roots, &bench.rings, subjects.is_some());
    bench.start_log("key-loss", &tables, losses.len(), 0, output)?;
    let (closed_before, faults, costs) = (Vec::new(), Vec::new(), Vec::new());
    let mut trial = Trial { bench: &bench, tables: &tables, roots, subjects, backup, closed_before, faults, costs };
    for loss in losses {
        trial.take_away(loss, output).await?;
    }
    end(&trial.answer(), &bench, output)
}

struct Trial<'b> {
    bench: &'b Bench,
    tables: &'b Tables<'b>,
    roots: Vec<Arc<dyn RootKey>>,
    subjects: Option<SubjectKeys>,
    backup: Option<SubjectKeys>,
    /// How much of each keyring does not open although nothing was taken away.
    closed_before: Vec<u64>,
    faults: Vec<Fault>,
    costs: Vec<Cost>,
}

impl Trial<'_> {
    async fn take_away(&mut self, loss: Loss, output: &Output) -> Result<(), Failure> {
        let keys = self.unlock(&loss, output).await?;
        let subjects = if loss == Loss::SubjectKeys { &self.backup } else { &self.subjects };
        let hand = Hand { keys: &keys, subjects: subjects.as_ref(), access: &self.bench.access };
        let has_subjects = subjects.is_some();
        let held = |is_left| if is_left { Held::Taken } else { Held::NotTaken };
        let mut opened: Vec<Compared> = self.bench.rings.iter().map(|_| Compared::default()).collect();
        for table in &self.tables.read {
            let (with, without) = table.drawn.rows().into_iter().partition(|row: &Rc<Row>| row.subject.is_some());
            for (rows, needs_subject) in [(with, true), (without, false)] {
                let rows: Vec<Rc<Row>> = rows;
                let tried = hand.open(&table.layout, &rows).await?;
                for (opened, (ring, keys)) in opened.iter_mut().zip(self.bench.rings.iter().zip(&keys)) {
                    // By the rule that reports on thefts use: what is left is what a thief would have.
                    let subject_key = needs_subject.then(|| held(has_subjects));
                    let facts = TokenFacts { data: Held::Taken, key: held(keys.is_ok()), subject_key };
                    let should_open = readable(&facts) == State::Readable;
                    opened.add(&tried.of(ring), |_| Some(should_open));
                }
            }
        }
        for ((ring, keys), opened) in self.bench.rings.iter().zip(&keys).zip(opened) {
            let cost = Cost::new(&loss, ring, keys.as_ref().err().copied(), has_subjects, self.tables, opened);
            self.judge(&cost, opened);
            self.costs.push(cost);
        }
        Ok(())
    }

    /// Each keyring, with the root keys that are left.
    async fn unlock(&self, loss: &Loss, output: &Output) -> Result<Vec<Result<Keyring, &'static str>>, Failure> {
        let left: Vec<_> = self.roots.iter().filter(|root| loss.leaves(&***root)).map(Arc::clone).collect();
        let mut keys = Vec::new();
        for ring in &self.bench.rings {
            if left.is_empty() {
                keys.push(Err("no-root-key"));
                continue;
            }
            keys.push(match Keyring::unlock(ring.keyspace(), &trusted(left.clone())?, ring).await {
                Ok(unlocked) => Ok(self.bench.config.journal.observed(unlocked, output)?),
                Err(error) => Err(error.code().as_str()),
            });
        }
        Ok(keys)
    }

    fn judge(&mut self, cost: &Cost, opened: Compared) {
        let (loss, keyspace) = (cost.loss.shown(), &*cost.keyspace);
        let closed = opened.closed_against_rule;
        if cost.loss == Loss::Nothing {
            self.closed_before.push(closed);
            if closed > 0 {
                let text = format!(
                    "{closed} drawn values do not open, although nothing was taken away: `rxseal drill restore` tells of them"
                );
                self.faults.push(Fault::new("not-opened", keyspace, text));
            }
        }
        let before = self.bench.rings.iter().zip(&self.closed_before).find(|(ring, _)| ring.keyspace() == keyspace);
        let closed = closed.saturating_sub(before.map_or(0, |(_, before)| *before));
        let against = opened.opened_against_rule.saturating_add(closed);
        if against > 0 {
            let text =
                format!("without {loss}, {against} drawn values open that should not, or do not open that should");
            self.faults.push(Fault::new("against-rule", keyspace, text));
        }
        if cost.lost == cost.of && cost.of > 0 {
            let text = match cost.loss {
                Loss::Nothing => {
                    format!("nothing of it opens, although nothing was taken away: {}", cost.locked.unwrap_or_default())
                }
                _ => format!("whoever loses {loss} loses everything: all {} values", cost.of),
            };
            self.faults.push(Fault::new("loses-everything", keyspace, text));
        } else if cost.lost > 0 {
            let text = format!("whoever loses {loss} loses {} of {} values", cost.lost, cost.of);
            self.faults.push(Fault::new("loses-part", keyspace, text));
        }
    }

    fn answer(self) -> Answer<6> {
        let Self { tables, mut faults, costs, .. } = self;
        let mut undecided = tables.undecided.clone();
        tables.judge(&mut faults, &mut undecided);
        let worst = costs.iter().map(|cost| cost.lost).max().unwrap_or_default();
        let real = costs.iter().filter(|cost| cost.loss != Loss::Nothing);
        let count = u64::try_from(real.count()).unwrap_or(u64::MAX);
        let summary = format!("{count} losses tried; the worst costs {worst} values of a keyspace");
        let value = json!({ "losses": costs.iter().map(Cost::as_json).collect::<Vec<_>>() });
        Answer {
            drill: "key-loss",
            about: "Each root key, each provider and the subject keys were taken away in turn, and what was left was tried.",
            titles: ["lost", "keyspace", "lost values", "of", "opened", "of drawn"],
            rows: costs.iter().map(Cost::cells).collect(),
            numbers_from: 2,
            summary,
            figures: vec![("losses", count), ("worst", worst)],
            of_keyspaces: Vec::new(),
            faults,
            undecided,
            value,
        }
    }
}

impl Cost {
    /// What is lost follows from the keys that are left; what was tried shows that it is so.
    fn new(
        loss: &Loss,
        ring: &KeyringFile,
        locked: Option<&'static str>,
        has_subjects: bool,
        tables: &Tables<'_>,
        Compared { opened, drawn, .. }: Compared,
    ) -> Self {
        let (mut values_lost, mut of) = (0_u64, 0_u64);
        for table in &tables.read {
            for (_, of_key) in table.drawn.keys.iter().filter(|(key, _)| has_key(ring, **key)) {
                of = of.saturating_add(of_key.tokens);
                let gone = match locked {
                    Some(_) => of_key.tokens,
                    None if !has_subjects => of_key.with_subject,
                    None => 0,
                };
                values_lost = values_lost.saturating_add(gone);
            }
        }
        Self { loss: loss.clone(), keyspace: ring.keyspace().to_owned(), locked, lost: values_lost, of, opened, drawn }
    }

    fn cells(&self) -> [String; 6] {
        let Self { loss, keyspace, lost, of, opened, drawn, .. } = self;
        let [lost, of, opened, drawn] = [lost, of, opened, drawn].map(ToString::to_string);
        [loss.shown(), keyspace.clone(), lost, of, opened, drawn]
    }

    fn as_json(&self) -> Value {
        let Self { loss, keyspace, locked, lost, of, opened, drawn } = self;
        let (kind, provider, root_key) = match loss {
            Loss::Nothing => ("nothing", None, None),
            Loss::RootKey { provider, name } => ("root-key", Some(provider), Some(name)),
            Loss::Provider(provider) => ("provider", Some(provider), None),
            Loss::SubjectKeys => ("subject-keys", None, None),
        };
        json!({
            "lost": kind, "provider": provider, "root_key": root_key, "keyspace": keyspace, "locked": locked, "values_lost": lost,
            "values": of, "drawn": drawn, "opened": opened,
        })
    }
}

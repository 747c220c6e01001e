//! The chains of all logs: when each was written, on which host, and which keys its program had.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rxseal::KeyId;
use rxseal_watch::{ChainId, LoggedEvent};

use super::moment::Moment;
use crate::rule::Held;
use crate::time::Window;

/// A root key, by its provider and its name.
pub(crate) type Root = (String, String);
/// A program while it runs: host, service, number of the process.
type Program = (String, String, Option<u64>);

#[derive(Default)]
pub(crate) struct Chains {
    chains: BTreeMap<ChainId, Chain>,
    /// The chain that each program began last.
    newest: HashMap<Program, ChainId>,
    runs: Vec<Run>,
    /// The lines that the beginnings of other chains name as the last ones.
    named: BTreeSet<(String, u64)>,
}

struct Chain {
    host: Option<String>,
    run: usize,
    /// The earliest, the latest, and the one that was read last.
    first: Moment,
    last: Moment,
    read: Moment,
    /// The number of the line that was read last.
    line: u64,
    /// How long its writer may be behind, in milliseconds.
    lag: u64,
    is_stopped: bool,
    /// Whether its program went on in another chain, or may have.
    goes_on: bool,
    is_in_act: bool,
    /// The last event of its program's chain before, since which events may have waited for this one.
    waited_since: Option<Moment>,
    /// The chain that its beginning names.
    previous: Option<String>,
}

/// A program from its start to its end, over all of its chains: it begins a new one each day.
#[derive(Default)]
struct Run {
    /// By how many milliseconds the clock of its machine was set, all in all. Only one of the times before and after is right, and nobody knows which.
    set: u64,
    unlocks: Vec<Unlock>,
    chains: Vec<ChainId>,
}

/// An unlocked keyring, from when to when. Without an end it was so until the end of the run.
struct Unlock {
    keyspace: String,
    generation: Option<u64>,
    keys: Vec<KeyId>,
    root: Option<Root>,
    from: (ChainId, Moment),
    to: Option<(ChainId, Moment)>,
    /// Until when it surely was so, if its program may have been killed then.
    surely_to: Option<Moment>,
}

impl Chain {
    fn new(run: usize, first: Moment) -> Self {
        Self {
            host: None,
            run,
            first,
            last: first,
            read: first,
            line: 0,
            lag: 0,
            is_stopped: false,
            goes_on: true,
            is_in_act: false,
            waited_since: None,
            previous: None,
        }
    }
}

impl Chains {
    pub(super) fn add(&mut self, event: &LoggedEvent) {
        let (id, moment) = (event.chain(), Moment::of(event));
        if event.kind() == "start" {
            self.begin(event, moment);
        }
        if !self.chains.contains_key(&id) {
            // A chain without a beginning: somebody changed the log.
            self.chains.insert(id, Chain::new(self.runs.len(), moment));
            self.runs.push(Run { chains: vec![id], ..Run::default() });
        }
        let Self { chains, runs, .. } = self;
        let Some(chain) = chains.get_mut(&id) else { return };
        let Some(run) = runs.get_mut(chain.run) else { return };
        run.set = run.set.saturating_add(moment.set_since(chain.read));
        (chain.first, chain.last) = (chain.first.earlier(moment), chain.last.later(moment));
        (chain.read, chain.line) = (moment, event.number());
        match event.kind() {
            "stop" => (chain.is_stopped, chain.goes_on) = (true, event.text("why").is_some()),
            "act" => chain.is_in_act = event.text("out") == Some("begun"),
            "unlock" => run.unlocks.push(Unlock {
                keyspace: event.text("ks").unwrap_or_default().to_owned(),
                generation: event.count("gen"),
                keys: event.keys().filter_map(|key| key.parse().ok()).collect(),
                root: root(event),
                from: (id, moment),
                to: None,
                surely_to: None,
            }),
            "lock" => {
                let (keyspace, generation) = (event.text("ks").unwrap_or_default(), event.count("gen"));
                let of = |unlock: &&mut Unlock| {
                    unlock.to.is_none() && unlock.keyspace == keyspace && unlock.generation == generation
                };
                if let Some(unlock) = run.unlocks.iter_mut().find(of) {
                    unlock.to = Some((id, moment));
                }
            }
            _ => {}
        }
    }

    /// A program that left a chain, for example at midnight, goes on in the next one with the same clock and the same keyrings.
    fn begin(&mut self, event: &LoggedEvent, moment: Moment) {
        let (id, text) = (event.chain(), |name: &str| event.text(name).unwrap_or_default().to_owned());
        let before = self.newest.insert((text("host"), text("svc"), event.count("pid")), id);
        if self.chains.contains_key(&id) {
            return;
        }
        let before = before.and_then(|before| self.chains.get(&before)).filter(|before| before.goes_on);
        let run = before.map_or(self.runs.len(), |before| before.run);
        if self.runs.len() <= run {
            self.runs.push(Run::default());
        }
        if let Some(of) = self.runs.get_mut(run) {
            of.chains.push(id);
            if let Some(killed) = before.filter(|before| !before.is_stopped) {
                let open = of.unlocks.iter_mut().filter(|unlock| unlock.to.is_none());
                open.for_each(|unlock| unlock.surely_to = unlock.surely_to.or(Some(killed.last)));
            }
        }
        let previous = event.json().get("prev");
        let previous = previous.and_then(|of| Some((of.get("chain")?.as_str()?.to_owned(), of.get("n")?.as_u64()?)));
        let chain = Chain {
            host: event.text("host").map(str::to_owned),
            lag: event.count("lag_ms").unwrap_or_default(),
            waited_since: before.map(|before| before.last),
            previous: previous.as_ref().map(|(chain, _)| chain.clone()),
            ..Chain::new(run, moment)
        };
        self.chains.insert(id, chain);
        self.named.extend(previous);
    }

    pub(super) fn is_in_act(&self, chain: ChainId) -> bool {
        self.chains.get(&chain).is_some_and(|chain| chain.is_in_act)
    }

    pub(super) fn host(&self, chain: ChainId) -> Option<&str> {
        self.chains.get(&chain)?.host.as_deref()
    }

    pub(crate) fn hosts(&self) -> BTreeSet<&str> {
        self.chains.values().filter_map(|chain| chain.host.as_deref()).collect()
    }

    /// By how many milliseconds the times of a chain may be wrong.
    fn wrong(&self, chain: &Chain) -> u64 {
        self.runs.get(chain.run).map_or(u64::MAX, |run| run.set)
    }

    /// When an event may have happened.
    pub(super) fn possible(&self, chain: ChainId, moment: Moment) -> Window {
        let Some(chain) = self.chains.get(&chain) else { return moment.within(0) };
        let (from, to) = moment.within(self.wrong(chain));
        let waited = chain.waited_since.filter(|_| moment.may_have_waited());
        (waited.map_or(from, |since| since.within(self.wrong(chain)).0.min(from)), to)
    }

    /// When a chain may have been written: its program may have gone on for the lag if nothing says that it stopped.
    pub(super) fn times(&self, chain: ChainId) -> Option<Window> {
        let chain = self.chains.get(&chain)?;
        let wrong = self.wrong(chain);
        let lag = if chain.is_stopped { 0 } else { chain.lag };
        Some((chain.first.within(wrong).0, chain.last.within(wrong.saturating_add(lag)).1))
    }

    /// The last event of a chain, at the earliest.
    pub(super) fn last(&self, chain: ChainId) -> Option<u64> {
        let chain = self.chains.get(&chain)?;
        Some(chain.last.within(self.wrong(chain)).0)
    }

    /// From the first to the last event of some chains, at the least.
    pub(super) fn surely(&self, of: &BTreeSet<ChainId>) -> Option<Window> {
        let chains = || of.iter().filter_map(|chain| self.chains.get(chain));
        let first = chains().map(|chain| chain.first.within(self.wrong(chain)).1).min()?;
        Some((first, chains().map(|chain| chain.last.within(self.wrong(chain)).0).max()?))
    }

    /// From the first to the last event of all chains, at the most.
    pub(super) fn span(&self) -> Option<Window> {
        let within = || self.chains.values().map(|chain| (chain, self.wrong(chain)));
        let first = within().map(|(chain, wrong)| chain.first.within(wrong).0).min()?;
        Some((first, within().map(|(chain, wrong)| chain.last.within(wrong).1).max()?))
    }

    /// In which time something may be missing from a chain whose last lines no checkpoint covers. `covered` is the last line that one covers. The times
    /// of the others may be invented, so it is the time between what is known around them.
    pub(super) fn unproven(&self, id: ChainId, covered: Option<Moment>) -> Option<Window> {
        let chain = self.chains.get(&id)?;
        let own = chain.first.within(self.wrong(chain)).0;
        let from = match covered {
            Some(covered) => self.possible(id, covered).0,
            None => chain.previous.as_deref().and_then(|before| self.last_of(before)).map_or(own, |last| last.min(own)),
        };
        // What a later chain found to be its end was its end.
        let is_ended = chain.is_stopped && self.named.contains(&(id.to_string(), chain.line));
        Some((from, if is_ended { self.times(id)?.1 } else { u64::MAX }))
    }

    fn last_of(&self, chain: &str) -> Option<u64> {
        self.last(*self.chains.keys().find(|id| id.to_string() == chain)?)
    }

    /// Whether a chain of this host was written in this time, or may have been.
    pub(crate) fn has_host(&self, host: &str, window: Window) -> bool {
        let of_host = self.chains.iter().filter(|(_, chain)| chain.host.as_deref() == Some(host));
        of_host.filter_map(|(id, _)| self.times(*id)).any(|times| overlaps(times, window))
    }

    /// Whether a program of this host that ran in this time began in this chain, or before it.
    pub(super) fn has_begun_here(&self, id: ChainId, host: &str, window: Window) -> bool {
        let run = self.chains.get(&id).filter(|chain| chain.host.as_deref() == Some(host));
        let run = run.and_then(|chain| self.runs.get(chain.run)).filter(|run| run.chains.first() == Some(&id));
        run.is_some_and(|run| overlaps((0, self.end_of(run)), window))
    }

    fn chains_of<'c>(&'c self, run: &'c Run) -> impl Iterator<Item = (ChainId, &'c Chain)> {
        run.chains.iter().filter_map(|id| Some((*id, self.chains.get(id)?)))
    }

    /// When a run ended, at the latest.
    fn end_of(&self, run: &Run) -> u64 {
        self.chains_of(run).filter_map(|(id, _)| self.times(id)).map(|(_, to)| to).max().unwrap_or(u64::MAX)
    }

    /// The keyrings that programs of a host had in this time, and whether they surely had them then.
    fn unlocks_of_host(&self, host: &str, window: Window) -> impl Iterator<Item = (&Unlock, Held)> {
        let is_of_host = move |run: &&Run| self.chains_of(run).any(|(_, chain)| chain.host.as_deref() == Some(host));
        self.runs.iter().filter(is_of_host).flat_map(move |run| {
            let end = self.chains_of(run).map(|(_, chain)| chain.last.said()).max().unwrap_or_default();
            let latest = self.end_of(run);
            run.unlocks.iter().filter_map(move |unlock| {
                let to = unlock.surely_to.or(unlock.to.map(|(_, to)| to)).map_or(end, Moment::said);
                let said = (unlock.from.1.said(), to);
                let possible = |(chain, moment)| self.possible(chain, moment);
                let possible = (possible(unlock.from).0, unlock.to.map_or(latest, |to| possible(to).1));
                match (overlaps(said, window), overlaps(possible, window)) {
                    (true, _) => Some((unlock, Held::Taken)),
                    (false, true) => Some((unlock, Held::Perhaps)),
                    (false, false) => None,
                }
            })
        })
    }

    /// The keys that programs of a host had in this time.
    pub(crate) fn keys_of_host(&self, host: &str, window: Window) -> BTreeMap<KeyId, Held> {
        let mut keys = BTreeMap::new();
        for (unlock, held) in self.unlocks_of_host(host, window) {
            for key in &unlock.keys {
                let known: &mut Held = keys.entry(*key).or_insert(held);
                *known = held.min(*known);
            }
        }
        keys
    }

    /// The root keys that unlocked them.
    pub(crate) fn roots_of_host(&self, host: &str, window: Window) -> BTreeSet<&Root> {
        self.unlocks_of_host(host, window).filter_map(|(unlock, _)| unlock.root.as_ref()).collect()
    }
}

/// The root key of an unlocking.
pub(super) fn root(event: &LoggedEvent) -> Option<Root> {
    Some((event.text("prov")?.to_owned(), event.text("root")?.to_owned()))
}

pub(super) fn overlaps((from, to): Window, (begin, end): Window) -> bool {
    from <= end && begin <= to
}

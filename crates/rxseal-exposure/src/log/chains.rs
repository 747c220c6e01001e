//! The chains of a log: when each was written, on which host, and which keys its program had.

use std::collections::BTreeMap;

use rxseal::KeyId;
use rxseal_watch::{ChainId, LoggedEvent};

use crate::time::Window;

#[derive(Default)]
pub(crate) struct Chains(BTreeMap<ChainId, Chain>);

#[derive(Default)]
struct Chain {
    host: Option<String>,
    /// When its first and its last event happened, in Unix seconds.
    times: Option<(u64, u64)>,
    /// How long its writer may be behind, in seconds.
    lag: u64,
    is_stopped: bool,
    is_in_act: bool,
    unlocks: Vec<Unlock>,
}

/// An unlocked keyring, from when to when.
struct Unlock {
    keyspace: String,
    generation: Option<u64>,
    keys: Vec<KeyId>,
    from: u64,
    to: Option<u64>,
}

impl Chains {
    pub(super) fn add(&mut self, event: &LoggedEvent) {
        let at = event.time() / 1000;
        let chain = self.0.entry(event.chain()).or_default();
        let (first, last) = chain.times.unwrap_or((at, at));
        chain.times = Some((at.min(first), at.max(last)));
        match event.kind() {
            "start" => {
                chain.host = event.text("host").map(str::to_owned);
                chain.lag = event.count("lag_ms").unwrap_or_default().div_ceil(1000);
            }
            "stop" => chain.is_stopped = true,
            "act" => chain.is_in_act = event.text("out") == Some("begun"),
            "unlock" => chain.unlocks.push(Unlock {
                keyspace: event.text("ks").unwrap_or_default().to_owned(),
                generation: event.count("gen"),
                keys: event.keys().filter_map(|key| key.parse().ok()).collect(),
                from: at,
                to: None,
            }),
            "lock" => {
                let (keyspace, generation) = (event.text("ks").unwrap_or_default(), event.count("gen"));
                let of = |unlock: &&mut Unlock| {
                    unlock.to.is_none() && unlock.keyspace == keyspace && unlock.generation == generation
                };
                if let Some(unlock) = chain.unlocks.iter_mut().find(of) {
                    unlock.to = Some(at);
                }
            }
            _ => {}
        }
    }

    pub(super) fn is_in_act(&self, chain: ChainId) -> bool {
        self.0.get(&chain).is_some_and(|chain| chain.is_in_act)
    }

    pub(super) fn host(&self, chain: ChainId) -> Option<&str> {
        self.0.get(&chain)?.host.as_deref()
    }

    /// When a chain was written: its program may have gone on for the lag if nothing says that it stopped.
    pub(super) fn times(&self, chain: ChainId) -> Option<Window> {
        let chain = self.0.get(&chain)?;
        let (from, to) = chain.times?;
        Some((from, if chain.is_stopped { to } else { to.saturating_add(chain.lag) }))
    }

    /// When the last event of a chain happened.
    pub(super) fn last(&self, chain: ChainId) -> Option<u64> {
        self.0.get(&chain)?.times.map(|(_, last)| last)
    }

    /// Whether a chain of this host was written in this time.
    pub(crate) fn has_host(&self, host: &str, window: Window) -> bool {
        let of = |(id, chain): (&ChainId, &Chain)| {
            chain.host.as_deref() == Some(host) && self.times(*id).is_some_and(|times| overlaps(times, window))
        };
        self.0.iter().any(of)
    }

    /// The keys that programs of a host had in this time.
    pub(crate) fn keys_of_host<'c>(&'c self, host: &'c str, window: Window) -> impl Iterator<Item = KeyId> + 'c {
        let chains = self.0.iter().filter(move |(_, chain)| chain.host.as_deref() == Some(host));
        chains.flat_map(move |(id, chain)| {
            let end = self.times(*id).map_or(u64::MAX, |(_, to)| to);
            let in_time = chain.unlocks.iter().filter(move |of| overlaps((of.from, of.to.unwrap_or(end)), window));
            in_time.flat_map(|unlock| unlock.keys.iter().copied())
        })
    }
}

pub(super) fn overlaps((from, to): Window, (begin, end): Window) -> bool {
    from <= end && begin <= to
}

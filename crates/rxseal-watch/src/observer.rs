//! The observer of a watch: budgets before an opening, the event after it.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use rxseal::observe::{KeyEvent, Observer, OpenEvent, OpenedRecord, Opening, SearchEvent, Searching};
use rxseal::{Access, Error, ErrorCode};

use crate::alarm::Alarm;
use crate::budget::{Actor, Verdict};
use crate::error::{Kind, WatchError};
use crate::event::{Admin, Event, Outcome, Who, write_opened};
use crate::shared::Shared;

/// Tells a [`Watch`](crate::Watch) of the openings of a keyring: [`Watch::observer`](crate::Watch::observer) makes it.
#[derive(Clone)]
pub struct WatchObserver {
    shared: Arc<Shared>,
    /// Stops the watch when the last handle is dropped.
    _running: Arc<dyn Any + Send + Sync>,
}

/// What an access keeps: its actor in this watch.
struct Seat {
    shared: Arc<Shared>,
    actor: Arc<Actor>,
    who: Who,
    /// Whether the threads that write the log are in another process.
    is_forked: bool,
}

/// The opening that begins on a thread: when, and why it was refused, if it was.
#[derive(Clone, Copy, Default)]
struct Begun {
    /// Nanoseconds since the watch began. Its event has this time, so that the clock is read once.
    at: Option<u64>,
    refused: Option<Kind>,
}

thread_local! {
    /// The core sends the event of this opening on the same thread, and none in between.
    static BEGUN: Cell<Begun> = const { Cell::new(Begun { at: None, refused: None }) };
}

impl WatchObserver {
    pub(crate) fn new(shared: Arc<Shared>, running: Arc<dyn Any + Send + Sync>) -> Self {
        Self { shared, _running: running }
    }

    /// Runs `work` with what is kept of an access, which is looked up once.
    fn seated<T>(
        &self,
        access: &Access,
        work: impl FnOnce(&Actor, &Who) -> Result<T, WatchError>,
    ) -> Result<T, WatchError> {
        let kept = access.keep(|| {
            let (shared, is_forked) = (Arc::clone(&self.shared), self.shared.is_forked());
            Arc::new(Seat { shared, actor: self.actor(access), who: Who::of(access), is_forked })
        });
        match kept.downcast_ref::<Seat>().filter(|seat| Arc::ptr_eq(&seat.shared, &self.shared)) {
            Some(seat) if seat.is_forked => Err(Kind::Forked.into()),
            Some(seat) => work(&seat.actor, &seat.who),
            // Another watch had this access first.
            None => work(&self.actor(access), &Who::of(access)),
        }
    }

    fn actor(&self, access: &Access) -> Arc<Actor> {
        let (actor, is_other) = self.shared.ledger.actor(access.actor(), self.shared.now());
        if is_other {
            self.shared.tell_too_many();
        }
        actor
    }

    /// Asks the budgets of the actor whether these records may be seen.
    fn charge<'r>(
        &self,
        opening: &Opening<'_>,
        records: impl Iterator<Item = OpenedRecord<'r>>,
        now: u64,
    ) -> Result<(), WatchError> {
        let Shared { ledger, .. } = &*self.shared;
        let access = opening.access();
        self.seated(access, |actor, _| {
            if let Some(glass) = access.broken_glass() {
                return self.charge_glass(actor, records, glass.patient(), now);
            }
            let patient = |record: OpenedRecord<'r>| {
                record.subject_id().or(record.record_id()).map(|id| ledger.patient(opening.keyspace(), id))
            };
            match actor.charge(records.map(patient), now) {
                Verdict::Allowed { charged, level, is_news } => {
                    if is_news {
                        self.tell(level.text().unwrap_or_default(), actor, Alarm::BudgetHalfUsed);
                    }
                    let (keyspace, purpose) = (opening.keyspace(), access.purpose().as_str());
                    if charged > 0 && ledger.count_in_place(keyspace, purpose, charged, now) {
                        self.shared.alarm(Alarm::UnusuallyMany(format!("{keyspace} for {purpose}")));
                    }
                    Ok(())
                }
                Verdict::Refused { retry_after, is_news } => {
                    if is_news {
                        self.tell("deny", actor, Alarm::OverBudget);
                    }
                    Err(retry_after
                        .map_or(Kind::PageOverBurst.into(), |wait| WatchError::after(Kind::OverBudget, wait)))
                }
                Verdict::Frozen => Err(Kind::Frozen.into()),
            }
        })
    }

    /// Breaking the glass passes the actor's budget, for one patient, and a few times.
    fn charge_glass<'r>(
        &self,
        actor: &Actor,
        mut records: impl Iterator<Item = OpenedRecord<'r>>,
        patient: &str,
        now: u64,
    ) -> Result<(), WatchError> {
        if actor.is_frozen() {
            return Err(Kind::Frozen.into());
        }
        if records.any(|record| record.subject_id().or(record.record_id()) != Some(patient)) {
            return Err(Kind::GlassOfOther.into());
        }
        actor.charge_glass(now).map_err(|wait| WatchError::after(Kind::GlassUsedUp, wait))?;
        self.shared.alarm(Alarm::GlassBroken(actor.name().to_owned()));
        Ok(())
    }

    fn tell(&self, what: &'static str, actor: &Actor, alarm: impl FnOnce(String) -> Alarm) {
        self.shared.keep_event(&Event::Budget { what, who: actor.name() }, false);
        self.shared.alarm(alarm(actor.name().to_owned()));
    }

    /// Keeps the event of an opening. `refused` if its budget said no, or the core did.
    fn keep(
        &self,
        event: &OpenEvent<'_>,
        search: Option<&SearchEvent<'_>>,
        Begun { at, refused }: Begun,
    ) -> Result<(), WatchError> {
        self.seated(event.opening().access(), |actor, who| {
            let outcome = refused.map_or_else(|| outcome_of(event), refusal_as_outcome);
            let (level, time) = (actor.level().text(), at.unwrap_or_else(|| self.shared.now()));
            let write = |buffer: &mut Vec<u8>| write_opened(buffer, time, (event, search), who, (outcome, level));
            Ok(self.shared.keep(who.breaks_glass(), write)?)
        })
    }

    /// What is checked before anything is opened that is handed out later, or not at all.
    fn may_begin(&self, opening: &Opening<'_>) -> Result<(), WatchError> {
        self.seated(opening.access(), |actor, _| if actor.is_frozen() { Err(Kind::Frozen.into()) } else { Ok(()) })
    }

    fn before(&self, ask: impl FnOnce(u64) -> Result<(), WatchError>) -> Result<(), Error> {
        let now = self.shared.now();
        let allowed = if self.shared.is_stopped() { Err(Kind::Stopped.into()) } else { ask(now) };
        BEGUN.set(Begun { at: Some(now), refused: allowed.as_ref().err().map(WatchError::kind) });
        Ok(allowed?)
    }
}

impl Observer for WatchObserver {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        self.before(|now| {
            let records = opening.records().iter().copied();
            if opening.hands_out() { self.charge(opening, records, now) } else { self.may_begin(opening) }
        })
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        Ok(self.keep(event, None, BEGUN.take())?)
    }

    /// Candidates are not charged: most of them are strangers, whom nobody sees.
    fn before_search(&self, search: &Searching<'_>) -> Result<(), Error> {
        self.before(|_| self.may_begin(search.opening()))
    }

    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), Error> {
        let opened = event.opened();
        let begun = BEGUN.take();
        if begun.refused.is_some() {
            return Ok(self.keep(opened, Some(event), begun)?);
        }
        let mut hits = event.hits().peekable();
        let now = begun.at.unwrap_or_else(|| self.shared.now());
        let charged = if hits.peek().is_none() { Ok(()) } else { self.charge(opened.opening(), hits, now) };
        let refused = charged.as_ref().err().map(WatchError::kind);
        self.keep(opened, Some(event), Begun { refused, ..begun })?;
        Ok(charged?)
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        let keep = |event: Event<'_>, with_checkpoint| self.shared.keep_event(&event, with_checkpoint);
        match *event {
            KeyEvent::Unlocked { keyspace, generation, provider, root_key, key_ids, request_id, .. } => {
                let keys: Vec<_> = key_ids.iter().map(ToString::to_string).collect();
                let (ks, root, request) = (keyspace, root_key, request_id);
                keep(Event::Unlock { ks, generation, keys: &keys, provider, root, request }, true);
            }
            KeyEvent::Locked { keyspace, generation, .. } => keep(Event::Lock { ks: keyspace, generation }, false),
            KeyEvent::RootKeyFailed { keyspace, provider, root_key, code, .. } => {
                let (provider, root) = (Some(provider), Some(root_key));
                keep(Event::UnlockFailed { ks: keyspace, provider, root, code: code.as_str() }, false);
            }
            KeyEvent::NotUnlocked { keyspace, code, .. } => {
                keep(Event::UnlockFailed { ks: keyspace, provider: None, root: None, code: code.as_str() }, false);
            }
            KeyEvent::CompromisedKeyUsed { keyspace: ks, key_id, .. } => {
                let (what, key) = ("compromised-key-used", key_id.to_string());
                keep(Event::Admin(Admin { ks, what, key: Some(&key), ..Admin::default() }), false);
            }
            KeyEvent::Resealed { keyspace: ks, key_id, records, fields, .. } => {
                let (what, key) = ("resealed", key_id.to_string());
                let (records, fields) = (u64::try_from(records).ok(), u64::try_from(fields).ok());
                keep(Event::Admin(Admin { ks, what, key: Some(&key), records, fields, ..Admin::default() }), false);
            }
            KeyEvent::Shredded { keyspace: ks, subject, complete_at, .. } => {
                let (what, subject, gone) = ("shredded", Some(subject), Some(complete_at));
                keep(Event::Admin(Admin { ks, what, subject, gone, ..Admin::default() }), false);
            }
            KeyEvent::Changed { keyspace: ks, generation, change, .. } => {
                let (what, key) = (change.as_str(), change.key_id().map(|key| key.to_string()));
                let (generation, key) = (Some(generation), key.as_deref());
                keep(Event::Admin(Admin { ks, what, generation, key, ..Admin::default() }), false);
            }
            // A manager that looks again has unlocked what it found, which is an event of its own.
            _ => {}
        }
    }
}

impl fmt::Debug for WatchObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchObserver").finish_non_exhaustive()
    }
}

fn outcome_of(event: &OpenEvent<'_>) -> Outcome {
    match event.outcome() {
        rxseal::observe::Outcome::Opened if event.failed_fields() == 0 => Outcome::Ok,
        rxseal::observe::Outcome::Panicked => Outcome::Panic,
        _ if event.fields() > 0 => Outcome::Partial,
        rxseal::observe::Outcome::Failed(ErrorCode::ClassLocked) => Outcome::ClassDenied,
        rxseal::observe::Outcome::Failed(ErrorCode::SubjectShredded) => Outcome::Shredded,
        _ => Outcome::Failed,
    }
}

fn refusal_as_outcome(kind: Kind) -> Outcome {
    match kind {
        Kind::OverBudget | Kind::PageOverBurst | Kind::GlassUsedUp => Outcome::OverBudget,
        Kind::Frozen => Outcome::Frozen,
        _ => Outcome::Refused,
    }
}

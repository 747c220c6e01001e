//! One opening, from the observer's question to its event.

use std::borrow::Borrow;
use std::sync::Arc;

use super::core::RecordCore;
use super::joined::Joinable;
use super::open::OpenState;
use crate::access::Access;
use crate::error::Error;
use crate::observe::{Observer, OpenEvent, OpenedRecord, Opening, Outcome};

/// What kind of opening it is: how the observer is asked and told.
pub(crate) trait Told {
    /// Whether the caller gets what is opened.
    const HANDS_OUT: bool = true;

    fn ask(&self, observer: &dyn Observer, opening: &Opening<'_>) -> Result<(), Error> {
        observer.before_open(opening)
    }

    fn tell(&self, observer: &dyn Observer, event: &OpenEvent<'_>) -> Result<(), Error> {
        observer.opened(event)
    }

    /// What is told of the record in this place.
    fn record<'r>(&'r self, at: usize, core: &'r RecordCore) -> OpenedRecord<'r> {
        let _ = at;
        core.opened_record()
    }
}

/// An opening whose values all go to the caller.
pub(crate) struct Plainly;

impl Told for Plainly {}

/// An opening whose values stay inside: index values are computed from them.
pub(crate) struct Inwardly;

impl Told for Inwardly {
    const HANDS_OUT: bool = false;
}

/// An opening of records that move to these. One that gets a subject is told with it, so that it is among what was opened of that patient.
pub(crate) struct MovingTo<C>(pub(crate) C);

impl<C: AsRef<[Arc<RecordCore>]>> Told for MovingTo<C> {
    fn record<'r>(&'r self, at: usize, core: &'r RecordCore) -> OpenedRecord<'r> {
        let opened = core.opened_record();
        let subject_id = opened.subject_id.or_else(|| self.0.as_ref().get(at)?.opened_record().subject_id);
        OpenedRecord { subject_id, ..opened }
    }
}

/// An opening under way, of one record or of the records of a page. Its event is sent when it ends. If it is dropped before that,
/// the program panicked.
pub(crate) struct Audit<
    C: AsRef<[Arc<RecordCore>]> = [Arc<RecordCore>; 1],
    A: Borrow<Access> = Access,
    S: Told = Plainly,
> {
    records: C,
    access: A,
    pub(super) told: S,
    pub(crate) state: OpenState,
    joinable: Option<Joinable>,
    ended: bool,
}

impl<C: AsRef<[Arc<RecordCore>]>, A: Borrow<Access>> Audit<C, A> {
    /// Asks the observer. A refusal is an opening too, and its event is sent.
    pub(crate) fn begin(records: C, access: A) -> Result<Self, Error> {
        Self::begin_as(Plainly, records, access)
    }

    /// A part of another opening, which asked the observer, and tells it what [`into_state`](Self::into_state) gives.
    pub(crate) fn part_of_another(records: C, access: A) -> Self {
        Self { records, access, told: Plainly, state: OpenState::default(), joinable: None, ended: true }
    }

    /// What is told of a part of another opening.
    pub(crate) fn into_state(mut self) -> OpenState {
        self.ended = true;
        std::mem::take(&mut self.state)
    }
}

impl<C: AsRef<[Arc<RecordCore>]>, A: Borrow<Access>, S: Told> Audit<C, A, S> {
    /// The same for another kind of opening.
    pub(crate) fn begin_as(told: S, records: C, access: A) -> Result<Self, Error> {
        let mut audit = Self { records, access, told, state: OpenState::default(), joinable: None, ended: false };
        let refusal = audit.with_observer(|observer, opening, _| audit.told.ask(observer, &opening));
        if let Some(Err(error)) = refusal {
            audit.state.note_failure(&error);
            // The refusal says more than that its event was not kept.
            drop(audit.end());
            return Err(error);
        }
        Ok(audit)
    }

    /// Lets single openings of `core` join from now on.
    pub(super) fn join(&mut self, core: &Arc<RecordCore>) -> Joinable {
        *self.joinable.insert(Joinable::enter(core, self.access.borrow()))
    }

    /// The records and what is kept of their opening.
    pub(crate) fn parts(&mut self) -> (&[Arc<RecordCore>], &mut OpenState) {
        (self.records.as_ref(), &mut self.state)
    }

    /// Whether this is an opening of `core` by `access`.
    pub(crate) fn is_of(&self, core: &RecordCore, access: &Access) -> bool {
        matches!(self.records.as_ref(), [own] if own.is_same(core)) && self.access.borrow().is_same(access)
    }

    /// Sends the event. On an error the observer did not take it, and nothing of the opening may be handed out.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.take_joined();
        self.tell(self.state.failed.map_or(Outcome::Opened, Outcome::Failed))
    }

    /// Sends the event of an opening that came to `result`, which is dropped if the observer did not take the event.
    pub(crate) fn end_with<T, E: From<Error>>(&mut self, result: Result<T, E>) -> Result<T, E> {
        match self.end() {
            Err(refusal) if result.is_ok() => Err(refusal.into()),
            _ => result,
        }
    }

    fn take_joined(&mut self) {
        if let Some(joined) = self.joinable.take().and_then(Joinable::leave) {
            self.state.join(joined);
        }
    }

    fn tell(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.ended = true;
        let told = self.with_observer(|observer, opening, state| {
            let event = OpenEvent {
                opening,
                touched: state.touched(),
                plaintexts: &state.plaintexts,
                fields: state.fields(),
                failed_fields: state.failed_fields,
                former_types: state.former_types,
                former_fields: state.former_fields,
                accepts_compromised: state.allow_compromised,
                outcome,
            };
            self.told.tell(observer, &event)
        });
        told.unwrap_or(Ok(()))
    }

    fn with_observer<T>(&self, work: impl FnOnce(&dyn Observer, Opening<'_>, &OpenState) -> T) -> Option<T> {
        let records = self.records.as_ref();
        let shared = records.first()?.shared();
        let observer = shared.observer.as_deref()?;
        let (keyspace, access) = (shared.keys.keyspace().as_str(), self.access.borrow());
        let of = |records: &[OpenedRecord<'_>]| {
            work(observer, Opening { keyspace, access, records, hands_out: S::HANDS_OUT }, &self.state)
        };
        Some(match records {
            // One record, as almost always, costs no allocation.
            [one] => of(&[self.told.record(0, one)]),
            many => {
                let told = many.iter().enumerate().map(|(at, core)| self.told.record(at, core));
                of(&told.collect::<Vec<_>>())
            }
        })
    }
}

impl<C: AsRef<[Arc<RecordCore>]>, A: Borrow<Access>, S: Told> Drop for Audit<C, A, S> {
    fn drop(&mut self) {
        if !self.ended {
            self.take_joined();
            // Nothing is handed out anyway.
            drop(self.tell(Outcome::Panicked));
        }
    }
}

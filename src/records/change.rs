//! Moving the tokens of a row: to the primary key, or to another record. No plaintext leaves.

use std::collections::VecDeque;
use std::sync::Arc;

use super::check::Contexts;
use super::counting::contexts_of;
use super::keys::{RecordKeys, WithSubjects};
use super::reindex::index_anew;
use super::seal::Sealing;
use super::traits::{SealedRecord, WholeRecord, renew_tag, types_of, verify_tag};
use super::walk::{TokenChange, TokenVisit};
use crate::access::Access;
use crate::error::{Error, Reason};
use crate::field::Declaration;
use crate::id::{FieldId, Identifier};
use crate::index::NotIndexed;
use crate::keyring::Keyring;
use crate::record::{Audit, Claim, MovingTo, OpenState, RecordCore, SealState, move_between};
use crate::token::Token;

impl WithSubjects<'_> {
    /// The same row with every token under the primary key, and with each field's current id, class and padding.
    ///
    /// # Errors
    ///
    /// Those of [`Record::reseal`](crate::Record::reseal); `invalid-id`; `subject-missing`. Nothing is changed then.
    pub fn reseal<S: WholeRecord>(&self, row: &S) -> Result<S, Error> {
        let core = Arc::new(self.core(types_of::<S>(), row.record_ids())?);
        let (row, fields) = reseal(row, &core, &mut Sealing::in_contexts(contexts_of(row)))?;
        core.shared().tell_resealed(1, fields);
        Ok(row)
    }

    /// Reseals many rows. A row that does not open has its error in its place, and the others are resealed. Nonce bytes are drawn for 256
    /// rows or parts of rows in one system call.
    pub fn reseal_all<'s, S: WholeRecord + 's>(&self, rows: impl IntoIterator<Item = &'s S>) -> Vec<Result<S, Error>> {
        let rows: Vec<&S> = rows.into_iter().collect();
        let contexts = rows.iter().map(|row| contexts_of(*row)).fold(0, usize::saturating_add);
        let mut sealing = Sealing::in_contexts(contexts);
        let (mut records, mut fields) = (0_usize, 0_usize);
        let one = |row: &'s S| {
            let core = Arc::new(self.core(types_of::<S>(), row.record_ids())?);
            let (row, resealed) = reseal(row, &core, &mut sealing)?;
            records = records.saturating_add(1);
            fields = fields.saturating_add(resealed);
            Ok(row)
        };
        let resealed = rows.into_iter().map(one).collect();
        self.tell_resealed(records, fields);
        resealed
    }

    /// Seals the values of a row for the record that it becomes: `change` gets a copy of the row, and gives it another id, another subject
    /// or other ids of its parts. Use it for a merged patient or a copied row. Neither a token nor a part may be added or removed. Index
    /// columns get the values of the record that the row becomes.
    ///
    /// This is an opening of the row's present record, and the observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the fields; `refused-by-observer`; `invalid-id`, also if `change` added or removed a part;
    /// `subject-missing`; `not-indexable` and `bad-check-digit`, as sealing has them. The row stays as it is.
    pub fn rebind<S: WholeRecord>(&self, row: &S, change: impl FnOnce(&mut S), access: &Access) -> Result<S, Error> {
        let (moved, refused) = self.rebind_or_null(row, change, access)?;
        match refused.into_iter().next() {
            None => Ok(moved),
            Some(refused) => Err(refused.into_error()),
        }
    }

    /// The same for a row whose values an index may refuse, such as one that [`seal_or_null`](Self::seal_or_null) sealed: such an index is
    /// null in the row and listed. Count them, since a search by that index does not find the record.
    ///
    /// # Errors
    ///
    /// Those of [`rebind`](Self::rebind), except `not-indexable` and `bad-check-digit`.
    pub fn rebind_or_null<S: WholeRecord>(
        &self,
        row: &S,
        change: impl FnOnce(&mut S),
        access: &Access,
    ) -> Result<(S, Vec<NotIndexed>), Error> {
        let from = Arc::new(self.core(types_of::<S>(), row.record_ids())?);
        let mut moved = row.clone();
        change(&mut moved);
        let to = Arc::new(self.core(types_of::<S>(), moved.record_ids())?);
        let mut audit = Audit::begin_as(MovingTo([Arc::clone(&to)]), [Arc::clone(&from)], access)?;
        let result = rebind(row, &mut moved, (from, to), &mut audit.state).map(|refused| (moved, refused));
        // Most failures are noted where the token is opened, and those of ids are not.
        let result = result.inspect_err(|error| audit.state.note_failure(error));
        audit.end_with(result)
    }
}

impl Keyring {
    /// The same row with every token under the primary key, and with each field's current id, class and padding.
    ///
    /// # Errors
    ///
    /// Those of [`Record::reseal`](crate::Record::reseal); `invalid-id`; `subject-missing` if the row has a subject: use
    /// [`with_subjects`](Self::with_subjects). Nothing is changed then.
    pub fn reseal<S: WholeRecord>(&self, row: &S) -> Result<S, Error> {
        self.handle().reseal(row)
    }

    /// Reseals many rows. A row that does not open has its error in its place, and the others are resealed. Nonce bytes are drawn for 256
    /// rows or parts of rows in one system call.
    pub fn reseal_all<'s, S: WholeRecord + 's>(&self, rows: impl IntoIterator<Item = &'s S>) -> Vec<Result<S, Error>> {
        self.handle().reseal_all(rows)
    }

    /// Seals the values of a row for the record that it becomes: `change` gets a copy of the row, and gives it another id, another subject
    /// or other ids of its parts. Use it for a merged patient or a copied row. Neither a token nor a part may be added or removed. Index
    /// columns get the values of the record that the row becomes.
    ///
    /// This is an opening of the row's present record, and the observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the fields; `refused-by-observer`; `invalid-id`, also if `change` added or removed a part;
    /// `subject-missing` if the row has a subject: use [`with_subjects`](Self::with_subjects); `not-indexable` and `bad-check-digit`, as
    /// sealing has them. The row stays as it is.
    pub fn rebind<S: WholeRecord>(&self, row: &S, change: impl FnOnce(&mut S), access: &Access) -> Result<S, Error> {
        self.handle().rebind(row, change, access)
    }

    /// The same for a row whose values an index may refuse, such as one that [`seal_or_null`](Self::seal_or_null) sealed: such an index is
    /// null in the row and listed. Count them, since a search by that index does not find the record.
    ///
    /// # Errors
    ///
    /// Those of [`rebind`](Self::rebind), except `not-indexable` and `bad-check-digit`.
    pub fn rebind_or_null<S: WholeRecord>(
        &self,
        row: &S,
        change: impl FnOnce(&mut S),
        access: &Access,
    ) -> Result<(S, Vec<NotIndexed>), Error> {
        self.handle().rebind_or_null(row, change, access)
    }
}

/// The row, and how many fields were resealed.
fn reseal<S: SealedRecord>(row: &S, core: &Arc<RecordCore>, sealing: &mut Sealing) -> Result<(S, usize), Error> {
    verify_tag(core, row)?;
    let mut resealed = row.clone();
    let mut open = OpenState::default();
    resealed.change_tokens(&mut Move::begin(core, Source::Same, &mut open, sealing)?)?;
    renew_tag(core, &mut resealed)?;
    Ok((resealed, open.fields()))
}

fn rebind<S: SealedRecord>(
    row: &S,
    moved: &mut S,
    (from, to): (Arc<RecordCore>, Arc<RecordCore>),
    open: &mut OpenState,
) -> Result<Vec<NotIndexed>, Error> {
    verify_tag(&from, row)?;
    let mut known = Known { contexts: Contexts::of(Arc::clone(&from)), parts: VecDeque::new() };
    row.visit_tokens(&mut known)?;
    let mut sealing = Sealing::in_contexts(known.parts.len().saturating_add(1));
    let from = Source::Other { record: from, entered: Vec::new(), to_come: known.parts };
    let mut change = Move::begin(&to, from, open, &mut sealing)?;
    moved.change_tokens(&mut change)?;
    match change.from {
        Source::Other { to_come, .. } if !to_come.is_empty() => Err(other_parts().in_record(S::RECORD_TYPE)),
        _ => {
            let refused = index_anew(&to, moved)?;
            renew_tag(&to, moved)?;
            Ok(refused)
        }
    }
}

fn other_parts() -> Error {
    const REASON: Reason = "`rebind` changes ids, and neither adds nor removes a part";
    Error::invalid_id("part path", REASON)
}

/// Collects the contexts of the parts of a row, in their order.
struct Known {
    contexts: Contexts,
    parts: VecDeque<Arc<RecordCore>>,
}

impl TokenVisit for Known {
    fn token(&mut self, _: &Declaration, _: &Token) -> Result<(), Error> {
        Ok(())
    }

    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        self.contexts.enter(name, id)?;
        self.parts.push_back(Arc::clone(self.contexts.innermost()));
        Ok(())
    }

    fn leave(&mut self) {
        self.contexts.leave();
    }
}

/// Where the tokens were sealed: where they are sealed again, or in another record, whose parts come in the same order.
enum Source {
    Same,
    Other { record: Arc<RecordCore>, entered: Vec<Arc<RecordCore>>, to_come: VecDeque<Arc<RecordCore>> },
}

/// Opens each token and seals its value again.
struct Move<'r> {
    from: Source,
    open: &'r mut OpenState,
    sealing: &'r mut Sealing,
    record: Place,
    parts: Vec<Place>,
}

/// A context in which tokens are sealed.
struct Place {
    core: Arc<RecordCore>,
    state: SealState,
}

impl<'r> Move<'r> {
    fn begin(
        core: &Arc<RecordCore>,
        from: Source,
        open: &'r mut OpenState,
        sealing: &'r mut Sealing,
    ) -> Result<Self, Error> {
        sealing.next_record();
        let record = Place { core: Arc::clone(core), state: sealing.state(core)? };
        Ok(Self { from, open, sealing, record, parts: Vec::new() })
    }

    fn moved(&mut self, field: &Declaration, token: &Token, claim: Claim) -> Result<Token, Error> {
        let to = self.parts.last_mut().unwrap_or(&mut self.record);
        let from = match &self.from {
            Source::Same => &to.core,
            Source::Other { record, entered, .. } => entered.last().unwrap_or(record),
        };
        let moved = move_between(field, (from, self.open), (&to.core, &mut to.state), claim, token);
        moved.inspect_err(|error| self.open.note_failed_field(error))
    }
}

impl TokenChange for Move<'_> {
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<Token, Error> {
        self.moved(field, token, Claim::Token)
    }

    fn container(&mut self, field: FieldId) -> Result<(), Error> {
        let to = self.parts.last_mut().unwrap_or(&mut self.record);
        to.state.claim(field).map_err(|error| to.core.located(field, error))
    }

    fn element(&mut self, field: &'static Declaration, token: &Token) -> Result<Token, Error> {
        self.moved(field, token, Claim::List)
    }

    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        let around = self.parts.last().unwrap_or(&self.record);
        let core = Arc::new(self.sealing.part(&around.core, name, id)?);
        if let Source::Other { entered, to_come, .. } = &mut self.from {
            let part = to_come.pop_front();
            entered.push(part.ok_or_else(|| other_parts().in_record(around.core.context().record_type()))?);
        }
        let state = self.sealing.state(&core)?;
        self.parts.push(Place { core, state });
        Ok(())
    }

    fn leave(&mut self) {
        self.parts.pop();
        if let Source::Other { entered, .. } = &mut self.from {
            entered.pop();
        }
    }
}

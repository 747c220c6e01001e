//! What a row has of an index.

use super::declared::Index;
use super::definition::Definition;
use super::forms::Forms;
use super::owner::{Owner, SlotOwner};
use super::prepared::{Prepared, PreparedIndex};
use super::stored::StoredIndex;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Reason};
use crate::key::Keys;
use crate::record::RecordCore;

/// As a part of sealing the record.
pub(crate) fn stored_in<I: Index>(core: &RecordCore, plain: &I::Record) -> Result<I::Stored, Error> {
    if !I::CLASSES.iter().all(|class| core.allows(*class)) {
        return Err(located::<I>(ErrorKind::ClassLocked.into(), core.context()));
    }
    stored::<I>(&core.shared().keys, core.context(), plain)
}

/// As it is stored from now on. The caller has checked that it may use the fields of the index.
pub(super) fn stored<I: Index>(keys: &Keys, context: &Context, plain: &I::Record) -> Result<I::Stored, Error> {
    let computed = || {
        check_type::<I>(context)?;
        computed::<I>(PreparedIndex::<I>::of(keys)?.current()?, context, plain)
    };
    computed().map_err(|error| located::<I>(error, context))
}

/// Whether a stored value is that of the record (FORMAT 15.12).
pub(super) fn verify<I: Index>(
    keys: &Keys,
    context: &Context,
    plain: &I::Record,
    stored: &I::Stored,
) -> Result<(), Error> {
    let verified = || {
        check_type::<I>(context)?;
        let index = PreparedIndex::<I>::of(keys)?;
        let made_with = match stored.values().first() {
            Some(value) => index.of_prefix(value.prefix())?,
            None => index.current()?,
        };
        if computed::<I>(made_with, context, plain)? == *stored { Ok(()) } else { Err(ErrorKind::IndexStale.into()) }
    };
    verified().map_err(|error| located::<I>(error, context))
}

/// FORMAT 15.1
fn check_type<I: Index>(context: &Context) -> Result<(), Error> {
    let is_same = context.record_type() == I::DEFINITION.record_type();
    if is_same { Ok(()) } else { Err(ErrorKind::IndexMismatch.into()) }
}

fn computed<I: Index>(prepared: &Prepared, context: &Context, plain: &I::Record) -> Result<I::Stored, Error> {
    let definition = &prepared.definition;
    let mut forms = Forms::of_record(definition);
    I::forms(plain, definition, &mut forms)?;
    if forms.is_empty() {
        return Ok(I::Stored::default());
    }
    with_owner::<I, _>(definition, context, plain, |owner| {
        I::Stored::of_values(forms.framed().map(|framed| {
            let slot = owner.map_or(0, |owner| prepared.slot(owner, prepared.slots_of(framed)));
            prepared.value(slot, framed)
        }))
    })
}

/// Runs `work` with the owner of the slots, if there are slots (FORMAT 15.7).
fn with_owner<I: Index, T>(
    definition: &Definition,
    context: &Context,
    plain: &I::Record,
    work: impl FnOnce(Option<Owner<'_>>) -> T,
) -> Result<T, Error> {
    let Some(declared) = definition.slot_owner() else { return Ok(work(None)) };
    if let Some(id) = context.subject_id() {
        return Ok(work(Some(Owner { kind: "subject", id })));
    }
    // A record that was made without its subject, such as `indexer.record(..)`: the person has no second slot for that.
    if let Some(subject) = I::subject(plain) {
        let id = subject.parse("subject id")?;
        return Ok(work(Some(Owner { kind: "subject", id })));
    }
    match declared {
        SlotOwner::Record => {
            let id = context
                .record_id()
                .filter(|_| context.is_bound())
                .ok_or_else(|| ErrorKind::IndexOwnerMissing.because(NO_RECORD))?;
            Ok(work(Some(Owner { kind: "record", id })))
        }
        SlotOwner::Person => {
            let person = I::person(plain).ok_or_else(|| ErrorKind::IndexOwnerMissing.because(NO_PERSON))?;
            let id = person.parse("person id")?;
            Ok(work(Some(Owner { kind: "person", id })))
        }
    }
}

const NO_RECORD: Reason = "the slots are declared `by record`, and an unbound or wide record is nobody's; take `keys.record(..)`, or declare \
    them `by` the field that names the person";
const NO_PERSON: Reason = "the slots are the person's whom `Index::person` names, and it names nobody for this record";

#[cold]
fn located<I: Index>(error: Error, context: &Context) -> Error {
    error.of_index(I::DEFINITION.id()).in_record(context.record_type())
}

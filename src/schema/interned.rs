//! Names and lists of former ids that are read from a file. A program has them as constants, so these are kept for as long as it runs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Reason};
use crate::id::{Class, FieldId, Name};

/// How many different names, and how many different lists, a process keeps.
const MAX: usize = 4096;

type Former = &'static [(FieldId, Class)];

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
static LISTS: Mutex<BTreeSet<Former>> = Mutex::new(BTreeSet::new());

pub(super) fn field_id(id: &str) -> Result<FieldId, Error> {
    Name::check("field id", id)?;
    FieldId::parse(name(id)?)
}

pub(super) fn class(id: &str) -> Result<Class, Error> {
    Name::check("class id", id)?;
    Class::parse(name(id)?)
}

pub(super) fn former(list: Vec<(FieldId, Class)>) -> Result<Former, Error> {
    if list.is_empty() {
        return Ok(&[]);
    }
    kept(&LISTS, list.as_slice(), || Box::leak(list.clone().into_boxed_slice()))
}

fn name(text: &str) -> Result<&'static str, Error> {
    kept(&NAMES, text, || Box::leak(Box::from(text)))
}

/// The one that is kept already, or a new one.
fn kept<T: Ord + ?Sized>(
    known: &Mutex<BTreeSet<&'static T>>,
    wanted: &T,
    keep: impl FnOnce() -> &'static T,
) -> Result<&'static T, Error> {
    const FULL: Reason = "this program has read 4,096 different ids, and keeps no more";
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = known.get(wanted) {
        return Ok(*kept);
    }
    if known.len() >= MAX {
        return Err(ErrorKind::InvalidSchema.because(FULL));
    }
    let kept = keep();
    known.insert(kept);
    Ok(kept)
}

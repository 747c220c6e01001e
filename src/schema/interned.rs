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

pub(super) fn former(list: &[(FieldId, Class)]) -> Result<Former, Error> {
    if list.is_empty() { Ok(&[]) } else { kept(&LISTS, list) }
}

fn name(text: &str) -> Result<&'static str, Error> {
    kept(&NAMES, text)
}

/// The one that is kept already, or a new one.
fn kept<T: Ord + ?Sized>(known: &Mutex<BTreeSet<&'static T>>, wanted: &T) -> Result<&'static T, Error>
where
    Box<T>: for<'w> From<&'w T>,
{
    const FULL: Reason = "this program has read 4,096 different ids, and keeps no more";
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = known.get(wanted) {
        return Ok(*kept);
    }
    if known.len() >= MAX {
        return Err(ErrorKind::InvalidSchema.because(FULL));
    }
    #[expect(clippy::disallowed_methods, reason = "an id is no secret, and is a constant everywhere else")]
    let kept: &'static T = Box::leak(Box::from(wanted));
    known.insert(kept);
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_is_kept_once() {
        let [one, again] = ["interned.one"; 2].map(|id| field_id(id).unwrap());
        assert!(std::ptr::eq(one.as_str(), again.as_str()));
        assert_eq!(field_id("Not a name").unwrap_err().code().as_str(), "invalid-id");
        let pairs = [(one, Class::IDENTITY)];
        assert!(std::ptr::eq(former(&pairs).unwrap(), former(&pairs).unwrap()));
    }

    #[test]
    fn no_more_is_kept_than_a_program_has() {
        let few: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let known: Vec<String> = (0..MAX).map(|at| format!("id.{at}")).collect();
        assert!(known.iter().all(|id| kept(&few, id.as_str()).is_ok()));
        assert_eq!(kept(&few, "id.4096").unwrap_err().code().as_str(), "invalid-schema");
        assert!(kept(&few, "id.7").is_ok());
    }
}

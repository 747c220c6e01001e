//! Whether what is sealed can be read back as its type. Debug builds check it at every sealing: a type whose `Serialize` and
//! `Deserialize` do not fit each other would show it at the first opening, months later.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind};
use crate::field::Declaration;
use crate::payload::{self, Content, Limits, PayloadPlace, Plaintext, Value};
use crate::scratch;

/// Refuses a value that does not come back as what it was.
pub(super) fn check<T: Serialize + DeserializeOwned>(
    field: &Declaration,
    value: &(impl Serialize + ?Sized),
) -> Result<(), Error> {
    let limits = Limits::of(field);
    with_payload(limits, &Value(value), |before| {
        let read: T = payload::decode(before).map_err(|_| ErrorKind::NotReadBack)?;
        with_payload(limits, &Value(&read), |after| compare(before, after))
    })
}

fn compare(before: Content<'_>, after: Content<'_>) -> Result<(), Error> {
    let same = match (before, after) {
        (Content::Bytes(before), Content::Bytes(after)) => before == after,
        (Content::Text(before), Content::Text(after)) => before == after,
        (Content::Json(before), Content::Json(after)) => before == after || is_same_json(before, after),
        _ => false,
    };
    if same { Ok(()) } else { Err(ErrorKind::NotReadBack.into()) }
}

fn with_payload(
    limits: Limits,
    value: &dyn Plaintext,
    work: impl FnOnce(Content<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    scratch::with(|buffer| {
        let place = PayloadPlace { limits, head: 0, tail: 0 };
        value.write_payload(place, buffer.vec())?;
        work(payload::content(buffer.vec())?)
    })
}

/// Whether both are one value, whatever the order of members and elements: sets and maps are written in any order.
fn is_same_json(before: &str, after: &str) -> bool {
    let read = |text| serde_json::from_str::<Json>(text).unwrap_or_default();
    let (before, after) = (read(before), read(after));
    let same = is_same(&before, &after);
    wipe(before);
    wipe(after);
    same
}

fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Array(one), Json::Array(other)) => one.len() == other.len() && has_each(other, one),
        (Json::Object(one), Json::Object(other)) => {
            let has = |(name, value)| other.get(name).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// Whether each of `elements` is in `list`, as often as it comes.
fn has_each(list: &[Json], elements: &[Json]) -> bool {
    let mut left: Vec<&Json> = list.iter().collect();
    elements.iter().all(|element| {
        let at = left.iter().position(|other| is_same(element, other));
        at.map(|at| left.swap_remove(at)).is_some()
    })
}

fn wipe(value: Json) {
    match value {
        Json::String(mut text) => text.zeroize(),
        Json::Array(list) => list.into_iter().for_each(wipe),
        Json::Object(members) => {
            for (mut name, value) in members {
                name.zeroize();
                wipe(value);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

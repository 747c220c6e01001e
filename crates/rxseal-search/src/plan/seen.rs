//! What the planner keeps of a sample: how often each normal form was seen. A form itself is kept only as a digest under a random key,
//! until it has been seen often enough to be in a slot table.

use std::collections::HashMap;
use std::hash::Hasher as _;

use rxseal::Error;
use rxseal::index::Forms;
use rxseal::provider::fill_random;
use zeroize::Zeroizing;

use super::number::{count, position};
use super::population::Form;

/// A form that was seen less often never enters a slot table: rows would be recognised by it.
pub(super) const ENOUGH_ROWS: u32 = 50;

/// The sample of one index.
pub(super) struct Seen {
    /// Without it, a digest says nothing of a form.
    key: Zeroizing<[u8; 16]>,
    ids: HashMap<u64, u32>,
    forms: Vec<Form>,
    /// The texts of the forms that were seen often enough, with their ids.
    common: Vec<(Zeroizing<String>, u32)>,
    /// The ids of the forms of all records, and how many each record has.
    values: Vec<u32>,
    lengths: Vec<u8>,
    nulls: u64,
    refused: u64,
}

impl Seen {
    pub(super) fn new() -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 16]);
        fill_random(key.as_mut())?;
        Ok(Self {
            key,
            ids: HashMap::new(),
            forms: Vec::new(),
            common: Vec::new(),
            values: Vec::new(),
            lengths: Vec::new(),
            nulls: 0,
            refused: 0,
        })
    }

    /// One record more. `slots` says how many slots a form has.
    pub(super) fn add(&mut self, written: Result<&Forms, &Error>, slots: impl Fn(&[u8]) -> u16) {
        let Ok(forms) = written else {
            self.refused = self.refused.saturating_add(1);
            self.lengths.push(0);
            return;
        };
        if forms.is_empty() {
            self.nulls = self.nulls.saturating_add(1);
        }
        let before = self.values.len();
        for components in forms.expose_values() {
            let components: Vec<&[u8]> = components.collect();
            let id = self.id(&components, &slots);
            // A record has each value once.
            if !self.values.get(before..).is_some_and(|own| own.contains(&id)) {
                self.values.push(id);
                self.see(id, &components);
            }
        }
        self.lengths.push(u8::try_from(self.values.len().saturating_sub(before)).unwrap_or(u8::MAX));
    }

    /// Each form, with the number of times that it was seen.
    pub(super) fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The forms that were seen often enough for a slot table, with that number.
    pub(super) fn expose_common(&self) -> impl Iterator<Item = (&str, u32)> {
        self.common.iter().map(|(form, id)| (form.as_str(), self.times(*id)))
    }

    /// The ids of the forms of each record.
    pub(super) fn records(&self) -> impl Iterator<Item = &[u32]> {
        let mut rest = self.values.as_slice();
        self.lengths.iter().map(move |length| {
            let (own, after) = rest.split_at_checked(usize::from(*length)).unwrap_or((rest, &[]));
            rest = after;
            own
        })
    }

    /// How many forms the records have altogether.
    pub(super) fn total(&self) -> u64 {
        count(self.values.len())
    }

    /// Records without a form.
    pub(super) fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Records whose form was refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    fn id(&mut self, components: &[&[u8]], slots: impl Fn(&[u8]) -> u16) -> u32 {
        let next = u32::try_from(self.forms.len()).unwrap_or(u32::MAX);
        let id = *self.ids.entry(digest(&self.key, components)).or_insert(next);
        if id == next {
            let slots = slots(components.first().copied().unwrap_or_default());
            self.forms.push(Form { rows: 0, slots });
        }
        id
    }

    fn see(&mut self, id: u32, components: &[&[u8]]) {
        let Some(form) = self.forms.get_mut(position(id)) else { return };
        form.rows = form.rows.saturating_add(1);
        if let (ENOUGH_ROWS, [only]) = (form.rows, components)
            && let Ok(text) = str::from_utf8(only)
        {
            self.common.push((Zeroizing::new(text.to_owned()), id));
        }
    }

    fn times(&self, id: u32) -> u32 {
        self.forms.get(position(id)).map_or(0, |form| form.rows)
    }
}

/// SipHash-2-4 of the components, each with its length before it.
#[expect(deprecated, reason = "the one keyed hash of the standard library whose key can be wiped")]
fn digest(key: &[u8; 16], components: &[&[u8]]) -> u64 {
    let [left, right] = [0, 8].map(|at| {
        let half = key.get(at..).and_then(|half| half.first_chunk());
        u64::from_le_bytes(half.copied().unwrap_or_default())
    });
    let mut hasher = std::hash::SipHasher::new_with_keys(left, right);
    for component in components {
        hasher.write_u64(count(component.len()));
        hasher.write(component);
    }
    hasher.finish()
}

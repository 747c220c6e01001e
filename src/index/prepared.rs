//! An index under the index roots of a keyring: what is made once, and what makes values.

use std::any::Any;
use std::marker::PhantomData;

use super::declared::{Index, check_index};
use super::definition::Definition;
use super::forms::{FIRST_TAG, Forms};
use super::owner::Owner;
use super::value::{IndexValue, PREFIX_LEN};
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, HEAD, domain, part_head};
use crate::error::{Error, ErrorKind};
use crate::kdf::PreparedHmac;
use crate::key::{IndexRoot, KeyState, Keys, prefix_under};
use crate::secret::SecretBytes;

// What follows on part 1 of the messages and is the same in all of them. With it the first block of SHA-256 is full, so it is computed
// once for all values.
/// Before the 2 bytes of a slot (FORMAT 15.5).
const SLOT_HEAD: [u8; HEAD] = [2, 0, 0, 0, 2];
/// Before the length of the first component, if there is no slot.
const COMPONENT_HEAD: [u8; 1] = [FIRST_TAG];
/// Before the last byte of the length of the owner's kind (FORMAT 15.7), which is a short word.
const OWNER_HEAD: [u8; 4] = [2, 0, 0, 0];

/// All definitions of an index under all index roots: the present definition first, and each under one root after the other.
pub(super) struct PreparedIndex<I> {
    all: Vec<Prepared>,
    roots: usize,
    index: PhantomData<fn() -> I>,
}

impl<I: Index> PreparedIndex<I> {
    /// That of a keyring, which is made when it is first needed.
    pub(super) fn of(keys: &Keys) -> Result<&Self, Error>
    where
        Self: Any,
    {
        const { check_index::<I>() };
        keys.made().get_or_make(|| Self::make(keys)).map_err(|error| error.of_index(I::DEFINITION.id()))
    }

    fn make(keys: &Keys) -> Result<Self, Error> {
        let (backend, keyspace) = (keys.backend(), keys.keyspace().as_str());
        let index_keys =
            keys.index_roots().map(|root| Ok((root, root.index_key(backend, keyspace, I::DEFINITION.id())?)));
        let index_keys = index_keys.collect::<Result<Vec<_>, Error>>()?;
        if index_keys.is_empty() {
            return Err(ErrorKind::IndexRootsMissing.into());
        }
        let mut all: Vec<Prepared> =
            Vec::with_capacity(index_keys.len().saturating_mul(I::FORMER.len().saturating_add(1)));
        for (definition, is_present) in
            std::iter::once((&I::DEFINITION, true)).chain(I::FORMER.iter().map(|old| (old, false)))
        {
            let digest = definition.digest(backend);
            for (root, key) in &index_keys {
                let mut prepared = Prepared::new(backend, root, key, definition, &digest)?;
                prepared.is_current &= is_present;
                add(&mut all, prepared)?;
            }
        }
        Ok(Self { all, roots: index_keys.len(), index: PhantomData })
    }

    /// What new values are made with.
    pub(super) fn current(&self) -> Result<&Prepared, Error> {
        self.all.iter().find(|prepared| prepared.is_current).ok_or_else(|| ErrorKind::IndexRootsMissing.into())
    }

    /// What a value of this prefix was made with.
    pub(super) fn of_prefix(&self, prefix: [u8; PREFIX_LEN]) -> Result<&Prepared, Error> {
        self.all.iter().find(|prepared| prepared.prefix == prefix).ok_or_else(|| ErrorKind::IndexUnreadable.into())
    }

    /// Each definition under all roots, the present one first.
    pub(super) fn by_definition(&self) -> impl Iterator<Item = &[Prepared]> {
        self.all.chunks(self.roots.max(1))
    }
}

/// FORMAT 15.11
fn add(all: &mut Vec<Prepared>, prepared: Prepared) -> Result<(), Error> {
    if all.iter().any(|other| other.prefix == prepared.prefix) {
        return Err(ErrorKind::IndexPrefixCollision.into());
    }
    all.push(prepared);
    Ok(())
}

/// A definition under an index root.
pub(super) struct Prepared {
    pub(super) definition: Definition,
    pub(super) prefix: [u8; PREFIX_LEN],
    /// Whether new values are made with it.
    pub(super) is_current: bool,
    values: PreparedHmac,
    slots: Option<PreparedHmac>,
}

impl Prepared {
    pub(super) fn new(
        backend: Backend,
        root: &IndexRoot,
        key: &SecretBytes<32>,
        definition: &Definition,
        digest: &[u8; 32],
    ) -> Result<Self, Error> {
        // The messages of FORMAT 15.5 and 15.7, as far as they are the same for all records.
        let begun = |domain, next: &[u8]| {
            let mut head = Vec::new();
            FrameWriter::new(domain, &mut head).part(1, digest);
            head.extend_from_slice(next);
            PreparedHmac::new(backend, key, &head)
        };
        let has_slots = definition.slots().is_some();
        Ok(Self {
            definition: *definition,
            prefix: prefix_under(backend, key, digest)?,
            is_current: root.primary && root.state == KeyState::Active,
            values: begun(domain::INDEX_VALUE, if has_slots { &SLOT_HEAD } else { &COMPONENT_HEAD }),
            slots: has_slots.then(|| begun(domain::INDEX_SLOT, &OWNER_HEAD)),
        })
    }

    /// The slot of `owner` among `slots` (FORMAT 15.7).
    pub(super) fn slot(&self, owner: Owner<'_>, slots: u16) -> u16 {
        let Some(hmac) = self.slots.as_ref().filter(|_| slots > 1) else { return 0 };
        let (kind, id) = (owner.kind.as_bytes(), owner.id.as_bytes());
        let [.., kind_len] = part_head(2, kind.len());
        let mac = hmac.mac(&[&[kind_len], kind, &part_head(3, id.len()), id]);
        let [a, b, c, d, e, f, g, h, ..] = mac;
        let drawn = u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        let slot = drawn.saturating_mul(u128::from(slots)) >> 64;
        u16::try_from(slot).unwrap_or_default()
    }

    /// The value of a normal form, as [`Forms`] frames it (FORMAT 15.5). The slot counts if the definition has slots.
    pub(super) fn value<I>(&self, slot: u16, framed: &[u8]) -> IndexValue<I> {
        let mac = match self.slots {
            Some(_) => self.values.mac(&[&slot.to_be_bytes(), framed]),
            None => self.values.mac(&[framed.get(COMPONENT_HEAD.len()..).unwrap_or_default()]),
        };
        IndexValue::of_mac(self.prefix, &mac, self.definition.bits())
    }

    /// How many slots a normal form has: one if the definition has none.
    pub(super) fn slots_of(&self, framed: &[u8]) -> u16 {
        self.definition.slots().map_or(1, |table| table.slots(Forms::only_form(framed)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, SlotOwner, SlotTable};
    use super::*;
    use crate::id::KeyId;
    use crate::key::{KeyInfo, KeyState, KeyUse};

    static TEST: SlotTable = SlotTable::new("test/1", &[("obrien", 16)]);

    fn root_of(secret: [u8; 32]) -> IndexRoot {
        let (id, fingerprint, usage, state) = (KeyId::from_bytes([0; 6]), [0; 32], KeyUse::Index, KeyState::Active);
        let info = KeyInfo { id, fingerprint, usage, state, primary: true, suite: None, created: 0, changed: 0 };
        IndexRoot::new(&info, SecretBytes::copy_of(&secret))
    }

    fn prepared(definition: &Definition, backend: Backend) -> Prepared {
        let root = root_of(std::array::from_fn(|at| u8::try_from(at).unwrap()));
        let key = root.index_key(backend, "pharmacy-17", definition.id()).unwrap();
        Prepared::new(backend, &root, &key, definition, &definition.digest(backend)).unwrap()
    }

    fn value(prepared: &Prepared, slot: u16, form: &[u8]) -> String {
        let mut forms = Forms::of_record(&prepared.definition);
        forms.push(&[form]).unwrap();
        prepared.value::<()>(slot, forms.framed().next().unwrap()).to_string()
    }

    /// T62: a value is the beginning of an HMAC under a key of its own, and nothing else. tests/vectors has many.
    #[test]
    fn worked_values() {
        for backend in Backend::ALL {
            let born = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
            assert_eq!(value(&prepared(&born, *backend), 0, b"1970-01-31"), "wLgfnGw");

            let last = Definition::new("patient", "patient.last", Kind::Whole, 14, &["family/1"]);
            let last = prepared(&last.with_slots(&TEST, SlotOwner::Record), *backend);
            let slot = last.slot(Owner { kind: "record", id: "P-1001" }, TEST.slots(b"obrien"));
            assert_eq!((slot, value(&last, slot, b"obrien").as_str()), (8, "AWm7VtQ"));
        }
    }

    #[test]
    fn two_alike_prefixes_are_refused() {
        let born = |bits| {
            let definition = Definition::new("patient", "patient.born", Kind::Whole, bits, &["date/1"]);
            prepared(&definition, Backend::RustCrypto)
        };
        let mut all = Vec::new();
        add(&mut all, born(14)).unwrap();
        add(&mut all, born(15)).unwrap();
        assert_eq!(add(&mut all, born(14)).unwrap_err().code().as_str(), "index-prefix-collision");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn heads_fill_a_block() {
        let head = |domain: &'static str, next: &[u8]| {
            let mut head = Vec::new();
            FrameWriter::new(domain, &mut head).part(1, &[0; 32]);
            head.len() + next.len()
        };
        assert_eq!(head(domain::INDEX_VALUE, &COMPONENT_HEAD), 64);
        assert_eq!(head(domain::INDEX_VALUE, &SLOT_HEAD), 68);
        assert_eq!(head(domain::INDEX_SLOT, &OWNER_HEAD), 66);
    }
}

//! An index under one index root: its key, and what follows from it and a definition.

use super::definition::Definition;
use super::owner::Owner;
use super::value::{IndexValue, PREFIX_LEN};
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::error::Error;
use crate::id::KeyId;
use crate::kdf;
use crate::key::{IndexRoot, KeyState};
use crate::secret::{PlainBuffer, SecretBytes};

/// A definition under a root.
pub(super) struct Prepared {
    pub(super) root: KeyId,
    pub(super) state: KeyState,
    pub(super) definition: Definition,
    pub(super) prefix: [u8; PREFIX_LEN],
    /// Whether new values are made with it.
    pub(super) is_current: bool,
    backend: Backend,
    key: SecretBytes<32>,
    digest: [u8; 32],
}

impl Prepared {
    pub(super) fn new(
        backend: Backend,
        keyspace: &str,
        root: &IndexRoot,
        definition: &Definition,
    ) -> Result<Self, Error> {
        let key = root.index_key(backend, keyspace, definition.id())?;
        let digest = definition.digest(backend);
        // FORMAT 15.4
        let mut message = Vec::new();
        FrameWriter::new(domain::INDEX_PREFIX, &mut message).part(1, &digest);
        let [a, b, c, ..] = kdf::hmac_sha256(backend, &key, &message)?;
        let (root, state) = (root.id, root.state);
        Ok(Self { root, state, definition: *definition, prefix: [a, b, c], is_current: false, backend, key, digest })
    }

    /// The slot of `owner` among `slots` (FORMAT 15.7).
    pub(super) fn slot(&self, owner: Owner<'_>, slots: u16) -> Result<u16, Error> {
        let mut message = PlainBuffer::default();
        FrameWriter::new(domain::INDEX_SLOT, message.vec())
            .part(1, &self.digest)
            .part(2, owner.kind.as_bytes())
            .part(3, owner.id.as_bytes());
        let mac = kdf::hmac_sha256(self.backend, &self.key, message.as_slice())?;
        let [a, b, c, d, e, f, g, h, ..] = mac;
        let drawn = u128::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
        let slot = drawn.saturating_mul(u128::from(slots)) >> 64;
        Ok(u16::try_from(slot).unwrap_or_default())
    }

    /// The value of a normal form, in a slot if the definition has slots (FORMAT 15.5).
    pub(super) fn value<'f, I>(
        &self,
        slot: Option<u16>,
        components: impl Iterator<Item = &'f [u8]>,
    ) -> Result<IndexValue<I>, Error> {
        let mut message = PlainBuffer::default();
        let slot = slot.map(u16::to_be_bytes);
        let mut frame = FrameWriter::new(domain::INDEX_VALUE, message.vec())
            .part(1, &self.digest)
            .optional_part(2, slot.as_ref().map(<[u8; 2]>::as_slice));
        for (tag, form) in (8..).zip(components) {
            frame = frame.part(tag, form);
        }
        let mac = kdf::hmac_sha256(self.backend, &self.key, message.as_slice())?;
        Ok(IndexValue::of_mac(self.prefix, &mac, self.definition.bits()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, SlotOwner, SlotTable};
    use super::*;
    use crate::key::{KeyInfo, KeyUse};

    static TEST: SlotTable = SlotTable::new("test/1", &[("obrien", 16)]);

    fn prepared(definition: &Definition) -> Prepared {
        let (id, fingerprint, usage, state) = (KeyId::from_bytes([0; 6]), [0; 32], KeyUse::Index, KeyState::Active);
        let info = KeyInfo { id, fingerprint, usage, state, primary: true, suite: None, created: 0, changed: 0 };
        let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let root = IndexRoot::new(&info, SecretBytes::copy_of(&secret));
        Prepared::new(Backend::RustCrypto, "pharmacy-17", &root, definition).unwrap()
    }

    #[test]
    fn worked_values() {
        let born = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
        let value: IndexValue<()> = prepared(&born).value(None, [b"1970-01-31".as_slice()].into_iter()).unwrap();
        assert_eq!(value.to_string(), "wLgfnGw");

        let last = Definition::new("patient", "patient.last", Kind::Whole, 14, &["family/1"]);
        let last = prepared(&last.with_slots(&TEST, SlotOwner::Record));
        let slot = last.slot(Owner { kind: "record", id: "P-1001" }, TEST.slots(b"obrien")).unwrap();
        let value: IndexValue<()> = last.value(Some(slot), [b"obrien".as_slice()].into_iter()).unwrap();
        assert_eq!((slot, value.to_string().as_str()), (8, "AWm7VtQ"));
    }
}

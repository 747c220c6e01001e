//! Making and verifying tags.

use std::collections::BTreeMap;
use std::iter;

use subtle::{Choice, ConstantTimeEq};

use super::cover::{Cover, Kind};
use super::message::Message;
use super::{HEAD_LEN, MAC_LEN, MAX_VERSION, RecordTag};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::id::{Class, FieldId, KeyId};
use crate::key::{Dek, Keys};
use crate::scratch;
use crate::secret::reserve_wiping;
use crate::token::{RECORD_TAG_LEN, RECORD_TAG_MAGIC};

/// FORMAT 14.11: how many spellings of a record's ids are tried.
const MAX_SPELLINGS: usize = 256;

/// The tag of `cover` in `context`, of the version after `former`'s, under the primary key. `number` is the cover number of the type.
pub(crate) fn tag_record(
    keys: &Keys,
    context: &Context,
    cover: &mut Cover,
    number: u8,
    former: &RecordTag,
) -> Result<RecordTag, Error> {
    let dek = keys.primary();
    let version = former.version().checked_add(1).filter(|version| *version <= MAX_VERSION);
    let number = number.max(cover.highest());
    cover.sort()?;
    let version = version.ok_or(ErrorKind::VersionSpent)?;
    let head = head(dek.id, number, version);
    let mac = mac(keys, dek, &head, context, cover, number)?;
    let mut bytes = [0; RECORD_TAG_LEN];
    if let Some((first, rest)) = bytes.split_first_chunk_mut()
        && let Some(last) = rest.first_chunk_mut()
    {
        (*first, *last) = (head, mac);
    }
    Ok(RecordTag(Some(bytes)))
}

/// Verifies that `tag` is the tag of `cover` in `context`, or in one of `former`, which have former record types (FORMAT 14.10 to
/// 14.12). `number` is the cover number of the type.
pub(crate) fn verify_record(
    keys: &Keys,
    context: &Context,
    cover: &mut Cover,
    number: u8,
    tag: &RecordTag,
    former: &[Context],
) -> Result<(), Error> {
    let dek = keys.find(tag.key_id().ok_or(ErrorKind::TagMissing)?)?;
    dek.check_opens()?;
    let claim = Claim { keys, dek, tag };
    // FORMAT 14.9
    if tag.cover() > number.max(cover.highest()) {
        return Err(Error::from(ErrorKind::CoverUnknown).with_key(dek.id));
    }
    cover.sort()?;
    if claim.holds(context, cover)? || claim.held(context, former, cover)? {
        return Ok(());
    }
    Err(Error::from(ErrorKind::TagRefused).with_key(dek.id))
}

/// What a tag says under one key.
struct Claim<'a> {
    keys: &'a Keys,
    dek: &'a Dek,
    tag: &'a RecordTag,
}

impl Claim<'_> {
    /// Whether this is the tag of `cover`, as it is spelled and sorted, in `context`.
    fn holds(&self, context: &Context, cover: &Cover) -> Result<bool, Error> {
        let (head, found) = self.tag.bytes()?.split_first_chunk().ok_or(ErrorKind::NotATag)?;
        let expected = mac(self.keys, self.dek, head, context, cover, self.tag.cover())?;
        Ok(is_same_mac(&expected, found))
    }

    /// The same with the former record types, and with every other spelling of the ids of fields that have former ones.
    #[cold]
    #[inline(never)]
    fn held(&self, context: &Context, former: &[Context], cover: &mut Cover) -> Result<bool, Error> {
        let mut fields = BTreeMap::new();
        for element in cover.elements().iter().filter(|element| element.kind == Kind::Sealed) {
            fields.entry(element.declared).or_insert_with(|| Spellings::of(element.declared, element.former));
        }
        let mut left = MAX_SPELLINGS;
        loop {
            for context in iter::once(context).chain(former) {
                left = left.saturating_sub(1);
                if self.holds(context, cover)? {
                    return Ok(true);
                }
            }
            if left == 0 || !fields.values_mut().any(Spellings::advance) {
                return Ok(false);
            }
            for element in cover.elements_mut().iter_mut().filter(|element| element.kind == Kind::Sealed) {
                element.id = fields.get(element.declared).map_or(element.declared, Spellings::now);
            }
            cover.sort()?;
        }
    }
}

/// The ids under which a field was covered, and the one that is tried now. All of them together count like a number's digits.
struct Spellings {
    ids: Vec<&'static str>,
    at: usize,
}

impl Spellings {
    fn of(declared: &'static str, former: &[(FieldId, Class)]) -> Self {
        let mut ids = vec![declared];
        for (id, _) in former {
            // A field that only changed its class kept its id.
            if !ids.contains(&id.as_str()) {
                ids.push(id.as_str());
            }
        }
        Self { ids, at: 0 }
    }

    fn now(&self) -> &'static str {
        self.ids.get(self.at).copied().unwrap_or_default()
    }

    /// The next id; `false` if it is the first one again.
    fn advance(&mut self) -> bool {
        self.at = self.at.saturating_add(1);
        let more = self.at < self.ids.len();
        if !more {
            self.at = 0;
        }
        more
    }
}

/// The bytes before the HMAC (FORMAT 14.1).
fn head(key_id: KeyId, cover: u8, version: u64) -> [u8; HEAD_LEN] {
    let [m0, m1, m2] = RECORD_TAG_MAGIC;
    let [k0, k1, k2, k3, k4, k5] = *key_id.as_bytes();
    let [_, _, v0, v1, v2, v3, v4, v5] = version.to_be_bytes();
    [m0, m1, m2, k0, k1, k2, k3, k4, k5, cover, v0, v1, v2, v3, v4, v5]
}

/// Compares in a time that does not depend on where they differ (FORMAT 14.12). By words: `subtle` compares a slice byte by byte.
fn is_same_mac(expected: &[u8; MAC_LEN], found: &[u8]) -> bool {
    let Ok(found) = <&[u8; MAC_LEN]>::try_from(found) else { return false };
    let words = expected.as_chunks::<8>().0.iter().zip(found.as_chunks().0);
    let same = words.map(|(a, b)| u64::from_ne_bytes(*a).ct_eq(&u64::from_ne_bytes(*b)));
    same.fold(Choice::from(1), |all, same| all & same).into()
}

/// FORMAT 14.3
fn mac(
    keys: &Keys,
    dek: &Dek,
    head: &[u8; HEAD_LEN],
    context: &Context,
    cover: &Cover,
    number: u8,
) -> Result<[u8; MAC_LEN], Error> {
    let hmac = dek.record_hmac(keys.keyspace().as_str())?;
    let (message, digest) = (Message::of(cover, number)?, context.context_digest());
    // In one piece: the compression of many blocks at once is faster than of one block after the other.
    scratch::with(|buffer| {
        let out = buffer.vec();
        reserve_wiping(out, message.len());
        message.write(head, &digest, out);
        Ok(hmac.mac(&[out]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::Keyring;
    use crate::record::RecordCore;
    use crate::testing::insecure_keyring;
    use crate::token::Token;

    const DRUG: FieldId = FieldId::new("rx.drug");
    const NAME: FieldId = FieldId::new("patient.name");
    const STATUS: FieldId = FieldId::new("rx.status");

    fn keyring() -> Keyring {
        insecure_keyring("clinic-7").unwrap().unobserved()
    }

    /// Tokens whose bytes are nobody's: a tag covers whatever is there.
    fn token(byte: u8) -> Token {
        let mut bytes = vec![byte; 60];
        bytes[..3].copy_from_slice(&[0xAF, 0x1B, 0x17]);
        Token::try_from(bytes).unwrap()
    }

    fn cover(parts: &[(FieldId, u8)]) -> Cover {
        let mut cover = Cover::default();
        for (id, byte) in parts {
            cover.sealed(*id, &[], &token(*byte));
        }
        cover.clear(STATUS, "active");
        cover
    }

    struct Case {
        core: RecordCore,
    }

    impl Case {
        fn of(keys: &Keyring, record_id: &str) -> Self {
            Self { core: RecordCore::bound(keys.shares(), "prescription", &record_id.into()).unwrap() }
        }

        fn tag(&self, cover: &mut Cover, number: u8, former: &RecordTag) -> Result<RecordTag, Error> {
            tag_record(&self.core.shared().keys, self.core.context(), cover, number, former)
        }

        fn verify(&self, cover: &mut Cover, number: u8, tag: &RecordTag) -> Result<(), &'static str> {
            verify_record(&self.core.shared().keys, self.core.context(), cover, number, tag, self.core.former())
                .map_err(|error| error.code().as_str())
        }
    }

    #[test]
    fn a_tag_is_of_its_record_as_it_is() {
        let keys = keyring();
        let (case, other) = (Case::of(&keys, "1"), Case::of(&keys, "2"));
        let both = || cover(&[(NAME, 1), (DRUG, 2)]);
        let tag = case.tag(&mut both(), 1, &RecordTag::new()).unwrap();
        assert_eq!((tag.version(), tag.cover(), tag.key_id()), (1, 1, Some(keys.primary_key())));
        assert_eq!(case.verify(&mut both(), 1, &tag), Ok(()));
        assert_eq!(case.verify(&mut cover(&[(DRUG, 2), (NAME, 1)]), 1, &tag), Ok(()), "in any order of the fields");
        let refused = Err("tag-refused");
        assert_eq!(other.verify(&mut both(), 1, &tag), refused, "another record");
        for changed in [
            &[(NAME, 2), (DRUG, 1)][..],
            &[(NAME, 1)],
            &[],
            &[(NAME, 1), (DRUG, 2), (STATUS, 3)],
            &[(NAME, 1), (DRUG, 3)],
        ] {
            assert_eq!(case.verify(&mut cover(changed), 1, &tag), refused);
        }
        let mut clear = both();
        clear.clear(NAME, "one more");
        assert_eq!(case.verify(&mut clear, 1, &tag), refused);
        let next = case.tag(&mut both(), 1, &tag).unwrap();
        assert_eq!(next.version(), 2);
        assert_ne!(next, tag);
        assert_eq!(case.verify(&mut both(), 1, &next), Ok(()));
        assert_eq!(case.verify(&mut both(), 1, &RecordTag::new()), Err("tag-missing"));
    }

    /// FORMAT 14.6: a token between them must not hide that they are two.
    #[test]
    fn two_values_of_one_id_are_refused_beside_a_token_of_that_id() {
        let case = Case::of(&keyring(), "1");
        let mut cover = Cover::default();
        cover.clear(DRUG, "one");
        cover.sealed(DRUG, &[], &token(1));
        cover.clear(DRUG, "other");
        let refused = case.tag(&mut cover, 1, &RecordTag::new()).unwrap_err();
        assert_eq!(refused.code().as_str(), "field-repeated");
    }

    #[test]
    fn no_bit_of_a_tag_may_change() {
        let keys = keyring();
        let case = Case::of(&keys, "1");
        let mut both = cover(&[(NAME, 1), (DRUG, 2)]);
        let tag = case.tag(&mut both, 1, &RecordTag::new()).unwrap();
        for bit in 0..RECORD_TAG_LEN * 8 {
            let mut bytes = *tag.bytes().unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(changed) = RecordTag::try_from(&bytes[..]) else { continue };
            let expected = match bit / 8 {
                3..=8 => "unknown-key",
                9 => "cover-unknown",
                _ => "tag-refused",
            };
            assert_eq!(case.verify(&mut both, 1, &changed), Err(expected), "{bit}");
        }
    }

    #[test]
    fn a_part_is_covered_as_a_part() {
        let keys = keyring();
        let case = Case::of(&keys, "1");
        let lines = |lines: &[(&str, &[u8])]| {
            let mut cover = cover(&[(NAME, 1)]);
            for (id, tokens) in lines {
                cover.enter("line", &(*id).into()).unwrap();
                tokens.iter().for_each(|byte| cover.sealed(DRUG, &[], &token(*byte)));
                cover.leave();
            }
            cover
        };
        let tag = case.tag(&mut lines(&[("1", &[2]), ("2", &[3, 4])]), 1, &RecordTag::new()).unwrap();
        let verify = |changed: &[(&str, &[u8])]| case.verify(&mut lines(changed), 1, &tag);
        assert_eq!(verify(&[("2", &[3, 4]), ("1", &[2])]), Ok(()), "parts are no list");
        for changed in [
            &[("1", &[2_u8][..])][..],
            &[("1", &[2]), ("2", &[4, 3])],
            &[("1", &[3]), ("2", &[2, 4])],
            &[("1", &[2]), ("2", &[3, 4]), ("3", &[])],
            &[("1", &[2]), ("3", &[3, 4])],
            &[],
        ] {
            assert_eq!(verify(changed), Err("tag-refused"), "{changed:?}");
        }
        assert_eq!(verify(&[("1", &[2]), ("1", &[2]), ("2", &[3, 4])]), Err("field-repeated"));
    }

    #[test]
    fn a_cover_number_says_what_is_covered() {
        let keys = keyring();
        let case = Case::of(&keys, "1");
        let with_note = |note: Option<u8>| {
            let mut cover = cover(&[(NAME, 1)]);
            cover.since(2);
            if let Some(byte) = note {
                cover.sealed(DRUG, &[], &token(byte));
            }
            cover
        };
        let old = case.tag(&mut cover(&[(NAME, 1)]), 1, &RecordTag::new()).unwrap();
        assert_eq!(case.verify(&mut with_note(None), 2, &old), Ok(()), "as it was sealed before there was a note");
        let new = case.tag(&mut with_note(None), 2, &old).unwrap();
        assert_eq!((new.cover(), new.version()), (2, 2));
        assert_eq!(case.verify(&mut with_note(None), 2, &new), Ok(()));
        assert_eq!(case.verify(&mut with_note(Some(7)), 2, &new), Err("tag-refused"));
        assert_eq!(case.verify(&mut cover(&[(NAME, 1)]), 1, &new), Err("cover-unknown"), "a program of before");
    }

    #[test]
    fn former_ids_and_types_are_found() {
        const FORMER: &[(FieldId, Class)] = &[
            (FieldId::new("drug"), Class::IDENTITY),
            (FieldId::new("rx.drug"), Class::IDENTITY),
            (FieldId::new("medicine"), Class::IDENTITY),
        ];
        const NOTE: &[(FieldId, Class)] = &[(FieldId::new("z.note"), Class::CLINICAL)];
        let keys = keyring();
        let (case, former) = (Case::of(&keys, "1"), RecordCore::bound(keys.shares(), "rx", &"1".into()).unwrap());
        let now = || {
            let mut cover = cover(&[(NAME, 1)]);
            cover.sealed(DRUG, FORMER, &token(2));
            cover.sealed(FieldId::new("a.note"), NOTE, &token(3));
            cover
        };
        let was = Case { core: Case::of(&keys, "1").core.was(&["rx"]).unwrap() };
        let keys = &case.core.shared().keys;
        for drug in ["rx.drug", "drug", "medicine"] {
            for note in ["a.note", "z.note"] {
                let mut then = cover(&[(FieldId::new(note), 3), (FieldId::new(drug), 2), (NAME, 1)]);
                let tag = tag_record(keys, former.context(), &mut then, 1, &RecordTag::new()).unwrap();
                assert_eq!(was.verify(&mut now(), 1, &tag), Ok(()));
                assert_eq!(case.verify(&mut now(), 1, &tag), Err("tag-refused"));
            }
        }
        let mut never = cover(&[(FieldId::new("b.note"), 3), (DRUG, 2), (NAME, 1)]);
        let tag = tag_record(keys, former.context(), &mut never, 1, &RecordTag::new()).unwrap();
        assert_eq!(case.verify(&mut now(), 1, &tag), Err("tag-refused"));
    }

    #[test]
    fn a_mac_that_differs_in_one_bit_is_another() {
        let mac: [u8; MAC_LEN] = std::array::from_fn(|at| at as u8);
        assert!(is_same_mac(&mac, &mac));
        for bit in 0..MAC_LEN * 8 {
            let mut other = mac;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_same_mac(&mac, &other), "{bit}");
        }
        assert!(!is_same_mac(&mac, &mac[1..]));
        assert!(!is_same_mac(&mac, &[]));
    }

    #[test]
    fn a_version_ends() {
        let case = Case::of(&keyring(), "1");
        let mut last = [0x55; RECORD_TAG_LEN];
        last[..3].copy_from_slice(&RECORD_TAG_MAGIC);
        last[10..16].fill(0xFF);
        let last = RecordTag::try_from(&last[..]).unwrap();
        let error = case.tag(&mut cover(&[]), 1, &last).unwrap_err();
        assert_eq!(error.code().as_str(), "unrepresentable");
    }
}

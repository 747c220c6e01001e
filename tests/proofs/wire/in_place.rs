//! Proves that sealing and opening in place give the same results as the other calls, in the caller's one buffer, and
//! that the buffer is unchanged byte for byte on every error (FORMAT 5, 6.3, 7.1 to 7.5).
//!
//! Values have up to 16 MiB in a release build, up to 1 MiB in a debug build (`RXSEAL_FULL=1` runs all there too).

#[allow(dead_code)] // Of the vectors, only those of `open` are run here.
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use crate::files::{Keyrings, Vector, vectors};
use rxseal::keys::{KeyState, Suite};
use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::page::OpenPass;
use rxseal::subjects::SubjectKey;
use rxseal::{
    Access, Class, Error, Field, Keyring, Purpose, Record, RecordReader, Sealed, Sealing, Token, run_local, testing,
};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

rxseal::fields! {
    Tight = "in-place.tight" in Medication { block: 1 };
    Padded = "in-place.padded" in Identity;
    Coarse = "in-place.coarse" in Clinical { block: 4096 };
    Short = "in-place.short" in Medication { max: 64 };
    Renamed = "in-place.new" in Medication, was "in-place.old" in Clinical, was "in-place.older" in Identity;
}

/// The fields that `Renamed` was before.
mod before {
    rxseal::fields! {
        pub Old = "in-place.old" in Clinical;
        pub Older = "in-place.older" in Identity;
    }
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn full() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("RXSEAL_FULL").is_some()
}

// The same as the other calls

#[test]
fn in_place_and_every_other_way_are_one() {
    for place in &places() {
        for len in [0, 1, 31, 32, 33] {
            one_by_every_way::<Tight>(place, &pattern(len));
            one_by_every_way::<Padded>(place, &pattern(len));
        }
        one_by_every_way::<Coarse>(place, &pattern(33));
    }
}

/// Values that look like padding, a kind or nothing at all.
#[test]
fn no_value_is_mistaken_for_padding() {
    fn comes_back<F: Field>(place: &Place, content: &[u8]) {
        let mut buffer = content.to_vec();
        seal::<F>(&place.record, &mut buffer).unwrap();
        let token = Token::try_from(buffer.as_slice()).unwrap();
        assert_eq!(place.open().open::<F, Raw>(&token).unwrap().0, content);
        open::<F>(&place.open(), &mut buffer).unwrap();
        assert_eq!(buffer, content);
    }
    for place in &places() {
        for content in (1..35).flat_map(lookalikes) {
            comes_back::<Tight>(place, &content);
            comes_back::<Padded>(place, &content);
        }
    }
}

#[test]
fn so_it_is_for_64_kib() {
    let [bound, wide, _, _, _, chacha, ..] = &places()[..] else { panic!("the places") };
    one_by_every_way::<Padded>(bound, &pattern(64 * KIB));
    if full() {
        one_by_every_way::<Coarse>(wide, &pattern(64 * KIB));
        one_by_every_way::<Tight>(chacha, &pattern(64 * KIB));
    }
}

/// There and back in one buffer, for the largest values too.
#[test]
fn large_values_come_back_in_their_own_buffer() {
    let sizes: &[usize] = if full() { &[64 * KIB, MIB - 1, MIB, 16 * MIB - 1, 16 * MIB] } else { &[64 * KIB, MIB] };
    let places = places();
    let [bound, wide, _, _, _, chacha, ..] = &places[..] else { panic!("the places") };
    let chosen = if full() { vec![bound, wide, chacha] } else { vec![bound, chacha] };
    for len in sizes {
        for place in &chosen {
            let content = pattern(*len);
            let mut buffer = content.clone();
            buffer.reserve_exact(room_of::<Coarse>(place, *len));
            let at = buffer.as_ptr();
            seal::<Coarse>(&place.record, &mut buffer).unwrap();
            assert_eq!(buffer.len(), token_len::<Coarse>(place, *len), "{} of {len}", place.name);
            assert!(Token::try_from(buffer.as_slice()).is_ok());
            open::<Coarse>(&place.open(), &mut buffer).unwrap();
            assert!(buffer == content, "{} of {len}: another value came back", place.name);
            assert_eq!(buffer.as_ptr(), at, "{} of {len}: the buffer had the room", place.name);
        }
    }
}

/// Text is opened in place as its bytes; what was sealed in place opens as bytes do.
#[test]
fn text_opens_in_place_as_its_bytes() {
    for place in &places() {
        for text in ["", "J", "Jane Doe, warfarin 5 MG", "Zo\u{eb} \u{2764}\u{80}"] {
            let mut buffer = place.record.seal::<Padded>(text).unwrap().into_bytes();
            open::<Padded>(&place.open(), &mut buffer).unwrap();
            assert_eq!(buffer, text.as_bytes());
        }
    }
}

/// FORMAT 7.5: a token is no value, but bytes that name a key of nobody's are.
#[test]
fn what_only_looks_like_a_token_is_sealed() {
    let place = &places()[0];
    let mut foreign = place.record.seal::<Padded>("Jane Doe").unwrap().into_bytes();
    foreign[3..9].fill(7);
    let mut buffer = foreign.clone();
    seal::<Padded>(&place.record, &mut buffer).unwrap();
    open::<Padded>(&place.open(), &mut buffer).unwrap();
    assert_eq!(buffer, foreign);
}

fn one_by_every_way<F: Field>(place: &Place, content: &[u8]) {
    let named = |way: &str| format!("{}, {} of {} bytes, {way}", place.name, F::ID.as_str(), content.len());
    let access = place.open();

    let mut sealed = content.to_vec();
    seal::<F>(&place.record, &mut sealed).unwrap();
    assert_eq!(sealed.len(), token_len::<F>(place, content.len()), "{}", named("length"));
    for (way, open) in ways_to_open::<F>() {
        assert!(open(&access, &sealed) == content, "{}", named(way));
    }
    for (way, seal) in ways_to_seal::<F>() {
        let mut buffer = seal(&place.record, content);
        assert_eq!(buffer.len(), sealed.len(), "{}", named(way));
        open::<F>(&access, &mut buffer).unwrap();
        assert!(buffer == content, "{}", named(way));
    }
}

type Open = fn(&RecordReader, &[u8]) -> Vec<u8>;

#[rustfmt::skip]
fn ways_to_open<F: Field>() -> [(&'static str, Open); 10] {
    [
        ("open", |access, token| access.open::<F, Raw>(&token.try_into().unwrap()).unwrap().0),
        ("open_text", |access, token| access.open_text::<F, Raw>(&text_of(token)).unwrap().0),
        ("OpenPass::open", |access, token| {
            access.open_fields(|pass| pass.open::<F, Raw>(&token.try_into()?)).unwrap().0
        }),
        ("open_into", |access, token| {
            let mut out = b"before".to_vec();
            access.open_fields(|pass| pass.open_into::<F>(token, &mut out)).unwrap();
            out.strip_prefix(b"before").unwrap().to_vec()
        }),
        ("open_in_place", |access, token| {
            let mut buffer = token.to_vec();
            open::<F>(access, &mut buffer).unwrap();
            buffer
        }),
        ("Sealing in JSON", |access, token| {
            let json = serde_json::json!({ "scan": text_of(token) }).to_string();
            access.run_opening(|| serde_json::from_str::<Row<F>>(&json)).unwrap().scan.0
        }),
        ("Sealing in postcard", |access, token| {
            let bytes = postcard::to_stdvec(&(Raw(token.to_vec()),)).unwrap();
            access.run_opening(|| postcard::from_bytes::<Row<F>>(&bytes)).unwrap().scan.0
        }),
        ("Sealing in CBOR", |access, token| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&std::collections::BTreeMap::from([("scan", Raw(token.to_vec()))]), &mut bytes).unwrap();
            access.run_opening(|| ciborium::from_reader::<Row<F>, _>(bytes.as_slice())).unwrap().scan.0
        }),
        ("Sealed::open", |access, token| {
            Sealed::<Raw, F>::from(Token::try_from(token).unwrap()).open(access).unwrap().0
        }),
        ("open, in the scope of the record", |access, token| {
            access.run_opening(|| access.open::<F, Raw>(&token.try_into()?)).unwrap().0
        }),
    ]
}

type Seal = fn(&Record, &[u8]) -> Vec<u8>;

#[rustfmt::skip]
fn ways_to_seal<F: Field>() -> [(&'static str, Seal); 10] {
    [
        ("seal", |record, content| record.seal::<F>(&Raw(content.to_vec())).unwrap().into_bytes()),
        ("seal_text", |record, content| bytes_of(&record.seal_text::<F>(&Raw(content.to_vec())).unwrap())),
        ("seal_into", |record, content| {
            let mut out = b"before".to_vec();
            record.seal_fields(|pass| pass.seal_into::<F>(&Raw(content.to_vec()), &mut out)).unwrap();
            out.strip_prefix(b"before").unwrap().to_vec()
        }),
        ("seal_text_into", |record, content| {
            let mut out = String::from("before");
            record.seal_fields(|pass| pass.seal_text_into::<F>(&Raw(content.to_vec()), &mut out)).unwrap();
            bytes_of(out.strip_prefix("before").unwrap())
        }),
        ("seal_in_place, with no room", |record, content| {
            let mut buffer = content.to_vec();
            buffer.shrink_to_fit();
            seal::<F>(record, &mut buffer).unwrap();
            buffer
        }),
        ("seal_in_place, with much room", |record, content| {
            let mut buffer = content.to_vec();
            buffer.reserve_exact(10_000);
            seal::<F>(record, &mut buffer).unwrap();
            buffer
        }),
        ("Sealing in JSON", |record, content| {
            let row = Row::<F>::new(content);
            let json = serde_json::to_value(record.sealing(&row)).unwrap();
            bytes_of(json["scan"].as_str().unwrap())
        }),
        ("Sealing in postcard", |record, content| {
            let bytes = record.run_sealing(|| postcard::to_stdvec(&Row::<F>::new(content))).unwrap();
            postcard::from_bytes::<(Raw,)>(&bytes).unwrap().0.0
        }),
        ("Sealed::seal", |record, content| {
            Sealed::<Raw, F>::seal(record, &Raw(content.to_vec())).unwrap().into_token().into_bytes()
        }),
        ("reseal", |record, content| {
            record.reseal::<F>(&record.seal::<F>(&Raw(content.to_vec())).unwrap()).unwrap().into_bytes()
        }),
    ]
}

// One buffer

/// Where the buffer has the room it does not move; one byte less, and it does, with the same result. And 50 bytes with a block
/// are always enough, as the documentation says.
#[test]
fn the_buffer_moves_only_where_it_has_no_room() {
    for place in &places() {
        for len in [0, 1, 30, 31, 32, 200] {
            stays::<Tight>(place, len);
            stays::<Padded>(place, len);
            stays::<Coarse>(place, len);
        }
    }
}

fn stays<F: Field>(place: &Place, len: usize) {
    let content = pattern(len);
    let exact = room_of::<F>(place, len);
    assert!(exact <= 50 + usize::from(F::BLOCK));
    for room in [exact, 50 + usize::from(F::BLOCK)] {
        let mut buffer = with_room(&content, room);
        let at = (buffer.as_ptr(), buffer.capacity());
        // Again and again: what was sealed and opened in it takes no more room the next time.
        for _ in 0..3 {
            seal::<F>(&place.record, &mut buffer).unwrap();
            open::<F>(&place.open(), &mut buffer).unwrap();
        }
        assert_eq!(buffer, content);
        assert_eq!((buffer.as_ptr(), buffer.capacity()), at, "{}, {len} bytes, room {room}", place.name);
    }
    let mut tight = with_room(&content, exact - 1);
    if tight.capacity() < len + exact {
        seal::<F>(&place.record, &mut tight).unwrap();
        assert_eq!(tight.capacity(), len + exact, "no room to spare: there is little more than one copy");
        open::<F>(&place.open(), &mut tight).unwrap();
        assert_eq!(tight, content);
    }
}

// What is refused, sealing

/// Every refusal, with room for a token and without: the buffer keeps its bytes, and where it had the room also its place.
#[test]
fn a_refused_seal_leaves_the_buffer_as_it_was() {
    let places = places();
    for place in &places {
        let record = &place.record;
        let token = record.seal::<Padded>("Jane Doe").unwrap().into_bytes();
        unsealed(&pattern(65), "too-large", |buffer| seal::<Short>(record, buffer));
        unsealed(&token, "token-as-plaintext", |buffer| seal::<Padded>(record, buffer));
        for content in [pattern(0), pattern(1), pattern(40), vec![0; 40], vec![0x80; 40], b"a\x80\0\0".to_vec()] {
            unsealed(&content, "field-repeated", |buffer| {
                record.seal_fields(|pass| {
                    pass.seal_in_place::<Coarse>(&mut pattern(3))?;
                    pass.seal_in_place::<Coarse>(buffer)
                })
            });
            unsealed(&content, "field-repeated", |buffer| {
                record.seal_fields(|pass| {
                    pass.seal_text::<Padded>("Jane Doe")?;
                    pass.seal_in_place::<Padded>(buffer)
                })
            });
        }
    }
    // A token of a former key, and of a key that is no longer good, is one too.
    for state in [KeyState::Deactivated, KeyState::Compromised] {
        let (old, new) = rotated(state);
        let old_token = old.record("scan", 1).unwrap().seal::<Tight>("a").unwrap().into_bytes();
        let record = new.record("scan", 1).unwrap();
        unsealed(&old_token, "token-as-plaintext", |buffer| seal::<Padded>(&record, buffer));
    }
    let sealer = keyring(Suite::default()).sealer().only([Class::CONTACT]).record("scan", 1).unwrap();
    for content in [pattern(0), pattern(100)] {
        let refused = |buffer: &mut Vec<u8>| sealer.seal_fields(|pass| pass.seal_in_place::<Padded>(buffer));
        unsealed(&content, "class-locked", refused);
    }
}

/// One byte too much is refused before anything is moved or encrypted.
#[test]
fn sixteen_mib_and_a_byte_are_refused() {
    for place in [&places()[0], &places()[5]] {
        let mut buffer = pattern(16 * MIB + 1);
        let (at, copy) = (buffer.as_ptr(), buffer.clone());
        assert_eq!(seal::<Tight>(&place.record, &mut buffer).unwrap_err().code().as_str(), "too-large");
        assert!(buffer == copy && buffer.as_ptr() == at);
    }
}

/// What fails once the nonce is taken: a class for which there is no key any more.
#[test]
fn too_many_classes_leave_the_buffer_as_it_was() {
    const CLASS: [Class; 33] = {
        let mut classes = [Class::IDENTITY; 33];
        let names = "abcdefghijklmnopqrstuvwxyz0123456";
        let mut at = 0;
        while at < classes.len() {
            classes[at] = Class::new(names.split_at(at).1.split_at(1).0);
            at += 1;
        }
        classes
    };
    struct Numbered<const N: usize>;
    impl<const N: usize> Field for Numbered<N> {
        const ID: rxseal::FieldId = rxseal::FieldId::new("in-place.numbered");
        const CLASS: Class = CLASS[N];
    }
    macro_rules! seal_each {
        ($record:expr, $($number:literal)*) => {$( $record.seal::<Numbered<$number>>("x").unwrap(); )*};
    }

    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let record = keyring(suite).record("scan", 1).unwrap();
        seal_each!(record, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
        for content in [pattern(0), pattern(33), vec![0; 33]] {
            unsealed(&content, "too-many-classes", |buffer| {
                record.seal_fields(|pass| pass.seal_in_place::<Numbered<32>>(buffer))
            });
        }
    }
}

/// A field whose value was refused may be sealed in the same pass.
#[test]
fn a_refused_field_may_be_sealed_again() {
    for place in &places() {
        let mut good = pattern(64);
        let mut bad = pattern(65);
        place
            .record
            .seal_fields(|pass| {
                assert_eq!(pass.seal_in_place::<Short>(&mut bad).unwrap_err().code().as_str(), "too-large");
                pass.seal_in_place::<Short>(&mut good)
            })
            .unwrap();
        open::<Short>(&place.open(), &mut good).unwrap();
        assert_eq!((good, bad), (pattern(64), pattern(65)));
    }
}

/// Runs `seal` on buffers that hold `content`, which it must refuse.
#[track_caller]
fn unsealed(content: &[u8], code: &str, mut seal: impl FnMut(&mut Vec<u8>) -> Result<(), Error>) {
    for room in [0, 10_000] {
        let mut buffer = with_room(content, room);
        let at = buffer.as_ptr();
        let error = seal(&mut buffer).unwrap_err();
        assert_eq!(error.code().as_str(), code, "room {room}");
        assert!(error.field_id().is_some_and(|id| id.starts_with("in-place.")), "{error}");
        assert_eq!(error.record_type(), Some("scan"));
        assert!(buffer == content, "{code}, room {room}: the buffer was changed");
        assert!(room == 0 || buffer.as_ptr() == at, "{code}: the buffer had the room");
    }
}

// What is refused, opening

#[test]
fn a_token_opened_in_the_wrong_place_stays_as_it_was() {
    let places = places();
    for place in &places {
        let token = place.record.seal::<Padded>("Jane Doe").unwrap();
        let record = |id: &str| place.keys.record("scan", id).unwrap().opened_by(&access());
        still_sealed::<Padded>(&record("another"), &token, "open-failed");
        still_sealed::<Padded>(&place.keys.record("photo", "1").unwrap().opened_by(&access()), &token, "open-failed");
        still_sealed::<Padded>(&place.record.part("page", 9).unwrap().opened_by(&access()), &token, "open-failed");
        still_sealed::<Tight>(&place.open(), &token, "open-failed");
        still_sealed::<Short>(&place.open(), &token, "open-failed");
        let tenant = keyring_of("pharmacy-18", Suite::default());
        still_sealed::<Padded>(&tenant.record("scan", "1").unwrap().opened_by(&access()), &token, "unknown-key");
        opened::<Padded>(&place.open(), &token, b"Jane Doe");
    }
    // With a subject where there was none, without where there was one, and with another.
    let [bound, .., subject] = &places[..] else { panic!("the places") };
    let [other_key, _] = [0, 1].map(|_| subject.keys.create_subject_key("P-1").unwrap().0);
    let other = subject.keys.record("scan", "1").unwrap().subject(&other_key).unwrap();
    let token = subject.record.seal::<Padded>("Jane Doe").unwrap();
    let without = subject.keys.record("scan", "1").unwrap();
    still_sealed::<Padded>(&without.opened_by(&access()), &token, "open-failed");
    still_sealed::<Padded>(&other.opened_by(&access()), &token, "open-failed");
    let own_key = bound.keys.create_subject_key("P-1").unwrap().0;
    let with = bound.record.subject(&own_key).unwrap();
    still_sealed::<Padded>(&with.opened_by(&access()), &bound.record.seal::<Padded>("x").unwrap(), "open-failed");
}

#[test]
fn a_token_that_may_not_be_opened_stays_as_it_was() {
    let keys = keyring(Suite::default());
    let token = keys.record("scan", 1).unwrap().seal::<Padded>("Jane Doe").unwrap();
    let opener = keys.opener().only([Class::MEDICATION]).record("scan", 1).unwrap();
    still_sealed::<Padded>(&opener.opened_by(&access()), &token, "class-locked");

    for (state, code) in [(KeyState::Compromised, "key-compromised"), (KeyState::Destroyed, "key-destroyed")] {
        let (old, new) = rotated(state);
        let token = old.record("scan", 1).unwrap().seal::<Padded>("Jane Doe").unwrap();
        still_sealed::<Padded>(&new.record("scan", 1).unwrap().opened_by(&access()), &token, code);
        opened::<Padded>(&old.record("scan", 1).unwrap().opened_by(&access()), &token, b"Jane Doe");
    }
}

/// Every bit of a short token, every prefix, and what stands before or behind it.
#[test]
fn a_changed_token_stays_as_it_was() {
    let places = places();
    let [bound, wide, _, _, _, chacha, ..] = &places[..] else { panic!("the places") };
    for place in [bound, wide, chacha] {
        let token = place.record.seal::<Tight>(&Raw(pattern(5))).unwrap().into_bytes();
        let access = place.open();
        let mut codes = BTreeSet::new();
        let mut refused = |changed: &[u8]| {
            let mut buffer = with_room(changed, 20);
            let code = open::<Tight>(&access, &mut buffer).unwrap_err().code().as_str();
            assert!(buffer == changed, "{}: a changed token was changed", place.name);
            codes.insert(code);
        };
        let mut changed = token.clone();
        for at in 0..token.len() {
            for bit in 0..8 {
                changed[at] ^= 1 << bit;
                refused(&changed);
                changed[at] = token[at];
            }
        }
        (0..token.len()).for_each(|len| refused(&token[..len]));
        (1..token.len()).for_each(|start| refused(&token[start..]));
        for extra in [&[0][..], &[0x80, 0], &token] {
            refused(&[&token, extra].concat());
            refused(&[extra, &token].concat());
        }
        refused(text_of(&token).as_bytes());
        refused(b"Jane Doe, warfarin 5 MG Oral Tablet, one daily with food");
        assert_eq!(Vec::from_iter(codes), ["not-a-token", "open-failed", "unknown-key"]);
        opened::<Tight>(&access, &Token::try_from(token).unwrap(), &pattern(5));
    }
}

/// What is neither text nor bytes is decrypted before that is known, and sealed again to the same bytes.
#[test]
fn a_json_value_is_given_back_as_its_token() {
    for place in &places() {
        for value in
            [serde_json::json!({ "name": "Jane Doe", "born": 1957 }), serde_json::json!(7), serde_json::json!(null)]
        {
            given_back::<Tight>(place, &value);
            given_back::<Padded>(place, &value);
            given_back::<Coarse>(place, &value);
        }
    }
}

fn given_back<F: Field>(place: &Place, value: &serde_json::Value) {
    let token = place.record.seal::<F>(value).unwrap();
    let mut buffer = with_room(token.as_bytes(), 7);
    let at = (buffer.as_ptr(), buffer.capacity());
    place
        .open()
        .open_fields(|pass| {
            let by_open = pass.open::<F, Raw>(&token).unwrap_err();
            for _ in 0..3 {
                let error = pass.open_in_place::<F>(&mut buffer).unwrap_err();
                assert_eq!((error.code().as_str(), error.to_string()), ("type-mismatch", by_open.to_string()));
                assert_eq!(buffer, token.as_bytes(), "{}", place.name);
            }
            // The pass is none the worse.
            assert_eq!(pass.open::<F, serde_json::Value>(&token)?, *value);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!((buffer.as_ptr(), buffer.capacity()), at);
}

/// A token of a former id and class: opened, given back or left alone under that pair.
#[test]
fn former_pairs_open_in_place() {
    for place in &places() {
        let tokens = |value: &dyn Fn(&Record) -> [Token; 2]| value(&place.record);
        let texts =
            tokens(&|record| [record.seal::<before::Old>("a").unwrap(), record.seal::<before::Older>("a").unwrap()]);
        let json =
            tokens(&|record| [record.seal::<before::Old>(&7).unwrap(), record.seal::<before::Older>(&7).unwrap()]);
        for token in &texts {
            opened::<Renamed>(&place.open(), token, b"a");
            let other = place.keys.record("scan", "another").unwrap().opened_by(&access());
            still_sealed::<Renamed>(&other, token, "open-failed");
            let mut changed = token.clone().into_bytes();
            for at in 9..changed.len() {
                changed[at] ^= 1;
                still_sealed::<Renamed>(&place.open(), &Token::try_from(changed.clone()).unwrap(), "open-failed");
                changed[at] ^= 1;
            }
        }
        for token in &json {
            let mut buffer = token.as_bytes().to_vec();
            assert_eq!(open::<Renamed>(&place.open(), &mut buffer).unwrap_err().code().as_str(), "type-mismatch");
            assert_eq!(buffer, token.as_bytes(), "{}: sealed again under another pair", place.name);
            assert_eq!(place.open().open::<Renamed, u8>(&Token::try_from(buffer).unwrap()).unwrap(), 7);
        }
    }
    // A former class that is locked stays closed, as a token that does not open.
    let keys = keyring(Suite::default());
    let token = keys.record("scan", 1).unwrap().seal::<before::Older>("a").unwrap();
    let limited =
        |classes: &[Class]| keys.opener().only(classes.iter().copied()).record("scan", 1).unwrap().opened_by(&access());
    still_sealed::<Renamed>(&limited(&[Class::MEDICATION, Class::CLINICAL]), &token, "open-failed");
    still_sealed::<Renamed>(&limited(&[Class::IDENTITY]), &token, "class-locked");
    opened::<Renamed>(&limited(&[Class::MEDICATION, Class::IDENTITY]), &token, b"a");
}

/// More keys than a pass holds at once, here by tokens with nonces of their own: the ones that made room are made anew, also
/// to give a value back.
#[test]
fn more_keys_than_a_pass_holds_open_in_place() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let record = keyring(suite).record("scan", 1).unwrap().wide();
        let texts: Vec<Token> = (0..40).map(|at| record.seal::<Padded>(&format!("page {at}")).unwrap()).collect();
        let numbers: Vec<Token> = (0..40).map(|at| record.seal::<before::Older>(&at).unwrap()).collect();
        record
            .opened_by(&access())
            .open_fields(|pass| {
                for _ in 0..2 {
                    for (at, (text, number)) in texts.iter().zip(&numbers).enumerate() {
                        in_place::<Padded>(pass, text)
                            .map(|content| assert_eq!(content, format!("page {at}").as_bytes()))?;
                        let mut buffer = number.as_bytes().to_vec();
                        assert_eq!(
                            pass.open_in_place::<Renamed>(&mut buffer).unwrap_err().code().as_str(),
                            "type-mismatch"
                        );
                        assert_eq!(buffer, number.as_bytes());
                    }
                }
                Ok::<_, Error>(())
            })
            .unwrap();
    }
}

/// Every vector of `open`, among them authentic payloads that are malformed: the same outcome as documented, and what is
/// refused stays as it was.
#[test]
fn every_vector_opens_in_place_or_stays_as_it_was() {
    let mut keyrings = Keyrings::new("in-place");
    let (mut opened, mut mismatched, mut refused, mut without_record) = (0, 0, 0, 0);
    let vectors = vectors("open");
    for vector in &vectors {
        let Ok(record) = record_of(keyrings.of(vector), vector) else {
            without_record += 1;
            continue;
        };
        let token = token_of(vector);
        let mut buffer = token.clone();
        let outcome = record.opened_by(&access()).open_fields(|pass| open_vector(vector, pass, &mut buffer));
        if vector.expects_ok() && vector.number("kind") == 2 {
            assert_eq!(outcome.unwrap_err().code().as_str(), "type-mismatch", "{}", vector.file);
            assert!(buffer == token, "{}: the token was changed", vector.file);
            mismatched += 1;
            continue;
        }
        vector.check_code("OpenPass::open_in_place", &outcome);
        if vector.expects_ok() {
            assert!(buffer == vector.bytes("content_hex"), "{}: another value", vector.file);
            opened += 1;
        } else {
            assert!(buffer == token, "{}: the token was changed", vector.file);
            refused += 1;
        }
    }
    println!("{opened} vectors opened in place, {mismatched} given back, {refused} refused");
    assert!(opened > 80 && mismatched > 10 && refused > 200);
    assert_eq!(opened + mismatched + refused + without_record, vectors.len());
}

fn record_of(keys: &Keyring, vector: &Vector) -> Result<Record, Error> {
    let record_type = vector.text("record_type");
    let record = match vector.text("binding") {
        "unbound" => keys.unbound(record_type)?,
        "wide" => keys.record(record_type, vector.text("record_id"))?.wide(),
        _ => keys.record(record_type, vector.text("record_id"))?,
    };
    let record = match vector.get("subject_id").as_str() {
        Some(id) => record.subject(&keys.unwrap_subject_key(id, &vector.text("subject_key").parse()?)?)?,
        None => record,
    };
    vector.pairs("parts").into_iter().try_fold(record, |record, (name, id)| record.part(name, id))
}

/// The binary token; text that is none is given as its own bytes.
fn token_of(vector: &Vector) -> Vec<u8> {
    if vector.has("token_hex") {
        return vector.bytes("token_hex");
    }
    let text = vector.text("token");
    text.parse().map_or_else(|_: Error| text.as_bytes().to_vec(), Token::into_bytes)
}

fn open_vector(vector: &Vector, pass: &mut OpenPass<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    const BILLING: Class = Class::new("billing");
    rxseal::fields! {
        Name = "vector.name" in Identity;
        Drug = "vector.drug" in Medication;
        Note = "vector.note" in Clinical;
        Bare = "vector.tight" in Contact;
        Moved = "vector.renamed" in Medication, was "vector.old" in Clinical, was "vector.older" in Medication;
        Photo = "vector.photo" in Identity;
        Own = "vector.own" in BILLING;
    }
    match vector.text("field_id") {
        "vector.name" => pass.open_in_place::<Name>(buffer),
        "vector.drug" => pass.open_in_place::<Drug>(buffer),
        "vector.note" => pass.open_in_place::<Note>(buffer),
        "vector.tight" => pass.open_in_place::<Bare>(buffer),
        "vector.renamed" => pass.open_in_place::<Moved>(buffer),
        "vector.photo" => pass.open_in_place::<Photo>(buffer),
        "vector.own" => pass.open_in_place::<Own>(buffer),
        other => panic!("{}: no such field in this test: {other}", vector.file),
    }
}

/// The same error in every word as by `open`, and a token that is as it was, with room behind it and without.
#[track_caller]
fn still_sealed<F: Field>(access: &RecordReader, token: &Token, code: &str) {
    let by_open = access.open::<F, Raw>(token).map(|_| ()).unwrap_err();
    assert_eq!(by_open.code().as_str(), code);
    for room in [0, 100] {
        let mut buffer = with_room(token.as_bytes(), room);
        let at = buffer.as_ptr();
        let error = open::<F>(access, &mut buffer).unwrap_err();
        assert_eq!(error.to_string(), by_open.to_string());
        assert_eq!(error.key_id(), by_open.key_id());
        assert!(buffer == token.as_bytes() && buffer.as_ptr() == at, "{code}: the token was changed");
    }
}

#[track_caller]
fn opened<F: Field>(access: &RecordReader, token: &Token, content: &[u8]) {
    assert_eq!(access.open_fields(|pass| in_place::<F>(pass, token)).unwrap(), content);
}

// In a pass

/// Fields in place stand beside fields of the other calls, each once, and under nonces that count on.
#[test]
fn a_pass_mixes_in_place_with_the_rest() {
    for place in &places() {
        let mut scan = pattern(100);
        let [name, short] = place
            .record
            .seal_fields(|pass| {
                let name = pass.seal::<Padded>("Jane Doe")?;
                pass.seal_in_place::<Coarse>(&mut scan)?;
                assert_eq!(
                    pass.seal_in_place::<Padded>(&mut pattern(3)).unwrap_err().code().as_str(),
                    "field-repeated"
                );
                assert_eq!(pass.seal::<Coarse>("x").unwrap_err().code().as_str(), "field-repeated");
                Ok::<_, Error>([name, pass.seal::<Short>("brief")?])
            })
            .unwrap();
        let numbers = [name.as_bytes(), &scan, short.as_bytes()].map(number_of);
        assert_eq!([numbers[1], numbers[2]], [numbers[0] + 1, numbers[0] + 2], "{}", place.name);
        place
            .open()
            .open_fields(|pass| {
                assert_eq!(in_place::<Short>(pass, &short)?, b"brief");
                pass.open_in_place::<Coarse>(&mut scan)?;
                assert_eq!(pass.open::<Padded, String>(&name)?, "Jane Doe");
                Ok::<_, Error>(())
            })
            .unwrap();
        assert_eq!(scan, pattern(100));
    }
}

/// A page of records in their own buffers.
#[test]
fn pages_seal_and_open_in_place() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let keys = keyring(suite);
        let records: Vec<_> = (0..20_u8).map(|id| keys.record("scan", id).unwrap()).collect();
        let mut scans: Vec<_> = (0..20).map(|at| pattern(at * 7)).collect();
        rxseal::page::seal_page(&records, |at, pass| pass.seal_in_place::<Padded>(&mut scans[at])).unwrap();
        let tokens = scans.clone();
        rxseal::page::reseal_page(&records, |at, pass| {
            scans[at].clear();
            pass.reseal_into::<Padded>(&tokens[at], &mut scans[at])
        })
        .unwrap();
        rxseal::page::open_page(&records, &access(), |at, pass| pass.open_in_place::<Padded>(&mut scans[at])).unwrap();
        (0..20).for_each(|at| assert_eq!(scans[at], pattern(at * 7)));
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(usize, Outcome, Vec<Class>)>>);

impl Observer for Heard {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let classes = event.classes_and_keys().map(|(class, _)| class).collect();
        self.0.lock().unwrap().push((event.fields(), event.outcome(), classes));
        Ok(())
    }
}

/// Opening in place is an opening, of which the observer hears.
#[test]
fn the_observer_hears_of_it() {
    let (roots, file) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let heard = Arc::new(Heard::default());
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().observed_by(Arc::clone(&heard));
    let record = keys.record("scan", 1).unwrap();
    let take = || std::mem::take(&mut *heard.0.lock().unwrap());
    let (name, old) = (record.seal::<Padded>("Jane Doe").unwrap(), record.seal::<before::Older>("a").unwrap());
    let number = record.seal::<Padded>(&7).unwrap();
    assert_eq!(take(), []);

    opened::<Padded>(&record.opened_by(&access()), &name, b"Jane Doe");
    assert_eq!(take(), [(1, Outcome::Opened, vec![Class::IDENTITY])]);
    opened::<Renamed>(&record.opened_by(&access()), &old, b"a");
    assert_eq!(take(), [(1, Outcome::Opened, vec![Class::MEDICATION, Class::CLINICAL, Class::IDENTITY])]);
    let mut wrong = name.clone().into_bytes();
    open::<Tight>(&record.opened_by(&access()), &mut wrong).unwrap_err();
    assert_eq!(take(), [(0, Outcome::Failed(rxseal::ErrorCode::OpenFailed), vec![Class::MEDICATION])]);
    let mut json = number.into_bytes();
    open::<Padded>(&record.opened_by(&access()), &mut json).unwrap_err();
    // Decrypted and given back as its token: opened all the same, as by `open`.
    assert_eq!(take(), [(1, Outcome::Failed(rxseal::ErrorCode::TypeMismatch), vec![Class::IDENTITY])]);
}

// The places, and the values

/// A record, and its keyring.
struct Place {
    name: &'static str,
    keys: Keyring,
    record: Record,
    /// Nonce bytes in its tokens (FORMAT 5).
    nonce_len: usize,
}

impl Place {
    fn open(&self) -> RecordReader {
        self.record.opened_by(&access())
    }
}

/// A context for every letter, and whatever else changes a key.
fn places() -> Vec<Place> {
    let place = |name, suite, nonce_len, of: &dyn Fn(&Keyring) -> Record| {
        let keys = keyring(suite);
        Place { name, record: of(&keys), keys, nonce_len }
    };
    let bound = |keys: &Keyring| keys.record("scan", "1").unwrap();
    let subject = |keys: &Keyring| -> SubjectKey { keys.create_subject_key("P-1").unwrap().0 };
    let (xaes, chacha) = (Suite::Xaes256Gcm, Suite::XChaCha20Poly1305);
    vec![
        place("bound", xaes, 12, &bound),
        place("wide", xaes, 24, &|keys| bound(keys).wide()),
        place("unbound", xaes, 24, &|keys| keys.unbound("scan").unwrap()),
        place("a part", xaes, 12, &|keys| bound(keys).part("page", 1).unwrap()),
        place("a part of a wide one with a subject", xaes, 24, &|keys| {
            bound(keys).wide().subject(&subject(keys)).unwrap().part("page", 1).unwrap()
        }),
        place("ChaCha", chacha, 24, &bound),
        place("ChaCha, wide", chacha, 24, &|keys| bound(keys).wide()),
        place("ChaCha with a subject", chacha, 24, &|keys| bound(keys).subject(&subject(keys)).unwrap()),
        place("with a subject", xaes, 12, &|keys| bound(keys).subject(&subject(keys)).unwrap()),
    ]
}

fn keyring(suite: Suite) -> Keyring {
    keyring_of("pharmacy-17", suite)
}

fn keyring_of(keyspace: &str, suite: Suite) -> Keyring {
    let (roots, _) = testing::insecure_keyring_file(keyspace).unwrap();
    let file = run_local(rxseal::testing::create_keyring(keyspace, &roots, suite)).unwrap();
    run_local(Keyring::unlock(keyspace, &roots, &file)).unwrap().unobserved()
}

/// A keyring, and the same after a rotation with its first key in this state.
fn rotated(state: KeyState) -> (Keyring, Keyring) {
    let (roots, first) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let unlock = |file| run_local(Keyring::unlock("pharmacy-17", &roots, file)).unwrap().unobserved();
    let old = unlock(&first);
    let second = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
    let third = match state {
        KeyState::Deactivated => second,
        _ => run_local(rxseal::testing::force_key_state("pharmacy-17", &roots, &second, old.primary_key(), state))
            .unwrap(),
    };
    (old, unlock(&third))
}

fn access() -> Access {
    Access::new("job:scans", Purpose::HOPERAT).unwrap()
}

fn seal<F: Field>(record: &Record, buffer: &mut Vec<u8>) -> Result<(), Error> {
    record.seal_fields(|pass| pass.seal_in_place::<F>(buffer))
}

fn open<F: Field>(access: &RecordReader, buffer: &mut Vec<u8>) -> Result<(), Error> {
    access.open_fields(|pass| pass.open_in_place::<F>(buffer))
}

fn in_place<F: Field>(pass: &mut OpenPass<'_>, token: &Token) -> Result<Vec<u8>, Error> {
    let mut buffer = token.as_bytes().to_vec();
    pass.open_in_place::<F>(&mut buffer).map(|()| buffer)
}

/// FORMAT 6, 7.2: kind, content and padding, at least one byte, between header with nonce and tag.
fn token_len<F: Field>(place: &Place, content: usize) -> usize {
    let block = usize::from(F::BLOCK);
    9 + place.nonce_len + (1 + content + 1).next_multiple_of(block) + 16
}

/// By how much a token is longer than its content.
fn room_of<F: Field>(place: &Place, content: usize) -> usize {
    token_len::<F>(place, content) - content
}

/// A buffer of exactly this much room behind `content`, as far as the allocator goes.
fn with_room(content: &[u8], room: usize) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(content.len() + room);
    buffer.extend_from_slice(content);
    buffer
}

/// Bytes of which each place shows what was moved by how much.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ (at >> 8) as u8).collect()
}

/// Values of this length that end as padding does or as nothing does.
fn lookalikes(len: usize) -> Vec<Vec<u8>> {
    let ends = |end: &[u8]| {
        let mut content = pattern(len);
        let start = len.saturating_sub(end.len());
        content[start..].copy_from_slice(&end[..len - start]);
        content
    };
    vec![vec![0; len], vec![0x80; len], ends(&[0x80]), ends(&[0x80, 0]), ends(&[0x80, 0, 0])]
}

/// The number in a token's nonce (FORMAT 5.3).
fn number_of(token: &[u8]) -> u128 {
    let nonce_len = if token[2] == 0x17 { 12 } else { 24 };
    token[9 + nonce_len - 12..9 + nonce_len].iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn text_of(token: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token)
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.parse::<Token>().unwrap().into_bytes()
}

/// Bytes as bytes, as with `serde_bytes`.
#[derive(Clone, Debug, PartialEq)]
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;
        impl Visitor<'_> for RawVisitor {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Raw, E> {
                Ok(Raw(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(RawVisitor)
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(bound = "F: Field")]
struct Row<F> {
    #[serde(with = "Sealing::<F>")]
    scan: Raw,
    #[serde(skip)]
    field: PhantomData<F>,
}

impl<F> Row<F> {
    fn new(content: &[u8]) -> Self {
        Self { scan: Raw(content.to_vec()), field: PhantomData }
    }
}

//! Proves what every call of resealing promises (FORMAT 4.5, 4.6, 5.3, 8.6, 8.7): the same value in the same place,
//! under the primary key and the field's current id, class and padding. Nothing else changes, and nothing at all on an
//! error.
//!
//! tests/proofs/nonces.rs proves that it draws new nonces, and src/record/seal.rs that a pass draws once.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use rxseal::keys::{KeyState, Suite};
use rxseal::observe::{Observer, OpenEvent};
use rxseal::page::{ResealPass, reseal_page, seal_page, try_reseal_page};
use rxseal::root::RootKeys;
use rxseal::{Access, Error, Field, Keyring, Purpose, Record, Sealed, Token, run_local, testing};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::json;

rxseal::fields! {
    Name = "reseal.name" in Identity;
    Drug = "reseal.drug" in Medication { block: 64 };
    Note = "reseal.note" in Clinical { block: 1 };
    Brief = "reseal.brief" in Clinical { max: 8 };
}

/// The same fields as an older release declared them, and as one declares them that has forgotten their former selves.
mod before {
    rxseal::fields! {
        pub Oldest = "reseal.oldest" in Contact { block: 1 };
        pub Old = "reseal.old" in Identity { block: 1 };
        pub Moved = "reseal.moved" in Identity { block: 1 };
        pub Long = "reseal.brief" in Clinical;
    }
}
mod now {
    rxseal::fields! {
        pub New = "reseal.new" in Coverage, was "reseal.old" in Identity, was "reseal.oldest" in Contact { block: 256 };
        pub Moved = "reseal.moved" in Coverage, was "reseal.moved" in Identity { block: 256 };
    }
}
mod later {
    rxseal::fields! {
        pub New = "reseal.new" in Coverage;
        pub Moved = "reseal.moved" in Coverage;
    }
}

// Every call

/// A way to reseal one token; of a call that works with text, the token of that text.
type Way = fn(&Record, &Token) -> Result<Token, Error>;

#[rustfmt::skip]
fn ways<F: Field>() -> [(&'static str, Way); 9] {
    [
        ("Record::reseal", |record, token| record.reseal::<F>(token)),
        ("Sealed::reseal", |record, token| {
            Sealed::<(), F>::from(token.clone()).reseal(record).map(Sealed::into_token)
        }),
        ("ResealPass::reseal", |record, token| record.reseal_fields(|pass| pass.reseal::<F>(token))),
        ("ResealPass::reseal_text", |record, token| {
            record.reseal_fields(|pass| pass.reseal_text::<F>(&token.to_string()))?.parse()
        }),
        ("ResealPass::reseal_into", |record, token| {
            let mut out = b"before".to_vec();
            let result = record.reseal_fields(|pass| pass.reseal_into::<F>(token.as_bytes(), &mut out));
            let appended = out.strip_prefix(b"before").expect("what was there before is still there");
            assert!(result.is_ok() || appended.is_empty(), "something was appended");
            result.and_then(|()| Token::try_from(appended))
        }),
        ("ResealPass, the second of two", |record, token| record.reseal_fields(|pass| {
            // Whatever became of the first one is of no matter to the second.
            let _ = pass.reseal::<Name>(token);
            pass.reseal_text::<F>("rxsX is no token").unwrap_err();
            pass.reseal::<F>(token)
        })),
        ("reseal_page", |record, token| {
            let tokens = reseal_page(std::slice::from_ref(record), |_, pass| pass.reseal::<F>(token));
            tokens.map(|mut tokens| tokens.remove(0))
        }),
        ("reseal_page, as text", |record, token| {
            let text = token.to_string();
            let texts = reseal_page(std::slice::from_ref(record), |_, pass| pass.reseal_text::<F>(&text));
            texts.and_then(|texts| texts[0].parse())
        }),
        ("reseal_page, into a buffer", |record, token| {
            let mut out = Vec::new();
            let page = std::slice::from_ref(record);
            let result = reseal_page(page, |_, pass| pass.reseal_into::<F>(token.as_bytes(), &mut out));
            assert!(result.is_ok() || out.is_empty(), "something was appended");
            result.and_then(|_| Token::try_from(out))
        }),
    ]
}

/// Everything that a value can be, in every context: it opens to the same, and is under the key that seals now.
#[test]
fn a_value_stays_what_it_was() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let world = World::rotated(suite, KeyState::Deactivated);
        for place in PLACES {
            let (old, new) = (place(&world, &world.old), place(&world, &world.new));
            for (way, reseal) in ways::<Note>() {
                let same = |token: Token| -> Token {
                    let resealed = reseal(&new, &token).unwrap_or_else(|error| panic!("{way}: {error}"));
                    assert_eq!(resealed.key_id(), world.new.primary_key(), "{way}");
                    assert_ne!(resealed.key_id(), token.key_id(), "{way}");
                    assert!(!world.new.needs_reseal(&resealed).unwrap(), "{way}");
                    resealed
                };
                let text = same(old.seal::<Note>("Zo\u{eb}, 5 MG").unwrap());
                assert_eq!(open::<Note, String>(&new, &text), "Zo\u{eb}, 5 MG", "{way}");
                let empty = same(old.seal::<Note>("").unwrap());
                assert_eq!(open::<Note, String>(&new, &empty), "", "{way}");
                let raw = same(old.seal::<Note>(&Raw(vec![0x80, 0, 0xC1, 0])).unwrap());
                assert_eq!(open::<Note, Raw>(&new, &raw), Raw(vec![0x80, 0, 0xC1, 0]), "{way}");
                let value = json!({ "z": [1, 2.5, null, "\u{1F48A}"], "a": { "b": "\"\\" } });
                let struct_like = same(old.seal::<Note>(&value).unwrap());
                assert_eq!(open::<Note, serde_json::Value>(&new, &struct_like), value, "{way}");
                let none = same(old.seal::<Note>(&None::<String>).unwrap());
                assert_eq!(open::<Note, Option<String>>(&new, &none), None, "{way}");
                // Sealed with the same block, a value of the same kind has the same length: no byte of it was lost or gained.
                assert_eq!(struct_like.as_bytes().len(), new.seal::<Note>(&value).unwrap().as_bytes().len(), "{way}");
                // What opens in place of it tells text and bytes from JSON, so the kind is the same.
                assert_eq!(kind_of(&new, &raw), "bytes or text");
                assert_eq!(kind_of(&new, &struct_like), "JSON");
            }
        }
    }
}

/// Resealed again under the same key, a token is another one of the same value.
#[test]
fn a_token_of_the_primary_key_is_sealed_anew() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let record = world.new.record("refill", 1).unwrap();
    let token = record.seal::<Note>("warfarin").unwrap();
    let mut seen = HashSet::from([token.as_bytes().to_vec()]);
    for (way, reseal) in ways::<Note>() {
        let again = reseal(&record, &token).unwrap();
        assert_eq!(open::<Note, String>(&record, &again), "warfarin");
        assert!(seen.insert(again.into_bytes()), "{way}: a token was made twice");
    }
}

/// The id, the class and the padding of today: no reader needs to know the former ones any more.
#[test]
fn a_field_moves_to_its_current_id_class_and_padding() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
    let tokens = [old.seal::<before::Oldest>("a").unwrap(), old.seal::<before::Old>("a").unwrap()];
    for (way, reseal) in ways::<now::New>() {
        for token in &tokens {
            let resealed = reseal(&new, token).unwrap();
            assert_eq!(open::<later::New, String>(&new, &resealed), "a", "{way}");
            assert!(
                try_open::<before::Old, String>(&new, &resealed).is_err(),
                "{way}: it is still of the former field"
            );
            assert_eq!(resealed.as_bytes().len(), 9 + 12 + 256 + 16, "{way}: the current block");
        }
    }
    let token = old.seal::<before::Moved>("a").unwrap();
    for (way, reseal) in ways::<now::Moved>() {
        let resealed = reseal(&new, &token).unwrap();
        assert_eq!(open::<later::Moved, String>(&new, &resealed), "a", "{way}");
        assert!(try_open::<before::Moved, String>(&new, &resealed).is_err(), "{way}: the former class opens it");
    }
}

// What is refused

/// By every call the same error, and no token.
#[test]
fn what_does_not_open_is_not_resealed() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
    let token = old.seal::<Note>("warfarin").unwrap();
    let mut changed = token.clone().into_bytes();
    *changed.last_mut().unwrap() ^= 1;
    let other_record = world.old.record("refill", 2).unwrap().seal::<Note>("x").unwrap();
    let other_part = old.part("line", 1).unwrap().seal::<Note>("x").unwrap();
    let other_field = old.seal::<Drug>("x").unwrap();
    let other_keyring = testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    let foreign = other_keyring.record("refill", 1).unwrap().seal::<Note>("x").unwrap();
    refused::<Note>(&new, &Token::try_from(changed).unwrap(), "open-failed");
    refused::<Note>(&new, &other_record, "open-failed");
    refused::<Note>(&new, &other_part, "open-failed");
    refused::<Note>(&new, &other_field, "open-failed");
    refused::<Note>(&new, &foreign, "unknown-key");
    // A key that the keyring does not have yet, since it was made by a later rotation.
    refused::<Note>(&old, &new.seal::<Note>("x").unwrap(), "unknown-key");
    for (state, code) in [(KeyState::Compromised, "key-compromised"), (KeyState::Destroyed, "key-destroyed")] {
        let world = World::rotated(Suite::default(), state);
        let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
        refused::<Note>(&new, &old.seal::<Note>("x").unwrap(), code);
    }
}

/// A limit that was lowered since: the value opens, and cannot be sealed any more.
#[test]
fn what_cannot_be_sealed_is_not_resealed() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
    let long = old.seal::<before::Long>("warfarin 5 MG").unwrap();
    refused::<Brief>(&new, &long, "too-large");
    refused::<Brief>(&new, &old.seal::<before::Long>(&json!(["warfarin"])).unwrap(), "too-large");
    assert_eq!(open::<Brief, String>(&new, &long), "warfarin 5 MG");
    assert!(new.reseal::<Brief>(&old.seal::<before::Long>("warfarin").unwrap()).is_ok());
}

#[test]
fn a_subject_key_is_needed_as_for_opening() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let [without, with] = [0, 1].map(|place| PLACES[place * SUBJECT](&world, &world.old));
    let plain = without.seal::<Note>("x").unwrap();
    let own = with.seal::<Note>("x").unwrap();
    let [without, with] = [0, 1].map(|place| PLACES[place * SUBJECT](&world, &world.new));
    refused::<Note>(&without, &own, "open-failed");
    refused::<Note>(&with, &plain, "open-failed");
    let resealed = with.reseal::<Note>(&own).unwrap();
    assert_eq!(open::<Note, String>(&with, &resealed), "x");
    assert!(try_open::<Note, String>(&without, &resealed).is_err(), "it opens without the subject's key");
}

/// A record may become wide, and its tokens with it; wide tokens may go back.
#[test]
fn a_record_becomes_wide_and_back() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
    let wide = world.new.record("refill", 1).unwrap().wide();
    for (way, reseal) in ways::<Note>() {
        let widened = reseal(&wide, &old.seal::<Note>("a").unwrap()).unwrap();
        assert!(widened.to_string().starts_with("rxsx"), "{way}");
        let bound = reseal(&new, &widened).unwrap();
        assert!(bound.to_string().starts_with("rxsX"), "{way}");
        assert_eq!(open::<Note, String>(&new, &bound), "a", "{way}");
    }
}

#[test]
fn only_by_its_name_is_a_compromised_key_accepted() {
    let world = World::rotated(Suite::default(), KeyState::Compromised);
    let (old, new) = (world.old.record("refill", 1).unwrap(), world.new.record("refill", 1).unwrap());
    let token = old.seal::<Note>("suspect").unwrap();
    refused::<Note>(&new, &token, "key-compromised");
    let resealed = new.reseal_compromised::<Note>(&token).unwrap();
    assert_eq!((resealed.key_id(), open::<Note, String>(&new, &resealed)), (world.new.primary_key(), "suspect".into()));
    // That was said for this one call: what the thread keeps of it says nothing to the next.
    refused::<Note>(&new, &token, "key-compromised");
    let mut changed = token.into_bytes();
    changed[30] ^= 1;
    let changed = Token::try_from(changed).unwrap();
    assert_eq!(new.reseal_compromised::<Note>(&changed).unwrap_err().code().as_str(), "open-failed");
}

/// Text that is no token, and bytes that are none.
#[test]
fn what_is_no_token_is_said_to_be_none() {
    let keys = testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    let record = keys.record("refill", 1).unwrap();
    let token = record.seal::<Note>("a").unwrap();
    let mut out = b"before".to_vec();
    record
        .reseal_fields(|pass| {
            for text in ["", "Jane Doe", "rxsX", &token.to_string()[1..], &format!("{token}="), &format!(" {token}")] {
                assert_eq!(pass.reseal_text::<Note>(text).unwrap_err().code().as_str(), "not-a-token");
                assert_eq!(
                    pass.reseal_into::<Note>(text.as_bytes(), &mut out).unwrap_err().code().as_str(),
                    "not-a-token"
                );
            }
            // Text is no binary token, and bytes are no text.
            assert!(pass.reseal_into::<Note>(token.to_string().as_bytes(), &mut out).is_err());
            // None of them counts as the field of this pass.
            pass.reseal::<Note>(&token)
        })
        .unwrap();
    assert_eq!(out, b"before");
}

#[track_caller]
fn refused<F: Field>(record: &Record, token: &Token, code: &str) {
    let by_name = record.reseal::<F>(token).unwrap_err().to_string();
    for (way, reseal) in ways::<F>() {
        let copy = token.clone();
        let error = reseal(record, token).expect_err(way);
        assert_eq!(error.code().as_str(), code, "{way}");
        assert_eq!(error.to_string(), by_name, "{way}");
        assert_eq!((error.field_id(), error.record_type()), (Some(F::ID.as_str()), Some("refill")), "{way}");
        assert!(*token == copy, "{way}");
    }
}

// Passes

#[test]
fn a_field_is_resealed_once_in_a_pass() {
    let keys = testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    let record = keys.record("refill", 1).unwrap();
    let (first, second) = (record.seal::<Note>("a").unwrap(), record.seal::<Note>("b").unwrap());
    type Again = fn(&mut ResealPass<'_>, &Token) -> Result<(), Error>;
    const AGAIN: [Again; 3] = [
        |pass, token| pass.reseal::<Note>(token).map(drop),
        |pass, token| pass.reseal_text::<Note>(&token.to_string()).map(drop),
        |pass, token| {
            let mut out = b"before".to_vec();
            let result = pass.reseal_into::<Note>(token.as_bytes(), &mut out);
            assert!(result.is_ok() != (out == b"before"));
            result
        },
    ];
    for once in AGAIN {
        for again in AGAIN {
            let twice = |pass: &mut ResealPass<'_>| {
                once(pass, &first)?;
                for token in [&first, &second] {
                    assert_eq!(again(pass, token).unwrap_err().code().as_str(), "field-repeated");
                }
                // Another field is none the worse.
                pass.reseal::<Drug>(&record.seal::<Drug>("c")?).map(drop)
            };
            record.reseal_fields(twice).unwrap();
            reseal_page(std::slice::from_ref(&record), |_, pass| twice(pass)).unwrap();
        }
    }
}

/// Fields of several classes and of several keys in one pass, some of which do not open: each is what it would be alone.
#[test]
fn fields_of_a_pass_do_not_disturb_each_other() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let world = World::rotated(suite, KeyState::Deactivated);
        for place in PLACES {
            let (old, new) = (place(&world, &world.old), place(&world, &world.new));
            let name = old.seal::<Name>("Jane Doe").unwrap();
            let drug = new.seal::<Drug>(&json!(["warfarin", 5])).unwrap();
            let note = old.seal::<Note>(&Raw(vec![7; 100])).unwrap();
            // The class of the note, under the other key.
            let brief = new.seal::<Brief>("b").unwrap();
            let stray = world.old.record("refill", 77).unwrap().seal::<Note>("stray").unwrap();
            let tokens = new.reseal_fields(|pass| {
                let name = pass.reseal::<Name>(&name)?;
                assert_eq!(pass.reseal::<Note>(&stray).unwrap_err().code().as_str(), "open-failed");
                let brief = pass.reseal::<Brief>(&brief)?;
                let drug = pass.reseal_text::<Drug>(&drug.to_string())?.parse()?;
                let mut out = Vec::new();
                pass.reseal_into::<Note>(note.as_bytes(), &mut out)?;
                Ok::<_, Error>([name, drug, Token::try_from(out)?, brief])
            });
            let [name, drug, note, brief] = tokens.unwrap();
            assert_eq!(open::<Brief, String>(&new, &brief), "b");
            assert_eq!(open::<Name, String>(&new, &name), "Jane Doe");
            assert_eq!(open::<Drug, (String, u8)>(&new, &drug), ("warfarin".to_owned(), 5));
            assert_eq!(open::<Note, Raw>(&new, &note), Raw(vec![7; 100]));
        }
    }
}

/// Passes inside passes, of other records and other keyrings: each works with what is its own.
#[test]
fn passes_nest() {
    let [first, second] = [(); 2].map(|()| World::rotated(Suite::default(), KeyState::Deactivated));
    let [a, b] = [&first, &second].map(|world| world.new.record("refill", 1).unwrap());
    let old = |world: &World, text: &str| world.old.record("refill", 1).unwrap().seal::<Note>(text).unwrap();
    let (of_a, of_b) = (old(&first, "a"), old(&second, "b"));
    let access = access();
    let moved = a
        .reseal_fields(|outer| {
            let moved_b = b.reseal_fields(|inner| {
                let opened = a.opened_by(&access).open_fields(|pass| {
                    let sealed = b.seal_fields(|pass| pass.seal::<Note>("c"))?;
                    let page = reseal_page(std::slice::from_ref(&b), |_, pass| pass.reseal::<Note>(&sealed))?;
                    Ok::<_, Error>((pass.open::<Note, String>(&of_a)?, page))
                })?;
                assert_eq!(open::<Note, String>(&b, &opened.1[0]), "c");
                assert_eq!(opened.0, "a");
                inner.reseal::<Note>(&of_b)
            })?;
            Ok::<_, Error>([outer.reseal::<Note>(&of_a)?, moved_b])
        })
        .unwrap();
    assert_eq!((open::<Note, String>(&a, &moved[0]), open::<Note, String>(&b, &moved[1])), ("a".into(), "b".into()));
}

/// The error of the work is the caller's own, and ends the pass.
#[test]
fn an_error_of_the_work_comes_back_as_it_is() {
    let keys = testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    let record = keys.record("refill", 1).unwrap();
    let token = record.seal::<Note>("a").unwrap();
    let failed = record.try_reseal_fields(|pass| {
        pass.reseal::<Note>(&token)?;
        Err::<(), _>(Failure::OfTheWork(3))
    });
    assert_eq!(failed.unwrap_err(), Failure::OfTheWork(3));
    let refused = record.try_reseal_fields(|pass| Ok::<_, Failure>(pass.reseal::<Drug>(&token)?));
    assert_eq!(refused.unwrap_err(), Failure::OfRxseal("open-failed"));
}

// Pages

/// More records than are drawn for at once, each with fields and parts of its own, under several keys.
#[test]
fn a_page_reseals_every_record_for_itself() {
    for suite in [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305] {
        let world = World::rotated(suite, KeyState::Deactivated);
        let records = |keys: &Keyring| -> Vec<Record> {
            (0..600_u32)
                .map(|id| match id % 5 {
                    0 => keys.record("refill", id).unwrap().wide(),
                    1 => keys.record("refill", id).unwrap().part("line", id).unwrap(),
                    2 => keys.record("refill", id).unwrap().subject(&world.subject(keys)).unwrap(),
                    _ => keys.record("refill", id).unwrap(),
                })
                .collect()
        };
        let (old, new) = (records(&world.old), records(&world.new));
        let sealed = |at: usize, pass: &mut rxseal::page::SealPass<'_>| {
            Ok::<_, Error>((pass.seal::<Drug>(&format!("drug {at}"))?, pass.seal_text::<Note>(&json!([at]))?))
        };
        let mut tokens = seal_page(&old, sealed).unwrap();
        // Every seventh was resealed before.
        let again = seal_page(&new, sealed).unwrap();
        tokens.iter_mut().zip(again).step_by(7).for_each(|(token, again)| *token = again);

        let mut order = Vec::new();
        let resealed = reseal_page(&new, |at, pass| {
            order.push(at);
            Ok::<_, Error>((pass.reseal::<Drug>(&tokens[at].0)?, pass.reseal_text::<Note>(&tokens[at].1)?))
        });
        let resealed = resealed.unwrap();
        assert_eq!(order, (0..600).collect::<Vec<_>>());
        let mut nonces = HashSet::new();
        for (at, (drug, note)) in resealed.iter().enumerate() {
            let note: Token = note.parse().unwrap();
            assert_eq!(open::<Drug, String>(&new[at], drug), format!("drug {at}"));
            assert_eq!(open::<Note, Vec<usize>>(&new[at], &note), [at]);
            for token in [drug, &note] {
                assert_eq!(token.key_id(), world.new.primary_key());
                assert!(nonces.insert(nonce_of(token)), "record {at}: a nonce was used twice");
            }
            assert!(tokens[at].0 != *drug && tokens[at].1 != note.to_string());
            // And for no other record.
            assert!(try_open::<Drug, String>(&new[(at + 5) % 600], drug).is_err());
        }
    }
}

/// The first error ends the page: no record after it is asked for, and what was given is as it was.
#[test]
fn an_error_stops_the_page() {
    let world = World::rotated(Suite::default(), KeyState::Compromised);
    let records: Vec<_> = (0..300_u32).map(|id| world.new.record("refill", id).unwrap()).collect();
    let mut tokens = seal_page(&records, |at, pass| pass.seal::<Note>(&at)).unwrap();
    for bad in [0, 1, 255, 256, 299] {
        let good = tokens[bad].clone();
        let compromised = world.old.record("refill", bad).unwrap().seal::<Note>("x").unwrap();
        let stray = tokens[(bad + 1) % 300].clone();
        for (token, code) in [(compromised, "key-compromised"), (stray, "open-failed")] {
            tokens[bad] = token;
            let given = tokens.clone();
            let (mut calls, mut out) = (0, b"before".to_vec());
            let failed = reseal_page(&records, |at, pass| {
                calls += 1;
                out.truncate(6);
                pass.reseal_into::<Note>(tokens[at].as_bytes(), &mut out)
            });
            let error = failed.unwrap_err();
            assert_eq!((error.code().as_str(), error.field_id(), calls), (code, Some("reseal.note"), bad + 1));
            assert!(given == tokens && out == b"before");
        }
        let mut calls = 0;
        let failed = try_reseal_page(&records, |at, pass| {
            calls += 1;
            pass.reseal::<Note>(if at == bad { &good } else { &tokens[at] })?;
            if at == bad { Err(Failure::OfTheWork(at)) } else { Ok(()) }
        });
        assert_eq!((failed.unwrap_err(), calls), (Failure::OfTheWork(bad), bad + 1));
        tokens[bad] = good;
    }
    let resealed = reseal_page(&records, |at, pass| pass.reseal::<Note>(&tokens[at])).unwrap();
    assert_eq!(resealed.len(), 300, "the page is none the worse");
}

#[test]
fn an_empty_page_asks_for_nothing() {
    let nothing: Vec<()> = try_reseal_page(&[], |_, _| Err::<(), _>(Failure::OfTheWork(0))).unwrap();
    assert!(nothing.is_empty());
}

/// A page of records of two keyrings: each token goes to the primary key of its own.
#[test]
fn a_page_may_be_of_several_keyrings() {
    let worlds =
        [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305].map(|suite| World::rotated(suite, KeyState::Deactivated));
    let records: Vec<_> = (0..20).map(|at| worlds[at % 2].new.record("refill", at).unwrap()).collect();
    let tokens: Vec<_> = (0..20)
        .map(|at| worlds[at % 2].old.record("refill", at).unwrap().seal::<Note>(&at.to_string()).unwrap())
        .collect();
    let resealed = reseal_page(&records, |at, pass| pass.reseal::<Note>(&tokens[at])).unwrap();
    for (at, token) in resealed.iter().enumerate() {
        assert_eq!(token.key_id(), worlds[at % 2].new.primary_key());
        assert_eq!(open::<Note, String>(&records[at], token), at.to_string());
    }
}

/// No plaintext leaves, so the observer hears of nothing, by any call.
#[test]
fn resealing_is_no_opening() {
    struct Counting(&'static AtomicUsize);
    impl Observer for Counting {
        fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }
    static HEARD: AtomicUsize = AtomicUsize::new(0);

    let (roots, file) = testing::insecure_keyring_file(KEYSPACE).unwrap();
    let keys = run_local(Keyring::unlock(KEYSPACE, &roots, &file)).unwrap().observed_by(Counting(&HEARD));
    let record = keys.record("refill", 1).unwrap();
    let token = record.seal::<Note>("a").unwrap();
    for (_, reseal) in ways::<Note>() {
        reseal(&record, &token).unwrap();
    }
    refused::<Drug>(&record, &token, "open-failed");
    assert_eq!(HEARD.load(Ordering::Relaxed), 0);
    open::<Note, String>(&record, &token);
    assert_eq!(HEARD.load(Ordering::Relaxed), 1, "the control: an opening is heard");
}

/// Threads that reseal under one keyring at once, whose records count on it each for itself.
#[test]
fn threads_reseal_under_one_keyring() {
    let world = World::rotated(Suite::default(), KeyState::Deactivated);
    let work = |thread: usize| {
        let mut tokens = Vec::new();
        for id in 0..40 {
            let record = world.new.record("refill", id).unwrap();
            let old = world.old.record("refill", id).unwrap().seal::<Note>(&(thread * id)).unwrap();
            let token = record.reseal::<Note>(&old).unwrap();
            assert_eq!(open::<Note, usize>(&record, &token), thread * id);
            tokens.push((id, nonce_of(&token)));
        }
        tokens
    };
    let nonces: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len());
}

/// The error of a program's own work.
#[derive(Debug, PartialEq)]
enum Failure {
    OfTheWork(usize),
    OfRxseal(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::OfRxseal(error.code().as_str())
    }
}

// The world

const KEYSPACE: &str = "pharmacy-17";

/// A keyring before and after a rotation, and the key of a subject.
struct World {
    old: Keyring,
    new: Keyring,
    wrapped: rxseal::subjects::WrappedSubjectKey,
}

impl World {
    /// With the first key in this state after the rotation.
    fn rotated(suite: Suite, state: KeyState) -> Self {
        let roots: RootKeys = testing::insecure_keyring_file(KEYSPACE).unwrap().0;
        let first = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, suite)).unwrap();
        let unlock = |file| run_local(Keyring::unlock(KEYSPACE, &roots, file)).unwrap().unobserved();
        let old = unlock(&first);
        let second = run_local(rxseal::testing::rotate_keyring(KEYSPACE, &roots, &first)).unwrap();
        let last = match state {
            KeyState::Deactivated => second,
            _ => run_local(rxseal::testing::force_key_state(KEYSPACE, &roots, &second, old.primary_key(), state))
                .unwrap(),
        };
        let wrapped = old.create_subject_key("P-1").unwrap().1;
        Self { old, new: unlock(&last), wrapped }
    }

    fn subject(&self, keys: &Keyring) -> rxseal::subjects::SubjectKey {
        keys.unwrap_subject_key("P-1", &self.wrapped).unwrap()
    }
}

type Place = fn(&World, &Keyring) -> Record;

/// The same record under either keyring, in every kind of context.
const PLACES: &[Place] = &[
    |_, keys| keys.record("refill", 1).unwrap(),
    |world, keys| keys.record("refill", 1).unwrap().subject(&world.subject(keys)).unwrap(),
    |_, keys| keys.record("refill", 1).unwrap().wide(),
    |_, keys| keys.unbound("refill").unwrap(),
    |_, keys| keys.record("refill", 1).unwrap().part("line", 2).unwrap().part("fill", 3).unwrap(),
    |world, keys| keys.record("refill", 1).unwrap().wide().subject(&world.subject(keys)).unwrap(),
];
/// Which of them has a subject, and nothing else that the first has not.
const SUBJECT: usize = 1;

fn access() -> Access {
    Access::new("job:reseal", Purpose::HOPERAT).unwrap()
}

fn try_open<F: Field, T: serde::de::DeserializeOwned>(record: &Record, token: &Token) -> Result<T, Error> {
    record.opened_by(&access()).open::<F, T>(token)
}

#[track_caller]
fn open<F: Field, T: serde::de::DeserializeOwned>(record: &Record, token: &Token) -> T {
    try_open::<F, T>(record, token).unwrap()
}

fn kind_of(record: &Record, token: &Token) -> &'static str {
    let mut out = Vec::new();
    let opened = record.opened_by(&access()).open_fields(|pass| pass.open_into::<Note>(token.as_bytes(), &mut out));
    match opened.map_err(|error| error.code().as_str()) {
        Ok(()) => "bytes or text",
        Err("type-mismatch") => "JSON",
        Err(other) => other,
    }
}

/// The nonce bytes of a token as they stand in it.
fn nonce_of(token: &Token) -> Vec<u8> {
    let bytes = token.as_bytes();
    bytes[9..if bytes[2] == 0x17 { 21 } else { 33 }].to_vec()
}

/// Bytes as bytes, as with `serde_bytes`.
#[derive(Debug, PartialEq)]
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

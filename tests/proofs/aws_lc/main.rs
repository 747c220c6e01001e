//! Proves that AWS-LC and RustCrypto write the same: each opens what the other sealed, by every call, both refuse the
//! same with the same errors, and no output shows which of them computed it. `wiping.rs` proves that AWS-LC's freed
//! memory holds no keys and no plaintext.
//!
//! Feature `aws-lc` only: `cargo test -p rxseal-tests-proofs --features aws-lc --test aws_lc`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::incompatible_msrv)] // What is forgotten and leaked here is so on purpose.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod heap;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod needles;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod wiping;

use std::collections::{BTreeMap, BTreeSet};

use rxseal::keys::{Backend, KeyState, KeyringFile, Suite, UnlockOptions};
use rxseal::roles::NotAuthentic;
use rxseal::root::RootKeys;
use rxseal::subjects::WrappedSubjectKey;
use rxseal::{
    Access, Each, Error, Field, Keyring, Parts, Phi, Purpose, Record, Sealed, Sealing, Token, run_local, testing,
};
use serde::{Deserialize, Serialize};

const KEYSPACE: &str = "pharmacy-17";
const SUBJECT: &str = "patient-88";
const BOTH: [Backend; 2] = [Backend::RustCrypto, Backend::AwsLc];
const SUITES: [Suite; 2] = [Suite::Xaes256Gcm, Suite::XChaCha20Poly1305];
/// Bytes before the nonce of a token: its magic and its key's id.
const HEADER: usize = 9;

rxseal::fields! {
    Name = "aws-lc.name" in Identity;
    Phone = "aws-lc.phone" in Contact { block: 64 };
    Drug = "aws-lc.drug" in Medication { block: 1 };
    Prescriber = "aws-lc.prescriber" in Prescriber;
    Note = "aws-lc.note" in Clinical { block: 4096 };
    Plan = "aws-lc.plan" in Coverage;
    Renamed = "aws-lc.new" in Medication, was "aws-lc.old" in Clinical, was "aws-lc.older" in Identity;
}

/// The fields that `Renamed` was before.
mod before {
    rxseal::fields! {
        pub Old = "aws-lc.old" in Clinical;
        pub Older = "aws-lc.older" in Identity;
    }
}

// What one seals the other opens

#[test]
fn every_call_of_one_opens_what_every_call_of_the_other_sealed() {
    let mut pairs = 0;
    for store in &stores() {
        for (kind, record) in KINDS {
            for (sealing, opening) in [(0, 1), (1, 0)] {
                let sealer = record(store, &store.keys[sealing]);
                let opener = record(store, &store.keys[opening]);
                pairs += every_pair::<Name>(&sealer, &opener, &format!("{kind}, sealed by {:?}", BOTH[sealing]));
                pairs += every_pair::<Drug>(&sealer, &opener, &format!("{kind}, sealed by {:?}", BOTH[sealing]));
            }
        }
    }
    println!("{pairs} pairs of a sealing and an opening call");
}

fn every_pair<F: Field>(sealer: &Record, opener: &Record, what: &str) -> usize {
    let mut pairs = 0;
    for text in ["", "Jane Doe", "lisinopril 10 MG Oral Tablet, one daily in the morning, with food"] {
        let mut lengths = BTreeSet::new();
        for (seal_name, seal) in ways_to_seal::<F>() {
            let token = seal(sealer, text);
            lengths.insert(token.len());
            for (open_name, open) in ways_to_open::<F>() {
                let opened = open(opener, &token);
                assert_eq!(opened.as_deref(), Ok(text), "{what}, {seal_name} and {open_name}");
                pairs += 1;
            }
        }
        assert_eq!(lengths.len(), 1, "{what}: all calls make the same of one value");
    }
    pairs
}

/// Structs, lists, maps and options of several fields, in text and binary formats.
#[test]
fn rows_of_serde_cross_over() {
    for store in &stores() {
        for (kind, record) in KINDS {
            for (sealing, opening) in [(0, 1), (1, 0)] {
                let sealer = record(store, &store.keys[sealing]);
                let opener = record(store, &store.keys[opening]).opened_by(&access());
                let what = format!("{kind}, sealed by {:?}", BOTH[sealing]);
                let json = serde_json::to_string(&sealer.sealing(&Row::sample())).unwrap();
                let row: Row = opener.run_opening(|| serde_json::from_str(&json)).unwrap();
                assert_eq!(row, Row::sample(), "{what}, JSON");
                let bytes = sealer.run_sealing(|| postcard::to_stdvec(&Row::sample())).unwrap();
                let row: Row = opener.run_opening(|| postcard::from_bytes(&bytes)).unwrap();
                assert_eq!(row, Row::sample(), "{what}, postcard");
            }
        }
    }
}

#[test]
fn pages_cross_over() {
    for store in &stores() {
        for (sealing, opening) in [(0, 1), (1, 0)] {
            let records = |keys: &Keyring| -> Vec<_> {
                (0..300_u32).map(|id| keys.record("prescription", id).unwrap()).collect()
            };
            let (sealers, openers) = (records(&store.keys[sealing]), records(&store.keys[opening]));
            let text = |at: usize| format!("row {at}");
            let seal_row = |at: usize, pass: &mut rxseal::page::SealPass<'_>| {
                Ok::<_, Error>([pass.seal::<Name>(&text(at))?, pass.seal::<Drug>(&text(at))?])
            };
            let tokens = rxseal::page::seal_page(&sealers, seal_row).unwrap();
            let tokens = rxseal::page::reseal_page(&openers, |at, pass| {
                Ok::<_, Error>([pass.reseal::<Name>(&tokens[at][0])?, pass.reseal::<Drug>(&tokens[at][1])?])
            });
            let tokens = tokens.unwrap();
            let opened = rxseal::page::open_page(&sealers, &access(), |at, pass| {
                Ok::<_, Error>([pass.open::<Name, String>(&tokens[at][0])?, pass.open::<Drug, String>(&tokens[at][1])?])
            });
            assert!(opened.unwrap().iter().enumerate().all(|(at, row)| *row == [text(at), text(at)]));
        }
    }
}

/// Around the chunks in which the ciphers work, and the largest.
#[test]
fn large_values_cross_over() {
    const MIB: usize = 1024 * 1024;
    let largest = if cfg!(debug_assertions) { MIB } else { 16 * MIB };
    for store in &stores() {
        for len in [255, 256, 257, 4095, 4096, 65_535, 65_536, 65_537, largest] {
            for (sealing, opening) in [(0, 1), (1, 0)] {
                let value: Vec<u8> = (0_u32..).map(|n| (n % 251) as u8).take(len).collect();
                let sealer = store.keys[sealing].record("scan", "S-1").unwrap();
                let opener = store.keys[opening].record("scan", "S-1").unwrap();
                let mut buffer = value.clone();
                sealer.seal_fields(|pass| pass.seal_in_place::<Note>(&mut buffer)).unwrap();
                let token = buffer.clone();
                opener.opened_by(&access()).open_fields(|pass| pass.open_in_place::<Note>(&mut buffer)).unwrap();
                assert!(buffer == value, "{len} bytes in place, sealed by {:?}", BOTH[sealing]);
                let mut out = Vec::new();
                opener.opened_by(&access()).open_fields(|pass| pass.open_into::<Note>(&token, &mut out)).unwrap();
                assert!(out == value, "{len} bytes, sealed by {:?}", BOTH[sealing]);
            }
        }
    }
}

#[test]
fn former_fields_cross_over() {
    for store in &stores() {
        for (sealing, opening) in [(0, 1), (1, 0)] {
            let sealer = store.keys[sealing].record("prescription", "RX-1").unwrap();
            let opener = store.keys[opening].record("prescription", "RX-1").unwrap();
            for token in [sealer.seal::<before::Old>("warfarin"), sealer.seal::<before::Older>("warfarin")] {
                let token = token.unwrap();
                for (name, open) in ways_to_open::<Renamed>() {
                    assert_eq!(open(&opener, token.as_bytes()).as_deref(), Ok("warfarin"), "{name}");
                }
                let now = opener.reseal::<Renamed>(&token).unwrap();
                assert_eq!(sealer.opened_by(&access()).open::<Renamed, String>(&now).unwrap(), "warfarin");
                assert_eq!(opened_by::<before::Old>(&sealer, &now), Err("open-failed"));
            }
        }
    }
}

/// Records of both backends in one call, and a keyring of AWS-LC used by many threads.
#[test]
fn records_of_both_work_together() {
    for store in &stores() {
        for (from, to) in [(0, 1), (1, 0)] {
            let one = store.keys[from].record("patient", "P-1").unwrap();
            let other = store.keys[to].record("patient", "P-2").unwrap();
            let token = one.rebind::<Name>(&other, &one.seal::<Name>("Jane Doe").unwrap(), &access()).unwrap();
            assert_eq!(
                opened_by::<Name>(&store.keys[from].record("patient", "P-2").unwrap(), &token),
                Ok("Jane Doe".into())
            );
        }
        let [rust_crypto, aws_lc] = &store.keys;
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                scope.spawn(move || {
                    for id in 0..200_u32 {
                        let record = |keys: &Keyring| keys.record("patient", thread * 1000 + id).unwrap();
                        let token = record(aws_lc).seal::<Name>("Jane Doe").unwrap();
                        assert_eq!(opened_by::<Name>(&record(aws_lc), &token), Ok("Jane Doe".into()));
                        assert_eq!(opened_by::<Name>(&record(rust_crypto), &token), Ok("Jane Doe".into()));
                    }
                });
            }
        });
    }
}

// Keyrings and wrapped keys

/// Every keyring file that three changes by either backend make, in every order of the two.
#[test]
fn keyrings_are_changed_by_either() {
    for suite in SUITES {
        for order in 0..8_usize {
            let backend = |step: usize| options(BOTH[(order >> step) & 1]);
            let (roots, first) = new_file(suite);
            let sealed = |file: &KeyringFile, by: Backend| {
                unlock(&roots, file, by).record("prescription", "RX-1").unwrap().seal::<Drug>("warfarin").unwrap()
            };
            let [old, old_too] = BOTH.map(|by| sealed(&first, by));
            let rotated =
                run_local(rxseal::testing::rotate_keyring_with(backend(0), KEYSPACE, &roots, &first)).unwrap();
            let [new, new_too] = BOTH.map(|by| sealed(&rotated, by));
            opens_under_both(&roots, &rotated, &[&old, &old_too, &new, &new_too], Ok("warfarin"));
            for token in [&old, &old_too, &new, &new_too] {
                let needed: BTreeSet<_> =
                    BOTH.iter().map(|by| unlock(&roots, &rotated, *by).needs_reseal(token).unwrap()).collect();
                assert_eq!(needed, BTreeSet::from([token.key_id() == old.key_id()]));
            }

            let set_state = |step, file: &KeyringFile, state| {
                run_local(rxseal::testing::force_key_state_with(
                    backend(step),
                    KEYSPACE,
                    &roots,
                    file,
                    old.key_id(),
                    state,
                ))
                .unwrap()
            };
            let compromised = set_state(1, &rotated, KeyState::Compromised);
            opens_under_both(&roots, &compromised, &[&old, &old_too], Err("key-compromised"));
            opens_under_both(&roots, &compromised, &[&new, &new_too], Ok("warfarin"));
            for by in BOTH {
                let record = unlock(&roots, &compromised, by).record("prescription", "RX-1").unwrap();
                let suspect = record.opened_by(&access()).open_compromised::<Drug, String>(&old);
                assert_eq!(suspect.map(NotAuthentic::expose_not_authentic).unwrap(), "warfarin");
                let resealed = record.reseal_compromised::<Drug>(&old_too).unwrap();
                opens_under_both(&roots, &compromised, &[&resealed], Ok("warfarin"));
            }

            let destroyed = set_state(2, &compromised, KeyState::Destroyed);
            opens_under_both(&roots, &destroyed, &[&old, &old_too], Err("key-destroyed"));
            opens_under_both(&roots, &destroyed, &[&new, &new_too], Ok("warfarin"));
        }
    }
}

#[test]
fn keyrings_are_refused_alike() {
    let (roots, file) = new_file(Suite::default());
    let (_, other) = new_file(Suite::default());
    let [mine, others] =
        [&file, &other].map(|file| serde_json::from_str::<serde_json::Value>(&file.to_string()).unwrap());
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = mine.clone();
        change(&mut changed);
        changed.to_string().parse::<KeyringFile>()
    };
    let cases: [(&str, Result<KeyringFile, Error>); 5] = [
        ("another generation", with(&|file| file["generation"] = 2.into())),
        ("another body", with(&|file| file["body"] = others["body"].clone())),
        ("another wrap", with(&|file| file["wraps"][0]["wrapped"] = others["wraps"][0]["wrapped"].clone())),
        ("another KEK", with(&|file| file["kek"] = others["kek"].clone())),
        ("another time", with(&|file| file["keys"][0]["created"] = 1.into())),
    ];
    for (name, changed) in cases {
        let changed = changed.unwrap();
        for by in BOTH {
            let outcomes = [
                run_local(Keyring::unlock_with(options(by), KEYSPACE, &roots, &changed)).map(drop),
                run_local(rxseal::testing::rotate_keyring_with(options(by), KEYSPACE, &roots, &changed)).map(drop),
            ];
            for outcome in outcomes {
                assert_eq!(outcome.map_err(|error| error.code().as_str()), Err("unlock-failed"), "{name}, {by:?}");
            }
        }
    }
    for by in BOTH {
        let old = run_local(Keyring::unlock_with(options(by).min_generation(2), KEYSPACE, &roots, &file));
        assert_eq!(old.unwrap_err().code().as_str(), "keyring-too-old");
        let pinned = run_local(Keyring::unlock_with(options(by).pin([7; 32]), KEYSPACE, &roots, &file));
        assert_eq!(pinned.unwrap_err().code().as_str(), "pin-mismatch");
        let held = *file.keys()[0].fingerprint();
        assert!(run_local(Keyring::unlock_with(options(by).pin(held), KEYSPACE, &roots, &file)).is_ok());
    }
}

#[test]
fn wrapped_subject_keys_cross_over() {
    for store in &stores() {
        for (making, using) in [(0, 1), (1, 0)] {
            let (maker, user) = (&store.keys[making], &store.keys[using]);
            let (key, wrapped) = maker.create_subject_key("patient-89").unwrap();
            assert_eq!(wrapped.as_bytes().len(), 81);
            let record = maker.record("prescription", "RX-1").unwrap().subject(&key).unwrap();
            let token = record.seal::<Name>("Jane Doe").unwrap();
            for wrapped in [&wrapped, &user.rewrap_subject_key("patient-89", &wrapped).unwrap()] {
                let key = user.unwrap_subject_key("patient-89", wrapped).unwrap();
                let record = user.record("prescription", "RX-1").unwrap().subject(&key).unwrap();
                assert_eq!(opened_by::<Name>(&record, &token), Ok("Jane Doe".into()));
            }
            // Every byte of it, and another subject.
            for at in 0..wrapped.as_bytes().len() {
                let mut changed = wrapped.as_bytes().to_vec();
                changed[at] ^= 1;
                let codes = [maker, user].map(|keys| {
                    let wrapped = WrappedSubjectKey::try_from(changed.as_slice())?;
                    keys.unwrap_subject_key("patient-89", &wrapped).map(drop)
                });
                let [one, other] = codes.map(|outcome| outcome.unwrap_err().code().as_str());
                assert_eq!(one, other, "byte {at}");
                assert!(at < HEADER || one == "subject-key-refused", "byte {at}: {one}");
            }
            for keys in [maker, user] {
                assert_eq!(
                    keys.unwrap_subject_key("patient-90", &wrapped).unwrap_err().code().as_str(),
                    "subject-key-refused"
                );
            }
        }
    }
}

// Both refuse alike

/// Every byte of a short token, every prefix of it, and what stands before or behind it, for every call that opens.
#[test]
fn changed_tokens_are_refused_alike() {
    let mut refused = 0;
    for store in &stores() {
        for (kind, record) in KINDS {
            let records = BOTH.map(|by| record(store, store.by(by)));
            let token = records[0].seal::<Drug>("five").unwrap().into_bytes();
            for at in 0..token.len() {
                let mut changed = token.clone();
                changed[at] ^= 1 << (at % 8);
                let code = refused_alike::<Drug>(&records, &changed, &format!("{kind}, byte {at}"));
                assert!(at < HEADER || code == "open-failed", "{kind}, byte {at}: {code}");
                refused += 1;
            }
            for len in 0..token.len() {
                refused_alike::<Drug>(&records, &token[..len], &format!("{kind}, {len} bytes of it"));
            }
            refused_alike::<Drug>(&records, &[&token[..], &[0]].concat(), kind);
            refused_alike::<Drug>(&records, &[&[0], &token[..]].concat(), kind);
            assert_eq!(
                records.each_ref().map(|record| opened_by::<Drug>(record, &Token::try_from(&token[..]).unwrap())),
                [Ok("five".into()), Ok("five".into())]
            );
        }
    }
    println!("{refused} changed tokens refused by every call of both");
}

/// A token opened where it does not belong.
#[test]
fn wrong_places_are_refused_alike() {
    for store in &stores() {
        let subject = |keys: &Keyring| keys.unwrap_subject_key(SUBJECT, &store.wrapped).unwrap();
        let token = store.keys[0].record("prescription", "RX-1").unwrap().seal::<Name>("Jane Doe").unwrap();
        type Place = fn(&Keyring) -> Record;
        let places: [(&str, Place); 6] = [
            ("another record", |keys| keys.record("prescription", "RX-2").unwrap()),
            ("another type", |keys| keys.record("order", "RX-1").unwrap()),
            ("no record", |keys| keys.unbound("prescription").unwrap()),
            ("a part", |keys| keys.record("prescription", "RX-1").unwrap().part("line", 1).unwrap()),
            ("a wide record of another id", |keys| keys.record("prescription", "RX-2").unwrap().wide()),
            ("a number for an id", |keys| keys.record("prescription", 1_u64).unwrap()),
        ];
        for (name, place) in places {
            let records = BOTH.map(|by| place(store.by(by)));
            assert_eq!(refused_alike::<Name>(&records, token.as_bytes(), name), "open-failed", "{name}");
        }
        let records = BOTH.map(|by| {
            let keys = store.by(by);
            keys.record("prescription", "RX-1").unwrap().subject(&subject(keys)).unwrap()
        });
        assert_eq!(refused_alike::<Name>(&records, token.as_bytes(), "with a subject"), "open-failed");
        let records = BOTH.map(|by| store.by(by).record("prescription", "RX-1").unwrap());
        assert_eq!(refused_alike::<Drug>(&records, token.as_bytes(), "another field"), "open-failed");
        assert_eq!(refused_alike::<Renamed>(&records, token.as_bytes(), "a field that had others"), "open-failed");
        let (roots, file) = new_file(Suite::default());
        let records = BOTH.map(|by| unlock(&roots, &file, by).record("prescription", "RX-1").unwrap());
        assert_eq!(refused_alike::<Name>(&records, token.as_bytes(), "another keyring"), "unknown-key");
        // A large token, which AWS-LC decrypts before it refuses.
        let mut large = vec![7; 300_000];
        records_of(store)[1].seal_fields(|pass| pass.seal_in_place::<Note>(&mut large)).unwrap();
        *large.last_mut().unwrap() ^= 1;
        assert_eq!(refused_alike::<Note>(&records_of(store), &large, "a large one"), "open-failed");
    }
}

fn records_of(store: &Store) -> [Record; 2] {
    BOTH.map(|by| store.by(by).record("prescription", "RX-1").unwrap())
}

/// What both refuse to seal, and to open as another type.
#[test]
fn wrong_values_are_refused_alike() {
    rxseal::fields! { Short = "aws-lc.short" in Identity { max: 8 }; }
    for store in &stores() {
        let codes = records_of(store).map(|record| {
            let token = record.seal::<Name>("Jane Doe").unwrap();
            let number = record.seal::<Note>(&7_u64).unwrap();
            let open = record.opened_by(&access());
            let mut number_buffer = number.as_bytes().to_vec();
            let outcomes = [
                record.seal::<Short>("more than that").map(drop),
                record.seal::<Note>(&f64::NAN).map(drop),
                record.seal::<Note>(&token.to_string()).map(drop),
                open.open::<Name, u64>(&token).map(drop),
                open.open_fields(|pass| pass.open_into::<Note>(number.as_bytes(), &mut Vec::new())),
                open.open_fields(|pass| pass.open_in_place::<Note>(&mut number_buffer)),
                record.seal_fields(|pass| {
                    pass.seal::<Name>("once")?;
                    pass.seal::<Name>("twice").map(drop)
                }),
            ];
            // What was decrypted in place before it was refused is sealed again, to the same bytes.
            assert_eq!(number_buffer, number.as_bytes());
            outcomes.map(|outcome| outcome.unwrap_err().code().as_str())
        });
        assert_eq!(codes[0], codes[1]);
        assert_eq!(
            codes[0],
            [
                "too-large",
                "not-finite",
                "token-as-plaintext",
                "type-mismatch",
                "type-mismatch",
                "type-mismatch",
                "field-repeated"
            ]
        );
    }
}

/// The one code by which every call of both records refuses `token`.
fn refused_alike<F: Field>(records: &[Record; 2], token: &[u8], what: &str) -> &'static str {
    let codes: BTreeSet<_> = records
        .iter()
        .flat_map(|record| {
            ways_to_open::<F>().map(|(name, open)| open(record, token).expect_err(&format!("{what}, {name}")))
        })
        .collect();
    assert_eq!(codes.len(), 1, "{what}: {codes:?}");
    codes.into_iter().next().unwrap()
}

// Nothing tells which it was

/// The default is the backend that needs no C compiler; CI builds this test with the other one as well.
#[test]
fn rust_crypto_is_the_default() {
    let expected = if cfg!(rxseal_default_backend = "aws-lc") { Backend::AwsLc } else { Backend::RustCrypto };
    assert_eq!(Backend::default(), expected);
}

/// Of the same value both make tokens of the same length and header, and keyring files of the same members. That the bytes are
/// the same for the same nonce follows from what is opened above: a key, a nonce and a text have one ciphertext and one tag.
#[test]
fn nothing_written_tells_which_it_was() {
    for store in &stores() {
        for (kind, record) in KINDS {
            for len in [0, 1, 29, 30, 31, 62, 63, 4000, 5000] {
                let value = "x".repeat(len);
                let [one, other] = BOTH.map(|by| {
                    let record = record(store, store.by(by));
                    let tokens =
                        [record.seal::<Name>(&value), record.seal::<Drug>(&value), record.seal::<Note>(&value)];
                    tokens.map(|token| {
                        let token = token.unwrap();
                        let text = token.to_string();
                        (token.as_bytes().len(), token.as_bytes()[..HEADER].to_vec(), text.len(), text[..12].to_owned())
                    })
                });
                assert_eq!(one, other, "{kind}, {len} bytes");
            }
        }
        let [one, other] = BOTH.map(|by| store.by(by).create_subject_key("patient-89").unwrap().1);
        assert_eq!(one.as_bytes()[..HEADER], other.as_bytes()[..HEADER]);
        let shapes = BOTH.map(|by| {
            let file =
                run_local(rxseal::testing::rotate_keyring_with(options(by), KEYSPACE, &store.roots, &store.file))
                    .unwrap();
            shape(&serde_json::from_str(&file.to_string()).unwrap())
        });
        assert_eq!(shapes[0], shapes[1]);
    }
}

/// The members of a JSON value with the lengths of its texts.
fn shape(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            members.iter().map(|(name, member)| format!("{name}:{} ", shape(member))).collect()
        }
        // Keys stand in the order of their random ids.
        serde_json::Value::Array(list) => {
            let mut shapes: Vec<_> = list.iter().map(shape).collect();
            shapes.sort_unstable();
            shapes.concat()
        }
        serde_json::Value::String(text) => format!("{} characters", text.len()),
        other => {
            if other.is_number() {
                "a number".to_owned()
            } else {
                other.to_string()
            }
        }
    }
}

// Every call

type Seal = fn(&Record, &str) -> Vec<u8>;

#[rustfmt::skip]
fn ways_to_seal<F: Field>() -> [(&'static str, Seal); 13] {
    [
        ("seal", |record, text| record.seal::<F>(text).unwrap().into_bytes()),
        ("seal_text", |record, text| bytes_of(&record.seal_text::<F>(text).unwrap())),
        ("SealPass::seal", |record, text| record.seal_fields(|pass| pass.seal::<F>(text)).unwrap().into_bytes()),
        ("SealPass::seal_text", |record, text| bytes_of(&record.seal_fields(|pass| pass.seal_text::<F>(text)).unwrap())),
        ("seal_into", |record, text| {
            let mut out = b"before".to_vec();
            record.seal_fields(|pass| pass.seal_into::<F>(text, &mut out)).unwrap();
            out.strip_prefix(b"before").unwrap().to_vec()
        }),
        ("seal_text_into", |record, text| {
            let mut out = String::from("before");
            record.seal_fields(|pass| pass.seal_text_into::<F>(text, &mut out)).unwrap();
            bytes_of(out.strip_prefix("before").unwrap())
        }),
        ("Sealed::seal", |record, text| Sealed::<String, F>::seal(record, text).unwrap().into_token().into_bytes()),
        ("sealing JSON", |record, text| {
            let json = serde_json::to_value(record.sealing(&Phi::<String, F>::new(text.to_owned()))).unwrap();
            bytes_of(json.as_str().unwrap())
        }),
        ("seal_page", |record, text| {
            let page = std::slice::from_ref(record);
            rxseal::page::seal_page(page, |_, pass| pass.seal::<F>(text)).unwrap().remove(0).into_bytes()
        }),
        ("reseal", |record, text| record.reseal::<F>(&record.seal::<F>(text).unwrap()).unwrap().into_bytes()),
        ("reseal_text", |record, text| {
            let token = record.seal_text::<F>(text).unwrap();
            bytes_of(&record.reseal_fields(|pass| pass.reseal_text::<F>(&token)).unwrap())
        }),
        ("reseal_into", |record, text| {
            let token = record.seal::<F>(text).unwrap();
            let mut out = b"before".to_vec();
            record.reseal_fields(|pass| pass.reseal_into::<F>(token.as_bytes(), &mut out)).unwrap();
            out.strip_prefix(b"before").unwrap().to_vec()
        }),
        ("reseal_page", |record, text| {
            let token = record.seal::<F>(text).unwrap();
            let page = std::slice::from_ref(record);
            rxseal::page::reseal_page(page, |_, pass| pass.reseal::<F>(&token)).unwrap().remove(0).into_bytes()
        }),
    ]
}

type Open = fn(&Record, &[u8]) -> Result<String, &'static str>;

/// Each gives the text, or the code of the error; and checks that a buffer is as it was where a call fails.
#[rustfmt::skip]
fn ways_to_open<F: Field>() -> [(&'static str, Open); 8] {
    fn code(error: Error) -> &'static str {
        error.code().as_str()
    }
    [
        ("open", |record, token| record.opened_by(&access()).open::<F, String>(&Token::try_from(token).map_err(code)?).map_err(code)),
        ("open_text", |record, token| record.opened_by(&access()).open_text::<F, String>(&text_of(token)).map_err(code)),
        ("OpenPass::open", |record, token| {
            record.opened_by(&access()).open_fields(|pass| pass.open::<F, String>(&Token::try_from(token)?)).map_err(code)
        }),
        ("open_into", |record, token| {
            let mut out = b"before".to_vec();
            let opened = record.opened_by(&access()).open_fields(|pass| pass.open_into::<F>(token, &mut out));
            assert!(opened.is_ok() || out == b"before", "`open_into` changed the buffer and failed");
            opened.map_err(code).map(|()| String::from_utf8(out.split_off(6)).unwrap())
        }),
        ("open_in_place", |record, token| {
            let mut buffer = token.to_vec();
            let opened = record.opened_by(&access()).open_fields(|pass| pass.open_in_place::<F>(&mut buffer));
            assert!(opened.is_ok() || buffer == token, "`open_in_place` changed the buffer and failed");
            opened.map_err(code).map(|()| String::from_utf8(buffer).unwrap())
        }),
        ("Sealed::open", |record, token| {
            Sealed::<String, F>::from(Token::try_from(token).map_err(code)?).open(&record.opened_by(&access())).map_err(code)
        }),
        ("opening JSON", |record, token| {
            let json = serde_json::to_string(&text_of(token)).unwrap();
            let opened = record.opened_by(&access()).run_opening(|| serde_json::from_str::<Phi<String, F>>(&json));
            opened.map_err(code).map(Phi::expose_into_inner)
        }),
        ("open_page", |record, token| {
            let page = std::slice::from_ref(record);
            let opened = rxseal::page::open_page(page, &access(), |_, pass| pass.open_text::<F, String>(&text_of(token)));
            opened.map_err(code).map(|mut list| list.remove(0))
        }),
    ]
}

fn opened_by<F: Field>(record: &Record, token: &Token) -> Result<String, &'static str> {
    record.opened_by(&access()).open::<F, String>(token).map_err(|error| error.code().as_str())
}

fn text_of(token: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token)
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.parse::<Token>().unwrap().into_bytes()
}

// What the tests work on

/// One keyring file, unlocked with both backends.
struct Store {
    roots: RootKeys,
    file: KeyringFile,
    /// In the order of `BOTH`.
    keys: [Keyring; 2],
    wrapped: WrappedSubjectKey,
}

impl Store {
    fn new(suite: Suite) -> Self {
        let (roots, file) = new_file(suite);
        let keys = BOTH.map(|by| unlock(&roots, &file, by));
        let wrapped = keys[0].create_subject_key(SUBJECT).unwrap().1;
        Self { roots, file, keys, wrapped }
    }

    fn by(&self, backend: Backend) -> &Keyring {
        &self.keys[BOTH.iter().position(|by| *by == backend).unwrap()]
    }

    fn subject(&self, record: &Record, keys: &Keyring) -> Record {
        record.subject(&keys.unwrap_subject_key(SUBJECT, &self.wrapped).unwrap()).unwrap()
    }
}

fn stores() -> [Store; 2] {
    SUITES.map(Store::new)
}

type MakeRecord = fn(&Store, &Keyring) -> Record;

#[rustfmt::skip]
const KINDS: [(&str, MakeRecord); 7] = [
    ("bound", |_, keys| keys.record("prescription", "RX-1").unwrap()),
    ("wide", |_, keys| keys.record("prescription", "RX-1").unwrap().wide()),
    ("unbound", |_, keys| keys.unbound("prescription").unwrap()),
    ("a part", |_, keys| keys.record("prescription", "RX-1").unwrap().part("line", 2).unwrap()),
    ("a part of a part", |_, keys| {
        keys.record("prescription", "RX-1").unwrap().part("line", 2).unwrap().part("dose", "morning").unwrap()
    }),
    ("a subject's", |store, keys| store.subject(&keys.record("prescription", "RX-1").unwrap(), keys)),
    ("a subject's part, wide", |store, keys| {
        store.subject(&keys.record("prescription", "RX-1").unwrap(), keys).part("line", 2).unwrap().wide()
    }),
];

fn new_file(suite: Suite) -> (RootKeys, KeyringFile) {
    let (roots, _) = testing::insecure_keyring_file(KEYSPACE).unwrap();
    let file = run_local(rxseal::testing::create_keyring(KEYSPACE, &roots, suite)).unwrap();
    (roots, file)
}

fn unlock(roots: &RootKeys, file: &KeyringFile, backend: Backend) -> Keyring {
    run_local(Keyring::unlock_with(options(backend), KEYSPACE, roots, file)).unwrap().unobserved()
}

fn options(backend: Backend) -> UnlockOptions {
    UnlockOptions::default().backend(backend)
}

fn opens_under_both(roots: &RootKeys, file: &KeyringFile, tokens: &[&Token], expected: Result<&str, &'static str>) {
    for by in BOTH {
        let record = unlock(roots, file, by).record("prescription", "RX-1").unwrap();
        for token in tokens {
            assert_eq!(opened_by::<Drug>(&record, token).as_deref().map_err(|code| *code), expected, "{by:?}");
        }
    }
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Row {
    rx_number: u64,
    #[serde(with = "Sealing::<Name>")]
    name: String,
    #[serde(with = "Sealing::<Option<Drug>>")]
    drug: Option<String>,
    #[serde(with = "Sealing::<Option<Renamed>>")]
    none: Option<String>,
    #[serde(with = "Sealing::<Note>")]
    note: (u64, f64, Vec<String>),
    #[serde(with = "Sealing::<Each<Plan>>")]
    plans: Vec<String>,
    #[serde(with = "Sealing::<Parts<Phone>>")]
    phones: BTreeMap<u8, String>,
    prescriber: Phi<String, Prescriber>,
}

impl Row {
    fn sample() -> Self {
        Self {
            rx_number: 1001,
            name: "Jane Doe".to_owned(),
            drug: Some("warfarin 5 MG".to_owned()),
            none: None,
            note: (7, 2.5, vec!["one daily".to_owned(), "with food".to_owned()]),
            plans: vec!["A".to_owned(), "B".to_owned(), "C".to_owned()],
            phones: BTreeMap::from([(1, "+49 30 1".to_owned()), (2, "+49 30 2".to_owned())]),
            prescriber: "Dr. Roe".to_owned().into(),
        }
    }
}

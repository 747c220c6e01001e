//! Laws that hold for arbitrary values, ids and sequences of administrative calls.
//!
//! `PROPTEST_CASES` asks for more cases than the few that a debug build runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use rxseal::{
    Access, Each, Error, Keyring, KeyState, KeyUse, KeyId, KeyringFile, Parts, Phi, Purpose, Record, RecordAccess,
    RootKeys, Sealed, Sealing, SubjectKey, Suite, Token, run_local, testing,
};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    Block1 = "properties.block-1" in Identity { block: 1 };
    Block16 = "properties.block-16" in Contact { block: 16 };
    Block32 = "properties.block-32" in Medication;
    Block100 = "properties.block-100" in Clinical { block: 100 };
    Block4096 = "properties.block-4096" in Coverage { block: 4096 };
}

fn cases() -> ProptestConfig {
    let few = ProptestConfig { cases: if cfg!(debug_assertions) { 64 } else { 2000 }, ..ProptestConfig::default() };
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig { failure_persistence: None, ..few },
    }
}

// What may be sealed

proptest! {
    #![proptest_config(cases())]

    /// FORMAT 7: what was sealed comes back, whatever it is, wherever it belongs, however it is padded and carried.
    #[test]
    fn every_value_comes_back(place in place(), value in value()) {
        let rec = place.record();
        let access = rec.access(&ACCESS);
        macro_rules! round_trip {
            ($($field:ident)*) => {$(
                let token = value.seal::<$field>(&rec).unwrap();
                value.assert_opens::<$field>(&access, &token);
                // In both forms, and also from what was resealed.
                let text: Token = token.to_string().parse().unwrap();
                prop_assert_eq!(&text, &token);
                value.assert_opens::<$field>(&access, &Token::try_from(text.as_bytes()).unwrap());
                let again = rec.reseal::<$field>(&token).unwrap();
                prop_assert_ne!(&again, &token);
                value.assert_opens::<$field>(&access, &again);
            )*};
        }
        round_trip!(Block1 Block16 Block32 Block100 Block4096);
    }

    /// T3: the length of a token tells the number of blocks, and nothing else.
    #[test]
    fn a_token_is_as_long_as_its_padded_content(place in place(), a in value(), b in value()) {
        let rec = place.record();
        macro_rules! lengths {
            ($($field:ident $block:literal,)*) => {$(
                let padded = |value: &Value| (1 + value.content().len() + 1).div_ceil($block) * $block;
                let [a_token, b_token] = [&a, &b].map(|value| value.seal::<$field>(&rec).unwrap());
                let around = 9 + if place.letter() == 'X' { 12 } else { 24 } + 16;
                prop_assert_eq!(a_token.as_bytes().len(), around + padded(&a));
                prop_assert_eq!(a_token.as_bytes().len() == b_token.as_bytes().len(), padded(&a) == padded(&b));
                prop_assert!(a_token.to_string().starts_with(&format!("rxs{}", place.letter())));
            )*};
        }
        lengths!(Block1 1, Block16 16, Block32 32, Block100 100, Block4096 4096,);
    }

    /// T8, T11: a token opens where it was sealed and nowhere else, unless the two places are one (FORMAT 4.3).
    #[test]
    fn places_that_differ_do_not_share_tokens(a in place(), b in near(place()), value in value()) {
        let b = b(&a);
        let token = value.seal::<Block32>(&a.record()).unwrap();
        let opened = value.opens::<Block32>(&b.record().access(&ACCESS), &token);
        prop_assert_eq!(opened, a.is_same_place(&b), "{:?} and {:?}", a, b);
    }

    /// The forms of a field, together in one struct, through a text format and a binary one.
    #[test]
    fn every_record_comes_back(place in place(), row in row()) {
        let rec = place.record();
        let access = rec.access(&ACCESS);
        let sealed = row.forms(&rec);
        let json = serde_json::to_string(&rec.sealing(&sealed)).unwrap();
        let read: Forms = access.run_opening(|| serde_json::from_str(&json)).unwrap();
        prop_assert!(row.is_in(&read, &access));
        let bytes = rec.run_sealing(|| postcard::to_stdvec(&sealed)).unwrap();
        let read: Forms = access.run_opening(|| postcard::from_bytes(&bytes)).unwrap();
        prop_assert!(row.is_in(&read, &access));
        // T13, T34: without a scope neither is read.
        prop_assert!(serde_json::from_str::<Forms>(&json).is_err());
        prop_assert!(postcard::from_bytes::<Forms>(&bytes).is_err());
    }

    /// FORMAT 1.4, 1.6: an id is taken as it is, or refused.
    #[test]
    fn ids_are_taken_or_refused(id in prop_oneof![any::<String>(), "[!-~]{0,300}", "[ -~]{1,8}"]) {
        let legal = (1..=255).contains(&id.len()) && id.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        let spelled = id.to_ascii_lowercase().starts_with("urn:uuid:");
        match KEYS[0].record("prescription", &id) {
            Ok(_) => prop_assert!(legal && !spelled),
            Err(error) => prop_assert!(error.code() == "invalid-id" && (!legal || spelled || id.len() >= 36)),
        }
    }

    /// T7, T15: no text but the canonical one is a token, and none makes the parser panic.
    #[test]
    fn tokens_have_one_spelling(text in prop_oneof![any::<String>(), "rxs[Xxc][A-Za-z0-9_-]{40,120}=?"]) {
        if let Ok(token) = text.parse::<Token>() {
            prop_assert_eq!(token.to_string(), text);
        }
    }
}

/// A JSON document in which nothing but the keyring's own members is written, and nothing is written as an array that is an
/// object (FORMAT 8, 8.1; T21).
#[test]
fn a_keyring_file_is_written_with_its_members_only() {
    let (_, file) = testing::insecure_keyring_file("pharmacy-17").unwrap();
    let text = file.to_string();
    assert_eq!(text.parse::<KeyringFile>().unwrap(), file);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let members = ["rxseal_keyring", "kind", "keyspace", "generation", "kek", "keys", "wraps", "body"];
    let as_array = |value: &serde_json::Value, members: &[&str]| {
        serde_json::Value::from(members.iter().map(|member| value[member].clone()).collect::<Vec<_>>())
    };
    let whole = as_array(&read, &members);
    let mut key = read.clone();
    key["keys"][0] = as_array(
        &read["keys"][0],
        &["id", "fingerprint", "use", "state", "primary", "suite", "created", "changed"],
    );
    let mut wrap = read.clone();
    wrap["wraps"][0] = as_array(&read["wraps"][0], &["provider", "root_key", "wrapped"]);
    for (what, changed) in [("the file", whole), ("a key", key), ("a wrap", wrap)] {
        let error = changed.to_string().parse::<KeyringFile>().err();
        assert_eq!(error.map(|error| error.code()), Some("invalid-keyring"), "{what} as an array");
    }
}

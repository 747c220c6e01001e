//! Canaries: their values are found in every encoding, their list keeps them, and nothing shows them.

use std::fmt::Write as _;

use rxseal::{Access, Purpose};
use rxseal_scan::{Canaries, Canary, CanaryError, KnownValues, Scan};

use crate::support::{Place, Seeded, all_texts};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Written here anew, so that a mistake in the crate is no mistake in its test.
fn base64(bytes: &[u8], is_url: bool) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let letter = char::from(BASE64[(number >> (18 - 6 * at)) as usize & 63]);
            text.push(match letter {
                '+' if is_url => '-',
                '/' if is_url => '_',
                letter => letter,
            });
        }
    }
    text
}

fn written(value: &str, encoding: &str, before: usize) -> Vec<u8> {
    let mut text = String::new();
    match encoding {
        "utf-8" => text.push_str(value),
        "utf-16le" => return value.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => return value.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "windows-1252" => return value.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect(),
        "json" => value.chars().for_each(|char| match char {
            '/' => text.push_str("\\/"),
            char if char.is_ascii() => text.push(char),
            char => write!(text, "\\u{:04x}", u32::from(char)).unwrap(),
        }),
        "url" | "form" => value.bytes().for_each(|byte| match byte {
            b' ' if encoding == "form" => text.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => text.push(char::from(byte)),
            byte => write!(text, "%{byte:02X}").unwrap(),
        }),
        "html" => value.chars().for_each(|char| match char {
            '\'' => text.push_str("&#39;"),
            char if char.is_ascii() => text.push(char),
            char => write!(text, "&#{};", u32::from(char)).unwrap(),
        }),
        "quoted" => text.push_str(&value.replace('\'', "''")),
        "hex" => value.bytes().for_each(|byte| write!(text, "{byte:02X}").unwrap()),
        _ => {
            let whole = [&*"?".repeat(before), value, "?!"].concat();
            text.push_str(&base64(whole.as_bytes(), encoding == "base64url"));
        }
    }
    text.into_bytes()
}

#[test]
fn each_value_is_found_in_twelve_encodings() {
    let place = Place::new("canaries");
    let canary = Canary::make().unwrap();
    let canaries = Canaries::from_iter([canary.clone()]);
    let scan = Scan::new().looking_for(canaries.known().unwrap());
    let mut chance = Seeded(14);
    for encoding in KnownValues::ENCODINGS {
        for (of, value) in canary.values() {
            for before in 0..3 {
                // In the middle of letters of chance, as a core file or a write-ahead log has it.
                let mut noise = || (0..chance.below(5000)).map(|_| chance.next().to_le_bytes()[0]).collect::<Vec<_>>();
                let (front, behind) = (noise(), noise());
                let path =
                    place.write("core", [front, written(value, encoding, before), b"\n".to_vec(), behind].concat());
                let report = scan.file(&path);
                let found: Vec<_> = report.findings().iter().filter(|finding| finding.known().is_some()).collect();
                assert!(found.len() == 1, "{encoding} {of}: {found:?}");
                assert_eq!(
                    (found[0].count(), found[0].known()),
                    (1, Some(&*format!("{} {of}", canary.id()))),
                    "{encoding}"
                );
                // Some forms of one value are alike.
                let is_said = found[0].encoding() == Some(encoding);
                assert!(
                    is_said
                        || written(value, found[0].encoding().unwrap(), 0) == written(value, encoding, 0)
                        || encoding == "base64url",
                    "{encoding} {of}: {found:?}"
                );
                let texts = all_texts(&report);
                assert!(!canary.values().any(|(_, value)| texts.contains(value)), "{texts}");
            }
        }
    }
}

/// A log writes names in capitals, and a search index in small letters.
#[test]
fn capitals_and_small_letters_are_found() {
    let place = Place::new("canary-case");
    let canary = Canary::make().unwrap();
    let scan = Scan::new().looking_for(Canaries::from_iter([canary.clone()]).known().unwrap());
    for (_, value) in canary.values() {
        for text in [value.to_uppercase(), value.to_lowercase()] {
            assert_eq!(scan.file(place.write("a.log", text)).findings().len(), 1);
        }
    }
}

#[test]
fn a_canary_in_a_sealed_table_is_found_where_it_is_readable() {
    let place = Place::new("canary-table");
    let canary = Canary::make().unwrap();
    let (_, value) = canary.values().next().unwrap();
    let record = place.keys.record("prescription", 1).unwrap();
    let name = record.seal_text::<rxseal::phi::PatientName>(value).unwrap();
    let drug = &place.row(1)[1];
    place.write(
        "a.csv",
        format!("rx_number,patient_name,drug,filled_at,memo\n1,{name},{drug},,\n2,{value},{drug},,for {value}\n"),
    );
    let scan = place.scan().looking_for(Canaries::from_iter([canary.clone()]).known().unwrap());
    let report = place.source(&scan, "csv:a.csv");
    let told = crate::support::told(&report);
    assert_eq!(told, ["memo known-value 1", "patient_name plaintext 1", "patient_name known-value 1"]);
    assert!(!all_texts(&report).contains(value));
}

#[test]
fn the_list_keeps_its_values() {
    let place = Place::new("canary-list");
    let access = Access::new("user:kim", Purpose::HSYSADMIN).unwrap();
    let mut canaries = Canaries::from_iter([Canary::make().unwrap()]);
    canaries.add(Canary::make().unwrap());
    let list = canaries.seal(&place.keys).unwrap();
    assert_eq!(Canaries::open(&list, &place.keys, &access).unwrap(), canaries);
    assert_eq!(Canaries::keyspace(&list).unwrap(), "pharmacy-17");
    for (_, value) in canaries.iter().flat_map(Canary::values) {
        assert!(!list.contains(value) && !format!("{canaries:?}").contains(value));
    }
    let other = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    assert!(matches!(Canaries::open(&list, &other, &access), Err(CanaryError::Sealed(_))));
    let moved = list.replacen(canaries.iter().next().unwrap().id(), "canary-other", 1);
    assert!(matches!(Canaries::open(&moved, &place.keys, &access), Err(CanaryError::Sealed(_))));
    for damaged in
        ["", "{}", &list.replace("\"rxseal_canaries\": 1", "\"rxseal_canaries\": 2"), &list[..list.len() / 2]]
    {
        assert!(matches!(Canaries::open(damaged, &place.keys, &access), Err(CanaryError::NoList)), "{damaged}");
    }
}

#[test]
fn a_value_that_is_everywhere_is_refused() {
    let error = KnownValues::new([("short", "Jane")]).unwrap_err();
    assert!(error.to_string().contains("short") && !error.to_string().contains("Jane"));
}

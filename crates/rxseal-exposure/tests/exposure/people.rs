//! Who is who: different people never count as one, and each is counted where they live.

use std::sync::Arc;

use rxseal::keys::{KeyState, KeyringAdmin};
use rxseal::phi::{Note, PatientName};
use rxseal::run_local;
use rxseal::store::{KeyringStore as _, MemoryStore};
use rxseal::testing::force_key_state;

use crate::support::{MAP, Place, RX, Told, stolen, told};

/// These rows are the stolen copy. A visit is beside them.
fn of_rows(place: &Place, rows: &[String]) -> Told {
    place.write("copy.csv", format!("{RX}\n{}\n", rows.join("\n")));
    told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()))
}

fn place() -> Place {
    let place = Place::new();
    place.fill(1);
    place
}

/// As MySQL, `COPY` of PostgreSQL and other tools write that there is no value.
#[test]
fn rows_that_say_null_in_letters_are_not_one_patient() {
    let place = place();
    for null in ["\\N", "NULL", "null", "(null)", "None"] {
        let rows: Vec<_> = (11..=15).map(|number| format!("{number},{null},Jane Doe,,,2026-08-30")).collect();
        let told = of_rows(&place, &rows);
        // One more has a visit, and may be one of them.
        assert_eq!((told.numbers(), told.codes()), ((0, 6, 6), vec!["row-unnamed"]), "{null}");
        assert_eq!(told.exposure.totals.clear, 5, "{null}");
        let rows: Vec<_> = (11..=15).map(|_| format!("{null},,Jane Doe,,,")).collect();
        assert_eq!(of_rows(&place, &rows).exposure.totals.patients, 6, "{null}");
    }
}

#[test]
fn a_record_without_a_subject_is_no_subject_with_its_id() {
    let place = place();
    let rows: Vec<_> = (1..=4).map(|number| format!("{number},,Jane Doe,,,")).collect();
    let subjects: Vec<_> = (1..=4).map(|number| format!("1{number},{number},Jane Doe,,,")).collect();
    let told = of_rows(&place, &[rows, subjects].concat());
    assert_eq!(told.numbers(), (8, 8, 9));
    let of = |record: &str| told.states.values().filter(|states| states["record"] == record).count();
    assert_eq!((of(""), of("prescription"), of("visit")), (4, 4, 1));
}

#[test]
fn the_same_id_in_two_record_types_is_two_patients() {
    let place = place();
    let note = place.keys.record("visit", "1").unwrap().seal_text::<Note>("doing well").unwrap();
    place.write("visits.csv", format!("visit,note\n1,{note}\n2,{note}\n"));
    std::fs::copy(place.path("visits.csv"), place.path("visits-copy.csv")).unwrap();
    std::fs::copy(place.path("rx.csv"), place.path("copy.csv")).unwrap();
    let key = stolen(&format!("key:{}", place.keys.primary_key()));
    let theft = place.theft().stolen(key).stolen(place.copy("copy.csv", "csv:rx.csv"));
    let told = told(theft.stolen(place.copy("visits-copy.csv", "csv:visits.csv")).keyring(place.ring.clone()));
    assert_eq!(told.numbers(), (3, 3, 3));
}

#[test]
fn a_row_without_its_keyspace_is_nobody_in_particular() {
    let place = place();
    let column = MAP.replace("keyspace = 'pharmacy-17'", "keyspace = { column = 'tenant' }");
    place.write("map.toml", column);
    place.write("visits.csv", format!("visit,note,tenant\n{},pharmacy-17\n", place.visit("v-1")));
    let row = place.rx(1);
    let rows = ["", "\\N", "pharmacy-17"].map(|tenant| format!("{row},{tenant}"));
    place.write("copy.csv", format!("{RX},tenant\n{}\n", rows.join("\n")));
    let told_column = told(place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone()));
    assert_eq!((told_column.numbers(), told_column.codes()), ((0, 0, 4), vec!["row-unnamed"]));

    // Of several keyspaces nobody knows which.
    place.write("map.toml", MAP.replace("keyspace = 'pharmacy-17'", "keyspace = ['pharmacy-17', 'pharmacy-18']"));
    place.write("visits.csv", format!("visit,note\n{}\n", place.visit("v-1")));
    let several = of_rows(&place, &[place.rx(1), place.rx(1)]);
    assert_eq!(several.codes(), ["keyspace-unknown"]);
    assert!(several.exposure.totals.is_patients_at_least);
}

/// The copy is older than the destruction, and has values under the root.
#[test]
fn an_index_root_that_was_destroyed_since_still_opens_the_old_copy() {
    let place = place();
    let store = Arc::new(MemoryStore::default());
    run_local(store.put(&place.ring, None)).unwrap();
    let admin = KeyringAdmin::new(Arc::clone(&store), place.roots.clone());
    let index = |file: &rxseal::keys::KeyringFile| {
        let roots = file.keys().iter().filter(|key| key.usage() == rxseal::keys::KeyUse::Index);
        roots.map(rxseal::keys::KeyInfo::id).collect::<Vec<_>>()
    };
    let first = index(&place.ring)[0];
    let (rotated, second) = run_local(admin.rotate_index_root("pharmacy-17")).unwrap();
    let destroyed =
        run_local(force_key_state("pharmacy-17", &place.roots, &rotated, first, KeyState::Destroyed)).unwrap();
    place.write("copy.csv", format!("{RX}\n1,,,,AbCdEf12,\n"));
    let with = |key: Option<rxseal::KeyId>| {
        let theft = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(destroyed.clone());
        let key = key.map(|key| stolen(&format!("key:{key}")));
        let told = told(key.into_iter().fold(theft, rxseal_exposure::Theft::stolen));
        told.state("1", "index patient.name").to_owned()
    };
    assert_eq!([with(None), with(Some(first)), with(Some(second))], ["sealed", "guessable", "guessable"]);
}

fn map_with_state() -> String {
    MAP.replace("clear = { filled_at = 'date' }", "clear = { filled_at = 'date', state = 'place' }")
}

fn by_state(place: &Place, rows: &[String]) -> Told {
    place.write("map.toml", map_with_state());
    place.write("copy.csv", format!("{RX},state\n{}\n", rows.join("\n")));
    let theft = place.theft().stolen(place.copy("copy.csv", "csv:rx.csv")).keyring(place.ring.clone());
    told(theft.jurisdiction("state"))
}

/// More than 500 in one state must not be missed: 45 CFR 164.406.
#[test]
fn states_count_readable_columns_and_rows_of_nobody() {
    let place = place();
    let states = ["TX", "tx", " TX ", "OH"];
    // Only their days and places are readable. The last ones do not say whose they are.
    let row = |number: usize, id: String| format!("{id},,,,,2026-08-30,{}", states[number % states.len()]);
    let known = (11..=410).map(|number| row(number, number.to_string()));
    let unknown = (1..=400).map(|number| row(number, "NULL".to_owned()));
    let told = by_state(&place, &known.chain(unknown).collect::<Vec<_>>());
    let expected = [("TX", 600), ("OH", 200)].map(|(state, count)| (state.to_owned(), count));
    assert_eq!(told.exposure.states.as_deref(), Some(&expected[..]));
    let html = told.exposure.to_html();
    assert!(html.contains("more than 500 patients in TX (600)"));
    // All rows of nobody may be of one patient.
    assert!(html.contains("400 patients are certain, and more are not ruled out"), "{html}");

    // Nobody knows where most of them live.
    let rows: Vec<_> =
        (11..=600).map(|number| format!("{number},,,,,2026-08-30,{}", if number < 100 { "TX" } else { "" })).collect();
    let html = by_state(&place, &rows).exposure.to_html();
    assert!(html.contains("more than 500 in one state? Of 501 patients"), "{html}");
}

/// `exposure.json` has no id of a patient.
#[test]
fn no_column_of_ids_is_shown_as_states() {
    let place = place();
    place.write("map.toml", map_with_state());
    for (column, why) in [
        ("patient_id", "has ids"),
        ("rx_number", "has ids"),
        ("visit", "has ids"),
        ("filled_at", "a place"),
        ("stat", "no source"),
    ] {
        let theft = place.theft().jurisdiction(column);
        let refused = run_local(async { Ok(theft.report(&mut Vec::new()).await) }).unwrap().unwrap_err();
        assert_eq!(refused.code(), "invalid-theft");
        assert!(refused.to_string().contains(why), "{column}: {refused}");
    }
    let rows: Vec<_> = (11..=300).map(|number| format!("{number},,,,,2026-08-30,Elm Street {number}")).collect();
    let told = by_state(&place, &rows);
    assert_eq!(told.codes(), ["not-a-state"]);
    assert_eq!(told.exposure.states, Some(vec![("(other)".to_owned(), 290)]));
    assert!(!told.exposure.to_json().to_lowercase().contains("elm"));
}

#[test]
fn two_rows_of_one_record_are_one_patient() {
    let place = place();
    let name = place.keys.record("prescription", 7).unwrap().seal_text::<PatientName>("Jane Doe").unwrap();
    let told = of_rows(&place, &[format!("7,,{name},,,"), format!("7,,,Jane Doe,,")]);
    assert_eq!((told.state("7", "identity"), told.state("7", "medication")), ("sealed", "plaintext"));
    assert_eq!(told.numbers(), (1, 1, 2));
}

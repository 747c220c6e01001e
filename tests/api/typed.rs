//! Proves that a `Phi` and a `Sealed` become each other, that passes take the marker from the row's field, and that the ways around
//! them are refused with a text that names them.

use rxseal::page::{open_page, reseal_page, seal_page};
use rxseal::testing::{insecure_keyring, rotate_keyring};
use rxseal::{Access, Error, Keyring, Phi, Purpose, Record, Sealed, phi, run_local};

const TEXT: &str = "warfarin 5 MG";

struct Row {
    drug: Sealed<String, phi::Drug>,
    directions: Option<Sealed<String, phi::Directions>>,
    allergies: Sealed<Vec<String>, phi::Allergy>,
    note: Sealed<Option<String>, phi::Note>,
}

fn keyring() -> Keyring {
    insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn record(keys: &Keyring) -> Record {
    keys.record("prescription", 1001).unwrap()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

#[test]
fn a_phi_is_sealed_and_opened_without_naming_its_marker() {
    let keys = keyring();
    let record = record(&keys);
    let drug: Phi<String, phi::Drug> = TEXT.to_owned().into();
    let sealed = drug.seal(&record).unwrap();
    let reader = record.opened_by(&access());
    assert_eq!(sealed.open_phi(&reader).unwrap().expose_phi(), TEXT);
    assert_eq!(reader.open::<phi::Drug, String>(sealed.token()).unwrap(), TEXT, "the value, and no `Phi` around it");
    let sealed = drug.seal(&keys.sealer().record("prescription", 1001).unwrap()).unwrap();
    assert_eq!(sealed.open_phi(&reader).unwrap(), drug);
    let absent: Phi<Option<u32>, phi::Quantity> = None.into();
    assert_eq!(absent.seal(&record).unwrap().open_phi(&reader).unwrap().expose_phi(), &None);
    let elsewhere = keys.record("prescription", 1002).unwrap().opened_by(&access());
    assert!(sealed.open_phi(&elsewhere).unwrap_err().is_open_failure());
    let refused = keys.sealer().only([]).record("prescription", 1001).unwrap();
    assert_eq!(drug.seal(&refused).unwrap_err().code().as_str(), "class-locked");
}

#[test]
fn passes_take_the_marker_from_the_row() {
    let keys = keyring();
    let records = [record(&keys)];
    let note: Phi<Option<String>, phi::Note> = Some("with food".to_owned()).into();
    let allergies = vec!["penicillin".to_owned()];
    let seal = |pass: &mut rxseal::page::SealPass<'_>| {
        Ok(Row {
            drug: pass.seal_field(TEXT)?,
            directions: Some("one daily").map(|text| pass.seal_field(text)).transpose()?,
            allergies: pass.seal_field(&allergies)?,
            note: pass.seal_phi(&note)?,
        })
    };
    let check = |row: &Row| {
        let open = |pass: &mut rxseal::page::OpenPass<'_>| {
            let directions = row.directions.as_ref().map(|directions| pass.open_field(directions)).transpose()?;
            Ok((pass.open_field(&row.drug)?, directions, pass.open_field(&row.allergies)?, pass.open_phi(&row.note)?))
        };
        let expected = (TEXT.to_owned(), Some("one daily".to_owned()), allergies.clone(), &note);
        let opened = records[0].opened_by(&access()).open_fields(open).unwrap();
        assert_eq!((opened.0, opened.1, opened.2, &opened.3), expected);
        let mut page = open_page(&records, &access(), |_, pass| open(pass)).unwrap();
        let opened = page.remove(0);
        assert_eq!((opened.0, opened.1, opened.2, &opened.3), expected);
    };
    let row = records[0].seal_fields(seal).unwrap();
    check(&row);
    check(&seal_page(&records, |_, pass| seal(pass)).unwrap()[0]);

    let reseal = |pass: &mut rxseal::page::ResealPass<'_>| {
        Ok(Row {
            drug: pass.reseal_field(&row.drug)?,
            directions: row.directions.as_ref().map(|directions| pass.reseal_field(directions)).transpose()?,
            allergies: pass.reseal_field(&row.allergies)?,
            note: pass.reseal_field(&row.note)?,
        })
    };
    check(&records[0].reseal_fields(reseal).unwrap());
    check(&reseal_page(&records, |_, pass| reseal(pass)).unwrap()[0]);
}

#[test]
fn a_typed_pass_keeps_the_rules_of_a_pass() {
    let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &first)).unwrap().unobserved();
    let sealed: Sealed<String, phi::Drug> = Sealed::seal(&record(&keys), TEXT).unwrap();
    let twice = record(&keys).seal_fields(|pass| {
        let _: Sealed<String, phi::Drug> = pass.seal_field(TEXT)?;
        let again: Sealed<String, phi::Drug> = pass.seal_field(TEXT)?;
        Ok(again)
    });
    assert_eq!(twice.unwrap_err().code().as_str(), "field-repeated");
    let rotated = run_local(rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &rotated)).unwrap().unobserved();
    let resealed = record(&keys).reseal_fields(|pass| pass.reseal_field(&sealed)).unwrap();
    assert_ne!(resealed.token().key_id(), sealed.token().key_id());
    assert_eq!(resealed.open(&record(&keys).opened_by(&access())).unwrap(), TEXT);
}

/// Code and text of an error.
fn refused<T>(result: Result<T, Error>) -> (&'static str, String) {
    let error = result.err().expect("an error");
    (error.code().as_str(), error.to_string())
}

#[test]
fn other_ways_to_seal_a_phi_name_the_right_one() {
    let keys = keyring();
    let record = record(&keys);
    let drug: Phi<String, phi::Drug> = TEXT.to_owned().into();
    let list = vec![Some(Phi::<String, phi::Drug>::new(TEXT.to_owned()))];
    let results = [
        refused(record.seal::<phi::Drug>(&drug)),
        refused(record.seal_text::<phi::Drug>(&drug)),
        refused(record.seal_fields(|pass| pass.seal::<phi::Drug>(&drug))),
        refused(Sealed::<Phi<_, _>, phi::Drug>::seal(&record, &drug)),
        refused(record.seal::<phi::Note>(&list)),
        // In a scope too, where a `Phi` by itself would be sealed.
        refused(record.run_sealing(|| record.seal::<phi::Note>(&drug))),
        refused(rxseal::accept_plaintext(|| record.seal::<phi::Note>(&drug))),
    ];
    for (code, text) in results {
        assert_eq!(code, "token-inside");
        assert!(text.contains("`phi.seal(&record)`") && text.contains("`sealed.open_phi(&reader)`"), "{text}");
        assert!(!text.contains("warfarin"), "{text}");
    }
    // A value that is exposed may be sealed, as before.
    record.seal::<phi::Note>(&rxseal::expose_plaintext(&drug)).unwrap();
}

#[test]
fn other_ways_to_open_a_phi_name_the_right_one() {
    let keys = keyring();
    let record = record(&keys);
    let token = record.seal::<phi::Drug>(TEXT).unwrap();
    let json = record.seal::<phi::Drug>(&vec![TEXT]).unwrap();
    let reader = record.opened_by(&access());
    type Drug = Phi<String, phi::Drug>;
    let results = [
        refused(reader.open::<phi::Drug, Drug>(&token)),
        refused(reader.open_text::<phi::Drug, Drug>(&token.to_string())),
        refused(reader.open::<phi::Drug, Option<Drug>>(&token)),
        refused(reader.open::<phi::Drug, Vec<Drug>>(&json)),
        refused(Sealed::<Drug, phi::Drug>::from(token.clone()).open(&reader)),
        refused(reader.open_fields(|pass| pass.open::<phi::Drug, Drug>(&token))),
    ];
    for (code, text) in results {
        assert_eq!(code, "type-mismatch");
        assert!(text.contains("`phi.seal(&record)`") && text.contains("`sealed.open_phi(&reader)`"), "{text}");
        assert!(!text.contains("warfarin"), "{text}");
    }
    let (code, text) = refused(reader.open::<phi::Drug, u32>(&token));
    assert!(code == "type-mismatch" && !text.contains("Phi"), "{text}");
    // A value that was exposed when it was sealed is read as plaintext, as before.
    let opened: Drug = rxseal::accept_plaintext(|| reader.open::<phi::Drug, _>(&token)).unwrap();
    assert_eq!(opened.expose_phi(), TEXT);
}

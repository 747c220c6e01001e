//! `rxseal record open`.

use std::fs;

use rxseal::phi::Drug;
use rxseal::run_local;
use rxseal::subjects::SubjectKeys;
use rxseal_sqlite::SqliteSubjectStore;

use crate::shop::Shop;

#[test]
fn one_field_is_opened_for_a_drill() {
    let shop = Shop::opened("record", "file:HERE/rings");
    let keys = shop.keys();
    let store = SqliteSubjectStore::open(shop.path("subjects.db")).unwrap();
    let subjects = SubjectKeys::new(store);
    let patient = run_local(subjects.subject_or_create(&keys, "P-7")).unwrap();
    let record = keys.record("prescription", "RX-1001").unwrap();
    let line = record.part("line", 2).unwrap();
    let of_patient = record.subject(&patient).unwrap();
    for (name, token) in [
        ("text", record.seal::<Drug>("warfarin 5 MG").unwrap()),
        ("bytes", record.seal::<Drug>(&Raw).unwrap()),
        ("value", record.seal::<Drug>(&serde_json::json!({ "mg": 5 })).unwrap()),
        ("part", line.seal::<Drug>("ibuprofen").unwrap()),
        ("subject", of_patient.seal::<Drug>("aspirin").unwrap()),
        ("unbound", keys.unbound("queue").unwrap().seal::<Drug>("insulin").unwrap()),
    ] {
        fs::write(shop.path(name), token.to_string()).unwrap();
        fs::write(shop.path(&format!("{name}.bin")), token.as_bytes()).unwrap();
    }
    let who = "--field phi.rx.drug --class medication --who user:kim --why HSYSADMIN";
    let rx = format!("record open pharmacy-17 prescription RX-1001 {who}");
    for (options, plaintext) in [
        (format!("{rx} --file text"), "warfarin 5 MG"),
        (format!("{rx} --file text.bin"), "warfarin 5 MG"),
        (format!("{rx} --file bytes"), "ab01"),
        (format!("{rx} --file value"), "{\"mg\":5}"),
        (format!("{rx} --file part --part line=2"), "ibuprofen"),
        (format!("{rx} --file subject --subject P-7 --subject-store sqlite:subjects.db"), "aspirin"),
        (format!("record open pharmacy-17 queue {who} --file unbound"), "insulin"),
    ] {
        // Not shown unless told.
        let quiet = shop.ok(&options);
        assert!(quiet.starts_with("opens: phi.rx.drug under ") && !quiet.contains(plaintext), "{options}: {quiet}");
        assert!(!shop.ok(&format!("--json {options}")).contains(plaintext));
        let shown = shop.run(&format!("{options} --show-plaintext"));
        assert_eq!(String::from_utf8(shown.stdout).unwrap().trim_end(), plaintext, "{options}");
        assert!(String::from_utf8(shown.stderr).unwrap().contains("opened by user:kim for HSYSADMIN"));
    }
    // Anything else than what it was sealed for fails closed.
    for wrong in [
        rx.replace("RX-1001", "RX-1002"),
        rx.replace("medication", "clinical"),
        rx.replace("phi.rx.drug", "phi.rx.sig"),
        rx.replace("prescription", "refill"),
        format!("{rx} --part line=1"),
        format!("{rx} --subject P-7 --subject-store sqlite:subjects.db"),
    ] {
        let text = shop.fails(&format!("{wrong} --file text --show-plaintext"), 1);
        assert!(!text.contains("warfarin") && text.contains("--field, --class and --subject"), "{wrong}: {text}");
    }
    assert!(
        shop.fails(&format!("{rx} --file text --subject P-8 --subject-store sqlite:subjects.db"), 1).contains("P-8")
    );
    assert!(shop.fails(&format!("{} --file text", rx.replace("HSYSADMIN", "curiosity")), 1).contains("access"));
    assert!(shop.fails(&format!("{} --file text", rx.replace("phi.rx.drug", "Drug")), 1).contains("field id"));
    assert!(shop.fails(&format!("{rx} --file root.key"), 1).contains("not an rxseal token"));
    assert_eq!(shop.run(&rx.replace("--who user:kim", "")).status.code(), Some(2), "nobody opens for nobody");
}

/// What serde takes for bytes, and not for a list of numbers.
struct Raw;

impl serde::Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[0xAB, 0x01])
    }
}

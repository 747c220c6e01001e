//! The traps of serde once more, here with every feature of serde_json on: `--features every-json-feature`.

#[path = "../../serde/support.rs"]
mod support;
#[path = "../../serde/traps.rs"]
mod traps;

/// Values that serde_json serializes through private names of its own. One nests in the other's place, and keeps its text.
#[test]
fn raw_values_and_numbers_are_kept_as_they_are_written() {
    use rxseal::{Access, Purpose, phi};
    use serde::{Deserialize, Serialize};
    use serde_json::value::RawValue;
    use serde_json::{Number, Value};

    #[derive(Serialize, Deserialize)]
    struct Row {
        before: u8,
        raw: Box<RawValue>,
        some: Option<Box<RawValue>>,
        list: Vec<Box<RawValue>>,
        number: Option<Number>,
        value: Value,
    }

    let record = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved().record("rx", 1_u64).unwrap();
    let open = record.opened_by(&Access::new("user:kim.rph", Purpose::TREAT).unwrap());
    for json in [
        "1.10",
        "1E5",
        "-0",
        "12345678901234567890123456789",
        "null",
        "\"a\\u00e9\"",
        "[ 1 , {\"b\": 2.50} ]",
        "{\"z\":1.0,\"a\":[]}",
    ] {
        let raw = || RawValue::from_string(json.to_owned()).unwrap();
        let value: Value = serde_json::from_str(json).unwrap();
        let number = value.as_number().cloned();
        let alone: Box<RawValue> = open.open::<phi::Note, _>(&record.seal::<phi::Note>(&raw()).unwrap()).unwrap();
        assert_eq!(alone.get(), json);
        // What is present and written as null would be read as absent, which is refused.
        let some = (json != "null").then(raw);
        let row = Row { before: 1, raw: raw(), some, list: vec![raw(), raw()], number, value };
        let read: Row = open.open::<phi::Note, _>(&record.seal::<phi::Note>(&row).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&row).unwrap());
        assert_eq!((read.raw.get(), read.before), (json, 1));
    }
}

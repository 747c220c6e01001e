//! Index values in formats: text where people read, bytes elsewhere, and a set as a list. What is refused is not quoted.

use rxseal::index::{Definition, Forms, Index, IndexSet, IndexValue, Kind};
use rxseal::phi::BirthDate;
use rxseal::{Class, Error, Field, FieldId};
use serde::{Deserialize, Serialize};

struct Patient;
struct BornOn;

impl Index for BornOn {
    type Record = Patient;
    type Stored = Option<IndexValue<Self>>;
    const DEFINITION: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["date/1"]);
    const CLASSES: &'static [Class] = &[Class::IDENTITY];
    const FIELDS: &'static [FieldId] = &[BirthDate::ID];

    fn forms(_: &Patient, _: &Definition, _: &mut Forms) -> Result<(), Error> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Row {
    born: Option<IndexValue<BornOn>>,
    names: IndexSet<BornOn>,
}

fn row() -> Row {
    let [a, b] = ["wLgfnGw", "AWm7VtQ"].map(|text| text.parse().unwrap());
    Row { born: Some(a), names: IndexSet::from_values([a, b]).unwrap() }
}

#[test]
fn text_where_people_read_and_bytes_elsewhere() {
    let json = serde_json::to_string(&row()).unwrap();
    assert_eq!(json, r#"{"born":"wLgfnGw","names":["AWm7VtQ","wLgfnGw"]}"#);
    assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row());
    // The order in a document says nothing.
    let other = r#"{"born":null,"names":["wLgfnGw","AWm7VtQ","wLgfnGw"]}"#;
    assert_eq!(serde_json::from_str::<Row>(other).unwrap(), Row { born: None, ..row() });

    let binary = postcard::to_stdvec(&row()).unwrap();
    assert_eq!(binary.len(), 1 + 6 + 1 + 6 + 6);
    assert_eq!(postcard::from_bytes::<Row>(&binary).unwrap(), row());
    let packed = rmp_serde::to_vec(&row()).unwrap();
    assert_eq!(rmp_serde::from_slice::<Row>(&packed).unwrap(), row());
    let mut cbor = Vec::new();
    ciborium::into_writer(&row(), &mut cbor).unwrap();
    assert_eq!(ciborium::from_reader::<Row, _>(&cbor[..]).unwrap(), row());
}

#[test]
fn anything_else_is_refused_and_not_quoted() {
    let nine = format!("[{}]", [r#""wLgfnGw""#; 9].join(","));
    let values = [
        r#""1970-01-31""#,
        r#""wLgfnGx""#,
        r#""wLgfnGw=""#,
        "19700131",
        "[19700131]",
        r#"{"year":1970}"#,
        "true",
        r#""""#,
    ];
    for (member, other) in [("born", "names"), ("names", "born")] {
        for value in values.into_iter().chain([nine.as_str(), r#"["1970-01-31"]"#]) {
            let rest = if other == "names" { "[]" } else { "null" };
            let document = format!(r#"{{"{member}":{value},"{other}":{rest}}}"#);
            let error = serde_json::from_str::<Row>(&document).unwrap_err().to_string();
            assert!(error.contains("no value of the index"), "{document}: {error}");
            assert!(!error.contains("1970"), "{error}");
        }
    }
    let null = serde_json::from_str::<Row>(r#"{"born":null,"names":null}"#).unwrap_err().to_string();
    assert!(null.contains("no value of the index"), "{null}");
    assert!(postcard::from_bytes::<Option<IndexValue<BornOn>>>(&[1, 4, 1, 2, 3, 4]).is_err());
}

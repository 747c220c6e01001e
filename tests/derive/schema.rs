//! What a program says of its record types, and tools that have no more than that.

use std::collections::BTreeMap;

use rxseal::page::rebind_page;
use rxseal::records::{HasContent, TaggedRecord as _};
use rxseal::schema::{
    ContentType, DeclaredPart, DeclaredRow, FieldTokens, Plain, RecordSchema, Schema, Shape, TextFormat,
};
use rxseal::{Each, Keyring, Parts, Phi, PhiRecord, RecordTag, Token, phi};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring};

rxseal::fields! {
    pub Refills = "rx.refills" in Medication { max: 16 };
    pub Strength = "rx.strength" in Medication, was "rx.mg" in Clinical { block: 16 };
    pub Brand = "rx.brand" in Medication;
    pub Scan = "rx.scan" in Clinical { block: 256 };
    pub Raw = "rx.raw" in Clinical;
    pub Route = "rx.route" in Clinical;
    pub Remark = "rx.remark" in Clinical;
    pub Allergies = "rx.allergies" in Clinical;
    pub Notes = "rx.notes" in Clinical;
    pub Fill = "rx.fill" in Medication;
    pub LineDrug = "line.drug" in Medication;
    pub Street = "address.street" in Contact;
    pub Code = "rx.code" in Medication;
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub enum By {
    Mouth,
}

/// A code that its program vouches for.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub struct Ndc(String);

impl HasContent for Ndc {
    const CONTENT: ContentType = ContentType::TEXT;
}

#[derive(PhiRecord, PartialEq)]
#[phi(record = "schema.rx", was = "schema.old")]
pub struct Rx {
    #[phi(id)]
    pub number: u64,
    #[phi(id)]
    pub store: String,
    #[phi(subject)]
    pub patient: Option<String>,
    #[phi(seal = phi::Drug)]
    pub drug: String,
    #[phi(seal = Refills)]
    pub refills: u8,
    #[phi(seal = Option<Strength>)]
    pub strength: Option<f64>,
    #[phi(seal = Brand, since = 2)]
    pub r#type: Option<bool>,
    #[phi(seal = Scan, with = "serde_bytes_like")]
    pub scan: Vec<u8>,
    #[phi(seal = Raw)]
    pub raw: Vec<u8>,
    #[phi(seal = Route)]
    pub route: By,
    #[phi(seal)]
    pub remark: Option<Phi<String, Remark>>,
    #[phi(seal = Each<Allergies>)]
    pub allergies: Vec<String>,
    #[phi(seal = Parts<Notes>)]
    pub notes: BTreeMap<String, char>,
    #[phi(seal = Fill)]
    pub fill: uuid::Uuid,
    #[phi(seal = Code)]
    pub code: Ndc,
    #[phi(clear)]
    pub shelf: String,
    #[phi(clear, bind = "rx.status", since = 3)]
    pub status: Option<u32>,
    #[phi(part = "line", since = 2)]
    pub lines: Vec<Line>,
    #[phi(nested)]
    pub address: Option<Address>,
    #[phi(record_tag)]
    pub tag: RecordTag,
}

#[derive(PhiRecord, PartialEq)]
#[phi(part)]
pub struct Line {
    #[phi(id)]
    pub number: u32,
    #[phi(seal = LineDrug)]
    pub drug: String,
}

#[derive(PhiRecord, PartialEq)]
#[phi(nested)]
pub struct Address {
    #[phi(seal = Street)]
    pub street: String,
    #[phi(clear, bind = "address.city")]
    pub city: String,
}

/// Bytes as bytes, as `serde_bytes` writes them.
mod serde_bytes_like {
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

const TEXT: ContentType = ContentType::TEXT;

#[test]
fn a_schema_says_what_the_struct_says() {
    let schema = Schema::new().with::<Rx>().unwrap();
    let rx = schema.record("schema.rx").unwrap();
    assert_eq!(rx.former_types().collect::<Vec<_>>(), ["schema.old"]);
    let ids: Vec<_> = rx.ids().iter().map(|id| (id.member(), id.content())).collect();
    assert_eq!(ids, [("number", Some(ContentType::Integer { signed: false, bits: 64 })), ("store", Some(TEXT))]);
    let subject = rx.subject().unwrap();
    assert_eq!((subject.member(), subject.is_optional(), subject.content()), ("patient", true, Some(TEXT)));
    assert_eq!(rx.tag().map(|tag| (tag.member(), tag.cover())), Some(("tag", 3)));

    let fields: Vec<_> = rx
        .fields()
        .iter()
        .map(|field| (field.member(), field.id().as_str(), field.content(), field.is_optional(), field.seals_null()))
        .collect();
    let number = |signed, bits| Some(ContentType::Integer { signed, bits });
    assert_eq!(
        fields,
        [
            ("drug", "phi.rx.drug", Some(TEXT), false, false),
            ("refills", "rx.refills", number(false, 8), false, false),
            ("strength", "rx.strength", Some(ContentType::Number { bits: 64 }), true, false),
            ("type", "rx.brand", Some(ContentType::Bool), false, true),
            ("scan", "rx.scan", Some(ContentType::Bytes), false, false),
            ("raw", "rx.raw", Some(ContentType::ByteList), false, false),
            ("route", "rx.route", None, false, false),
            ("remark", "rx.remark", Some(TEXT), true, false),
            ("allergies", "rx.allergies", Some(TEXT), false, false),
            ("notes", "rx.notes", Some(ContentType::Text(TextFormat::Char)), false, false),
            ("fill", "rx.fill", Some(ContentType::Text(TextFormat::Uuid)), false, false),
            ("code", "rx.code", Some(TEXT), false, false),
            ("street", "address.street", Some(TEXT), true, false),
        ]
    );
    let strength = rx.field("rx.strength").unwrap();
    assert_eq!((strength.block(), strength.class().as_str(), strength.since()), (16, "medication", 1));
    assert_eq!(strength.former()[0].0.as_str(), "rx.mg");
    assert_eq!(rx.field("rx.refills").unwrap().max_len(), 16);
    assert_eq!(rx.field("rx.brand").unwrap().since(), 2);
    assert_eq!(rx.field("rx.allergies").unwrap().shape(), Shape::Each);
    assert_eq!(rx.field("rx.notes").unwrap().shape(), Shape::Parts);
    assert_eq!(rx.field("address.street").unwrap().nested().collect::<Vec<_>>(), ["address"]);

    let bound: Vec<_> =
        rx.bound().map(|value| (value.member(), value.bound_as().unwrap().as_str(), value.since())).collect();
    assert_eq!(bound, [("status", "rx.status", 3), ("city", "address.city", 1)]);
    assert_eq!(rx.clear()[0].member(), "shelf");
    let [line] = rx.parts() else { panic!() };
    assert_eq!(
        (line.member(), line.name(), line.since(), line.fields()[0].id().as_str()),
        ("lines", "line", 2, "line.drug")
    );
}

#[test]
fn its_text_is_read_back() {
    let schema = Schema::new().with::<Rx>().unwrap();
    let json = schema.to_json();
    let read = Schema::parse(&json).unwrap();
    assert_eq!(read, schema);
    assert_eq!((read.to_json(), read.digest()), (json, schema.digest()));
    assert_eq!(schema.with::<Rx>().unwrap_err().code().as_str(), "invalid-schema");
}

#[test]
fn a_field_of_a_schema_is_that_of_the_struct() {
    let keys: Keyring = keyring();
    let schema = Schema::new().with::<Rx>().unwrap();
    let rx = schema.record("schema.rx").unwrap();
    let record = keys.record_type_of(rx).unwrap().record("7/a").unwrap();
    let field = |id: &str| rx.field(id).unwrap();
    let token = record.seal_fields(|pass| pass.seal_declared(field("rx.refills"), Plain::Text("12"))).unwrap();
    let reader = record.opened_by(&access());
    assert_eq!(reader.open::<Refills, u8>(&token).unwrap(), 12);
    let opened = reader.open_fields(|pass| pass.open_declared(field("rx.refills"), &token)).unwrap();
    assert!(matches!(opened.expose(), Plain::Text("12")));
}

fn rx() -> Rx {
    Rx {
        number: 7,
        store: "a".into(),
        patient: None,
        drug: "warfarin 5 MG".into(),
        refills: 3,
        strength: Some(2.5),
        r#type: None,
        scan: vec![0, 255],
        raw: vec![1, 2],
        route: By::Mouth,
        remark: None,
        allergies: vec!["penicillin".into(), "latex".into()],
        notes: BTreeMap::from([("a".to_owned(), 'x'), ("b".to_owned(), 'y')]),
        fill: uuid::Uuid::nil(),
        code: Ndc("0002-1433".into()),
        shelf: "A 3".into(),
        status: Some(4),
        lines: vec![Line { number: 1, drug: "heparin".into() }, Line { number: 2, drug: "insulin".into() }],
        address: Some(Address { street: "1 Main St".into(), city: "Springfield".into() }),
        tag: RecordTag::new(),
    }
}

/// What a tool without the struct has of a row.
fn declared(schema: &RecordSchema, row: &SealedRx) -> DeclaredRow {
    let one = |token: &Token| FieldTokens::One(token.clone());
    let [line] = schema.parts() else { panic!() };
    let address = row.address.as_ref().unwrap();
    let tokens = [
        one(row.drug.token()),
        one(row.refills.token()),
        one(row.strength.as_ref().unwrap().token()),
        one(row.r#type.token()),
        one(row.scan.token()),
        one(row.raw.token()),
        one(row.route.token()),
        FieldTokens::Null,
        FieldTokens::Each(row.allergies.iter().map(|token| token.token().clone()).collect()),
        FieldTokens::Parts(row.notes.iter().map(|(key, token)| (key.clone(), token.token().clone())).collect()),
        one(row.fill.token()),
        one(row.code.token()),
        one(address.street.token()),
    ];
    let bound = [Plain::Text("4"), Plain::Text(&address.city)];
    let lines = row.lines.iter().map(|each| {
        let id = line.part_id(&[Plain::Text(&each.number.to_string())]).unwrap();
        DeclaredPart::new(line, id, [each.drug.token().clone()], &[]).unwrap()
    });
    DeclaredRow::new(schema, tokens, &bound, row.tag).unwrap().with_parts(line, lines.collect()).unwrap()
}

/// The row of the program with the tokens of a tool.
fn undeclared(row: &SealedRx, tool: &DeclaredRow) -> SealedRx {
    let [line] = tool.schema().parts() else { panic!() };
    let mut row = row.clone();
    let [drug, refills, strength, brand, scan, raw, route, _, allergies, notes, fill, code, street] = tool.tokens()
    else {
        panic!()
    };
    let one = |tokens: &FieldTokens| tokens.one().unwrap().clone();
    let (FieldTokens::Each(allergies), FieldTokens::Parts(notes)) = (allergies, notes) else { panic!() };
    row.drug = one(drug).into();
    row.refills = one(refills).into();
    row.strength = Some(one(strength).into());
    row.r#type = one(brand).into();
    row.scan = one(scan).into();
    row.raw = one(raw).into();
    row.route = one(route).into();
    row.allergies = allergies.iter().cloned().map(Into::into).collect();
    row.notes = notes.iter().cloned().map(|(key, token)| (key, token.into())).collect();
    row.fill = one(fill).into();
    row.code = one(code).into();
    row.address.as_mut().unwrap().street = one(street).into();
    for (line, part) in row.lines.iter_mut().zip(tool.parts(line)) {
        line.drug = one(&part.tokens()[0]).into();
    }
    row.tag = tool.tag();
    row
}

/// A row with lists, maps, parts and a nested struct is verified, resealed and moved as a whole.
#[test]
fn a_tool_reseals_and_moves_a_row_with_parts() {
    let keys: Keyring = keyring();
    let schema = Schema::new().with::<Rx>().unwrap();
    let schema = schema.record("schema.rx").unwrap();
    let row = keys.seal(&rx()).unwrap();
    let [record, other] = ["7/a", "8/a"].map(|id| keys.record_type_of(schema).unwrap().record(id).unwrap());
    let tool = declared(schema, &row);
    tool.verify(&record).unwrap();
    let opens = |tokens: &DeclaredRow, number| {
        let row = SealedRx { number, ..undeclared(&row, tokens) };
        let opened = keys.open(&row, &access()).unwrap();
        assert!(opened == Rx { number, tag: opened.tag, ..rx() });
    };
    opens(&tool, 7);

    let resealed = record.reseal_fields(|pass| pass.reseal_row(&tool)).unwrap();
    opens(&resealed, 7);
    let [line] = schema.parts() else { panic!() };
    assert!(resealed.tokens().iter().zip(tool.tokens()).all(|(new, old)| new != old || *old == FieldTokens::Null));
    assert!(resealed.parts(line).iter().zip(tool.parts(line)).all(|(new, old)| new.tokens() != old.tokens()));
    let moved = rebind_page(&[record], &[other], &access(), |_, pass| pass.rebind_row(&resealed)).unwrap();
    opens(&moved[0], 8);
    assert_eq!((tool.tag().version(), resealed.tag().version(), moved[0].tag().version()), (1, 2, 3));

    // The first tag of a row that had none.
    let record = keys.record("schema.rx", "7/a").unwrap();
    let untagged = declared(schema, &SealedRx { tag: RecordTag::new(), ..row.clone() });
    let tag = record.reseal_fields(|pass| pass.tag_row(&untagged)).unwrap();
    assert!(keys.open(&SealedRx { tag, ..row.clone() }, &access()).is_ok());
}

#[test]
fn a_row_with_parts_is_covered_as_a_whole() {
    let keys: Keyring = keyring();
    let schema = Schema::new().with::<Rx>().unwrap();
    let schema = schema.record("schema.rx").unwrap();
    let row = keys.seal(&rx()).unwrap();
    let record = keys.record("schema.rx", "7/a").unwrap();
    let code = |row: &DeclaredRow| {
        let verified = row.verify(&record).unwrap_err().code();
        assert_eq!(record.reseal_fields(|pass| pass.reseal_row(row)).unwrap_err().code(), verified);
        verified.as_str()
    };
    let changes: [fn(&mut SealedRx); 5] = [
        |row| drop(row.lines.pop()),
        |row| row.lines[0].drug = row.lines[1].drug.clone(),
        |row| drop(row.notes.remove("a")),
        |row| drop(row.allergies.pop()),
        |row| row.address.as_mut().unwrap().city = "Shelbyville".into(),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut row = row.clone();
        change(&mut row);
        assert_eq!(row.verified(&keys).unwrap_err().code().as_str(), "tag-refused", "change {at}");
        assert_eq!(code(&declared(schema, &row)), "tag-refused", "change {at}");
    }

    let whole = declared(schema, &row);
    let unsaid =
        DeclaredRow::new(schema, whole.tokens().to_vec(), &[Plain::Text("4"), Plain::Text("Springfield")], whole.tag());
    assert_eq!(code(&unsaid.unwrap()), "invalid-input", "nobody said which parts there are");
}

/// Bytes that nobody wrote: an error or a schema, and what is one is written and read as the same.
#[test]
fn a_text_that_was_changed_anywhere_is_refused_or_is_a_schema() {
    let json = Schema::new().with::<Rx>().unwrap().to_json();
    let mut state = 7_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let inserts =
        ["\"", "{", "}", "[", "]", ",", ":", "0", "9", "-1", "null", "true", "1e9", "\\u0000", "ä", "rxs", " ", "\n"];
    let (mut schemas, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut text = json.clone();
        for _ in 0..=below(2) {
            let (at, len) = (below(text.len()), below(12));
            let (Some(start), Some(rest)) = (text.get(..at), text.get(at.saturating_add(len).min(text.len())..)) else {
                continue;
            };
            // Words of the file itself make the changes that come closest.
            let from = below(json.len() - 40);
            let word = if below(2) == 0 {
                inserts[below(inserts.len())]
            } else {
                json.get(from..from + below(40)).unwrap_or("")
            };
            text = format!("{start}{word}{rest}");
        }
        match Schema::parse(&text) {
            Ok(schema) => {
                schemas += 1;
                assert_eq!(Schema::parse(&schema.to_json()).unwrap(), schema);
            }
            Err(error) => {
                refused += 1;
                let code = error.code().as_str();
                assert!(["invalid-schema", "invalid-id"].contains(&code), "{code}");
            }
        }
    }
    assert!(schemas > 0 && refused > 1000, "{schemas} schemas, {refused} refused");
    for cut in (0..json.len() - 2).step_by(7) {
        assert!(json.get(..cut).is_none_or(|start| Schema::parse(start).is_err()), "{cut}");
    }
}

#[test]
fn a_schema_file_is_read_strictly() {
    let field = r#"{"member":"drug","id":"rx.drug","class":"medication","block":32,"max":100,"content":"text"}"#;
    let record = |more: &str| format!(r#"{{"record":"rx","ids":[],"fields":[{field}]{more}}}"#);
    let file = |records: &str| format!(r#"{{"rxseal_schema":1,"records":[{records}]}}"#);
    Schema::parse(&file(&record(""))).unwrap();
    let changed = |from: &str, to: &str| file(&record("")).replacen(from, to, 1);
    for (what, text) in [
        ("another version", changed(r#""rxseal_schema":1"#, r#""rxseal_schema":2"#)),
        ("an unknown member", changed(r#""block":32"#, r#""block":32,"blocks":1"#)),
        ("a member twice", changed(r#""block":32"#, r#""block":32,"block":32"#)),
        ("a missing member", changed(r#""block":32,"#, "")),
        ("null for a member", changed(r#""content":"text""#, r#""content":null"#)),
        ("a list for an object", file(r#"["rx",[],[]]"#)),
        ("a block of 0", changed(r#""block":32"#, r#""block":0"#)),
        ("a block of 4097", changed(r#""block":32"#, r#""block":4097"#)),
        ("a limit above 16 MiB", changed(r#""max":100"#, r#""max":16777217"#)),
        ("an unknown content", changed(r#""content":"text""#, r#""content":"texts""#)),
        ("an unknown shape", changed(r#""block":32"#, r#""block":32,"shape":"many""#)),
        ("a cover number of 0", changed(r#""block":32"#, r#""block":32,"since":0"#)),
        ("an id twice", changed(r#""fields":["#, &format!(r#""fields":[{field},"#))),
        (
            "a former id that is another field's",
            changed(
                r#""block":32"#,
                &format!(
                    r#""block":32}},{}"#,
                    field
                        .replacen("rx.drug", "rx.b", 1)
                        .replacen(r#""block""#, r#""was":[{"id":"rx.drug","class":"clinical"}],"block""#, 1)
                        .trim_end_matches('}')
                ),
            ),
        ),
        ("a record type twice", file(&format!("{},{}", record(""), record("")))),
        ("its own former type", file(&record(r#","was":["rx"]"#))),
        ("five former types", file(&record(r#","was":["a","b","c","d","e"]"#))),
        ("a scale that nothing binds", file(&record(r#","clear":[{"member":"x","scale":2}]"#))),
        ("a tag of cover 0", file(&record(r#","tag":{"member":"tag","cover":0}"#))),
        (
            "an index of 7 bits",
            file(&record(&format!(
                r#","indexes":[{{"member":"i","index":"i","kind":"whole","bits":7,"definition":"{}"}}]"#,
                "A".repeat(43)
            ))),
        ),
        (
            "a digest that is none",
            file(&record(r#","indexes":[{"member":"i","index":"i","kind":"whole","bits":14,"definition":"A"}]"#)),
        ),
        ("a member with a line break", changed(r#""member":"drug""#, r#""member":"dr\nug""#)),
        ("something behind it", format!("{} 1", file(&record("")))),
        ("a byte order mark", format!("\u{FEFF}{}", file(&record("")))),
        ("parts in parts without end", {
            let mut part = String::new();
            for _ in 0..10 {
                part = format!(r#","parts":[{{"member":"p","part":"p","ids":[],"fields":[]{part}}}]"#);
            }
            file(&record(&part))
        }),
        ("more than 4 MiB", " ".repeat(Schema::MAX_LEN + 1)),
    ] {
        assert_eq!(
            Schema::parse(&text).map(drop).map_err(|error| error.code().as_str()),
            Err("invalid-schema"),
            "{what}"
        );
    }
    for (what, text) in [
        ("a field id", changed("rx.drug", "Drug")),
        ("a class", changed("medication", "Medication")),
        ("a record type", changed(r#""record":"rx""#, r#""record":"R x""#)),
    ] {
        assert_eq!(Schema::parse(&text).unwrap_err().code().as_str(), "invalid-id", "{what}");
    }
    let error = Schema::parse(&changed(r#""block":32"#, r#""block":"Canary""#)).unwrap_err();
    assert!(error.to_string().contains("line 1") && !format!("{error} {error:?}").contains("Canary"), "{error}");
}

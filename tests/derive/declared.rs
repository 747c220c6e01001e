//! What a tool is told and refused that has only the schema of a struct: enums, ids, shapes of tokens, indexes.

use std::collections::BTreeMap;

use rxseal::phi::{BirthDate, Drug, FamilyName, Note};
use rxseal::records::WholeRecord;
use rxseal::schema::{DeclaredPart, DeclaredRow, FieldTokens, Plain, RecordSchema, Schema};
use rxseal::{Each, FieldId, Keyring, Parts, PhiRecord, Record, RecordTag, Token};

use crate::support::{CANARY, access, assert_silent, keyring};

rxseal::fields! {
    pub Allergies = "declared.allergies" in Clinical;
    pub Remarks = "declared.remarks" in Clinical;
    pub LineDrug = "declared.line-drug" in Medication;
    pub StepNote = "declared.step-note" in Clinical;
}

#[derive(PhiRecord)]
#[phi(record = "declared.visit")]
struct Visit {
    #[phi(id)]
    store: String,
    #[phi(id)]
    number: i32,
    #[phi(id)]
    key: uuid::Uuid,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Each<Allergies>)]
    allergies: Vec<String>,
    #[phi(seal = Parts<Remarks>)]
    remarks: BTreeMap<String, String>,
    #[phi(clear, bind = "declared.refills")]
    refills: u8,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(record_tag)]
    tag: RecordTag,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Line {
    #[phi(id)]
    number: u32,
    #[phi(seal = LineDrug)]
    drug: String,
    #[phi(part = "step")]
    steps: Vec<Step>,
}

#[derive(PhiRecord)]
#[phi(part)]
struct Step {
    #[phi(id)]
    number: u8,
    #[phi(seal = StepNote)]
    note: String,
}

#[derive(PhiRecord)]
#[phi(record = "declared.event", bind = "declared.kind")]
enum Event {
    Visit {
        #[phi(id)]
        number: u64,
        #[phi(seal = Note)]
        note: String,
        #[phi(record_tag)]
        tag: RecordTag,
    },
    Call {
        #[phi(id)]
        number: u64,
        #[phi(seal = Note)]
        note: String,
        #[phi(clear, bind = "declared.minutes")]
        minutes: u16,
        #[phi(record_tag)]
        tag: RecordTag,
    },
}

#[derive(PhiRecord)]
#[phi(record = "declared.patient")]
struct Patient {
    #[phi(id)]
    id: u64,
    #[phi(subject)]
    owner: String,
    #[phi(seal = BirthDate, index = BornOn)]
    birth_date: String,
    #[phi(seal = FamilyName, index = AnyName)]
    last_name: String,
}

rxseal_search::indexes! {
    for Patient as "declared.patient" {
        BornOn = "declared.born": date(birth_date: BirthDate), bits 14;
        AnyName = "declared.names": family_parts(last_name: FamilyName), bits 17;
    }
}

const KEY: &str = "018f4e6a-0000-7000-8000-000000000001";

/// The schema of a record struct, through its file, as a tool has it.
fn schema<P: PhiRecord<Sealed: WholeRecord>>() -> RecordSchema {
    let schema = Schema::parse(&Schema::new().with::<P>().unwrap().to_json()).unwrap();
    schema.records()[0].clone()
}

fn code<T>(result: Result<T, rxseal::Error>) -> &'static str {
    result.map(drop).unwrap_err().code().as_str()
}

#[test]
fn an_enum_says_the_variant_of_each_field_and_has_no_whole_rows() {
    let schema = schema::<Event>();
    assert!(schema.is_enum());
    let variants: Vec<_> = schema.fields().iter().map(|field| (field.id().as_str(), field.variant())).collect();
    assert_eq!(variants, [("phi.clinical.note", Some("Visit")), ("phi.clinical.note", Some("Call"))]);
    let bound: Vec<_> = schema.bound().map(|value| (value.bound_as().unwrap().as_str(), value.variant())).collect();
    assert_eq!(
        bound,
        [("declared.kind", Some("Visit")), ("declared.kind", Some("Call")), ("declared.minutes", Some("Call"))]
    );

    let error = schema.record_id(&[Plain::Text("1")]).unwrap_err();
    assert_eq!((error.code().as_str(), error.record_type()), ("invalid-id", Some("declared.event")));
    let error = DeclaredRow::new(&schema, [None::<Token>, None], &[], RecordTag::new()).unwrap_err();
    assert_eq!((error.code().as_str(), error.record_type()), ("invalid-input", Some("declared.event")));

    // A single field of it is sealed and opened all the same.
    let keys = keyring();
    let row = keys.seal(&Event::Call { number: 7, note: CANARY.into(), minutes: 5, tag: RecordTag::new() }).unwrap();
    let SealedEvent::Call { note, .. } = &row else { panic!() };
    let record = keys.record_type_of(&schema).unwrap().record(7_u64).unwrap();
    let reader = record.opened_by(&access());
    let opened = reader.open_fields(|pass| pass.open_declared(&schema.fields()[1], note.token())).unwrap();
    assert!(matches!(opened.expose(), Plain::Text(CANARY)));
}

#[test]
fn an_id_is_made_of_cells_as_the_struct_spells_it() {
    let schema = schema::<Visit>();
    let id = |cells: &[&str]| {
        let cells: Vec<_> = cells.iter().map(|cell| Plain::Text(cell)).collect();
        schema.record_id(&cells)
    };
    let keys = keyring();
    let token = keys.record("declared.visit", format!("a/-7/{KEY}")).unwrap().seal::<Drug>("x").unwrap();
    let opens = |record: &Record| record.opened_by(&access()).open::<Drug, String>(&token).is_ok();
    assert!(opens(&keys.record("declared.visit", id(&["a", "-7", KEY]).unwrap()).unwrap()));
    let bytes = [Plain::Bytes(b"a"), Plain::Bytes(b"-7"), Plain::Bytes(KEY.as_bytes())];
    assert!(opens(&keys.record("declared.visit", schema.record_id(&bytes).unwrap()).unwrap()));
    for (what, cells) in [
        ("a cell too few", &["a", "-7"] as &[_]),
        ("a cell too many", &["a", "-7", KEY, KEY]),
        ("no cell", &[]),
        ("a zero in front", &["a", "-07", KEY]),
        ("a number that is too large", &["a", "2147483648", KEY]),
        ("a uuid in capitals", &["a", "-7", &KEY.to_uppercase()]),
        ("an empty one", &["", "-7", KEY]),
    ] {
        let error = id(cells).unwrap_err();
        assert_eq!((error.code().as_str(), error.record_type()), ("invalid-id", Some("declared.visit")), "{what}");
    }
    for cell in [Plain::Null, Plain::Bytes(b"\xFF")] {
        assert_eq!(code(schema.record_id(&[Plain::Text("a"), Plain::Text("-7"), cell])), "invalid-id");
    }
}

#[test]
fn a_subject_may_be_absent_where_the_struct_says_so() {
    let [optional, needed] = [schema::<Visit>(), schema::<Patient>()];
    assert!(optional.subject_id(Plain::Null).unwrap().is_none());
    assert!(optional.subject_id(Plain::Text("pat-7")).unwrap().is_some());
    assert!(needed.subject_id(Plain::Text("pat-7")).unwrap().is_some());
    for cell in [Plain::Null, Plain::Text(""), Plain::Bytes(b"\xFF")] {
        let error = needed.subject_id(cell).unwrap_err();
        assert_eq!((error.code().as_str(), error.record_type()), ("invalid-id", Some("declared.patient")));
    }
    // A record type without a subject has none, whatever the cell says.
    assert!(schema::<Event>().subject_id(Plain::Text("pat-7")).unwrap().is_none());
}

#[test]
fn a_schema_says_of_an_index_what_its_definition_says() {
    let schema = schema::<Patient>();
    let [born, names] = schema.indexes() else { panic!("{:?}", schema.indexes()) };
    assert_eq!((born.member(), born.id(), born.kind(), born.bits()), ("born_on", "declared.born", "whole", 14));
    assert_eq!((names.member(), names.id(), names.kind(), names.bits()), ("any_name", "declared.names", "parts", 17));
    assert!(names.is_set() && !born.is_set());
    assert!(born.digest() != names.digest() && born.former().is_empty());
    let shown = format!("{born:?}");
    assert!(shown.contains("declared.born") && shown.contains("whole"), "{shown}");
    let shown = format!("{schema:?}");
    assert!(shown.contains("declared.patient") && shown.contains("birth_date"), "{shown}");
    let ids = |schema: &RecordSchema| schema.field_ids().map(FieldId::as_str).collect::<Vec<_>>();
    assert_eq!(ids(&schema).len(), 2);
    let visit = self::schema::<Visit>();
    let all = ["phi.rx.drug", "declared.allergies", "declared.remarks", "declared.line-drug", "declared.step-note"];
    assert_eq!(ids(&visit), all, "those of parts, and of parts of parts, too");
}

fn visit() -> Visit {
    let step = |number| Step { number, note: CANARY.into() };
    Visit {
        store: "a".into(),
        number: -7,
        key: KEY.parse().unwrap(),
        patient: None,
        drug: CANARY.into(),
        allergies: vec![CANARY.into()],
        remarks: BTreeMap::from([("one".to_owned(), CANARY.to_owned())]),
        refills: 3,
        lines: vec![
            Line { number: 1, drug: CANARY.into(), steps: vec![step(1), step(2)] },
            Line { number: 2, drug: CANARY.into(), steps: Vec::new() },
        ],
        tag: RecordTag::new(),
    }
}

fn tokens(row: &SealedVisit) -> [FieldTokens; 3] {
    [
        FieldTokens::One(row.drug.token().clone()),
        FieldTokens::Each(row.allergies.iter().map(|token| token.token().clone()).collect()),
        FieldTokens::Parts(row.remarks.iter().map(|(key, token)| (key.clone(), token.token().clone())).collect()),
    ]
}

/// Parts that have parts: each is a context of its own, and the record tag covers all of them.
#[test]
fn parts_of_parts_are_verified_with_the_row() {
    let (keys, schema): (Keyring, _) = (keyring(), schema::<Visit>());
    let row = keys.seal(&visit()).unwrap();
    let record = keys.record_type_of(&schema).unwrap().record(format!("a/-7/{KEY}")).unwrap();
    let [line] = schema.parts() else { panic!() };
    let [step] = line.parts() else { panic!() };
    let declared = |drop_a_step: bool| {
        let lines = row.lines.iter().map(|each| {
            let steps = each.steps.iter().skip(usize::from(drop_a_step)).map(|each| {
                let id = step.part_id(&[Plain::Text(&each.number.to_string())]).unwrap();
                DeclaredPart::new(step, id, [each.note.token().clone()], &[]).unwrap()
            });
            let id = line.part_id(&[Plain::Text(&each.number.to_string())]).unwrap();
            let part = DeclaredPart::new(line, id, [each.drug.token().clone()], &[]).unwrap();
            part.with_parts(line, step, steps.collect()).unwrap()
        });
        let whole = DeclaredRow::new(&schema, tokens(&row), &[Plain::Text("3")], row.tag).unwrap();
        whole.with_parts(line, lines.collect()).unwrap()
    };
    let whole = declared(false);
    whole.verify(&record).unwrap();
    assert_eq!(code(declared(true).verify(&record)), "tag-refused", "a part of a part is gone");
    assert_eq!(whole.parts(line).iter().map(DeclaredPart::id).collect::<Vec<_>>(), ["1", "2"]);
    assert!(whole.parts(step).is_empty(), "the row itself has no steps");
    let resealed = record.reseal_fields(|pass| pass.reseal_row(&whole)).unwrap();
    resealed.verify(&record).unwrap();
    assert!(resealed.tag() != whole.tag());

    // Steps are in lines and not in the row, and a step has no parts.
    assert_eq!(code(whole.clone().with_parts(step, Vec::new())), "invalid-input");
    let last = DeclaredPart::new(step, 1_u8, [row.lines[0].steps[0].note.token().clone()], &[]).unwrap();
    assert_eq!(code(last.clone().with_parts(step, step, Vec::new())), "invalid-input");
    for shown in [format!("{whole:?}"), format!("{last:?}"), format!("{:?}", whole.parts(line))] {
        assert_silent("Debug", shown.as_bytes());
        assert!(!shown.contains("rxs"), "{shown}");
    }
}

#[test]
fn tokens_of_another_shape_are_refused() {
    let (keys, schema) = (keyring(), schema::<Visit>());
    let row = keys.seal(&visit()).unwrap();
    let [one, each, parts] = tokens(&row);
    let bound = [Plain::Text("3")];
    let make = |tokens: Vec<FieldTokens>, bound: &[Plain<'_>]| DeclaredRow::new(&schema, tokens, bound, row.tag);
    make(vec![one.clone(), each.clone(), parts.clone()], &bound).unwrap();
    for (tokens, field) in [
        (vec![FieldTokens::Null, each.clone(), parts.clone()], Some("phi.rx.drug")),
        (vec![each.clone(), each.clone(), parts.clone()], Some("phi.rx.drug")),
        (vec![one.clone(), one.clone(), parts.clone()], Some("declared.allergies")),
        (vec![one.clone(), each.clone(), each.clone()], Some("declared.remarks")),
        (vec![one.clone(), each.clone()], None),
    ] {
        let error = make(tokens, &bound).unwrap_err();
        assert_eq!((error.code().as_str(), error.field_id()), ("invalid-input", field), "{error}");
        assert_eq!(error.record_type(), Some("declared.visit"));
    }
    let whole = || vec![one.clone(), each.clone(), parts.clone()];
    assert_eq!(code(make(whole(), &[])), "invalid-input", "a bound value is missing");
    let error = make(whole(), &[Plain::Text("Canary")]).unwrap_err();
    assert_eq!((error.code().as_str(), error.field_id()), ("clear-refused", Some("declared.refills")));
    assert_silent("the error", format!("{error} {error:?}").as_bytes());
    let [line] = schema.parts() else { panic!() };
    assert_eq!(code(DeclaredPart::new(line, "", [None::<Token>], &[])), "invalid-id");
    assert_eq!(code(DeclaredPart::new(line, "1", [None::<Token>], &[])), "invalid-input");
}

/// A field with one token for each of several values: one marker, claimed once.
#[test]
fn a_tool_seals_the_values_of_a_list() {
    let (keys, schema) = (keyring(), schema::<Visit>());
    let record = keys.record_type_of(&schema).unwrap().record(format!("a/-7/{KEY}")).unwrap();
    let list = schema.field("declared.allergies").unwrap();
    let sealed = record
        .seal_fields(|pass| pass.seal_declared_each(list, [Plain::Text("penicillin"), Plain::Text("latex")]))
        .unwrap();
    let reader = record.opened_by(&access());
    let opened: Vec<String> = sealed.iter().map(|token| reader.open::<Allergies, String>(token).unwrap()).collect();
    assert_eq!(opened, ["penicillin", "latex"]);
    let twice = record.seal_fields(|pass| {
        pass.seal_declared_each(list, [Plain::Text("x")])?;
        pass.seal_declared_each(list, [Plain::Text("y")])
    });
    let error = twice.unwrap_err();
    assert_eq!(error.field_id(), Some("declared.allergies"), "{error}");
}

/// What a schema file may not say of indexes, parts and bound values.
#[test]
fn what_no_struct_can_say_is_refused() {
    let file =
        |more: &str| format!(r#"{{"rxseal_schema":1,"records":[{{"record":"rx","ids":[],"fields":[]{more}}}]}}"#);
    let digest = format!("\"{}\"", "A".repeat(43));
    let index = |id: &str, kind: &str, more: &str| {
        format!(r#"{{"member":"m{id}","index":"{id}","kind":"{kind}","bits":14,"definition":{digest}{more}}}"#)
    };
    let indexes = |all: &[String]| file(&format!(r#","indexes":[{}]"#, all.join(",")));
    Schema::parse(&indexes(&[index("i", "whole", ""), index("j", "sounds", "")])).unwrap();
    let many = format!(r#","was":[{}]"#, [digest.as_str(); 5].join(","));
    let part = |member: &str, name: &str| format!(r#"{{"member":"{member}","part":"{name}","ids":[],"fields":[]}}"#);
    let parts = |names: [&str; 2]| file(&format!(r#","parts":[{},{}]"#, part("a", names[0]), part("b", names[1])));
    let bound = |more: &str| file(&format!(r#","clear":[{{"member":"x","bind":"rx.x"{more}}}]"#));
    Schema::parse(&parts(["p", "q"])).unwrap();
    Schema::parse(&bound(r#","since":2"#)).unwrap();
    for (what, text) in [
        ("an index of an unknown kind", indexes(&[index("i", "Whole", "")])),
        ("many former definitions", indexes(&[index("i", "whole", &many)])),
        ("two indexes of one id", indexes(&[index("i", "whole", ""), index("i", "whole", "")])),
        (
            "two indexes in one column",
            indexes(&[index("i", "whole", ""), index("j", "whole", "").replacen("mj", "mi", 1)]),
        ),
        ("two parts of one name", parts(["p", "p"])),
        ("two values bound under one id", bound(r#"},{"member":"y","bind":"rx.x""#)),
        ("a bound value of cover 0", bound(r#","since":0"#)),
    ] {
        assert_eq!(code(Schema::parse(&text)), "invalid-schema", "{what}");
    }
}

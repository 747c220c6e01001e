//! The vectors of `open`: one table of entry points, and every vector through each of them.

use std::marker::PhantomData;

use rxseal::forms::NotWiped;
use rxseal::page::open_page;
use rxseal::{Class, Error, Field, Keyring, Phi, Record, Sealed, Sealing, Token};
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::files::{Keyrings, Run, Vector, access, base64, vectors};
use crate::opened::Opened;

const BILLING: Class = Class::new("billing");

// The fields that the vectors are about. Their blocks are of no matter to a reader (FORMAT 7.3).
rxseal::fields! {
    Name = "vector.name" in Identity;
    Drug = "vector.drug" in Medication { block: 64 };
    Note = "vector.note" in Clinical { block: 256 };
    Tight = "vector.tight" in Contact { block: 1 };
    Renamed = "vector.renamed" in Medication, was "vector.old" in Clinical, was "vector.older" in Medication;
    Photo = "vector.photo" in Identity { block: 4096 };
    Own = "vector.own" in BILLING { block: 16 };
}

/// Runs `$body` with `$field` as the field that `$vector` names.
macro_rules! by_field {
    ($vector:expr, $field:ident => $body:expr) => {
        by_field!(@ $vector, $field => $body, Name Drug Note Tight Renamed Photo Own)
    };
    (@ $vector:expr, $field:ident => $body:expr, $($known:ident)*) => {
        match $vector.text("field_id") {
            $(id if id == <$known as Field>::ID.as_str() => {
                type $field = $known;
                $body
            })*
            other => panic!("{}: no such field in this test: {other}", $vector.file),
        }
    };
}

/// A token as a vector gives it, in both forms.
struct Given {
    text: String,
    /// Where the text is no token at all, its own bytes: text where a binary token belongs (FORMAT 6.4).
    bytes: Vec<u8>,
}

impl Given {
    fn of(vector: &Vector) -> Self {
        if vector.has("token_hex") {
            let bytes = vector.bytes("token_hex");
            return Self { text: base64(&bytes), bytes };
        }
        let text = vector.text("token").to_owned();
        let bytes = text.parse().map_or_else(|_: Error| text.as_bytes().to_vec(), Token::into_bytes);
        Self { text, bytes }
    }
}

/// What an `ok` vector opens to.
fn expected(vector: &Vector) -> Opened {
    let content = vector.bytes("content_hex");
    match vector.number("kind") {
        0 => Opened::Raw(content),
        1 => Opened::Value(Value::String(String::from_utf8(content).unwrap())),
        2 => {
            let value: Value = serde_json::from_slice(&content).unwrap();
            // FORMAT 7.8 to 7.11: the other implementation reads the same from it.
            if vector.has("value") {
                assert_eq!(value, serde_json::from_str::<Value>(vector.text("value")).unwrap(), "{}", vector.file);
            }
            Opened::Value(value)
        }
        other => panic!("{}: kind {other}", vector.file),
    }
}

/// One way to open a field. Each entry point gets the token in the form that it takes.
type EntryPoint = fn(&Record, &Given) -> Result<Opened, Error>;

/// The table: every way to open one field, all of which must agree.
fn entry_points<F: Field>() -> [(&'static str, EntryPoint); 14] {
    [
        ("RecordReader::open", |rec, given| {
            let token = Token::try_from(given.bytes.as_slice())?;
            let outcome = rec.opened_by(&access()).open::<F, Opened>(&token);
            assert!(token.as_bytes() == given.bytes, "the token itself was changed");
            outcome
        }),
        ("RecordReader::open_text", |rec, given| rec.opened_by(&access()).open_text::<F, Opened>(&given.text)),
        ("OpenPass::open", |rec, given| {
            rec.opened_by(&access()).open_fields(|pass| pass.open::<F, Opened>(&Token::try_from(given.bytes.clone())?))
        }),
        ("OpenPass::open_text", |rec, given| {
            rec.opened_by(&access()).open_fields(|pass| pass.open_text::<F, Opened>(&given.text))
        }),
        ("OpenPass::open, a second time in one pass", |rec, given| {
            rec.opened_by(&access()).open_fields(|pass| {
                // Whatever the first one left behind (key set-ups, a refusal) is of no matter to the second.
                let first = pass.open_text::<F, Opened>(&given.text).map_err(|error| error.code().as_str());
                let second = pass.open_text::<F, Opened>(&given.text);
                assert!(first == second.as_ref().map(Opened::clone).map_err(|error| error.code().as_str()));
                second
            })
        }),
        ("open_page", |rec, given| {
            let opened =
                open_page(std::slice::from_ref(rec), &access(), |_, pass| pass.open_text::<F, Opened>(&given.text));
            opened.map(|mut opened| opened.remove(0))
        }),
        ("Sealing in JSON, run_opening", |rec, given| {
            let json = serde_json::to_string(&InText { field: &given.text }).unwrap();
            let opened: Result<WithSealing<F>, _> =
                rec.opened_by(&access()).run_opening(|| serde_json::from_str(&json));
            opened.map(|opened| opened.field)
        }),
        ("Sealing in a serde_json::Value, run_opening", |rec, given| {
            let json = serde_json::to_value(InText { field: &given.text }).unwrap();
            let opened: Result<WithSealing<F>, _> =
                rec.opened_by(&access()).run_opening(|| serde_json::from_value(json));
            opened.map(|opened| opened.field)
        }),
        ("Sealing in postcard, run_opening", |rec, given| {
            let bytes = postcard::to_stdvec(&InBytes { field: Bytes(&given.bytes) }).unwrap();
            let opened: Result<WithSealing<F>, _> =
                rec.opened_by(&access()).run_opening(|| postcard::from_bytes(&bytes));
            opened.map(|opened| opened.field)
        }),
        ("Sealing in CBOR, run_opening", |rec, given| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&InBytes { field: Bytes(&given.bytes) }, &mut bytes).unwrap();
            let reading = || ciborium::from_reader(bytes.as_slice());
            let opened: Result<WithSealing<F>, _> = rec.opened_by(&access()).run_opening(reading);
            opened.map(|opened| opened.field)
        }),
        ("Sealing in JSON, opening as a seed", |rec, given| {
            let json = serde_json::to_string(&InText { field: &given.text }).unwrap();
            let opening = rec.opened_by(&access());
            let mut reader = serde_json::Deserializer::from_str(&json);
            match opening.opening::<WithSealing<F>>().deserialize(&mut reader) {
                Ok(opened) => Ok(opened.field),
                // A seed can report text only (architecture.md): it is the text of the error that `open_text` gives.
                Err(reported) => match opening.open_text::<F, Opened>(&given.text) {
                    Err(error) if reported.to_string().starts_with(&without_details(&error)) => Err(error),
                    _ => panic!("the seed reported something else than `open_text`"),
                },
            }
        }),
        ("Phi in JSON, run_opening", |rec, given| {
            let json = serde_json::to_string(&InText { field: &given.text }).unwrap();
            let opened: Result<WithPhi<F>, _> = rec.opened_by(&access()).run_opening(|| serde_json::from_str(&json));
            opened.map(|opened| opened.field.expose_into_inner().0)
        }),
        ("Sealed in JSON, opened afterwards", |rec, given| {
            let json = serde_json::to_string(&InText { field: &given.text }).unwrap();
            let Ok(WithSealed::<F> { field }) = serde_json::from_str(&json) else {
                return Err(given.text.parse::<Token>().expect_err("a token that `Sealed` refuses"));
            };
            let outcome = field.open(&rec.opened_by(&access()));
            let written = serde_json::to_string(&WithSealed::<F> { field }).unwrap();
            assert!(written == json, "a sealed field is not written back as it was read");
            outcome
        }),
        ("RecordReader::open inside run_opening", |rec, given| {
            let open = rec.opened_by(&access());
            open.run_opening(|| open.open_text::<F, Opened>(&given.text))
        }),
    ]
}

fn without_details(error: &Error) -> String {
    let text = error.to_string();
    text.split(" (field").next().unwrap().to_owned()
}

#[derive(Serialize)]
struct InText<'t> {
    field: &'t str,
}

#[derive(Serialize)]
struct InBytes<'b> {
    field: Bytes<'b>,
}

struct Bytes<'b>(&'b [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[derive(Deserialize)]
#[serde(bound = "F: Field")]
struct WithSealing<F> {
    #[serde(with = "Sealing::<F>")]
    field: Opened,
    #[serde(skip)]
    _field: PhantomData<F>,
}

#[derive(Deserialize)]
#[serde(bound = "F: Field")]
struct WithPhi<F> {
    field: Phi<NotWiped<Opened>, F>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "F: Field")]
struct WithSealed<F> {
    field: Sealed<Opened, F>,
}

#[test]
fn open_vectors() {
    let mut run = Run::of("open");
    let mut keyrings = Keyrings::new("open");
    for vector in vectors("open") {
        match record(keyrings.of(&vector), &vector, Order::SubjectFirst) {
            Ok(record) => open_by_every_way(&vector, &record, &mut run),
            Err(error) => {
                vector.check_code::<()>("the record", &Err(error));
                run.count("the record");
            }
        }
        // The order in which a program adds subject, parts and `wide` is no part of the context (FORMAT 4.1). And a reader
        // that has opened nothing before comes to the same as one that has.
        let outcome = record(&keyrings.fresh(&vector), &vector, Order::SubjectLast)
            .and_then(|record| by_field!(vector, F => entry_points::<F>()[0].1(&record, &Given::of(&vector))));
        vector.check_code("another order, a fresh keyring", &outcome);
        run.count("another order, a fresh keyring");
    }
    let mut expected = entry_points::<Name>().map(|(entry, _)| (entry, 459)).to_vec();
    expected.extend([
        ("OpenPass::open_into", 459),
        ("open_compromised", 449),
        ("open_compromised, a changed token", 7),
        ("open_compromised, a compromised key", 3),
        ("another order, a fresh keyring", 475),
        ("the record", 16),
    ]);
    run.check(&expected, &[]);
}

/// In which order a program says what a record's context is.
#[derive(Clone, Copy)]
enum Order {
    SubjectFirst,
    SubjectLast,
}

fn record(keys: &Keyring, vector: &Vector, order: Order) -> Result<Record, Error> {
    let record_type = vector.text("record_type");
    let wide = vector.text("binding") == "wide";
    let mut record = match vector.text("binding") {
        "unbound" => keys.unbound(record_type)?,
        _ => keys.record(record_type, vector.text("record_id"))?,
    };
    let subject = vector.get("subject_id").as_str().map(|id| (id, vector.text("subject_key")));
    let with_subject = |record: Record| match subject {
        Some((id, wrapped)) => record.subject(&keys.unwrap_subject_key(id, &wrapped.parse()?)?),
        None => Ok(record),
    };
    if let Order::SubjectFirst = order {
        record = with_subject(if wide { record.wide() } else { record })?;
    }
    for (name, id) in vector.pairs("parts") {
        record = record.part(name, id)?;
    }
    if let Order::SubjectLast = order {
        record = with_subject(record)?;
        record = if wide { record.wide() } else { record };
    }
    Ok(record)
}

fn open_by_every_way(vector: &Vector, record: &Record, run: &mut Run) {
    let given = Given::of(vector);
    by_field!(vector, F => {
        check_declaration::<F>(vector);
        for (entry, open) in entry_points::<F>() {
            let outcome = open(record, &given);
            vector.check_code(entry, &outcome);
            if let Ok(opened) = outcome {
                assert!(opened == expected(vector), "{} by {entry}: another value", vector.file);
            }
            run.count(entry);
        }
        open_into::<F>(vector, record, &given);
        run.count("OpenPass::open_into");
        run.count(open_compromised::<F>(vector, record, &given));
    });
}

/// Whether the field of this test is the one that the vector was made for.
fn check_declaration<F: Field>(vector: &Vector) {
    let former: Vec<_> = F::FORMER.iter().map(|(id, class)| (id.as_str(), class.as_str())).collect();
    assert_eq!((F::CLASS.as_str(), former), (vector.text("class"), vector.pairs("former")), "{}", vector.file);
}

/// Appends the content as it is, so here text and bytes are told from JSON, which has no content to append.
fn open_into<F: Field>(vector: &Vector, record: &Record, given: &Given) {
    const BEFORE: &[u8] = b"what was there before";
    let mut out = BEFORE.to_vec();
    let token = given.bytes.clone();
    let outcome = record.opened_by(&access()).open_fields(|pass| pass.open_into::<F>(&given.bytes, &mut out));
    assert!(token == given.bytes, "{}: the token given was changed", vector.file);
    let content = out.strip_prefix(BEFORE).expect("what was there before is still there");
    if vector.expects_ok() && vector.number("kind") == 2 {
        assert_eq!(outcome.unwrap_err().code().as_str(), "type-mismatch", "{}", vector.file);
        assert!(content.is_empty(), "{}: something was appended", vector.file);
        return;
    }
    vector.check_code("OpenPass::open_into", &outcome);
    let expected = if vector.expects_ok() { vector.bytes("content_hex") } else { Vec::new() };
    assert!(content == expected, "{}: something else was appended", vector.file);
}

/// FORMAT 8.7: the explicit call opens what only the state of its key forbids, and nothing else.
fn open_compromised<F: Field>(vector: &Vector, record: &Record, given: &Given) -> &'static str {
    let token = Token::try_from(given.bytes.as_slice());
    let outcome = token.and_then(|token| record.opened_by(&access()).open_compromised::<F, Opened>(&token));
    if vector.text("expect") != "key-compromised" {
        vector.check_code("open_compromised", &outcome);
        return "open_compromised";
    }
    // Most of them are wrong in a second way; the vectors do not tell that, since the state of the key comes first.
    let second = match &vector.file[5..] {
        "order-compromised-not-json.json" => Some("type-mismatch"),
        name if ["damaged", "swap-key-id", "order-compromised"].iter().any(|part| name.contains(part)) => {
            Some("open-failed")
        }
        _ => None,
    };
    assert_eq!(outcome.err().map(|error| error.code().as_str()), second, "{}", vector.file);
    if second.is_some() { "open_compromised, a changed token" } else { "open_compromised, a compromised key" }
}

//! `rxseal record open`: one field of one record, without a program of the service. For drills and for recovery.

use std::fs;
use std::io::{self, Read};
use std::sync::OnceLock;

use rxseal::store::StoredSubject;
use rxseal::{Access, Class, FieldId, Keyring, Purpose, Record, Token};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde_json::{Value, json};

use crate::args::{Global, OpenRecord, Record as Command};
use crate::config::Config;
use crate::failure::Failure;
use crate::keyring::unlock_keys;
use crate::output::Output;

/// More than the largest sealed value as text.
const MAX_TOKEN: u64 = 64 * 1024 * 1024;

/// What the operator typed and the token is bound to.
const CHECK: &str = "Check the keyspace, the record's type and id, --part, --field, --class and --subject";

pub async fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    let Command::Open(open) = command;
    let config = Config::of(global)?;
    // Check everything that was typed before a root key is asked.
    let access = Access::new(&open.who, open.why.parse::<Purpose>()?)?;
    let token = read_token(&open)?;
    let (field, class) = (FieldId::parse(for_ever(&FIELD, &open.field))?, Class::parse(for_ever(&CLASS, &open.class))?);
    let keys = unlock_keys(&config, &open.keyspace, output).await?;
    let record = record_of(&keys, &config, &open).await?;
    let opened = record.opened_by(&access).open_fields(|pass| pass.open_by_id(field, class, &token));
    let opened: Opened = opened.map_err(|error| match error.code().as_str() {
        "open-failed" => Failure::Coded(error.code().as_str(), format!("{}. {CHECK}", Failure::from_reference(&error))),
        _ => error.into(),
    })?;
    show(&open, &token, opened, output)
}

async fn record_of(keys: &Keyring, config: &Config, open: &OpenRecord) -> Result<Record, Failure> {
    let mut record = match &open.record_id {
        Some(id) => keys.record(&open.record_type, id.as_str())?,
        None => keys.unbound(&open.record_type)?,
    };
    for part in &open.parts {
        let Some((name, id)) = part.split_once('=') else {
            return Err(Failure::Usage(format!("--part must be NAME=ID, such as line=1, not {part:?}")));
        };
        record = record.part(name, id)?;
    }
    let Some(subject) = &open.subject else { return Ok(record) };
    let store = config.subject_store(false).await?;
    match store.get(keys.keyspace(), &[subject]).await?.pop() {
        Some(StoredSubject::Key(wrapped)) => Ok(record.subject(&keys.unwrap_subject_key(subject.as_str(), &wrapped)?)?),
        Some(StoredSubject::Shredded { .. }) => Err(Failure::Coded(
            "subject-shredded",
            format!("the key of {subject} was shredded: what was sealed with it is gone for good"),
        )),
        _ => Err(Failure::Coded("subject-missing", format!("no key of {subject} is stored, or it is damaged"))),
    }
}

fn show(open: &OpenRecord, token: &Token, opened: Opened, output: &Output) -> Result<(), Failure> {
    let (kind, what) = match &opened {
        Opened::Bytes(bytes) => ("bytes", format!("{} bytes", bytes.len())),
        Opened::Json(Value::String(text)) => ("text", format!("{} bytes of text", text.len())),
        Opened::Json(_) => ("value", "a value".to_owned()),
    };
    let about = json!({ "opens": true, "field": open.field, "key": token.key_id().to_string(), "kind": kind });
    if !open.show_plaintext {
        let text = format!("opens: {} under {}, {what}; --show-plaintext shows it", open.field, token.key_id());
        return Ok(output.say(&text, &about)?);
    }
    output.note(&format!("opened by {} for {}", open.who, open.why));
    let (text, value) = match opened {
        Opened::Bytes(bytes) => {
            let hex = hex::encode(&bytes);
            (hex.clone(), json!(hex))
        }
        Opened::Json(Value::String(text)) => (text.clone(), Value::String(text)),
        Opened::Json(value) => (value.to_string(), value),
    };
    let mut about = about;
    if let Some(about) = about.as_object_mut() {
        about.insert("value".to_owned(), value);
    }
    Ok(output.say(&text, &about)?)
}

fn read_token(open: &OpenRecord) -> Result<Token, Failure> {
    let mut bytes = Vec::new();
    match &open.file {
        Some(path) => {
            let file = fs::File::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            file.take(MAX_TOKEN).read_to_end(&mut bytes)?
        }
        None => io::stdin().lock().take(MAX_TOKEN).read_to_end(&mut bytes)?,
    };
    // As bytes, or as text with the quotes that an export of a column may add.
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(text.trim().trim_matches('"').parse()?),
        Err(_) => Ok(Token::try_from(bytes.as_slice())?),
    }
}

/// Field ids are constants in a program. This program learns its two when it starts, and no others.
fn for_ever(place: &'static OnceLock<String>, text: &str) -> &'static str {
    place.get_or_init(|| text.to_owned())
}

static FIELD: OnceLock<String> = OnceLock::new();
static CLASS: OnceLock<String> = OnceLock::new();

/// Whatever a field holds.
enum Opened {
    Bytes(Vec<u8>),
    Json(Value),
}

impl<'de> Deserialize<'de> for Opened {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OpenedVisitor)
    }
}

struct OpenedVisitor;

impl<'de> Visitor<'de> for OpenedVisitor {
    type Value = Opened;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Opened, E> {
        Ok(Opened::Bytes(bytes.to_vec()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Opened, E> {
        Ok(Opened::Json(text.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Opened, E> {
        Ok(Opened::Json(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Opened, E> {
        Ok(Opened::Json(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Opened, E> {
        Ok(Opened::Json(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Opened, E> {
        Ok(Opened::Json(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Opened, E> {
        Ok(Opened::Json(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Opened, A::Error> {
        Value::deserialize(value::SeqAccessDeserializer::new(list)).map(Opened::Json)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Opened, A::Error> {
        Value::deserialize(value::MapAccessDeserializer::new(map)).map(Opened::Json)
    }
}

//! The vectors of record tags: `record_tag` and `clear_text` of tests/vectors (FORMAT 14). An independent implementation says what
//! verifies, and prints the message under the HMAC; a writer makes the same tag of it.

use serde_json::Value;

use super::clear::{ClearValue, calendar, decimal};
use super::{Cover, RecordTag, tag_record, verify_record};
use crate::error::Error;
use crate::id::{Class, FieldId};
use crate::record::RecordCore;
use crate::token::Token;
use crate::vector_tests::{Vector, keyring, vectors};

#[test]
fn record_tag_vectors() {
    let (mut verified, mut made) = (0, 0);
    for vector in vectors("record_tag", 155) {
        let outcome = verify(&vector);
        vector.check_code(&outcome);
        let Ok(tag) = outcome else { continue };
        assert_eq!(tag.key_id().unwrap().to_string(), vector.text("key_id"), "{}", vector.file);
        assert_eq!((u64::from(tag.cover()), tag.version()), (vector.number("cover"), vector.number("version")));
        check_message(&vector, &tag);
        verified += 1;
        made += usize::from(make(&vector, &tag));
    }
    println!("record_tag: {verified} verified, {made} of them made too");
    assert_eq!((verified, made), (50, 32));
}

/// FORMAT 14.3: what Python wrote under the HMAC is what the tag's HMAC is of.
fn check_message(vector: &Vector, tag: &RecordTag) {
    let keys = keyring(vector);
    let keys = &keys.shares().shared().keys;
    let hmac = keys.find(tag.key_id().unwrap()).unwrap().record_hmac(keys.keyspace().as_str()).unwrap();
    assert_eq!(hmac.mac(&[&vector.bytes("message_hex")]), tag.bytes().unwrap()[16..], "{}", vector.file);
}

fn core(vector: &Vector) -> Result<RecordCore, Error> {
    let keys = keyring(vector);
    let mut core = RecordCore::bound(keys.shares(), vector.text("record_type"), &vector.text("record_id").into())?;
    if let Some(subject) = vector.get("subject_id").as_str() {
        core = core.with_subject_id(subject);
    }
    for part in vector.get("parts").as_array().unwrap() {
        core = core.with_part(part[0].as_str().unwrap(), &part[1].as_str().unwrap().into())?;
    }
    let former = vector.get("former_types").as_array().unwrap().iter();
    core.was(&former.map(|former| former.as_str().unwrap()).collect::<Vec<_>>())
}

fn verify(vector: &Vector) -> Result<RecordTag, Error> {
    let core = core(vector)?;
    let mut cover = Cover::default();
    add(&mut cover, vector.get("fields"))?;
    let tag = if vector.has("tag_hex") {
        RecordTag::try_from(vector.bytes("tag_hex").as_slice())?
    } else {
        vector.get("tag").as_str().map_or_else(|| Ok(RecordTag::new()), str::parse)?
    };
    let highest = vector.number("highest_cover").try_into().unwrap();
    verify_record(&core.shared().keys, core.context(), &mut cover, highest, &tag, core.former())?;
    let minimum = |member: &str| vector.json.get(member).map_or(0, |number| number.as_u64().unwrap());
    tag.at_least(minimum("min_version"), minimum("min_cover").try_into().unwrap())?;
    Ok(tag)
}

/// Makes the tag again if a writer of this keyring makes such a one: under the primary key, with the current ids and the highest cover.
fn make(vector: &Vector, tag: &RecordTag) -> bool {
    let core = core(vector).unwrap();
    let keys = &core.shared().keys;
    let mut cover = Cover::default();
    add(&mut cover, vector.get("fields")).unwrap();
    if tag.key_id() != Some(keys.primary().id) || cover.highest() > tag.cover() {
        return false;
    }
    let former = match tag.version() - 1 {
        0 => RecordTag::new(),
        version => tag.with_version(version),
    };
    let made = tag_record(keys, core.context(), &mut cover, tag.cover(), &former).unwrap();
    let is_former = vector.file.contains("-former-");
    assert_eq!(made == *tag, !is_former || vector.file.contains("-current"), "{}", vector.file);
    !is_former
}

/// FORMAT 14.4 to 14.7
fn add(cover: &mut Cover, fields: &Value) -> Result<(), Error> {
    for field in fields.as_array().unwrap() {
        let text = |member: &str| field[member].as_str();
        // Ids of a program are constants; those of vectors live as long as the test.
        let id = |text: &str| FieldId::new(text.to_owned().leak());
        cover.since(field["since"].as_u64().unwrap_or(1).try_into().unwrap());
        if let Some(part) = text("part") {
            cover.enter(part, &text("id").unwrap().into())?;
            add(cover, &field["fields"])?;
            cover.leave();
        } else if let Some(clear) = text("clear") {
            if let Some(value) = text("text") {
                cover.clear(id(clear), value);
            }
        } else {
            let former = field["former"].as_array().into_iter().flatten();
            let former =
                former.map(|former| (id(former.as_str().unwrap()), Class::CLINICAL)).collect::<Vec<_>>().leak();
            for token in field["tokens"].as_array().unwrap() {
                let token: Token = token.as_str().unwrap().parse()?;
                cover.sealed(id(text("sealed").unwrap()), former, &token);
            }
        }
    }
    Ok(())
}

#[test]
fn clear_text_vectors() {
    for vector in vectors("clear_text", 30) {
        let outcome = clear_text(&vector);
        vector.check_code(&outcome);
        if let Ok(text) = outcome {
            assert_eq!(text, vector.text("text"), "{}", vector.file);
        }
    }
}

fn clear_text(vector: &Vector) -> Result<String, Error> {
    let value = vector.get("value");
    let number = |at: usize| value[at].as_i64().unwrap();
    let small = |at: usize| u8::try_from(number(at)).unwrap();
    let date = || calendar::date(number(0).try_into().unwrap(), small(1), small(2));
    let time = |at: usize| calendar::time(small(at), small(at + 1), small(at + 2), number(at + 3).try_into().unwrap());
    let text = |value: &dyn ClearValue| value.clear_text().map(std::borrow::Cow::into_owned);
    match vector.text("kind") {
        "integer" => text(&value.as_str().unwrap().parse::<i128>().unwrap()),
        "bool" => text(&value.as_bool().unwrap()),
        "text" => text(&value.as_str().unwrap().to_owned()),
        #[cfg(feature = "uuid_1")]
        "uuid" => text(&uuid::Uuid::from_slice(&vector.bytes("value")).unwrap()),
        #[cfg(not(feature = "uuid_1"))]
        "uuid" => Ok(vector.text("text").to_owned()),
        "date" => date(),
        "time" => time(0),
        "timestamp" => calendar::utc(calendar::civil(date(), time(3))),
        "datetime" => calendar::civil(date(), time(3)),
        "decimal" => {
            let digits = value[0].as_str().unwrap().parse().unwrap();
            let behind = number(1).try_into().unwrap();
            match vector.json.get("scale") {
                Some(scale) => decimal::scaled(digits, behind, scale.as_u64().unwrap().try_into().unwrap()),
                None => decimal::plain(digits, behind),
            }
        }
        other => panic!("{}: kind {other}", vector.file),
    }
}

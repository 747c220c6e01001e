//! Proves that UUIDs are identifiers in one spelling only (feature `uuid_1`): a `Uuid` and its lower-case hyphenated text are
//! one id (FORMAT 1.5), and the spellings that databases rewrite are refused by writer and reader (FORMAT 1.6).

use std::collections::BTreeMap;

use rxseal::phi::{Drug, Note};
use rxseal::{Access, Identifier, Keyring, Parts, Purpose, Record, Sealing, Token};
use uuid::Uuid;

const TEXT: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

#[test]
fn a_uuid_is_its_lower_case_hyphenated_text() {
    let keys = keyring();
    for uuid in [Uuid::nil(), Uuid::max(), Uuid::parse_str(TEXT).unwrap(), Uuid::new_v4(), Uuid::now_v7()] {
        let text = uuid.as_hyphenated().to_string();
        let as_uuid = keys.record("prescription", uuid).unwrap();
        let as_text = keys.record("prescription", &text).unwrap();
        assert!(opens(&as_text, &as_uuid.seal::<Drug>("warfarin").unwrap()));
        assert!(opens(&as_uuid, &as_text.seal::<Drug>("warfarin").unwrap()));
    }
}

/// Of the same 128 bits only the two forms above are the same id: nothing is parsed and written anew behind the caller.
#[test]
fn other_spellings_are_refused_or_are_other_ids() {
    let keys = keyring();
    let uuid = Uuid::parse_str(TEXT).unwrap();
    let token = keys.record("prescription", uuid).unwrap().seal::<Drug>("warfarin").unwrap();

    let refused = [
        TEXT.to_uppercase(),
        TEXT.replacen('f', "F", 1),
        uuid.braced().to_string(),
        uuid.braced().to_string().to_uppercase(),
        uuid.urn().to_string(),
        uuid.urn().to_string().to_uppercase(),
        format!("urn:uuid:{}", TEXT.to_uppercase()),
        "urn:uuid:".to_owned(),
    ];
    for text in &refused {
        let same = [
            keys.record("prescription", text).map(drop),
            keys.sealer().record("prescription", text).map(drop),
            keys.opener().record("prescription", text).map(drop),
            keys.record("prescription", uuid).unwrap().part("line", text).map(drop),
            keys.create_subject_key(text).map(drop),
        ];
        for result in same {
            assert_eq!(result.unwrap_err().code().as_str(), "invalid-id", "{text}");
        }
    }

    // 32 digits without hyphens are an ordinary identifier, and so is a number of the same value.
    for other in [Identifier::from(uuid.simple().to_string()), Identifier::from(uuid.as_u128())] {
        let rec = keys.record("prescription", other).unwrap();
        assert!(rec.opened_by(&access()).open::<Drug, String>(&token).unwrap_err().is_open_failure());
    }
}

#[test]
fn uuids_name_parts_and_subjects() {
    let keys = keyring();
    let (id, line, patient) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let (subject, wrapped) = keys.create_subject_key(patient).unwrap();
    let written = keys.record("prescription", id).unwrap().part("line", line).unwrap().subject(&subject).unwrap();
    let token = written.seal::<Drug>("warfarin").unwrap();

    let subject = keys.unwrap_subject_key(patient.to_string(), &wrapped).unwrap();
    let read = keys.record("prescription", id.to_string()).unwrap().part("line", line.to_string()).unwrap();
    assert!(!opens(&read, &token), "without the subject");
    assert!(opens(&read.subject(&subject).unwrap(), &token));
    assert_eq!(keys.unwrap_subject_key(id, &wrapped).unwrap_err().code().as_str(), "subject-key-refused");
}

/// FORMAT 4.7: the key of a `Parts` entry is a part id, so what it displays as must be a legal spelling.
#[test]
fn keys_of_parts_are_held_to_the_same_spelling() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Lines {
        #[serde(with = "Sealing::<Parts<Note>>")]
        notes: BTreeMap<String, String>,
    }
    let rec = keyring().record("prescription", 1).unwrap();
    let write = |key: String| {
        let lines = Lines { notes: BTreeMap::from([(key, "with food".to_owned())]) };
        rec.run_sealing(|| serde_json::to_string(&lines)).map_err(|error| error.code().as_str())
    };
    let json = write(TEXT.to_owned()).unwrap();
    let open = rec.opened_by(&access());
    let read = |json: &str| {
        let lines = open.run_opening(|| serde_json::from_str::<Lines>(json));
        lines.map(|lines| lines.notes.len()).map_err(|error| error.code().as_str())
    };
    assert_eq!(read(&json), Ok(1));
    assert_eq!(read(&json.replace(TEXT, &TEXT.to_uppercase())), Err("invalid-id"));
    assert_eq!(write(TEXT.to_uppercase()), Err("invalid-id"));
    assert_eq!(write(format!("{{{TEXT}}}")), Err("invalid-id"));
}

fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn opens(rec: &Record, token: &Token) -> bool {
    rec.opened_by(&access()).open::<Drug, String>(token).is_ok_and(|drug| drug == "warfarin")
}

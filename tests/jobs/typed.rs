//! Rows of a program's own types: a value with an index, an absence that is sealed, a list and a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use rxseal::migrating::ReadThrough;
use rxseal::phi::FamilyName;
use rxseal::records::Migrates;
use rxseal::{Each, Field, Keyring, Parts, PhiRecord};
use rxseal_jobs::{ChunkWork, Operation, Spec, TypedWork};
use rxseal_search::indexes;
use serde_json::{Value, json};

use crate::rows::{CANARY, access, map_of, schema_of, source};

rxseal::fields! {
    pub Hidden = "typed.hidden" in Medication;
    pub Tag = "typed.tag" in Medication;
    pub Answer = "typed.answer" in Medication;
}

indexes! {
    for Survey as "jobs.survey" {
        ByName = "survey.name": family(name: FamilyName), bits 16;
    }
}

#[derive(PhiRecord)]
#[phi(record = "jobs.survey", derive(serde::Serialize, serde::Deserialize))]
struct Survey {
    #[phi(id)]
    id: i64,
    #[phi(seal = Migrates<FamilyName>, index = ByName)]
    name: String,
    #[phi(seal = Migrates<Hidden>)]
    hidden: Option<String>,
    #[phi(seal = Each<Migrates<Tag>>)]
    tags: Vec<String>,
    #[phi(seal = Parts<Migrates<Answer>>)]
    answers: BTreeMap<u32, String>,
}

/// Rows 1 to `ROWS` are sound.
pub const ROWS: i64 = 30;
/// What the cells of a row are written as.
pub type Cells = (i64, Option<String>, Option<String>, Option<String>, Option<String>);

pub fn cells() -> Vec<Cells> {
    let row = |id: i64| {
        let tags = match id % 3 {
            0 => "[]".to_owned(),
            1 => format!(r#"["{CANARY} a"]"#),
            _ => format!(r#"["{CANARY} \"a\"", "{CANARY} b"]"#),
        };
        let answers =
            if id % 2 == 0 { "{}".into() } else { format!(r#"{{"1": "{CANARY} yes", "22": "{CANARY} no"}}"#) };
        let hidden = (id % 4 > 0).then(|| format!("{CANARY} {id}"));
        (id, Some(format!("{CANARY} {id}")), hidden, Some(tags), Some(answers))
    };
    (1..=ROWS).map(row).collect()
}

/// Rows behind them that stay as they are, each with its field and reason.
pub fn odd(keys: &Keyring) -> Vec<(Cells, &'static str, &'static str)> {
    let token = keys.record("jobs.survey", 1).unwrap().seal_text::<Tag>("x").unwrap();
    let row = |at: i64, tags: String| {
        (ROWS + at, Some(format!("{CANARY} {at}")), None, Some(tags), Some(r#"{"1": "a"}"#.to_owned()))
    };
    vec![
        (row(1, format!(r#"["{CANARY}", "{}"]"#, &token[..token.len() - 3])), "typed.tag", "looks-like-token"),
        (row(2, format!(r#"["see {token}"]"#)), "typed.tag", "looks-like-token"),
        (row(3, CANARY.into()), "typed.tag", "not-a-token"),
        (row(4, format!(r#"["{token}"]"#)), "typed.tag", "open-failed"),
    ]
}

pub fn with_permits(keys: &Keyring) -> Keyring {
    let permit = ReadThrough::until(2099, 1, 1, "CHG-1234").unwrap();
    let keys = keys.read_through::<FamilyName>(&permit).read_through::<Hidden>(&permit);
    keys.read_through::<Tag>(&permit).read_through::<Answer>(&permit)
}

/// The work of an operation over the table at this place.
pub fn work(at: &str, operation: Operation, keys: &Keyring) -> (Spec, Arc<dyn ChunkWork>) {
    let name = FamilyName::ID.as_str();
    let map = map_of(&format!(
        "at = '{at}'\nrecord = \"jobs.survey\"\nid = \"id\"\nindex = {{ by_name = \"survey.name\" }}\n\
         sealed = {{ name = \"{name}\", hidden = \"typed.hidden\", tags = \"typed.tag\", answers = \"typed.answer\" }}"
    ));
    let keys = with_permits(keys);
    let spec = Spec::new(operation, source(&map), &schema_of::<SealedSurvey>(), &keys).unwrap();
    let work = TypedWork::<SealedSurvey>::new(&spec, &keys).unwrap().with_access(access());
    (spec, Arc::new(work))
}

/// Checks that a stored row is sealed whole and holds what it did.
pub fn check(keys: &Keyring, stored: &Cells) {
    let expected = cells().into_iter().find(|(id, ..)| *id == stored.0).unwrap();
    let list = |cell: &Option<String>| serde_json::from_str::<Value>(cell.as_deref().unwrap()).unwrap();
    let (id, name, hidden, tags, answers) = stored;
    let cells = json!({
        "id": id, "name": name, "hidden": hidden, "tags": list(tags), "answers": list(answers), "by_name": null,
    });
    assert!(!cells.to_string().contains(CANARY), "{cells}");
    let row: SealedSurvey = serde_json::from_value(cells).unwrap();
    // Without a permit nothing but tokens is read.
    let survey = keys.open(&row, &access()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(Some(survey.name), expected.1);
    assert_eq!(survey.hidden, expected.2);
    assert_eq!(json!(survey.tags), list(&expected.3));
    assert_eq!(json!(survey.answers), list(&expected.4));
}

//! Record tags, bound values and projections, as the derive writes them.

use std::borrow::Cow;

use rxseal::phi::{Directions, Drug, Note};
use rxseal::records::{ClearValue, TaggedRecord};
use rxseal::{Error, ErrorCode, PhiRecord, RecordTag, SealedRecord};
use serde::{Deserialize, Serialize};

use crate::support::{access, keyring, round_trip};

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
enum Status {
    Active,
    Stopped,
}

impl ClearValue for Status {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(match self {
            Self::Active => "active".into(),
            Self::Stopped => "stopped".into(),
        })
    }
}

#[derive(PhiRecord)]
#[phi(record = "prescription", derive(Debug, Serialize, Deserialize))]
struct Prescription {
    #[phi(id)]
    number: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(clear, bind = "rx.status")]
    status: Status,
    #[phi(clear, bind = "rx.refills", since = 2)]
    refills: Option<u8>,
    #[phi(clear)]
    seen: bool,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(record_tag)]
    tag: RecordTag,
}

#[derive(PhiRecord)]
#[phi(part, derive(Debug, Serialize, Deserialize))]
struct Line {
    #[phi(id)]
    number: u32,
    #[phi(seal = Note, since = 3)]
    note: String,
}

/// What the client does not see changes: the version of the tag.
impl PartialEq for Prescription {
    fn eq(&self, other: &Self) -> bool {
        (self.number, &self.drug, &self.directions, self.status, self.refills)
            == (other.number, &other.drug, &other.directions, other.status, other.refills)
    }
}

fn prescription() -> Prescription {
    let line = |number| Line { number, note: "Canary".into() };
    Prescription {
        number: 7,
        drug: "Canary".into(),
        directions: Some("Canary".into()),
        status: Status::Active,
        refills: Some(2),
        seen: false,
        lines: vec![line(1), line(2)],
        tag: RecordTag::new(),
    }
}

#[test]
fn a_tagged_record_is_sealed_and_opened() {
    round_trip(&prescription());
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    assert_eq!((row.tag.version(), row.tag.cover()), (1, 3), "the cover is the highest `since`, also of parts");
    assert_eq!(row.verified(&keys).unwrap().version(), 1);
    let opened = keys.open(&row, &access()).unwrap();
    assert_eq!(keys.seal(&opened).unwrap().tag.version(), 2);
    assert_eq!(row.set::<Drug>(&keys, &"x".into()).unwrap().tag.version(), 2);
}

type Change = fn(&mut SealedPrescription, &SealedPrescription);

#[test]
fn what_the_tag_covers_cannot_be_exchanged() {
    let changes: &[(&str, Change, bool)] = &[
        ("a bound value", |row, _| row.status = Status::Stopped, true),
        ("a bound value that joined later", |row, _| row.refills = None, true),
        ("a field of another age", |row, old| row.drug = old.drug.clone(), true),
        ("a field that is gone", |row, _| row.directions = None, true),
        ("a line that is gone", |row, _| drop(row.lines.pop()), true),
        ("the tag of another age", |row, old| row.tag = old.tag, true),
        ("no tag", |row, _| row.tag = RecordTag::new(), true),
        ("a value that is not bound", |row, _| row.seen = true, false),
    ];
    let keys = keyring();
    for (what, change, refused) in changes {
        let old = keys.seal(&prescription()).unwrap();
        let mut row = keys.seal(&keys.open(&old, &access()).unwrap()).unwrap();
        change(&mut row, &old);
        assert_eq!(keys.open(&row, &access()).is_err(), *refused, "{what}");
        assert_eq!(row.verified(&keys).is_err(), *refused, "{what}");
    }
}

#[test]
fn a_projection_opens_unverified() {
    #[derive(PhiRecord)]
    #[phi(record = "prescription", projection, derive(Debug, Serialize, Deserialize))]
    struct Label {
        #[phi(id)]
        number: u64,
        #[phi(seal = Drug)]
        drug: String,
    }
    let keys = keyring();
    let row = keys.seal(&prescription()).unwrap();
    let json = serde_json::to_string(&row).unwrap();
    let label: SealedLabel = serde_json::from_str(&json).unwrap();
    let opened = keys.open_unverified(&label, &access()).unwrap();
    assert_eq!((opened.number, opened.drug.as_str()), (7, "Canary"));
}

#[test]
fn an_enum_has_a_tag_in_each_variant() {
    #[derive(PhiRecord, PartialEq)]
    #[phi(record = "event", bind = "event.kind", derive(Debug, Serialize, Deserialize))]
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
            #[phi(record_tag)]
            proof: RecordTag,
            #[phi(id)]
            number: u64,
            #[phi(clear, bind = "call.minutes")]
            minutes: u16,
        },
    }
    let keys = keyring();
    let row = keys.seal(&Event::Visit { number: 1, note: "Canary".into(), tag: RecordTag::new() }).unwrap();
    assert!(row.check(&keys).is_ok());
    let mut row = keys.seal(&Event::Call { number: 1, minutes: 5, proof: RecordTag::new() }).unwrap();
    if let SealedEvent::Call { minutes, .. } = &mut row {
        *minutes = 6;
    }
    assert_eq!(keys.open(&row, &access()).unwrap_err().code(), ErrorCode::TagRefused);
}

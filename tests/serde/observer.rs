//! The observer hears of each outermost opening once, with what was opened and how it ended, and never with a value:
//! over random sequences of calls (T38, T39 and T40 of docs/THREAT-MODEL.md).

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use crate::support::{self, CANARY, Problem, leaks};
use proptest::prelude::*;
use rxseal::observe::{Observer, OpenEvent, Opening, Outcome};
use rxseal::page::open_page;
use rxseal::{
    Access, Class, Each, Error, KeyId, Keyring, Parts, Purpose, Record, RecordReader, Sealed, Sealing, Token,
    accept_plaintext, phi, run_local,
};
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

/// What one event said.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    records: Vec<(String, Option<String>, Option<String>)>,
    fields: usize,
    classes: BTreeSet<Class>,
    outcome: Outcome,
}

#[derive(Default)]
struct Heardings {
    before: usize,
    events: Vec<Heard>,
    keys: BTreeSet<KeyId>,
    texts: String,
}

/// Keeps everything that it is told, and refuses one actor.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Heardings>>);

const REFUSED: &str = "svc:mallory";

impl Observer for Recorder {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        let mut heard = self.0.lock().unwrap();
        heard.before += 1;
        heard.texts.push_str(&format!("{opening:?}"));
        if opening.access().actor() == REFUSED { Err(Error::refused("blocked")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        let opening = event.opening();
        assert_eq!(opening.keyspace(), "pharmacy-17");
        assert_eq!((opening.access().purpose(), opening.access().request()), (Purpose::TREAT, Some("req-1")));
        let records = opening.records().iter().map(|record| {
            let id = record.record_id().map(str::to_owned);
            (record.record_type().to_owned(), id, record.subject_id().map(str::to_owned))
        });
        let mut heard = self.0.lock().unwrap();
        heard.texts.push_str(&format!("{event:?} {event:#?}"));
        heard.keys.extend(event.classes_and_keys().map(|(_, key)| key));
        heard.events.push(Heard {
            records: records.collect(),
            fields: event.fields(),
            classes: event.classes_and_keys().map(|(class, _)| class).collect(),
            outcome: event.outcome(),
        });
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(with = "Sealing::<phi::PatientName>")]
    name: String,
    #[serde(with = "Sealing::<phi::Drug>")]
    drug: String,
    #[serde(with = "Sealing::<Each<phi::Allergy>>")]
    allergies: Vec<String>,
    #[serde(with = "Sealing::<Parts<phi::Note>>")]
    notes: BTreeMap<u8, String>,
}

impl Row {
    const CLASSES: [Class; 3] = [Class::IDENTITY, Class::MEDICATION, Class::CLINICAL];

    fn sample() -> Self {
        let text = || CANARY.to_owned();
        Self { name: text(), drug: text(), allergies: vec![text(); 3], notes: [(1, text()), (2, text())].into() }
    }
}

/// One keyring with its recorder, and rows and tokens of two records.
struct World {
    keys: Keyring,
    recorder: Recorder,
    access: Access,
    refused: Access,
    names: [Token; 2],
    rows: [String; 2],
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| Mutex::new(World::new()));

const IDS: [&str; 2] = ["RX-1", "RX-2"];

impl World {
    fn new() -> Self {
        let recorder = Recorder::default();
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(recorder.clone());
        let records = IDS.map(|id| keys.record("refill", id).unwrap());
        let names = [0, 1].map(|at| records[at].seal::<phi::PatientName>(CANARY).unwrap());
        let rows = [0, 1].map(|at| serde_json::to_string(&records[at].sealing(&Row::sample())).unwrap());
        let access = |actor| Access::new(actor, Purpose::TREAT).unwrap().request_id("req-1").unwrap();
        Self { keys, recorder, access: access("user:kim.rph"), refused: access(REFUSED), names, rows }
    }

    fn record(&self, at: usize) -> Record {
        self.keys.record("refill", IDS[at]).unwrap()
    }

    fn open(&self, at: usize) -> RecordReader {
        self.record(at).opened_by(&self.access)
    }

    /// The events since the last time, of which none may name a value.
    fn take(&self) -> (usize, Vec<Heard>) {
        let mut heard = self.recorder.0.lock().unwrap();
        assert!(!leaks(heard.texts.as_bytes()), "an event names a value");
        assert!(!heard.texts.contains(IDS[0]), "record ids are for those who ask for them, not for Debug");
        let primary = self.keys.primary_key();
        assert!(heard.keys.iter().all(|key| *key == primary));
        heard.texts.clear();
        (std::mem::take(&mut heard.before), std::mem::take(&mut heard.events))
    }
}

fn heard(at: usize, fields: usize, classes: impl IntoIterator<Item = Class>, outcome: Outcome) -> Heard {
    Heard {
        records: vec![("refill".to_owned(), Some(IDS[at].to_owned()), None)],
        fields,
        classes: classes.into_iter().collect(),
        outcome,
    }
}

const NAME: [Class; 1] = [Class::IDENTITY];
const NONE: [Class; 0] = [];
const FAILED: Outcome = Outcome::Failed(rxseal::ErrorCode::OpenFailed);
const MISMATCH: Outcome = Outcome::Failed(rxseal::ErrorCode::TypeMismatch);
const LOCKED: Outcome = Outcome::Failed(rxseal::ErrorCode::ClassLocked);

/// One call, or one call in another.
#[derive(Clone, Debug)]
enum Call {
    Seal,
    Inspect,
    Open,
    OpenText,
    OpenSealed,
    OpenOfAnother,
    OpenWrongType,
    OpenNoToken,
    OpenLocked,
    OpenRefused,
    Fields { good: usize, bad: usize },
    FieldsIgnoringErrors { good: usize, bad: usize },
    FieldsPanic { good: usize },
    Run,
    Seed,
    RunNothing,
    RunForged,
    RunOfAnother,
    RunLocked,
    RunRefused,
    RunPanic,
    RunWorkFails,
    RunSwallows,
    Page { records: usize, bad: bool },
    PageRefused,
    PagePanic,
    Joined { opens: usize },
    JoinedBad,
    Within { inner: Box<Call> },
    InPlaintext,
}

fn leaf() -> impl Strategy<Value = Call> {
    prop_oneof![
        Just(Call::Seal),
        Just(Call::Inspect),
        Just(Call::Open),
        Just(Call::OpenText),
        Just(Call::OpenSealed),
        Just(Call::OpenOfAnother),
        Just(Call::OpenWrongType),
        Just(Call::OpenNoToken),
        Just(Call::OpenLocked),
        Just(Call::OpenRefused),
        (0..4_usize, 0..3_usize).prop_map(|(good, bad)| Call::Fields { good, bad }),
        (0..4_usize, 0..3_usize).prop_map(|(good, bad)| Call::FieldsIgnoringErrors { good, bad }),
        (0..4_usize).prop_map(|good| Call::FieldsPanic { good }),
        Just(Call::Run),
        Just(Call::Seed),
        Just(Call::RunNothing),
        Just(Call::RunForged),
        Just(Call::RunOfAnother),
        Just(Call::RunLocked),
        Just(Call::RunRefused),
        Just(Call::RunPanic),
        Just(Call::RunWorkFails),
        Just(Call::RunSwallows),
        (1..4_usize, any::<bool>()).prop_map(|(records, bad)| Call::Page { records, bad }),
        Just(Call::PageRefused),
        Just(Call::PagePanic),
        (0..4_usize).prop_map(|opens| Call::Joined { opens }),
        Just(Call::JoinedBad),
        Just(Call::InPlaintext),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    leaf().prop_recursive(3, 8, 1, |inner| inner.prop_map(|inner| Call::Within { inner: Box::new(inner) }))
}

/// What joins the opening of a record around it, for each of the two records.
type Joined = [Option<Heard>; 2];

/// A single opening of record `at`: it joins the scope of the same record and access around it, or is one of its own.
fn single(
    joined: &mut Joined,
    at: usize,
    fields: usize,
    classes: impl IntoIterator<Item = Class>,
    outcome: Outcome,
) -> Vec<Heard> {
    let own = heard(at, fields, classes, outcome);
    let Some(around) = &mut joined[at] else { return vec![own] };
    around.fields += own.fields;
    around.classes.extend(own.classes);
    // The first failure is the one that is told.
    if around.outcome == Outcome::Opened {
        around.outcome = own.outcome;
    }
    vec![]
}

/// Makes the call for record `at` and gives the events that it must cause, in their order.
fn make(world: &World, at: usize, call: &Call, joined: &mut Joined) -> Vec<Heard> {
    let open = world.open(at);
    let name = &world.names[at];
    let (row, other_row) = (&world.rows[at], &world.rows[1 - at]);
    let read = |json: &str| serde_json::from_str::<Row>(json);
    let limited = || {
        let opener = world.keys.opener().only([Class::MEDICATION]);
        opener.record("refill", IDS[at]).unwrap().opened_by(&world.access)
    };
    match call {
        Call::Seal => {
            let record = world.record(at);
            record.seal::<phi::Drug>(CANARY).unwrap();
            serde_json::to_string(&record.sealing(&Row::sample())).unwrap();
            record.run_sealing(|| serde_json::to_string(&Row::sample())).unwrap();
            rxseal::page::seal_page(&[record], |_, pass| pass.seal::<phi::Drug>(CANARY)).unwrap();
            vec![]
        }
        Call::Inspect => {
            assert!(!world.keys.needs_reseal(name).unwrap());
            let (text, id) = (name.to_string(), name.key_id());
            assert!(text.parse::<Token>().unwrap().key_id() == id);
            vec![]
        }
        Call::Open => {
            assert!(open.open::<phi::PatientName, String>(name).unwrap() == CANARY);
            single(joined, at, 1, NAME, Outcome::Opened)
        }
        Call::OpenText => {
            assert!(open.open_text::<phi::PatientName, String>(&name.to_string()).unwrap() == CANARY);
            single(joined, at, 1, NAME, Outcome::Opened)
        }
        Call::OpenSealed => {
            let sealed = Sealed::<String, phi::PatientName>::from(name.clone());
            assert!(sealed.open(&open).unwrap() == CANARY);
            single(joined, at, 1, NAME, Outcome::Opened)
        }
        Call::OpenOfAnother => {
            let error = open.open::<phi::PatientName, String>(&world.names[1 - at]).unwrap_err();
            assert!(error.is_open_failure());
            single(joined, at, 0, NAME, FAILED)
        }
        Call::OpenWrongType => {
            assert!(open.open::<phi::PatientName, u8>(name).unwrap_err().is_type_mismatch());
            single(joined, at, 1, NAME, MISMATCH)
        }
        Call::OpenNoToken => {
            assert!(open.open_text::<phi::PatientName, String>(CANARY).unwrap_err().is_not_a_token());
            single(joined, at, 0, NONE, Outcome::Failed(rxseal::ErrorCode::NotAToken))
        }
        Call::OpenLocked => {
            assert!(limited().open::<phi::PatientName, String>(name).unwrap_err().is_locked_out());
            single(joined, at, 0, NAME, LOCKED)
        }
        Call::OpenRefused => {
            let error = world.record(at).opened_by(&world.refused).open::<phi::PatientName, String>(name).unwrap_err();
            assert!(error.is_locked_out());
            vec![heard(at, 0, NONE, Outcome::Failed(rxseal::ErrorCode::RefusedByObserver))]
        }
        Call::Fields { good, bad } => {
            let result = open.open_fields(|pass| {
                for _ in 0..*good {
                    pass.open::<phi::PatientName, String>(name)?;
                }
                for _ in 0..*bad {
                    pass.open::<phi::Drug, String>(name)?;
                }
                Ok::<_, Error>(())
            });
            assert_eq!(result.is_err(), *bad > 0);
            vec![fields(at, *good, *bad)]
        }
        Call::FieldsIgnoringErrors { good, bad } => {
            open.open_fields(|pass| {
                for _ in 0..*bad {
                    assert!(pass.open_into::<phi::Drug>(name.as_bytes(), &mut Vec::new()).is_err());
                }
                for _ in 0..*good {
                    pass.open_text::<phi::PatientName, String>(&name.to_string())?;
                }
                Ok::<_, Error>(())
            })
            .unwrap();
            vec![fields(at, *good, *bad)]
        }
        Call::FieldsPanic { good } => {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                open.open_fields(|pass| -> Result<(), Error> {
                    for _ in 0..*good {
                        pass.open::<phi::PatientName, String>(name)?;
                    }
                    panic!("as planned")
                })
            }));
            assert!(panicked.is_err());
            vec![heard(at, *good, NAME.into_iter().take(*good), Outcome::Panicked)]
        }
        Call::Run => {
            assert!(open.run_opening(|| read(row)).unwrap().name == CANARY);
            vec![heard(at, 7, Row::CLASSES, Outcome::Opened)]
        }
        Call::Seed => {
            let row: Row = open.opening().deserialize(&mut serde_json::Deserializer::from_str(row)).unwrap();
            assert!(row.drug == CANARY);
            vec![heard(at, 7, Row::CLASSES, Outcome::Opened)]
        }
        Call::RunNothing => {
            open.run_opening(|| Ok::<_, Error>(())).unwrap();
            vec![heard(at, 0, NONE, Outcome::Opened)]
        }
        Call::RunForged => {
            let forged = row.replacen("\"rxs", "\"", 1);
            assert!(open.run_opening(|| read(&forged)).err().unwrap().is_not_a_token());
            vec![heard(at, 0, NONE, Outcome::Failed(rxseal::ErrorCode::NotAToken))]
        }
        Call::RunOfAnother => {
            assert!(open.run_opening(|| read(other_row)).err().unwrap().is_open_failure());
            vec![heard(at, 0, NAME, FAILED)]
        }
        Call::RunLocked => {
            assert!(limited().run_opening(|| read(row)).err().unwrap().is_locked_out());
            vec![heard(at, 0, NAME, LOCKED)]
        }
        Call::RunRefused => {
            let error = world.record(at).opened_by(&world.refused).run_opening(|| read(row)).err().unwrap();
            assert!(error.is_locked_out());
            vec![heard(at, 0, NONE, Outcome::Failed(rxseal::ErrorCode::RefusedByObserver))]
        }
        Call::RunPanic => {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                open.run_opening(|| -> Result<(), serde_json::Error> {
                    read(row)?;
                    panic!("as planned")
                })
            }));
            assert!(panicked.is_err());
            vec![heard(at, 7, Row::CLASSES, Outcome::Panicked)]
        }
        Call::RunWorkFails => {
            let result = open.run_opening(|| {
                read(row).map_err(Problem::new)?;
                Err::<(), _>(Problem("the program's own".into()))
            });
            assert_eq!(result.unwrap_err().code().as_str(), "work-failed");
            vec![heard(at, 7, Row::CLASSES, Outcome::Failed(rxseal::ErrorCode::WorkFailed))]
        }
        Call::RunSwallows => {
            let result = open.run_opening(|| Ok::<_, Error>(read(other_row).is_err()));
            assert!(result.unwrap_err().is_open_failure());
            vec![heard(at, 0, NAME, FAILED)]
        }
        Call::Page { records, bad } => {
            let page: Vec<_> = (0..*records).map(|_| world.record(at)).collect();
            let result = open_page(&page, &world.access, |place, pass| {
                pass.open::<phi::PatientName, String>(name)?;
                if *bad && place + 1 == *records {
                    pass.open::<phi::PatientName, String>(&world.names[1 - at])?;
                }
                Ok::<_, Error>(())
            });
            assert_eq!(result.is_err(), *bad);
            let outcome = if *bad { FAILED } else { Outcome::Opened };
            let mut event = heard(at, *records, NAME, outcome);
            event.records = vec![event.records[0].clone(); *records];
            vec![event]
        }
        Call::PageRefused => {
            let result =
                open_page(&[world.record(at)], &world.refused, |_, _| -> Result<(), Error> { panic!("not run") });
            assert!(result.unwrap_err().is_locked_out());
            vec![heard(at, 0, NONE, Outcome::Failed(rxseal::ErrorCode::RefusedByObserver))]
        }
        Call::PagePanic => {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                open_page(&[world.record(at)], &world.access, |_, pass| -> Result<(), Error> {
                    pass.open::<phi::PatientName, String>(name)?;
                    panic!("as planned")
                })
            }));
            assert!(panicked.is_err());
            vec![heard(at, 1, NAME, Outcome::Panicked)]
        }
        Call::Joined { opens } => {
            let sealed = Sealed::<String, phi::PatientName>::from(name.clone());
            open.run_opening(|| {
                for at in 0..*opens {
                    // Also through another handle of the same record and access.
                    if at % 2 == 0 {
                        open.open::<phi::PatientName, String>(name)?
                    } else {
                        sealed.open(&open.clone())?
                    };
                }
                Ok::<_, Error>(())
            })
            .unwrap();
            vec![heard(at, *opens, NAME.into_iter().take(*opens), Outcome::Opened)]
        }
        Call::JoinedBad => {
            open.run_opening(|| {
                assert!(open.open::<phi::PatientName, String>(&world.names[1 - at]).is_err());
                assert!(open.open::<phi::PatientName, u8>(name).is_err());
                open.open::<phi::PatientName, String>(name)
            })
            .unwrap();
            vec![heard(at, 2, NAME, FAILED)]
        }
        Call::Within { inner } => {
            // Inside the opening of one record, an opening of the other: an outermost one of its own, told first.
            let mut events = Vec::new();
            let around = joined[at].replace(heard(at, 0, NONE, Outcome::Opened));
            open.run_opening(|| {
                events = make(world, 1 - at, inner, joined);
                read(row)
            })
            .unwrap();
            single(joined, at, 7, Row::CLASSES, Outcome::Opened);
            events.extend(std::mem::replace(&mut joined[at], around));
            events
        }
        Call::InPlaintext => {
            // Refused before it is an opening: no scope nests in a plaintext scope.
            accept_plaintext(|| {
                assert!(open.run_opening(|| read(row)).is_err_and(|error| error.code().as_str() == "plaintext-nested"));
                Ok::<_, Error>(())
            })
            .unwrap();
            vec![]
        }
    }
}

fn fields(at: usize, good: usize, bad: usize) -> Heard {
    let classes = NAME.into_iter().take(good).chain([Class::MEDICATION].into_iter().take(bad));
    heard(at, good, classes, if bad > 0 { FAILED } else { Outcome::Opened })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_equal_openings(calls in prop::collection::vec((0..2_usize, call()), 1..12)) {
        silence_planned_panics();
        let world = WORLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        world.take();
        for (at, call) in &calls {
            // Within does not nest the one kind that cannot stand in a scope.
            if has_plaintext_within(call) {
                continue;
            }
            let wanted = make(&world, *at, call, &mut [None, None]);
            let (before, events) = world.take();
            prop_assert_eq!(&events, &wanted, "{:?}", call);
            prop_assert_eq!(before, wanted.len(), "one question before each: {:?}", call);
        }
    }
}

fn has_plaintext_within(call: &Call) -> bool {
    match call {
        Call::Within { inner } => matches!(**inner, Call::InPlaintext) || has_plaintext_within(inner),
        _ => false,
    }
}

/// Planned panics would fill the output; every other one is shown as ever.
fn silence_planned_panics() {
    static ONCE: LazyLock<()> = LazyLock::new(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"as planned") {
                shown(info);
            }
        }));
    });
    LazyLock::force(&ONCE);
}

fn observed() -> (Keyring, Recorder, Access) {
    let recorder = Recorder::default();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(recorder.clone());
    (keys, recorder, Access::new("user:kim.rph", Purpose::TREAT).unwrap().request_id("req-1").unwrap())
}

fn events(recorder: &Recorder) -> Vec<Heard> {
    std::mem::take(&mut recorder.0.lock().unwrap().events)
}

#[test]
fn an_event_names_record_subject_and_an_unbound_record_has_no_id() {
    let (keys, recorder, access) = observed();
    let (subject, _) = keys.create_subject_key("patient-88").unwrap();
    let record = keys.record("refill", 7).unwrap().part("line", 1).unwrap().subject(&subject).unwrap();
    let token = record.seal::<phi::Drug>(CANARY).unwrap();
    record.opened_by(&access).open::<phi::Drug, String>(&token).unwrap();
    let unbound = keys.unbound("note").unwrap();
    let token = unbound.seal::<phi::Note>(CANARY).unwrap();
    unbound.opened_by(&access).open::<phi::Note, String>(&token).unwrap();
    let records: Vec<_> = events(&recorder).into_iter().map(|event| event.records).collect();
    let wanted = [
        vec![("refill".to_owned(), Some("7".to_owned()), Some("patient-88".to_owned()))],
        vec![("note".to_owned(), None, None)],
    ];
    assert_eq!(records, wanted);
}

/// Only the same record opened by the same access belongs to the opening around it.
#[test]
fn another_access_or_part_or_subject_of_the_same_record_is_an_opening_of_its_own() {
    let (keys, recorder, access) = observed();
    let record = keys.record("refill", "RX-1").unwrap();
    let part = record.part("line", 1).unwrap();
    let (name, of_part) = (record.seal::<phi::PatientName>(CANARY).unwrap(), part.seal::<phi::Drug>(CANARY).unwrap());
    let other = Access::new("user:lee", Purpose::TREAT).unwrap().request_id("req-1").unwrap();
    record
        .opened_by(&access)
        .run_opening(|| {
            record.opened_by(&other).open::<phi::PatientName, String>(&name)?;
            part.opened_by(&access).open::<phi::Drug, String>(&of_part)?;
            record.opened_by(&access).open::<phi::PatientName, String>(&name)
        })
        .unwrap();
    let fields: Vec<_> = events(&recorder).iter().map(|event| event.fields).collect();
    assert_eq!(fields, [1, 1, 1]);
}

/// serde looks for the variant of an untagged enum: a value that is authentic but of another type is no failed opening.
#[test]
fn a_legal_untagged_enum_is_no_failure() {
    #[derive(Serialize, Deserialize, PartialEq)]
    #[serde(untagged)]
    enum Amount {
        Count {
            #[serde(with = "Sealing::<phi::Quantity>")]
            quantity: u64,
        },
        Text {
            #[serde(with = "Sealing::<phi::Quantity>")]
            quantity: String,
        },
    }

    let (keys, recorder, access) = observed();
    let record = keys.record("refill", "RX-1").unwrap();
    let json = serde_json::to_string(&record.sealing(&Amount::Text { quantity: CANARY.into() })).unwrap();
    let read = || serde_json::from_str::<Amount>(&json);
    assert!(record.opened_by(&access).run_opening(read).is_ok());
    assert_eq!(events(&recorder)[0].outcome, Outcome::Opened, "the row was read");

    #[derive(Deserialize, Debug)]
    #[allow(dead_code)]
    struct Count {
        #[serde(with = "Sealing::<phi::Quantity>")]
        quantity: u64,
    }
    let read = || serde_json::from_str::<Count>(&json);
    assert!(record.opened_by(&access).run_opening(read).unwrap_err().is_type_mismatch());
    assert_eq!(events(&recorder)[0].outcome, MISMATCH, "the row was not read");
}

#[test]
fn every_key_that_was_used_or_asked_for_is_named() {
    let (roots, file) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let old = run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().unobserved();
    let first = old.record("refill", "RX-1").unwrap().seal::<phi::PatientName>(CANARY).unwrap();
    let file = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &file)).unwrap();
    let recorder = Recorder::default();
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap().observed_by(recorder.clone());
    let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap().request_id("req-1").unwrap();
    let record = keys.record("refill", "RX-1").unwrap();
    let second = record.seal::<phi::Drug>(CANARY).unwrap();
    record
        .opened_by(&access)
        .open_fields(|pass| {
            pass.open::<phi::PatientName, String>(&first)?;
            pass.open::<phi::Drug, String>(&second)
        })
        .unwrap();
    let heard = recorder.0.lock().unwrap();
    assert_eq!(heard.keys, BTreeSet::from([first.key_id(), second.key_id()]));
    assert_eq!(heard.events[0].classes, BTreeSet::from([Class::IDENTITY, Class::MEDICATION]));
    assert_eq!(heard.keys.len(), 2);
}

/// A page asks one observer: records of keyrings with others must not hide in it.
#[test]
fn a_page_of_records_of_two_keyrings_is_refused() {
    let silent = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let (keys, recorder, access) = observed();
    let pages = [
        [silent.record("refill", "RX-1").unwrap(), keys.record("refill", "RX-1").unwrap()],
        [keys.record("refill", "RX-1").unwrap(), silent.record("refill", "RX-1").unwrap()],
    ];
    let token = keys.record("refill", "RX-1").unwrap().seal::<phi::Drug>(CANARY).unwrap();
    for page in pages {
        let mut opened = 0;
        let result = open_page(&page, &access, |_, pass| {
            opened += usize::from(pass.open::<phi::Drug, String>(&token).is_ok());
            Ok::<_, Error>(())
        });
        let told = events(&recorder).len();
        assert!(opened <= told, "{opened} opened, {told} told of");
        assert_eq!(result.unwrap_err().code().as_str(), "keyspace-mismatch");
    }
}

#[test]
fn an_empty_page_opens_nothing() {
    let (_, recorder, access) = observed();
    let opened = open_page(&[] as &[Record], &access, |_, _| Ok::<_, Error>(()));
    assert!(opened.unwrap().is_empty() && events(&recorder).is_empty());
}

/// The observer is the program's code and may open something itself, or fail.
#[test]
fn an_observer_may_open_and_may_panic() {
    struct Opens(Record, Token);

    impl Observer for Opens {
        fn opened(&self, _: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            let access = Access::new("job:audit", Purpose::HCOMPL).unwrap();
            assert!(self.0.opened_by(&access).open::<phi::Drug, String>(&self.1).unwrap() == CANARY);
            Ok(())
        }
    }

    struct Panics;

    impl Observer for Panics {
        fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
            if opening.access().actor() == "svc:before" { panic!("as planned") } else { Ok(()) }
        }

        fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            if event.outcome() == Outcome::Opened {
                panic!("as planned");
            }
            Ok(())
        }
    }

    silence_planned_panics();
    let other = rxseal::testing::insecure_keyring("audit").unwrap().unobserved().record("log", 1).unwrap();
    let token = other.seal::<phi::Drug>(CANARY).unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(Opens(other, token));
    let record = keys.record("refill", "RX-1").unwrap();
    let json = serde_json::to_string(&record.sealing(&Row::sample())).unwrap();
    let access = support::access();
    assert!(record.opened_by(&access).run_opening(|| serde_json::from_str::<Row>(&json)).is_ok());

    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(Panics);
    let record = keys.record("refill", "RX-1").unwrap();
    let json = serde_json::to_string(&record.sealing(&Row::sample())).unwrap();
    for actor in ["svc:before", "svc:after"] {
        let open = record.opened_by(&Access::new(actor, Purpose::TREAT).unwrap());
        let read = || open.run_opening(|| serde_json::from_str::<Row>(&json));
        assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
        assert!(serde_json::from_str::<Row>(&json).is_err(), "no scope is left behind");
    }
}

#[test]
fn an_observer_that_says_no_stops_the_opening_before_any_key_is_used() {
    let (keys, recorder, _) = observed();
    let record = keys.record("refill", "RX-1").unwrap();
    let json = serde_json::to_string(&record.sealing(&Row::sample())).unwrap();
    let access = Access::new(REFUSED, Purpose::TREAT).unwrap().request_id("req-1").unwrap();
    let mut ran = false;
    let result = record.opened_by(&access).run_opening(|| {
        ran = true;
        serde_json::from_str::<Row>(&json)
    });
    let error = result.err().unwrap();
    assert!(!ran && error.is_locked_out() && error.code().as_str() == "refused-by-observer");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "blocked");
    let event = &events(&recorder)[0];
    assert!(event.fields == 0 && event.classes.is_empty());
}

/// An `Arc` of an observer is one too, so that a program keeps a hand on it.
#[test]
fn a_shared_observer_hears_as_well() {
    let recorder = Arc::new(Recorder::default());
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(Arc::clone(&recorder));
    let record = keys.record("refill", "RX-1").unwrap();
    let token = record.seal::<phi::Drug>(CANARY).unwrap();
    let access = Access::new(REFUSED, Purpose::TREAT).unwrap().request_id("req-1").unwrap();
    assert!(record.opened_by(&access).open::<phi::Drug, String>(&token).is_err());
    let asked = recorder.0.lock().unwrap().before;
    assert_eq!((asked, events(&recorder).len()), (1, 1));
}

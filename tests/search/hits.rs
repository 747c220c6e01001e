//! Hits: what comes out of a search, and what the observer hears of it.

use std::sync::{Arc, Mutex};

use rxseal::observe::{Observer, OpenEvent, Opening, Outcome, SearchEvent, Searching};
use rxseal::{Access, Error, Keyring, Purpose};
use rxseal_search::normal::{Family, Given};
use rxseal_search::{Find, Like};

use crate::patients::{AnyName, BornOn, LastNameIs, Patient, SealedPatient};
use crate::queries::jane;

/// Writes down what it hears, and refuses a search of too many candidates.
#[derive(Default)]
struct Heard {
    lines: Mutex<Vec<String>>,
    limit: Option<usize>,
}

impl Observer for Heard {
    fn before_search(&self, search: &Searching<'_>) -> Result<(), Error> {
        let opened = search.opened_before() + search.candidates();
        if self.limit.is_some_and(|limit| opened > limit) { Err(Error::refused("too many candidates")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.lines.lock().unwrap().push(format!("opened {}", event.opening().records().len()));
        Ok(())
    }

    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), rxseal::Error> {
        let (search, opened) = (event.searching(), event.opened());
        let hits: Vec<_> = event.hits().map(|hit| hit.record_id().unwrap().to_owned()).collect();
        self.lines.lock().unwrap().push(format!(
            "{} by {} under {}: {} candidates after {}, hits {hits:?}, {} not opened, {} fields, {:?}",
            search.opening().access().actor(),
            search.indexes().join("+"),
            search.index_roots().len(),
            search.candidates(),
            search.opened_before(),
            event.not_opened(),
            opened.fields(),
            opened.outcome(),
        ));
        Ok(())
    }
}

/// An observer that knows nothing of searches.
#[derive(Default)]
struct Plain(Mutex<Vec<usize>>);

impl Observer for Plain {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        if opening.access().actor() == "user:mallory" { Err(Error::refused("blocked")) } else { Ok(()) }
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
        self.0.lock().unwrap().push(event.opening().records().len());
        Ok(())
    }
}

fn observed(observer: impl Observer + 'static) -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(observer)
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// Three who are born on one day, and a stranger.
fn rows(keys: &Keyring) -> Vec<SealedPatient> {
    let named =
        |id, last: &str, first: &str| Patient { id, last_name: last.into(), first_name: first.into(), ..jane() };
    let patients = [
        named(1, "O'Brien", "Ann"),
        named(2, "Meyer", "Jose"),
        Patient { birth_date: "1970-02-01".into(), ..named(3, "O'Brien", "Ann") },
        named(4, "Maier", "José"),
    ];
    keys.seal_all(&patients).unwrap()
}

fn ids<E: std::fmt::Debug>(hits: impl Iterator<Item = Result<Patient, E>>) -> Vec<u64> {
    hits.map(|hit| hit.unwrap_or_else(|error| panic!("{error:?}")).id).collect()
}

/// T71.
#[test]
fn only_hits_come_out_and_the_observer_tells_them_from_candidates() -> Result<(), Error> {
    let heard = Arc::new(Heard::default());
    let keys = observed(Arc::clone(&heard));
    let (rows, access) = (rows(&keys), access());
    let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;

    let mut hits = born.hits(&keys, rows.clone(), &access);
    assert_eq!(hits.by_ref().map(|hit| hit.map(|hit| hit.id)).collect::<Result<Vec<_>, _>>()?, [1, 2, 4]);
    assert_eq!(hits.candidates(), 4);
    assert_eq!(
        heard.lines.lock().unwrap().drain(..).collect::<Vec<_>>(),
        [
            "user:kim.rph by patient.born under 1: 4 candidates after 0, hits [\"1\", \"2\", \"4\"], 0 not opened, 24 fields, Opened"
        ]
    );

    // A filter comes before the hits are told.
    let (family, given) = (Like::<Family>::new("Meier")?, Like::<Given>::new("JOSE")?);
    let filter = |patient: &Patient| family.sounds_like(&patient.last_name) && given.is(&patient.first_name);
    assert_eq!(ids(born.hits(&keys.opener(), rows.clone(), &access).only(filter)), [2, 4]);
    assert!(heard.lines.lock().unwrap().pop().unwrap().contains("4 candidates after 0, hits [\"2\", \"4\"]"));

    // So does another query.
    let last = keys.indexer()?.find::<LastNameIs>("obrien")?;
    assert_eq!(ids(born.hits(&keys, rows, &access).also(&last)), [1]);
    assert!(heard.lines.lock().unwrap().pop().unwrap().contains("by patient.born+patient.last under 1: 4 candidates"));
    Ok(())
}

#[test]
fn a_candidate_that_does_not_open_is_an_error_in_its_place() -> Result<(), Error> {
    let heard = Arc::new(Heard::default());
    let keys = observed(Arc::clone(&heard));
    let (mut rows, access) = (rows(&keys), access());
    rows[1].id = 9;
    let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;
    let found: Vec<_> =
        born.hits(&keys, rows, &access).map(|hit| hit.map(|hit| hit.id).map_err(|e| e.code().as_str())).collect();
    assert_eq!(found, [Ok(1), Err("open-failed"), Ok(4)]);
    let line = heard.lines.lock().unwrap().pop().unwrap();
    assert!(line.contains("hits [\"1\", \"4\"], 1 not opened") && line.ends_with("Failed(OpenFailed)"), "{line}");
    Ok(())
}

#[test]
fn pages_are_opened_as_they_are_asked_for_and_a_limit_ends_the_search() -> Result<(), Error> {
    let heard = Arc::new(Heard { limit: Some(600), ..Heard::default() });
    let keys = observed(Arc::clone(&heard));
    let access = access();
    let patients: Vec<_> = (0..1000).map(|id| Patient { id, ..jane() }).collect();
    let rows = keys.seal_all(&patients)?;
    let name = keys.indexer()?.find::<AnyName>("jones")?;

    let mut hits = name.hits(&keys, rows, &access);
    assert_eq!(hits.next().unwrap()?.id, 0);
    assert_eq!((hits.candidates(), heard.lines.lock().unwrap().len()), (256, 1));
    let rest: Vec<_> = hits.by_ref().collect();
    assert_eq!(rest.len(), 512, "511 hits and the refusal");
    assert_eq!(rest.last().unwrap().as_ref().map(|hit| hit.id).unwrap_err().code().as_str(), "refused-by-observer");
    assert!(hits.next().is_none());
    let lines = heard.lines.lock().unwrap();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains("256 candidates after 256"), "{}", lines[1]);
    assert!(
        lines[2].contains("256 candidates after 512, hits [], 0 not opened, 0 fields, Failed(RefusedByObserver)"),
        "{}",
        lines[2]
    );
    Ok(())
}

#[test]
fn an_observer_that_knows_nothing_of_searches_hears_of_all_candidates() -> Result<(), Error> {
    let plain = Arc::new(Plain::default());
    let keys = observed(Arc::clone(&plain));
    let rows = rows(&keys);
    let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;
    assert_eq!(ids(born.hits(&keys, rows.clone(), &access())), [1, 2, 4]);
    assert_eq!(*plain.0.lock().unwrap(), [4]);
    let mallory = Access::new("user:mallory", Purpose::TREAT)?;
    let refused: Vec<_> = born.hits(&keys, rows, &mallory).collect();
    assert!(matches!(refused.as_slice(), [Err(error)] if error.code().as_str() == "refused-by-observer"));
    Ok(())
}

/// A record that serde writes, without the derive.
mod json {
    use rxseal::Phi;
    use rxseal::phi::{BirthDate, FamilyName};

    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Person {
        pub last_name: Phi<String, FamilyName>,
        pub birth_date: Phi<String, BirthDate>,
    }

    rxseal_search::indexes! {
        for Person as "person" {
            pub Born = "person.born": date(birth_date: BirthDate), bits 14;
            pub Sound = "person.sound": sounds(last_name: FamilyName), bits 14, slots us_surnames_1 by record;
        }
    }
}

#[test]
fn records_that_serde_reads_are_opened_in_the_search() -> Result<(), Error> {
    let heard = Arc::new(Heard::default());
    let keys = observed(Arc::clone(&heard));
    let (indexer, access) = (keys.indexer()?, access());
    let mut rows = Vec::new();
    for (id, last_name, born) in [(1, "Meyer", "1970-01-31"), (2, "Maier", "1970-01-31"), (3, "Smith", "1970-01-31")] {
        let person = json::Person { last_name: last_name.to_owned().into(), birth_date: born.to_owned().into() };
        let record = keys.record("person", id)?;
        let columns = indexer.index(&record, &person)?;
        rows.push((id, serde_json::to_string(&record.sealing(&person)).unwrap(), columns));
    }
    rows.push((4, "{}".to_owned(), rows[0].2.clone()));

    let sound = indexer.find::<json::Sound>("Meier")?;
    let stored = |row: &json::PersonIndexes| row.sound.as_slice().iter().any(|value| sound.values().contains(value));
    assert!(stored(&rows[0].2) && stored(&rows[1].2) && !stored(&rows[2].2));
    let hits = sound.hits_of(
        rows,
        &access,
        |(id, ..)| keys.record("person", *id),
        |(_, body, _), candidate| candidate.run_opening(|| serde_json::from_str::<json::Person>(body)),
    );
    let found: Vec<_> =
        hits.map(|hit| hit.map(|hit| hit.last_name.expose_phi().clone()).map_err(|e| e.code().as_str())).collect();
    assert_eq!(found, [Ok("Meyer".to_owned()), Ok("Maier".to_owned()), Err("invalid-input")]);
    let lines = heard.lines.lock().unwrap();
    assert_eq!(
        *lines,
        [
            "user:kim.rph by person.sound under 1: 4 candidates after 0, hits [\"1\", \"2\"], 1 not opened, 6 fields, Failed(InvalidInput)"
        ]
    );
    Ok(())
}

#[test]
fn single_openings_inside_of_a_candidate_are_part_of_the_search() -> Result<(), Error> {
    let heard = Arc::new(Heard::default());
    let keys = observed(Arc::clone(&heard));
    let (rows, access) = (rows(&keys), access());
    let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;
    let hits = born.hits_of(
        rows,
        &access,
        |row| keys.record_of(row),
        |row, candidate| {
            let mut pass = candidate.pass();
            let (last_name, birth_date) = (pass.open_field(&row.last_name)?, pass.open_field(&row.birth_date)?);
            Ok(Patient { id: row.id, last_name, birth_date, ..jane() })
        },
    );
    assert_eq!(ids(hits), [1, 2, 4]);
    let lines = heard.lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("8 fields"), "{}", lines[0]);
    assert_ne!(Outcome::Opened, Outcome::Panicked);
    Ok(())
}

/// A record with a value that tells when it is wiped.
mod watched {
    use std::cell::Cell;

    use rxseal::PhiRecord;
    use rxseal::forms::Wipe;
    use rxseal::phi::BirthDate;

    thread_local! {
        pub static WIPED: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Remark(pub String);

    impl Wipe for Remark {
        fn wipe(&mut self) {
            self.0.wipe();
            WIPED.set(WIPED.get() + 1);
        }
    }

    rxseal::fields! { pub TheRemark = "watched.remark" in Clinical; }

    #[derive(PhiRecord)]
    #[phi(record = "watched")]
    pub struct Watched {
        #[phi(id)]
        pub id: u64,
        #[phi(seal = BirthDate, index = WatchedBorn)]
        pub birth_date: String,
        #[phi(seal = TheRemark)]
        pub remark: Remark,
        #[phi(nested)]
        pub more: More,
        #[phi(part = "line")]
        pub lines: Vec<Line>,
    }

    #[derive(PhiRecord)]
    #[phi(nested)]
    pub struct More {
        #[phi(seal = MoreRemark)]
        pub remark: Remark,
    }

    #[derive(PhiRecord)]
    #[phi(part)]
    pub struct Line {
        #[phi(id)]
        pub id: u64,
        #[phi(seal = TheRemark)]
        pub remark: Remark,
    }

    rxseal::fields! { pub MoreRemark = "watched.more" in Clinical; }

    rxseal_search::indexes! {
        for Watched as "watched" {
            pub WatchedBorn = "watched.born": date(birth_date: BirthDate), bits 14;
        }
    }
}

#[test]
fn strangers_are_wiped() -> Result<(), Error> {
    use watched::{Line, More, Remark, WIPED, Watched, WatchedBorn};
    let keys = observed(Plain::default());
    let remark = || Remark("canary".into());
    let of = |id, born: &str| Watched {
        id,
        birth_date: born.into(),
        remark: remark(),
        more: More { remark: remark() },
        lines: vec![Line { id: 1, remark: remark() }, Line { id: 2, remark: remark() }],
    };
    let rows = keys.seal_all(&[of(1, "1970-01-31"), of(2, "1970-02-01"), of(3, "1970-02-02")])?;
    let born = keys.indexer()?.find::<WatchedBorn>("1970-01-31")?;
    let before = WIPED.get();
    let access = access();
    let hits: Vec<_> = born.hits(&keys, rows, &access).collect::<Result<_, _>>()?;
    assert_eq!((hits.len(), hits[0].remark.0.as_str()), (1, "canary"));
    assert_eq!(WIPED.get() - before, 2 * 4);
    Ok(())
}

/// Writes down all that an event shows, down to its `Debug`.
#[derive(Default)]
struct Everything(Mutex<String>);

impl Observer for Everything {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        self.write(opening);
        Ok(())
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        self.write(event);
        Ok(())
    }

    fn before_search(&self, search: &Searching<'_>) -> Result<(), Error> {
        self.write(search);
        if search.opening().access().actor() == "user:mallory" { Err(Error::refused("blocked")) } else { Ok(()) }
    }

    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), Error> {
        self.write(event);
        let indexes = event.searching().indexes().join("+");
        let hits: Vec<_> = event.hits().map(|hit| hit.record_id()).collect();
        self.write(&(indexes, hits, event.not_opened(), event.opened().outcome()));
        Ok(())
    }
}

impl Everything {
    fn write(&self, what: &dyn std::fmt::Debug) {
        let mut all = self.0.lock().unwrap();
        all.push_str(&format!("{what:?}\n"));
    }
}

/// T71: no event of a search, of whatever outcome, holds what was looked for, what was found or what a stranger has.
#[test]
fn no_event_of_a_search_holds_a_value() -> Result<(), Error> {
    let everything = Arc::new(Everything::default());
    let keys = observed(Arc::clone(&everything));
    let indexer = keys.indexer()?;
    let mut errors = String::new();
    let mut searched = 0;
    let errors_of = |hits: &mut dyn Iterator<Item = Result<Patient, Error>>| {
        hits.filter_map(Result::err).map(|error| format!("{error} {error:?}\n")).collect::<String>()
    };
    let broken = || {
        let mut rows = rows(&keys);
        rows[0].birth_date = rows[1].birth_date.clone();
        rows
    };
    for access in [access(), Access::new("user:mallory", Purpose::TREAT)?] {
        for rows in [rows(&keys), broken(), Vec::new()] {
            let born = indexer.find::<BornOn>("1970-01-31")?;
            let last = indexer.find::<LastNameIs>("O'Brien")?;
            let any = indexer.find_any::<AnyName>(["Meyer", "Maier"])?;
            let days = indexer.find_days::<BornOn>("1970-01-01"..="1970-02-28")?;
            let family = Like::<Family>::new("o'br")?;
            let both = born.hits(&keys, rows.clone(), &access).also(&last);
            for told in [
                errors_of(&mut born.hits(&keys, rows.clone(), &access)),
                errors_of(&mut both.only(|patient| family.begins(&patient.last_name))),
                errors_of(&mut last.hits(&keys.opener(), rows.clone(), &access)),
                errors_of(&mut any.hits_unverified(&keys, rows.clone(), &access)),
                errors_of(&mut days.hits(&keys, rows, &access)),
            ] {
                searched += 1;
                errors.push_str(&told);
            }
            errors.push_str(&format!("{born:?} {last:?} {any:?} {days:?} {indexer:?}"));
        }
    }
    assert_eq!(searched, 30);
    let heard = everything.0.lock().unwrap().clone();
    for told in ["patient.born+patient.last", "RefusedByObserver", "Failed(OpenFailed)", "mallory"] {
        assert!(heard.contains(told), "{told} is not in:\n{heard}");
    }
    let jane = jane();
    let phone = jane.phone.unwrap();
    let values =
        ["1970-01", "1970-02", "Brien", "brien", "Meyer", "Maier", "meyer", "maier", "Ann", "Jos", &phone, &jane.mrn];
    for value in values {
        assert!(!heard.contains(value) && !errors.contains(value), "{value} is in:\n{heard}{errors}");
    }
    // The control: an id, which events have, is found.
    assert!(heard.contains("(\"patient.born+patient.last\", [Some(\"1\")]"), "{heard}");
    Ok(())
}

/// An observer that takes no event.
struct Full;

impl Observer for Full {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        assert!(!event.opening().hands_out());
        Err(Error::refused("the log is full"))
    }

    fn searched(&self, _: &SearchEvent<'_>) -> Result<(), Error> {
        Err(Error::refused("the log is full"))
    }
}

#[test]
fn a_search_whose_event_is_not_taken_gives_no_hit() -> Result<(), Error> {
    let keys = observed(Full);
    let (rows, access) = (rows(&keys), access());
    let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;
    let found: Vec<_> = born.hits(&keys, rows.clone(), &access).map(|hit| hit.map(|hit| hit.id)).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap_err().code().as_str(), "refused-by-observer");
    // Index values that are computed anew are an opening whose values stay inside.
    assert_eq!(keys.reindex(&rows[0], &access).unwrap_err().code().as_str(), "refused-by-observer");
    Ok(())
}

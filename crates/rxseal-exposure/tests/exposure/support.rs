//! A folder with a map and files, and what a report says of them in short.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rxseal::keys::KeyringFile;
use rxseal::phi::{Drug, Note, PatientName};
use rxseal::root::RootKeys;
use rxseal::schema::Schema;
use rxseal::testing::{insecure_keyring_file, rotate_keyring};
use rxseal::{Keyring, PhiRecord, run_local};
use rxseal_exposure::{Exposure, State, Stolen, Theft};
use rxseal_html::number;
use rxseal_map::Map;

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(subject)]
    patient_id: Option<String>,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(clear)]
    filled_at: String,
}

#[derive(PhiRecord)]
#[phi(record = "visit")]
struct Visit {
    #[phi(id)]
    visit: String,
    #[phi(seal = Note)]
    note: String,
}

pub fn schema() -> Schema {
    Schema::new().with::<Prescription>().unwrap().with::<Visit>().unwrap()
}

/// Prescriptions with subjects, and visits without.
pub const MAP: &str = "keyspace = 'pharmacy-17'\n\
    [[source]]\nat = 'csv:rx.csv'\nrecord = 'prescription'\nid = 'rx_number'\nsubject = 'patient_id'\n\
    sealed = { patient_name = 'phi.patient.name', drug = 'phi.rx.drug' }\nindex = { name_index = 'patient.name' }\n\
    clear = { filled_at = 'date' }\n\
    [[source]]\nat = 'csv:visits.csv'\nrecord = 'visit'\nid = 'visit'\nsealed = { note = 'phi.clinical.note' }\n";
pub const RX: &str = "rx_number,patient_id,patient_name,drug,name_index,filled_at";

pub struct Place {
    pub folder: PathBuf,
    pub roots: RootKeys,
    pub ring: KeyringFile,
    pub keys: Keyring,
}

impl Place {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rxseal-exposure-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        let ring = run_local(rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &ring)).unwrap().unobserved();
        let place = Self { folder, roots, ring, keys };
        place.write("map.toml", MAP);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// A copy of a source of the map.
    pub fn copy(&self, name: &str, of: &str) -> Stolen {
        stolen(&format!("data:{}={of}", self.path(name).display()))
    }

    /// A row of a prescription of a patient without a subject key.
    pub fn rx(&self, number: u64) -> String {
        let record = self.keys.record("prescription", number).unwrap();
        let (name, drug) = (record.seal_text::<PatientName>("Jane Doe"), record.seal_text::<Drug>("warfarin 5 MG"));
        format!("{number},,{},{},,2026-08-30", name.unwrap(), drug.unwrap())
    }

    pub fn visit(&self, visit: &str) -> String {
        format!("{visit},{}", self.keys.record("visit", visit).unwrap().seal_text::<Note>("doing well").unwrap())
    }

    /// Sources of `count` prescriptions, and of one visit.
    pub fn fill(&self, count: u64) {
        let rows: Vec<_> = (1..=count).map(|number| self.rx(number)).collect();
        self.write("rx.csv", format!("{RX}\n{}\n", rows.join("\n")));
        self.write("visits.csv", format!("visit,note\n{}\n", self.visit("v-1")));
    }

    pub fn theft(&self) -> Theft {
        let map = Map::read(self.path("map.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Theft::new(map, schema(), "2026-09-02".parse().unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn stolen(text: &str) -> Stolen {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A report and the states of each patient by class.
pub struct Told {
    pub exposure: Exposure,
    pub states: BTreeMap<String, BTreeMap<String, String>>,
}

pub fn told(theft: Theft) -> Told {
    let mut list = Vec::new();
    let exposure =
        run_local(async { Ok(theft.report(&mut list).await) }).unwrap().unwrap_or_else(|error| panic!("{error:?}"));
    let list = String::from_utf8(list).unwrap();
    let mut lines = list.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    let mut states = BTreeMap::new();
    for line in lines {
        let cells: BTreeMap<_, _> =
            names.iter().copied().map(str::to_owned).zip(line.split(',').map(str::to_owned)).collect();
        let subject = cells["subject"].clone();
        let longer = [&cells["keyspace"], &cells["record"]].map(|of| format!("{of}/{subject}"));
        let key = [subject].into_iter().chain(longer).find(|key| !states.contains_key(key));
        states.insert(key.unwrap(), cells);
    }
    let told = Told { states, exposure };
    told.adds_up();
    told.is_printed();
    told
}

impl Told {
    /// The numbers of the report are those of the list.
    fn adds_up(&self) {
        let totals = &self.exposure.totals;
        let sum = |of: &[(State, u64)]| of.iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!(sum(&totals.by_state), totals.patients);
        for class in &self.exposure.classes {
            assert_eq!(sum(&class.patients), totals.patients, "{}", class.class);
        }
        let unnamed: u64 = self
            .exposure
            .doubts
            .iter()
            .filter(|doubt| doubt.code.ends_with("-unnamed"))
            .filter_map(|doubt| doubt.count)
            .sum();
        let listed = u64::try_from(self.states.len()).unwrap();
        assert!(listed <= totals.patients && totals.patients <= listed + unnamed, "{totals:?}");
        // The overall state of each patient is the one that the totals count.
        for (state, count) in &totals.by_state {
            let of = self.states.values().filter(|states| states["overall"] == state.as_str()).count();
            let of = u64::try_from(of).unwrap();
            assert!(of <= *count && *count <= of + unnamed, "overall {state:?}: {of}, {count}");
        }
        let is_at_risk = |said: &String| State::ALL.iter().any(|state| state.as_str() == said && state.is_at_risk());
        let clear = self.states.values().filter(|states| is_at_risk(&states["readable columns"])).count();
        let clear = u64::try_from(clear).unwrap();
        assert!(clear <= totals.clear && totals.clear <= clear + unnamed, "{clear}: {totals:?}");
        for class in &self.exposure.classes {
            for (state, count) in &class.patients {
                let of = self.states.values().filter(|states| states[&class.class] == state.as_str()).count();
                let of = u64::try_from(of).unwrap();
                assert!(of <= *count && *count <= of + unnamed, "{} {state:?}: {of}, {count}", class.class);
            }
        }
    }

    /// The numbers of the page are those of the report.
    fn is_printed(&self) {
        let html = self.exposure.to_html();
        let has = |text: String| assert!(html.contains(&text), "{text}\n{html}");
        has(format!("<b>{}</b>proven:", number(self.exposure.totals.proven)));
        has(format!("<b>{}</b>with data in readable columns", number(self.exposure.totals.clear)));
        for class in &self.exposure.classes {
            for (state, count) in class.patients.iter().filter(|(_, count)| *count > 0) {
                let state = match state {
                    State::Sealed => "copied, sealed".to_owned(),
                    _ => state.as_str().replace('-', " "),
                };
                has(format!("{} {state}", number(*count)));
            }
        }
    }

    pub fn state(&self, patient: &str, class: &str) -> &str {
        &self.states[patient][class]
    }

    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.exposure.doubts.iter().map(|doubt| doubt.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Proven, at most, all.
    pub fn numbers(&self) -> (u64, u64, u64) {
        let totals = &self.exposure.totals;
        (totals.proven, totals.at_most, totals.patients)
    }
}

/// The number of a landing run, or with `RXSEAL_FULL` that of the design.
pub fn many(landing: u64, full: u64) -> u64 {
    if std::env::var_os("RXSEAL_FULL").is_some() { full } else { landing }
}

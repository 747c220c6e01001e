//! A folder, keys, rows that a generator makes, and what a scan says of them in short.

use std::fs;
use std::path::PathBuf;

use rxseal::keys::KeyringFile;
use rxseal::phi::{Drug, PatientName};
use rxseal::schema::Schema;
use rxseal::testing::{insecure_keyring_file, rotate_keyring};
use rxseal::{Keyring, PhiRecord, run_local};
use rxseal_map::{Addresses, Map};
use rxseal_scan::{Report, Scan};

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(clear)]
    filled_at: String,
    #[phi(clear)]
    memo: String,
}

pub fn schema() -> Schema {
    Schema::new().with::<Prescription>().unwrap()
}

pub struct Place {
    pub folder: PathBuf,
    pub ring: KeyringFile,
    pub keys: Keyring,
}

impl Place {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-scan-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        let ring = run_local(rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &ring)).unwrap().unobserved();
        Self { folder, ring, keys }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The tokens of a row: name and drug.
    pub fn row(&self, id: u64) -> [String; 2] {
        let record = self.keys.record("prescription", id).unwrap();
        [record.seal_text::<PatientName>("Jane Doe").unwrap(), record.seal_text::<Drug>("warfarin 5 MG").unwrap()]
    }

    pub fn scan(&self) -> Scan {
        Scan::new().with_schema(schema()).with_keyring(&self.ring)
    }

    /// A scan of the source `at` with the columns of a prescription.
    pub fn source(&self, scan: &Scan, at: &str) -> Report {
        let text = format!(
            "keyspace = 'pharmacy-17'\n[[source]]\nat = '{at}'\nrecord = 'prescription'\nid = 'rx_number'\n\
             sealed = {{ patient_name = 'phi.patient.name', drug = 'phi.rx.drug' }}\nclear = {{ filled_at = 'date', memo = 'none' }}\n"
        );
        self.source_of(scan, &text)
    }

    /// A scan of the first source of a map.
    pub fn source_of(&self, scan: &Scan, map: &str) -> Report {
        self.write("map.toml", map);
        let map = Map::read(self.path("map.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        run_local(async { Ok(scan.source(&map.sources()[0], &Addresses::default()).await) }).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `drug plaintext 2`, `memo? ssn 1` and `undecided memo column-undeclared 3`.
pub fn told(report: &Report) -> Vec<String> {
    let findings = report.findings().iter().map(|finding| {
        let mark = if finding.certainty().as_str() == "possible" { "?" } else { "" };
        let place = finding.place().map(str::to_owned).or(finding.line().map(|line| format!("line {line}")));
        format!("{}{mark} {} {}", place.unwrap_or_default(), finding.kind(), finding.count())
    });
    let undecided = report.undecided().iter().map(|undecided| {
        let parts = [undecided.place().unwrap_or_default().to_owned(), undecided.code().to_owned()];
        let count = undecided.count().map(|count| count.to_string()).unwrap_or_default();
        let all = ["undecided".to_owned()].into_iter().chain(parts).chain([count]);
        all.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    });
    findings.chain(undecided).collect()
}

/// All that a report says, to people and in `Debug`.
pub fn all_texts(report: &Report) -> String {
    let findings = report.findings().iter().map(ToString::to_string);
    let undecided = report.undecided().iter().map(ToString::to_string);
    format!("{} {report:?}", findings.chain(undecided).collect::<Vec<_>>().join("\n"))
}

/// Numbers that look like chance and are the same in each run.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        // Steele, Lea and Flood: SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// How many rows a test has: few in a landing run.
pub fn rows(few: u64, full: u64) -> u64 {
    if std::env::var_os("RXSEAL_FULL").is_some() { full } else { few }
}

//! Seals and opens one record for each of many patients, with its subject key and without.

use std::collections::HashMap;
use std::hint::black_box;
use std::ops::Range;

use aes_gcm::aes::Aes256Enc;
use aes_gcm::{Aes256Gcm, KeyInit};
use rxseal::keys::{Backend, Suite};
use rxseal::page::{OpenPass, open_page, seal_page};
use rxseal::subjects::{LoadedSubjects, SubjectKeys};
use rxseal::{Access, Keyring, Record, run_local};

use crate::common::{
    self, PlainPrescription, Prescription, clock, median, open_five, open_record, print_table, seal_five, seal_record,
};
use crate::patients::Patients;
use crate::raw::Raw;

const FIELDS: f64 = 5.0;
const CLASSES: usize = 3;
/// Fields a second and core.
const TARGET: f64 = 500_000.0;
/// How many records are processed before the next candidate's turn, and how many make a page.
const TURN: usize = 250;

pub fn compare(backend: Backend, patients: usize, rounds: usize) {
    let bench = Bench::new(backend, patients);
    let mut candidates = bench.candidates();
    for _ in 0..rounds {
        for start in (0..patients).step_by(TURN) {
            let turn = start..patients.min(start + TURN);
            candidates.iter_mut().for_each(|candidate| candidate.take(turn.clone()));
        }
    }
    println!("One record of 5 fields in 3 classes of each of {patients} patients, as text, with records made anew\n");
    let medians = candidates.into_iter().map(|mut candidate| (candidate.name, median(&mut candidate.nanoseconds)));
    print_rows(&medians.collect());
}

/// An operation on some of the records, and the nanoseconds that one of them took each time.
struct Candidate<'b> {
    name: &'static str,
    run: Box<dyn FnMut(Range<usize>) + 'b>,
    nanoseconds: Vec<f64>,
}

impl Candidate<'_> {
    fn take(&mut self, turn: Range<usize>) {
        let (records, begun) = (turn.len(), clock::of_thread());
        (self.run)(turn);
        self.nanoseconds.push((clock::of_thread() - begun).as_secs_f64() * 1e9 / records as f64);
    }
}

const RAW_SEALS: &str = "draw and raw seals";
const RAW_OPENS: &str = "raw opens";
const CLASS_KEYS: &str = "keys of 3 classes";
const PLAIN_WRITE: &str = "plain JSON write";
const PLAIN_READ: &str = "plain JSON read";

/// An operation with a subject, the same without one, and the parts that it cannot avoid.
const ROWS: [(&str, &str, &[&str]); 6] = [
    ("seal_fields", "seal_fields, no subject", &[RAW_SEALS, CLASS_KEYS]),
    ("seal_page", "seal_page, no subject", &[RAW_SEALS, CLASS_KEYS]),
    ("serde_json write", "serde_json write, no subject", &[RAW_SEALS, CLASS_KEYS, PLAIN_WRITE]),
    ("open_fields", "open_fields, no subject", &[RAW_OPENS, CLASS_KEYS]),
    ("open_page", "open_page, no subject", &[RAW_OPENS, CLASS_KEYS]),
    ("serde_json read", "serde_json read, no subject", &[RAW_OPENS, CLASS_KEYS, PLAIN_READ]),
];

fn print_rows(median: &HashMap<&str, f64>) {
    let rows = ROWS.iter().map(|(with, without, floor)| {
        let (took, least) = (median[with], floor.iter().map(|part| median[part]).sum::<f64>());
        let target = if with.starts_with("open") { format!("{TARGET:.0}") } else { String::new() };
        vec![
            (*with).to_owned(),
            format!("{:.2}", took / 1e3),
            format!("{:.0}", FIELDS / took * 1e9),
            target,
            format!("{:.2}", took / median[without]),
            format!("{:.2}", took / least),
        ]
    });
    print_table(
        &["with a subject", "CPU us/record", "fields/s", "target", "x no subject", "x floor"],
        &rows.collect::<Vec<_>>(),
    );
    let parts = [RAW_SEALS, RAW_OPENS, CLASS_KEYS, "make a record", "make a record of a subject"];
    let parts = parts.map(|part| vec![part.to_owned(), format!("{:.2}", median[part] / 1e3)]);
    println!();
    print_table(&["part", "CPU us/record"], &parts);
    println!();
}

/// The records of all patients: sealed without a subject and with one, each as tokens and as JSON.
struct Bench {
    backend: Backend,
    keys: Keyring,
    access: Access,
    raw: Raw,
    raw_record: [String; 5],
    plain: PlainPrescription,
    plain_json: String,
    prescription: Prescription,
    patients: Patients,
    loaded: LoadedSubjects,
    record_ids: Vec<String>,
    tokens: [Vec<[String; 5]>; 2],
    json: [Vec<String>; 2],
}

impl Bench {
    fn new(backend: Backend, count: usize) -> Self {
        let keys = common::unlocked_with(Suite::default(), backend).unobserved();
        let patients = Patients::new(&keys, count);
        let subjects = SubjectKeys::new(patients.in_memory());
        let loaded = run_local(subjects.load(&keys, patients.names())).unwrap();
        let raw = Raw::new(backend);
        let plain = common::plain_prescription();
        let mut bench = Self {
            backend,
            keys,
            access: common::access(),
            raw_record: raw.seal_record(),
            raw,
            plain_json: serde_json::to_string(&plain).unwrap(),
            plain,
            prescription: common::prescription(),
            patients,
            loaded,
            record_ids: (0..count).map(|at| format!("0193a7e4-7c1e-7d5a-9b20-{at:012x}")).collect(),
            tokens: Default::default(),
            json: Default::default(),
        };
        bench.tokens = KINDS.map(|kind| bench.records(kind, 0..count).map(|record| seal_record(&record)).collect());
        bench.json = KINDS.map(|kind| bench.records(kind, 0..count).map(|record| bench.write(&record)).collect());
        bench
    }

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let [bare, of_subject] = KINDS;
        vec![
            each(RAW_SEALS, || drop(black_box(self.raw.seal_record()))),
            each(RAW_OPENS, || self.raw.open_record(&self.raw_record)),
            each(CLASS_KEYS, || class_keys(self.backend)),
            each(PLAIN_WRITE, || drop(black_box(serde_json::to_string(black_box(&self.plain)).unwrap()))),
            each(PLAIN_READ, || {
                black_box(serde_json::from_str::<PlainPrescription>(black_box(&self.plain_json)).unwrap());
            }),
            candidate("make a record", move |turn| self.records(bare, turn).for_each(|record| drop(black_box(record)))),
            candidate("make a record of a subject", move |turn| {
                self.records(of_subject, turn).for_each(|record| drop(black_box(record)));
            }),
            candidate("seal_fields, no subject", move |turn| self.seal(bare, turn)),
            candidate("seal_fields", move |turn| self.seal(of_subject, turn)),
            candidate("seal_page, no subject", move |turn| self.seal_page(bare, turn)),
            candidate("seal_page", move |turn| self.seal_page(of_subject, turn)),
            candidate("serde_json write, no subject", move |turn| self.write_all(bare, turn)),
            candidate("serde_json write", move |turn| self.write_all(of_subject, turn)),
            candidate("open_fields, no subject", move |turn| self.open(bare, turn)),
            candidate("open_fields", move |turn| self.open(of_subject, turn)),
            candidate("open_page, no subject", move |turn| self.open_page(bare, turn)),
            candidate("open_page", move |turn| self.open_page(of_subject, turn)),
            candidate("serde_json read, no subject", move |turn| self.read_all(bare, turn)),
            candidate("serde_json read", move |turn| self.read_all(of_subject, turn)),
        ]
    }

    fn records(&self, kind: Kind, turn: Range<usize>) -> impl Iterator<Item = Record> {
        turn.map(move |at| {
            let record = self.keys.record("prescription", self.record_ids[at].as_str()).unwrap();
            match kind {
                Kind::Bare => record,
                Kind::OfSubject => record.subject(self.loaded.get(&self.patients.ids[at]).unwrap()).unwrap(),
            }
        })
    }

    fn seal(&self, kind: Kind, turn: Range<usize>) {
        self.records(kind, turn).for_each(|record| drop(black_box(seal_record(&record))));
    }

    fn seal_page(&self, kind: Kind, turn: Range<usize>) {
        let records: Vec<_> = self.records(kind, turn).collect();
        seal_page(&records, |_, pass| seal_five(pass).map(|tokens| drop(black_box(tokens)))).unwrap();
    }

    fn write_all(&self, kind: Kind, turn: Range<usize>) {
        self.records(kind, turn).for_each(|record| drop(black_box(self.write(&record))));
    }

    fn write(&self, record: &Record) -> String {
        serde_json::to_string(&record.sealing(&self.prescription)).unwrap()
    }

    fn open(&self, kind: Kind, turn: Range<usize>) {
        for (record, tokens) in self.records(kind, turn.clone()).zip(&self.tokens[kind as usize][turn]) {
            black_box(open_record(&record.opened_by(&self.access), tokens));
        }
    }

    fn open_page(&self, kind: Kind, turn: Range<usize>) {
        let records: Vec<_> = self.records(kind, turn.clone()).collect();
        let tokens = &self.tokens[kind as usize][turn];
        // Dropped one by one, as in the other candidates: what becomes of them is up to the program.
        let open =
            |at: usize, pass: &mut OpenPass<'_>| open_five(pass, &tokens[at]).map(|texts| drop(black_box(texts)));
        open_page(&records, &self.access, open).unwrap();
    }

    fn read_all(&self, kind: Kind, turn: Range<usize>) {
        for (record, json) in self.records(kind, turn.clone()).zip(&self.json[kind as usize][turn]) {
            let open = record.opened_by(&self.access);
            black_box(open.run_opening(|| serde_json::from_str::<Prescription>(json)).unwrap());
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Bare,
    OfSubject,
}

const KINDS: [Kind; 2] = [Kind::Bare, Kind::OfSubject];

fn candidate<'b>(name: &'static str, run: impl FnMut(Range<usize>) + 'b) -> Candidate<'b> {
    Candidate { name, run: Box::new(run), nanoseconds: Vec::new() }
}

fn each<'b>(name: &'static str, mut run: impl FnMut() + 'b) -> Candidate<'b> {
    candidate(name, move |turn| turn.for_each(|_| run()))
}

/// What FORMAT 3.5 and 5.2 require for each class of a subject's record: HKDF, the expanded key of XAES, and the
/// expanded key of AES-GCM.
fn class_keys(backend: Backend) {
    for _ in 0..CLASSES {
        let key = class_key(backend, black_box(&[7; 32]), black_box(&[8; 32]), black_box(&[9; 105]));
        match backend {
            Backend::RustCrypto => {
                black_box(Aes256Enc::new(&key.into()));
                black_box(Aes256Gcm::new(black_box(&key.into())));
            }
            // Both make and drop its expanded key in the same way.
            _ => drop(black_box([(); 2].map(|()| Raw::new(backend)))),
        }
    }
}

fn class_key(backend: Backend, subject_key: &[u8], input: &[u8], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    match backend {
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => {
            use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
            let info = [info];
            let prk = Salt::new(HKDF_SHA256, subject_key).extract(input);
            prk.expand(&info, HKDF_SHA256).unwrap().fill(&mut key).unwrap();
        }
        _ => hkdf::Hkdf::<sha2::Sha256>::new(Some(subject_key), input).expand(info, &mut key).unwrap(),
    }
    key
}

//! rxseal, through its direct calls.
//!
//! For what it binds, see docs/FORMAT.md 4 (context digest, AAD with header and field id), 3 (keys) and 5.3 (one draw a
//! pass).

use std::hint::black_box;
use std::marker::PhantomData;

use rxseal::keys::{Suite, UnlockOptions};
use rxseal::page::{OpenPass, SealPass};
use rxseal::{Access, Error, Field, Keyring, Record, RecordReader, Token, run_local};

use super::{Binding, Bound, Candidate, Facts, Peer, Place, name};
use crate::record::{
    BIRTH_DATE, BirthDate, COUNT, DIRECTIONS, DRUG, Directions, Drug, NAME, Name, OTHER_RECORD_ID, OTHER_TENANT,
    PRESCRIBER, Prescriber, RECORD_ID, RECORD_TYPE, TENANT, access, roots,
};

/// A backend of rxseal.
struct Backend {
    names: name::Rxseal,
    primitive: &'static str,
    /// For text and for bytes.
    floors: [&'static str; 2],
    options: fn() -> UnlockOptions,
}

/// Ratios, targets and versions find them by these names.
const BACKENDS: &[Backend] = &[
    Backend {
        names: name::RXSEAL,
        primitive: "aes-gcm",
        floors: ["floor: aes-gcm, text", "floor: aes-gcm, bytes"],
        options: UnlockOptions::default,
    },
    Backend {
        names: name::RXSEAL_AWS_LC,
        primitive: "aws-lc-rs",
        floors: ["floor: aws-lc-rs, text", "floor: aws-lc-rs, bytes"],
        options: || UnlockOptions::default().backend(rxseal::keys::Backend::AwsLc),
    },
];

/// For each backend: as text, as text with the record kept, and as bytes.
pub fn candidates() -> Vec<Candidate> {
    BACKENDS.iter().flat_map(of_backend).collect()
}

fn of_backend(Backend { names, primitive, floors, options }: &Backend) -> [Candidate; 3] {
    let text = Facts { name: names.text, primitive, form: "text", floor: Some(floors[0]), ..FACTS };
    let held = Facts { name: names.held, ..text };
    let binary = Facts { name: names.binary, primitive, form: "bytes", floor: Some(floors[1]), ..FACTS };
    [
        Candidate::new(text, Rxseal::<Text>::new(options())),
        Candidate::new(held, Rxseal::<Text>::new(options()).hold_record()),
        Candidate::new(binary, Rxseal::<Binary>::new(options())),
    ]
}

const FACTS: Facts = Facts {
    name: "",
    package: "rxseal",
    primitive: "",
    form: "",
    floor: None,
    binding: Some(Binding {
        tenant: Bound::Yes,
        record: Bound::Yes,
        field: Bound::Yes,
        key_id: Bound::Yes,
        key_id_at: "in the token and in the AAD",
        keys: "one per record and class, derived",
        random: "operating system, one draw of 12 bytes per record",
        wipes: "keys, their schedules and buffers of plaintext",
    }),
};

/// A token as text or as bytes.
pub trait Form {
    type Stored: AsRef<[u8]>;
    fn seal<F: Field>(pass: &mut SealPass<'_>, value: &str) -> Result<Self::Stored, Error>;
    fn open<F: Field>(pass: &mut OpenPass<'_>, stored: &Self::Stored) -> Result<String, Error>;
}

pub struct Text;

impl Form for Text {
    type Stored = String;

    fn seal<F: Field>(pass: &mut SealPass<'_>, value: &str) -> Result<String, Error> {
        pass.seal_text::<F>(black_box(value))
    }

    fn open<F: Field>(pass: &mut OpenPass<'_>, stored: &String) -> Result<String, Error> {
        pass.open_text::<F, _>(stored)
    }
}

pub struct Binary;

impl Form for Binary {
    type Stored = Token;

    fn seal<F: Field>(pass: &mut SealPass<'_>, value: &str) -> Result<Token, Error> {
        pass.seal::<F>(black_box(value))
    }

    fn open<F: Field>(pass: &mut OpenPass<'_>, stored: &Token) -> Result<String, Error> {
        pass.open::<F, _>(stored)
    }
}

struct Rxseal<S> {
    keys: Keyring,
    other_tenant: Keyring,
    access: Access,
    /// Made once and used for every round. Without it a record is made within each measured operation, as in a program
    /// that reads a table.
    held: Option<(Record, RecordReader)>,
    form: PhantomData<S>,
}

impl<S: Form> Rxseal<S> {
    fn new(options: UnlockOptions) -> Self {
        let (keys, other_tenant) = (unlocked(TENANT, options.clone()), unlocked(OTHER_TENANT, options));
        Self { keys, other_tenant, access: access(), held: None, form: PhantomData }
    }

    fn hold_record(mut self) -> Self {
        let record = record_of(&self.keys, RECORD_ID);
        self.held = Some((record_of(&self.keys, RECORD_ID), record.opened_by(&self.access)));
        self
    }

    fn opens<F: Field>(&self, keys: &Keyring, record_id: &str, stored: &S::Stored) -> bool {
        record_of(keys, record_id).opened_by(&self.access).open_fields(|pass| S::open::<F>(pass, stored)).is_ok()
    }
}

impl<S: Form> Peer for Rxseal<S> {
    type Stored = S::Stored;

    fn seal(&mut self) -> [S::Stored; COUNT] {
        match &self.held {
            Some((record, _)) => record.seal_fields(seal_all::<S>).unwrap(),
            None => record_of(&self.keys, black_box(RECORD_ID)).seal_fields(seal_all::<S>).unwrap(),
        }
    }

    fn open(&mut self, stored: &[S::Stored; COUNT]) -> [String; COUNT] {
        let open = |record: &RecordReader| record.open_fields(|pass| open_all::<S>(pass, stored)).unwrap();
        match &self.held {
            Some((_, record)) => open(record),
            None => open(&record_of(&self.keys, black_box(RECORD_ID)).opened_by(&self.access)),
        }
    }

    fn seal_name(&mut self, name: &str) -> S::Stored {
        record_of(&self.keys, RECORD_ID).seal_fields(|pass| S::seal::<Name>(pass, name)).unwrap()
    }

    fn opens_at(&mut self, stored: &S::Stored, place: Place) -> Option<bool> {
        Some(match place {
            Place::Tenant => self.opens::<Name>(&self.other_tenant, RECORD_ID, stored),
            Place::Record => self.opens::<Name>(&self.keys, OTHER_RECORD_ID, stored),
            Place::Field => self.opens::<BirthDate>(&self.keys, RECORD_ID, stored),
        })
    }
}

fn unlocked(tenant: &str, options: UnlockOptions) -> Keyring {
    let roots = roots();
    let file = run_local(rxseal::testing::create_keyring(tenant, &roots, Suite::default())).unwrap();
    run_local(Keyring::unlock_with(options, tenant, &roots, &file)).unwrap().unobserved()
}

fn record_of(keys: &Keyring, id: &str) -> Record {
    keys.record(RECORD_TYPE, id).unwrap()
}

fn seal_all<S: Form>(pass: &mut SealPass<'_>) -> Result<[S::Stored; COUNT], Error> {
    Ok([
        S::seal::<Name>(pass, NAME)?,
        S::seal::<BirthDate>(pass, BIRTH_DATE)?,
        S::seal::<Drug>(pass, DRUG)?,
        S::seal::<Directions>(pass, DIRECTIONS)?,
        S::seal::<Prescriber>(pass, PRESCRIBER)?,
    ])
}

fn open_all<S: Form>(pass: &mut OpenPass<'_>, stored: &[S::Stored; COUNT]) -> Result<[String; COUNT], Error> {
    let [name, birth_date, drug, directions, prescriber] = stored;
    Ok([
        S::open::<Name>(pass, name)?,
        S::open::<BirthDate>(pass, birth_date)?,
        S::open::<Drug>(pass, drug)?,
        S::open::<Directions>(pass, directions)?,
        S::open::<Prescriber>(pass, prescriber)?,
    ])
}

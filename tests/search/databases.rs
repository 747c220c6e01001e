//! Search over SQLite and PostgreSQL: a change of the index root beside writers, searchers and kills, a million rows, and what is left in
//! files and logs.

mod guide;
mod postgres_table;
mod rotation;
mod speed;
mod sqlite_table;
mod text_columns;
mod traces;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

use rxseal::index::IndexValue;
use rxseal::keys::{KeyUse, KeyringAdmin, KeyringFile, RemainingUse, Suite, UnlockOptions};
use rxseal::phi::{BirthDate, FamilyName, GivenName, Phone};
use rxseal::root::RootKeys;
use rxseal::schema::{RecordSchema, Schema};
use rxseal::store::MemoryStore;
use rxseal::{Access, Error, KeyId, Keyring, PhiRecord, Purpose, run_local};
use rxseal_search::indexes;

use crate::attack::population::{Drawn, Names};
use crate::draw::Draw;

/// A patient, with an index of each shape: whole, with slots, several values, nearly unique.
#[derive(Clone, PartialEq, PhiRecord)]
#[phi(record = "person", derive(Debug, PartialEq))]
pub struct Person {
    #[phi(id)]
    pub id: i64,
    #[phi(seal = FamilyName, index = LastIs, index = AnyName)]
    pub last_name: String,
    #[phi(seal = GivenName, index = FirstIs)]
    pub first_name: String,
    #[phi(seal = BirthDate, index = BornOn)]
    pub birth_date: String,
    #[phi(seal = Phone, index = PhoneIs)]
    pub phone: String,
}

indexes! {
    for Person as "person" {
        pub BornOn = "person.born": date(birth_date: BirthDate), bits 14;
        pub LastIs = "person.last": family(last_name: FamilyName), bits 14, slots us_surnames_1 by record;
        pub FirstIs = "person.first": given(first_name: GivenName), bits 14, slots us_given_1 by record;
        pub PhoneIs = "person.phone": phone(phone: Phone), bits 17;
        pub AnyName = "person.names": family_parts(last_name: FamilyName), bits 14, slots us_surnames_1 by record;
    }
}

/// What the record struct says of itself, as the statements of a re-index take it.
pub fn person_schema() -> RecordSchema {
    Schema::new().with::<Person>().unwrap().record("person").unwrap().clone()
}

pub type Prefix = [u8; 3];

/// A table of patients in one of the databases.
pub trait Persons: Send {
    /// For a thread of its own.
    fn another(&self) -> Box<dyn Persons>;
    fn insert(&mut self, rows: &[SealedPerson]);
    /// What a writer does: all columns, whatever was there.
    fn save(&mut self, row: &SealedPerson);
    fn born(&mut self, values: &[IndexValue<BornOn>]) -> Vec<SealedPerson>;
    fn called(&mut self, last: &[IndexValue<LastIs>], first: &[IndexValue<FirstIs>]) -> Vec<SealedPerson>;
    fn with_phone(&mut self, values: &[IndexValue<PhoneIs>]) -> Vec<SealedPerson>;
    fn with_any_name(&mut self, values: &[IndexValue<AnyName>]) -> Vec<SealedPerson>;
    /// How many rows match, of which none is fetched.
    fn count_born(&mut self, values: &[IndexValue<BornOn>]) -> usize;
    /// A page of the rows with such a prefix, or of all rows.
    fn page(&mut self, prefixes: Option<&[Prefix]>, after: i64, limit: i64) -> Vec<SealedPerson>;
    /// Writes `new`, if the stored row is still `old`. It may be killed between its statements.
    fn swap(&mut self, old: &SealedPerson, new: &SealedPerson, kill: &mut dyn FnMut() -> bool) -> Result<bool, Killed>;
    /// How many values of all indexes there are under each prefix.
    fn counts(&mut self) -> BTreeMap<Prefix, u64>;
    /// Empties the index columns of a patient.
    fn clear(&mut self, id: i64);
}

#[derive(Debug)]
pub struct Killed;

/// The keyring of the patients, and the life of its index roots.
pub struct World {
    admin: KeyringAdmin,
    roots: RootKeys,
}

const TENANT: &str = "pharmacy-17";

impl World {
    pub fn new() -> Self {
        let (roots, _) = rxseal::testing::insecure_keyring_file(TENANT).unwrap();
        let admin = KeyringAdmin::new(MemoryStore::default(), roots.clone());
        run_local(admin.create(TENANT, Suite::default())).unwrap();
        Self { admin, roots }
    }

    fn stored(&self) -> KeyringFile {
        run_local(self.admin.stored(TENANT)).unwrap()
    }

    /// As a program has it that loads the keyring now.
    pub fn keys(&self) -> Keyring {
        let options = UnlockOptions::default().with_index_roots();
        run_local(Keyring::unlock_with(options, TENANT, &self.roots, &self.stored())).unwrap().unobserved()
    }

    pub fn primary(&self) -> KeyId {
        let stored = self.stored();
        stored.keys().iter().find(|key| key.usage() == KeyUse::Index && key.is_primary()).unwrap().id()
    }

    pub fn stage(&self) -> KeyId {
        run_local(self.admin.stage_index_root(TENANT)).unwrap().1
    }

    pub fn promote(&self, root: KeyId) {
        run_local(self.admin.promote_index_root(TENANT, root, SystemTime::now(), std::time::Duration::ZERO)).unwrap();
    }

    pub fn destroy(&self, root: KeyId, left: u64) -> Result<(), Error> {
        let left = RemainingUse::of_index_root(left);
        run_local(self.admin.destroy(TENANT, root, left, SystemTime::now(), std::time::Duration::ZERO)).map(drop)
    }
}

pub fn access() -> Access {
    Access::new("job:reindex", Purpose::HOPERAT).unwrap()
}

/// The prefixes of all indexes under the roots that `keep` takes.
pub fn prefixes(keys: &Keyring, keep: impl Fn(KeyId) -> bool) -> Vec<Prefix> {
    let indexer = keys.indexer().unwrap();
    let mut all = indexer.prefixes::<BornOn>().unwrap();
    all.extend(indexer.prefixes::<LastIs>().unwrap());
    all.extend(indexer.prefixes::<FirstIs>().unwrap());
    all.extend(indexer.prefixes::<PhoneIs>().unwrap());
    all.extend(indexer.prefixes::<AnyName>().unwrap());
    all.iter().filter(|prefix| keep(prefix.root())).map(|prefix| *prefix.as_bytes()).collect()
}

/// Patients in any number, the same each time. Their names are as common as in the United States, and birth dates are spread over a century.
pub fn person(id: i64) -> Person {
    /// One in a hundred is written in a way that needs its normal form.
    const WRITTEN: [(&str, &str); 6] = [
        ("O'Brien", "José Eduardo"),
        ("García", "MARY"),
        ("De La Cruz", "Aoife"),
        ("Smith-Jones", "Anne-Marie"),
        ("Müller", "Wei"),
        ("Zyzik jr.", "J."),
    ];
    static LAST: LazyLock<Drawn> = LazyLock::new(|| Names::of_the_us().into());
    static FIRST: LazyLock<Drawn> = LazyLock::new(|| Names::given_in_the_us().into());
    let mut random = Draw(u64::try_from(id).unwrap());
    let (last, first) = (random.share(), random.share());
    let last_name = if random.below(100) == 0 { WRITTEN[random.below(6)].0 } else { LAST.name(last) };
    let first_name = if random.below(100) == 0 { WRITTEN[random.below(6)].1 } else { FIRST.name(first) };
    let (year, month, day) = (1925 + random.below(95), 1 + random.below(12), 1 + random.below(28));
    Person {
        id,
        last_name: last_name.to_owned(),
        first_name: first_name.to_owned(),
        birth_date: format!("{year:04}-{month:02}-{day:02}"),
        phone: format!("({}) {}-{:04}", 201 + random.below(700), 200 + random.below(700), random.below(10_000)),
    }
}

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rxseal-search-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// How many, in a landing run and with `RXSEAL_FULL`.
pub fn number(landing: usize, full: usize) -> usize {
    if std::env::var_os("RXSEAL_FULL").is_some() { full } else { landing }
}

//! Canaries: patients who do not exist. Wherever one of their values is read, something left the place where it is sealed.

use std::fmt;

use rxseal::provider::fill_random;
use rxseal::{Access, Error, Keyring};
use serde::{Deserialize, Serialize};

use crate::known::{KnownValues, TooShort};

/// A patient who does not exist. Store the values as those of any other patient, and keep their list sealed.
///
/// Each value has more than 40 bits of chance, a letter beyond ASCII, a space or an apostrophe, so that it is in no text by accident and
/// is written in another way by each encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct Canary {
    id: Box<str>,
    name: String,
    drug: String,
    prescriber: String,
    phone: String,
}

impl Canary {
    /// A new one.
    ///
    /// # Errors
    ///
    /// `random-failed` if the system's generator fails.
    pub fn make() -> Result<Self, Error> {
        let mut bytes = [0; 48];
        fill_random(&mut bytes)?;
        let (id, rest) = bytes.split_at(8);
        let (name, rest) = rest.split_at(10);
        let (drug, rest) = rest.split_at(10);
        let (prescriber, phone) = rest.split_at(10);
        Ok(Self {
            id: format!("canary-{}", letters(id)).into(),
            name: format!("Zoë O'Q{}", letters(name)),
            drug: format!("Pérox{} 5 MG/mL", letters(drug)),
            prescriber: format!("Dr. Noël D'A{}", letters(prescriber)),
            // These numbers belong to nobody.
            phone: format!("555-0142 x{}", digits(phone)),
        })
    }

    /// Its name in findings, such as `canary-qwhzkfma`. It is no value: store it nowhere but in the list.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What to store: `name`, `drug`, `prescriber` and `phone`, each with its value.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { name, drug, prescriber, phone, .. } = self;
        [("name", &**name), ("drug", drug), ("prescriber", prescriber), ("phone", phone)].into_iter()
    }
}

/// Shows no value: whoever reads a log would plant it there.
impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canary({})", self.id)
    }
}

rxseal::fields! {
    CanaryValues = "rxseal.canary" in Identity { block: 256, search: never };
}

/// The record type of the list.
const RECORD: &str = "rxseal.canary";

/// The canaries of a keyspace. Their list is a text in which the values are sealed, for a file that is kept with the map.
///
/// ```
/// use rxseal_scan::{Canaries, Canary, Scan};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("user:kim", rxseal::Purpose::HSYSADMIN)?;
/// let planted = Canaries::from_iter([Canary::make()?]);
/// let list = planted.seal(&keys)?;
///
/// let canaries = Canaries::open(&list, &keys, &access)?;
/// let scan = Scan::new().looking_for(canaries.known()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canaries(Vec<Canary>);

/// Why a list of canaries cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// It is another text, or damaged.
    #[error("this is no list of canaries, or it is damaged; take the file that `rxseal canary plant` wrote")]
    NoList,
    /// A sealed value does not open.
    #[error("the values of a canary cannot be opened")]
    Sealed(#[from] Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    rxseal_canaries: u8,
    keyspace: String,
    canaries: Vec<Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    id: Box<str>,
    values: String,
}

#[derive(Serialize, Deserialize)]
struct Values {
    name: String,
    drug: String,
    prescriber: String,
    phone: String,
}

impl Canaries {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Canary> {
        self.0.iter()
    }

    /// One more.
    pub fn add(&mut self, canary: Canary) {
        self.0.push(canary);
    }

    /// Their list, with the values sealed.
    ///
    /// # Errors
    ///
    /// Those of sealing.
    pub fn seal(&self, keys: &Keyring) -> Result<String, Error> {
        let sealed = self.0.iter().map(|canary| {
            let Canary { id, name, drug, prescriber, phone } = canary.clone();
            let record = keys.record(RECORD, &*id)?;
            let values = record.seal_text::<CanaryValues>(&Values { name, drug, prescriber, phone })?;
            Ok(Listed { id, values })
        });
        let canaries: Result<_, Error> = sealed.collect();
        let list = List { rxseal_canaries: 1, keyspace: keys.keyspace().to_owned(), canaries: canaries? };
        // Texts and numbers always have a JSON form.
        Ok(serde_json::to_string_pretty(&list).unwrap_or_default() + "\n")
    }

    /// The keyspace of a list: whose keys open it.
    ///
    /// # Errors
    ///
    /// [`CanaryError::NoList`]
    pub fn keyspace(list: &str) -> Result<String, CanaryError> {
        parse(list).map(|list| list.keyspace)
    }

    /// From their list.
    ///
    /// # Errors
    ///
    /// [`CanaryError`]
    pub fn open(list: &str, keys: &Keyring, access: &Access) -> Result<Self, CanaryError> {
        let opened = parse(list)?.canaries.into_iter().map(|Listed { id, values }| {
            let reader = keys.record(RECORD, &*id)?.opened_by(access);
            let Values { name, drug, prescriber, phone } =
                reader.open_fields(|pass| pass.open_text::<CanaryValues, _>(&values))?;
            Ok(Canary { id, name, drug, prescriber, phone })
        });
        opened.collect::<Result<_, Error>>().map(Self).map_err(CanaryError::Sealed)
    }

    /// Their values, to look for. A finding names the canary and which value it is: `canary-qwhzkfma phone`.
    ///
    /// # Errors
    ///
    /// [`TooShort`] if somebody sealed such values himself.
    pub fn known(&self) -> Result<KnownValues, TooShort> {
        let values = self
            .0
            .iter()
            .flat_map(|canary| canary.values().map(move |(of, value)| (format!("{} {of}", canary.id()), value)));
        KnownValues::new(values)
    }
}

impl FromIterator<Canary> for Canaries {
    fn from_iter<I: IntoIterator<Item = Canary>>(canaries: I) -> Self {
        Self(canaries.into_iter().collect())
    }
}

fn parse(list: &str) -> Result<List, CanaryError> {
    let list: List = serde_json::from_str(list).map_err(|_| CanaryError::NoList)?;
    if list.rxseal_canaries == 1 { Ok(list) } else { Err(CanaryError::NoList) }
}

/// Nearly five bits of chance in each.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(b'a'.saturating_add(byte % 26))).collect()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(b'0'.saturating_add(byte % 10))).collect()
}

//! A theft: what is known of it, and how its report is made.

mod taken;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal::KeyId;
use rxseal::keys::KeyringFile;
use rxseal::schema::Schema;
use rxseal::store::{StoredSubject, SubjectKeyStore};
use rxseal_map::{Addresses, ClearKind, Keyspace, Map, Source};
use rxseal_watch::verify::{Verdict, Verifier};
use rxseal_watch::{LoggedEvent, read_events};

use crate::classes::Classes;
use crate::copies::{files, input, input_of_digest, taken};
use crate::day::Day;
use crate::error::ExposureError;
use crate::jurisdiction::Jurisdictions;
use crate::keys::{Keys, Ring};
use crate::log::{Facts, Log, Openings, Whose};
use crate::model::{Assumed, Doubt, Exposure, Input};
use crate::patients::{BITS, Patients};
use crate::reading::{Bits, Copy, Found, Known, read, said};
use crate::rule::Held;
use crate::state::State;
use crate::stolen::{Stolen, Thing};
use crate::time::{Window, shown};

/// A theft, and everything that is known of it. [`report`](Self::report) says what it exposed.
///
/// ```no_run
/// use rxseal::schema::Schema;
/// use rxseal_exposure::Theft;
/// use rxseal_map::Map;
/// use rxseal_watch::verify::Verifier;
///
/// # async fn example(schema: Schema, ring: rxseal::keys::KeyringFile) -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new(["pharmacy-17.example+20746a0f+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR".parse()?]);
/// let report = Theft::new(Map::read("rxseal-map.toml")?, schema, "2026-09-02".parse()?)
///     .stolen("data:dump.ndjson=ndjson:exports/*.ndjson".parse()?)
///     .stolen("actor:user:kim.rph@2026-08-30T20:51Z..2026-08-31T02:31Z".parse()?)
///     .keyring(ring)
///     .log("/var/log/pharmacy", verifier.checkpoints("/mnt/locked-bucket/checkpoints")?)
///     .report(&mut std::fs::File::create_new("patients.csv")?)
///     .await?;
/// println!("{} of {} patients, at most {}", report.totals.proven, report.totals.patients, report.totals.at_most);
/// # Ok(())
/// # }
/// ```
pub struct Theft {
    map: Map,
    schema: Schema,
    discovered: Day,
    name: Option<String>,
    by: Option<String>,
    tool: String,
    stolen: Vec<Stolen>,
    rings: Vec<KeyringFile>,
    log: Option<Log>,
    addresses: Addresses,
    subject_keys: Option<Arc<dyn SubjectKeyStore>>,
    subject_keys_are_safe: bool,
    assumed: Vec<Assumed>,
    jurisdiction: Option<String>,
}

impl Theft {
    /// A theft that was discovered on that day. The map and the schema say where which data is.
    #[must_use]
    pub fn new(map: Map, schema: Schema, discovered: Day) -> Self {
        Self {
            map,
            schema,
            discovered,
            name: None,
            by: None,
            tool: concat!("rxseal ", env!("CARGO_PKG_VERSION")).to_owned(),
            stolen: Vec::new(),
            rings: Vec::new(),
            log: None,
            addresses: Addresses::default(),
            subject_keys: None,
            subject_keys_are_safe: false,
            assumed: Vec::new(),
            jurisdiction: None,
        }
    }

    /// The name of the report. Without one it is the day of discovery.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Who makes the report.
    #[must_use]
    pub fn by(self, who: impl Into<String>) -> Self {
        Self { by: Some(who.into()), ..self }
    }

    /// A thing that was stolen.
    #[must_use]
    pub fn stolen(mut self, thing: Stolen) -> Self {
        self.stolen.push(thing);
        self
    }

    /// A keyring whose key ids are known. It is not taken by that: for a stolen one say `keyring:FILE`. A token under a key that no keyring and no
    /// log has is undecided.
    #[must_use]
    pub fn keyring(mut self, ring: KeyringFile) -> Self {
        self.rings.push(ring);
        self
    }

    /// The log of openings, and what verifies it: with no keys and no checkpoints, what the log lacks is undecided.
    #[must_use]
    pub fn log(self, folder: impl Into<PathBuf>, verifier: Verifier) -> Self {
        Self { log: Some(Log { folder: folder.into(), verifier }), ..self }
    }

    /// Where the databases of the map are.
    #[must_use]
    pub fn addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// The store of subject keys that was stolen.
    #[must_use]
    pub fn subject_keys(self, store: impl SubjectKeyStore + 'static) -> Self {
        Self { subject_keys: Some(Arc::new(store)), ..self }
    }

    /// Somebody states that no subject key was taken. Without it, and without `subject-keys:STORE`, that is not known.
    #[must_use]
    pub fn subject_keys_are_safe(mut self, who: Option<&str>) -> Self {
        let text = "the thief took no key of a subject, and cannot fetch one".to_owned();
        self.assumed.push(Assumed { text, by: who.map(str::to_owned) });
        Self { subject_keys_are_safe: true, ..self }
    }

    /// Something that the report rests on and no file proves, and who states it.
    #[must_use]
    pub fn assume(mut self, text: impl Into<String>, who: Option<&str>) -> Self {
        self.assumed.push(Assumed { text: text.into(), by: who.map(str::to_owned) });
        self
    }

    /// The readable column that says in which state or jurisdiction a patient lives.
    #[must_use]
    pub fn jurisdiction(self, column: impl Into<String>) -> Self {
        Self { jurisdiction: Some(column.into()), ..self }
    }

    /// Reads everything, writes the list of patients as CSV, and answers what was exposed. It needs no key, and changes nothing.
    ///
    /// Files and tables of `SQLite` are read on the calling thread, which can take minutes.
    ///
    /// # Errors
    ///
    /// `invalid-theft` if a stolen thing does not fit the map, `not-read` if a keyring file cannot be read, `not-written` if the list cannot
    /// be written. What makes a report less sure is no error: it is in [`Exposure::doubts`].
    pub async fn report(self, patients: &mut impl Write) -> Result<Exposure, ExposureError> {
        let mut investigation = Investigation::new(&self)?;
        investigation.learn_keys();
        let classes = investigation.classes();
        let mut found = investigation.read_all(&classes).await?;
        let openings = investigation.read_log(&classes, &mut found)?;
        investigation.end(&classes, &found, openings, patients)
    }

    /// Makes a folder for the report, which must not exist, and writes four files into it that only their owner may read: `report.html` for people,
    /// `exposure.json` and `letter.json`, and `patients.csv`, which has the ids of patients.
    ///
    /// # Errors
    ///
    /// Those of [`report`](Self::report), and `not-written` if the folder exists or cannot be written. Nothing is left of it then.
    pub async fn report_into(self, folder: impl AsRef<Path>) -> Result<Exposure, ExposureError> {
        let folder = folder.as_ref();
        fs::create_dir(folder).map_err(|error| ExposureError::not_made(folder, error))?;
        let report = self.write_into(folder).await;
        if report.is_err() {
            // A part of a report is none.
            let _ = fs::remove_dir_all(folder);
        }
        report
    }

    async fn write_into(self, folder: &Path) -> Result<Exposure, ExposureError> {
        let exposure = self.report(&mut private(&folder.join("patients.csv"))?).await?;
        write(&folder.join("exposure.json"), &exposure.to_json())?;
        write(&folder.join("letter.json"), &exposure.to_letter())?;
        write(&folder.join("report.html"), &exposure.to_html())?;
        Ok(exposure)
    }

    fn keyspaces(&self) -> Vec<String> {
        let of_sources = self.map.sources().iter().map(Source::keyspace);
        let mut names: Vec<String> = Vec::new();
        for keyspace in std::iter::once(self.map.keyspace()).chain(of_sources) {
            match keyspace {
                Keyspace::One(name) => names.push(name.clone()),
                Keyspace::Several(several) => names.extend(several.iter().cloned()),
                _ => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Shows nothing of the store.
impl std::fmt::Debug for Theft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Theft")
            .field("discovered", &self.discovered)
            .field("stolen", &self.stolen)
            .finish_non_exhaustive()
    }
}

/// What was found so far.
struct Investigation<'t> {
    theft: &'t Theft,
    keys: Keys,
    rings: Vec<Ring>,
    facts: Option<Facts>,
    whose: Vec<Whose>,
    /// The bits of each stolen thing, all parts of it together.
    bits: Vec<u64>,
    next_bit: u32,
    doubts: Vec<Doubt>,
    assumed: Vec<Assumed>,
    inputs: Vec<Input>,
    /// What holds for every patient and every class, whatever was found of them.
    floor: State,
    /// Whether the thief has a key that nobody can name.
    has_unknown_key: bool,
    /// Whether the thief had the database rights of a host.
    has_host: bool,
    /// Keys that were said to be stolen, which no keyring and no log has.
    unseen_keys: Vec<(KeyId, String)>,
    copies: Vec<Copy>,
}

/// What all sources had.
struct Read {
    patients: Patients,
    jurisdictions: Jurisdictions,
    /// By copy.
    found: Vec<Found>,
}

impl<'t> Investigation<'t> {
    fn new(theft: &'t Theft) -> Result<Self, ExposureError> {
        let mut this = Self {
            theft,
            keys: Keys::default(),
            rings: theft.rings.iter().map(|file| Ring { file: file.clone(), taken: None }).collect(),
            facts: theft.log.as_ref().map(Log::facts),
            whose: Vec::new(),
            bits: Vec::new(),
            next_bit: 0,
            doubts: Vec::new(),
            assumed: theft.assumed.clone(),
            inputs: Vec::new(),
            floor: State::NotTaken,
            has_unknown_key: false,
            has_host: false,
            unseen_keys: Vec::new(),
            copies: Vec::new(),
        };
        this.inputs.push(input_of_digest("the map".to_owned(), theft.map.digest()));
        this.inputs.push(input_of_digest("the schema".to_owned(), &theft.schema.digest()));
        if let Some(log) = &theft.log {
            this.inputs.push(Input { name: log.folder.display().to_string(), sha256: None, bytes: None });
        }
        for (number, stolen) in theft.stolen.iter().enumerate() {
            this.add(number, stolen)?;
        }
        this.add_other_sources();
        Ok(this)
    }

    fn bit(&mut self) -> u64 {
        let bit = self.next_bit.min(BITS.saturating_sub(1));
        self.next_bit = self.next_bit.saturating_add(1);
        1_u64.checked_shl(bit).unwrap_or_default()
    }

    fn add(&mut self, number: usize, stolen: &Stolen) -> Result<(), ExposureError> {
        let bit = self.bit();
        self.bits.push(bit);
        match &stolen.thing {
            Thing::Data { what, of, at } => {
                for (of, source, data) in taken(&self.theft.map, what, of.as_deref(), *at, &mut self.doubts)? {
                    let of_tokens = if self.copies.iter().any(|copy| copy.bits.is_some_and(|bits| bits.tokens == bit)) {
                        self.bit()
                    } else {
                        bit
                    };
                    let bits = Bits {
                        tokens: of_tokens,
                        plaintext: self.bit(),
                        clear: self.bit(),
                        index: self.bit(),
                        undeclared: self.bit(),
                    };
                    if let Some(all) = self.bits.get_mut(number) {
                        *all |= bits.all();
                    }
                    self.inputs.extend(files(source.at()).iter().map(|path| input(path)));
                    self.copies.push(Copy { source, of, data, bits: Some(bits) });
                }
            }
            Thing::Keyring(path) => {
                let failed = |what: &str| format!("{}: {what}", path.display());
                let text = fs::read_to_string(path)
                    .map_err(|error| ExposureError::not_read(failed("the keyring file cannot be read"), error))?;
                let file = text.parse().map_err(|error: rxseal::Error| {
                    ExposureError::not_read(failed("this is no keyring file"), error)
                })?;
                self.rings.push(Ring { file, taken: Some(number) });
                self.inputs.push(input(path));
            }
            Thing::Host(name, said) => self.add_whose(name, *said, true, bit),
            Thing::Actor(name, said) => self.add_whose(name, *said, false, bit),
            Thing::Key(_) | Thing::Kek(_) | Thing::Root(_) | Thing::SubjectKeys(_) | Thing::Audit(_) => {}
        }
        Ok(())
    }

    /// A stolen login or host, and whether the log can say what was not opened then.
    fn add_whose(&mut self, name: &str, said: Option<Window>, is_host: bool, bit: u64) {
        self.has_host |= is_host;
        let Some(facts) = &self.facts else {
            self.floor = self.floor.min(State::Undecided);
            self.has_unknown_key |= is_host;
            let text = "no log was given, so what was opened with it is not known".to_owned();
            self.doubts.push(Doubt { code: "log-missing", place: Some(name.to_owned()), count: None, text });
            return;
        };
        let window = facts.window(said);
        for doubt in facts.doubts(window) {
            self.floor = self.floor.min(doubt.state);
            // A keyring may have been unlocked of which the log knows nothing.
            self.has_unknown_key |= is_host;
            self.doubts.push(Doubt { code: doubt.code, place: Some(name.to_owned()), count: None, text: doubt.text });
        }
        if is_host && !facts.chains().has_host(name, window) {
            self.floor = self.floor.min(State::Undecided);
            self.has_unknown_key = true;
            let text = "the log has nothing of this host in that time: look whether the name and the time are right"
                .to_owned();
            self.doubts.push(Doubt { code: "host-unknown", place: Some(name.to_owned()), count: None, text });
        }
        if said.is_none() {
            let text =
                format!("{name} was stolen within the time of the log, {} to {}", shown(window.0), shown(window.1));
            self.assumed.push(Assumed { text, by: self.theft.by.clone() });
        }
        self.whose.push(Whose { name: name.to_owned(), is_host, window, said, bit });
    }

    /// Sources of which no copy was taken: what is in them was not taken, and is read to know it. A host could read the others too.
    fn add_other_sources(&mut self) {
        let data = if self.has_host { Held::Perhaps } else { Held::NotTaken };
        for source in self.theft.map.sources() {
            let is_taken = |copy: &Copy| copy.source == *source || copy.of == source.name() && !self.has_host;
            if !self.copies.iter().any(is_taken) {
                self.copies.push(Copy { source: source.clone(), of: source.name().to_owned(), data, bits: None });
            }
        }
    }

    fn learn_keys(&mut self) {
        for ring in &self.rings {
            self.keys.know_ring(&ring.file);
        }
        // In a log that somebody changed, a key may be invented.
        for key in self.facts.iter().filter(|facts| facts.verdict() != Verdict::Tampered).flat_map(|facts| &facts.keys)
        {
            self.keys.know(*key);
        }
        for (number, stolen) in self.theft.stolen.iter().enumerate() {
            let is_known = match &stolen.thing {
                Thing::Key(key) => {
                    if !self.keys.is_known(*key) {
                        self.unseen_keys.push((*key, stolen.to_string()));
                    }
                    self.keys.take(*key, Held::Taken, number);
                    true
                }
                Thing::Kek(fingerprint) => {
                    self.keys.take_rings(&self.rings, |file| file.kek_fingerprint() == fingerprint, number)
                }
                Thing::Root(name) => self.keys.take_rings(&self.rings, |file| is_wrapped_by(file, name), number),
                Thing::Host(name, _) => {
                    let whose = self.whose.iter().find(|whose| whose.is_host && whose.name == *name);
                    if let (Some(facts), Some(whose)) = (&self.facts, whose) {
                        let keys: BTreeSet<_> = facts.chains().keys_of_host(name, whose.window).collect();
                        for key in keys {
                            self.keys.take(key, Held::Taken, number);
                        }
                    }
                    true
                }
                _ => true,
            };
            if !is_known {
                self.has_unknown_key = true;
                let text = "no keyring file that was given is under it, so the keys that it opens are not known: give the keyring files of that time".to_owned();
                self.doubts.push(Doubt { code: "key-unknown", place: Some(stolen.to_string()), count: None, text });
            }
        }
    }

    fn classes(&self) -> Classes {
        let of_log = self.facts.as_ref().filter(|_| !self.whose.is_empty()).map(|facts| facts.classes.clone());
        Classes::new(&self.theft.map, &self.theft.schema, of_log.unwrap_or_default())
    }

    async fn read_all(&mut self, classes: &Classes) -> Result<Read, ExposureError> {
        let theft = self.theft;
        let mut patients = Patients::new(classes.len(), self.unnamed_subject_key());
        self.read_subject_keys(&mut patients).await?;
        let known = Known {
            map: &theft.map,
            schema: &theft.schema,
            classes,
            keys: &self.keys,
            key_bits: &self.bits,
            has_keyspaces: self.has_keyspaces(),
            jurisdiction: theft.jurisdiction.as_deref(),
        };
        let (mut jurisdictions, mut found) = (Jurisdictions::default(), Vec::new());
        for copy in &self.copies {
            found.push(read(copy, &known, &theft.addresses, &mut patients, &mut jurisdictions).await?);
        }
        // Of a copy that was not read to its end, the source itself says who may have been in it.
        let mut others = Vec::new();
        for source in theft.map.sources() {
            let is_torn = |(copy, found): (&Copy, &Found)| copy.of == source.name() && found.not_whole.is_some();
            if self.copies.iter().zip(&found).any(is_torn) && !self.copies.iter().any(|copy| copy.source == *source) {
                let other =
                    Copy { source: source.clone(), of: source.name().to_owned(), data: Held::NotTaken, bits: None };
                found.push(read(&other, &known, &theft.addresses, &mut patients, &mut jurisdictions).await?);
                others.push(other);
            }
        }
        self.copies.extend(others);
        Ok(Read { patients, jurisdictions, found })
    }

    fn has_keyspaces(&self) -> bool {
        let is_column = |source: &Source| source.keyspace().column().is_some();
        self.theft.keyspaces().len() > 1 || self.theft.map.sources().iter().any(is_column)
    }

    /// Of a subject whom no stolen store has.
    fn unnamed_subject_key(&self) -> Held {
        match (self.theft.subject_keys_are_safe, self.has_host) {
            (true, _) => Held::NotTaken,
            // It could have asked the store.
            (false, true) => Held::Perhaps,
            (false, false) => Held::Unknown,
        }
    }

    /// A subject key was taken if its store was, and the key that wraps it.
    async fn read_subject_keys(&mut self, patients: &mut Patients) -> Result<(), ExposureError> {
        let is_stolen = |stolen: &&Stolen| matches!(stolen.thing, Thing::SubjectKeys(_));
        let Some(stolen) = self.theft.stolen.iter().find(is_stolen) else { return Ok(()) };
        let doubt =
            |text: String| Doubt { code: "subject-keys-not-read", place: Some(stolen.to_string()), count: None, text };
        let Some(store) = &self.theft.subject_keys else {
            let text = "the store was not given, so whose keys were in it is not known".to_owned();
            self.doubts.push(doubt(text));
            return Ok(());
        };
        let has_keyspaces = self.has_keyspaces();
        for keyspace in self.theft.keyspaces() {
            let mut after: Option<String> = None;
            loop {
                let page = match store.page(&keyspace, after.as_deref(), 1_000).await {
                    Ok(page) => page,
                    Err(error) => {
                        self.doubts.push(doubt(format!("the store could not be read to its end: {}", said(&error))));
                        break;
                    }
                };
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                for (subject, stored) in &page {
                    let held = match stored {
                        StoredSubject::Key(wrapped) => self.keys.held(wrapped.key_id()),
                        // The store had none, so the thief has none from it.
                        StoredSubject::Shredded { .. } => Held::NotTaken,
                        _ => continue,
                    };
                    let known = self.unnamed_subject_key();
                    let held = if known == Held::Perhaps { held.min(known) } else { held };
                    patients.set_subject_key(Some(keyspace.as_str()).filter(|_| has_keyspaces), subject, held)?;
                }
            }
        }
        Ok(())
    }

    fn read_log(&mut self, classes: &Classes, read: &mut Read) -> Result<Openings, ExposureError> {
        self.read_taken_logs(classes, read)?;
        let (Some(log), Some(facts)) = (&self.theft.log, &self.facts) else { return Ok(Openings::default()) };
        let openings =
            Openings::read(&log.folder, facts, &self.whose, classes, self.has_keyspaces(), &mut read.patients)?;
        if openings.has_pages {
            let text = "a page of several records counts its fields together, so a class that was opened as often as there are records counts for each of them";
            self.assumed.push(Assumed { text: text.to_owned(), by: None });
        }
        if openings.unnamed > 0 {
            let text = "records without an id were opened, so nobody knows whose they are".to_owned();
            self.doubts.push(Doubt { code: "opening-unnamed", place: None, count: Some(openings.unnamed), text });
        }
        Ok(openings)
    }

    /// A log that was taken has the ids of patients.
    fn read_taken_logs(&mut self, classes: &Classes, read: &mut Read) -> Result<(), ExposureError> {
        let has_keyspaces = self.has_keyspaces();
        for (stolen, bits) in self.theft.stolen.iter().zip(&self.bits) {
            let Thing::Audit(folder) = &stolen.thing else { continue };
            let mut result = Ok(());
            let heard = read_events(folder, |event: LoggedEvent| {
                for id in event.patients() {
                    let keyspace = event.text("ks").filter(|_| has_keyspaces);
                    match read.patients.number(keyspace, id) {
                        Ok(patient) => {
                            read.patients.add_taken(patient, *bits);
                            if let Some(class) = classes.of_clear(ClearKind::Identifier) {
                                read.patients.add(patient, class, State::Readable);
                            }
                        }
                        Err(error) => result = Err(error),
                    }
                }
            });
            result?;
            if let Err(error) = heard {
                let text = format!("the log could not be read to its end: {}", said(&error));
                self.doubts.push(Doubt { code: "not-read", place: Some(stolen.to_string()), count: None, text });
            }
        }
        Ok(())
    }

    /// Tokens by key in all copies that were taken.
    fn tokens_by_key(&self, found: &[Found]) -> BTreeMap<KeyId, u64> {
        let mut all = BTreeMap::new();
        for (key, count) in
            self.copies.iter().zip(found).filter(|(copy, _)| copy.bits.is_some()).flat_map(|(_, found)| &found.keys)
        {
            let sum: &mut u64 = all.entry(*key).or_default();
            *sum = sum.saturating_add(*count);
        }
        all
    }
}

/// `local:q3Zk81Ab`, or the name alone.
fn is_wrapped_by(file: &KeyringFile, root: &str) -> bool {
    file.wraps().any(|wrap| {
        wrap.root_key() == root
            || root.strip_prefix(wrap.provider()).and_then(|rest| rest.strip_prefix(':')) == Some(wrap.root_key())
    })
}

/// A new file that only its owner may read.
fn private(path: &Path) -> Result<File, ExposureError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(ExposureError::not_written)
}

fn write(path: &Path, text: &str) -> Result<(), ExposureError> {
    let mut file = private(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(ExposureError::not_written)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

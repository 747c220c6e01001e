//! A theft: what is known of it, and how its report is made.

mod investigation;
mod keys_taken;
mod report;
mod subjects;
mod taken;
mod totals;

use std::path::PathBuf;
use std::sync::Arc;

use rxseal::keys::KeyringFile;
use rxseal::schema::Schema;
use rxseal::store::SubjectKeyStore;
use rxseal_map::{Addresses, Keyspace, Map, Source};
use rxseal_watch::verify::Verifier;

use crate::day::Day;
use crate::log::Log;
use crate::model::Assumed;
use crate::stolen::Stolen;

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
    logs: Vec<Log>,
    addresses: Addresses,
    subject_keys: Vec<Arc<dyn SubjectKeyStore>>,
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
            logs: Vec::new(),
            addresses: Addresses::default(),
            subject_keys: Vec::new(),
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

    /// A log of openings, and what verifies it: with no keys and no checkpoints, what the log lacks is undecided. Give each host's, if each has one of
    /// its own. The log of a key service, if one of the verifiers has it, is compared with the unlockings of all.
    #[must_use]
    pub fn log(mut self, folder: impl Into<PathBuf>, verifier: Verifier) -> Self {
        self.logs.push(Log { folder: folder.into(), verifier });
        self
    }

    /// Where the databases of the map are.
    #[must_use]
    pub fn addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// The store of a `subject-keys:` that was stolen: the first call is for the first of them, and so on. It is the store as it is now, and has fewer
    /// keys than the stolen one perhaps, unless it was said to be the copy: `subject-keys:copy:STORE`.
    #[must_use]
    pub fn subject_keys(mut self, store: impl SubjectKeyStore + 'static) -> Self {
        self.subject_keys.push(Arc::new(store));
        self
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

    /// The readable column that says in which state or jurisdiction a patient lives. The map has it in `clear` as a place.
    #[must_use]
    pub fn jurisdiction(self, column: impl Into<String>) -> Self {
        Self { jurisdiction: Some(column.into()), ..self }
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

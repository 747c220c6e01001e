//! The steps of the example. Each step does something, shows it and checks it.

use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rxseal::keys::{KeyState, KeyUse};
use rxseal::{Access, Keyring, Purpose};

use crate::attack;
use crate::checks::{Checks, Failure};
use crate::jobs::{self, OpenedRows, Timing};
use crate::keys::{KEYSPACE, KeyStore};
use crate::prescription::Prescription;
use crate::scan::Needles;
use crate::search;
use crate::show::{Show, Tone, grouped};
use crate::store::{COUNT_BY_KEY, Store};

/// The state that the steps share.
pub struct Pharmacy<'s> {
    show: &'s Show,
    checks: Checks<'s>,
    key_store: KeyStore,
    keys: Keyring,
    store: Store,
    data_folder: PathBuf,
    /// The prescriptions that this run takes in.
    incoming: Vec<Prescription>,
    /// Every plaintext of every row, from this run and earlier runs.
    needles: Needles,
    /// Openings that the observer must have heard of.
    openings: usize,
    timings: Vec<(&'static str, Timing)>,
    /// Held until the end: a second run in the same folder would see rows that this run changes on purpose.
    _lock: File,
}

impl<'s> Pharmacy<'s> {
    /// Opens what is in `folder`, or starts there.
    pub fn open(folder: &Path, incoming: Vec<Prescription>, show: &'s Show) -> Result<Self, Failure> {
        show.step("Keys");
        let data_folder = folder.join("db");
        make_folder(folder)?;
        let lock = lock(folder)?;
        make_folder(&data_folder)?;
        let store = Store::open(&data_folder.join("pharmacy.sqlite"))?;
        // Kept apart, as far as that is possible in one folder. In production the root key is on another machine or in
        // a key service, and never in a backup of this machine.
        let (root_key, keyrings) = (folder.join("root/root.key"), folder.join("keyrings"));
        let (key_store, keys) = KeyStore::open(root_key, keyrings, store.count()? == 0)?;
        show.line(format_args!("root key: {}, mode 0600", key_store.root_key().display()));
        show.line(format_args!(
            "keyring:  {KEYSPACE}, {}, generation {}, {} keys; {} seals",
            if key_store.was_created() { "new" } else { "found" },
            keys.generation(),
            keys.keys().len(),
            keys.primary_key(),
        ));
        Ok(Self {
            show,
            checks: Checks::new(show),
            key_store,
            keys,
            store,
            data_folder,
            incoming,
            needles: Needles::new(),
            openings: 0,
            timings: Vec::new(),
            _lock: lock,
        })
    }

    /// Opens what is stored, seals and stores what is new, and reads it back.
    pub fn take_in(&mut self) -> Result<(), Failure> {
        self.show.step("Seal and store");
        // A check over no rows would say nothing.
        let stored =
            if self.store.count()? == 0 { OpenedRows::default() } else { self.open_all("every stored row opens")? };
        let fresh = jobs::admit(&mut self.incoming, &stored.rows);
        let fresh: Vec<_> = fresh.into_iter().map(|at| &self.incoming[at]).collect();
        let bar = self.show.bar("sealing", fresh.len());
        let sealed = jobs::take_in(&mut self.store, &self.keys, &fresh, &bar)?;
        search::take_in(&mut self.store, &self.keys, &fresh)?;
        bar.finish_and_clear();
        self.show.line(format_args!(
            "{} sealed and stored; {} were here already",
            count(sealed.records),
            count(self.incoming.len() - fresh.len())
        ));
        self.timings.push(("seal and store", sealed));
        let opened = self.open_all("every row opens")?;
        self.timings.push(("read and open", opened.timing));
        for row in &opened.rows {
            row.for_each_secret(|kind, value| self.needles.add(kind, value));
        }
        self.compare("what comes back is what went in", &opened)
    }

    /// One row as the thief sees it and as the pharmacist sees it.
    pub fn show_one_row(&mut self) -> Result<(), Failure> {
        self.show.step("One row");
        // A row with directions makes the better picture.
        let chosen = self.incoming.iter().position(|row| row.directions.is_some()).unwrap_or_default();
        let id = self.incoming[chosen].id.clone();
        let opened = self.open_one(&id)??;

        // The plaintext side, for an authorised client. It is a scope of its own, and the only way to get these fields
        // as JSON.
        let plain = serde_json::to_value(rxseal::expose_plaintext(&opened));
        let plain = plain.map_err(|_| Failure::new("the row cannot be shown"))?;
        let row = self.store.stolen(&id)?.into_iter().map(|(column, stolen)| {
            let counter = match plain.get(&column) {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                // The tag holds the row together, and is not for clients.
                None => "verified".to_owned(),
            };
            vec![column, self.show.shorten_token(stolen.as_deref().unwrap_or("null")), self.show.shorten(&counter)]
        });
        self.show.table(
            &[("column", Tone::Plain), ("a thief with the file", Tone::Thief), ("a pharmacist", Tone::Counter)],
            &row.collect::<Vec<_>>(),
        );
        self.show.note(format_args!("the observer heard: {}", self.key_store.trail().last()));
        Ok(())
    }

    /// Finds prescriptions by a birth date, and shows what the search column tells a thief.
    pub fn search(&mut self) -> Result<(), Failure> {
        self.show.step("Search");
        let access = pharmacist()?;
        let sought = self.incoming[0].birth_date.expose_phi().clone();
        let Some(found) = search::by_birth_date(&self.store, &self.keys, &access, &sought)? else {
            self.show.note("the first birth date is no whole date, so nothing is found by it");
            return Ok(());
        };
        self.openings += found.candidates.div_ceil(256);
        self.show.line(format_args!(
            "patients with the value of a birth date: {}; born on that day: {}",
            count(found.candidates),
            count(found.hits.len())
        ));
        self.show.note(format_args!("the observer heard: {}", self.key_store.trail().last()));
        let hits: HashSet<&str> = found.hits.iter().map(|hit| hit.id.as_str()).collect();
        let missed = self
            .incoming
            .iter()
            .filter(|row| *row.birth_date.expose_phi() == sought && !hits.contains(row.patient.as_str()));
        let strangers = found.hits.iter().filter(|hit| *hit.birth_date.expose_phi() != sought);
        let (missed, strangers) = (missed.count(), strangers.count());
        self.checks.ensure(
            "a search finds who was born on a day, and nobody else",
            missed + strangers == 0,
            format!("{missed} missed, {strangers} strangers"),
        )?;

        let seen = search::commonest_values(&self.store, &self.keys, &access)?;
        self.openings += seen.len();
        let rows: Vec<_> =
            seen.iter().map(|seen| vec![seen.value.clone(), count(seen.patients), count(seen.birth_dates)]).collect();
        self.show.table(
            &[
                ("born_on, the commonest", Tone::Thief),
                ("patients", Tone::Number),
                ("birth dates behind it", Tone::Number),
            ],
            &rows,
        );
        self.show.note("a thief sees which patients share a value, and not which birth dates it stands for");

        self.show.line("what the planner says of indexes of these rows:");
        self.show.table(
            &[
                ("an index of", Tone::Plain),
                ("a thief names", Tone::Number),
                ("of the commonest", Tone::Number),
                ("candidates, p95", Tone::Number),
                ("verdict", Tone::Plain),
            ],
            &search::plan(&self.incoming)?,
        );
        self.show.note("made-up patients are too even: plan with your own, and read docs/SEARCH.md");
        Ok(())
    }

    /// Looks for every plaintext in every file that this program made.
    pub fn scan_files(&mut self) -> Result<(), Failure> {
        self.show.step("Plaintext in the files");
        let (found, planted) = self.needles.control(&self.data_folder)?;
        self.checks.ensure(
            "the scan finds what was planted",
            found == planted,
            format!("{found} of {planted} spellings of a made-up person"),
        )?;
        let (values, too_short) = self.needles.counts();
        self.show.line(format_args!("{} different values, also in hexadecimal and base64", count(values)));
        if too_short > 0 {
            self.show.note(format_args!("{} more are too short to be distinguished from chance", count(too_short)));
        }
        self.scan("no plaintext in any file", true)
    }

    /// Changes tokens as somebody could who may write to the database.
    pub fn attack(&mut self) -> Result<(), Failure> {
        self.show.step("Tokens moved and changed");
        let (victim, donor) = self.store.two_rows()?;
        let attempts = attack::attempt_all(&mut self.store, &self.keys, &pharmacist()?, &victim, &donor)?;
        self.openings += attempts.iter().map(|attempt| attempt.openings).sum::<usize>();
        let rows: Vec<_> = attempts
            .iter()
            .map(|attempt| [attempt.what, attempt.token, attempt.row].map(str::to_owned).to_vec())
            .collect();
        self.show.table(
            &[("changed in a row", Tone::Plain), ("its token alone", Tone::Plain), ("opening the row", Tone::Counter)],
            &rows,
        );
        self.show.note("yesterday's directions are genuine: only the record tag finds them");
        let opened = attempts.iter().filter(|attempt| attempt.row == attack::OPENED).count();
        self.checks.ensure(
            "moved and changed tokens are refused",
            opened == 0,
            format!("{} attempts, {opened} opened", attempts.len()),
        )?;
        let restored = self.open_one(&victim)?;
        self.checks.ensure("the row opens again after it was restored", restored.is_ok(), why(&restored))
    }

    /// A new key, and every row moved to it.
    pub fn rotate(&mut self) -> Result<(), Failure> {
        self.show.step("Rotation");
        let before = self.rows_by_key()?;
        let old_key = self.keys.primary_key();
        self.keys = self.key_store.rotate()?;
        let rotated = self.rows_by_key()?;
        let id = self.incoming[0].id.clone();
        let old = self.open_one(&id)?;
        self.checks.ensure("a row under the old key opens with the new keyring", old.is_ok(), why(&old))?;

        let rows = self.store.count()?;
        let bar = self.show.bar("resealing", rows);
        let resealed = jobs::reseal_all(&mut self.store, &self.keys, &bar)?;
        search::reseal_all(&mut self.store, &self.keys)?;
        bar.finish_and_clear();
        self.timings.push(("reseal", resealed));
        let after = self.rows_by_key()?;

        self.show.line(COUNT_BY_KEY);
        self.show_keys(&before, &rotated, &after);
        let new_key = self.keys.primary_key();
        let id = new_key.to_string();
        let elsewhere: u64 = self.store.tokens_by_key()?.iter().filter(|(key, _)| *key != id).map(|(_, n)| n).sum();
        self.checks.ensure(
            "every token is under the new key",
            new_key != old_key && elsewhere == 0 && after.get(&id) == Some(&(rows as u64)),
            format!("{} rows under {id}, {} tokens elsewhere", count(rows), grouped(elsewhere)),
        )?;
        let opened = self.open_all("every row opens after it")?;
        self.compare("what comes back is still what went in", &opened)?;
        self.scan("no plaintext in any file after it", false)
    }

    /// The numbers, and whether the observer missed anything.
    pub fn sum_up(&mut self) -> Result<(), Failure> {
        self.show.step("In numbers");
        let rows: Vec<_> = self.timings.iter().filter(|(_, timing)| timing.records > 0).map(row_of).collect();
        self.show.table(
            &[
                ("", Tone::Plain),
                ("records", Tone::Number),
                ("records/s", Tone::Number),
                ("records/s without SQLite", Tone::Number),
            ],
            &rows,
        );
        if cfg!(debug_assertions) {
            self.show.note("this is a debug build: `cargo run --release --example pharmacy` is many times faster");
        }
        let trail = self.key_store.trail();
        self.checks.ensure(
            "the observer heard of every opening",
            trail.openings() == self.openings,
            format!(
                "{} openings, {} fields, {} refused",
                count(trail.openings()),
                count(trail.fields()),
                count(trail.refused())
            ),
        )?;
        self.show.line(format_args!("{} checks held", self.checks.held()));
        Ok(())
    }

    /// Shows where everything is, what that means, and what to do next.
    pub fn say_what_is_left(&self) {
        self.show.step("What is left");
        let (root_key, keyrings) = (self.key_store.root_key(), self.key_store.keyrings());
        self.show.table(
            &[("where", Tone::Plain), ("what", Tone::Plain)],
            &[
                vec![self.data_folder.display().to_string(), "the sealed rows: worthless to a thief".to_owned()],
                vec![keyrings.display().to_string(), "the keyring, sealed by the root key: back it up".to_owned()],
                vec![root_key.display().to_string(), "the root key: back it up apart from the other two".to_owned()],
            ],
        );
        self.show.line("All three are in one folder here, so whoever takes that folder reads everything.");
        self.show.line("In production the root key stays in a KMS, a Vault or an HSM, on another machine.");
        self.show.step("What next");
        self.show.line("run it again: it opens the rows of this run and rotates once more");
        self.show.line("look at the keyring with the command rxseal:");
        self.show.line(format_args!("  cargo run -p rxseal-cli -- --store file:{} \\", keyrings.display()));
        self.show.line(format_args!("      keyring inspect {KEYSPACE}"));
        self.show.line("copy prescription.rs, keys.rs, store.rs, jobs.rs and search.rs from examples/pharmacy");
        self.show.line("choose a root key for production: docs/KEYS.md");
    }

    /// Opens one row, as at the counter: one opening of one record.
    fn open_one(&mut self, id: &str) -> Result<Result<Prescription, rxseal::Error>, Failure> {
        let (row, access) = (self.store.row(id)?, pharmacist()?);
        self.openings += 1;
        Ok(row.and_then(|row| self.keys.open(&row, &access)))
    }

    fn open_all(&mut self, check: &'static str) -> Result<OpenedRows, Failure> {
        let rows = self.store.count()?;
        let bar = self.show.bar("opening", rows);
        let access = Access::new("job:check", Purpose::HOPERAT)?;
        let opened = jobs::open_all(&self.store, &self.keys, &access, &bar)?;
        bar.finish_and_clear();
        self.openings += opened.openings;
        let detail = match opened.damaged.first() {
            None => format!("{} rows", count(opened.rows.len())),
            // A row's id says nothing about anybody, and a person who repairs the row needs it.
            Some((id, why)) => {
                format!("{} of {} rows do not, first {id}: {why}", count(opened.damaged.len()), count(rows))
            }
        };
        self.checks.ensure(check, opened.damaged.is_empty(), detail)?;
        Ok(opened)
    }

    fn compare(&mut self, check: &'static str, opened: &OpenedRows) -> Result<(), Failure> {
        let rows: HashMap<&str, &Prescription> = opened.rows.iter().map(|row| (row.id.as_str(), row)).collect();
        let is_same = |row: &&Prescription| rows.get(row.id.as_str()).is_some_and(|it| it.content() == row.content());
        let same = self.incoming.iter().filter(is_same).count();
        let detail = format!("{} of {} prescriptions", count(same), count(self.incoming.len()));
        self.checks.ensure(check, same == self.incoming.len(), detail)
    }

    fn scan(&mut self, check: &'static str, show_files: bool) -> Result<(), Failure> {
        let bar = self.show.bar("scanning", 0);
        let files =
            self.needles.scan(&[&self.data_folder, self.key_store.keyrings(), self.key_store.root_folder()], &bar)?;
        bar.finish_and_clear();
        if show_files {
            let row = |file: &crate::scan::Scanned| {
                vec![file.path.display().to_string(), grouped(file.bytes), count(file.found)]
            };
            let columns = [("file", Tone::Plain), ("bytes", Tone::Number), ("plaintexts found", Tone::Number)];
            self.show.table(&columns, &files.iter().map(row).collect::<Vec<_>>());
        }
        let found: usize = files.iter().map(|file| file.found).sum();
        let detail = match files.iter().find(|file| file.found > 0) {
            None => format!("{} files, 0 found", files.len()),
            Some(file) => {
                let what: Vec<_> = file.what.iter().map(String::as_str).collect();
                format!("{} found; {}: {}", count(found), file.path.display(), what.join(", "))
            }
        };
        self.checks.ensure(check, found == 0, detail)
    }

    fn rows_by_key(&self) -> Result<HashMap<String, u64>, Failure> {
        Ok(self.store.count_by_key()?.into_iter().collect())
    }

    fn show_keys(&self, before: &HashMap<String, u64>, rotated: &HashMap<String, u64>, after: &HashMap<String, u64>) {
        let rows = |counts: &HashMap<String, u64>, key: &str| grouped(counts.get(key).copied().unwrap_or_default());
        let mut table = Vec::new();
        let mut idle = 0;
        let mut keys: Vec<_> = self.keys.keys().iter().filter(|key| key.usage() == KeyUse::Seal).collect();
        keys.sort_by_key(|key| key.is_primary());
        for key in keys {
            let id = key.id().to_string();
            if !key.is_primary() && !before.contains_key(&id) {
                idle += 1;
                continue;
            }
            let state = if key.state() == KeyState::Active { "active, seals" } else { "deactivated, opens" };
            table.push(vec![id.clone(), state.to_owned(), rows(before, &id), rows(rotated, &id), rows(after, &id)]);
        }
        self.show.table(
            &[
                ("key", Tone::Plain),
                ("now", Tone::Plain),
                ("rows before", Tone::Number),
                ("after rotate", Tone::Number),
                ("after reseal", Tone::Number),
            ],
            &table,
        );
        if idle > 0 {
            self.show.note(format_args!("older keys without any row under them: {idle}"));
        }
    }
}

fn pharmacist() -> Result<Access, Failure> {
    Ok(Access::new("user:kim.rph", Purpose::TREAT)?)
}

/// Only one run at a time. The system releases the lock when the program ends in any way.
fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("in-use.lock");
    let cannot = |error: std::io::Error| Failure::of_file(&path, &error);
    let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            let what = "another run of this example is using this folder: wait until it ends, or give another folder with --dir";
            Err(Failure::new(what).about(folder))
        }
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// The detail of a check: why the row did not open.
fn why<T>(opened: &Result<T, rxseal::Error>) -> String {
    opened.as_ref().err().map(rxseal::Error::to_string).unwrap_or_default()
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::of_file(folder, &error))
}

fn row_of((what, timing): &(&str, Timing)) -> Vec<String> {
    let per_second = |time: std::time::Duration| grouped((timing.records as f64 / time.as_secs_f64()) as u64);
    vec![(*what).to_owned(), count(timing.records), per_second(timing.total), per_second(timing.crypto)]
}

fn count(number: usize) -> String {
    grouped(number as u64)
}

//! What every drill reads before it opens anything: the map, the schema, the keyrings, who drills, and the drawn records.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rxseal::keys::KeyringFile;
use rxseal::schema::Schema;
use rxseal::subjects::SubjectKeys;
use rxseal::{Access, Error, Purpose};
use rxseal_map::{Addresses, At, Keyspace, Map, Source};

use super::draw::{Drawn, draw};
use super::fault::Fault;
use super::layout::Layout;
use super::patients::Patients;
use super::undecided::Undecided;
use crate::args::{DrillOptions, Global, Rings};
use crate::config::Config;
use crate::count::{has_key, keyrings};
use crate::failure::{Failure, usage};
use crate::journal::who;
use crate::map::Files;
use crate::output::Output;
use crate::read::read_keyring;

pub struct Bench {
    pub config: Config,
    pub map: Map,
    pub schema: Schema,
    pub addresses: Addresses,
    pub rings: Vec<KeyringFile>,
    pub who: String,
    pub access: Access,
    /// Where the page is written.
    pub page: Option<PathBuf>,
    records: u32,
    budget: u64,
}

/// The sources that were read, or not, and what cannot be tried of them.
pub struct Tables<'b> {
    pub read: Vec<Table<'b>>,
    /// Sources that could not be read to their end.
    pub unread: Vec<(&'b Source, Error)>,
    pub undecided: Vec<Undecided>,
    pub took: Duration,
}

/// A source that was read.
pub struct Table<'b> {
    pub source: &'b Source,
    pub layout: Layout,
    pub drawn: Drawn,
}

impl Tables<'_> {
    /// What is wrong with the sources themselves, and what they leave open.
    pub fn judge(&self, faults: &mut Vec<Fault>, undecided: &mut Vec<Undecided>) {
        for (source, error) in &self.unread {
            let text = Failure::from_reference(error);
            if error.is_retryable() {
                undecided.push(Undecided::of(source.name(), "not-read", text));
            } else {
                faults.push(Fault::new("not-read", source.name(), text));
            }
        }
        for Table { source, drawn, .. } in &self.read {
            let mut fault = |code, count: u64, text: &str| {
                if count > 0 {
                    faults.push(Fault::new(code, source.name(), format!("{count} {text}")));
                }
            };
            fault(
                "not-a-token",
                drawn.not_tokens,
                "values are in sealed columns and are no tokens: `rxseal scan` tells of them",
            );
            fault("no-keyspace", drawn.rows_of_none, "rows name no keyspace, so no keyring opens them");
            if let Some(doubt) = drawn.read.doubt {
                undecided.push(Undecided::of(source.name(), "doubted", doubt));
            }
        }
        self.judge_absent(undecided);
    }

    /// Sources and columns of which there is no token, so that nothing of them was tried.
    pub fn judge_absent(&self, undecided: &mut Vec<Undecided>) {
        for Table { source, layout, drawn } in &self.read {
            if source.empty().is_all() {
                continue;
            }
            if drawn.keys.is_empty() {
                undecided.push(Undecided::of(source.name(), "no-tokens", EMPTY));
                continue;
            }
            for ((sealed, field), tokens) in source.sealed().iter().zip(&layout.fields).zip(&drawn.places) {
                if field.is_some() && *tokens == 0 && !source.empty().is_column(sealed.place()) {
                    let place = Some(sealed.place().to_string());
                    let source = source.name().into();
                    undecided.push(Undecided { source, place, code: "column-empty", text: EMPTY_COLUMN.into() });
                }
            }
        }
    }

    /// Of each keyring, how many rows have a token of it, and how many tokens and tags are under its keys.
    pub fn sizes(&self, rings: &[KeyringFile]) -> Vec<Size> {
        let size = |(at, ring): (usize, &KeyringFile)| {
            let rows = self.read.iter().filter_map(|table| table.drawn.rows_of_rings.get(at));
            let keys = self.read.iter().flat_map(|table| &table.drawn.keys).filter(|(key, _)| has_key(ring, **key));
            Size {
                rows: rows.copied().fold(0, u64::saturating_add),
                tokens: keys.map(|(_, of)| of.tokens.saturating_add(of.tags)).fold(0, u64::saturating_add),
            }
        };
        rings.iter().enumerate().map(size).collect()
    }
}

const EMPTY: &str =
    "it has no token of these keyspaces: an empty copy, another database and a mistyped name look the same";
const EMPTY_COLUMN: &str = "no row has a token in this column, so none was tried: if it is empty on purpose, say so with `empty = { columns = [..] }` in the map";

/// How much of a keyspace a copy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub rows: u64,
    /// Tokens, and record tags.
    pub tokens: u64,
}

impl Bench {
    /// Checks everything that was typed before a root key is asked.
    pub async fn of(
        global: &Global,
        copies: Option<&Path>,
        rings: &Rings,
        options: &DrillOptions,
    ) -> Result<Self, Failure> {
        let config = Config::of(global)?;
        let who = who(&options.who)?;
        let access = Access::new(&who, Purpose::HSYSADMIN)?;
        if let Some(page) = options.page.as_ref().filter(|page| page.exists()) {
            return Err(Failure::Usage(format!("{} is there already: name another file with --page", page.display())));
        }
        let files = Files::of(&config, &options.map)?;
        let map = match copies {
            Some(folder) if !folder.is_dir() => {
                return Err(Failure::Usage(format!("the folder of the copies {} does not exist", folder.display())));
            }
            Some(folder) => files.map_for_copies(folder)?,
            None => files.map()?,
        };
        let rings = if rings.files.is_empty() {
            keyrings(global, &keyspaces(&map, &rings.keyspaces)?).await?
        } else {
            rings.files.iter().map(|path| keyring_in(path, &map)).collect::<Result<_, _>>()?
        };
        let (schema, addresses) = (files.schema()?, files.addresses);
        let (records, budget) = (options.records, options.budget);
        let page = options.page.clone();
        Ok(Self { config, map, schema, addresses, rings, who, access, page, records, budget })
    }

    /// Fails if a source of the map would be the data itself: the address of the copy is not the one of the settings.
    pub fn check_copies(&self, copies: Option<&Path>, postgres: Option<&str>) -> Result<(), Failure> {
        let is_in_postgres = |source: &Source| matches!(source.at(), At::Postgres { .. });
        if copies.is_none() && !self.map.sources().iter().all(is_in_postgres) {
            return usage("say in which folder the copies are with --data");
        }
        if postgres.is_none() && self.map.sources().iter().any(is_in_postgres) {
            return usage(
                "the map has sources in PostgreSQL: say in which database the copies are with --postgres URL",
            );
        }
        Ok(())
    }

    /// Reads every source, and draws records of each key. Patients are counted if somebody wants to know.
    pub async fn draw(&self, mut patients: Option<&mut Patients>) -> Result<Tables<'_>, Failure> {
        let begun = Instant::now();
        let (mut read, mut unread, mut undecided) = (Vec::new(), Vec::new(), Vec::new());
        for source in self.map.sources() {
            let Some(layout) = Layout::of(source, &self.schema, &mut undecided) else { continue };
            match draw(source, &self.addresses, &layout, &self.rings, self.records, patients.as_deref_mut()).await {
                Ok(drawn) => read.push(Table { source, layout, drawn }),
                Err(error) => unread.push((source, error)),
            }
        }
        let tables = Tables { read, unread, undecided, took: begun.elapsed() };
        self.check_budget(&tables)?;
        Ok(tables)
    }

    /// The log refuses more too. But a drill that is refused in the middle says nothing of what it did not open.
    fn check_budget(&self, tables: &Tables<'_>) -> Result<(), Failure> {
        let mut patients = BTreeSet::new();
        for table in &tables.read {
            for row in table.drawn.rows() {
                let of_record = (table.source.record(), row.ids.clone());
                let subject = row.subject.is_some().then(|| row.subject.clone());
                patients.insert((row.ring, subject.is_none().then_some(of_record), subject));
            }
        }
        let patients = u64::try_from(patients.len()).unwrap_or(u64::MAX);
        if patients <= self.budget {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "{patients} different patients would be opened, and the budget of the drill is {}: draw fewer with --records, or raise it with --budget",
            self.budget
        )))
    }

    /// Starts the log of a drill that opens each drawn record so many times, and so much more. A patient who comes again late is charged again, so
    /// the log counts what is opened, and the budget was checked before.
    pub fn start_log(
        &self,
        drill: &str,
        tables: &Tables<'_>,
        times: usize,
        more: u64,
        output: &Output,
    ) -> Result<(), Failure> {
        let rows = tables.read.iter().map(|table| table.drawn.rows().len()).sum::<usize>().saturating_mul(times);
        let openings = u64::try_from(rows).unwrap_or(u64::MAX).saturating_add(more);
        let Config { journal, frozen, .. } = &self.config;
        journal.start_for_drill(drill, openings.max(1), frozen.as_deref(), output)
    }

    /// The subject keys, if a source needs them.
    pub async fn subjects(&self, tables: &Tables<'_>) -> Result<Option<SubjectKeys>, Failure> {
        let needs = |table: &Table<'_>| table.source.subject().is_some() && table.layout.record.subject().is_some();
        if !tables.read.iter().any(needs) {
            return Ok(None);
        }
        Ok(Some(SubjectKeys::new(self.config.subject_store(false).await?)))
    }
}

/// The keyspaces that were named, or those of the map.
fn keyspaces(map: &Map, named: &[String]) -> Result<Vec<String>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let mut all = BTreeSet::new();
    for source in map.sources() {
        match source.keyspace() {
            Keyspace::One(name) => all.extend([name.clone()]),
            Keyspace::Several(several) => all.extend(several.iter().cloned()),
            _ => {
                return usage(
                    "each row says of which keyspace it is: name the keyspaces to drill with --keyspace or --keyring",
                );
            }
        }
    }
    Ok(all.into_iter().collect())
}

fn keyring_in(path: &Path, map: &Map) -> Result<KeyringFile, Failure> {
    let file = read_keyring(path)?;
    if map.sources().iter().any(|source| source.keyspace().may_be(file.keyspace())) {
        return Ok(file);
    }
    Err(Failure::Coded(
        "keyspace-mismatch",
        format!("{} is the keyring of {}, of which the map has no source", path.display(), file.keyspace()),
    ))
}

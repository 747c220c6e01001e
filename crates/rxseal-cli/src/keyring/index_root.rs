//! `rxseal keyring index`: the life of index roots, and the index values under them.

use std::path::Path;
use std::time::SystemTime;

use rxseal::KeyId;
use rxseal::count::IndexCounts;
use rxseal::index::{IndexPrefix, IndexSchema, Indexer};
use rxseal::keys::{KeyInfo, KeyState, KeyUse, KeyringAdmin, KeyringFile, RemainingUse, UnlockOptions};
use rxseal::schema::Schema;
use rxseal_map::{Addresses, Map, count_index_values};
use serde_json::{Value, json};

use super::desk::{Desk, changed, stored};
use crate::args::{Change, CountedIndexes, IndexRoot, NewIndexRoot};
use crate::count::{Database, cannot_count};
use crate::failure::Failure;
use crate::map;
use crate::output::{Output, table, time};
use crate::read::read_text;

impl Desk<'_> {
    pub async fn run_index(&self, command: IndexRoot) -> Result<(), Failure> {
        let output = self.output;
        match command {
            IndexRoot::List { keyspace, schema } => self.list_index_roots(&keyspace, schema.as_deref()).await,
            IndexRoot::Count { keyspace, counted } => self.count_indexes(&keyspace, &counted).await,
            IndexRoot::Stage { keyspace, new, change } => {
                let admin = self.index_admin(&keyspace, &new, &change).await?;
                let act = self.begin(&change, "index-root-stage", &keyspace, None)?;
                let (file, root) = act.end(admin.stage_index_root(&keyspace).await)?;
                let what = "index root staged: searches ask for it, and nothing is written under it yet";
                made(output, &new, &change, &file, what, root)
            }
            IndexRoot::Promote { keyspace, root, staged_for, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                let root = match root {
                    Some(root) => root,
                    None => staged_root(&admin.stored(&keyspace).await?)?,
                };
                let act = self.begin(&change, "index-root-promote", &keyspace, Some(root))?;
                let file = act.end(admin.promote_index_root(&keyspace, root, SystemTime::now(), staged_for).await)?;
                let what = "index root promoted: index values are written under it from now on. Index all rows anew";
                changed(output, &change, &file, what, Some(root), json!({}))
            }
            IndexRoot::Rotate { keyspace, new, change } => {
                let admin = self.index_admin(&keyspace, &new, &change).await?;
                let act = self.begin(&change, "index-root-rotate", &keyspace, None)?;
                let (file, root) = act.end(admin.rotate_index_root(&keyspace).await)?;
                let what =
                    "index root rotated: index values are written under the new one from now on. Index all rows anew";
                made(output, &new, &change, &file, what, root)
            }
            IndexRoot::Deactivate { keyspace, root, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                check_index_root(&admin.stored(&keyspace).await?, root)?;
                let act = self.begin(&change, "index-root-deactivate", &keyspace, Some(root))?;
                let file = act.end(admin.deactivate(&keyspace, root).await)?;
                let what = "index root deactivated: searches ask for it, and nothing is written under it";
                changed(output, &change, &file, what, Some(root), json!({}))
            }
            IndexRoot::Compromise { keyspace, root, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                check_index_root(&admin.stored(&keyspace).await?, root)?;
                let act = self.begin(&change, "index-root-compromise", &keyspace, Some(root))?;
                let file = act.end(admin.compromise(&keyspace, root).await)?;
                changed(output, &change, &file, COMPROMISED, Some(root), json!({}))
            }
            IndexRoot::Destroy { keyspace, root, counted, index_values, unused_for, force, yes: _, change } => {
                let admin = self.admin(&keyspace, &change).await?;
                check_index_root(&admin.stored(&keyspace).await?, root)?;
                let (file, more) = if force {
                    let act = self.begin(&change, "index-root-destroy-by-force", &keyspace, Some(root))?;
                    (act.end(admin.force_destroy(&keyspace, root).await)?, json!({ "forced": true }))
                } else {
                    let still = self.values_under(&keyspace, root, counted, index_values.unwrap_or_default()).await?;
                    let act = self.begin(&change, "index-root-destroy", &keyspace, Some(root))?;
                    let destroyed = admin.destroy(&keyspace, root, still, SystemTime::now(), unused_for).await;
                    let file = act.end(destroyed.map_err(|error| in_use(error, still.index_values())))?;
                    (file, json!({ "forced": false, "index_values_under": still.index_values() }))
                };
                changed(output, &change, &file, "index root destroyed", Some(root), more)
            }
        }
    }

    /// To make a new index root.
    async fn index_admin(&self, keyspace: &str, new: &NewIndexRoot, change: &Change) -> Result<KeyringAdmin, Failure> {
        let schema = new.schema.as_deref().map(read_schema).transpose()?.unwrap_or_default();
        Ok(self.admin(keyspace, change).await?.indexes(schema))
    }

    async fn indexer(&self, keyspace: &str) -> Result<Indexer, Failure> {
        let stored = stored(&self.config, keyspace, None).await?;
        let (options, roots) = (UnlockOptions::default().with_index_roots(), self.config.roots(self.output).await?);
        let unlocked = rxseal::Keyring::unlock_with(options, keyspace, &roots, &stored).await?;
        Ok(self.config.journal.observed(unlocked, self.output)?.indexer()?)
    }

    async fn list_index_roots(&self, keyspace: &str, schema: Option<&Path>) -> Result<(), Failure> {
        let file = stored(&self.config, keyspace, None).await?;
        let mut roots: Vec<_> = file.keys().iter().filter(|key| key.usage() == KeyUse::Index).collect();
        roots.sort_by_key(|root| (root.created(), root.id()));
        let rows = roots.iter().map(|root| {
            let state = if root.is_primary() { format!("{}, primary", root.state()) } else { root.state().to_string() };
            [root.id().to_string(), state, used_for(root).to_owned(), time(root.created()), time(root.changed())]
        });
        let mut text = table(["index root", "state", "searches, new values", "created", "changed"], rows);
        let mut prefixes = None;
        if let Some(schema) = schema {
            let of_schema = self.indexer(keyspace).await?.prefixes_of(&read_schema(schema)?)?;
            let rows = of_schema.iter().map(|prefix| {
                let new = if prefix.is_current() { "new values" } else { "" };
                [prefix.index().to_owned(), prefix.to_string(), prefix.root().to_string(), new.to_owned()]
            });
            text = format!("{text}\n\n{}", table(["index", "prefix", "index root", ""], rows));
            prefixes = Some(of_schema.iter().map(|prefix| as_json(prefix, None)).collect::<Vec<_>>());
        }
        let json: Vec<_> = roots
            .iter()
            .map(|root| {
                json!({
                    "id": root.id().to_string(), "state": root.state().as_str(), "primary": root.is_primary(),
                    "created": root.created(), "changed": root.changed(),
                })
            })
            .collect();
        Ok(self.output.say(&text, &json!({ "index_roots": json, "prefixes": prefixes }))?)
    }

    async fn count_indexes(&self, keyspace: &str, counted: &CountedIndexes) -> Result<(), Failure> {
        let schema = self.schema_of(counted)?;
        let prefixes = self.indexer(keyspace).await?.prefixes_of(&schema)?;
        let columns = self.columns(counted, &schema).await?;
        let mut rows = Vec::new();
        let mut json = Vec::new();
        for column in &columns {
            let Column { name, index, counts, .. } = column;
            let of_index: Vec<_> = prefixes.iter().filter(|prefix| prefix.index() == index).collect();
            let mut by_root = Vec::new();
            for prefix in &of_index {
                let count = counts.of(prefix.as_bytes());
                let what = if prefix.is_current() { "new values" } else { "" };
                rows.push([name.clone(), prefix.root().to_string(), count.to_string(), what.to_owned()]);
                by_root.push(as_json(prefix, Some(count)));
            }
            let (unknown, others) = (column.unknown(&prefixes), counts.not_values());
            for (what, count) in [("unknown", unknown), ("not an index value", others), ("no value", counts.nulls())] {
                if count > 0 {
                    rows.push([name.clone(), what.to_owned(), count.to_string(), String::new()]);
                }
            }
            json.push(json!({
                "column": name, "index": index, "by_prefix": by_root, "unknown": unknown, "not_values": others, "nulls": counts.nulls(),
                "doubt": counts.doubt(),
            }));
            if let Some(doubt) = counts.doubt() {
                self.output.warning(&format!("{name}: {doubt}"));
            }
        }
        Ok(self.output.say(&table(["column", "index root", "index values", ""], rows), &json!({ "columns": json }))?)
    }

    fn schema_of(&self, counted: &CountedIndexes) -> Result<IndexSchema, Failure> {
        if let Some(map) = &counted.map {
            return read_schema(&map::schema_beside(map, counted.schema.as_deref(), &self.config));
        }
        let path = counted.schema.as_deref().ok_or_else(|| {
            let text = "the index values are not known without the list of all indexes: print it in your program, and give it with --schema FILE";
            Failure::Usage(text.to_owned())
        })?;
        read_schema(path)
    }

    async fn columns(&self, counted: &CountedIndexes, schema: &IndexSchema) -> Result<Vec<Column>, Failure> {
        match &counted.map {
            Some(path) => {
                let (map, addresses) = map::read(path, counted.postgres.as_deref(), &self.config)?;
                Column::all_of_map(&map, &addresses, schema).await
            }
            None => Column::all(counted, schema).await,
        }
    }

    /// What the operator says is elsewhere, plus what is counted here.
    async fn values_under(
        &self,
        keyspace: &str,
        root: KeyId,
        counted: CountedIndexes,
        elsewhere: u64,
    ) -> Result<RemainingUse, Failure> {
        let schema = self.schema_of(&counted)?;
        let indexer = self.indexer(keyspace).await?;
        let prefixes = indexer.prefixes_of(&schema)?;
        let mut columns = self.columns(&counted, &schema).await?;
        columns.iter().try_for_each(|column| column.check(&prefixes))?;
        let mut elsewhere_too = counted.elsewhere;
        if let Some(path) = &counted.map {
            let (map, _) = map::read(path, None, &self.config)?;
            elsewhere_too.extend(map.elsewhere().filter(|name| schema.ids().any(|id| id == *name)).map(str::to_owned));
        }
        for index in elsewhere_too {
            let counts = IndexCounts::default().confirmed_empty()?;
            columns.push(Column { name: index.clone(), index, is_empty: true, counts });
        }
        if let Some(forgotten) = schema.ids().find(|index| !columns.iter().any(|column| column.index == *index)) {
            return Err(Failure::Usage(format!(
                "the index {forgotten} is in the list of all indexes, and none of its columns is named: use --column, --empty or --elsewhere, or add it to the map"
            )));
        }
        let columns = columns.iter().map(|column| (&*column.index, &column.counts));
        Ok(RemainingUse::counted_of_index_root(&indexer, &schema, columns, root, elsewhere)?)
    }
}

pub const COMPROMISED: &str = "index root marked compromised: what was indexed under it counts as disclosed, in every copy of the \
    database. Searches still ask for it; index all rows anew";

/// Its own commands count what is under an index root, and those of keys what is under a key.
/// Says that an index root was made, and whether its prefixes were compared.
fn made(
    output: &Output,
    new: &NewIndexRoot,
    change: &Change,
    file: &KeyringFile,
    what: &str,
    root: KeyId,
) -> Result<(), Failure> {
    const UNCOMPARED: &str =
        "Without --schema FILE nobody knows whether its prefixes differ from those of other index roots";
    let is_compared = new.schema.is_some();
    let what = if is_compared { what.to_owned() } else { format!("{what}. {UNCOMPARED}") };
    changed(output, change, file, &what, Some(root), json!({ "prefixes_compared": is_compared }))
}

pub fn check_index_root(file: &KeyringFile, id: KeyId) -> Result<(), Failure> {
    if is_index_root(file, id) || !file.keys().iter().any(|key| key.id() == id) {
        return Ok(());
    }
    Err(Failure::Coded(
        "state-refused",
        format!("{id} is a key that seals, not an index root: use `rxseal keyring destroy` and its like"),
    ))
}

pub fn is_index_root(file: &KeyringFile, id: KeyId) -> bool {
    file.keys().iter().any(|key| key.id() == id && key.usage() == KeyUse::Index)
}

fn staged_root(file: &KeyringFile) -> Result<KeyId, Failure> {
    let staged = |key: &&KeyInfo| key.usage() == KeyUse::Index && key.state() == KeyState::PreActive;
    file.keys().iter().find(staged).map(KeyInfo::id).ok_or_else(|| {
        let text = "no index root is staged: run `rxseal keyring index stage` first";
        Failure::Coded("state-refused", text.to_owned())
    })
}

fn used_for(root: &KeyInfo) -> &'static str {
    match root.state() {
        KeyState::Destroyed => "no, no",
        _ if root.is_primary() => "yes, yes",
        _ => "yes, no",
    }
}

fn in_use(error: rxseal::Error, index_values: u64) -> Failure {
    match error.code().as_str() {
        "key-in-use" => Failure::Coded("key-in-use", format!("{index_values} index values: {error}")),
        _ => error.into(),
    }
}

fn read_schema(path: &Path) -> Result<IndexSchema, Failure> {
    let text = read_text(path)?;
    let wrong =
        |error: rxseal::Error| Failure::Usage(format!("{}: {}", path.display(), Failure::from_reference(&error)));
    if text.trim_start().starts_with('{') {
        return Ok(Schema::parse(&text).map_err(wrong)?.indexes());
    }
    text.parse().map_err(wrong)
}

fn as_json(prefix: &IndexPrefix, index_values: Option<u64>) -> Value {
    json!({
        "index": prefix.index(), "prefix": prefix.to_string(), "index_root": prefix.root().to_string(),
        "state": prefix.state().as_str(), "new_values": prefix.is_current(),
        "index_values": index_values,
    })
}

fn confirmed(name: &str, counts: IndexCounts, but: &str) -> Result<IndexCounts, Failure> {
    let values = counts.total().saturating_add(counts.not_values());
    counts.confirmed_empty().map_err(|_| Failure::Coded("not-counted", format!("{name}: {but} has {values} values")))
}

/// A column that was counted.
struct Column {
    name: String,
    index: String,
    /// Whether the operator said that it has no value.
    is_empty: bool,
    counts: IndexCounts,
}

impl Column {
    async fn all(counted: &CountedIndexes, schema: &IndexSchema) -> Result<Vec<Self>, Failure> {
        let database = Database::of(counted.sqlite.as_deref(), counted.postgres.as_deref());
        let named = counted.columns.iter().map(|name| (name, "--column"));
        let mut columns = Vec::new();
        for (named, option) in named.chain(counted.empty.iter().map(|name| (name, "--empty"))) {
            let Some((name, index)) = named.rsplit_once('=') else {
                return Err(Failure::Usage(format!("{option} must be TABLE.COLUMN=INDEX, not {named:?}")));
            };
            if !schema.ids().any(|known| known == index) {
                return Err(Failure::Usage(format!(
                    "{option} {named}: the index {index} is not in the list of all indexes"
                )));
            }
            let database = database.as_ref().ok_or_else(|| {
                Failure::Usage("no database is given for the columns: use --sqlite FILE or --postgres URL".to_owned())
            })?;
            let mut counts = database.count_index_named(name, option).await?;
            let is_empty = option == "--empty";
            if is_empty {
                counts = confirmed(name, counts, "it is named with --empty, but")?;
            }
            columns.push(Self { name: name.to_owned(), index: index.to_owned(), is_empty, counts });
        }
        Ok(columns)
    }

    /// Those of every source of a map.
    async fn all_of_map(map: &Map, addresses: &Addresses, schema: &IndexSchema) -> Result<Vec<Self>, Failure> {
        let mut columns = Vec::new();
        for source in map.sources() {
            let counted = count_index_values(source, addresses).await.map_err(|error| cannot_count(source, &error))?;
            for place in counted {
                let (name, index) = (format!("{}, {}", source.name(), place.place()), place.index().to_owned());
                if !schema.ids().any(|known| known == index) {
                    return Err(Failure::Usage(format!("{name}: the index {index} is not in the list of all indexes")));
                }
                let is_empty = source.empty().is_column(place.place());
                let counts = place.counts().clone();
                let counts =
                    if is_empty { confirmed(&name, counts, "the map says that it is empty, but it")? } else { counts };
                columns.push(Self { name, index, is_empty, counts });
            }
        }
        Ok(columns)
    }

    /// The number of values that no listed definition makes.
    fn unknown(&self, prefixes: &[IndexPrefix]) -> u64 {
        let is_known =
            |bytes: &[u8; 3]| prefixes.iter().any(|prefix| prefix.index() == self.index && prefix.as_bytes() == bytes);
        let unknown = self.counts.iter().filter(|(prefix, _)| !is_known(prefix));
        unknown.fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Why a zero in this column would prove nothing, with the column's name. The library refuses the same.
    fn check(&self, prefixes: &[IndexPrefix]) -> Result<(), Failure> {
        let Self { name, counts, .. } = self;
        if counts.not_values() > 0 {
            return Err(Failure::Checked(format!(
                "{name}: {} entries are no index value, so what is under the index root is not known. Is it the right column?",
                counts.not_values()
            )));
        }
        match self.unknown(prefixes) {
            0 => {}
            unknown => {
                return Err(Failure::Checked(format!(
                    "{name}: {unknown} values are of no definition and index root that is known here. Print the list of all indexes with the \
                     release that is live, or index these rows anew"
                )));
            }
        }
        let nothing = match (counts.doubt(), counts.total(), counts.nulls()) {
            (Some(doubt), ..) => doubt.to_owned(),
            (None, 0, nulls) if !self.is_empty => format!(
                "it has {nulls} rows and no index value, so it does not show that nothing is left under the index root: check the database, \
                 schema and column, and that this role sees every row, or use --empty if it should be empty"
            ),
            _ => return Ok(()),
        };
        Err(Failure::Coded("not-counted", format!("{name}: {nothing}")))
    }
}

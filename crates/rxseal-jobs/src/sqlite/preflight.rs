//! The preflight of a table in SQLite. It asks the pragmas, and reads the texts of the schema for what these do not tell.

mod schema;
mod sizes;
#[cfg(test)]
mod tests;

use std::path::Path;

use rusqlite::Connection;
use rxseal::Error;
use rxseal_sqlite::__private::open_to_write;

use self::schema::{Object, words};
use super::end::other_rows;
use super::trouble::Trouble;
use crate::preflight::target::TokenColumn;
use crate::preflight::{Concern, ConcernKind, Database, Flow, Preflight, StepColumn, Steps, Target, token_len};
use crate::spec::Spec;

/// Looks at the table of a job before it is planned. `named` are the other tables that the map names in this database.
///
/// It writes nothing. It reads the schema, a sample of the rows, and how many there are.
///
/// # Errors
///
/// `store-refused` if the file may not be written, or belongs to somebody else. `store-unavailable` if it is locked or the disk failed.
pub fn preflight(path: impl AsRef<Path>, spec: &Spec, named: &[String]) -> Result<Preflight, Error> {
    let path = path.as_ref();
    let db = open_to_write(path)?;
    look(&db, &Target::of(spec, named)).map_err(|trouble| trouble.at(path))
}

/// The same on a connection that is there.
pub(super) fn look(db: &Connection, target: &Target) -> Result<Preflight, Trouble> {
    let name = &*target.table;
    let mut found = Preflight::of(name);
    let kind = db
        .prepare("SELECT type, strict FROM pragma_table_list(?1) WHERE schema = 'main'")?
        .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)));
    let (kind, is_strict) = match kind {
        Ok(kind) => kind,
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            found.add(Concern::of(ConcernKind::NoTable));
            return Ok(found);
        }
        Err(error) => return Err(error.into()),
    };
    if kind != "table" {
        found.add(
            Concern::of(ConcernKind::NotATable).detail(format!("it is a {kind} table").replace("view table", "view")),
        );
        return Ok(found);
    }
    if db.is_readonly("main")? {
        found.add(Concern::of(ConcernKind::ReadOnly));
    }
    let objects = schema::objects(db)?;
    let sealed = columns(db, target, is_strict, &mut found)?;
    keys(db, target, &sealed, &objects, &mut found)?;
    references(db, name, &sealed, &objects, &mut found)?;
    texts(name, &sealed, &objects, &mut found);
    if !found.has(ConcernKind::NoColumn) {
        sizes::look(db, target, &mut found)?;
        if let Some((column, keyspace)) = &target.keyspace {
            let others = other_rows(db, name, column, keyspace)?;
            found.leaves(column, others.of_none, others.of_others);
        }
    }
    if target.flow == Flow::Seal {
        steps(target, &sealed, &mut found);
    }
    Ok(found.sorted())
}

fn steps(target: &Target, sealed: &[String], found: &mut Preflight) {
    let step = |column: &TokenColumn| {
        let is_sealed = sealed.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        let padding = column.padding.filter(|_| is_sealed)?;
        let longest = usize::try_from(padding.max_len).unwrap_or(usize::MAX);
        Some(StepColumn { name: column.name.clone(), is_bytes: false, longest: token_len(padding, longest) })
    };
    let steps: Vec<_> = target.written.iter().filter_map(step).collect();
    // A name that SQL cannot have is in no table that was found.
    if let Ok(steps) = Steps::of(Database::Sqlite, &target.table, &target.table, &steps) {
        found.goes_by(steps);
    }
}

/// The columns of sealed fields, as the table spells them.
fn columns(db: &Connection, target: &Target, is_strict: bool, found: &mut Preflight) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("SELECT name, upper(type), hidden, pk FROM pragma_table_xinfo(?1)")?;
    let columns = query.query_map([&target.table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, u8>(2)?, row.get::<_, u32>(3)?))
    })?;
    let columns = columns.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut sealed = Vec::new();
    for name in target.columns() {
        let column = columns.iter().find(|(column, ..)| column.eq_ignore_ascii_case(name));
        let Some((column, kind, hidden, key)) = column else {
            found.add(Concern::of(ConcernKind::NoColumn).column(name));
            continue;
        };
        let Some(written) = target.written.iter().find(|written| written.name == name) else { continue };
        let holds_none = !holds_tokens(kind, is_strict);
        let concerns = [
            (*hidden > 0, ConcernKind::Generated),
            (*key > 0, ConcernKind::KeyColumn),
            (holds_none, ConcernKind::ColumnType),
        ];
        for (_, kind) in concerns.into_iter().filter(|(is_so, _)| *is_so) {
            found.add(Concern::of(kind).column(column));
        }
        if written.padding.is_some() {
            sealed.push(column.clone());
        }
    }
    Ok(sealed)
}

/// Whether the column is for texts or bytes, by SQLite's rules of affinity and in their order.
fn holds_tokens(declared: &str, is_strict: bool) -> bool {
    let has = |part: &str| declared.contains(part);
    let is_text = !has("INT") && ["CHAR", "CLOB", "TEXT", "BLOB"].into_iter().any(has);
    is_text || declared.is_empty() || (is_strict && declared == "ANY")
}

/// What is unique, and what the indexes are over.
fn keys(
    db: &Connection,
    target: &Target,
    sealed: &[String],
    objects: &[Object],
    found: &mut Preflight,
) -> rusqlite::Result<()> {
    let is_same = |columns: &[String]| {
        columns.len() == target.id.len()
            && target.id.iter().all(|id| columns.iter().any(|column| column.eq_ignore_ascii_case(id)))
    };
    // `INTEGER PRIMARY KEY` is the rowid, and has no index.
    let mut query = db.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0")?;
    let key = query.query_map([&target.table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let (mut has_key, mut is_id) = (!key.is_empty(), is_same(&key));
    let mut query = db.prepare("SELECT name, \"unique\", partial, origin FROM pragma_index_list(?1) ORDER BY name")?;
    let indexes = query.query_map([&target.table], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, bool>(2)?, row.get::<_, String>(3)?))
    })?;
    for index in indexes {
        let (index, is_unique, is_partial, origin) = index?;
        let mut query = db.prepare("SELECT name FROM pragma_index_xinfo(?1) WHERE key")?;
        let over = query.query_map([&index], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Option<String>>>>()?;
        let columns: Vec<_> = over.iter().flatten().cloned().collect();
        let has_expression = columns.len() < over.len();
        let is_written = |column: &String| target.written.iter().any(|to| to.name.eq_ignore_ascii_case(column));
        let stays = !columns.iter().any(is_written);
        let tells_apart = is_unique && !is_partial && !has_expression && stays;
        has_key |= tells_apart;
        is_id |= tells_apart && is_same(&columns);
        let text = objects.iter().find(|object| object.name == index).map(|object| words(&object.sql));
        for column in sealed {
            let is_over = columns.contains(column);
            let is_computed = (is_partial || has_expression)
                && text.as_ref().is_some_and(|text| text.iter().skip(4).any(|word| word.is_name(column)));
            let kind = match (is_computed, is_over, is_unique, &*origin) {
                (true, ..) => ConcernKind::ExpressionIndex,
                (_, false, ..) | (_, _, _, "pk") => continue,
                (_, _, true, _) => ConcernKind::Unique,
                _ => ConcernKind::Index,
            };
            found.add(Concern::of(kind).object(&index).column(column));
        }
    }
    if !has_key {
        found.add(Concern::of(ConcernKind::NoKey));
    } else if !is_id {
        found.add(Concern::of(ConcernKind::SharedId).object(target.id.join(", ")));
    }
    Ok(())
}

/// Foreign keys from and to the columns.
fn references(
    db: &Connection,
    table: &str,
    sealed: &[String],
    objects: &[Object],
    found: &mut Preflight,
) -> rusqlite::Result<()> {
    let mut query = db.prepare("SELECT \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1)")?;
    for object in objects.iter().filter(|object| object.kind == "table") {
        let keys = query.query_map([&object.name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        for key in keys {
            let (to_table, from, to) = key?;
            for column in sealed {
                let is_from = object.name.eq_ignore_ascii_case(table) && from.eq_ignore_ascii_case(column);
                let is_to = to_table.eq_ignore_ascii_case(table)
                    && to.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(column));
                if is_from || is_to {
                    found.add(
                        Concern::of(ConcernKind::ForeignKey).object(format!("{}.{from}", object.name)).column(column),
                    );
                }
            }
        }
    }
    Ok(())
}

/// What only the text of the schema tells.
fn texts(table: &str, sealed: &[String], objects: &[Object], found: &mut Preflight) {
    for object in objects {
        let text = words(&object.sql);
        let names = |name: &str| text.iter().any(|word| word.is_name(name));
        let mine = object.table.eq_ignore_ascii_case(table);
        match &*object.kind {
            "table" if object.is_virtual() => {
                // The name of the table that it is over is a text there: content='rx'.
                let is_over = |word: &schema::Word| word.is_name(table) || word.is_text(table);
                if text.iter().any(is_over) {
                    found.add(Concern::of(ConcernKind::FullText).object(&object.name));
                }
            }
            "table" if mine => schema::definitions(&text, sealed, found),
            // Step 3 of a migration: it runs nothing, and lets tokens pass.
            "trigger" if mine && schema::is_gate(&object.name, &text) => {}
            "trigger" if mine => {
                let others =
                    objects.iter().filter(|other| other.kind == "table" && !other.name.eq_ignore_ascii_case(table));
                let others: Vec<_> = others.filter(|other| names(&other.name)).map(|other| &*other.name).collect();
                let concern = Concern::of(ConcernKind::Trigger).object(&object.name);
                let detail = format!("it names {}", others.join(", "));
                found.add(if others.is_empty() { concern } else { concern.detail(detail) });
            }
            "view" if names(table) => {
                let over = sealed.iter().find(|column| names(column) || text.iter().any(schema::Word::is_star));
                if let Some(column) = over {
                    found.add(Concern::of(ConcernKind::View).object(&object.name).column(column));
                }
            }
            _ => {}
        }
    }
}

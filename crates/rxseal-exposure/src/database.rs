//! What a copy of a file of SQLite may lack, and what else is in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use rxseal_map::__private::other_tables as tables_beside;
use rxseal_map::{At, Map, Source};

use crate::model::Doubt;
use crate::names::shown;

/// Why a copy of a database may lack what was written last.
pub(crate) fn lacks_newest(at: &At) -> Option<&'static str> {
    let At::Sqlite { file, .. } = at else { return None };
    let mut head = [0; 20];
    File::open(file).and_then(|mut file| file.read_exact(&mut head)).ok()?;
    // https://www.sqlite.org/fileformat2.html: 2 is WAL. Whoever reads the file makes an empty log beside it.
    let is_wal = head.get(18..20).is_some_and(|versions| versions.contains(&2));
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let has_log = fs::metadata(log).is_ok_and(|log| log.len() > 0);
    (is_wal && !has_log).then_some(
        "its newest rows may be in a file with the same name and -wal, which is not beside it: put that file there, or make copies with VACUUM INTO",
    )
}

/// The tables of stolen files that are neither named copies nor sources of the map: of each file their number and their names, and nothing of what is in them.
/// Each copy comes with the name of its source in the map.
pub(crate) fn other_tables(map: &Map, copies: &[(&Source, &str)]) -> Vec<Doubt> {
    let files: BTreeSet<_> = copies.iter().filter_map(|(source, _)| file_of(source)).collect();
    files.into_iter().filter_map(|file| of_file(map, copies, file)).collect()
}

fn of_file(map: &Map, copies: &[(&Source, &str)], file: &Path) -> Option<Doubt> {
    let of_file = || copies.iter().filter(|(source, _)| file_of(source) == Some(file));
    // Another table of the original is a source of its own, whether a copy of it was named or not.
    let originals: BTreeSet<_> = of_file().filter_map(|(_, of)| map.source(of)).filter_map(file_of).collect();
    let is_original = |source: &&Source| file_of(source).is_some_and(|file| originals.contains(file));
    let known = of_file().map(|(source, _)| *source).chain(map.sources().iter().filter(is_original));
    let known: Vec<_> = known.filter_map(|source| source.at().table()).collect();
    // If the file cannot be read, who reads its rows says so.
    doubt(file, &tables_beside(file, &known).ok()?)
}

fn doubt(file: &Path, tables: &[String]) -> Option<Doubt> {
    let mut names: Vec<_> =
        tables.iter().take(SHOWN).map(|table| shown(table, "(a table without a plain name)")).collect();
    if tables.len() > SHOWN {
        names.push("and others");
    }
    let names = names.join(", ");
    let text = format!(
        "the map has no source for some of its tables, so these numbers leave out what is in them: look into {names}"
    );
    let (place, count) = (Some(file.display().to_string()), u64::try_from(tables.len()).ok());
    (!tables.is_empty()).then_some(Doubt { code: "table-undeclared", place, count, text })
}

fn file_of(source: &Source) -> Option<&Path> {
    match source.at() {
        At::Sqlite { file, .. } => Some(file),
        _ => None,
    }
}

/// How many names of tables a report has.
const SHOWN: usize = 8;

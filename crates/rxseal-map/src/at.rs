//! Where a source is: a table of a database, or files.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use rxseal::count::CountSql;

/// Where a source is. Its text is what the map says after `at`, with files relative to the map's folder.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// `postgres:SCHEMA.TABLE`: a table of the PostgreSQL database whose address the caller has. The map has no address, since it is
    /// checked in.
    Postgres {
        /// `schema.table`, as [`CountSql::postgres`] takes it: a name that contains a dot or a quote is in double quotes.
        table: String,
    },
    /// `sqlite:FILE#TABLE`
    Sqlite {
        /// The database.
        file: PathBuf,
        /// The table, as [`CountSql::sqlite`] takes it.
        table: String,
    },
    /// `ndjson:GLOB`: files with a JSON object on each line.
    Ndjson {
        /// Which files: a path, in which `*`, `?`, `[..]` and `**` match more than one.
        glob: String,
    },
    /// `csv:GLOB`: files of CSV (RFC 4180), whose first line names the columns.
    Csv {
        /// Which files.
        glob: String,
    },
    /// `parquet:GLOB`: files of Apache Parquet.
    Parquet {
        /// Which files.
        glob: String,
    },
}

impl At {
    /// From its text, or what is wrong with it. Files are relative to `folder`.
    pub(crate) fn parse(text: &str, folder: Option<&Path>) -> Result<Self, String> {
        const KINDS: &str =
            "write `postgres:SCHEMA.TABLE`, `sqlite:FILE#TABLE`, `ndjson:GLOB`, `csv:GLOB` or `parquet:GLOB`";
        if text.contains("://") {
            // It may have a password.
            return Err(
                "this is the address of a server: the map names the table alone, as `postgres:SCHEMA.TABLE`, and the \
                 address is given to the command"
                    .to_owned(),
            );
        }
        let (kind, rest) = text.split_once(':').ok_or(KINDS)?;
        match kind {
            "postgres" => postgres(rest),
            "sqlite" => sqlite(rest, folder),
            "ndjson" => Ok(Self::Ndjson { glob: files(rest, folder)? }),
            "csv" => Ok(Self::Csv { glob: files(rest, folder)? }),
            "parquet" => Ok(Self::Parquet { glob: files(rest, folder)? }),
            _ => Err(format!("{kind:?} is no kind of source: {KINDS}")),
        }
    }

    /// The table of a database.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Postgres { table } | Self::Sqlite { table, .. } => Some(table),
            _ => None,
        }
    }

    /// What two sources of one table have in common.
    pub(crate) fn identity(&self) -> (&'static str, String, String) {
        match self {
            Self::Postgres { table } => {
                let sql = CountSql::postgres(table, "c");
                ("postgres", sql.map_or_else(|_| table.clone(), |sql| sql.quoted_table().to_owned()), String::new())
            }
            // SQLite compares names without regard to case.
            Self::Sqlite { file, table } => {
                let sql = CountSql::sqlite(table, "c");
                let table = sql.map_or_else(|_| table.clone(), |sql| sql.quoted_table().to_ascii_lowercase());
                ("sqlite", plain(file).to_string_lossy().into_owned(), table)
            }
            Self::Ndjson { glob } | Self::Csv { glob } | Self::Parquet { glob } => {
                ("files", plain(Path::new(glob)).to_string_lossy().into_owned(), String::new())
            }
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres { table } => write!(f, "postgres:{table}"),
            Self::Sqlite { file, table } => write!(f, "sqlite:{}#{table}", file.display()),
            Self::Ndjson { glob } => write!(f, "ndjson:{glob}"),
            Self::Csv { glob } => write!(f, "csv:{glob}"),
            Self::Parquet { glob } => write!(f, "parquet:{glob}"),
        }
    }
}

fn postgres(table: &str) -> Result<At, String> {
    let sql = CountSql::postgres(table, "c").map_err(|error| error.to_string())?;
    if sql.schema().is_none() {
        // Which table it is would depend on the role.
        return Err("the table has no schema: write `postgres:SCHEMA.TABLE`, such as `postgres:public.prescriptions`"
            .to_owned());
    }
    Ok(At::Postgres { table: table.to_owned() })
}

fn sqlite(rest: &str, folder: Option<&Path>) -> Result<At, String> {
    let (file, table) = rest.rsplit_once('#').ok_or("write `sqlite:FILE#TABLE`")?;
    if file.is_empty() || file.contains('\0') || file == ":memory:" {
        return Err("the file of the database is missing: write `sqlite:FILE#TABLE`".to_owned());
    }
    CountSql::sqlite(table, "c").map_err(|error| error.to_string())?;
    Ok(At::Sqlite { file: in_folder(file, folder), table: table.to_owned() })
}

fn files(glob: &str, folder: Option<&Path>) -> Result<String, String> {
    if glob.is_empty() || glob.contains('\0') {
        return Err("no file is named: write a path, in which `*` matches more than one".to_owned());
    }
    glob::Pattern::new(glob).map_err(|error| format!("the pattern of files is not valid: {}", error.msg))?;
    let Some(folder) = folder.filter(|_| !Path::new(glob).is_absolute()) else { return Ok(glob.to_owned()) };
    let folder = folder.to_str().ok_or("the map's folder has a name that is not UTF-8: write an absolute path")?;
    if folder.is_empty() {
        return Ok(glob.to_owned());
    }
    Ok(format!("{}/{glob}", glob::Pattern::escape(folder.trim_end_matches('/'))))
}

fn in_folder(file: &str, folder: Option<&Path>) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(file), |folder| folder.join(file))
}

/// Without `.` in it.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

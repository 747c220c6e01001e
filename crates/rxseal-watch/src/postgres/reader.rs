//! Reading a log out of PostgreSQL: line by line, by patient, to verify it, and into files.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufWriter, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::rows::subjects;
use super::session::Server;
use super::trouble::Trouble;
use crate::chain::{ChainId, split_line};
use crate::error::{Kind, WatchError};
use crate::file_log::{LINES, NOTES, number_of};
use crate::logged::{FirstLines, LoggedEvent};
use crate::note::VerifierKey;
use crate::sink::Line;
use crate::verify::{Report, Source, Verifier, Witness};

/// For what a reader asks. A large table may take its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows at once: few at first, since often only the first line is asked for.
const FIRST_PAGE: i64 = 8;
const LARGEST_PAGE: i64 = 1000;

/// All that one call reads is as it was at one moment.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const CHAINS: &str = "SELECT start, chain FROM rxseal_audit_chain ORDER BY start";
const NOTES_OF: &str = "SELECT note FROM rxseal_audit_checkpoint WHERE chain = $1 ORDER BY size";
const PAGE: &str = "SELECT n, subjects, line FROM rxseal_audit WHERE chain = $1 AND n > $2 ORDER BY n LIMIT $3";
/// The planner must not look for a patient by walking through the chains.
const PAGE_OF_PATIENT: &str = "WITH found AS MATERIALIZED (SELECT chain, n, line FROM rxseal_audit WHERE subjects @> ARRAY[$1::text]) \
    SELECT c.start, f.chain, f.n, f.line FROM found AS f JOIN rxseal_audit_chain AS c ON c.chain = f.chain \
    WHERE (c.start, f.n) > ($2, $3) ORDER BY c.start, f.n LIMIT $4";
/// By the primary key, as the planner does for each wanted line.
const FIRST_LINES: &str = "SELECT a.chain, a.n, a.line FROM unnest($1::text[], $2::bigint[]) AS wanted (chain, n) \
    JOIN rxseal_audit AS a ON a.chain = wanted.chain AND a.n = wanted.n";

/// Reads a log in PostgreSQL, with the role that may read it. Feature `postgres`.
///
/// ```no_run
/// # fn main() -> Result<(), rxseal_watch::WatchError> {
/// let mut reader = rxseal_watch::PostgresReader::connect("postgres://audit_reader@audit-db/audit?sslmode=verify-full")?;
/// reader.lines_of("pat-77", |line| println!("{}", line.json()))?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresReader {
    server: Server,
    /// What is read is of one moment, and its transaction is not ended yet.
    is_reading: bool,
    /// The first line of the chain that was read last with which its row does not agree.
    differs: Option<u64>,
}

impl PostgresReader {
    /// Connects, as [`PostgresLog::connect`](crate::PostgresLog::connect) does.
    ///
    /// # Errors
    ///
    /// `not-read` if the URL is not valid, the server is a standby or does not answer, or the tables are not there.
    pub fn connect(url: &str) -> Result<Self, WatchError> {
        Ok(Self { server: Server::start(url, Kind::Read)?, is_reading: false, differs: None })
    }

    /// Calls `each` with every line, chain by chain; the chain that began first comes first. It verifies nothing.
    ///
    /// # Errors
    ///
    /// `not-read` if the server does not answer, the role may not read, or a line does not belong into a log.
    pub fn read_lines(&mut self, mut each: impl FnMut(&Line)) -> Result<(), WatchError> {
        self.begin()?;
        for (_, chain) in self.chains()? {
            let mut after = -1;
            let mut limit = FIRST_PAGE;
            loop {
                let page = self.page(chain, after, limit).map_err(failed)?;
                for (n, _, text) in &page {
                    each(&line(chain, *n, text)?);
                }
                match page.last() {
                    Some((last, _, _)) if is_full(page.len(), limit) => after = *last,
                    _ => break,
                }
                limit = LARGEST_PAGE;
            }
        }
        self.end()
    }

    /// Calls `each` with the lines about one patient, in the order of their chains: openings of records of the subject with this id, or of the
    /// record with this id that has no subject, and the line that says that the subject was shredded. An index finds them among any number. It verifies nothing.
    ///
    /// # Errors
    ///
    /// Those of `read_lines`.
    pub fn lines_of(&mut self, patient: &str, mut each: impl FnMut(&Line)) -> Result<(), WatchError> {
        self.pages_of(patient, |_, page| {
            page.iter().for_each(&mut each);
            Ok(())
        })
    }

    /// Calls `each` with every event, in the order of `read_lines`. It verifies nothing.
    ///
    /// # Errors
    ///
    /// Those of `read_lines`, and `not-read` if a line has no event.
    pub fn read_events(&mut self, mut each: impl FnMut(LoggedEvent)) -> Result<(), WatchError> {
        let (mut first_lines, mut result) = (FirstLines::default(), Ok(()));
        self.read_lines(|line| {
            if result.is_ok() {
                result = first_lines.next(line).map(&mut each);
            }
        })?;
        result
    }

    /// Calls `each` with the events about one patient, which are in the lines of `lines_of`. It verifies nothing.
    ///
    /// # Errors
    ///
    /// Those of `read_events`.
    pub fn events_of(&mut self, patient: &str, mut each: impl FnMut(LoggedEvent)) -> Result<(), WatchError> {
        self.pages_of(patient, |reader, page| {
            let mut events = page.iter().map(LoggedEvent::of).collect::<Result<Vec<_>, _>>()?;
            let first_lines = reader.first_lines(&events)?;
            for event in &mut events {
                first_lines.complete(event);
            }
            events.into_iter().for_each(&mut each);
            Ok(())
        })
    }

    /// Writes the log into files, as [`FileLog`](crate::FileLog) would have: each verifier of files reads them. The folder exists, and has none of these
    /// files.
    ///
    /// # Errors
    ///
    /// `not-read` as for `read_lines`, `log-failed` if a file cannot be made.
    pub fn export(&mut self, folder: impl AsRef<Path>) -> Result<(), WatchError> {
        self.begin()?;
        for (start, chain) in self.chains()? {
            let write = |end: &str, bytes: &mut dyn Read| {
                let path = folder.as_ref().join(format!("{start:013}-{chain}{end}"));
                let mut write = || {
                    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                    let mut file = BufWriter::new(file);
                    io::copy(bytes, &mut file)?;
                    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
                };
                write().map_err(|error| WatchError::file(Kind::Log, &path, &error))
            };
            write(NOTES, &mut self.notes(chain)?.concat().as_bytes())?;
            write(LINES, &mut Lines::of(self, chain))?;
        }
        self.end()
    }

    /// Calls `each` with the lines about one patient, many at once.
    fn pages_of(
        &mut self,
        patient: &str,
        mut each: impl FnMut(&Self, &[Line]) -> Result<(), WatchError>,
    ) -> Result<(), WatchError> {
        self.begin()?;
        let mut after = (-1, -1);
        // No patient has a zero in its id, and no text of PostgreSQL.
        while !patient.contains('\0') {
            let patient = patient.to_owned();
            let asked = self.server.ask(move |session| {
                session.call(PATIENCE, async |connection| {
                    let query =
                        sqlx::query(PAGE_OF_PATIENT).persistent(false).bind(patient).bind(after.0).bind(after.1);
                    let rows = query.bind(LARGEST_PAGE).fetch_all(connection).await?;
                    let row = |row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
                    rows.into_iter().map(row).collect::<Result<Vec<(i64, String, i64, String)>, sqlx::Error>>()
                })
            });
            let page = asked.map_err(failed)?;
            let lines = page.iter().map(|(_, chain, n, text)| line_of(chain, *n, text));
            each(self, &lines.collect::<Result<Vec<_>, _>>()?)?;
            match page.last() {
                Some((start, _, n, _)) if is_full(page.len(), LARGEST_PAGE) => after = (*start, *n),
                _ => break,
            }
        }
        self.end()
    }

    /// What the first lines say of pages that some of these events continue: the patient may be in another of their lines.
    fn first_lines(&self, events: &[LoggedEvent]) -> Result<FirstLines, WatchError> {
        let wanted = |event: &LoggedEvent| Some((event.chain(), FirstLines::wanted(event)?));
        let wanted: BTreeSet<_> = events.iter().filter_map(wanted).collect();
        let mut first_lines = FirstLines::default();
        if wanted.is_empty() {
            return Ok(first_lines);
        }
        let chains: Vec<_> = wanted.iter().map(|(chain, _)| chain.to_string()).collect();
        let numbers: Vec<_> = wanted.iter().map(|(_, n)| i64::try_from(*n).unwrap_or(i64::MAX)).collect();
        let asked = self.server.ask(move |session| {
            session.call(PATIENCE, async |connection| {
                let query = sqlx::query(FIRST_LINES).persistent(false).bind(chains).bind(numbers);
                let row = |row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
                let rows = query.fetch_all(connection).await?.into_iter().map(row);
                rows.collect::<Result<Vec<(String, i64, String)>, sqlx::Error>>()
            })
        });
        for (chain, n, text) in asked.map_err(failed)? {
            first_lines.keep(&LoggedEvent::of(&line_of(&chain, n, &text)?)?);
        }
        Ok(first_lines)
    }

    fn begin(&mut self) -> Result<(), WatchError> {
        // One that an error left behind ends with its connection.
        let was_reading = std::mem::replace(&mut self.is_reading, true);
        self.run(BEGIN, was_reading)
    }

    fn end(&mut self) -> Result<(), WatchError> {
        self.run("ROLLBACK", false)?;
        self.is_reading = false;
        Ok(())
    }

    fn run(&self, sql: &'static str, anew: bool) -> Result<(), WatchError> {
        let asked = self.server.ask(move |session| {
            if anew {
                session.close();
            }
            session.call(PATIENCE, async |connection| {
                sqlx::query(sql).persistent(false).execute(connection).await.map(drop)
            })
        });
        asked.map_err(failed)
    }

    fn notes(&self, chain: ChainId) -> Result<Vec<String>, WatchError> {
        let asked = self.server.ask(move |session| {
            session.call(PATIENCE, async |connection| {
                let query = sqlx::query_scalar(NOTES_OF).persistent(false).bind(chain.to_string());
                query.fetch_all(connection).await
            })
        });
        asked.map_err(failed)
    }

    fn page(&self, chain: ChainId, after: i64, limit: i64) -> Result<Vec<(i64, Vec<String>, String)>, Trouble> {
        self.server.ask(move |session| {
            if !session.is_connected() {
                return Err(Trouble::settled("the connection to the database was lost: try again"));
            }
            session.call(PATIENCE, async |connection| {
                let query = sqlx::query(PAGE).persistent(false).bind(chain.to_string()).bind(after).bind(limit);
                let row = |row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
                query.fetch_all(connection).await?.into_iter().map(row).collect()
            })
        })
    }
}

impl Verifier {
    /// Verifies a log in PostgreSQL, as [`verify`](Self::verify) does with files. Besides, it finds rows whose number or patients are not those of
    /// their line.
    ///
    /// # Errors
    ///
    /// `not-read` if the server does not answer or the role may not read. What is wrong with the rows is a finding, not an error.
    pub fn verify_postgres(&self, reader: &mut PostgresReader) -> Result<Report, WatchError> {
        reader.begin()?;
        let report = self.verify_source(reader, self.has_checkpoints())?;
        reader.end()?;
        Ok(report)
    }
}

impl Source for PostgresReader {
    fn chains(&mut self) -> Result<Vec<(u64, ChainId)>, WatchError> {
        let asked = self.server.ask(|session| {
            session.call(PATIENCE, async |connection| {
                let rows = sqlx::query(CHAINS).persistent(false).fetch_all(connection).await?;
                rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            })
        });
        let rows: Vec<(i64, String)> = asked.map_err(failed)?;
        let chain = |(start, chain): (i64, String)| Some((u64::try_from(start).ok()?, ChainId::parse(&chain)?));
        rows.into_iter().map(chain).collect::<Option<_>>().ok_or_else(malformed)
    }

    fn witness(&mut self, witness: &mut Witness, keys: &[VerifierKey]) -> Result<(), WatchError> {
        for (_, chain) in self.chains()? {
            for note in self.notes(chain)? {
                witness.read_note(&note, keys, false, false);
            }
        }
        Ok(())
    }

    fn open(&mut self, (_, chain): (u64, ChainId)) -> Result<Box<dyn BufRead + '_>, WatchError> {
        Ok(Box::new(Lines::of(self, chain)))
    }

    fn failed(&self, _: (u64, ChainId), error: &io::Error) -> WatchError {
        WatchError::from(Kind::Read).caused_by(error.to_string())
    }

    fn differs(&mut self) -> Option<u64> {
        self.differs.take()
    }
}

impl fmt::Debug for PostgresReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresReader").finish_non_exhaustive()
    }
}

/// The lines of a chain as a file would have them.
struct Lines<'r> {
    reader: &'r mut PostgresReader,
    chain: ChainId,
    after: i64,
    limit: i64,
    bytes: Vec<u8>,
    at: usize,
}

impl<'r> Lines<'r> {
    fn of(reader: &'r mut PostgresReader, chain: ChainId) -> Self {
        reader.differs = None;
        Self { reader, chain, after: -1, limit: FIRST_PAGE, bytes: Vec::new(), at: 0 }
    }

    fn next_page(&mut self) -> io::Result<()> {
        let page = self.reader.page(self.chain, self.after, self.limit).map_err(Trouble::into_io)?;
        self.bytes.clear();
        self.at = 0;
        for (n, patients, text) in page {
            let json = split_line(text.as_bytes()).map_or(&[][..], |(_, json)| json);
            let is_so = number_of(json) == u64::try_from(n).ok() && subjects(json) == patients && !text.contains('\n');
            if !is_so {
                self.reader.differs.get_or_insert(u64::try_from(n).unwrap_or_default());
            }
            self.after = n;
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.push(b'\n');
        }
        self.limit = LARGEST_PAGE;
        Ok(())
    }
}

impl BufRead for Lines<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.bytes.len() {
            self.next_page()?;
        }
        Ok(self.bytes.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount);
    }
}

impl Read for Lines<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(to)?;
        self.consume(read);
        Ok(read)
    }
}

/// Whether there may be more rows behind a page.
fn is_full(rows: usize, limit: i64) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= limit)
}

fn line_of(chain: &str, n: i64, text: &str) -> Result<Line, WatchError> {
    line(ChainId::parse(chain).ok_or_else(malformed)?, n, text)
}

fn line(chain: ChainId, n: i64, text: &str) -> Result<Line, WatchError> {
    split_line(text.as_bytes()).ok_or_else(malformed)?;
    Ok(Line::new(chain, u64::try_from(n).map_err(|_| malformed())?, text.to_owned()))
}

fn failed(trouble: Trouble) -> WatchError {
    WatchError::from(Kind::Read).caused_by(trouble.into_text())
}

fn malformed() -> WatchError {
    WatchError::from(Kind::Read).caused_by("a row does not belong into a log")
}

//! Writing a log into PostgreSQL. The server says of each line whether it is there: nothing is lost on a connection that breaks, and nothing is
//! written twice.

use std::fmt;
use std::io;

use sqlx::postgres::PgConnection;

use super::rows::Rows;
use super::session::{DEADLINE, Server, Session, Stored, head};
use super::trouble::Trouble;
use crate::chain::{ChainId, Head};
use crate::error::{Kind, WatchError};
use crate::event::Previous;
use crate::note::SigningKey;
use crate::target::{AppendFault, Log, Target};

/// One chain begins after the other, so that each names the one before. A role or a database with `synchronous_commit` off must not lose a line.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const LOCK: &str = "SELECT set_config('lock_timeout', '4000', true), \
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END, \
    pg_advisory_xact_lock(to_regclass('rxseal_audit')::oid::bigint)";
const INSERT_CHAIN: &str = "INSERT INTO rxseal_audit_chain (chain, start) VALUES ($1, $2)";
/// One statement is one transaction: all lines are there, or none of them.
const INSERT_LINES: &str = "INSERT INTO rxseal_audit (chain, n, subjects, line) \
    SELECT $1, lines.n, lines.subjects::text[], lines.line FROM unnest($2::bigint[], $3::text[], $4::text[]) AS lines (n, subjects, line), \
    (SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' \
    ELSE current_setting('synchronous_commit') END, true) AS setting) AS careful WHERE careful.setting <> 'off'";
const INSERT_CHECKPOINT: &str = "INSERT INTO rxseal_audit_checkpoint (chain, size, note) VALUES ($1, $2, $3)";
/// The row is there already.
const DUPLICATE: &[&str] = &["23505"];
/// The row that this one belongs to is gone.
const ORPHAN: &[&str] = &["23503"];

/// A log in tables of a PostgreSQL database, to which it only adds. Feature `postgres`.
///
/// Its tables and roles are what `rxseal audit ddl` prints. The connection has a thread of its own, so no runtime is needed, and a call may come from within
/// one. Every answer of the server is waited for at most 5 seconds. Any number of processes may write to one database.
///
/// ```no_run
/// use rxseal_watch::{PostgresLog, SigningKey, Watch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key: SigningKey = std::fs::read_to_string("/etc/pharmacy/audit.key")?.parse()?;
/// let log = PostgresLog::connect("postgres://fulfil_audit@audit-db/audit?sslmode=verify-full", key)?;
/// let watch = Watch::over(log).service("fulfil-api").start()?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresLog {
    server: Server,
    key: SigningKey,
    current: Option<Current>,
    /// The chain that this log wrote last and left, and its head there.
    left: Option<(ChainId, Head)>,
    /// The start of the newest chain, when it was asked for.
    newest: Option<u64>,
}

/// The chain that is written now.
#[derive(Clone, Copy)]
struct Current {
    chain: ChainId,
    start: u64,
    /// What is in the database.
    head: Head,
    bytes: u64,
    /// Lines were sent, and it is not known whether they are there.
    is_unsure: bool,
}

impl PostgresLog {
    /// The SQL that makes its tables. The owner of the tables runs it; the role of a program may only add rows.
    pub const SCHEMA: &'static str = include_str!("tables.sql");

    /// Connects to `postgres://role:password@host/database?sslmode=verify-full`, whose tables are there. Nothing is written before the watch starts.
    ///
    /// A server on another machine must offer TLS, unless the URL says `sslmode=disable` or `sslmode=allow`. Only `verify-full` checks its
    /// certificate. The URL and the password are in no error, log or `Debug` text.
    ///
    /// # Errors
    ///
    /// `log-failed` if the URL is not valid, the server is a standby or does not answer, or the tables are not there.
    pub fn connect(url: &str, key: SigningKey) -> Result<Self, WatchError> {
        let server = Server::start(url, Kind::Log)?;
        Ok(Self { server, key, current: None, left: None, newest: None })
    }

    /// The SQL that gives two roles their work: `writer` adds rows and reads none, `reader` reads them and adds none. Their owner runs it after
    /// [`SCHEMA`](Self::SCHEMA). Both roles need USAGE on the schema.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if a name is empty or longer than 63 bytes, or has a zero in it.
    pub fn grants(writer: &str, reader: &str) -> Result<String, WatchError> {
        let (writer, reader) = (quoted(writer)?, quoted(reader)?);
        let tables = "rxseal_audit_chain, rxseal_audit, rxseal_audit_checkpoint";
        Ok(format!(
            "GRANT INSERT ON {tables} TO {writer};\nGRANT EXECUTE ON FUNCTION rxseal_audit_head(text) TO {writer};\n\
            GRANT SELECT ON {tables} TO {reader};\n"
        ))
    }

    fn close(&self) {
        drop(self.server.ask(|session| {
            session.close();
            Ok(())
        }));
    }
}

impl From<PostgresLog> for Log {
    fn from(log: PostgresLog) -> Self {
        Self::of(log)
    }
}

impl Target for PostgresLog {
    fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What a slow server takes within the deadline.
    fn most_at_once(&self) -> usize {
        1000
    }

    /// Begins a transaction, which `append` ends when it writes the first line.
    fn previous(&mut self, _: Option<Previous>) -> io::Result<Option<Previous>> {
        let left = self.left;
        let asked = self.server.ask(move |session| {
            session.call(DEADLINE, async |connection| {
                begin(connection).await?;
                let kept = match left {
                    Some((chain, _)) => head(connection, Some(chain)).await?,
                    None => None,
                };
                Ok((kept, head(connection, None).await?))
            })
        });
        let (kept, newest) = asked.map_err(Trouble::into_io)?;
        self.newest = newest.map(|newest| newest.start);
        let gone = left.filter(|(_, left)| kept.is_none_or(|kept| kept.is_before(*left)));
        Ok(match gone {
            // Of a chain that was written and is gone, the next one is the witness.
            Some((chain, Head { size, hash })) if size > 0 => {
                Some(Previous { chain, n: size.saturating_sub(1), hash, torn: 0, again: 0 })
            }
            _ => newest.map(|Stored { chain, n, hash, .. }| Previous { chain, n, hash, torn: 0, again: 0 }),
        })
    }

    fn begin(&mut self, chain: ChainId, started: u64) -> io::Result<()> {
        // Chains are in the order of their starts, whatever the clocks of their hosts say.
        let start = self.newest.map_or(started, |newest| started.max(newest.saturating_add(1)));
        self.current = Some(Current { chain, start, head: Head::START, bytes: 0, is_unsure: false });
        Ok(())
    }

    fn undo_begin(&mut self) {
        if self.current.take_if(|current| current.head == Head::START).is_some() {
            self.close();
        }
    }

    fn bytes(&self) -> u64 {
        self.current.map_or(0, |current| current.bytes)
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), AppendFault> {
        let Some(current) = self.current else { return Err(AppendFault::Leave(io::ErrorKind::NotConnected.into())) };
        let malformed = || AppendFault::Again(io::ErrorKind::InvalidData.into());
        let rows = Rows::of(lines).ok_or_else(malformed)?;
        let after = rows.head.ok_or_else(malformed)?;
        let is_new = current.head == Head::START;
        let asked = self.server.ask(move |session| {
            Ok(if is_new { add_first(session, current, &rows, after) } else { add(session, current, &rows, after) })
        });
        let written = asked.map_err(|ended| AppendFault::Again(ended.into_io()))?;
        if let Some(current) = &mut self.current {
            current.is_unsure = matches!(written, Err(AppendFault::Unsure(_)));
            if written.is_ok() {
                current.head = after;
                current.bytes = current.bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
            }
        }
        written
    }

    fn checkpoint(&mut self, size: u64, note: &str) -> io::Result<()> {
        let Some(Current { chain, .. }) = self.current else { return Err(io::ErrorKind::NotConnected.into()) };
        let note = note.to_owned();
        let asked = self.server.ask(move |session| {
            session.call(DEADLINE, async |connection| {
                let query = sqlx::query(INSERT_CHECKPOINT).persistent(false).bind(chain.to_string());
                query.bind(signed(size)).bind(note).execute(connection).await.map(drop)
            })
        });
        match asked {
            Err(trouble) if !trouble.has_code(DUPLICATE) => Err(trouble.into_io()),
            _ => Ok(()),
        }
    }

    fn is_in_place(&mut self) -> bool {
        let Some(Current { chain, head: at, .. }) = self.current else { return true };
        let asked = self
            .server
            .ask(move |session| session.call(DEADLINE, async |connection| head(connection, Some(chain)).await));
        asked.map_or(true, |stored| stored.is_some_and(|stored| stored.is_at(at)))
    }

    fn leave(&mut self, head: Head) {
        if let Some(current) = self.current.take() {
            self.left = Some((current.chain, head));
            self.close();
        }
    }
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Begins a transaction in which no other chain begins.
async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(BEGIN).persistent(false).execute(&mut *connection).await?;
    sqlx::query(LOCK).persistent(false).execute(connection).await.map(drop)
}

/// Writes the first line of a chain, and ends the transaction that `previous` began.
fn add_first(session: &mut Session, current: Current, rows: &Rows, after: Head) -> Result<(), AppendFault> {
    let chain = current.chain;
    if current.is_unsure {
        session.close();
        let asked = session.call(DEADLINE, async |connection| {
            // Who has the lock knows that no other transaction with this chain is on its way.
            begin(connection).await?;
            let stored = head(connection, Some(chain)).await?;
            sqlx::query("ROLLBACK").persistent(false).execute(connection).await?;
            Ok(stored)
        });
        return match asked.map_err(|trouble| AppendFault::Unsure(trouble.into_io()))? {
            Some(stored) if stored.is_at(after) => Ok(()),
            Some(_) => Err(other_writer()),
            None => Err(AppendFault::Again(io::Error::other("the connection was lost before the chain was there"))),
        };
    }
    if !session.is_connected() {
        return Err(AppendFault::Again(io::ErrorKind::NotConnected.into()));
    }
    let added = session.call(DEADLINE, async |connection| {
        let query = sqlx::query(INSERT_CHAIN).persistent(false).bind(chain.to_string()).bind(signed(current.start));
        query.execute(&mut *connection).await?;
        insert(connection, chain, rows).await
    });
    // Nothing is there without the commit.
    added.map_err(|trouble| AppendFault::Again(trouble.into_io()))?;
    let committed = session
        .call(DEADLINE, async |connection| sqlx::query("COMMIT").persistent(false).execute(connection).await.map(drop));
    committed.map_err(|trouble| failed(trouble, false))
}

/// Writes further lines, unless they are there.
fn add(session: &mut Session, current: Current, rows: &Rows, after: Head) -> Result<(), AppendFault> {
    let chain = current.chain;
    let mut is_unsure = current.is_unsure;
    loop {
        let was_connected = session.is_connected();
        if is_unsure || !was_connected {
            let asked = session.call(DEADLINE, async |connection| head(connection, Some(chain)).await);
            match asked.map_err(|trouble| failed(trouble.before_it(), is_unsure))? {
                Some(stored) if stored.is_at(after) => return Ok(()),
                Some(stored) if stored.is_at(current.head) => {}
                _ => return Err(other_writer()),
            }
        }
        match session.call(DEADLINE, async |connection| insert(connection, chain, rows).await) {
            Ok(()) => return Ok(()),
            Err(trouble) if trouble.has_code(ORPHAN) => return Err(AppendFault::Leave(trouble.into_io())),
            // An earlier try, or another writer: its head says which. And a connection that broke while nobody used it is made anew, once.
            Err(trouble) if !is_unsure && (trouble.has_code(DUPLICATE) || was_connected && trouble.is_broken()) => {
                is_unsure = true;
            }
            Err(trouble) => return Err(failed(trouble, is_unsure)),
        }
    }
}

async fn insert(connection: &mut PgConnection, chain: ChainId, rows: &Rows) -> Result<(), sqlx::Error> {
    let query = sqlx::query(INSERT_LINES).persistent(false).bind(chain.to_string()).bind(rows.numbers.as_slice());
    let done = query.bind(rows.subjects.as_slice()).bind(rows.lines.as_slice()).execute(connection).await?;
    // The server would have to be another program.
    let is_whole = usize::try_from(done.rows_affected()).is_ok_and(|rows_affected| rows_affected == rows.lines.len());
    if is_whole { Ok(()) } else { Err(sqlx::Error::Protocol("it did not take every line".to_owned())) }
}

fn failed(trouble: Trouble, is_unsure: bool) -> AppendFault {
    let is_settled = trouble.is_settled() && !is_unsure;
    let error = trouble.into_io();
    if is_settled { AppendFault::Again(error) } else { AppendFault::Unsure(error) }
}

fn other_writer() -> AppendFault {
    let text = "the chain ends elsewhere in the database: another machine wrote it, lines were removed, or a standby took over without them";
    AppendFault::Leave(io::Error::other(text))
}

/// The name of a role in SQL.
fn quoted(role: &str) -> Result<String, WatchError> {
    if role.is_empty() || role.len() > 63 || role.contains('\0') {
        return Err(WatchError::settings("the name of a role is 1 to 63 bytes long, without zeros"));
    }
    Ok(format!("\"{}\"", role.replace('"', "\"\"")))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! A connection on a thread of its own. The program may have no runtime, and must not wait for one that is busy.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rxseal_postgres::__private::parse_url;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::trouble::Trouble;
use crate::chain::{ChainId, Hash, Head, parse_hash};
use crate::error::{Kind, WatchError};

/// For what a writer asks: connecting, and every answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// The thread. It ends with this handle.
pub(super) struct Server {
    jobs: mpsc::Sender<Job>,
}

/// What the thread has.
pub(super) struct Session {
    runtime: Runtime,
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

/// A chain as the database has it.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) chain: ChainId,
    pub(super) start: u64,
    /// The number of its last line, and that line's hash.
    pub(super) n: u64,
    pub(super) hash: Hash,
}

impl Stored {
    /// Whether it ends exactly there.
    pub(super) fn is_at(&self, head: Head) -> bool {
        self.n.checked_add(1) == Some(head.size) && self.hash == head.hash
    }

    /// Whether it lacks lines up to there, or has others.
    pub(super) fn is_before(&self, head: Head) -> bool {
        self.n < head.size && !self.is_at(head)
    }
}

impl Server {
    /// Starts the thread, and sees whether the log is there. `kind` is for its errors.
    pub(super) fn start(url: &str, kind: Kind) -> Result<Self, WatchError> {
        let options = parse_url(url).map_err(|error| WatchError::from(kind).caused_by(error))?;
        let failed = |error: std::io::Error| WatchError::from(kind).caused_by(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (sender, jobs) = mpsc::channel::<Job>();
        let mut session = Session { runtime, options, connection: None };
        let work = move || {
            for job in jobs {
                job(&mut session);
            }
            drop(session.connection.take());
            // A name that is being resolved holds nothing up.
            session.runtime.shutdown_background();
        };
        thread::Builder::new().name("rxseal-watch-postgres".to_owned()).spawn(work).map_err(failed)?;
        let server = Self { jobs: sender };
        let connected = server.ask(|session| session.call(DEADLINE, async |_| Ok(())));
        connected.map_err(|trouble| WatchError::from(kind).caused_by(trouble.into_text()))?;
        Ok(server)
    }

    /// Lets the thread work, and waits for it.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let ended = || Trouble::settled("the thread of the connection has ended");
        let (answer, answers) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |session| drop(answer.send(work(session))));
        self.jobs.send(job).map_err(|_| ended())?;
        answers.recv().map_err(|_| ended())?
    }
}

impl Session {
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Closes the connection. The server takes back what was not committed.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    /// Does `work` within a time, over the connection that there is or a new one. A connection that failed is not used again.
    pub(super) fn call<T>(
        &mut self,
        within: Duration,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Trouble> {
        let Self { runtime, options, connection } = self;
        let mut is_sent = false;
        let whole = async {
            let connection = match connection {
                Some(connection) => connection,
                None => connection.insert(connect(options).await?),
            };
            is_sent = true;
            Ok(work(connection).await?)
        };
        let ended = runtime.block_on(async { timeout(within, whole).await }).unwrap_or_else(|_| Err(Trouble::late()));
        ended.map_err(|trouble| {
            self.connection = None;
            if is_sent { trouble } else { trouble.before_it() }
        })
    }
}

/// The head of a chain, or of the newest one.
pub(super) async fn head(connection: &mut PgConnection, chain: Option<ChainId>) -> Result<Option<Stored>, sqlx::Error> {
    let query = sqlx::query("SELECT chain, start, n, hash FROM rxseal_audit_head($1)").persistent(false);
    let row = query.bind(chain.map(|chain| chain.to_string())).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let unsigned = |column| row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or_default());
    let malformed = || sqlx::Error::Decode("the id of a chain has another form".into());
    Ok(Some(Stored {
        chain: ChainId::parse(row.try_get(0)?).ok_or_else(malformed)?,
        start: unsigned(1)?,
        n: unsigned(2)?,
        // A hash that cannot be read is that of no line, so nothing will be found to follow it.
        hash: parse_hash(row.try_get::<&str, _>(3)?.as_bytes()).unwrap_or_default(),
    }))
}

/// Connects to a primary server whose database takes any text.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Trouble> {
    let mut connection = PgConnection::connect_with(options).await?;
    let query = "SELECT pg_is_in_recovery(), current_setting('server_encoding') = 'UTF8', to_regclass('rxseal_audit') IS NOT NULL";
    let row = sqlx::query(query).persistent(false).fetch_one(&mut connection).await?;
    let says = |column| row.try_get::<bool, _>(column);
    if says(0)? {
        return Err(Trouble::settled("this is a standby, which lags behind: connect to the primary server"));
    }
    if !says(1)? {
        return Err(Trouble::settled("the database has another encoding than UTF8, so it does not take every line"));
    }
    if !says(2)? {
        let text = "the tables of the log are missing: let their owner run what `rxseal audit ddl` prints";
        return Err(Trouble::settled(text));
    }
    Ok(connection)
}

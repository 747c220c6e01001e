//! A watch: how it is set up, started and stopped.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::alarm::Alarm;
use crate::budget::{Budgets, Ledger};
use crate::clock::Clock;
use crate::copies::Copies;
use crate::error::{Kind, WatchError};
use crate::event::Event;
use crate::observer::WatchObserver;
use crate::rounds::{Committed, PATIENCE};
use crate::shared::Shared;
pub use crate::shared::{OnFull, When};
use crate::sink::Sink;
use crate::target::Log;
use crate::writer::{About, LAG, Writer};

/// How many events wait while the log is written.
const ROOM: usize = 4096;

/// Watches the openings of keyrings: it keeps an event of each in a log, and refuses what is above a budget. It is a handle, and cloning it is cheap.
/// The last one that is dropped, observers included, ends the log.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("rxseal-watch-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// use rxseal::{Access, Purpose, phi::Drug};
/// use rxseal_watch::{FileLog, SigningKey, Watch};
///
/// let key = SigningKey::generate("pharmacy-17.example")?;
/// let watch = Watch::over(FileLog::in_folder(&folder, key)?).service("fulfil-api").start()?;
/// # let unlocked = rxseal::testing::insecure_keyring("pharmacy-17")?;
/// let keys = unlocked.observed_by(watch.observer());
///
/// let record = keys.record("prescription", "RX-1001")?;
/// let token = record.seal::<Drug>("warfarin 5 MG")?;
/// let access = Access::new("user:kim.rph", Purpose::TREAT)?;
/// let drug: String = record.opened_by(&access).open::<Drug, _>(&token)?;
/// // Before the response leaves; in a task, `watch.committed().await?`.
/// watch.commit()?;
/// # drop((record, keys, watch));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Watch {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

/// The settings of a watch that is not started yet: [`Watch::over`] makes it.
#[must_use = "nothing is watched before `start`"]
pub struct WatchBuilder {
    log: Log,
    service: String,
    host: Option<String>,
    budgets: Budgets,
    clock: Clock,
    when: When,
    on_full: OnFull,
    room: usize,
    copies: Vec<Box<dyn Sink>>,
    on_alarm: Box<dyn FnMut(&Alarm) + Send>,
}

impl Watch {
    /// A watch that writes this log. It denies by the budgets of a pharmacy unless it is told other ones.
    pub fn over(log: impl Into<Log>) -> WatchBuilder {
        WatchBuilder {
            log: log.into(),
            service: String::new(),
            host: None,
            budgets: Budgets::pharmacy(),
            clock: Clock::default(),
            when: When::Queued,
            on_full: OnFull::Fail,
            room: ROOM,
            copies: Vec::new(),
            on_alarm: Box::new(|_| ()),
        }
    }

    /// For `keyring.observed_by(..)`, of any number of keyrings.
    #[must_use]
    pub fn observer(&self) -> WatchObserver {
        let running: Arc<Running> = Arc::clone(&self.running);
        WatchObserver::new(Arc::clone(&self.shared), running)
    }

    /// Waits until everything that was opened before is on the disk, without blocking a thread: await it before a response leaves. It fails after a second,
    /// with an error that [`is_audit_unavailable`](WatchError::is_audit_unavailable).
    pub fn committed(&self) -> Committed {
        if self.shared.is_forked() {
            return Committed::never(Kind::Forked);
        }
        Committed::next_of(&self.shared.rounds)
    }

    /// As [`committed`](Self::committed), for a program without tasks: it blocks this thread.
    ///
    /// # Errors
    ///
    /// One that [`is_audit_unavailable`](WatchError::is_audit_unavailable), after a second.
    pub fn commit(&self) -> Result<(), WatchError> {
        if self.shared.is_forked() {
            return Err(Kind::Forked.into());
        }
        let rounds = &self.shared.rounds;
        if rounds.wait(rounds.next(), PATIENCE) { Ok(()) } else { Err(Kind::AuditUnavailable.into()) }
    }

    pub(crate) fn keep_on_disk(&self, event: &Event<'_>) -> Result<(), WatchError> {
        Ok(self.shared.keep_on_disk(event)?)
    }

    /// Writes what is left and ends the log, with its last checkpoint. Later openings fail. Dropping the last handle does the same, without an answer.
    ///
    /// # Errors
    ///
    /// One that [`is_audit_unavailable`](WatchError::is_audit_unavailable) if not everything could be written.
    pub fn stop(&self) -> Result<(), WatchError> {
        self.running.stop();
        if self.shared.lacks_something() { Err(Kind::AuditUnavailable.into()) } else { Ok(()) }
    }
}

impl WatchBuilder {
    /// The name of the program, which the log carries: up to 255 characters.
    pub fn service(self, name: &str) -> Self {
        Self { service: name.to_owned(), ..self }
    }

    /// The name of the host, which the log carries. By default it is the machine's own.
    pub fn host(self, name: &str) -> Self {
        Self { host: Some(name.to_owned()), ..self }
    }

    /// Other budgets than those of a pharmacy.
    pub fn budgets(self, budgets: Budgets) -> Self {
        Self { budgets, ..self }
    }

    /// When an opening gives its answer. By default at once, with `Queued`.
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// What happens when the log cannot be written. By default openings fail.
    pub fn on_full(self, on_full: OnFull) -> Self {
        Self { on_full, ..self }
    }

    /// How many events may wait while the log is written, 16 to 65,536. By default 4,096.
    pub fn buffer(self, events: usize) -> Self {
        Self { room: events.clamp(16, crate::buffer::MOST_WHILE_FAILING), ..self }
    }

    /// Gives lines and checkpoints to something else as well, such as a [`CheckpointFolder`](crate::CheckpointFolder) on another machine.
    pub fn copy_to(mut self, copy: impl Sink + 'static) -> Self {
        self.copies.push(Box::new(copy));
        self
    }

    /// What is called when somebody should look at something. It runs on the thread that writes the log, so it should return quickly.
    pub fn on_alarm(self, on_alarm: impl FnMut(&Alarm) + Send + 'static) -> Self {
        Self { on_alarm: Box::new(on_alarm), ..self }
    }

    /// A test's clock in place of those of the machine, from its time now on. Its wall clock counts for both: budgets fill up and lines get their times
    /// as the test moves it, so weeks of shifts take seconds.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("rxseal-watch-clock-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let key = rxseal_watch::SigningKey::generate("pharmacy-17.example")?;
    /// use rxseal::testing::TestClock;
    /// use rxseal_watch::{FileLog, Watch};
    /// use std::time::Duration;
    ///
    /// let clock = TestClock::default();
    /// clock.set_back(Duration::from_secs(28 * 86_400));
    /// let watch = Watch::over(FileLog::in_folder(&folder, key)?).clock(&clock).start()?;
    /// // .. a shift ..
    /// clock.advance(Duration::from_secs(16 * 3600));
    /// # drop(watch);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "insecure-test-clock")]
    pub fn clock(self, clock: &rxseal::testing::TestClock) -> Self {
        Self { clock: Clock::of_test(clock), ..self }
    }

    /// Begins the log, and the threads that write it.
    ///
    /// # Errors
    ///
    /// `log-failed` if the log cannot be begun, `invalid-settings` if a budget cannot be computed with, `not-read` if the list of frozen actors cannot
    /// be read, `random-failed`.
    pub fn start(self) -> Result<Watch, WatchError> {
        let ledger = Ledger::new(self.budgets)?;
        ledger.refreeze().map_err(|reason| WatchError::from(Kind::Read).caused_by(reason))?;
        let shared = Arc::new(Shared::new(ledger, self.clock, self.room, (self.when, self.on_full)));
        let about = About {
            service: shortened(self.service),
            host: shortened(self.host.unwrap_or_else(host_name)),
            room: self.room,
            copies: self.copies.len(),
        };
        let copies = Copies::start(self.copies, &shared)?;
        let mut writer = Writer::new(Arc::clone(&shared), self.log.into_target(), about, copies, self.on_alarm);
        writer.begin()?;
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
            spawned.map_err(|error| WatchError::from(Kind::Log).caused_by(error))
        };
        let rounds = Arc::clone(&shared.rounds);
        let guard = spawn(
            "rxseal-watch-guard",
            Box::new(move || {
                while rounds.wake_late() {
                    thread::sleep(LAG.saturating_mul(10));
                }
            }),
        )?;
        let thread = spawn("rxseal-watch", Box::new(move || writer.run()))?;
        shared.rounds.set_writer(thread.thread().clone());
        let running = Arc::new(Running { shared: Arc::clone(&shared), threads: Mutex::new(vec![thread, guard]) });
        Ok(Watch { shared, running })
    }
}

/// The threads of a watch, which end with it.
struct Running {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Running {
    fn stop(&self) {
        // A fork has no threads to wait for.
        if self.shared.is_forked() {
            return;
        }
        self.shared.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The last handle may be dropped by a callback on one of them.
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("budgets", self.shared.ledger.budgets()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBuilder")
            .field("service", &self.service)
            .field("budgets", &self.budgets)
            .finish_non_exhaustive()
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn shortened(text: String) -> String {
    if text.len() <= 255 { text } else { text.chars().take(60).collect() }
}

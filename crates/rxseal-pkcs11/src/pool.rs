//! Runs a few calls of an HSM at a time, each on its own thread with a session from the pool. A caller does not wait
//! longer than its deadline.
//!
//! A call into a PKCS#11 library cannot be interrupted. If the HSM hangs, the caller leaves at its deadline, and its
//! thread and session stay behind until the library returns. So that this does not empty the pool, a call left behind
//! gives its turn back and takes one of a limited number of spares. When all spares are taken, no more calls start.
//!
//! It uses its own threads and not `tokio::task::spawn_blocking`: a runtime that ends waits for its blocking tasks, so
//! a program whose HSM hangs would never end.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, process, thread};

use rxseal::Error;
use rxseal::provider::within;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::failure::{Failure, Problem};
use crate::pin::Login;
use crate::token::{Connection, Place};

/// How many calls may be left behind, in addition to those that are waited for.
const SPARES: usize = 16;
/// The wait for running calls when the root key is dropped.
const GOODBYE: Duration = Duration::from_secs(1);

pub(crate) struct Pool {
    inner: Arc<Inner>,
    turns: Arc<Semaphore>,
    spares: Arc<Semaphore>,
    deadline: Duration,
    /// Kept until they are joined: a thread that has finished its work still has to end. The library may run code then,
    /// which must not meet the end of the process.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Inner {
    name: String,
    place: Arc<Place>,
    login: Login,
    sessions: usize,
    /// `None` after the root key was dropped.
    idle: Mutex<Option<Vec<Connection>>>,
    process: u32,
}

impl Pool {
    pub(crate) fn new(name: String, place: Place, login: Login, sessions: usize, deadline: Duration) -> Self {
        let place = Arc::new(place);
        let inner = Inner { name, place, login, sessions, idle: Mutex::new(Some(Vec::new())), process: process::id() };
        let (turns, spares) = (Arc::new(Semaphore::new(sessions)), Arc::new(Semaphore::new(SPARES)));
        Self { inner: Arc::new(inner), turns, spares, deadline, threads: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    /// Runs `work` with a session. `work` may run a second time, if the first session turns out to be lost.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let failed = |problem| Error::from(Failure::from(problem).of_key(self.name()));
        let late = || {
            let (turns, spares) = (self.turns.available_permits(), self.spares.available_permits());
            let hanging = SPARES.saturating_add(self.inner.sessions);
            failed(if turns == 0 && spares == 0 { Problem::Hanging(hanging) } else { Problem::Late(self.deadline) })
        };
        let ends = Instant::now().checked_add(self.deadline);
        let call = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| failed(Problem::NoThread))?;
            let waiting = Waiting { turn: Arc::new(Mutex::new(Some(turn))), spares: &self.spares };
            let (answer, answered) = oneshot::channel();
            let (inner, turn) = (Arc::clone(&self.inner), Arc::clone(&waiting.turn));
            let run = move || {
                let result = inner.run(&work, ends);
                drop(take(&turn));
                // The caller may have left.
                let _ = answer.send(result);
            };
            self.spawn(run)
                .map_err(|cause| Error::from(Failure::from(Problem::NoThread).of_key(self.name()).caused_by(cause)))?;
            let result = answered.await.map_err(|_| failed(Problem::NoThread))?;
            result.map_err(|failure| failure.of_key(self.name()).into())
        };
        within(self.deadline, Box::pin(call), late).await
    }

    fn spawn(&self, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        reap(&mut threads);
        threads.push(thread::Builder::new().name("rxseal-pkcs11".to_owned()).spawn(run)?);
        Ok(())
    }
}

/// Joins the threads that have done their work, and keeps the others.
fn reap(threads: &mut Vec<JoinHandle<()>>) {
    for done in threads.extract_if(.., |thread| thread.is_finished()) {
        // It has told its caller, even if it panicked.
        let _ = done.join();
    }
}

impl Drop for Pool {
    /// Closes the sessions and waits for the threads to end. If a program exits while one runs, the library's clean-up
    /// for the thread races its clean-up for the process, and crashes were seen. The wait is limited, since both may
    /// hang.
    fn drop(&mut self) {
        let idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // If no thread can be started, the sessions are closed here, when the closure is dropped.
        let _ = self.spawn(move || drop(idle));
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        reap(threads);
        while !threads.is_empty() && begun.elapsed() < GOODBYE {
            thread::sleep(Duration::from_millis(1));
            reap(threads);
        }
    }
}

/// A caller that waits for its call. If it stops waiting, at the deadline or because its future is dropped, it passes
/// its turn on if there is a spare.
struct Waiting<'p> {
    turn: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    spares: &'p Arc<Semaphore>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.is_some()
            && let Ok(spare) = Arc::clone(self.spares).try_acquire_owned()
        {
            *turn = Some(spare);
        }
    }
}

fn take(turn: &Mutex<Option<OwnedSemaphorePermit>>) -> Option<OwnedSemaphorePermit> {
    turn.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Inner {
    /// Runs with a session of the pool or a new one, and once more with a new one if that was lost.
    fn run<T>(&self, work: &impl Fn(&Connection) -> Result<T, Failure>, ends: Option<Instant>) -> Result<T, Failure> {
        if process::id() != self.process {
            return Err(Problem::Forked.into());
        }
        let pooled = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(Vec::pop);
        let first = pooled.map_or_else(|| self.connect(ends), Ok).and_then(|connection| self.attempt(connection, work));
        match first {
            // After the deadline nobody reads the result.
            Err(failure) if failure.is_lost() && ends.is_none_or(|ends| Instant::now() < ends) => {
                self.attempt(self.connect(ends)?, work)
            }
            result => result,
        }
    }

    fn connect(&self, ends: Option<Instant>) -> Result<Connection, Failure> {
        Connection::open(&self.place, &self.login, ends)
    }

    fn attempt<T>(
        &self,
        connection: Connection,
        work: &impl Fn(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match work(&connection) {
            Ok(result) => {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                // If the root key was dropped, the session is closed on this thread and not on the one that dropped the
                // key.
                if let Some(idle) = idle.as_mut().filter(|idle| idle.len() < self.sessions) {
                    idle.push(connection);
                }
                Ok(result)
            }
            Err(failure) => {
                connection.end(&failure);
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rxseal::run_local;

    use super::*;
    use crate::pin::PinSource;
    use crate::selection::Selection;

    fn pool() -> Pool {
        let selection = Selection::parse("pkcs11:token=phi;object=phi-root").unwrap();
        let place = Place { library: "/no/such/library.so".into(), selection, allow_extractable: false };
        let login = Login::new(PinSource::Environment("RXSEAL_NO_SUCH_VARIABLE".to_owned()));
        Pool::new("token=phi;object=phi-root".to_owned(), place, login, 2, Duration::from_secs(5))
    }

    fn text(error: &Error) -> String {
        std::error::Error::source(error).unwrap().to_string()
    }

    #[tokio::test]
    async fn a_child_makes_its_own() {
        let mut pool = pool();
        let error = pool.call(|_| Ok(())).await.unwrap_err();
        assert!(text(&error).contains("cannot be loaded"), "{}", text(&error));
        // Its thread drops the pool a moment after it has answered.
        for thread in pool.threads.get_mut().unwrap().drain(..) {
            thread.join().unwrap();
        }
        Arc::get_mut(&mut pool.inner).unwrap().process = 0;
        let error = pool.call(|_| Ok(())).await.unwrap_err();
        assert!(text(&error).contains("forked") && !error.is_retryable(), "{}", text(&error));
    }

    #[tokio::test]
    async fn every_turn_comes_back() {
        let pool = pool();
        for _ in 0..8 {
            pool.call(|_| Ok(())).await.unwrap_err();
        }
        assert_eq!((pool.turns.available_permits(), pool.spares.available_permits()), (2, SPARES));
    }

    #[test]
    fn without_a_runtime_it_says_so() {
        assert_eq!(run_local(pool().call(|_| Ok(()))).unwrap_err().code().as_str(), "runtime-needed");
    }
}

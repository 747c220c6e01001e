//! Observers in Python: a callable that gets each event.

use std::cell::RefCell;

use pyo3::prelude::*;
use rxseal::Error;
use rxseal::observe::{KeyEvent, Observer, OpenEvent, Opening, Outcome};

use crate::error::refused;

/// Something that an observer is told. It holds ids and counts, and never a value.
#[pyclass(frozen, module = "rxseal", get_all)]
pub(crate) struct Event {
    /// `opening` before a page is opened, `opened` after it, or `key`.
    kind: &'static str,
    keyspace: String,
    actor: Option<String>,
    purpose: Option<&'static str>,
    request_id: Option<String>,
    record_type: Option<String>,
    record_ids: Vec<String>,
    fields: usize,
    classes: Vec<&'static str>,
    keys: Vec<String>,
    /// `opened`, `panicked` or the code of an error.
    outcome: Option<&'static str>,
    /// Of an event of keys: what happened.
    text: Option<String>,
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> String {
        format!("Event(kind='{}', records={}, fields={})", self.kind, self.record_ids.len(), self.fields)
    }
}

impl Event {
    fn of(kind: &'static str, opening: &Opening<'_>) -> Self {
        let (access, records) = (opening.access(), opening.records());
        Self {
            kind,
            keyspace: opening.keyspace().to_owned(),
            actor: Some(access.actor().to_owned()),
            purpose: Some(access.purpose().as_str()),
            request_id: access.request().map(str::to_owned),
            record_type: records.first().map(|record| record.record_type().to_owned()),
            record_ids: records.iter().filter_map(|record| record.record_id().map(str::to_owned)).collect(),
            fields: 0,
            classes: Vec::new(),
            keys: Vec::new(),
            outcome: None,
            text: None,
        }
    }

    fn of_key(keyspace: &str, text: String) -> Self {
        Self {
            kind: "key",
            keyspace: keyspace.to_owned(),
            actor: None,
            purpose: None,
            request_id: None,
            record_type: None,
            record_ids: Vec::new(),
            fields: 0,
            classes: Vec::new(),
            keys: Vec::new(),
            outcome: None,
            text: Some(text),
        }
    }
}

/// Calls Python for each event. If that raises, what was opened is not handed out.
pub(crate) struct CallObserver {
    callable: Py<PyAny>,
    /// `before_open` of the callable, if it has one: it refuses by raising.
    before: Option<Py<PyAny>>,
}

thread_local! {
    /// What the observer raised. It runs on the thread that opens, so each call finds its own.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// What the observer raised on this thread since this was asked last.
pub(crate) fn take_raised() -> Option<PyErr> {
    RAISED.take()
}

impl CallObserver {
    /// # Errors
    ///
    /// `observer-missing` if `observer` cannot be called.
    pub(crate) fn new(observer: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !observer.is_callable() {
            return Err(refused(
                "observer-missing",
                "an observer is needed, which is called for each event: `observer=rxseal.logging`",
            ));
        }
        let before = observer.getattr_opt("before_open")?.map(Bound::unbind);
        Ok(Self { callable: observer.clone().unbind(), before })
    }

    /// Tells of something that happened to keys. What it raises goes where Python puts what nobody can catch.
    pub(crate) fn tell(&self, keyspace: &str, text: String) {
        Python::try_attach(|py| {
            // A handle may go while an exception is on its way, which a call of Python would lose.
            let on_its_way = PyErr::take(py);
            let told = self.callable.call1(py, (Event::of_key(keyspace, text),));
            told.map_or_else(|error| error.write_unraisable(py, None), drop);
            if let Some(error) = on_its_way {
                error.restore(py);
            }
        });
    }

    /// Calls it, unless the interpreter is shutting down.
    fn call(callable: &Py<PyAny>, event: Event) -> Result<(), Error> {
        let called = Python::try_attach(|py| callable.call1(py, (event,)).map(drop));
        match called {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => {
                RAISED.set(Some(error));
                Err(Error::refused("the observer raised"))
            }
            None => Err(Error::refused("the interpreter is shutting down")),
        }
    }
}

impl Observer for CallObserver {
    fn before_open(&self, opening: &Opening<'_>) -> Result<(), Error> {
        self.before.as_ref().map_or(Ok(()), |before| Self::call(before, Event::of("opening", opening)))
    }

    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        let mut classes: Vec<_> = event.classes_and_keys().map(|(class, _)| class.as_str()).collect();
        let mut keys: Vec<_> = event.classes_and_keys().map(|(_, key)| key.to_string()).collect();
        keys.sort_unstable();
        keys.dedup();
        classes.sort_unstable();
        classes.dedup();
        let outcome = match event.outcome() {
            Outcome::Opened => "opened",
            Outcome::Failed(code) => code.as_str(),
            _ => "panicked",
        };
        let told = Event {
            fields: event.fields(),
            classes,
            keys,
            outcome: Some(outcome),
            ..Event::of("opened", event.opening())
        };
        Self::call(&self.callable, told)
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        let (keyspace, text) = match event {
            KeyEvent::Unlocked { keyspace, generation, provider, root_key, .. } => {
                let text = format!("unlocked generation {generation} by {provider} {root_key}");
                // `unlock` asks whether this was refused.
                let _ = Self::call(&self.callable, Event::of_key(keyspace, text));
                return;
            }
            KeyEvent::Locked { keyspace, generation, .. } => (*keyspace, format!("locked generation {generation}")),
            KeyEvent::RootKeyFailed { keyspace, provider, root_key, code, .. } => {
                (*keyspace, format!("root key {provider} {root_key} failed: {code}"))
            }
            _ => return,
        };
        self.tell(keyspace, text);
    }
}

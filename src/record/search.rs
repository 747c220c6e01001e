//! Opening the candidates of a search: most of them are strangers, which nobody sees.

use std::fmt;
use std::sync::Arc;

use super::audit::{Audit, Told};
use super::core::RecordCore;
use super::open::OpenState;
use super::reader::OpenPass;
use super::{MayOpen, Record};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::observe::{Asked, Observer, OpenEvent, Opening, SearchEvent, Searching};

/// Opens a page of candidates of a search, as one opening. Each comes with something of the caller's, such as its row. `open` is called for
/// each in order, and `is_hit` with what it gave. Only hits are handed out, and an error for each candidate that did not open. What is
/// no hit is dropped: a `Phi` in it is wiped.
///
/// The observer is asked first, with [`before_search`](Observer::before_search), and told after it which of the candidates were handed
/// out. The crate rxseal-search calls this for records that serde reads; it has the form that a program uses.
///
/// # Errors
///
/// `refused-by-observer`, and `keyspace-mismatch` if the records are not all of one unlocked keyring. Nothing is opened then.
pub fn open_candidates<P: Copy, R: MayOpen, T, E: From<Error>>(
    candidates: impl IntoIterator<Item = (P, Record<R>)>,
    asked: Asked<'_>,
    access: &Access,
    mut open: impl FnMut(P, &mut Candidate<'_>) -> Result<T, E>,
    is_hit: impl FnMut(&T) -> bool,
) -> Result<Vec<(P, Result<T, E>)>, Error> {
    let with_core = |(row, record): (P, Record<R>)| (row, Arc::clone(record.core()));
    let (rows, cores): (Vec<_>, Vec<_>) = candidates.into_iter().map(with_core).unzip();
    // A page has one observer, as in `open_page`.
    if !cores.iter().zip(cores.iter().skip(1)).all(|(one, next)| one.shares_keyring(next)) {
        return Err(ErrorKind::KeyspaceMismatch.into());
    }
    let audit = SearchAudit::begin(asked, cores, access)?;
    audit.open_each(rows, |row, core, state| open(row, &mut Candidate { core, access, state }), is_hit, drop)
}

/// A candidate of a search while it is opened.
pub struct Candidate<'a> {
    core: &'a Arc<RecordCore>,
    access: &'a Access,
    state: &'a mut OpenState,
}

// `run_opening` is in `scope/opening.rs`.
impl Candidate<'_> {
    /// Opens single fields.
    pub fn pass(&mut self) -> OpenPass<'_> {
        OpenPass::new(self.core, self.state)
    }

    /// An opening for a scope, whose state goes back with `take`.
    pub(crate) fn begin_part(&self) -> Audit {
        Audit::part_of_another([Arc::clone(self.core)], self.access.clone())
    }

    /// Takes what a scope opened.
    pub(crate) fn take(&mut self, part: Audit) {
        self.state.take_part(part.into_state());
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate").finish_non_exhaustive()
    }
}

/// The opening of a page of candidates.
pub(crate) struct SearchAudit<'a>(Audit<Vec<Arc<RecordCore>>, &'a Access, Search<'a>>);

impl<'a> SearchAudit<'a> {
    pub(crate) fn begin(asked: Asked<'a>, cores: Vec<Arc<RecordCore>>, access: &'a Access) -> Result<Self, Error> {
        Audit::begin_as(Search { asked, hits: Vec::new(), not_opened: 0 }, cores, access).map(Self)
    }

    /// Opens each candidate, of which `rows` has one each, and gives the hits and the errors. `discard` gets what is no hit, and the hits
    /// if the observer does not take the event.
    pub(crate) fn open_each<P: Copy, T, E: From<Error>>(
        self,
        rows: impl IntoIterator<Item = P>,
        mut open: impl FnMut(P, &Arc<RecordCore>, &mut OpenState) -> Result<T, E>,
        mut is_hit: impl FnMut(&T) -> bool,
        mut discard: impl FnMut(T),
    ) -> Result<Vec<(P, Result<T, E>)>, Error> {
        let Self(mut audit) = self;
        let mut found = Vec::new();
        for (at, row) in rows.into_iter().enumerate() {
            let (cores, state) = audit.parts();
            let Some(core) = cores.get(at) else { break };
            state.next_record();
            let opened = match open(row, core, state) {
                Ok(value) if is_hit(&value) => {
                    audit.told.hits.push(at);
                    Ok(value)
                }
                Ok(value) => {
                    discard(value);
                    continue;
                }
                Err(error) => {
                    audit.told.not_opened = audit.told.not_opened.saturating_add(1);
                    Err(error)
                }
            };
            found.push((row, opened));
        }
        if let Err(refusal) = audit.end() {
            found.into_iter().filter_map(|(_, opened)| opened.ok()).for_each(discard);
            return Err(refusal);
        }
        Ok(found)
    }
}

/// How the observer is asked and told of a search.
struct Search<'a> {
    asked: Asked<'a>,
    hits: Vec<usize>,
    not_opened: usize,
}

impl Told for Search<'_> {
    fn ask(&self, observer: &dyn Observer, opening: &Opening<'_>) -> Result<(), Error> {
        observer.before_search(&Searching { opening: *opening, asked: self.asked })
    }

    fn tell(&self, observer: &dyn Observer, event: &OpenEvent<'_>) -> Result<(), Error> {
        let searching = Searching { opening: event.opening, asked: self.asked };
        observer.searched(&SearchEvent { searching, opened: *event, hits: &self.hits, not_opened: self.not_opened })
    }
}

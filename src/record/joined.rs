//! Openings of single fields inside a pass over the same record by the same access: they join the pass, and the observer hears of one
//! opening.
//!
//! A thread-local, since `Sealed::open` gets the reader and not the pass. A pass is one synchronous call, as a scope is.

use std::cell::RefCell;
use std::sync::Arc;

use super::core::RecordCore;
use super::open::{OpenState, Tally};
use crate::access::Access;

thread_local! {
    static PASSES: RefCell<Vec<Pass>> = const { RefCell::new(Vec::new()) };
}

/// A pass under way on this thread.
struct Pass {
    core: Arc<RecordCore>,
    access: Access,
    /// What joined it.
    joined: Tally,
}

impl Pass {
    fn is_of(&self, core: &RecordCore, access: &Access) -> bool {
        self.access.is_same(access) && self.core.is_same(core)
    }
}

/// A pass that single openings can join, until it is left.
#[derive(Clone, Copy)]
pub(super) struct Joinable {
    /// Its place among the passes of this thread.
    at: usize,
}

impl Joinable {
    pub(super) fn enter(core: &Arc<RecordCore>, access: &Access) -> Self {
        let pass = Pass { core: Arc::clone(core), access: access.clone(), joined: Tally::default() };
        let at = with_passes(|passes| {
            passes.push(pass);
            passes.len().saturating_sub(1)
        });
        // A thread that is ending has none: then nothing joins.
        Self { at: at.unwrap_or(usize::MAX) }
    }

    /// The next record of a page.
    pub(super) fn next(self, core: &Arc<RecordCore>) {
        with_passes(|passes| {
            if let Some(pass) = passes.get_mut(self.at) {
                pass.core = Arc::clone(core);
            }
        });
    }

    /// Takes the pass off, with all inside it, and gives what joined.
    pub(super) fn leave(self) -> Option<Tally> {
        let take = |passes: &mut Vec<Pass>| {
            passes.truncate(self.at.saturating_add(1));
            if passes.len() > self.at { passes.pop() } else { None }
        };
        with_passes(take).flatten().map(|pass| pass.joined)
    }
}

/// Whether a pass over this record by this access is under way.
pub(super) fn is_in_pass(core: &RecordCore, access: &Access) -> bool {
    find(core, access).is_some()
}

/// The innermost pass over this record by this access.
fn find(core: &RecordCore, access: &Access) -> Option<usize> {
    with_passes(|passes| passes.iter().rposition(|pass| pass.is_of(core, access))).flatten()
}

/// Runs `work` as part of the innermost pass over this record by this access. Without such a pass it gives `work` back.
pub(super) fn open<T, W: FnOnce(&mut OpenState) -> T>(core: &RecordCore, access: &Access, work: W) -> Result<T, W> {
    match find(core, access) {
        Some(at) => {
            let mut joining = Joining { at, state: OpenState::default() };
            Ok(work(&mut joining.state))
        }
        None => Err(work),
    }
}

/// One opening that joins. It is counted when it ends, also by a panic.
struct Joining {
    at: usize,
    state: OpenState,
}

impl Drop for Joining {
    fn drop(&mut self) {
        with_passes(|passes| {
            if let Some(pass) = passes.get_mut(self.at) {
                self.state.add_to(&mut pass.joined);
            }
        });
    }
}

fn with_passes<T>(work: impl FnOnce(&mut Vec<Pass>) -> T) -> Option<T> {
    PASSES.try_with(|passes| Some(work(&mut *passes.try_borrow_mut().ok()?))).ok().flatten()
}

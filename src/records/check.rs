//! What a row's tokens are asked, without opening them to anybody.

use std::sync::Arc;

use super::walk::TokenVisit;
use crate::error::Error;
use crate::field::Declaration;
use crate::id::{Identifier, KeyId};
use crate::key::Keys;
use crate::record::{OpenPass, OpenState, RecordCore};
use crate::token::Token;

/// Asks whether each token opens in its own context. No value leaves.
pub(super) struct Opens {
    contexts: Contexts,
    state: OpenState,
}

impl Opens {
    pub(super) fn of(core: RecordCore) -> Self {
        Self { contexts: Contexts::of(Arc::new(core)), state: OpenState::default() }
    }
}

impl TokenVisit for Opens {
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<(), Error> {
        OpenPass::new(self.contexts.innermost(), &mut self.state).check(field, token)
    }

    fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        self.contexts.enter(name, id)
    }

    fn leave(&mut self) {
        self.contexts.leave();
        self.state.next_record();
    }
}

/// Asks whether a token is under another key than the primary one.
pub(super) struct NeedsReseal<'k> {
    keys: &'k Keys,
    pub(super) needs: bool,
}

impl<'k> NeedsReseal<'k> {
    pub(super) fn of(keys: &'k Keys) -> Self {
        Self { keys, needs: false }
    }

    pub(super) fn key(&mut self, key_id: KeyId) -> Result<(), Error> {
        self.needs |= self.keys.find(key_id)?.id != self.keys.primary().id;
        Ok(())
    }
}

impl TokenVisit for NeedsReseal<'_> {
    fn token(&mut self, field: &'static Declaration, token: &Token) -> Result<(), Error> {
        self.key(token.key_id()).map_err(|error| error.at_field(field.id))
    }
}

/// The contexts of a row: the record's, and those of the parts that are being gone through.
pub(super) struct Contexts {
    record: Arc<RecordCore>,
    parts: Vec<Arc<RecordCore>>,
}

impl Contexts {
    pub(super) fn of(record: Arc<RecordCore>) -> Self {
        Self { record, parts: Vec::new() }
    }

    pub(super) fn innermost(&self) -> &Arc<RecordCore> {
        self.parts.last().unwrap_or(&self.record)
    }

    pub(super) fn enter(&mut self, name: &str, id: &Identifier<'_>) -> Result<(), Error> {
        let around = self.innermost();
        let part = around.with_part(name, id);
        self.parts.push(Arc::new(part.map_err(|error| error.in_record(around.context().record_type()))?));
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.parts.pop();
    }
}

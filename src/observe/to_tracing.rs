//! Events as `tracing` events.

use tracing::{info, warn};

use super::{KeyEvent, Observer, OpenEvent, Outcome, SearchEvent};
use crate::error::Error;

/// An [`Observer`] that passes every event to `tracing` with the target `rxseal`. An event that succeeded is `INFO`. One that failed,
/// or that accepted values which may be forged, is `WARN`.
///
/// Events have the actor, purpose and request id. They leave out record and subject ids, because these often identify a patient and logs
/// travel far. If your audit trail needs them, implement [`Observer`] yourself.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (roots, stored) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// # rxseal::run_local(async {
/// use rxseal::observe::TracingObserver;
/// use rxseal::Keyring;
/// let keys = Keyring::unlock("pharmacy-17", &roots, &stored).await?.observed_by(TracingObserver);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn opened(&self, event: &OpenEvent<'_>) -> Result<(), Error> {
        let opening = event.opening();
        let access = opening.access();
        let record_type = opening.records().first().map(super::OpenedRecord::record_type);
        // Each level needs a macro call of its own; this keeps their fields in one place.
        macro_rules! tell {
            ($level:ident, $outcome:expr) => {
                $level!(
                    target: "rxseal",
                    keyspace = opening.keyspace(),
                    record_type,
                    records = opening.records().len(),
                    fields = event.fields(),
                    failed_fields = event.failed_fields(),
                    former_types = event.former_types(),
                    former_fields = event.former_fields(),
                    actor = access.actor(),
                    purpose = %access.purpose(),
                    request = access.request(),
                    breaks_glass = access.broken_glass().is_some(),
                    disclosed_to = access.recipient().map(crate::access::Recipient::name),
                    accepts_compromised = event.accepts_compromised(),
                    plaintexts = event.plaintexts().len(),
                    change = event.plaintexts().first().map(super::PlaintextRead::change),
                    outcome = $outcome,
                    "opened"
                )
            };
        }
        match outcome(event) {
            (outcome, true) => tell!(info, outcome),
            (outcome, false) => tell!(warn, outcome),
        }
        Ok(())
    }

    fn searched(&self, event: &SearchEvent<'_>) -> Result<(), Error> {
        let (search, opened) = (event.searching(), event.opened());
        let opening = search.opening();
        let access = opening.access();
        let record_type = opening.records().first().map(super::OpenedRecord::record_type);
        let indexes = search.indexes().join(",");
        macro_rules! tell {
            ($level:ident, $outcome:expr) => {
                $level!(
                    target: "rxseal",
                    keyspace = opening.keyspace(),
                    record_type,
                    indexes = indexes.as_str(),
                    index_roots = search.index_roots().len(),
                    candidates = search.candidates(),
                    hits = event.hits().count(),
                    not_opened = event.not_opened(),
                    opened_before = search.opened_before(),
                    fields = opened.fields(),
                    failed_fields = opened.failed_fields(),
                    accepts_compromised = opened.accepts_compromised(),
                    actor = access.actor(),
                    purpose = %access.purpose(),
                    request = access.request(),
                    breaks_glass = access.broken_glass().is_some(),
                    disclosed_to = access.recipient().map(crate::access::Recipient::name),
                    plaintexts = opened.plaintexts().len(),
                    outcome = $outcome,
                    "searched"
                )
            };
        }
        match outcome(opened) {
            (outcome, true) => tell!(info, outcome),
            (outcome, false) => tell!(warn, outcome),
        }
        Ok(())
    }

    fn key_event(&self, event: &KeyEvent<'_>) {
        match *event {
            KeyEvent::Unlocked { keyspace, generation, provider, root_key, key_ids, request_id } => {
                let keys = key_ids.len();
                info!(target: "rxseal", keyspace, generation, provider, root_key, keys, request_id, "keyring unlocked");
            }
            KeyEvent::Locked { keyspace, generation } => {
                info!(target: "rxseal", keyspace, generation, "keyring locked");
            }
            KeyEvent::RootKeyFailed { keyspace, provider, root_key, code, reason } => {
                warn!(target: "rxseal", keyspace, provider, root_key, code = code.as_str(), reason, "root key failed");
            }
            KeyEvent::Refreshed { keyspace, generation } => {
                info!(target: "rxseal", keyspace, generation, "keyring refreshed");
            }
            KeyEvent::RefreshFailed { keyspace, generation, stale_for, code, reason } => {
                let stale_for = stale_for.as_secs();
                warn!(target: "rxseal", keyspace, generation, stale_for, code = code.as_str(), reason, "keyring not refreshed");
            }
            KeyEvent::NotUnlocked { keyspace, code, reason } => {
                warn!(target: "rxseal", keyspace, code = code.as_str(), reason, "keyring not unlocked");
            }
            KeyEvent::CompromisedKeyUsed { keyspace, key_id } => {
                warn!(target: "rxseal", keyspace, key = %key_id, "data under a compromised key was resealed");
            }
            KeyEvent::Resealed { keyspace, key_id, records, fields } => {
                info!(target: "rxseal", keyspace, key = %key_id, records, fields, "fields resealed");
            }
            KeyEvent::Shredded { keyspace, subject: _, complete_at } => {
                info!(target: "rxseal", keyspace, complete_at, "subject shredded");
            }
            KeyEvent::Changed { keyspace, generation, change } => {
                let key = change.key_id().map(tracing::field::display);
                info!(target: "rxseal", keyspace, generation, change = change.as_str(), key, "keyring changed");
            }
        }
    }
}

/// How an opening ended, and whether all is well: it did not fail, and accepted nothing that may be forged.
fn outcome(event: &OpenEvent<'_>) -> (&'static str, bool) {
    match event.outcome() {
        Outcome::Opened => ("opened", !event.accepts_compromised() && event.plaintexts().is_empty()),
        Outcome::Failed(code) => (code.as_str(), false),
        Outcome::Panicked => ("panicked", false),
    }
}

//! Which patients' own keys the thief has: those of the stolen stores, each under a key that was taken too.

use std::sync::Arc;

use rxseal::store::{StoredSubject, SubjectKeyStore};
use rxseal_map::__private::said;

use super::investigation::Investigation;
use crate::error::ExposureError;
use crate::model::Doubt;
use crate::patients::Patients;
use crate::rule::Held;
use crate::stolen::{Stolen, Thing};

impl Investigation<'_> {
    /// Of a subject whom no stolen store has.
    pub(super) fn unnamed_subject_key(&self) -> Held {
        match (self.theft.subject_keys_are_safe, self.has_host) {
            (true, _) => Held::NotTaken,
            // It could have asked the store.
            (false, true) => Held::Perhaps,
            (false, false) => Held::Unknown,
        }
    }

    /// A subject key was taken if its store was, and the key that wraps it.
    pub(super) async fn read_subject_keys(&mut self, patients: &mut Patients) -> Result<(), ExposureError> {
        let mut stores = self.theft.subject_keys.iter();
        for stolen in &self.theft.stolen {
            let Thing::SubjectKeys { is_copy, .. } = stolen.thing else { continue };
            let why = match stores.next() {
                Some(store) => self.read_store(store, stolen, is_copy, patients).await?,
                None => Some("the store was not given, so whose keys were in it is not known".to_owned()),
            };
            if let Some(text) = why {
                patients.doubt_subject_keys();
                let place = Some(stolen.to_string());
                self.doubts.push(Doubt { code: "subject-keys-not-read", place, count: None, text });
            }
        }
        Ok(())
    }

    /// Answers why not all of the store could be read.
    async fn read_store(
        &mut self,
        store: &Arc<dyn SubjectKeyStore>,
        stolen: &Stolen,
        is_copy: bool,
        patients: &mut Patients,
    ) -> Result<Option<String>, ExposureError> {
        let (mut since_changed, mut not_read) = (0_u64, None);
        for keyspace in self.theft.keyspaces() {
            let mut after: Option<String> = None;
            loop {
                let page = match store.page(&keyspace, after.as_deref(), 1_000).await {
                    Ok(page) => page,
                    Err(error) => {
                        not_read = Some(format!("the store could not be read to its end: {}", said(&error)));
                        break;
                    }
                };
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                for (subject, stored) in &page {
                    let held = match stored {
                        StoredSubject::Key(wrapped) => self.keys.held(wrapped.key_id()),
                        // The store had none, so the thief has none from it.
                        StoredSubject::Shredded { .. } => Held::NotTaken,
                        StoredSubject::Absent => continue,
                        _ => Held::Unknown,
                    };
                    // Before it was shredded or wrapped anew, the store had another key.
                    let may_have_changed = held == Held::NotTaken && !is_copy;
                    since_changed = since_changed.saturating_add(u64::from(may_have_changed));
                    let held = if may_have_changed { Held::Unknown } else { held };
                    let known = self.unnamed_subject_key();
                    let held = if known == Held::Perhaps { held.min(known) } else { held };
                    let keyspace = Some(keyspace.as_str()).filter(|_| self.has_keyspaces);
                    patients.add_subject_key(keyspace, subject, held)?;
                }
            }
        }
        if since_changed > 0 {
            let text = "patients' keys are in this store, which is read as it is now: the stolen one may have had others, or under another key. Give the copy that was stolen, or a backup of that time, as subject-keys:copy:STORE";
            let place = Some(stolen.to_string());
            self.doubts.push(Doubt { code: "live-store", place, count: Some(since_changed), text: text.to_owned() });
        }
        Ok(not_read)
    }
}

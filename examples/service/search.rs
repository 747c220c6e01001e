//! The desk search: by a birth date and what is known of the name, or by a phone number.

use std::sync::Arc;

use axum::routing::{Router, post};
use rxseal::{Access, Phi, phi};
use rxseal_axum::{Plaintext, Problem};
use rxseal_search::normal::Family;
use rxseal_search::{Find, IndexQuery, Like, SearchIndex};
use serde::Deserialize;

use crate::Service;
use crate::records::{BornOn, Patient, PhoneIs};
use crate::routes::shown;
use crate::staff::Staff;

/// A search is posted: what is sought must not get into an address, which is in logs and histories.
pub fn routes() -> Router<Arc<Service>> {
    Router::new().route("/patients/born", post(born)).route("/patients/phone", post(phone))
}

#[derive(Deserialize)]
struct Born {
    on: Phi<String, phi::BirthDate>,
    #[serde(default)]
    begins: Option<Phi<String, phi::FamilyName>>,
    #[serde(default)]
    sounds_like: Option<Phi<String, phi::FamilyName>>,
}

async fn born(by: Staff, Plaintext(sought): Plaintext<Born>) -> Result<Plaintext<Vec<Patient>>, Problem> {
    let access = by.access()?;
    let born = by.keys.indexer()?.find::<BornOn>(&sought.on)?;
    let like = |name: &Option<_>| name.as_ref().map(Like::<Family>::new).transpose();
    let (begins, sounds) = (like(&sought.begins)?, like(&sought.sounds_like)?);
    let is_like = |patient: &Patient| {
        begins.as_ref().is_none_or(|name| name.begins(&patient.last_name))
            && sounds.as_ref().is_none_or(|name| name.sounds_like(&patient.last_name))
    };
    hits(&by, access, &born, "born_on", is_like).await
}

async fn phone(
    by: Staff,
    Plaintext(number): Plaintext<Phi<String, phi::Phone>>,
) -> Result<Plaintext<Vec<Patient>>, Problem> {
    let (access, phone) = (by.access()?, by.keys.indexer()?.find::<PhoneIs>(&number)?);
    hits(&by, access, &phone, "phone_is", |_| true).await
}

/// Opens the candidates. Strangers among them are dropped before anybody sees them, and the observer hears who the hits are.
async fn hits<I: SearchIndex<Record = Patient>>(
    by: &Staff,
    access: &Access,
    query: &IndexQuery<I>,
    column: &'static str,
    is_like: impl Fn(&Patient) -> bool,
) -> Result<Plaintext<Vec<Patient>>, Problem> {
    let rows = by.at.store.candidates(by.tenant, column, query).await?;
    let subjects = by.at.subjects.load_of(&by.keys, &rows).await?;
    let keys = by.keys.with_subjects(&subjects);
    let hits = query.hits(&keys, rows, access).only(is_like);
    shown(hits)
}

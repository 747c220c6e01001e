//! What clients call. A body is plaintext, for somebody who may see it.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{Router, get, post, put};
use rxseal::records::HasField;
use rxseal::{Error, ErrorCode, Field, SealedRecord, phi};
use rxseal_axum::{Plaintext, Problem};
use rxseal_watch::Act;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::records::{Patient, Prescription, SealedPrescription};
use crate::staff::Staff;
use crate::store::{CONFLICT, NOT_FOUND};
use crate::{Service, search, watch};

/// How often a prescription was written.
const VERSION: HeaderName = HeaderName::from_static("x-version");

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/patients", post(enter_patient))
        .route("/patients/{id}", get(read_patient).delete(forget))
        .route("/patients/{id}/prescriptions", get(list))
        .route("/prescriptions", post(enter))
        .route("/prescriptions/{rx_number}", get(read))
        .route("/prescriptions/{rx_number}/directions", put(change::<phi::Directions>))
        .merge(search::routes())
        .layer(map_response(log))
        .layer(from_fn_with_state(service.clone(), watch::before_the_answer))
        .with_state(service)
}

/// Enters a patient, or corrects one.
async fn enter_patient(by: Staff, Plaintext(patient): Plaintext<Patient>) -> Result<(StatusCode, String), Problem> {
    let key = by.at.subjects.subject_or_create(&by.keys, patient.id).await?;
    by.at.store.save_patient(by.tenant, &by.keys.with_subjects(&key).seal(&patient)?).await?;
    Ok((StatusCode::CREATED, patient.id.to_string()))
}

async fn read_patient(by: Staff, Path(id): Path<Uuid>) -> Result<Plaintext<Patient>, Problem> {
    let access = by.access()?;
    let row = by.at.store.patients(by.tenant, Some(id)).await?.pop().ok_or(NOT_FOUND)?;
    let key = by.at.subjects.subject(&by.keys, id).await?;
    Ok(Plaintext(by.keys.with_subjects(&key).open(&row, access)?))
}

async fn enter(by: Staff, Plaintext(rx): Plaintext<Prescription>) -> Result<StatusCode, Problem> {
    by.at.store.patients(by.tenant, Some(rx.patient)).await?.pop().ok_or(NOT_FOUND)?;
    let key = by.at.subjects.subject(&by.keys, rx.patient).await?;
    by.at.store.save(by.tenant, &by.keys.with_subjects(&key).seal(&rx)?, None).await?;
    Ok(StatusCode::CREATED)
}

type Versioned<T> = ([(HeaderName, HeaderValue); 1], Plaintext<T>);

async fn read(by: Staff, Path(rx_number): Path<u32>) -> Result<Versioned<Prescription>, Problem> {
    let access = by.access()?;
    let row = by.at.store.prescription(by.tenant, rx_number).await?;
    let key = by.at.subjects.subject(&by.keys, row.patient).await?;
    let rx = by.keys.with_subjects(&key).open(&row, access)?;
    Ok(([(VERSION, row.tag.version().into())], Plaintext(rx)))
}

/// Changes one field and opens none. Only who has seen the present version may.
async fn change<F: Field>(
    by: Staff,
    Path(rx_number): Path<u32>,
    headers: HeaderMap,
    Plaintext(value): Plaintext<<SealedPrescription as HasField<F>>::Value>,
) -> Result<StatusCode, Problem>
where
    SealedPrescription: HasField<F, Value: DeserializeOwned, Index = ()>,
{
    by.access()?;
    let row = by.at.store.prescription(by.tenant, rx_number).await?;
    if headers.get(VERSION) != Some(&row.tag.version().into()) {
        return Err(CONFLICT);
    }
    let key = by.at.subjects.subject(&by.keys, row.patient).await?;
    let new = row.set::<F>(&by.keys.with_subjects(&key), &value)?;
    by.at.store.save(by.tenant, &new, Some(&row.tag)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One damaged row does not hide the others.
async fn list(by: Staff, Path(id): Path<Uuid>) -> Result<Plaintext<Vec<Prescription>>, Problem> {
    let access = by.access()?;
    by.at.store.patients(by.tenant, Some(id)).await?.pop().ok_or(NOT_FOUND)?;
    let rows = by.at.store.prescriptions(by.tenant, Some(id)).await?;
    let key = by.at.subjects.subject(&by.keys, id).await?;
    shown(by.keys.with_subjects(&key).open_all(&rows, access))
}

/// A list that lacks what the watch refused would look like the whole one, so all of it is refused.
pub fn shown<T>(opened: impl IntoIterator<Item = Result<T, Error>>) -> Result<Plaintext<Vec<T>>, Problem> {
    let mut whole = Vec::new();
    for one in opened {
        match one {
            Ok(one) => whole.push(one),
            Err(error) if error.code() == ErrorCode::RefusedByObserver => return Err(error.into()),
            Err(error) => eprintln!("error: {error}"),
        }
    }
    Ok(Plaintext(whole))
}

/// Destroys the patient's key: every copy of the sealed fields is dead, in every backup. No key seals what is still plaintext.
async fn forget(by: Staff, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    let act = Act::new(by.access()?.actor(), "subject-shred", "asked for at the desk").map_err(Error::from)?;
    by.at.store.delete_phone(by.tenant, id).await?;
    let act = act.keyspace(by.tenant).subject(&id.to_string());
    watch::acted(&by.at.watch, act, by.at.subject_admin.shred(by.tenant, id, &by.at.shredded)).await?;
    by.at.subjects.forget(by.tenant, id).await;
    by.at.store.clear_indexes(by.tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Clients get constant texts, and the log what happened. Without the source, which may quote.
async fn log(response: Response) -> Response {
    if let Some(cause) = response.extensions().get::<Problem>().and_then(Problem::cause) {
        eprintln!("error: {cause}");
    }
    response
}

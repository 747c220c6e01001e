//! The plaintext side of a service, with axum. It accepts plaintext from a client, seals it and stores it. It opens
//! stored rows for the user of a request, and sends the plaintext to that client only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rusqlite::Connection;
use rxseal::observe::{Observer, OpenEvent, Outcome};
use rxseal::phi::{Directions, Drug, PatientName};
use rxseal::{Access, Keyring, Opener, Phi, Purpose, Sealer, accept_plaintext, expose_plaintext};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The row, the form and the answer in one. Reading or writing it without saying which one is meant is an error.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prescription {
    pub refills: u8, // stays readable
    pub patient_name: Phi<String, PatientName>,
    pub drug: Phi<String, Drug>,
    pub directions: Option<Phi<String, Directions>>,
}

/// What the handlers share. The intake cannot open anything, and reading cannot seal anything. This uses one tenant and
/// one generation for the life of the process. With a `KeyringManager`, a handler takes the sealer and the opener from
/// it for each request.
pub struct Service {
    pub sealer: Sealer,
    pub opener: Opener,
    pub db: Mutex<Connection>,
}

pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/prescriptions", post(enter_prescription))
        .route("/prescriptions/{id}", get(read_prescription))
        .with_state(service)
}

async fn enter_prescription(
    State(service): State<Arc<Service>>,
    _: Staff,
    Plaintext(prescription): Plaintext<Prescription>,
) -> Result<Response, ApiError> {
    // The id is made here: the tokens are bound to it, and no client chooses it.
    let id = Uuid::now_v7();
    let row = service.sealer.record("prescription", id)?.run_sealing(|| serde_json::to_string(&prescription))?;
    service.db().execute("INSERT INTO prescription VALUES (?1, ?2)", (id.to_string(), row))?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({ "id": id.to_string() }))).into_response())
}

async fn read_prescription(
    State(service): State<Arc<Service>>,
    Pharmacist(access): Pharmacist,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    // The id of the row that was found, and not the id in the request: some databases also find other spellings.
    let find = "SELECT id, row FROM prescription WHERE id = ?1";
    let (id, row): (String, String) = service.db().query_row(find, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let opening = service.opener.record("prescription", id)?.opened_by(&access);
    let prescription: Prescription = opening.run_opening(|| serde_json::from_str(&row))?;
    // The only line that writes plaintext. `Json(prescription)` would be an error and status 500.
    Ok(([(CACHE_CONTROL, "no-store")], Json(expose_plaintext(&prescription))).into_response())
}

impl Service {
    pub fn new(keys: &Keyring, db: Connection) -> rusqlite::Result<Self> {
        db.execute_batch("CREATE TABLE IF NOT EXISTS prescription (id TEXT PRIMARY KEY, row TEXT NOT NULL)")?;
        Ok(Self { sealer: keys.sealer(), opener: keys.opener(), db: Mutex::new(db) })
    }

    /// Locked for one statement at a time. For a database that waits, use a pool and its own async calls: a sealer, an
    /// opener and a record may be held across an `.await`, but a scope may not.
    pub fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body, as JSON or a browser's form, whose marked fields are plaintext. `Json<T>` and `Form<T>` would refuse them,
/// since they do not know about scopes.
pub struct Plaintext<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Plaintext<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let media_type = content_type.as_ref().and_then(|value| value.as_bytes().split(|byte| *byte == b';').next());
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| ApiError { status: rejection.status(), code: "body-refused" })?;
        // The scope is only around the parsing, which is synchronous: the body has been read to its end.
        let accepted = match media_type {
            Some(b"application/json") => accept_plaintext(|| serde_json::from_slice(&body)),
            Some(b"application/x-www-form-urlencoded") => accept_plaintext(|| serde_urlencoded::from_bytes(&body)),
            _ => return Err(ApiError { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "media-type" }),
        };
        // Any error here is the client's mistake.
        accepted.map(Self).map_err(|error| ApiError { status: StatusCode::BAD_REQUEST, code: error.code().as_str() })
    }
}

/// The client gets a status and a stable code, never a value and never a cause.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.code }))).into_response()
    }
}

impl From<rxseal::Error> for ApiError {
    fn from(error: rxseal::Error) -> Self {
        let status = if error.is_value_refused() || error.is_invalid_id() {
            StatusCode::BAD_REQUEST
        } else if error.is_locked_out() {
            StatusCode::FORBIDDEN
        } else if error.is_retryable() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        if status.is_server_error() {
            // It names the field, the record type and the key, and no value. Leave its source() out: that may quote a
            // value.
            eprintln!("error: {error}");
        }
        Self { status, code: error.code().as_str() }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self { status: StatusCode::NOT_FOUND, code: "not-found" },
            _ => Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "database" },
        }
    }
}

/// STAND-IN for authentication and authorisation: it believes a header. rxseal does not know who a user is or what they
/// may see. A real service takes both from a session or a token that it has verified.
const STAFF: [(&str, Role); 2] = [("kim.rph", Role::Pharmacist), ("lee.intake", Role::Intake)];

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Pharmacist,
    Intake,
}

fn who(parts: &Parts) -> Result<(&'static str, Role), ApiError> {
    let name = parts.headers.get("x-demo-user").and_then(|value| value.to_str().ok());
    let found = STAFF.iter().find(|(known, _)| Some(*known) == name);
    found.copied().ok_or(ApiError { status: StatusCode::UNAUTHORIZED, code: "unauthenticated" })
}

/// Any member of staff: may enter prescriptions.
pub struct Staff;

/// A pharmacist, who may read prescriptions, as the access of this request: who and why.
pub struct Pharmacist(pub Access);

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        who(parts).map(|_| Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pharmacist {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let (name, role) = who(parts)?;
        if role != Role::Pharmacist {
            return Err(ApiError { status: StatusCode::FORBIDDEN, code: "forbidden" });
        }
        let access = Access::new(&format!("user:{name}"), Purpose::TREAT)?;
        Ok(Self(access.request_id(&Uuid::now_v7().to_string())?))
    }
}

/// Hears of every opening, including failed ones, and passes a line to another thread: an observer must not wait. The
/// lines contain record ids, so keep them as safe as the records.
pub struct Audit(pub mpsc::Sender<String>);

impl Observer for Audit {
    fn opened(&self, event: &OpenEvent<'_>) {
        let access = event.opening().access();
        let outcome = match event.outcome() {
            Outcome::Opened => "opened",
            Outcome::Failed(code) => code.as_str(),
            _ => "panicked",
        };
        for record in event.opening().records() {
            let _ = self.0.send(format!(
                "{} {} {} {} {}, {} fields, request {}",
                access.actor(),
                access.purpose(),
                record.record_type(),
                record.record_id().unwrap_or("-"),
                outcome,
                event.fields(),
                access.request().unwrap_or("-"),
            ));
        }
    }
}

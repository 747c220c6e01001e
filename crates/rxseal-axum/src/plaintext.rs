//! `Plaintext<T>`: what a client sends and gets.

use std::fmt;

use axum_core::body::Body;
use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use rxseal::expose_plaintext;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::Format;
use crate::problem::Problem;

/// A value whose sealed fields are plaintext for an authorised client, as an argument of a handler and as its answer.
///
/// It is for structs with `#[phi(plaintext)]`, structs with [`Phi`](rxseal::Phi) or [`Sealing`](rxseal::Sealing) fields, and lists and
/// structs of them. Authorise the user before: neither direction asks who it is.
///
/// ```
/// use axum::{Router, routing::post};
/// use rxseal::{Phi, phi};
/// use rxseal_axum::{Plaintext, Problem};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Refill {
///     rx_number: u64,
///     drug: Phi<String, phi::Drug>,
/// }
///
/// async fn refill(Plaintext(refill): Plaintext<Refill>) -> Result<Plaintext<Refill>, Problem> {
///     if refill.drug.expose_phi().is_empty() {
///         return Err(Problem::new(http::StatusCode::UNPROCESSABLE_ENTITY, "drug-missing", "The drug has no name."));
///     }
///     Ok(Plaintext(refill))
/// }
/// let app: Router = Router::new().route("/refills", post(refill));
/// ```
///
/// The twin of a record struct holds tokens. As long as it does not derive `Serialize`, it is no answer:
///
/// ```compile_fail,E0277
/// # use axum_core::response::IntoResponse;
/// # use rxseal_axum::Plaintext;
/// struct SealedRefill {
///     drug: rxseal::Sealed<String, rxseal::phi::Drug>,
/// }
/// fn answer(row: SealedRefill) -> impl IntoResponse {
///     Plaintext(row)
/// }
/// ```
///
/// If it does derive `Serialize`, the answer is status 500, and no token is in it.
pub struct Plaintext<T>(pub T);

impl<T: Serialize> Plaintext<T> {
    /// The answer, or the problem that takes its place.
    ///
    /// Use it for an answer with a status or headers of its own. A tuple such as `(StatusCode::CREATED, Plaintext(refill))` would put
    /// its status on a refusal too.
    ///
    /// ```
    /// # use axum_core::response::Response;
    /// # use http::StatusCode;
    /// # use rxseal_axum::{Plaintext, Problem};
    /// # #[derive(serde::Serialize)]
    /// # struct Refill { rx_number: u64 }
    /// fn created(refill: &Refill) -> Result<(StatusCode, Response), Problem> {
    ///     Ok((StatusCode::CREATED, Plaintext(refill).try_into_response()?))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// A [`Problem`] of status 500 if the value holds a [`Sealed`](rxseal::Sealed), or cannot be written as JSON.
    pub fn try_into_response(self) -> Result<Response, Problem> {
        let json = expose_plaintext(&self.0).to_json().map_err(|error| Problem::INTERNAL.because(error))?;
        let mut response = Response::new(Body::from(json));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

impl<T: Serialize> IntoResponse for Plaintext<T> {
    fn into_response(self) -> Response {
        self.try_into_response().unwrap_or_else(IntoResponse::into_response)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Plaintext<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let format = Format::of(request.headers()).ok_or(Problem::MEDIA_TYPE)?;
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| Problem::of_body(rejection.status()))?;
        format.read(&body).map(Self)
    }
}

impl<T> fmt::Debug for Plaintext<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext([REDACTED])")
    }
}

//! `Problem`: a refusal as a body of RFC 9457.

use std::fmt;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use rxseal::{Error, ErrorCode};
use serde::Serialize;

/// A refusal as the client sees it: a status and constant texts, in a body of RFC 9457 (`application/problem+json`).
///
/// It is what [`Plaintext`](crate::Plaintext) refuses with, and what an [`rxseal::Error`] becomes in a handler that ends with `?`:
///
/// | status | code | when |
/// |---|---|---|
/// | 400 | `malformed` | the body is not valid JSON |
/// | 400 | `body-unreadable` | the body ended too early |
/// | 413 | `body-too-large` | the body is over axum's `DefaultBodyLimit` |
/// | 415 | `media-type` | the body is not of a type that is read |
/// | 422 | `invalid-input` | a member is missing, unknown, or of another type |
/// | 422 | `value-mismatch` | a sealed member is of another type |
/// | 422 | `token-as-plaintext` and the other codes of [`Error::is_value_refused`] | a value that cannot be sealed |
/// | 422 | `invalid-id` | an id that no record can have |
/// | 422 | `not-indexable`, `bad-check-digit` | a date, a phone number or the like that is written in another way than its index wants |
/// | 422 | `empty-query`, `query-too-large` | a search for nothing, or for too much |
/// | 403 | `class-locked`, `refused-by-observer` | this user may not see a field |
/// | 410 | `subject-shredded` | the patient's key was shredded |
/// | 503 | `unavailable` | a store or a key service did not answer |
/// | 500 | `internal` | everything else |
///
/// Nothing of the request or of a value is in the body, and nothing of what went wrong in the service. Your log may have it: see
/// [`cause`](Self::cause).
///
/// For the refusals of your own, [`new`](Self::new) takes constant texts. So a service has one error type:
///
/// ```
/// use axum::extract::Path;
/// use http::StatusCode;
/// use rxseal_axum::Problem;
///
/// const NOT_FOUND: Problem = Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such prescription.");
///
/// async fn read(Path(rx_number): Path<u64>) -> Result<String, Problem> {
///     Err(NOT_FOUND)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    cause: Option<Arc<Error>>,
}

impl Problem {
    /// A refusal with a status, a code for programs and a text for people.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, detail, cause: None }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The code in the body, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The error of rxseal behind it, for your log: its text names the field, the record type or the key, and no value. Do not log its
    /// `source()`, which may quote.
    ///
    /// The answer carries the problem as an extension, so a layer can log it:
    ///
    /// ```
    /// use axum::{Router, middleware, response::Response};
    /// use rxseal_axum::Problem;
    ///
    /// async fn log(response: Response) -> Response {
    ///     if let Some(cause) = response.extensions().get::<Problem>().and_then(Problem::cause) {
    ///         eprintln!("{}: {cause}", response.status());
    ///     }
    ///     response
    /// }
    /// let app: Router = Router::new().layer(middleware::map_response(log));
    /// ```
    #[must_use]
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    pub(crate) const MALFORMED: Self =
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The body is not valid JSON. Send one JSON value in UTF-8.");
    const BODY_UNREADABLE: Self =
        Self::new(StatusCode::BAD_REQUEST, "body-unreadable", "The body ended too early. Send the request again.");
    const BODY_TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is larger than this service accepts.");
    pub(crate) const MEDIA_TYPE: Self = Self::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media-type",
        "The body is of a type that is not read here. Send JSON, and say so with `content-type: application/json`.",
    );
    pub(crate) const INVALID_INPUT: Self = Self::unprocessable(
        "invalid-input",
        "A member of the body is missing, unknown, or of another type. Compare the body with the schema.",
    );
    pub(crate) const INTERNAL: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service failed. Its operators can see why.");

    const fn unprocessable(code: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn because(self, cause: Error) -> Self {
        Self { cause: Some(Arc::new(cause)), ..self }
    }

    /// A body that could not be read to its end.
    pub(crate) fn of_body(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::BODY_TOO_LARGE,
            _ => Self::BODY_UNREADABLE,
        }
    }
}

/// Of sealing, opening or resealing in a handler.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code().as_str();
        let problem = if error.is_value_refused() {
            Self::unprocessable(code, "A value of the body cannot be stored in its field. Compare it with the schema.")
        } else if error.is_invalid_id() {
            Self::unprocessable(
                code,
                "An id is not valid. Use letters, digits and punctuation of ASCII, without spaces.",
            )
        } else if error.is_not_indexable() {
            Self::unprocessable(
                code,
                "A value of the body is not written as it must be to be found. Write dates as YYYY-MM-DD, and numbers with all digits.",
            )
        } else if matches!(error.code(), ErrorCode::EmptyQuery | ErrorCode::QueryTooLarge) {
            Self::unprocessable(code, "A search asks for nothing, or for too much. Give other input.")
        } else if error.is_locked_out() {
            Self::new(StatusCode::FORBIDDEN, code, "This user may not see a field of this record.")
        } else if error.is_shredded() {
            Self::new(StatusCode::GONE, code, "What was here is erased for good.")
        } else if error.is_retryable() {
            Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service cannot answer now. Repeat the request later.",
            )
        } else {
            Self::INTERNAL
        };
        problem.because(error)
    }
}

/// The body. A missing `type` is `about:blank`: the title is that of the status (RFC 9457, 4.2.1).
#[derive(Serialize)]
struct Members {
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let members = Members { title, status: self.status.as_u16(), detail: self.detail, code: self.code };
        // Texts and a number can always be written.
        let mut response = Response::new(Body::from(serde_json::to_vec(&members).unwrap_or_default()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

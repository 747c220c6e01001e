//! The body of a request: of which media type it is, and what it says.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use rxseal::{ErrorCode, accept_plaintext};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::problem::Problem;

/// What a body can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    #[cfg(feature = "form")]
    Form,
}

impl Format {
    /// By the header of a request. Parameters, such as a character set, change nothing: JSON and forms are UTF-8.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let name = value.split(';').next()?.trim().to_ascii_lowercase();
        match name.strip_prefix("application/")? {
            "json" => Some(Self::Json),
            #[cfg(feature = "form")]
            "x-www-form-urlencoded" => Some(Self::Form),
            other => other.ends_with("+json").then_some(Self::Json),
        }
    }

    /// The scope lasts as long as the parsing, which never waits.
    pub(crate) fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, Problem> {
        match self {
            Self::Json => {
                let text = str::from_utf8(body).map_err(|_| Problem::MALFORMED)?;
                accept_plaintext(|| serde_json::from_str(text))
                    .map_err(|error| if is_json(text) { refused(error) } else { Problem::MALFORMED.because(error) })
            }
            #[cfg(feature = "form")]
            Self::Form => accept_plaintext(|| serde_urlencoded::from_bytes(body)).map_err(refused),
        }
    }
}

/// Asked of what was refused: a text that breaks off inside a sealed field looks like a value of another type.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What the client did wrong, or that the type can never be read as plaintext.
fn refused(error: rxseal::Error) -> Problem {
    match error.code() {
        ErrorCode::InvalidInput => Problem::INVALID_INPUT.because(error),
        _ => Problem::from(error),
    }
}

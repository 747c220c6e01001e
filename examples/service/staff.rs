//! STAND-IN for authentication and authorisation: it believes a header. Take the user from a session that you have verified.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{StatusCode, request::Parts};
use rxseal::{Access, Keyring, Purpose};
use rxseal_axum::Problem;

use crate::{Service, TENANTS};

const STAFF: [(&str, &str, bool); 3] =
    [("kim.rph", TENANTS[0], true), ("lee.intake", TENANTS[0], false), ("pat.rph", TENANTS[1], true)];
const UNKNOWN: Problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Say who you are.");
const FORBIDDEN: Problem = Problem::new(StatusCode::FORBIDDEN, "forbidden", "This user may only enter records.");

/// Somebody who works in a pharmacy, with its keys and no others.
pub struct Staff {
    pub at: Arc<Service>,
    pub tenant: &'static str,
    pub keys: Keyring,
    access: Option<Access>,
}

impl Staff {
    /// Of a pharmacist. Nobody else may read.
    pub fn access(&self) -> Result<&Access, Problem> {
        self.access.as_ref().ok_or(FORBIDDEN)
    }
}

impl FromRequestParts<Arc<Service>> for Staff {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, at: &Arc<Service>) -> Result<Self, Problem> {
        let user = parts.headers.get("x-demo-user").and_then(|value| value.to_str().ok());
        let (name, tenant, may_read) = STAFF.into_iter().find(|staff| Some(staff.0) == user).ok_or(UNKNOWN)?;
        let access = Access::new(&format!("user:{name}"), Purpose::TREAT)?;
        Ok(Self {
            at: at.clone(),
            tenant,
            keys: at.keyrings.keyring(tenant).await?,
            access: may_read.then_some(access),
        })
    }
}

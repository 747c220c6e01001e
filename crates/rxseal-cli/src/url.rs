//! Addresses of databases, as the command takes them.

use crate::failure::{Failure, usage};

/// Refuses a URL with a password: arguments can be read by other users of the machine.
pub fn without_password(url: &str) -> Result<(), Failure> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    if user.is_some_and(|user| user.contains(':')) || url.contains("password=") {
        return usage("the URL contains a password: remove it, and set PGPASSWORD or use a passfile");
    }
    Ok(())
}

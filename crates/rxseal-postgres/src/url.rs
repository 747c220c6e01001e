//! The URL of a database, and its TLS settings.

use std::str::FromStr;

use rxseal::Error;
use rxseal::provider::is_loopback;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A URL as the driver's options.
///
/// The driver's own error may quote the URL, so it is dropped. Its logs of statements are turned off too.
///
/// # Errors
///
/// `store-refused` if the URL is not valid.
pub fn parse_url(url: &str) -> Result<PgConnectOptions, Error> {
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    let options = if is_postgres { PgConnectOptions::from_str(url).ok() } else { None };
    let options = options.ok_or_else(|| {
        Error::from_store(false, "the URL is not valid: write `postgres://role:password@host:5432/database`")
    })?;
    let options = with_tls_off_this_machine(options);
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("rxseal") };
    Ok(options.disable_statement_logging())
}

/// The driver's own default accepts whatever a server, or somebody who poses as it, offers. `disable` and `allow` are
/// explicit choices.
fn with_tls_off_this_machine(options: PgConnectOptions) -> PgConnectOptions {
    let host = options.get_host();
    let is_here = options.get_socket().is_some() || host.starts_with('/') || is_loopback(host);
    match options.get_ssl_mode() {
        PgSslMode::Prefer if !is_here => options.ssl_mode(PgSslMode::Require),
        _ => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_off_this_machine() {
        let mode = |url: &str| format!("{:?}", parse_url(url).unwrap().get_ssl_mode());
        for (url, expected) in [
            ("postgres://db/rx", "Require"),
            ("postgres://role@10.0.0.7:5432/rx", "Require"),
            ("postgres://db/rx?sslmode=prefer", "Require"),
            ("postgres:///rx?host=db", "Require"),
            ("postgres://localhost/rx?host=db", "Require"),
            ("postgres://localhost/rx?hostaddr=10.0.0.7", "Require"),
            ("postgres://localhost.example.com/rx", "Require"),
            ("postgres://db/rx?sslmode=disable", "Disable"),
            ("postgres://db/rx?sslmode=allow", "Allow"),
            ("postgres://db/rx?sslmode=verify-ca", "VerifyCa"),
            ("postgres://db/rx?sslmode=verify-full", "VerifyFull"),
            ("postgres://localhost/rx", "Prefer"),
            ("postgres://127.0.0.1:5433/rx", "Prefer"),
            ("postgres://[::1]/rx", "Prefer"),
            ("postgres://%2Fvar%2Frun%2Fpostgresql/rx", "Prefer"),
            ("postgres:///rx?host=/var/run/postgresql", "Prefer"),
            ("postgresql://localhost/rx?sslmode=require", "Require"),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }
}

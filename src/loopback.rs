//! Which addresses are of this machine: keys travel in clear to no other.

use std::net::IpAddr;

/// Whether this host, as a URL has it, is this machine: `localhost` or a loopback address.
///
/// ```
/// use rxseal::provider::is_loopback;
/// assert!(is_loopback("localhost") && is_loopback("127.0.0.1") && is_loopback("[::1]"));
/// assert!(!is_loopback("vault.pharmacy.example"));
/// ```
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether this URL leads to another machine without TLS, so that a KEK would travel in clear. Also `true` if it cannot be told.
///
/// ```
/// use rxseal::provider::leads_away_in_clear;
/// assert!(leads_away_in_clear("http://kms.example"));
/// assert!(!leads_away_in_clear("https://kms.example") && !leads_away_in_clear("http://localhost:5000"));
/// ```
#[must_use]
pub fn leads_away_in_clear(url: &str) -> bool {
    let url = url.trim_ascii();
    if url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
        return false;
    }
    // What is not `http://HOST` is read by others than this, in their way.
    let Some(rest) = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).and(url.get(7..)) else {
        return true;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_port = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
    !is_loopback(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_loopback(here), "{here}");
        }
        for away in ["", "vault", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", "0.0.0.0", "[::]"] {
            assert!(!is_loopback(away), "{away}");
        }
    }

    #[test]
    fn urls() {
        for good in [
            "https://kms.eu-west-1.amazonaws.com",
            "HTTPS://kms",
            "http://localhost",
            "http://127.0.0.1:5000/",
            "HTTP://[::1]:5000",
            "http://[::1]",
            "http://localhost:5000/x?y#z",
        ] {
            assert!(!leads_away_in_clear(good), "{good}");
        }
        for bad in [
            "",
            "kms",
            "http://",
            "http:/kms",
            "ftp://localhost",
            "http://kms.internal",
            "http://10.0.0.1:443",
            "http://localhost@10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1\\@localhost",
            "http://10.0.0.1#@localhost",
            "http://localhost:5000:80",
        ] {
            assert!(leads_away_in_clear(bad), "{bad}");
        }
    }
}

//! Ids of what never changes, of which there are versions instead (FORMAT 15.4).

use crate::id::is_name;

/// Whether an id is a name, `/` and a version from 1 (FORMAT 15.4).
pub(super) const fn is_versioned(id: &str) -> bool {
    let mut name = id.as_bytes();
    let mut version: &[u8] = &[];
    while let [rest @ .., last] = name {
        if *last == b'/' {
            name = rest;
            break;
        }
        version = match id.as_bytes().split_at_checked(rest.len()) {
            Some((_, version)) => version,
            None => return false,
        };
        name = rest;
    }
    let [first, digits @ ..] = version else { return false };
    let mut rest = digits;
    while let [digit, more @ ..] = rest {
        if !digit.is_ascii_digit() {
            return false;
        }
        rest = more;
    }
    let Ok(name) = std::str::from_utf8(name) else { return false };
    *first >= b'1' && *first <= b'9' && is_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_version() {
        for id in ["family/1", "us-surnames/12", "a/1", "our.names/9"] {
            assert!(is_versioned(id), "{id}");
        }
        for id in
            ["", "/", "family", "family/", "/1", "family/0", "family/01", "family/1a", "Family/1", "a/b/1", "1", "12"]
        {
            assert!(!is_versioned(id), "{id}");
        }
    }
}

//! Versions from the lock file that this program was built with.

const LOCK: &str = include_str!("../Cargo.lock");

/// The version of a package that occurs once.
pub fn version(package: &str) -> &'static str {
    block(package).and_then(|block| quoted(block, "version = ")).unwrap_or("?")
}

/// The version of `dependency` that `package` is built with.
pub fn dependency_version(package: &str, dependency: &str) -> &'static str {
    let named = block(package).into_iter().flat_map(str::lines).find_map(|line| {
        let entry = line.trim().strip_prefix('"')?.trim_end_matches(['"', ',']);
        let (name, version) = entry.split_once(' ').unwrap_or((entry, ""));
        (name == dependency).then_some(version)
    });
    match named {
        // Cargo names the version if there is more than one.
        Some("") => version(dependency),
        Some(version) => version,
        None => "?",
    }
}

fn block(package: &str) -> Option<&'static str> {
    LOCK.split("[[package]]").find(|block| quoted(block, "name = ") == Some(package))
}

fn quoted(block: &'static str, key: &str) -> Option<&'static str> {
    block.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found() {
        assert!(version("asherah").starts_with("1."));
        assert!(dependency_version("tink-aead", "aes-gcm").starts_with("0.10."));
        assert!(dependency_version("rxseal", "aes-gcm").starts_with("0.11."));
        assert!(dependency_version("asherah", "ring").starts_with("0.17."));
        assert_eq!(dependency_version("asherah", "no-such-crate"), "?");
    }
}

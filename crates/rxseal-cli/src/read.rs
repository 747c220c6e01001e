//! Files that are read whole, and what an operator is told if they cannot be.

use std::fs;
use std::path::Path;

use rxseal::keys::KeyringFile;

use crate::failure::Failure;

pub fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

pub fn read_keyring(path: &Path) -> Result<KeyringFile, Failure> {
    read_text(path)?.trim_end().parse().map_err(|error: rxseal::Error| {
        Failure::Coded(error.code().as_str(), format!("{}: {}", path.display(), Failure::from_reference(&error)))
    })
}

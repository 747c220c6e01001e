//! Options of one root key: `?NAME=VALUE&..`, or a table of the configuration file.

use std::collections::BTreeMap;
#[cfg(any(feature = "pkcs11", feature = "vault"))]
use std::{env, time::Duration};

use crate::error::{SpecError, refuse};

/// Names may be written with `_` or `-`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    pub(crate) fn put(&mut self, name: &str, value: String) -> Result<(), SpecError> {
        let name = name.replace('-', "_");
        if matches!(&*name, "token" | "secret_id" | "pin" | "pin_value") {
            return refuse(
                "a secret must not be part of a root key's text, which others can read: name a file or variable that holds it (token_file, token_env, secret_id_env, pin-source, pin_env)",
            );
        }
        match self.0.insert(name, value) {
            None => Ok(()),
            Some(_) => refuse("an option of a root key is given twice"),
        }
    }

    #[cfg(any(feature = "pkcs11", feature = "vault"))]
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    #[cfg(any(feature = "pkcs11", feature = "vault"))]
    pub(crate) fn deadline(&mut self) -> Result<Option<Duration>, SpecError> {
        let deadline = self.take("deadline").map(|text| humantime::parse_duration(&text)).transpose();
        deadline.map_err(|_| SpecError::usage("deadline must be a time such as 10s".to_owned()))
    }

    /// Refuses what is left: somebody may rely on an option that is ignored.
    pub(crate) fn finish(&self, known: &[&str]) -> Result<(), SpecError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(SpecError::usage(format!("this kind of root key has no such option. Its options are: {names}")))
    }
}

/// `%26` as `&`.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            decoded.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// The name of a variable, which must be set.
#[cfg(any(feature = "pkcs11", feature = "vault"))]
pub(crate) fn named<'n>(name: &'n str, option: &str) -> Result<&'n str, SpecError> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name || name.len() > 40 {
        return Err(SpecError::usage(format!("{option} must be the name of an environment variable, not its value")));
    }
    match env::var_os(name) {
        Some(value) if !value.is_empty() => Ok(name),
        _ => Err(SpecError::usage(format!("the environment variable {name}, which {option} names, is not set"))),
    }
}

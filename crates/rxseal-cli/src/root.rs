//! Root keys as operators write them: `KIND:PLACE`, with options after a `?` or in a table of the configuration file.

#[cfg(feature = "aws-kms")]
mod aws_kms;
pub mod options;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "vault")]
mod vault;

use std::collections::BTreeMap;
use std::sync::Arc;

use rxseal::root::{LocalRootKey, RootKey, RootKeyFile, RootKeys};
use serde::Deserialize;

use crate::failure::{Failure, usage};
#[cfg(not(feature = "aws-kms"))]
use crate::not_built::aws_kms;
#[cfg(not(feature = "pkcs11"))]
use crate::not_built::pkcs11;
#[cfg(not(feature = "vault"))]
use crate::not_built::vault;
use options::{Options, decoded};

pub const FORMS: &str = "a root key is file:PATH, env:VARIABLE, aws-kms:KEY, 'pkcs11:token=LABEL;object=LABEL' or \
                         vault:https://HOST/MOUNT/KEY";

const NOT_A_PLACE: &str =
    "this does not name a place: is it the key itself? Write file:PATH, with the path of the key's file";

/// One root key as it was written. Nothing is looked up yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Spec {
    /// Without its options.
    text: String,
    options: Options,
}

/// In the configuration file: the text alone, or a table with the options beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Table {
        root: String,
        #[serde(flatten)]
        options: BTreeMap<String, String>,
    },
}

impl TryFrom<Written> for Spec {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        // The caller drops this text, and shows only the line of the file.
        let bad = "not valid";
        match written {
            Written::Text(text) => Self::parse(&text).map_err(|_| bad),
            Written::Table { root, options } => {
                let mut spec = Self::parse(&root).map_err(|_| bad)?;
                for (name, value) in options {
                    spec.options.put(&name, value).map_err(|_| bad)?;
                }
                Ok(spec)
            }
        }
    }
}

impl Spec {
    /// A path may have a `?` in it, so only the kinds that are URLs have options in their text.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let mut spec = Self { text: text.to_owned(), options: Options::default() };
        let is_url = text.starts_with("vault:") || text.starts_with("pkcs11:");
        if let Some((place, options)) = text.split_once('?').filter(|_| is_url) {
            place.clone_into(&mut spec.text);
            for option in options.split('&') {
                let value = option.split_once('=').and_then(|(name, value)| Some((name, decoded(value)?)));
                let Some((name, value)) = value else {
                    return usage(
                        "write options of a root key as ?NAME=VALUE&NAME=VALUE, and an `&` in a value as %26",
                    );
                };
                spec.options.put(name, value)?;
            }
        }
        Ok(spec)
    }

    pub async fn connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
        self.try_connect(allow_group_read).await.map_err(|failure| {
            // The cause may quote what is not shown.
            let quoted = self.text.split_once(':').is_some_and(|(_, place)| failure.to_string().contains(place));
            let failure = match failure {
                Failure::Rxseal(error) if quoted && !self.may_show() => {
                    Failure::Coded(error.code().as_str(), NOT_A_PLACE.to_owned())
                }
                failure => failure,
            };
            Failure::Root(self.shown(), Box::new(failure))
        })
    }

    async fn try_connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, Failure> {
        let options = self.options.clone();
        match self.text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => {
                options.finish(&[])?;
                let file = RootKeyFile::new(path);
                let file = if allow_group_read { file.allow_group_read() } else { file };
                Ok(Arc::new(file.load()?))
            }
            Some(("env", variable)) if !variable.is_empty() => {
                options.finish(&[])?;
                Ok(Arc::new(LocalRootKey::from_env(variable)?))
            }
            Some(("aws-kms", key)) if !key.is_empty() => {
                options.finish(&[])?;
                aws_kms::connect(key).await
            }
            Some(("pkcs11", _)) => pkcs11::connect(&self.text, options, allow_group_read),
            Some(("vault", url)) if !url.is_empty() => vault::connect(url, options, allow_group_read),
            _ => usage(FORMS),
        }
    }

    /// For messages.
    fn shown(&self) -> String {
        if self.may_show() { self.text.clone() } else { "(not shown)".to_owned() }
    }

    /// False if somebody may have written the key itself instead of its place, or a password into a URL.
    fn may_show(&self) -> bool {
        match self.text.split_once(':') {
            Some((kind @ ("file" | "aws-kms" | "pkcs11" | "vault" | "env"), place)) => {
                !place.contains("rxseal-root")
                    && (kind != "env" || place.len() <= 40)
                    && (kind != "vault" || !place.contains('@'))
            }
            _ => false,
        }
    }
}

/// The values of a variable: one on each line if there is a line break, so that a path may have spaces in it; otherwise separated
/// by spaces.
pub fn specs(text: &str) -> Result<Vec<Spec>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if text.contains('\n') {
        lines.map(Spec::parse).collect()
    } else {
        text.split_whitespace().map(Spec::parse).collect()
    }
}

/// In the order that they were given.
pub fn trusted(roots: Vec<Arc<dyn RootKey>>) -> Result<RootKeys, Failure> {
    let mut roots = roots.into_iter();
    match roots.next() {
        Some(first) => Ok(roots.fold(RootKeys::from(first), RootKeys::and)),
        None => {
            usage("no root key is given: use --root file:PATH, or set RXSEAL_ROOTS. `rxseal --help` lists the forms")
        }
    }
}

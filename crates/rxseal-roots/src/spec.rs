//! Root keys as operators write them: `KIND:PLACE`, with options after a `?` or in a table of a configuration file.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rxseal::root::{LocalRootKey, RootKey, RootKeyFile, RootKeys};
use serde::Deserialize;

#[cfg(feature = "aws-kms")]
use crate::aws_kms;
use crate::error::{SpecError, refuse};
#[cfg(not(feature = "aws-kms"))]
use crate::not_built::aws_kms;
#[cfg(not(feature = "pkcs11"))]
use crate::not_built::pkcs11;
#[cfg(not(feature = "vault"))]
use crate::not_built::vault;
use crate::options::{Options, decoded};
#[cfg(feature = "pkcs11")]
use crate::pkcs11;
#[cfg(feature = "vault")]
use crate::vault;

const FORMS: &str = "a root key is file:PATH, env:VARIABLE, aws-kms:KEY, 'pkcs11:token=LABEL;object=LABEL' or \
                     vault:https://HOST/MOUNT/KEY";

const NOT_A_PLACE: &str =
    "this does not name a place: is it the key itself? Write file:PATH, with the path of the key's file";

/// One root key as it was written. Nothing is looked up before [`connect`](Self::connect).
///
/// In a configuration file it is a text, or a table with the options beside `root`.
///
/// ```
/// # fn main() -> Result<(), rxseal_roots::SpecError> {
/// use rxseal_roots::RootSpec;
///
/// let spec = RootSpec::parse("file:/etc/pharmacy/root.key")?;
/// assert!(RootSpec::parse("vault:https://vault:8200/transit/phi?token=secret").is_err(), "a secret has no place there");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct RootSpec {
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

impl TryFrom<Written> for RootSpec {
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

impl RootSpec {
    /// Reads `KIND:PLACE`. A path may have a `?` in it, so only the kinds that are URLs have options in their text.
    ///
    /// # Errors
    ///
    /// `usage` if an option is malformed, given twice or a secret.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut spec = Self { text: text.to_owned(), options: Options::default() };
        let is_url = text.starts_with("vault:") || text.starts_with("pkcs11:");
        if let Some((place, options)) = text.split_once('?').filter(|_| is_url) {
            place.clone_into(&mut spec.text);
            for option in options.split('&') {
                let value = option.split_once('=').and_then(|(name, value)| Some((name, decoded(value)?)));
                let Some((name, value)) = value else {
                    return refuse(
                        "write options of a root key as ?NAME=VALUE&NAME=VALUE, and an `&` in a value as %26",
                    );
                };
                spec.options.put(name, value)?;
            }
        }
        Ok(spec)
    }

    /// Whether the root key is in a file or a variable of this machine, rather than in a service or an HSM.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.text.split_once(':'), Some(("file" | "env", _)))
    }

    /// The root key itself. `allow_group_read` lets the group read files of secrets, as
    /// [`RootKeyFile::allow_group_read`] has it.
    ///
    /// # Errors
    ///
    /// `usage` for a text that names no root key, or a setting that is missing; those of loading or connecting to it.
    pub async fn connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, SpecError> {
        self.try_connect(allow_group_read).await.map_err(|error| {
            let (shown, place) = match self.text.split_once(':') {
                _ if self.may_show() => (&*self.text, None),
                Some((_, place)) => ("(not shown)", Some(place)),
                None => ("(not shown)", None),
            };
            error.of_root(shown, place, NOT_A_PLACE)
        })
    }

    async fn try_connect(&self, allow_group_read: bool) -> Result<Arc<dyn RootKey>, SpecError> {
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
            _ => refuse(FORMS),
        }
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

impl fmt::Debug for RootSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootSpec").finish_non_exhaustive()
    }
}

/// Several in one text, such as a variable's: one on each line if there is a line break, so that a path may have spaces in it; otherwise
/// separated by spaces.
///
/// # Errors
///
/// Those of [`RootSpec::parse`].
pub fn specs(text: &str) -> Result<Vec<RootSpec>, SpecError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    if text.contains('\n') {
        lines.map(RootSpec::parse).collect()
    } else {
        text.split_whitespace().map(RootSpec::parse).collect()
    }
}

/// The root keys to trust, in their order. `None` if there is none.
#[must_use]
pub fn trusted(roots: Vec<Arc<dyn RootKey>>) -> Option<RootKeys> {
    let mut roots = roots.into_iter();
    let first = roots.next()?;
    Some(roots.fold(RootKeys::from(first), RootKeys::and))
}

//! Which indexes there are, without a key: their ids and the digests of their definitions.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::index_root::{index_key, prefix_under};
use crate::backend::Backend;
use crate::codec::text;
use crate::error::{Error, ErrorKind, Reason};
use crate::id::Name;
use crate::secret::SecretBytes;

/// FORMAT 15.10
const MAX_FORMER: usize = 4;
/// The first line of its text.
const HEAD: &str = "rxseal-index-schema 1";

/// Every index of a program: its id, and digests of its present and its former definitions. It has no key and no plaintext.
///
/// Two things need the list. Evidence that an index root may be destroyed
/// ([`RemainingUse::counted_of_index_root`](crate::keys::RemainingUse::counted_of_index_root)) must cover every index. And a new index root is
/// drawn again if two prefixes would be alike ([`KeyringAdmin::indexes`](crate::keys::KeyringAdmin::indexes)).
///
/// Its text is for a file that the command `rxseal keyring index` reads: print it in your program. After its first line it has a line for
/// each definition, with the index id and the digest.
///
/// ```
/// use rxseal::index::IndexSchema;
/// # fn main() -> Result<(), rxseal::Error> {
/// # let digest = "WXCCk6zMScsjHGJEFqICMVOE4voukv81ADpirWKlozg";
/// let text = format!("rxseal-index-schema 1\npatient.born {digest}\n");
/// let schema: IndexSchema = text.parse()?;
/// assert_eq!(schema.ids().collect::<Vec<_>>(), ["patient.born"]);
/// assert_eq!(schema.to_string(), text);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexSchema(Vec<IndexEntry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) index: Box<str>,
    /// The digest of a definition (FORMAT 15.3).
    pub(crate) digest: [u8; 32],
    /// Whether it is the first one of its index. Those after it are former definitions.
    pub(crate) is_present: bool,
}

impl IndexSchema {
    /// The ids of the indexes, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|entry| entry.is_present).map(|entry| &*entry.index)
    }

    pub(crate) fn entries(&self) -> &[IndexEntry] {
        &self.0
    }

    /// Adds a definition. The first one of an index is the present one. One that is there already is not added again.
    pub(crate) fn add(&mut self, index: &str, digest: [u8; 32]) {
        let mut known = self.0.iter().filter(|entry| &*entry.index == index).peekable();
        let is_present = known.peek().is_none();
        if !known.any(|entry| entry.digest == digest) {
            self.0.push(IndexEntry { index: index.into(), digest, is_present });
        }
    }

    /// Whether the prefixes under a new index root differ from each other and from those under the others, in each index (FORMAT 15.11).
    pub(crate) fn is_apart<'r>(
        &self,
        backend: Backend,
        keyspace: &str,
        fresh: &SecretBytes<32>,
        others: impl Iterator<Item = &'r SecretBytes<32>>,
    ) -> Result<bool, Error> {
        let mut taken = BTreeSet::new();
        for root in others {
            self.each_prefix(backend, keyspace, root, |prefix| {
                taken.insert(prefix);
            })?;
        }
        let mut is_apart = true;
        self.each_prefix(backend, keyspace, fresh, |prefix| is_apart &= taken.insert(prefix))?;
        Ok(is_apart)
    }

    /// The prefix of each definition under an index root, with the id of its index.
    fn each_prefix<'s>(
        &'s self,
        backend: Backend,
        keyspace: &str,
        root: &SecretBytes<32>,
        mut each: impl FnMut((&'s str, [u8; 3])),
    ) -> Result<(), Error> {
        // Definitions of one index are mostly side by side.
        for of_index in self.0.chunk_by(|a, b| a.index == b.index) {
            let Some(IndexEntry { index, .. }) = of_index.first() else { continue };
            let key = index_key(backend, root, keyspace, index)?;
            for entry in of_index {
                each((index, prefix_under(backend, &key, &entry.digest)?));
            }
        }
        Ok(())
    }
}

impl fmt::Display for IndexSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.0.iter().try_for_each(|entry| writeln!(f, "{} {}", entry.index, text::encode(&entry.digest)))
    }
}

/// From its text.
impl FromStr for IndexSchema {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(invalid("its first line is not `rxseal-index-schema 1`"));
        }
        let mut schema = Self::default();
        for line in lines.filter(|line| !line.is_empty()) {
            let (index, digest) = line.split_once(' ').ok_or_else(|| invalid(LINE))?;
            let digest = text::decode_array(digest).ok_or_else(|| invalid(LINE))?;
            Name::check("index id", index)?;
            if schema.0.iter().filter(|entry| &*entry.index == index).count() > MAX_FORMER {
                return Err(invalid("an index has more than 4 former definitions"));
            }
            schema.add(index, digest);
        }
        Ok(schema)
    }
}

const LINE: Reason = "a line is not an index id, a space and the digest of a definition";

fn invalid(reason: Reason) -> Error {
    ErrorKind::InvalidInput.because(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(entries: &[(&str, u8)]) -> IndexSchema {
        let mut schema = IndexSchema::default();
        for (index, byte) in entries {
            schema.add(index, [*byte; 32]);
        }
        schema
    }

    #[test]
    fn its_text_is_read_back() {
        let full = schema(&[("patient.born", 1), ("patient.last", 2), ("patient.born", 3), ("patient.born", 1)]);
        assert_eq!(full.ids().collect::<Vec<_>>(), ["patient.born", "patient.last"]);
        assert_eq!(full.entries().iter().map(|entry| entry.is_present).collect::<Vec<_>>(), [true, true, false]);
        for schema in [full, IndexSchema::default()] {
            assert_eq!(schema.to_string().parse::<IndexSchema>().unwrap(), schema);
        }
        let digest = text::encode(&[1; 32]);
        let line = |line: String| format!("{HEAD}\n{line}\n");
        for (text, code) in [
            (String::new(), "invalid-input"),
            (format!("patient.born {digest}"), "invalid-input"),
            ("rxseal-index-schema 2\n".to_owned(), "invalid-input"),
            (line("patient.born".to_owned()), "invalid-input"),
            (line(format!("patient.born {}", &digest[1..])), "invalid-input"),
            (line(format!("patient.born {digest} ")), "invalid-input"),
            (line(format!("patient.born  {digest}")), "invalid-input"),
            (line(format!("Patient {digest}")), "invalid-id"),
            (line((0..6).map(|at| format!("patient.born {}\n", text::encode(&[at; 32]))).collect()), "invalid-input"),
        ] {
            assert_eq!(text.parse::<IndexSchema>().unwrap_err().code().as_str(), code, "{text:?}");
        }
    }

    #[test]
    fn prefixes_that_are_alike_are_found() {
        let backend = Backend::default();
        let [one, other] = [1, 2].map(|byte| SecretBytes::copy_of(&[byte; 32]));
        let apart = |schema: &IndexSchema, fresh, others: &[&SecretBytes<32>]| {
            schema.is_apart(backend, "pharmacy-17", fresh, others.iter().copied()).unwrap()
        };
        let two = schema(&[("patient.born", 1), ("patient.last", 1)]);
        assert!(apart(&two, &one, &[&other]));
        assert!(!apart(&two, &one, &[&other, &one]), "the same root twice has the same prefixes");
        // What is alike already is not for a new root to mend.
        assert!(apart(&two, &one, &[&other, &other]));
        assert!(apart(&IndexSchema::default(), &one, &[&one]));
    }
}

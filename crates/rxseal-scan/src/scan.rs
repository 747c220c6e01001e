//! What is looked for, and by which rules.

use std::path::Path;

use rxseal::keys::KeyringFile;
use rxseal::schema::{FieldSchema, PartSchema, Schema};
use rxseal_map::{Addresses, Source};

use crate::file;
use crate::keys::Keys;
use crate::known::KnownValues;
use crate::report::Report;
use crate::sealed::Blocks;
use crate::table;
use crate::text::Words;

/// A scan: whether there is plaintext where tokens should be, and tokens or known values where nobody said so.
///
/// It needs no key. Nothing is written, memory does not grow with what is read, and no value is in any answer.
///
/// ```
/// use rxseal_map::{Addresses, Map};
/// use rxseal_scan::{Scan, Verdict};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let map = Map::read("rxseal-map.toml")?;
/// let scan = Scan::new();
/// for source in map.sources() {
///     let report = scan.source(source, &Addresses::default()).await;
///     for finding in report.findings() {
///         println!("{}, {finding}", report.name());
///     }
///     if report.verdict() == Verdict::Undecided {
///         println!("{}: not all of it was read or judged", report.name());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Scan {
    schema: Option<Schema>,
    keys: Keys,
    known: Option<KnownValues>,
    expects_tokens: bool,
    words: Words,
}

impl Scan {
    /// A scan by the map alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With what the program says of its record types: how long tokens of each field are, so that one that was cut off is seen.
    #[must_use]
    pub fn with_schema(self, schema: Schema) -> Self {
        Self { schema: Some(schema), ..self }
    }

    /// With the keyring of a keyspace: tokens under keys that no given keyring has are found. Give the keyrings of all keyspaces that
    /// the sources have.
    #[must_use]
    pub fn with_keyring(mut self, ring: &KeyringFile) -> Self {
        self.keys.add(ring);
        self
    }

    /// Looks for these values, too.
    #[must_use]
    pub fn looking_for(self, known: KnownValues) -> Self {
        Self { known: Some(known), ..self }
    }

    /// The files are copies of sealed data, such as dumps: tokens in them are counted, and are no finding. Without this they are logs and the
    /// like, in which a token is one.
    #[must_use]
    pub fn expecting_tokens(self) -> Self {
        Self { expects_tokens: true, ..self }
    }

    /// Scans a source of a map. What cannot be read is [undecided](Report::undecided), so this does not fail.
    pub async fn source(&self, source: &Source, addresses: &Addresses) -> Report {
        table::scan(self, source, addresses).await
    }

    /// Scans a file of any form: a log, a dump, an export. What cannot be read is undecided.
    ///
    /// Text in UTF-8, in UTF-16 and in the 8-bit encodings that begin with ASCII is read, such as Windows-1252. In other files, such as a
    /// database, what is in them as it is will be found, and the file stays undecided.
    #[must_use]
    pub fn file(&self, path: impl AsRef<Path>) -> Report {
        file::scan(self, path.as_ref())
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn known(&self) -> Option<&KnownValues> {
        self.known.as_ref()
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    pub(crate) fn expects_tokens(&self) -> bool {
        self.expects_tokens
    }

    /// The field of a record type, if the schema has it.
    pub(crate) fn field(&self, record: &str, field: &str) -> Option<&FieldSchema> {
        self.schema.as_ref()?.record(record)?.field(field)
    }

    /// The blocks of all fields.
    pub(crate) fn blocks(&self) -> Blocks {
        let mut blocks = Vec::new();
        for record in self.schema.iter().flat_map(Schema::records) {
            blocks.extend(record.fields().iter().map(FieldSchema::block));
            record.parts().iter().for_each(|part| add_blocks(part, &mut blocks));
        }
        Blocks::new(blocks)
    }
}

fn add_blocks(part: &PartSchema, blocks: &mut Vec<u16>) {
    blocks.extend(part.fields().iter().map(FieldSchema::block));
    part.parts().iter().for_each(|part| add_blocks(part, blocks));
}

/// Shows nothing that is looked for.
impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("known", &self.known)
            .field("expects_tokens", &self.expects_tokens)
            .finish_non_exhaustive()
    }
}

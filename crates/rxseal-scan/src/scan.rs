//! What is looked for, and by which rules.

use std::path::Path;

use rxseal::keys::KeyringFile;
use rxseal::schema::Schema;
use rxseal_map::{Addresses, Source};

use crate::file;
use crate::known::KnownValues;
use crate::report::Report;
use crate::rules::Rules;
use crate::table;

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
pub struct Scan(Rules);

impl Scan {
    /// A scan by the map alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With what the program says of its record types: how long tokens of each field are, so that one that was cut off is seen.
    #[must_use]
    pub fn with_schema(mut self, schema: Schema) -> Self {
        self.0.set_schema(schema);
        self
    }

    /// With the keyring of a keyspace: tokens under keys that no given keyring has are found. Give the keyrings of all keyspaces that
    /// the sources have.
    #[must_use]
    pub fn with_keyring(mut self, ring: &KeyringFile) -> Self {
        self.0.add_keyring(ring);
        self
    }

    /// Looks for these values, too.
    #[must_use]
    pub fn looking_for(mut self, known: KnownValues) -> Self {
        self.0.set_known(known);
        self
    }

    /// The files are copies of sealed data, such as dumps: tokens in them are counted, and are no finding. Without this they are logs and the
    /// like, in which a token is one.
    #[must_use]
    pub fn expecting_tokens(mut self) -> Self {
        self.0.expect_tokens();
        self
    }

    /// Scans a source of a map. What cannot be read is [undecided](Report::undecided), so this does not fail.
    pub async fn source(&self, source: &Source, addresses: &Addresses) -> Report {
        table::scan(&self.0, source, addresses).await
    }

    /// Scans a file of any form: a log, a dump, an export. What cannot be read is undecided.
    ///
    /// Text in UTF-8, in UTF-16 and in the 8-bit encodings that begin with ASCII is read, such as Windows-1252. In other files, such as a
    /// database, what is in them as it is will be found, and the file stays undecided.
    #[must_use]
    pub fn file(&self, path: impl AsRef<Path>) -> Report {
        file::scan(&self.0, path.as_ref())
    }
}

/// Shows nothing that is looked for.
impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("known", &self.0.known())
            .field("expects_tokens", &self.0.expects_tokens())
            .finish_non_exhaustive()
    }
}

//! Checks a map against the program's schema, and both against what is there.

mod columns;
mod program;
mod tables;

use rxseal::schema::Schema;

use crate::addresses::Addresses;
use crate::finding::Finding;
use crate::map::Map;

impl Map {
    /// Compares the map with what the program says of its record types: everything that only one of the two knows, and what differs. Nothing
    /// is read but the two.
    ///
    /// ```
    /// use rxseal::PhiRecord;
    /// use rxseal::phi::{Drug, Note};
    /// use rxseal::schema::Schema;
    /// use rxseal_map::Map;
    ///
    /// #[derive(PhiRecord)]
    /// #[phi(record = "prescription")]
    /// struct Prescription {
    ///     #[phi(id)]
    ///     rx_number: u64,
    ///     #[phi(seal = Drug)]
    ///     drug: String,
    ///     #[phi(seal = Note)]
    ///     note: String,
    /// }
    ///
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let map = "
    /// keyspace = 'pharmacy-17'
    /// [[source]]
    /// at     = 'postgres:public.prescriptions'
    /// record = 'prescription'
    /// id     = 'rx_number'
    /// sealed = { drug = 'phi.rx.drug' }
    /// ";
    /// let findings = Map::parse(map)?.check(&Schema::new().with::<Prescription>()?);
    /// assert_eq!(findings.len(), 1);
    /// assert_eq!(findings[0].code(), "field-missing");
    /// assert!(findings[0].text().contains("phi.clinical.note"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn check(&self, schema: &Schema) -> Vec<Finding> {
        in_order(program::check(self, schema))
    }

    /// Compares the map with the tables and files themselves: whether they and their columns are there, have types in which the longest token
    /// has room, and which columns the map does not name. Needs no key, and reads no value of a row; of files of NDJSON it reads the names in
    /// the first lines.
    ///
    /// A source that cannot be read is a finding, and the others are still checked. Without an address for PostgreSQL there is a note.
    #[must_use]
    pub async fn check_sources(&self, schema: &Schema, addresses: &Addresses) -> Vec<Finding> {
        in_order(tables::check(self, schema, addresses).await)
    }
}

/// As the map has them; what it does not name comes first.
fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.line(), !finding.is_fault()));
    findings
}

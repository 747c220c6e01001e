//! The columns of a record's id: what the map says of them must be what the program has.

use rxseal::PhiRecord;
use rxseal_jobs::{Operation, Spec};
use rxseal_map::Map;

use crate::rows::{Drug, schema_of, source};
use crate::support::KEYSPACE;

#[derive(PhiRecord)]
#[phi(record = "jobs.fill")]
pub struct Fill {
    #[phi(id)]
    pub rx: u64,
    #[phi(id)]
    pub fill: u32,
    #[phi(seal = Drug)]
    pub drug: String,
}

/// Rows would be sealed for ids that the program does not have, and the job would end clean.
#[test]
fn ids_in_another_order_or_number_make_no_job() {
    let keys = rxseal::testing::insecure_keyring(KEYSPACE).unwrap().unobserved();
    for (id, subject, is_right) in [
        (r#"["rx", "fill"]"#, "", true),
        (r#"["rx_number", "fill_number"]"#, "", true),
        (r#"["fill", "rx"]"#, "", false),
        (r#"["rx"]"#, "", false),
        (r#"["rx", "fill", "drug_id"]"#, "", false),
        (r#"["rx", "fill"]"#, "subject = \"patient\"\n", false),
    ] {
        let map = format!(
            "keyspace = \"{KEYSPACE}\"\n[[source]]\nat = \"sqlite:rx.db#fill\"\nrecord = \"jobs.fill\"\nid = {id}\n{subject}\
            sealed = {{ drug = \"jobs.drug\" }}\n"
        );
        let map = Map::parse(&map).unwrap();
        let spec = Spec::new(Operation::Backfill, source(&map), &schema_of::<SealedFill>(), &keys);
        assert_eq!(spec.as_ref().is_ok(), is_right, "{id} {subject}: {:?}", spec.err());
    }
}

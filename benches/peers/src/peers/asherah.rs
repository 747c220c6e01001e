//! asherah 1.0: one session of one partition (the tenant), a static KMS and a metastore in memory, so that no key is
//! fetched within the measurement. A field is stored as its `DataRowRecord` in JSON, written by asherah's own fast
//! writer.

use std::hint::black_box;
use std::sync::Arc;

use asherah::aead::AES256GCM;
use asherah::api::new_session_factory;
use asherah::kms::StaticKMS;
use asherah::metastore::InMemoryMetastore;
use asherah::{Config, DataRowRecord, Session};

use super::{Binding, Bound, Facts, Peer, Place, name};
use crate::record::{COUNT, FIELDS, OTHER_TENANT, TENANT};

/// Read in asherah 1.0.0 (`src/`) and ring 0.17.14.
pub const FACTS: Facts = Facts {
    name: name::ASHERAH,
    package: "asherah",
    primitive: "ring",
    form: "JSON",
    floor: Some("floor: ring, text"),
    binding: Some(Binding {
        // session.rs:796 and 1473: a row that names the key of another partition is refused.
        tenant: Bound::ByKey,
        // aead.rs:160-177, 200: `Aad::empty()` in both directions, "deliberately".
        record: Bound::No,
        field: Bound::No,
        // session.rs:999-1010: the JSON contains KeyId and Created, and nothing authenticates them (aead.rs:177).
        key_id: Bound::No,
        key_id_at: "in the JSON; another one selects another key",
        // session.rs:984-1002.
        keys: "one per field, random, wrapped by the partition's key",
        // aead.rs:64-98: seeded once a thread, never again, and so the same in a forked child; 32 + 12 + 12 bytes a field.
        random: "user space: ChaCha20, seeded once per thread, not reseeded after fork",
        // session.rs:978-983 and 1508; `LessSafeKey` has no `Drop`; internal/crypto_key.rs:15-17 keeps one a partition.
        wipes: "the bytes of the field's key; not its schedule, not plaintext",
    }),
};

type Partition = Session<AES256GCM, StaticKMS<AES256GCM>, InMemoryMetastore>;

pub struct Asherah {
    session: Partition,
    other_partition: Partition,
}

impl Asherah {
    pub fn new() -> Self {
        let mut master = vec![0; 32];
        getrandom::fill(&mut master).unwrap();
        let aead = Arc::new(AES256GCM::new());
        let kms = Arc::new(StaticKMS::new(Arc::clone(&aead), master).unwrap());
        let factory =
            new_session_factory(Config::new("bench", "rxseal"), Arc::new(InMemoryMetastore::new()), kms, aead);
        let (session, other_partition) = (factory.get_session(TENANT), factory.get_session(OTHER_TENANT));
        Self { session, other_partition }
    }
}

impl Peer for Asherah {
    type Stored = String;

    fn seal(&mut self) -> [String; COUNT] {
        FIELDS.map(|(_, value)| self.seal_name(value))
    }

    fn open(&mut self, stored: &[String; COUNT]) -> [String; COUNT] {
        std::array::from_fn(|at| open(&self.session, &stored[at]).unwrap())
    }

    fn seal_name(&mut self, name: &str) -> String {
        self.session.encrypt(black_box(name).as_bytes()).unwrap().to_json_fast()
    }

    fn opens_at(&mut self, stored: &String, place: Place) -> Option<bool> {
        Some(match place {
            Place::Tenant => open(&self.other_partition, stored).is_some(),
            // No argument can name another record or field.
            Place::Record | Place::Field => open(&self.session, stored).is_some(),
        })
    }
}

fn open(session: &Partition, stored: &str) -> Option<String> {
    let row: DataRowRecord = serde_json::from_str(stored).unwrap();
    session.decrypt(row).ok().map(|text| String::from_utf8(text).unwrap())
}

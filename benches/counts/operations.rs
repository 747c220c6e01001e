//! The counted operations, and the parts of their floors.

use std::hint::black_box;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use rxseal::keys::{Backend, Suite};
use rxseal::page::SealPass;
use rxseal::records::TaggedRecord;
use rxseal::{Keyring, Record, RecordReader};
use rxseal_watch::{FileLog, SigningKey, Watch};
use sha2::Digest;

use crate::common::{
    self, BIRTH_DATE, BirthDate, DIRECTIONS, DRUG, Directions, Drug, NAME, Name, PRESCRIBER, Prescriber, RECORD_ID,
    Tight,
};
use crate::floor::Floor;
use crate::indexes::{BornOn, LastAndBorn, LastNameIs, Patient, PhoneIs};

const MIB: usize = 1024 * 1024;

/// An operation to count.
pub struct Operation<'a> {
    pub name: &'static str,
    /// Its cost, in records.
    pub heaviness: u32,
    /// The operations that it cannot avoid. A part of a floor may have a floor of its own.
    pub floor: &'static [&'static str],
    pub run: Box<dyn FnMut() + 'a>,
}

/// Makes what each operation needs and passes them to `count`, one after the other.
pub fn run_all(count: fn(&mut Operation<'_>)) {
    let gcm = Floor::new(Aes256Gcm::new(&[7; 32].into()), 12);
    let chacha = Floor::new(XChaCha20Poly1305::new(&[7; 32].into()), 24);
    let keys = common::keyring(Suite::Xaes256Gcm);
    let chacha_keys = common::keyring(Suite::XChaCha20Poly1305);

    count_parts(count, &gcm);
    count_record_floor(count, &gcm, ["raw seals", "raw opens"]);
    count_record(count, &keys, ["seal the record", "open the record"], [&["draw", "raw seals"], &["raw opens"]]);
    count_watched(count);
    count_serde(count, &keys);
    count_struct(count, &keys);
    count_tag(count, &keys);
    count_single_field(count, &keys);
    count_search(count, &keys);
    count_large(count, &keys, &gcm);
    count_record_floor(count, &chacha, ["raw seals, ChaCha", "raw opens, ChaCha"]);
    let floors: [&[_]; 2] = [&["draw", "raw seals, ChaCha"], &["raw opens, ChaCha"]];
    count_record(count, &chacha_keys, ["seal the record, ChaCha", "open the record, ChaCha"], floors);
}

type Count = fn(&mut Operation<'_>);

fn operation<'a>(name: &'static str, floor: &'static [&'static str], run: impl FnMut() + 'a) -> Operation<'a> {
    Operation { name, heaviness: 1, floor, run: Box::new(run) }
}

fn count_parts(count: Count, gcm: &Floor<Aes256Gcm>) {
    let text = gcm.seal_text("bench.drug", DRUG);
    let mut token = [0; 256];
    let token_len = gcm.seal_field("bench.drug", DRUG, &mut token);
    let parts = [
        operation("draw", &[], || getrandom::fill(black_box(&mut [0; 12])).unwrap()),
        operation("context digest", &[], || {
            black_box(sha2::Sha256::digest(black_box([0_u8; 110])));
        }),
        operation("key set-up", &[], || {
            black_box(Aes256Gcm::new(black_box(&[7; 32].into())));
        }),
        operation("raw seal", &[], || {
            black_box(gcm.seal_text("bench.drug", DRUG));
        }),
        operation("raw open", &[], || gcm.open_text("bench.drug", &text)),
        operation("raw reseal", &[], || {
            gcm.open_field("bench.drug", &mut { token }[..token_len]);
            let mut token = [0; 256];
            let len = gcm.seal_field("bench.drug", DRUG, &mut token);
            black_box(token[..len].to_vec());
        }),
    ];
    parts.into_iter().for_each(|mut part| count(&mut part));
}

fn count_record_floor<C: AeadInOut>(count: Count, floor: &Floor<C>, [seal, open]: [&'static str; 2]) {
    let texts = floor.seal_record();
    count(&mut operation(seal, &[], || {
        black_box(floor.seal_record());
    }));
    count(&mut operation(open, &[], || floor.open_record(&texts)));
}

fn count_record(count: Count, keys: &Keyring, [seal, open]: [&'static str; 2], floors: [&'static [&'static str]; 2]) {
    let record = keys.record("prescription", RECORD_ID).unwrap();
    let access = record.opened_by(&common::access());
    let tokens = seal_record(&record);
    count(&mut operation(seal, floors[0], || {
        black_box(seal_record(&record));
    }));
    count(&mut operation(open, floors[1], || {
        black_box(open_record(&access, &tokens));
    }));
}

/// An opening whose event is kept, and whose patient is charged to a budget. The thread that writes the log is not counted.
fn count_watched(count: Count) {
    let folder = std::env::temp_dir().join(format!("rxseal-counts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let log = FileLog::in_folder(&folder, SigningKey::generate("counts.example").unwrap()).unwrap();
    let watch = Watch::over(log).start().unwrap();
    let keys = common::unlocked_with(Suite::Xaes256Gcm, Backend::default()).observed_by(watch.observer());
    let record = keys.record("prescription", RECORD_ID).unwrap();
    let access = record.opened_by(&common::access());
    let tokens = seal_record(&record);
    // The actor is looked up once for an access, and the patient is charged once.
    black_box(open_record(&access, &tokens));
    count(&mut operation("open the record, watched", &["open the record"], || {
        black_box(open_record(&access, &tokens));
    }));
    drop((access, record, keys, watch));
    std::fs::remove_dir_all(&folder).unwrap();
}

fn count_serde(count: Count, keys: &Keyring) {
    let record = keys.record("prescription", RECORD_ID).unwrap();
    let access = record.opened_by(&common::access());
    let (rx, plain) = (common::prescription(), common::plain_prescription());
    let json = serde_json::to_string(&record.sealing(&rx)).unwrap();
    let plain_json = serde_json::to_string(&plain).unwrap();
    let operations = [
        operation("plain JSON write", &[], || {
            black_box(serde_json::to_string(black_box(&plain)).unwrap());
        }),
        operation("plain JSON read", &[], || {
            black_box(serde_json::from_str::<common::PlainPrescription>(black_box(&plain_json)).unwrap());
        }),
        operation("write through serde_json", &["draw", "raw seals", "plain JSON write"], || {
            black_box(serde_json::to_string(&record.sealing(&rx)).unwrap());
        }),
        operation("read through serde_json", &["raw opens", "plain JSON read"], || {
            black_box(access.run_opening(|| serde_json::from_str::<common::Prescription>(&json)).unwrap());
        }),
    ];
    operations.into_iter().for_each(|mut operation| count(&mut operation));
}

/// A record struct, whose floor is the calls that its derive saves. Their own floor is that of [`count_record`].
fn count_struct(count: Count, keys: &Keyring) {
    let (rx, access) = (common::prescription_record(), common::access());
    let row = keys.seal(&rx).unwrap();
    let operations = [
        operation("seal by hand", &[], || {
            black_box(common::seal_by_hand(keys, &rx).unwrap());
        }),
        operation("open by hand", &[], || {
            black_box(common::open_by_hand(keys, &row, &access).unwrap());
        }),
        operation("seal a record struct", &["seal by hand"], || {
            black_box(keys.seal(&rx).unwrap());
        }),
        operation("open a record struct", &["open by hand"], || {
            black_box(keys.open(&row, &access).unwrap());
        }),
    ];
    operations.into_iter().for_each(|mut operation| count(&mut operation));
}

/// A record struct with a tag, beside one without.
fn count_tag(count: Count, keys: &Keyring) {
    let (rx, access) = (common::tagged_prescription(), common::access());
    let row = keys.seal(&rx).unwrap();
    // What is under the HMAC: heads, ids, five tokens and two readable values. The blocks of its key are set up once.
    let (inner, outer) = ([0_u8; 664], [0_u8; 32]);
    let operations = [
        operation("HMAC of a tag", &[], || {
            black_box(sha2::Sha256::digest(black_box(inner)));
            black_box(sha2::Sha256::digest(black_box(outer)));
        }),
        operation("seal with a tag", &["seal a record struct", "HMAC of a tag"], || {
            black_box(keys.seal(&rx).unwrap());
        }),
        operation("verify and open", &["open a record struct", "HMAC of a tag"], || {
            black_box(keys.open(&row, &access).unwrap());
        }),
        operation("verify", &["HMAC of a tag"], || {
            black_box(row.verified(keys).unwrap().version());
        }),
    ];
    operations.into_iter().for_each(|mut operation| count(&mut operation));
}

/// A record, and passes of one field. Most of them use an existing record with its digest: the digest has no
/// instructions of its own under valgrind, and would hide changes in the rest.
fn count_single_field(count: Count, keys: &Keyring) {
    let record = keys.record("prescription", RECORD_ID).unwrap();
    let access = record.opened_by(&common::access());
    let text = record.seal_text::<Drug>(DRUG).unwrap();
    let token = record.seal::<Drug>(DRUG).unwrap();
    let operations = [
        // The memory that a record keeps, in as many allocations. It asks for its digest when a field first needs it.
        operation("raw record", &[], || {
            black_box(std::sync::Arc::new(black_box([0_u8; 110]).to_vec()));
        }),
        operation("make a record", &["raw record"], || {
            black_box(keys.record(black_box("prescription"), black_box(RECORD_ID)).unwrap());
        }),
        operation("seal in a new record", &["context digest", "draw", "key set-up", "raw seal"], || {
            let record = keys.record(black_box("prescription"), black_box(RECORD_ID)).unwrap();
            black_box(record.seal_text::<Drug>(DRUG).unwrap());
        }),
        operation("seal one field alone", &["draw", "key set-up", "raw seal"], || {
            black_box(record.seal_text::<Drug>(DRUG).unwrap());
        }),
        operation("open one field alone", &["key set-up", "raw open"], || {
            black_box(access.open_text::<Drug, String>(&text).unwrap());
        }),
        operation("reseal one field alone", &["draw", "key set-up", "key set-up", "raw reseal"], || {
            black_box(record.reseal::<Drug>(&token).unwrap());
        }),
    ];
    operations.into_iter().for_each(|mut operation| count(&mut operation));
}

/// Index values of one record, and a query of 42 slots.
fn count_search(count: Count, keys: &Keyring) {
    let indexer = keys.indexer().unwrap();
    let record = indexer.record("patient", RECORD_ID).unwrap();
    let patient = Patient::new();
    // Of an HMAC under a key that is set up and a message whose first block is all values': two short hashes.
    let raw = |values: usize| {
        for _ in 0..values {
            black_box(sha2::Sha256::digest(black_box([0_u8; 24])));
            black_box(sha2::Sha256::digest(black_box([0_u8; 32])));
        }
    };
    let operations = [
        operation("HMAC of a value", &[], || raw(1)),
        // One of them has a slot, which is an HMAC too.
        operation("HMACs of four values", &[], || raw(5)),
        operation("HMACs of 42 values", &[], || raw(42)),
        operation("index value", &["HMAC of a value"], || {
            black_box(indexer.stored::<BornOn>(&record, black_box(&patient)).unwrap());
        }),
        operation("index values of a record", &["HMACs of four values"], || {
            black_box(indexer.stored::<BornOn>(&record, black_box(&patient)).unwrap());
            black_box(indexer.stored::<LastNameIs>(&record, black_box(&patient)).unwrap());
            black_box(indexer.stored::<PhoneIs>(&record, black_box(&patient)).unwrap());
            black_box(indexer.stored::<LastAndBorn>(&record, black_box(&patient)).unwrap());
        }),
        operation("query of 42 values", &["HMACs of 42 values"], || {
            black_box(indexer.asked::<LastNameIs>(|_, forms| forms.push(&[b"smith"])).unwrap());
        }),
    ];
    operations.into_iter().for_each(|mut operation| count(&mut operation));
}

/// A scanned page as bytes, in an existing buffer.
fn count_large(count: Count, keys: &Keyring, floor: &Floor<Aes256Gcm>) {
    let record = keys.record("prescription", RECORD_ID).unwrap();
    let access = record.opened_by(&common::access());
    let page = vec![0x41; MIB];
    let token = record.seal::<Tight>(&Bytes(&page)).unwrap();
    let mut raw_token = page.clone();
    let raw_tag = floor.encrypt("bench.tight", &mut raw_token);
    let [mut raw_sealed, mut raw_opened, mut sealed, mut opened] = [(); 4].map(|()| Vec::with_capacity(MIB + 4096));
    let operations = [
        operation("raw seal of 1 MiB", &[], || {
            refill(&mut raw_sealed, &page);
            black_box(floor.encrypt("bench.tight", &mut raw_sealed));
        }),
        operation("raw open of 1 MiB", &[], || {
            refill(&mut raw_opened, &raw_token);
            floor.decrypt("bench.tight", &mut raw_opened, &raw_tag);
        }),
        operation("seal 1 MiB", &["draw", "raw seal of 1 MiB"], || {
            sealed.clear();
            record.seal_fields(|pass| pass.seal_into::<Tight>(&Bytes(&page), &mut sealed)).unwrap();
        }),
        operation("open 1 MiB", &["raw open of 1 MiB"], || {
            opened.clear();
            access.open_fields(|pass| pass.open_into::<Tight>(token.as_bytes(), &mut opened)).unwrap();
        }),
    ];
    operations.into_iter().for_each(|operation| count(&mut Operation { heaviness: 10, ..operation }));
}

fn refill(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(bytes);
}

/// Bytes under kind 0, without a serde sequence around them.
struct Bytes<'a>(&'a [u8]);

impl serde::Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn seal_record(record: &Record) -> [String; 5] {
    record
        .seal_fields(|pass: &mut SealPass<'_>| {
            Ok([
                pass.seal_text::<Name>(NAME)?,
                pass.seal_text::<BirthDate>(BIRTH_DATE)?,
                pass.seal_text::<Drug>(DRUG)?,
                pass.seal_text::<Directions>(DIRECTIONS)?,
                pass.seal_text::<Prescriber>(PRESCRIBER)?,
            ])
        })
        .unwrap()
}

fn open_record(access: &RecordReader, [name, birth_date, drug, directions, prescriber]: &[String; 5]) -> [String; 5] {
    access
        .open_fields(|pass| {
            Ok([
                pass.open_text::<Name, _>(name)?,
                pass.open_text::<BirthDate, _>(birth_date)?,
                pass.open_text::<Drug, _>(drug)?,
                pass.open_text::<Directions, _>(directions)?,
                pass.open_text::<Prescriber, _>(prescriber)?,
            ])
        })
        .unwrap()
}

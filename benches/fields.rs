//! Seal and open by suite and size; token parsing; serde_json against plaintext; unlocking a keyring of 100 keys.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::hint::black_box;

use common::{Prescription, Tight};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rxseal::keys::Suite;
use rxseal::records::TaggedRecord;
use rxseal::{Keyring, Token, run_local};

const SIZES: [usize; 5] = [16, 64, 1024, 64 * 1024, 1024 * 1024];

/// Bytes under kind 0, without a serde sequence around them.
struct Bytes<'a>(&'a [u8]);

impl serde::Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn suites(c: &mut Criterion) {
    let access = common::access();
    for (name, suite, wide) in
        [("X", Suite::Xaes256Gcm, false), ("x", Suite::Xaes256Gcm, true), ("c", Suite::XChaCha20Poly1305, false)]
    {
        let keys = common::keyring(suite);
        let record = keys.record("prescription", common::RECORD_ID).unwrap();
        let record = if wide { record.wide() } else { record };
        let open = record.opened_by(&access);
        for (direction, sealing) in [("seal", true), ("open", false)] {
            let mut group = c.benchmark_group(format!("{direction}/{name}"));
            for size in SIZES {
                let value = vec![0x41; size];
                let token = record.seal::<Tight>(&Bytes(&value)).unwrap();
                let mut out = Vec::with_capacity(size + 4096);
                group.throughput(Throughput::Bytes(size as u64));
                group.bench_function(BenchmarkId::from_parameter(size), |b| {
                    b.iter(|| {
                        out.clear();
                        if sealing {
                            record.seal_fields(|pass| pass.seal_into::<Tight>(&Bytes(&value), &mut out)).unwrap();
                        } else {
                            open.open_fields(|pass| pass.open_into::<Tight>(token.as_bytes(), &mut out)).unwrap();
                        }
                        black_box(out.len())
                    });
                });
            }
        }
    }
}

fn serde_json_record(c: &mut Criterion) {
    let keys = common::keyring(Suite::default());
    let record = keys.record("prescription", common::RECORD_ID).unwrap();
    let open = record.opened_by(&common::access());
    let (rx, plain) = (common::prescription(), common::plain_prescription());
    let json = serde_json::to_string(&record.sealing(&rx)).unwrap();
    let plain_json = serde_json::to_string(&plain).unwrap();
    let mut group = c.benchmark_group("serde_json");
    group.bench_function("write/sealed", |b| b.iter(|| serde_json::to_string(&record.sealing(&rx)).unwrap()));
    group.bench_function("write/plain", |b| b.iter(|| serde_json::to_string(&plain).unwrap()));
    group.bench_function("read/sealed", |b| {
        b.iter(|| open.run_opening(|| serde_json::from_str::<Prescription>(&json)).unwrap());
    });
    group.bench_function("read/plain", |b| {
        b.iter(|| serde_json::from_str::<common::PlainPrescription>(&plain_json).unwrap());
    });
}

fn record_struct(c: &mut Criterion) {
    let keys = common::keyring(Suite::default());
    let (rx, access) = (common::prescription_record(), common::access());
    let row = keys.seal(&rx).unwrap();
    let mut group = c.benchmark_group("record struct");
    group.bench_function("seal/by hand", |b| b.iter(|| common::seal_by_hand(&keys, &rx).unwrap()));
    group.bench_function("seal/derived", |b| b.iter(|| keys.seal(&rx).unwrap()));
    group.bench_function("open/by hand", |b| b.iter(|| common::open_by_hand(&keys, &row, &access).unwrap()));
    group.bench_function("open/derived", |b| b.iter(|| keys.open(&row, &access).unwrap()));
    group.bench_function("reseal/derived", |b| b.iter(|| keys.reseal(&row).unwrap()));
    let tagged = common::tagged_prescription();
    let tagged_row = keys.seal(&tagged).unwrap();
    group.bench_function("seal/with a tag", |b| b.iter(|| keys.seal(&tagged).unwrap()));
    group.bench_function("open/with a tag", |b| b.iter(|| keys.open(&tagged_row, &access).unwrap()));
    group.bench_function("verify", |b| b.iter(|| tagged_row.verified(&keys).unwrap().version()));
}

fn tokens(c: &mut Criterion) {
    let keys = common::keyring(Suite::default());
    let token = keys.record("prescription", common::RECORD_ID).unwrap().seal::<common::Drug>(common::DRUG).unwrap();
    let text = token.to_string();
    let mut group = c.benchmark_group("token");
    group.bench_function("parse/text", |b| b.iter(|| black_box(&text).parse::<Token>().unwrap()));
    group.bench_function("parse/bytes", |b| b.iter(|| Token::try_from(black_box(token.as_bytes())).unwrap()));
    group.bench_function("write/text", |b| b.iter(|| black_box(&token).to_string()));
}

fn unlock(c: &mut Criterion) {
    let roots = common::roots();
    let mut file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default())).unwrap();
    // With the first DEK and the index root, 100 keys.
    for _ in 0..98 {
        file = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &file)).unwrap();
    }
    let text = file.to_string();
    let mut group = c.benchmark_group("keyring of 100 keys");
    group.bench_function("unlock", |b| b.iter(|| run_local(Keyring::unlock("pharmacy-17", &roots, &file)).unwrap()));
    group.bench_function("parse", |b| b.iter(|| text.parse::<rxseal::keys::KeyringFile>().unwrap()));
}

criterion_group!(benches, suites, serde_json_record, record_struct, tokens, unlock);
criterion_main!(benches);

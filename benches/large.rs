//! Large values (a scan, a photograph): 64 KiB to 16 MiB as bytes, against the raw AEAD on the same buffer, and how many copies
//! of the value are in memory at once.
//!
//! `cargo bench -p rxseal-benches --bench large` prints the tables; `--features aws-lc` adds those of AWS-LC, and
//! `-- --test` runs everything once.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "large/copies.rs"]
mod copies;
#[path = "large/raw.rs"]
mod raw;

use std::hint::black_box;
use std::time::Instant;

use common::heap::Watched;
use common::{median, print_table};
use raw::Raw;
use rxseal::keys::{Backend, Suite};
use rxseal::{Record, RecordReader};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// What a token adds to its value: at most 50 bytes, and padding to a block of 32.
const ADDED: usize = 50 + 32;
/// The allowed time of a call for 1 MiB, as a multiple of the raw call's.
const TARGET: f64 = 1.25;

rxseal::fields! {
    Scan = "bench.scan" in Clinical;
}

/// Bytes as serde's bytes and not as its sequence of numbers, like the crate `serde_bytes`.
#[derive(Debug, Default, PartialEq)]
struct Bytes(Vec<u8>);

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    for backend in common::backends() {
        compare(backend, quick);
        copies::count(backend, if quick { MIB } else { 16 * MIB });
    }
}

/// A call, and the raw call that does the same.
struct Call {
    name: &'static str,
    raw: &'static str,
    has_target: bool,
}

const CALLS: [Call; 8] = [
    Call { name: RAW_SEAL, raw: RAW_SEAL, has_target: false },
    Call { name: "seal_in_place", raw: RAW_SEAL, has_target: true },
    Call { name: "copy, raw seal", raw: RAW_SEAL, has_target: false },
    Call { name: "seal_into", raw: RAW_SEAL, has_target: true },
    Call { name: RAW_OPEN, raw: RAW_OPEN, has_target: false },
    Call { name: "open_in_place", raw: RAW_OPEN, has_target: true },
    Call { name: "copy, raw open", raw: RAW_OPEN, has_target: false },
    Call { name: "open_into", raw: RAW_OPEN, has_target: true },
];

const RAW_SEAL: &str = "raw seal";
const RAW_OPEN: &str = "raw open";

fn compare(backend: Backend, quick: bool) {
    println!("{backend:?}, against its raw AES-256-GCM with an expanded key, in place on the same buffer\n");
    let keys = common::unlocked_with(Suite::default(), backend).unobserved();
    let record = keys.record("prescription", common::RECORD_ID).unwrap();
    let open = record.opened_by(&common::access());
    let mut rows = Vec::new();
    for size in [64 * KIB, MIB, 16 * MIB] {
        let mut bench = Bench { raw: Raw::new(backend), record: &record, open: &open, buffers: Buffers::new(size) };
        // About as much work for each size.
        let rounds = if quick { 1 } else { (256 * MIB / size).clamp(25, 2000) };
        let mut times = Times::default();
        (0..rounds).for_each(|_| bench.round(&mut times));
        rows.extend(CALLS.iter().map(|call| times.row(call, size)));
    }
    print_table(&["call", "value", "us", "x raw", "target"], &rows);
    println!();
}

/// Microseconds, by call.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<f64>)>);

impl Times {
    fn take<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = black_box(work());
        let took = begun.elapsed().as_secs_f64() * 1e6;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, times)) => times.push(took),
            None => self.0.push((name, vec![took])),
        }
        result
    }

    fn median(&self, name: &str) -> f64 {
        let (_, times) = self.0.iter().find(|(known, _)| *known == name).unwrap();
        median(&mut times.clone())
    }

    fn row(&self, call: &Call, size: usize) -> Vec<String> {
        let (took, raw) = (self.median(call.name), self.median(call.raw));
        vec![
            call.name.to_owned(),
            if size < MIB { format!("{} KiB", size / KIB) } else { format!("{} MiB", size / MIB) },
            format!("{took:.0}"),
            format!("{:.2}", took / raw),
            if call.has_target && size == MIB { format!("{TARGET:.2}") } else { String::new() },
        ]
    }
}

/// All calls use the same buffers, one after the other.
struct Bench<'r> {
    raw: Raw,
    record: &'r Record,
    open: &'r RecordReader,
    buffers: Buffers,
}

/// With enough room, and written once, so that the system has provided the pages.
struct Buffers {
    value: Bytes,
    /// The value before and after each pair of calls.
    buffer: Vec<u8>,
    token: Vec<u8>,
}

impl Buffers {
    fn new(size: usize) -> Self {
        let value = value(size);
        let mut buffer = vec![1; size + ADDED];
        buffer.clear();
        buffer.extend_from_slice(&value.0);
        Self { value, buffer, token: vec![1; size + ADDED] }
    }
}

impl Bench<'_> {
    fn round(&mut self, times: &mut Times) {
        for calls in [Self::raw_in_place, Self::in_place, Self::raw_copying, Self::copying] {
            calls(self, times);
            assert!(self.buffers.buffer == self.buffers.value.0);
        }
    }

    fn raw_in_place(&mut self, times: &mut Times) {
        let (raw, buffer) = (&self.raw, &mut self.buffers.buffer);
        let tag = times.take(RAW_SEAL, || raw.seal(buffer));
        times.take(RAW_OPEN, || raw.open(buffer, &tag));
    }

    fn in_place(&mut self, times: &mut Times) {
        let Self { record, open, buffers: Buffers { buffer, .. }, .. } = self;
        times.take("seal_in_place", || record.seal_fields(|pass| pass.seal_in_place::<Scan>(buffer)).unwrap());
        times.take("open_in_place", || open.open_fields(|pass| pass.open_in_place::<Scan>(buffer)).unwrap());
    }

    /// The least that a call must do if its input stays, its output is another buffer, and the backend works in place.
    fn raw_copying(&mut self, times: &mut Times) {
        let Self { raw, buffers: Buffers { value, buffer, token }, .. } = self;
        let tag = times.take("copy, raw seal", || {
            token.clear();
            token.extend_from_slice(&value.0);
            raw.seal(token)
        });
        times.take("copy, raw open", || {
            buffer.clear();
            buffer.extend_from_slice(token);
            raw.open(buffer, &tag);
        });
    }

    fn copying(&mut self, times: &mut Times) {
        let Self { record, open, buffers: Buffers { value, buffer, token }, .. } = self;
        token.clear();
        times.take("seal_into", || record.seal_fields(|pass| pass.seal_into::<Scan>(value, token)).unwrap());
        buffer.clear();
        times.take("open_into", || open.open_fields(|pass| pass.open_into::<Scan>(token, buffer)).unwrap());
    }
}

fn value(size: usize) -> Bytes {
    Bytes((0..size).map(|at| (at * 31 / 8) as u8).collect())
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_byte_buf(Visitor)
    }
}

impl rxseal::forms::Wipe for Bytes {
    fn wipe(&mut self) {
        self.0.wipe();
    }
}

//! Proves that a record tag holds the fields of a record together: no other combination of genuine pieces is read (T59 to T61;
//! FORMAT 14). 1,000 records at 3 ages and 100,000 recombinations in a release build, a sample in a debug build (`RXSEAL_FULL=1` runs
//! all there too).

use std::borrow::Cow;

use rxseal::keys::KeyringAdmin;
use rxseal::records::{ClearValue, TaggedRecord};
use rxseal::store::{KeyringStore, MemoryStore};
use rxseal::testing::{insecure_keyring, insecure_keyring_file};
use rxseal::{
    Access, ErrorCode, KeyId, Keyring, Phi, PhiRecord, Purpose, RecordTag, Sealed, SealedRecord, Token, phi, run_local,
};

rxseal::fields! {
    Street = "tag.street" in Contact;
    LineDrug = "tag.line.drug" in Medication;
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Status {
    Active,
    Stopped,
}

impl ClearValue for Status {
    fn clear_text(&self) -> Result<Cow<'_, str>, rxseal::Error> {
        Ok(if *self == Self::Active { "active" } else { "stopped" }.into())
    }
}

#[derive(PhiRecord)]
#[phi(record = "prescription", derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize))]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = phi::PatientName)]
    name: String,
    #[phi(seal = Option<phi::Directions>)]
    directions: Option<String>,
    #[phi(seal)]
    prescriber: Phi<String, phi::PrescriberName>,
    #[phi(clear, bind = "rx.status")]
    status: Status,
    #[phi(clear, bind = "rx.note")]
    note: Option<String>,
    #[phi(clear)]
    printed: u32,
    #[phi(nested)]
    address: Address,
    #[phi(part = "line")]
    lines: Vec<Line>,
    #[phi(record_tag)]
    tag: RecordTag,
}

#[derive(PhiRecord)]
#[phi(nested, derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize))]
struct Address {
    #[phi(seal = Street)]
    street: String,
    #[phi(clear, bind = "tag.city")]
    city: String,
}

#[derive(PhiRecord)]
#[phi(part, derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize))]
struct Line {
    #[phi(id)]
    line_no: u32,
    #[phi(seal = LineDrug)]
    drug: String,
    #[phi(clear, bind = "line.dose")]
    dose_mg: u32,
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn keyring() -> Keyring {
    insecure_keyring("pharmacy-17").unwrap().unobserved()
}

/// Record `number` at an age; every other age has directions, and each has other values.
fn prescription(number: u64, age: u32, tag: RecordTag) -> Prescription {
    Prescription {
        rx_number: number,
        name: format!("Jane Doe {number}"),
        directions: age.is_multiple_of(2).then(|| format!("take {age} daily")),
        prescriber: Phi::new(format!("Dr. {age}")),
        status: if age == 2 { Status::Stopped } else { Status::Active },
        note: (age > 0).then(|| format!("age {age}")),
        printed: age,
        address: Address { street: format!("Main Street {age}"), city: format!("City {age}") },
        lines: (1..=2).map(|line| Line { line_no: line, drug: format!("drug {age}"), dose_mg: 500 + age }).collect(),
        tag,
    }
}

fn full() -> bool {
    !cfg!(debug_assertions) || std::env::var_os("RXSEAL_FULL").is_some()
}

fn code<T>(result: Result<T, rxseal::Error>) -> Option<ErrorCode> {
    result.err().map(|error| error.code())
}

#[test]
fn a_tag_is_made_verified_and_counted_up() {
    let keys = keyring();
    let first = keys.seal(&prescription(1001, 0, RecordTag::new())).unwrap();
    assert_eq!((first.tag.version(), first.tag.cover(), first.tag.key_id()), (1, 1, Some(keys.primary_key())));
    let verified = first.verified(&keys).unwrap();
    assert_eq!((verified.version(), verified.row().rx_number), (1, 1001));
    // A label printer verifies all, and opens the drug alone.
    let printer = keys.opener().only([rxseal::Class::MEDICATION]);
    first.verified(&printer).unwrap();
    let opened = keys.open(&first, &access()).unwrap();
    assert_eq!((opened.name.as_str(), opened.tag), ("Jane Doe 1001", first.tag));
    // The whole record again, one field, a reseal: each is the next version.
    let second = keys.seal(&opened).unwrap();
    let third = second.set::<phi::Directions>(&keys, &Some("take 9 daily".to_owned())).unwrap();
    let fourth = keys.reseal(&third).unwrap();
    assert_eq!([second.tag, third.tag, fourth.tag].map(|tag| tag.version()), [2, 3, 4]);
    assert_eq!(third.name, second.name, "the other tokens stay");
    assert_eq!(keys.open(&fourth, &access()).unwrap().directions.as_deref(), Some("take 9 daily"));
    // What is not bound may change.
    let mut printed = fourth.clone();
    printed.printed += 1;
    assert_eq!(code(keys.open(&printed, &access())), None);
    let verified = fourth.verified(&keys).unwrap();
    assert_eq!(code(verified.min_version(4)), None);
    assert_eq!(code(verified.min_version(5)), Some(ErrorCode::TagTooOld));
    assert_eq!(code(verified.min_cover(2)), Some(ErrorCode::TagTooOld));
}

#[test]
fn the_tag_is_text_or_bytes_and_never_missing() {
    let keys = keyring();
    let row = keys.seal(&prescription(1001, 0, RecordTag::new())).unwrap();
    let json = serde_json::to_value(&row).unwrap();
    let text = json["tag"].as_str().unwrap();
    assert!(text.starts_with("rxrS") && text.len() == 64);
    assert_eq!(serde_json::from_value::<SealedPrescription>(json.clone()).unwrap(), row);
    let with = |tag: serde_json::Value| {
        let mut json = json.clone();
        json["tag"] = tag;
        serde_json::from_str::<SealedPrescription>(&json.to_string()).unwrap_err().to_string()
    };
    for (tag, said) in [
        (serde_json::Value::Null, "has no tag"),
        ("".into(), "has no tag"),
        (text[..63].into(), "is not a record tag"),
        ("Jane Doe".into(), "is not a record tag"),
        (42.into(), "is not a record tag"),
        (serde_json::json!(["Jane Doe"]), "is not a record tag"),
        (format!("{text}A").into(), "is not a record tag"),
    ] {
        let error = with(tag);
        assert!(error.contains(said) && !error.contains("Jane"), "{error}");
    }
    let mut missing = json.clone();
    missing.as_object_mut().unwrap().remove("tag");
    assert!(serde_json::from_value::<SealedPrescription>(missing).unwrap_err().to_string().contains("missing field"));
    // A row that was never sealed is neither written nor read.
    let unsealed = SealedPrescription { tag: RecordTag::new(), ..row.clone() };
    assert!(serde_json::to_string(&unsealed).unwrap_err().to_string().contains("has no tag"));
    assert_eq!(code(keys.open(&unsealed, &access())), Some(ErrorCode::TagMissing));
    assert_eq!(code(unsealed.verified(&keys)), Some(ErrorCode::TagMissing));
    assert_eq!(code(unsealed.set::<phi::Directions>(&keys, &None)), Some(ErrorCode::TagMissing));
    assert_eq!(code(keys.reseal(&unsealed)), Some(ErrorCode::TagMissing));
    // Nor is one sealed inside a value.
    let rec = keys.record("prescription", 1).unwrap();
    assert_eq!(code(rec.seal::<phi::Note>(&[row.tag])), Some(ErrorCode::TokenInside));
    assert_eq!(code(rec.seal::<phi::Note>(text)), Some(ErrorCode::TokenAsPlaintext));
}

/// A generator of its own: the same pieces in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn no_recombination_is_read() {
    const AGES: u32 = 3;
    let (records, combinations) = if full() { (1_000, 100_000) } else { (40, 1_500) };
    let keys = keyring();
    let ages = |number| {
        let mut tag = RecordTag::new();
        let mut next = |age| {
            let row = keys.seal(&prescription(number, age, tag)).unwrap();
            tag = row.tag;
            row
        };
        (0..AGES).map(&mut next).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<SealedPrescription>> = (0..records).map(ages).collect();
    for row in rows.iter().flatten() {
        assert_eq!(code(keys.open(row, &access())), None, "each is genuine by itself");
    }
    let mut draw = Draw(0x9E37_79B9_7F4A_7C15);
    let (mut refused, mut others) = (0, 0);
    while refused < combinations {
        let home = draw.below(rows.len());
        let mut row = rows[home][draw.below(3)].clone();
        // Pieces of another age of this record, or of any record.
        for _ in 0..=draw.below(3) {
            let from = if draw.below(4) > 0 { home } else { draw.below(rows.len()) };
            let piece = &rows[from][draw.below(3)];
            let line = draw.below(row.lines.len().max(1));
            match draw.below(11) {
                0 => row.name = piece.name.clone(),
                1 => row.directions = piece.directions.clone(),
                2 => row.prescriber = piece.prescriber.clone(),
                3 => row.status = piece.status,
                4 => row.note = piece.note.clone(),
                5 => row.address.street = piece.address.street.clone(),
                6 => row.address.city = piece.address.city.clone(),
                7 => row.lines = piece.lines.clone(),
                8 if line < row.lines.len() => row.lines[line] = piece.lines[draw.below(2)].clone(),
                9 if line < row.lines.len() => drop(row.lines.remove(line)),
                _ => row.tag = piece.tag,
            }
        }
        // Beside what is not bound, which is also the order of parts (FORMAT 14.7), it is a genuine row.
        let mut ordered = row.clone();
        ordered.lines.sort_by_key(|line| line.line_no);
        let same =
            |genuine: &SealedPrescription| SealedPrescription { printed: row.printed, ..genuine.clone() } == ordered;
        if rows[home].iter().any(same) {
            continue;
        }
        let found = [code(row.verified(&keys)), code(keys.open(&row, &access())), code(keys.reseal(&row))];
        // Two lines of one id are two parts of one path.
        let expected = [ErrorCode::TagRefused, ErrorCode::FieldRepeated];
        for found in found {
            assert!(found.is_some_and(|code| expected.contains(&code)), "{found:?} {row:?}");
        }
        others += usize::from(found[0] == Some(ErrorCode::FieldRepeated));
        refused += 1;
    }
    println!("{refused} recombinations refused, {others} of them for two parts of one id");
}

/// A text with one bit of its bytes flipped, if that is text.
fn flipped(text: &str, bit: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    String::from_utf8(bytes).ok()
}

#[test]
fn no_bit_of_a_row_may_change() {
    let rows = if full() { 1_000 } else { 3 };
    let keys = keyring();
    let mut changed = 0_u64;
    for number in 0..rows {
        let genuine = keys.seal(&prescription(number, 2, RecordTag::new())).unwrap();
        // In a release build every row has some of its bits changed, and the first ones all.
        let step = if number < 3 { 1 } else { 97 };
        let mut refused = |row: SealedPrescription| {
            for code in [code(row.verified(&keys)), code(keys.open(&row, &access()))] {
                assert!(code.is_some(), "{row:?}");
            }
            changed += 1;
        };
        let every = |token: &Token| {
            let bytes = token.as_bytes().to_vec();
            (0..bytes.len() * 8).step_by(step).filter_map(move |bit| {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // What is not even a token is refused when it is read.
                Token::try_from(bytes).ok()
            })
        };
        for token in every(genuine.name.token()) {
            refused(SealedPrescription { name: Sealed::from(token), ..genuine.clone() });
        }
        for token in every(genuine.directions.as_ref().unwrap().token()) {
            refused(SealedPrescription { directions: Some(Sealed::from(token)), ..genuine.clone() });
        }
        for token in every(genuine.prescriber.token()) {
            refused(SealedPrescription { prescriber: Sealed::from(token), ..genuine.clone() });
        }
        for token in every(genuine.address.street.token()) {
            let mut row = genuine.clone();
            row.address.street = Sealed::from(token);
            refused(row);
        }
        for at in 0..2 {
            for token in every(genuine.lines[at].drug.token()) {
                let mut row = genuine.clone();
                row.lines[at].drug = Sealed::from(token);
                refused(row);
            }
            for bit in 0..32 {
                let mut row = genuine.clone();
                row.lines[at].dose_mg ^= 1 << bit;
                refused(row.clone());
                row = genuine.clone();
                row.lines[at].line_no ^= 1 << bit;
                refused(row);
            }
        }
        for bit in (0..48 * 8).step_by(step) {
            let mut bytes = *genuine.tag.bytes().unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(tag) = RecordTag::try_from(&bytes[..]) {
                refused(SealedPrescription { tag, ..genuine.clone() });
            }
        }
        for bit in 0..64 {
            refused(SealedPrescription { rx_number: genuine.rx_number ^ 1 << bit, ..genuine.clone() });
        }
        for bit in 0..genuine.address.city.len() * 8 {
            if let Some(city) = flipped(&genuine.address.city, bit) {
                let mut row = genuine.clone();
                row.address.city = city;
                refused(row);
            }
        }
        let note = genuine.note.clone().unwrap();
        for note in (0..note.len() * 8).filter_map(|bit| flipped(&note, bit)) {
            refused(SealedPrescription { note: Some(note), ..genuine.clone() });
        }
        refused(SealedPrescription { note: None, ..genuine.clone() });
        refused(SealedPrescription { directions: None, ..genuine.clone() });
        refused(SealedPrescription { status: Status::Active, ..genuine.clone() });
        assert_eq!(code(keys.open(&genuine, &access())), None);
    }
    println!("{changed} changed rows refused");
}

/// A key is destroyed only if no tag is under it, and after a reseal every record still opens.
#[test]
fn a_tag_keeps_its_key_alive() {
    let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
    let store = MemoryStore::default();
    run_local(store.put(&first, None)).unwrap();
    let admin = KeyringAdmin::new(store, roots.clone());
    let unlock = || {
        let stored = run_local(admin.stored("pharmacy-17")).unwrap();
        run_local(Keyring::unlock("pharmacy-17", &roots, &stored)).unwrap().unobserved()
    };
    let keys = unlock();
    let old: KeyId = keys.primary_key();
    let rows: Vec<_> = (0..20).map(|number| keys.seal(&prescription(number, 0, RecordTag::new())).unwrap()).collect();
    let (_, new) = run_local(admin.rotate("pharmacy-17")).unwrap();
    let keys = unlock();
    let tags =
        |rows: &[SealedPrescription]| rxseal::count::count_by_key(rows.iter().map(|row| row.tag.text().unwrap()));
    assert_eq!((tags(&rows).of(old), tags(&rows).not_tokens()), (20, 0));
    let resealed: Vec<_> = keys.reseal_all(&rows).into_iter().map(Result::unwrap).collect();
    assert_eq!((tags(&resealed).of(old), tags(&resealed).of(new)), (0, 20));
    run_local(admin.force_destroy("pharmacy-17", old)).unwrap();
    let keys = unlock();
    for row in &resealed {
        assert_eq!(row.tag.version(), 2);
        assert_eq!(code(keys.open(row, &access())), None);
    }
    assert_eq!(code(rows[0].verified(&keys)), Some(ErrorCode::KeyDestroyed));
}

/// A tag is of one record: a row that was copied is moved with `rebind`, which makes its next tag.
#[test]
fn a_copied_row_needs_a_tag_of_its_own() {
    let keys = keyring();
    let row = keys.seal(&prescription(1, 0, RecordTag::new())).unwrap();
    let copied = SealedPrescription { rx_number: 2, ..row.clone() };
    assert_eq!(code(keys.open(&copied, &access())), Some(ErrorCode::TagRefused));
    assert_eq!(code(copied.check(&keys)), Some(ErrorCode::TagRefused));
    let moved = keys.rebind(&row, |row| row.rx_number = 2, &access()).unwrap();
    assert_eq!(keys.open(&moved, &access()).unwrap().rx_number, 2);
    // A broken record is never blessed.
    let broken = SealedPrescription { status: Status::Stopped, ..row.clone() };
    assert_eq!(code(keys.rebind(&broken, |row| row.rx_number = 3, &access())), Some(ErrorCode::TagRefused));
    assert_eq!(code(broken.set::<phi::Directions>(&keys, &None)), Some(ErrorCode::TagRefused));
    assert_eq!(code(keys.reseal_all([&broken]).remove(0)), Some(ErrorCode::TagRefused));
    // Field by field it can still be read, by a call that says so.
    assert_eq!(keys.open_unverified(&broken, &access()).unwrap().status, Status::Stopped);
}

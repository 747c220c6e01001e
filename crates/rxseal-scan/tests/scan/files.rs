//! Files in other encodings, files that have to be unpacked, and files that cannot be read.

use rxseal_scan::{KnownValues, Scan, Verdict};

use crate::support::{Place, all_texts, told};

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn a_dump_is_read_in_each_encoding() {
    let place = Place::new("encodings");
    let [name, drug] = place.row(1);
    let text = format!("id,name,drug,memo\r\n1,{name},{drug},Müller ssn 078-05-1120\r\n2,,{},\r\n", &drug[..69]);
    let latin: Vec<u8> = text.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    let marked = format!("\u{feff}{text}");
    for (what, bytes) in [
        ("utf-8", text.clone().into_bytes()),
        ("utf-8 with a mark", marked.clone().into_bytes()),
        ("windows-1252", latin),
        ("utf-16le", utf16(&text, u16::to_le_bytes)),
        ("utf-16be", utf16(&text, u16::to_be_bytes)),
        ("utf-16le with a mark", utf16(&marked, u16::to_le_bytes)),
        ("utf-16be with a mark", utf16(&marked, u16::to_be_bytes)),
    ] {
        let path = place.write("dump.csv", bytes);
        let scan = place.scan().expecting_tokens().looking_for(KnownValues::new([("name", "Müller s")]).unwrap());
        let report = scan.file(&path);
        let expected = ["line 3 token-damaged 1", "line 2 known-value 1", "line 2? ssn 1"];
        assert_eq!((told(&report), report.rows()), (expected.map(str::to_owned).to_vec(), 3), "{what}");
        assert_eq!(report.keys().map(|(_, count)| count).sum::<u64>(), 2, "{what}");
        assert!(!all_texts(&report).contains("ller"), "{what}");
    }
}

/// By a map, a file must be UTF-8: what is not read is not clean.
#[test]
fn a_source_in_another_encoding_is_no_clean_one() {
    let place = Place::new("source-encodings");
    let [name, drug] = place.row(1);
    let head = "rx_number,patient_name,drug,filled_at,memo\n";
    let utf16 = utf16(&format!("\u{feff}{head}1,{name},{drug},,\n"), u16::to_le_bytes);
    place.write("a.csv", utf16);
    let report = place.source(&place.scan(), "csv:a.csv");
    assert_eq!((told(&report), report.verdict()), (vec!["undecided not-read".to_owned()], Verdict::Undecided));
    place.write("a.csv", [head.as_bytes(), b"1,M\xfcller,", drug.as_bytes(), b",,078-05-1120 M\xfcller\n"].concat());
    assert_eq!(told(&place.source(&place.scan(), "csv:a.csv")), ["patient_name plaintext 1", "memo? ssn 1"]);
}

#[test]
fn what_has_to_be_unpacked_is_undecided() {
    let place = Place::new("packed");
    for beginning in [
        &b"\x1f\x8b\x08"[..],
        b"\x28\xb5\x2f\xfd",
        b"PK\x03\x04",
        b"PGDMP\x01",
        b"SQLite format 3\0",
        b"%PDF-1.7",
        b"PAR1",
    ] {
        let path = place.write("a.bin", [beginning, b" nothing to see"].concat());
        let report = Scan::new().file(&path);
        assert_eq!(
            (told(&report), report.verdict()),
            (vec!["undecided format".to_owned()], Verdict::Undecided),
            "{beginning:?}"
        );
        let path = place.write("a.bin", [beginning, b" 078-05-1120 "].concat());
        assert_eq!(told(&Scan::new().file(&path)), ["line 1? ssn 1", "undecided format"], "{beginning:?}");
    }
    let report = Scan::new().file(place.write("empty.log", ""));
    assert_eq!((told(&report), report.rows(), report.verdict()), (vec![], 0, Verdict::Clean));
}

#[test]
fn what_cannot_be_read_is_undecided() {
    let place = Place::new("unread");
    for path in [place.path("absent.log"), place.folder.clone()] {
        let report = Scan::new().file(&path);
        assert_eq!((told(&report), report.verdict()), (vec!["undecided not-read".to_owned()], Verdict::Undecided));
    }
}

/// Longer than what is in memory at once: a number that lies across two pieces is found, once.
#[test]
fn a_line_of_any_length_is_read() {
    let place = Place::new("long");
    let piece = 16 * 1024 * 1024;
    for at in [piece - 64 * 1024 - 6, piece - 64 * 1024, piece - 6, piece - 12, piece, 100] {
        let mut line = vec![b' '; piece + piece / 2];
        line[at..at + 11].copy_from_slice(b"078-05-1120");
        let report = Scan::new().file(place.write("long.log", line));
        assert_eq!(told(&report), ["line 1? ssn 1", "undecided line-too-long"], "{at}");
    }
}

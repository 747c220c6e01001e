//! Counting through a map: tables, files, and what proves that nothing is left under a key.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rxseal::keys::KeyringFile;
use rxseal::phi::{Drug, Note};
use rxseal::testing::{insecure_keyring_file, rotate_keyring};
use rxseal::{KeyId, Keyring, run_local};
use rxseal_map::{Addresses, Map, SourceCounts, count_index_values, count_tokens};

/// A folder of its own, and a keyring of two keys.
struct Place {
    folder: PathBuf,
    ring: KeyringFile,
    old: Keyring,
    new: Keyring,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-map-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (roots, first) = insecure_keyring_file("pharmacy-17").unwrap();
        let ring = run_local(rotate_keyring("pharmacy-17", &roots, &first)).unwrap();
        let unlock = |file| run_local(Keyring::unlock("pharmacy-17", &roots, file)).unwrap().unobserved();
        Self { folder, old: unlock(&first), new: unlock(&ring), ring }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A source whose record type and id do not matter.
    fn map(&self, source: &str) -> Map {
        let text = format!("keyspace = 'pharmacy-17'\n[[source]]\nrecord = 'rx'\nid = 'id'\n{source}\n");
        self.write("map.toml", text);
        Map::read(self.folder.join("map.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn count(&self, source: &str) -> Result<SourceCounts, String> {
        let map = self.map(source);
        run_local(count_tokens(&map.sources()[0], &Addresses::default())).map_err(|error| chain(&error))
    }

    /// How many tokens are under the old key, or why that is not known.
    fn evidence(&self, source: &str) -> Result<u64, String> {
        let map = self.map(source);
        let counts = self.count(source)?;
        let proven = counts.evidence(&map.sources()[0], "pharmacy-17", self.ring.keys(), self.key(&self.old));
        proven.map_err(|no| no.to_string().replace(self.folder.to_str().unwrap(), "HERE"))
    }

    fn key(&self, keys: &Keyring) -> KeyId {
        keys.primary_key()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}

fn drug(keys: &Keyring) -> String {
    keys.record("rx", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap().to_string()
}

fn note(keys: &Keyring) -> String {
    keys.record("rx", 1).unwrap().seal::<Note>("takes it with grapefruit").unwrap().to_string()
}

/// `place: old new plaintext nulls`, and strays.
fn told(place: &Place, counts: &SourceCounts) -> Vec<String> {
    let (old, new) = (place.key(&place.old), place.key(&place.new));
    let of_places = counts.places().iter().map(|of| {
        let c = of.counts();
        format!("{}: {} {} {} {}", of.place(), c.of(old), c.of(new), c.not_tokens(), c.nulls())
    });
    let strays = counts
        .strays()
        .iter()
        .map(|of| format!("stray {}: {} {}", of.column(), of.counts().of(old), of.counts().of(new)));
    of_places.chain(strays).collect()
}

const SEALED: &str = "sealed = { drug = 'rx.drug', 'doc:/note' = 'rx.note', 'doc:/more/*/drug' = 'rx.more' }\ntag = 'tag'\nindex = { ix = 'rx.ix' }";

#[test]
fn a_line_of_json_is_counted_place_by_place() {
    let place = Place::new("ndjson");
    let (old, new, of_note) = (drug(&place.old), drug(&place.new), note(&place.old));
    place.write(
        "out/a.ndjson",
        format!(
            "\u{feff}{{\"id\":1,\"drug\":\"{old}\",\"doc\":{{\"note\":\"{of_note}\",\"more\":[{{\"drug\":\"{new}\"}},{{\"drug\":\"plain\"}},{{}}]}},\"ix\":\"wLgfnGw\"}}\r\n\n\
             {{\"drug\":\"Jane \\u0044oe\",\"doc\":{{\"note\":null}},\"copy\":\"{old}\",\"ix\":[\"wLgfnGw\",\"wLgfnGw\"]}}\n\
             {{\"drug\":7}}"
        ),
    );
    place.write("out/deep/b.ndjson", format!("{{\"drug\":\"{new}\",\"doc\":\"no document\"}}\n"));
    place.write("out/deep/b.txt", "not read");
    let source = format!("at = 'ndjson:out/**/*.ndjson'\n{SEALED}");
    let counts = place.count(&source).unwrap();
    assert_eq!(counts.files(), 2);
    let expected = [
        "drug: 1 1 2 0",
        // Of four rows one has a document without it, one has none, and one has a text in its place.
        "doc:/note: 1 0 1 2",
        "doc:/more/*/drug: 0 1 2 2",
        "tag: 0 0 0 4",
        "stray copy: 1 0",
    ];
    assert_eq!(told(&place, &counts), expected);
    assert_eq!(counts.of(place.key(&place.old)), 3, "the document counts once");
    place.write("out/deep/c.ndjson", format!("{{\"drug\":\"{}\"}}\n{{\"drug\":\"rxs\"}}", &new[..61]));
    let drugs = place.count(&source).unwrap().places()[0].counts().clone();
    assert_eq!((drugs.not_tokens(), drugs.look_alikes()), (4, 1));
    fs::remove_file(place.folder.join("out/deep/c.ndjson")).unwrap();
    let index = run_local(count_index_values(&place.map(&source).sources()[0], &Addresses::default())).unwrap();
    let [ix] = &*index else { panic!("one index") };
    assert_eq!((ix.place().column(), ix.index()), ("ix", "rx.ix"));
    assert_eq!((ix.counts().of(b"\xC0\xB8\x1F"), ix.counts().not_values(), ix.counts().nulls()), (3, 0, 2));

    for (text, part) in [
        ("{\"drug\":\"Jane Doe\"", "bad.ndjson: line 1 is no JSON object"),
        ("{}\n\n[\"Jane Doe\"]\n", "bad.ndjson: line 3 is no JSON object"),
        ("{} Jane Doe", "line 1 is no JSON object"),
        ("{\"a\":\"\u{1}Jane Doe\"}", "line 1 is no JSON object"),
    ] {
        place.write("out/bad.ndjson", text);
        let error = place.count(&source).unwrap_err();
        assert!(error.contains(part) && !error.contains("Jane"), "{error}");
    }
    place.write("out/bad.ndjson", [b"{\"drug\":\"", &[0xFF][..], b"\"}"].concat());
    assert!(place.count(&source).unwrap_err().contains("line 1 is no JSON object"));
    assert!(place.count(&source.replace("out/", "nowhere/")).unwrap_err().contains("no file has such a name"));
}

/// A name that comes twice is read by some programs from its first place and by others from its last.
#[test]
fn each_of_two_members_of_one_name_counts() {
    let place = Place::new("twice");
    let (old, new) = (drug(&place.old), drug(&place.new));
    place.write(
        "a.ndjson",
        format!("{{\"drug\":\"{old}\",\"drug\":\"{new}\",\"doc\":{{\"note\":\"{new}\",\"note\":\"plain\"}}}}"),
    );
    let counts = place.count(&format!("at = 'ndjson:a.ndjson'\n{SEALED}")).unwrap();
    assert_eq!(told(&place, &counts)[..2], ["drug: 1 1 0 0", "doc:/note: 0 1 1 0"]);
}

#[test]
fn a_row_of_csv_is_counted_column_by_column() {
    let place = Place::new("csv");
    let (old, new, of_note) = (drug(&place.old), drug(&place.new), note(&place.new));
    place.write(
        "a.csv",
        format!(
            "id,drug,doc,tag,ix,copy\r\n1,\"{old}\",\"{{\"\"note\"\":\"\"{of_note}\"\"}}\",,wLgfnGw,\"a, b\n{new} c\"\r\n2,{new},,,,\r\n\n3,Jane Doe,[],,x,"
        ),
    );
    let source = format!("at = 'csv:*.csv'\n{SEALED}");
    let expected =
        ["drug: 1 1 1 0", "doc:/note: 0 1 0 2", "doc:/more/*/drug: 0 0 0 3", "tag: 0 0 0 3", "stray copy: 0 1"];
    assert_eq!(told(&place, &place.count(&source).unwrap()), expected);
    let index = run_local(count_index_values(&place.map(&source).sources()[0], &Addresses::default())).unwrap();
    assert_eq!((index[0].counts().total(), index[0].counts().not_values(), index[0].counts().nulls()), (1, 1, 1));
    let wide = format!("id,drug,doc,tag\n1,Jane Doe{}\n", ",".repeat(70_000));
    for (text, part) in [
        ("", "it is empty"),
        (&wide, "more than 65536 fields"),
        ("id;drug\n1;2\n", "names no column drug"),
        ("id,drug,doc,tag\n1,Jane Doe,2\n", "has not 4 fields"),
        ("id,drug,doc,tag\n1,Jane Doe,2,3,4\n", "has not 4 fields"),
        ("id,drug,drug,doc,tag\n", "twice"),
        // A quote that never closes would swallow the rows behind it, and one in the middle shifts them.
        ("id,drug,doc,tag\n1,\"Jane Doe,2,3\n2,,,\n", "line 2: the quote"),
        ("id,drug,doc,tag\n1,\"Jane \\\"Doe\\\"\",2,3\n", "line 2: text is behind the quote"),
        ("\"id,drug,doc,tag\n1,Jane Doe,2,3\n", "line 1: the quote"),
    ] {
        place.write("b.csv", text);
        let error = place.count(&source).unwrap_err();
        assert!(error.contains(part) && error.contains("b.csv") && !error.contains("Jane"), "{text:?}: {error}");
    }
}

/// Longer than any buffer, and not kept.
#[test]
fn files_of_any_length() {
    let place = Place::new("long");
    let old = drug(&place.old);
    let long = "x".repeat(700_000);
    place.write(
        "a.ndjson",
        format!("{{\"drug\":\"{old}\"}}\n").repeat(20_000) + &format!("{{\"a\":\"{long}\",\"drug\":\"{old}\"}}"),
    );
    let counts = place.count("at = 'ndjson:a.ndjson'\nsealed = { drug = 'rx.drug' }").unwrap();
    assert_eq!(counts.of(place.key(&place.old)), 20_001);
    place.write("a.csv", format!("drug,a\n{}{old},\"{long}\"\n", format!("{old},\n").repeat(20_000)));
    let counts = place.count("at = 'csv:a.csv'\nsealed = { drug = 'rx.drug' }").unwrap();
    assert_eq!(counts.of(place.key(&place.old)), 20_001);
}

#[test]
fn a_table_of_sqlite_is_counted_in_one_read() {
    let place = Place::new("sqlite");
    let db = Connection::open(place.folder.join("rx.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, Drug TEXT, doc TEXT, tag BLOB, ix BLOB, copy TEXT, day DATE);
         CREATE VIEW rx_view AS SELECT * FROM rx;",
    )
    .unwrap();
    let (old, new, of_note) = (drug(&place.old), drug(&place.new), note(&place.old));
    let bytes = place.old.record("rx", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap();
    let insert = "INSERT INTO rx (drug, doc, ix, copy) VALUES (?1, ?2, ?3, ?4)";
    db.execute(
        insert,
        (&old, format!("{{\"note\":\"{of_note}\",\"more\":[{{\"drug\":\"{new}\"}}]}}"), b"\xC0\xB8\x1F\x9C\x6C", &new),
    )
    .unwrap();
    db.execute("INSERT INTO rx (drug) VALUES (?1), ('Jane Doe'), (7)", [bytes.as_bytes()]).unwrap();
    let source = format!("at = 'sqlite:rx.db#rx'\n{SEALED}");
    let expected =
        ["drug: 2 0 2 0", "doc:/note: 1 0 0 3", "doc:/more/*/drug: 0 1 0 3", "tag: 0 0 0 4", "stray copy: 0 1"];
    let counts = place.count(&source).unwrap();
    assert_eq!(told(&place, &counts), expected);
    assert_eq!((counts.files(), counts.places()[0].counts().doubt()), (0, None));
    let index = run_local(count_index_values(&place.map(&source).sources()[0], &Addresses::default())).unwrap();
    assert_eq!((index[0].counts().total(), index[0].counts().nulls()), (1, 3));
    let of_view = place.count(&source.replace("#rx", "#rx_view")).unwrap();
    assert!(of_view.places()[0].counts().doubt().unwrap().contains("view"));
    assert!(place.count(&source.replace("#rx", "#absent")).unwrap_err().contains("no table absent"));
    assert!(place.count(&source.replace("rx.db", "absent.db")).unwrap_err().contains("absent.db"));
    assert!(place.count(&source.replace("tag = 'tag'", "tag = 'tagg'")).unwrap_err().contains("no column tagg"));
    assert!(!Path::new(&place.folder.join("absent.db")).exists());
}

/// A token is found in texts that are not UTF-8 or have a NUL in them, and in bytes. In a sealed column such a value is no token.
#[test]
fn strays_are_found_in_what_is_no_text() {
    let place = Place::new("broken");
    let db = Connection::open(place.folder.join("rx.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, latin TEXT, nul TEXT, blob BLOB, other BLOB)",
    )
    .unwrap();
    let (old, new) = (drug(&place.old), drug(&place.new));
    let bytes = [b"\xff\0\x07", old.as_bytes(), b"\xfe"].concat();
    db.execute(
        "INSERT INTO rx (drug, latin, nul, blob, other) VALUES (?1, CAST(?2 AS TEXT), ?3, ?2, x'ff00')",
        (&new, &bytes, format!("x\0{old}")),
    )
    .unwrap();
    let source = "at = 'sqlite:rx.db#rx'\nsealed = { drug = 'rx.drug' }";
    let counts = place.count(source).unwrap();
    assert_eq!(told(&place, &counts), ["drug: 0 1 0 0", "stray latin: 1 0", "stray nul: 1 0", "stray blob: 1 0"]);
    assert!(place.evidence(source).unwrap_err().contains("the column latin, which the map does not call sealed"));
    for column in ["latin", "nul", "blob"] {
        let counts = place.count(&source.replace("drug =", &format!("{column} ="))).unwrap();
        assert_eq!(counts.places()[0].counts().not_sealed(), 1, "{column}");
    }
    place.write("a.csv", [b"drug,latin\n", new.as_bytes(), b",\xff ", old.as_bytes(), b"\n"].concat());
    let counts = place.count("at = 'csv:a.csv'\nsealed = { drug = 'rx.drug' }").unwrap();
    assert_eq!(told(&place, &counts), ["drug: 0 1 0 0", "stray latin: 1 0"]);
}

/// Rows that name no keyspace are in no job, wherever they are.
#[test]
fn rows_without_a_keyspace_are_counted() {
    let place = Place::new("tenants");
    let new = drug(&place.new);
    let db = Connection::open(place.folder.join("rx.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, Tenant, doc TEXT)").unwrap();
    let mut lines = String::new();
    let mut table = String::from("drug,tenant\n");
    for (sql, json, csv) in [
        ("'pharmacy-17'", "\"pharmacy-17\"", "pharmacy-17"),
        ("'pharmacy-17'", "\"pharmacy-17\"", "pharmacy-17"),
        ("18", "18", "18"),
        ("NULL", "null", ""),
        ("''", "\"\"", ""),
        ("'Pharmacy 17'", "\"Pharmacy 17\"", "Pharmacy 17"),
        ("x'ff'", "[1]", "\u{e4}"),
    ] {
        let doc = format!("{{\"of\":{{\"tenant\":{json}}}}}");
        db.execute(&format!("INSERT INTO rx (drug, tenant, doc) VALUES (?1, {sql}, ?2)"), (&new, &doc)).unwrap();
        lines.push_str(&format!("{{\"drug\":\"{new}\",\"tenant\":{json},\"doc\":{doc}}}\n"));
        table.push_str(&format!("{new},{csv}\n"));
    }
    db.execute("INSERT INTO rx (drug, doc) VALUES (?1, NULL)", [&new]).unwrap();
    lines.push_str(&format!("{{\"drug\":\"{new}\"}}\n"));
    table.push_str(&format!("{new},\n"));
    place.write("a.ndjson", lines);
    place.write("a.csv", table);
    for (at, column) in [
        ("sqlite:rx.db#rx", "tenant"),
        ("sqlite:rx.db#rx", "doc:/of/tenant"),
        ("ndjson:a.ndjson", "tenant"),
        ("ndjson:a.ndjson", "doc:/of/tenant"),
        ("csv:a.csv", "tenant"),
    ] {
        let source = format!("at = '{at}'\nsealed = {{ drug = 'rx.drug' }}\nkeyspace = {{ column = '{column}' }}");
        let counts = place.count(&source).unwrap();
        let named: Vec<_> = counts.rows_by_keyspace().collect();
        assert_eq!((named, counts.rows_without_keyspace()), (vec![("18", 1), ("pharmacy-17", 2)], 5), "{at} {column}");
    }
    let counts = place.count("at = 'csv:a.csv'\nsealed = { drug = 'rx.drug' }").unwrap();
    assert_eq!((counts.rows_by_keyspace().count(), counts.rows_without_keyspace()), (0, 0), "all are of one");
}

/// Each looks like a source in which nothing is left.
#[test]
fn a_source_that_proves_nothing_says_why() {
    let place = Place::new("evidence");
    let (old, new) = (drug(&place.old), drug(&place.new));
    let foreign = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    let foreign = drug(&foreign);
    let sealed = "at = 'csv:a.csv'\nsealed = { drug = 'rx.drug', note = 'rx.note' }";
    let rows = |rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|(drug, note)| format!("{drug},{note},1\n"));
        place.write("a.csv", format!("drug,note,id\n{}", rows.collect::<String>()));
    };
    rows(&[(&new, &new), (&old, &new), (&foreign, &new)]);
    assert_eq!(place.evidence(sealed), Ok(1));
    for (has, empty, part) in [
        (&[][..], "", "csv:a.csv, drug: it has no rows"),
        (&[("", ""), ("", "")], "", "csv:a.csv, drug: it has 2 rows and no value"),
        (&[(&*new, ""), (&new, "")], "", "csv:a.csv, note: it has 2 rows and no value"),
        (&[(&foreign, &new)], "", "drug: it has 1 tokens, all of other keyrings"),
        (&[(&new, "Jane Doe")], "", "note: 1 values have no readable token"),
        (&[(&new, &new)], "empty = true", "drug: the map says that it is empty, and it has 1 tokens"),
        (&[(&new, &new)], "empty = { columns = ['note'] }", "note: the map says that it is empty"),
        (&[(&new, &new)], "empty = { keyspaces = ['pharmacy-17'] }", "no token of pharmacy-17, and it has 1"),
        (&[(&new, &new)], "keyspace = 'pharmacy-18'", "no token of pharmacy-17, and it has 1"),
        (&[(&new, &new), ("", &old[..61])], "", "note: 1 values have no readable token"),
    ] {
        rows(has);
        let why = place.evidence(&format!("{sealed}\n{empty}")).unwrap_err();
        assert!(why.contains(part) && !why.contains("Jane"), "{why}");
    }
    rows(&[(&new, "")]);
    assert_eq!(place.evidence(&format!("{sealed}\nempty = {{ columns = ['note'] }}")), Ok(0));
    rows(&[("", "")]);
    assert_eq!(place.evidence(&format!("{sealed}\nempty = true")), Ok(0));
    rows(&[(&foreign, &foreign)]);
    assert_eq!(place.evidence(&format!("{sealed}\nempty = {{ keyspaces = ['pharmacy-17'] }}")), Ok(0));
    assert_eq!(place.evidence(&format!("{sealed}\nkeyspace = 'pharmacy-18'")), Ok(0), "another keyspace's");
    fs::remove_file(place.folder.join("a.csv")).unwrap();
    assert_eq!(place.evidence(&format!("{sealed}\nempty = true")), Ok(0));
    // A copy in a column that nobody reseals.
    place.write("a.csv", format!("drug,note,id,copy\n{new},{new},1,{old}\n"));
    assert!(place.evidence(sealed).unwrap_err().contains("1 tokens under the key are in the column copy"));
    place.write("a.csv", format!("drug,note,id,copy\n{new},{new},1,{new}\n"));
    assert_eq!(place.evidence(sealed), Ok(0), "a copy under another key is not lost");
}

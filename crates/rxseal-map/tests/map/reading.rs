//! Reading a map, and what is said of mistakes in one.

use std::fs;

use rxseal_map::{At, ClearKind, Empty, Keyspace, Map};

/// With everything that a map may say.
const FULL: &str = r#"
# Where the pharmacy's sealed data lies.
keyspace = "pharmacy-17"

[[source]]
at      = "postgres:public.prescriptions"
record  = "prescription"
was     = ["rx", "script"]
id      = "rx_number"
subject = "patient_id"
sealed  = { patient_name = "phi.patient.name", drug = "phi.rx.drug", "doc:/note~1s/0" = "phi.note" }
index   = { name_ix = "patient.last" }
tag     = "tag"
clear   = { rx_number = "identifier", filled_at = "date", "doc:/refills" = "none" }

[[source]]
at       = 'sqlite:data/old.db#"dis.pensed"'
keyspace = { column = "tenant" }
record   = "fill"
id       = ["store", "rx_number"]
empty    = true
[source.sealed]
lot = "phi.fill.lot"

[[source]]
at = "ndjson:exports/**/*.ndjson"
keyspace = ["pharmacy-17", "pharmacy-18"]
record = "prescription"
id = "rx"
empty = { keyspaces = ["pharmacy-18"], columns = ["drug"] }
sealed = { drug = "phi.rx.drug" }
"#;

#[test]
fn a_map_says_what_it_has() {
    let map = Map::parse(FULL).unwrap();
    assert_eq!(map.keyspace(), &Keyspace::One("pharmacy-17".to_owned()));
    let [first, second, third] = map.sources() else { panic!("three sources") };
    assert_eq!((first.line(), first.name()), (5, "postgres:public.prescriptions"));
    assert_eq!(first.at(), &At::Postgres { table: "public.prescriptions".to_owned() });
    assert_eq!(first.was().collect::<Vec<_>>(), ["rx", "script"]);
    assert_eq!(first.subject().unwrap().to_string(), "patient_id");
    let sealed: Vec<_> = first.sealed().iter().map(|sealed| (sealed.place().to_string(), sealed.field())).collect();
    let expected = [("patient_name", "phi.patient.name"), ("drug", "phi.rx.drug"), ("doc:/note~1s/0", "phi.note")];
    assert_eq!(sealed, expected.map(|(place, field)| (place.to_owned(), field)), "in the order of the file");
    assert_eq!((first.sealed()[2].place().column(), first.sealed()[2].place().pointer()), ("doc", Some("/note~1s/0")));
    assert_eq!((first.index()[0].place().column(), first.index()[0].index()), ("name_ix", "patient.last"));
    assert_eq!(first.tag().unwrap().column(), "tag");
    assert_eq!(first.keyspace(), map.keyspace());
    let kinds = ["rx_number", "patient_id", "filled_at", "doc", "drug", "price"].map(|column| first.clear_kind(column));
    assert_eq!(
        kinds,
        [Some(ClearKind::Identifier), Some(ClearKind::Identifier), Some(ClearKind::Date), None, None, None]
    );
    let columns = ["doc", "drug", "filled_at", "name_ix", "patient_id", "patient_name", "rx_number", "tag"];
    assert_eq!(first.columns(), columns);
    assert_eq!(
        (first.empty(), second.empty().is_all(), third.empty().is_keyspace("pharmacy-17")),
        (&Empty::default(), true, false)
    );
    assert!(third.empty().is_column(third.sealed()[0].place()) && !third.empty().is_all());
    assert!(third.empty().is_keyspace("pharmacy-18") && third.keyspace().may_be("pharmacy-18"));
    assert_eq!(second.id().iter().map(ToString::to_string).collect::<Vec<_>>(), ["store", "rx_number"]);
    assert_eq!(second.keyspace().column().unwrap().column(), "tenant");
    assert_eq!(second.at().table(), Some("\"dis.pensed\""));
    assert!(map.source("postgres:public.prescriptions").is_some() && map.source("csv:a").is_none());
    assert_ne!(map.digest(), Map::parse(&FULL.replace("# Where", "# There")).unwrap().digest());
}

/// A file that is not below the folder would be the data itself.
#[test]
fn a_map_for_copies() {
    let folder = std::env::temp_dir().join(format!("rxseal-map-copies-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("rxseal-map.toml");
    fs::write(&path, FULL).unwrap();
    let map = Map::read_for_copies(&path, "restored").unwrap();
    assert_eq!(map.digest(), Map::read(&path).unwrap().digest());
    let At::Sqlite { file, .. } = map.sources()[1].at() else { panic!("SQLite") };
    assert_eq!(file, std::path::Path::new("restored/data/old.db"));
    assert_eq!(map.sources()[2].at().to_string(), "ndjson:restored/exports/**/*.ndjson");
    for away in ["../old.db", "/data/old.db", "data/../../old.db"] {
        fs::write(&path, FULL.replace("data/old.db", away)).unwrap();
        let mistakes = Map::read_for_copies(&path, "restored").unwrap_err();
        let found: Vec<_> = mistakes.iter().map(|mistake| (mistake.line(), mistake.key())).collect();
        assert_eq!(found, [(map.sources()[1].line(), "source.at")], "{away}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// Files are relative to the map, wherever the process runs.
#[test]
fn a_map_in_a_file() {
    let folder = std::env::temp_dir().join(format!("rxseal-map-[{}]", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("rxseal-map.toml");
    fs::write(&path, FULL).unwrap();
    let map = Map::read(&path).unwrap();
    assert_eq!(map.digest(), Map::parse(FULL).unwrap().digest());
    let At::Sqlite { file, .. } = map.sources()[1].at() else { panic!("SQLite") };
    assert_eq!(*file, folder.join("data/old.db"));
    let At::Ndjson { glob } = map.sources()[2].at() else { panic!("NDJSON") };
    assert!(glob.contains("-[[]") && glob.ends_with("/exports/**/*.ndjson"), "{glob}: the folder is no pattern");
    assert_eq!(map.sources()[2].name(), "ndjson:exports/**/*.ndjson");

    fs::write(&path, "keyspace = 3").unwrap();
    let text = Map::read(&path).unwrap_err().to_string();
    assert!(text.starts_with(&format!("{}: line 1, ", path.display())), "{text}");
    fs::write(&path, [0xFF]).unwrap();
    assert!(Map::read(&path).unwrap_err().to_string().contains("cannot be read"));
    fs::write(&path, " ".repeat(Map::MAX_LEN + 1)).unwrap();
    assert!(Map::read(&path).unwrap_err().to_string().contains("1 MiB"));
    assert!(
        Map::read(folder.join("absent.toml")).unwrap_err().to_string().contains("absent.toml: the map cannot be read")
    );
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn each_mistake_has_its_line_its_key_and_what_to_do() {
    let good =
        "keyspace = 'a'\n[[source]]\nat = 'csv:x.csv'\nrecord = 'rx'\nid = 'id'\nsealed = { drug = 'rx.drug' }\n";
    assert!(Map::parse(good).is_ok());
    for (from, to, line, key, part) in [
        ("keyspace = 'a'\n", "", 1, "keyspace", "it is missing"),
        ("keyspace = 'a'", "keyspace = 3", 1, "keyspace", "{ column"),
        ("keyspace = 'a'", "keyspace = ''", 1, "keyspace", "it is empty"),
        ("keyspace = 'a'", "keyspace = []", 1, "keyspace", "the list is empty"),
        ("keyspace = 'a'", "keyspace = ['b', 'b']", 1, "keyspace", "twice"),
        ("keyspace = 'a'", "keyspace = { columns = 'tenant' }", 1, "keyspace", "{ column"),
        ("keyspace = 'a'", "keyspace = { column = 'a', b = 'c' }", 1, "keyspace", "{ column"),
        ("keyspace = 'a'", "keyspace = 'a'\nstore = 'x'", 2, "store", "the keys are keyspace, elsewhere, source"),
        ("keyspace = 'a'", "keyspace = 'a'\nkeyspace = 'b'", 2, "", "not TOML: duplicate key"),
        ("[[source]]", "[source]", 2, "source", "in two brackets"),
        ("at = 'csv:x.csv'\n", "", 2, "source.at", "it is missing"),
        ("csv:x.csv", "x.csv", 3, "source.at", "postgres:SCHEMA.TABLE"),
        ("csv:x.csv", "log:x", 3, "source.at", "\"log\" is no kind"),
        ("csv:x.csv", "csv:", 3, "source.at", "no file is named"),
        ("csv:x.csv", "csv:a***b", 3, "source.at", "pattern"),
        ("csv:x.csv", "postgres:rx", 3, "source.at", "has no schema"),
        ("csv:x.csv", "postgres:a.b.c", 3, "source.at", "schema.table"),
        ("csv:x.csv", "postgres://kim:hunter2@db/rx", 3, "source.at", "address is given to the command"),
        ("csv:x.csv", "sqlite:a.db", 3, "source.at", "sqlite:FILE#TABLE"),
        ("csv:x.csv", "sqlite::memory:#rx", 3, "source.at", "file of the database"),
        ("csv:x.csv", "sqlite:a.db#", 3, "source.at", "table"),
        ("record = 'rx'\n", "", 2, "source.record", "it is missing"),
        ("record = 'rx'", "record = 'Rx'", 4, "source.record", "begins with a letter or a digit"),
        ("record = 'rx'", "record = 'rx'\nwas = 'rx'", 5, "source.was", "present name"),
        ("record = 'rx'", "record = 'rx'\nwas = ['a','b','c','d','e']", 5, "source.was", "at most 4"),
        ("record = 'rx'", "record = 'rx'\nsubjct = 'id'", 5, "source.subjct", "no such key"),
        ("id = 'id'\n", "", 2, "source.id", "it is missing"),
        ("id = 'id'", "id = []", 5, "source.id", "the list is empty"),
        ("id = 'id'", "id = [7]", 5, "source.id", "in quotes"),
        ("id = 'id'", "id = 'a:/b~2'", 5, "source.id", "JSON pointer"),
        ("id = 'id'", "id = 'drug'", 2, "source.id", "the column drug is also named in `sealed`"),
        ("sealed = { drug = 'rx.drug' }\n", "", 2, "source.sealed", "it is missing"),
        ("sealed = { drug = 'rx.drug' }", "sealed = 'drug'", 6, "source.sealed", "it is no table"),
        ("sealed = { drug = 'rx.drug' }", "sealed = {}", 6, "source.sealed", "no column is sealed"),
        ("sealed = { drug = 'rx.drug' }", "sealed = { drug = 7 }", 6, "source.sealed.drug", "in quotes"),
        ("{ drug = 'rx.drug' }", "{ drug = 'rx drug' }", 6, "source.sealed.drug", "is no name"),
        ("{ drug = 'rx.drug' }", "{ a = 'rx.drug', b = 'rx.drug' }", 6, "source.sealed.b", "could be swapped"),
        ("{ drug = 'rx.drug' }", "{ doc = 'a', 'doc:/b' = 'c' }", 6, "source.sealed", "one inside the other"),
        ("id = 'id'", "id = 'id'\nindex = { drug = 'rx.drug' }", 6, "source.index", "also named in `sealed`"),
        ("id = 'id'", "id = 'id'\nindex = { a = 'i', b = 'i' }", 6, "source.index.b", "the index i is in a too"),
        ("id = 'id'", "id = 'id'\ntag = 'drug'", 2, "source.tag", "also named in `sealed`"),
        ("id = 'id'", "id = 'id'\nclear = { drug = 'health' }", 6, "source.clear", "also named in `sealed`"),
        ("id = 'id'", "id = 'id'\nclear = { day = 'time' }", 6, "source.clear.day", "identifier, name, contact"),
        ("id = 'id'", "id = 'id'\nempty = false", 6, "source.empty", "leave it out"),
        ("id = 'id'", "id = 'id'\nempty = { columns = ['id'] }", 2, "source.empty.columns", "not among the sealed"),
        (
            "id = 'id'",
            "id = 'id'\nempty = { keyspace = 'a' }",
            6,
            "source.empty.keyspace",
            "the keys are columns, keyspaces",
        ),
        ("id = 'id'", "id = 'id' id", 5, "", "not TOML"),
    ] {
        assert!(good.contains(from), "{from}");
        let mistakes = Map::parse(&good.replacen(from, to, 1)).unwrap_err();
        let mistake = mistakes.iter().next().unwrap();
        assert_eq!((mistake.line(), mistake.key()), (line, key), "{to}: {mistakes}");
        assert!(mistake.text().contains(part), "{to}: {mistakes}");
        assert!(!mistakes.to_string().contains("hunter2"));
    }
    let both =
        format!("{good}[[source]]\nat = 'csv:./x.csv'\nrecord = 'rx'\nid = 'id'\nsealed = {{ note = 'rx.note' }}\n");
    assert!(Map::parse(&both).unwrap_err().to_string().contains("line 7, source.at: the source on line 2 is the same"));
    let patients =
        both.replacen("record = 'rx'\nid = 'id'\nsealed = { note", "record = 'patient'\nid = 'id'\nsealed = { note", 1);
    let map = Map::parse(&patients).unwrap();
    assert_eq!(map.sources().len(), 2, "two record types of one file");
    let overlapping = patients.replace("{ note", "{ drug");
    assert!(Map::parse(&overlapping).unwrap_err().to_string().contains("has the column drug too"));
    let two = good.replace("id = 'id'", "idd = 'id'").replace("record = 'rx'", "record = ''");
    assert_eq!(Map::parse(&two).unwrap_err().iter().count(), 3, "all of them");
}

/// Whatever the text is, reading it ends in a map or in mistakes whose lines are lines of it.
#[test]
fn any_text_is_a_map_or_has_mistakes() {
    let mut seed = 0x5eed_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let pieces = [
        "[[source]]",
        "\n",
        "{",
        "}",
        "=",
        "'",
        "\"",
        "[",
        "]",
        ",",
        ".",
        "id",
        ":/",
        "~",
        "#",
        "é",
        "\u{0}",
        "7",
        "true",
        " at ",
    ];
    for _ in 0..3000 {
        let mut text = FULL.to_owned();
        for _ in 0..=random(4) {
            let from = text.floor_char_boundary(random(text.len() + 1));
            match random(3) {
                0 => text.replace_range(from..text.floor_char_boundary((from + 4).min(text.len())), ""),
                1 => text.insert_str(from, pieces[random(pieces.len())]),
                _ => text.truncate(from.max(1)),
            }
        }
        if let Err(mistakes) = Map::parse(&text) {
            assert!(mistakes.iter().count() > 0);
            let lines = text.matches('\n').count() + 1;
            assert!(mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line())), "{text}\n{mistakes}");
        }
    }
}

//! Fields and rows that a schema declares, for tools without the Rust types: they are sealed as the derive seals them, and opened to what
//! the column held.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use rxseal::observe::{KeyEvent, Observer, OpenEvent};
use rxseal::page::{Backfilled, open_page, rebind_page, reseal_page, seal_page};
use rxseal::schema::{DeclaredRow, Plain, RecordSchema, Schema};
use rxseal::testing::insecure_keyring;
use rxseal::{Access, Keyring, PhiRecord, Purpose, Record, RecordTag, SealedRecord, Token};

rxseal::fields! {
    pub Text = "all.text" in Clinical, was "all.note" in Clinical;
    pub Char = "all.char" in Clinical;
    pub Flag = "all.flag" in Clinical;
    pub Small = "all.small" in Medication;
    pub Large = "all.large" in Medication;
    pub Wide = "all.wide" in Medication;
    pub Single = "all.single" in Medication;
    pub Double = "all.double" in Medication;
    pub Day = "all.day" in Identity;
    pub Time = "all.time" in Identity;
    pub Civil = "all.civil" in Identity;
    pub Moment = "all.moment" in Identity;
    pub JiffDay = "all.jiff-day" in Identity;
    pub JiffMoment = "all.jiff-moment" in Identity;
    pub Written = "all.written" in Identity;
    pub Fill = "all.fill" in Coverage;
    pub Price = "all.price" in Coverage;
    pub Bytes = "all.bytes" in Clinical { block: 64 };
    pub List = "all.list" in Clinical;
    pub Document = "all.document" in Clinical { max: 4096 };
    pub Maybe = "all.maybe" in Contact;
    pub Sealed = "all.sealed" in Contact;
}

/// A struct with a field of every content.
#[derive(PhiRecord)]
#[phi(record = "all", was = "all.before")]
struct All {
    #[phi(id)]
    id: u64,
    #[phi(id)]
    store: String,
    #[phi(subject)]
    patient: Option<String>,
    #[phi(seal = Text)]
    text: String,
    #[phi(seal = Char)]
    char: char,
    #[phi(seal = Flag)]
    flag: bool,
    #[phi(seal = Small)]
    small: u8,
    #[phi(seal = Large)]
    large: i64,
    #[phi(seal = Wide)]
    wide: u128,
    #[phi(seal = Single)]
    single: f32,
    #[phi(seal = Double)]
    double: f64,
    #[phi(seal = Day)]
    day: NaiveDate,
    #[phi(seal = Time)]
    time: NaiveTime,
    #[phi(seal = Civil)]
    civil: NaiveDateTime,
    #[phi(seal = Moment)]
    moment: DateTime<Utc>,
    #[phi(seal = JiffDay)]
    jiff_day: jiff::civil::Date,
    #[phi(seal = JiffMoment)]
    jiff_moment: jiff::Timestamp,
    #[phi(seal = Written, with = "time::serde::rfc3339")]
    written: time::OffsetDateTime,
    #[phi(seal = Fill)]
    fill: uuid::Uuid,
    #[phi(seal = Price)]
    price: Decimal,
    #[phi(seal = Bytes, with = "bytes")]
    bytes: Vec<u8>,
    #[phi(seal = List)]
    list: Vec<u8>,
    #[phi(seal = Document)]
    document: serde_json::Value,
    #[phi(seal = Option<Maybe>)]
    maybe: Option<String>,
    #[phi(seal = Sealed, since = 2)]
    sealed: Option<u16>,
    #[phi(clear)]
    shelf: String,
    #[phi(clear, bind = "all.refills")]
    refills: u8,
    #[phi(clear, bind = "all.filled", since = 2)]
    filled: Option<DateTime<Utc>>,
    #[phi(clear, bind = "all.cost", scale = 2)]
    cost: Decimal,
    #[phi(record_tag)]
    tag: RecordTag,
}

/// As `serde_bytes` writes them.
mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        // Bytes are offered as a list (FORMAT 7.13).
        Vec::deserialize(deserializer)
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    fn plain(&self) -> Plain<'_> {
        match self {
            Self::Null => Plain::Null,
            Self::Text(text) => Plain::Text(text),
            Self::Bytes(bytes) => Plain::Bytes(bytes),
        }
    }

    fn of(plain: Plain<'_>) -> Self {
        match plain {
            Plain::Text(text) => Self::Text(text.into()),
            Plain::Bytes(bytes) => Self::Bytes(bytes.into()),
            _ => Self::Null,
        }
    }
}

fn text(text: impl ToString) -> Cell {
    Cell::Text(text.to_string())
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A record, the cells of its fields and those of its bound values.
fn random(at: u64, random: &mut Random) -> (All, Vec<Cell>, Vec<Cell>) {
    let seconds = i64::try_from(random.below(4_000_000_000)).unwrap();
    let micros = u32::try_from(random.below(1_000_000)).unwrap();
    let moment = DateTime::from_timestamp(seconds, micros * 1000).unwrap();
    let civil = moment.naive_utc();
    let words = ["", "warfarin 5 MG", "Ä\"\\\n", "rx", "null", "{}", "007"];
    let word = |random: &mut Random| words[usize::try_from(random.below(words.len() as u64)).unwrap()].to_owned();
    let bytes: Vec<u8> = (0..random.below(40)).map(|_| random.below(256) as u8).collect();
    let document = match random.below(5) {
        0 => serde_json::json!({"a": [1, null, {"b": word(random)}], "ä": -0.5}),
        1 => serde_json::Value::String(word(random)),
        2 => serde_json::json!([1, 2, 3]),
        3 => serde_json::Value::Null,
        _ => serde_json::json!(random.next()),
    };
    let all = All {
        id: at,
        store: "a".into(),
        patient: at.is_multiple_of(2).then(|| "P-7".into()),
        text: word(random),
        char: ['x', 'Ä', '0', '"'][usize::try_from(random.below(4)).unwrap()],
        flag: random.below(2) == 0,
        small: random.next() as u8,
        large: random.next() as i64,
        wide: u128::from(random.next()) << random.below(65),
        single: random.below(1000) as f32 / 8.0 - 50.0,
        double: f64::from_bits(random.next() >> 2),
        day: civil.date(),
        time: civil.time(),
        civil,
        moment,
        jiff_day: jiff::civil::date(2000, 2, 29),
        jiff_moment: jiff::Timestamp::from_microsecond(moment.timestamp_micros()).unwrap(),
        written: time::OffsetDateTime::from_unix_timestamp(seconds).unwrap(),
        fill: uuid::Uuid::from_u128(u128::from(random.next())),
        price: Decimal::new(random.next() as i64 >> 3, u32::try_from(random.below(20)).unwrap()),
        bytes: bytes.clone(),
        list: bytes,
        document,
        maybe: (random.below(2) == 0).then(|| word(random)),
        sealed: (random.below(2) == 0).then(|| random.next() as u16),
        shelf: "A 3".into(),
        refills: random.next() as u8,
        filled: (random.below(2) == 0).then_some(moment),
        cost: Decimal::new(i64::try_from(random.below(100_000)).unwrap(), 2),
        tag: RecordTag::new(),
    };
    let optional = |value: Option<String>| value.map_or(Cell::Null, Cell::Text);
    let iso = |micros: bool| if micros { chrono::SecondsFormat::AutoSi } else { chrono::SecondsFormat::Secs };
    let cells = vec![
        text(&all.text),
        text(all.char),
        text(all.flag),
        text(all.small),
        text(all.large),
        text(all.wide),
        text(serde_json::to_string(&all.single).unwrap()),
        text(serde_json::to_string(&all.double).unwrap()),
        text(all.day),
        text(serde_json::to_string(&all.time).unwrap().trim_matches('"')),
        text(serde_json::to_string(&all.civil).unwrap().trim_matches('"')),
        text(all.moment.to_rfc3339_opts(iso(true), true)),
        text(all.jiff_day),
        text(all.jiff_moment),
        text(all.moment.to_rfc3339_opts(iso(false), true)),
        text(all.fill),
        text(all.price),
        Cell::Bytes(all.bytes.clone()),
        Cell::Bytes(all.list.clone()),
        text(&all.document),
        optional(all.maybe.clone()),
        optional(all.sealed.map(|number| number.to_string())),
    ];
    let bound = vec![
        text(all.refills),
        optional(all.filled.map(|filled| filled.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string())),
        text(all.cost),
    ];
    (all, cells, bound)
}

fn assert_same(a: &All, b: &All) {
    assert_eq!(
        (&a.text, a.char, a.flag, a.small, a.large, a.wide),
        (&b.text, b.char, b.flag, b.small, b.large, b.wide)
    );
    assert_eq!(
        (a.single, a.double.to_bits(), a.day, a.time, a.civil, a.moment),
        (b.single, b.double.to_bits(), b.day, b.time, b.civil, b.moment)
    );
    assert_eq!(
        (a.jiff_day, a.jiff_moment, a.written, a.fill, a.price),
        (b.jiff_day, b.jiff_moment, b.written, b.fill, b.price)
    );
    assert_eq!(
        (&a.bytes, &a.list, &a.document, &a.maybe, a.sealed),
        (&b.bytes, &b.list, &b.document, &b.maybe, b.sealed)
    );
}

fn schema() -> RecordSchema {
    // Through its file, as a tool has it.
    let schema = Schema::parse(&Schema::new().with::<All>().unwrap().to_json()).unwrap();
    schema.record("all").unwrap().clone()
}

fn access() -> Access {
    Access::new("job:test", Purpose::HOPERAT).unwrap()
}

fn tokens_of(row: &SealedAll) -> Vec<Option<Token>> {
    vec![
        Some(row.text.token().clone()),
        Some(row.char.token().clone()),
        Some(row.flag.token().clone()),
        Some(row.small.token().clone()),
        Some(row.large.token().clone()),
        Some(row.wide.token().clone()),
        Some(row.single.token().clone()),
        Some(row.double.token().clone()),
        Some(row.day.token().clone()),
        Some(row.time.token().clone()),
        Some(row.civil.token().clone()),
        Some(row.moment.token().clone()),
        Some(row.jiff_day.token().clone()),
        Some(row.jiff_moment.token().clone()),
        Some(row.written.token().clone()),
        Some(row.fill.token().clone()),
        Some(row.price.token().clone()),
        Some(row.bytes.token().clone()),
        Some(row.list.token().clone()),
        Some(row.document.token().clone()),
        row.maybe.as_ref().map(|token| token.token().clone()),
        Some(row.sealed.token().clone()),
    ]
}

/// The row that a program reads, of tokens that a tool wrote.
fn with_tokens(row: &SealedAll, tokens: &[Option<Token>], tag: RecordTag) -> SealedAll {
    let [
        text,
        char,
        flag,
        small,
        large,
        wide,
        single,
        double,
        day,
        time,
        civil,
        moment,
        jiff_day,
        jiff_moment,
        written,
        fill,
        price,
        bytes,
        list,
        document,
        maybe,
        sealed,
    ] = tokens
    else {
        panic!()
    };
    let one = |token: &Option<Token>| token.clone().unwrap();
    SealedAll {
        text: one(text).into(),
        char: one(char).into(),
        flag: one(flag).into(),
        small: one(small).into(),
        large: one(large).into(),
        wide: one(wide).into(),
        single: one(single).into(),
        double: one(double).into(),
        day: one(day).into(),
        time: one(time).into(),
        civil: one(civil).into(),
        moment: one(moment).into(),
        jiff_day: one(jiff_day).into(),
        jiff_moment: one(jiff_moment).into(),
        written: one(written).into(),
        fill: one(fill).into(),
        price: one(price).into(),
        bytes: one(bytes).into(),
        list: one(list).into(),
        document: one(document).into(),
        maybe: maybe.clone().map(Into::into),
        sealed: one(sealed).into(),
        tag,
        ..row.clone()
    }
}

fn rows() -> u64 {
    if std::env::var_os("RXSEAL_FULL").is_some() { 1000 } else { 40 }
}

#[test]
fn a_tool_seals_and_opens_what_the_program_opens_and_seals() {
    let (keys, schema, access) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema(), access());
    let contents: Vec<_> = schema.fields().iter().map(|field| field.content().unwrap().to_string()).collect();
    assert_eq!(
        contents,
        [
            "text",
            "char",
            "bool",
            "u8",
            "i64",
            "u128",
            "f32",
            "f64",
            "date",
            "time",
            "date-time",
            "timestamp",
            "date",
            "timestamp",
            "timestamp",
            "uuid",
            "decimal",
            "bytes",
            "byte-list",
            "json",
            "text",
            "u16"
        ]
    );
    let (patient, _) = keys.create_subject_key("P-7").unwrap();
    let mut source = Random(42);
    for at in 0..rows() {
        let (all, cells, bound) = random(at, &mut source);
        let id = schema.record_id(&[Plain::Text(&at.to_string()), Plain::Text("a")]).unwrap();
        let record_type = keys.record_type_of(&schema).unwrap();
        let record = match all.patient {
            Some(_) => record_type.record_with(id, &patient).unwrap(),
            None => record_type.record(id).unwrap(),
        };
        let (cells_in, bound_in): (Vec<_>, Vec<_>) =
            (cells.iter().map(Cell::plain).collect(), bound.iter().map(Cell::plain).collect());

        // The program's row, opened by the tool.
        let subjects = keys.with_subjects(&patient);
        let row = subjects.seal(&all).unwrap();
        let declared = DeclaredRow::new(&schema, tokens_of(&row), &bound_in, row.tag).unwrap();
        declared.verify(&record).unwrap();
        let opened = record.opened_by(&access).open_fields(|pass| pass.open_row(&declared)).unwrap();
        let opened: Vec<_> = opened.iter().map(|opened| Cell::of(opened.expose())).collect();
        assert_eq!(opened, cells, "row {at}");

        // The tool's row, opened by the program.
        let sealed = record.seal_fields(|pass| pass.seal_row(&schema, &cells_in, &bound_in, RecordTag::new())).unwrap();
        let sealed: Vec<_> = sealed.tokens().iter().map(|tokens| tokens.one().cloned()).chain([]).collect::<Vec<_>>();
        let tag = {
            let row = DeclaredRow::new(&schema, sealed.clone(), &bound_in, RecordTag::new()).unwrap();
            record.reseal_fields(|pass| pass.tag_row(&row)).unwrap()
        };
        let by_tool = with_tokens(&row, &sealed, tag);
        assert_same(&subjects.open(&by_tool, &access).unwrap(), &all);
        by_tool.check(&subjects).unwrap();

        // Resealed by the tool, in pages.
        let records = [record];
        let moved = reseal_page(&records, |_, pass| pass.reseal_row(&declared)).unwrap();
        assert_eq!(moved[0].tag().version(), 2);
        let moved_tokens: Vec<_> = moved[0].tokens().iter().map(|tokens| tokens.one().cloned()).collect();
        let resealed = with_tokens(&row, &moved_tokens, moved[0].tag());
        assert_same(&subjects.open(&resealed, &access).unwrap(), &all);
        assert!(moved_tokens.iter().zip(tokens_of(&row)).all(|(moved, token)| moved.is_none() || *moved != token));
    }
}

#[test]
fn a_broken_row_is_neither_opened_nor_blessed() {
    let (keys, schema, access) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema(), access());
    let (all, _, bound) = random(1, &mut Random(7));
    let (other, _, _) = random(1, &mut Random(8));
    let bound: Vec<_> = bound.iter().map(Cell::plain).collect();
    let (row, other) = (keys.seal(&all).unwrap(), keys.seal(&other).unwrap());
    let record = keys.record("all", "1/a").unwrap();
    let code = |tokens: Vec<Option<Token>>, bound: &[Plain<'_>], tag| {
        let row = DeclaredRow::new(&schema, tokens, bound, tag).unwrap();
        let codes = [
            row.verify(&record).unwrap_err(),
            record.reseal_fields(|pass| pass.reseal_row(&row)).unwrap_err(),
            record.opened_by(&access).open_fields(|pass| pass.open_row(&row)).unwrap_err(),
            rebind_page(
                &[keys.record("all", "1/a").unwrap()],
                &[keys.record("all", "1/a").unwrap()],
                &access,
                |_, pass| pass.rebind_row(&row),
            )
            .unwrap_err(),
        ]
        .map(|error| error.code().as_str());
        assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
        codes[0]
    };
    let mut replayed = tokens_of(&row);
    replayed[3] = tokens_of(&other)[3].clone();
    assert_eq!(code(replayed, &bound, row.tag), "tag-refused");
    assert_eq!(code(tokens_of(&row), &bound, RecordTag::new()), "tag-missing");
    let mut forged = bound.clone();
    forged[2] = Plain::Text("999999.99");
    assert_eq!(code(tokens_of(&row), &forged, row.tag), "tag-refused");
    // A row without its tag is not sealed further, since the tag may have been taken away.
    let stored = tokens_of(&row).iter().map(|token| token.as_ref().map_or(Cell::Null, text)).collect::<Vec<_>>();
    let cells: Vec<_> = stored.iter().map(Cell::plain).collect();
    let backfill =
        |cells: &[Plain<'_>], tag| record.reseal_fields(|pass| pass.backfill_row(&schema, cells, &bound, tag));
    assert_eq!(backfill(&cells, RecordTag::new()).unwrap_err().code().as_str(), "tag-missing");
    let kept = backfill(&cells, row.tag).unwrap();
    assert!(kept.tag.is_none() && kept.cells.iter().all(|cell| *cell == Backfilled::Kept));
    let short = DeclaredRow::new(&schema, tokens_of(&row).into_iter().skip(1), &bound, row.tag).unwrap_err();
    assert_eq!(short.code().as_str(), "invalid-input");
}

#[test]
fn a_row_of_plaintext_is_sealed_and_gets_its_tag() {
    let (keys, schema, access) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema(), access());
    let mut source = Random(3);
    let rows: Vec<_> = (0..5).map(|at| random(2 * at + 1, &mut source)).collect();
    let records: Vec<Record> =
        rows.iter().map(|(all, _, _)| keys.record("all", format!("{}/a", all.id)).unwrap()).collect();
    let plain = |cells: &[Cell]| cells.to_vec();
    let done = reseal_page(&records, |at, pass| {
        let (_, cells, bound) = &rows[at];
        let (cells, bound) = (plain(cells), plain(bound));
        let (cells, bound): (Vec<_>, Vec<_>) =
            (cells.iter().map(Cell::plain).collect(), bound.iter().map(Cell::plain).collect());
        pass.backfill_row(&schema, &cells, &bound, RecordTag::new())
    })
    .unwrap();
    for ((all, _, _), done) in rows.iter().zip(done) {
        let tokens: Vec<_> = done
            .cells
            .iter()
            .map(|cell| match cell {
                Backfilled::Sealed(token) => Some(token.clone()),
                _ => None,
            })
            .collect();
        // The program's own row, for what is readable.
        let row = with_tokens(&keys.seal(all).unwrap(), &tokens, done.tag.unwrap());
        assert_same(&keys.open(&row, &access).unwrap(), all);
    }
}

#[test]
fn rows_get_a_subject() {
    let (keys, schema, access) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema(), access());
    let (all, _, bound) = random(1, &mut Random(5));
    let bound: Vec<_> = bound.iter().map(Cell::plain).collect();
    let row = keys.seal(&all).unwrap();
    let (patient, _) = keys.create_subject_key("P-7").unwrap();
    let from = [keys.record("all", "1/a").unwrap()];
    let to = [keys.record("all", "1/a").unwrap().subject(&patient).unwrap()];
    let declared = DeclaredRow::new(&schema, tokens_of(&row), &bound, row.tag).unwrap();
    let moved = rebind_page(&from, &to, &access, |_, pass| pass.rebind_row(&declared)).unwrap();
    let tokens: Vec<_> = moved[0].tokens().iter().map(|tokens| tokens.one().cloned()).collect();
    let mut with_subject = with_tokens(&row, &tokens, moved[0].tag());
    with_subject.patient = Some("P-7".into());
    assert_same(&keys.with_subjects(&patient).open(&with_subject, &access).unwrap(), &all);
    assert!(
        keys.record("all", "1/a").unwrap().reseal::<Text>(&tokens[0].clone().unwrap()).unwrap_err().is_open_failure()
    );
}

#[test]
fn pages_of_cells_have_one_call_for_all_records() {
    let (keys, schema) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema());
    let small = schema.field("all.small").unwrap();
    let records: Vec<Record> = (0..300).map(|at| keys.record("all", format!("{at}/a")).unwrap()).collect();
    let texts: Vec<_> = (0..300_u32).map(|at| (at % 256).to_string()).collect();
    let tokens = seal_page(&records, |at, pass| pass.seal_declared(small, Plain::Text(&texts[at]))).unwrap();
    let opened = open_page(&records, &access(), |at, pass| pass.open_declared(small, &tokens[at])).unwrap();
    assert!(
        opened.iter().zip(&texts).all(|(opened, text)| matches!(opened.expose(), Plain::Text(cell) if cell == text))
    );
    let mut out = String::new();
    records[0].seal_fields(|pass| pass.seal_declared_text_into(small, Plain::Text("7"), &mut out)).unwrap();
    let mut opened = b"x".to_vec();
    records[0].opened_by(&access()).open_fields(|pass| pass.open_declared_text_into(small, &out, &mut opened)).unwrap();
    assert_eq!(opened, b"x7");
}

/// One event for a call, however many rows: nobody sees a value, so no opening is told.
#[test]
fn the_observer_hears_once_of_a_page_that_is_resealed() {
    #[derive(Clone, Default)]
    struct Heard(std::sync::Arc<std::sync::Mutex<Vec<String>>>);
    impl Observer for Heard {
        fn opened(&self, event: &OpenEvent<'_>) -> Result<(), rxseal::Error> {
            self.0.lock().unwrap().push(format!("opened {}", event.fields()));
            Ok(())
        }

        fn key_event(&self, event: &KeyEvent<'_>) {
            if let KeyEvent::Resealed { records, fields, key_id, keyspace, .. } = event {
                self.0.lock().unwrap().push(format!("resealed {records} {fields} {key_id} {keyspace}"));
            }
        }
    }
    let (heard, schema) = (Heard::default(), schema());
    let keys = insecure_keyring("pharmacy-17").unwrap().observed_by(heard.clone());
    let take = || std::mem::take(&mut *heard.0.lock().unwrap());
    let small = schema.field("all.small").unwrap();
    let records: Vec<Record> = (0..300).map(|at| keys.record("all", format!("{at}/a")).unwrap()).collect();
    let tokens = seal_page(&records, |_, pass| pass.seal_declared(small, Plain::Text("7"))).unwrap();
    let backfilled = reseal_page(&records, |_, pass| pass.backfill_declared(small, Plain::Text("7"))).unwrap();
    assert_eq!((backfilled.len(), take()), (300, vec![]), "sealing is not told");
    let key = keys.primary_key();
    reseal_page(&records, |at, pass| pass.reseal_declared(small, &tokens[at])).unwrap();
    assert_eq!(take(), [format!("resealed 300 300 {key} pharmacy-17")]);
    records[0].reseal::<Small>(&tokens[0]).unwrap();
    assert_eq!(take(), [format!("resealed 1 1 {key} pharmacy-17")]);
    records[1].reseal::<Small>(&tokens[0]).unwrap_err();
    assert_eq!(take(), Vec::<String>::new(), "nothing was");
    let (all, _, bound) = random(1, &mut Random(7));
    let row = keys.seal(&all).unwrap();
    let bound: Vec<_> = bound.iter().map(Cell::plain).collect();
    let declared = DeclaredRow::new(&schema, tokens_of(&row), &bound, row.tag).unwrap();
    let fields = 21 + usize::from(all.maybe.is_some());
    keys.record("all", "1/a").unwrap().reseal_fields(|pass| pass.reseal_row(&declared)).unwrap();
    assert!(keys.reseal_all(&[row.clone(), row]).into_iter().all(|row| row.is_ok()));
    assert_eq!(
        take(),
        [format!("resealed 1 {fields} {key} pharmacy-17"), format!("resealed 2 {} {key} pharmacy-17", 2 * fields)]
    );
    let to = [keys.record("all", "0/b").unwrap()];
    rebind_page(&records[..1], &to, &access(), |_, pass| pass.rebind_declared(small, &tokens[0])).unwrap();
    assert_eq!(take(), ["opened 1"]);
}

/// What a cell that is not of the field's type gives: an error without the value, and no token.
#[test]
fn what_is_not_of_the_type_is_refused_and_not_quoted() {
    let (keys, schema): (Keyring, _) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema());
    let record = keys.record("all", "1/a").unwrap();
    let seal = |id: &str, cell: Plain<'_>| {
        let field = schema.field(id).unwrap();
        let error = record.seal_fields(|pass| pass.seal_declared(field, cell)).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains("Canary") && !said.contains("300"), "{said}");
        assert_eq!((error.field_id(), error.record_type()), (Some(id), Some("all")));
        error.code().as_str()
    };
    for (id, cell) in [
        ("all.small", "300"),
        ("all.small", "Canary"),
        ("all.small", "07"),
        ("all.flag", "yes Canary"),
        ("all.double", "NaN"),
        ("all.double", "1e999"),
        ("all.single", "1e39"),
        ("all.char", "Canary"),
        ("all.day", "2026-02-30"),
        ("all.fill", "Canary"),
        ("all.price", "1,50"),
        ("all.document", "{\"Canary\": 1, \"Canary\": 2}"),
        ("all.document", "Canary"),
        ("all.bytes", "Canary"),
        ("all.list", "Canary"),
    ] {
        assert_eq!(seal(id, Plain::Text(cell)), "cell-refused", "{id} {cell}");
    }
    assert_eq!(seal("all.text", Plain::Null), "cell-refused");
    assert_eq!(seal("all.text", Plain::Bytes(b"Canary \xFF")), "cell-refused");
    let token = record.seal_text::<Text>("x").unwrap();
    assert_eq!(seal("all.text", Plain::Text(&token)), "token-as-plaintext");
    assert_eq!(seal("all.document", Plain::Text(&format!("[\"{token}\"]"))), "token-inside");
    assert_eq!(seal("all.document", Plain::Text(&"x".repeat(5000))), "cell-refused");
    assert_eq!(seal("all.document", Plain::Text(&format!("\"{}\"", "x".repeat(5000)))), "too-large");
}

/// Step 3 of a job: what begins as a token is one of this field and record, or a fault.
#[test]
fn a_cell_that_begins_as_a_token_is_never_plaintext() {
    let (keys, schema) = (insecure_keyring("pharmacy-17").unwrap().unobserved(), schema());
    let (record, field) = (keys.record("all", "1/a").unwrap(), schema.field("all.text").unwrap());
    let backfill = |cell: Plain<'_>| record.reseal_fields(|pass| pass.backfill_declared(field, cell));
    let code = |cell: Plain<'_>| backfill(cell).unwrap_err().code().as_str();
    let token = record.seal::<Text>("x").unwrap();
    for cell in
        [Plain::Text(&token.to_string()), Plain::Bytes(token.as_bytes()), Plain::Bytes(token.to_string().as_bytes())]
    {
        assert_eq!(backfill(cell).unwrap(), Backfilled::Kept);
    }
    let foreign = insecure_keyring("pharmacy-18")
        .unwrap()
        .unobserved()
        .record("all", "1/a")
        .unwrap()
        .seal_text::<Text>("x")
        .unwrap();
    assert_eq!(code(Plain::Text(&foreign)), "unknown-key");
    assert_eq!(code(Plain::Text(&keys.record("all", "2/a").unwrap().seal_text::<Text>("x").unwrap())), "open-failed");
    assert_eq!(code(Plain::Text(&record.seal_text::<Char>("x").unwrap())), "open-failed");
    let (_, wrapped) = keys.create_subject_key("P-1").unwrap();
    let cut = &token.to_string()[..49];
    for look_alike in [cut, "rxsX0123456789", "rxs", " rxsX", "\u{FEFF}rxkx", &wrapped.to_string()] {
        assert_eq!(code(Plain::Text(look_alike)), "not-a-token", "{look_alike}");
        assert_eq!(code(Plain::Bytes(look_alike.as_bytes())), "not-a-token", "{look_alike}");
    }
    assert_eq!(code(Plain::Bytes(&token.as_bytes()[..30])), "not-a-token");
    assert!(matches!(backfill(Plain::Text("see rxsX")).unwrap(), Backfilled::Sealed(_)));
    let json = schema.field("all.document").unwrap();
    let holds =
        record.reseal_fields(|pass| pass.backfill_declared(json, Plain::Text(&format!("{{\"a\":\"{token}\"}}"))));
    assert_eq!(holds.unwrap_err().code().as_str(), "token-inside");
}

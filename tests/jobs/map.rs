//! A map against PostgreSQL: what a check finds in its tables, and what a count through the map proves.

use rxseal::keys::KeyringFile;
use rxseal::phi::{Drug, Note};
use rxseal::schema::Schema;
use rxseal::{Keyring, PhiRecord, RecordTag};
use rxseal_map::{Addresses, Finding, Map, count_index_values, count_tokens};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{Database, server};

rxseal::fields! {
    pub Dose = "rx.dose" in Medication { max: 40 };
}

#[derive(PhiRecord)]
#[phi(record = "prescription")]
struct Prescription {
    #[phi(id)]
    id: u64,
    #[phi(seal = Drug)]
    drug: String,
    #[phi(seal = Dose)]
    dose: String,
    #[phi(seal = Note)]
    note: String,
    #[phi(clear)]
    refills: u8,
    #[phi(record_tag)]
    tag: RecordTag,
}

/// A schema whose table `rx` the map names.
struct Tables {
    database: Database,
}

impl Tables {
    async fn new() -> Self {
        Self { database: Database::new().await }
    }

    async fn run(&self, sql: &str) {
        self.database.run(&format!("SET client_min_messages = error; {sql}")).await;
    }

    fn map(&self, change: (&str, &str)) -> Map {
        let text = "keyspace = 'pharmacy-17'\n[[source]]\nat = 'postgres:SCHEMA.rx'\nrecord = 'prescription'\nid = 'id'\ntag = 'tag'\n\
             sealed = { drug = 'phi.rx.drug', dose = 'rx.dose', 'doc:/notes/*' = 'phi.clinical.note' }\nindex = { ix = 'rx.ix' }\n\
             clear = { refills = 'none' }\n";
        assert!(text.contains(change.0), "{}", change.0);
        let text = text.replacen(change.0, change.1, 1).replace("SCHEMA", &self.database.schema);
        Map::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn addresses(&self) -> Addresses {
        Addresses::default().with_postgres(server())
    }

    async fn check(&self, change: (&str, &str)) -> Vec<String> {
        let schema = Schema::new().with::<Prescription>().unwrap();
        let findings = self.map(change).check_sources(&schema, &self.addresses()).await;
        findings.iter().map(told).collect()
    }
}

fn told(finding: &Finding) -> String {
    let place = finding.place().map(|place| format!(" {place}")).unwrap_or_default();
    format!("{}{}{place}", if finding.is_fault() { "" } else { "note " }, finding.code())
}

const TABLE: &str = "CREATE TABLE rx (id bigint PRIMARY KEY, drug text, dose varchar(200), doc jsonb, ix bytea, refills int2, tag bytea);";

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_table_is_compared_with_the_map() {
    let tables = Tables::new().await;
    assert_eq!(tables.check(("", "")).await, ["table-missing"]);
    tables.run("CREATE DOMAIN sealed AS varchar(120); CREATE DOMAIN sealed_twice AS sealed").await;
    for (from, to, expected) in [
        ("", "", &[][..]),
        // 40 bytes of a dose in a token of any suite.
        ("varchar(200)", "varchar(151)", &[][..]),
        ("varchar(200)", "varchar(150)", &["column-short dose"]),
        ("varchar(200)", "sealed_twice", &["column-short dose"]),
        ("varchar(200)", "char(200)", &["column-type dose"]),
        ("varchar(200)", "integer", &["column-type dose"]),
        ("varchar(200)", "date", &["column-type dose"]),
        ("varchar(200)", "jsonb", &["column-type dose"]),
        ("varchar(200)", "bytea", &[][..]),
        ("varchar(200)", "text[]", &[][..]),
        ("drug text", "drug varchar(500)", &["note field-without-max drug"]),
        ("tag bytea", "tag varchar(63)", &["column-short tag"]),
        ("doc jsonb", "doc bytea", &["column-type doc:/notes/*"]),
        ("ix bytea", "ix text GENERATED ALWAYS AS (lower(drug)) STORED", &["column-generated ix"]),
        (
            "refills int2",
            "price numeric, \"Refills\" int2",
            &["column-missing refills", "column-undeclared price", "column-undeclared Refills"],
        ),
        ("PRIMARY KEY", "", &[][..]),
    ] {
        assert!(TABLE.contains(from), "{from}");
        tables.run(&format!("DROP TABLE IF EXISTS rx; {}", TABLE.replacen(from, to, 1))).await;
        let mut found = tables.check(("", "")).await;
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{to}");
    }
    tables
        .run(&format!("DROP TABLE rx; {TABLE} ALTER TABLE rx RENAME TO rx2; CREATE VIEW rx AS SELECT * FROM rx2"))
        .await;
    assert_eq!(tables.check(("", "")).await, ["note counts-doubted"]);
    let away = Addresses::default().with_postgres("postgres://127.0.0.1:1/rx");
    let findings = tables.map(("", "")).check_sources(&Schema::new(), &away).await;
    assert_eq!(findings.iter().map(told).collect::<Vec<_>>(), ["store-unavailable"]);
}

async fn evidence(tables: &Tables, ring: &KeyringFile, old: &Keyring, change: (&str, &str)) -> Result<u64, String> {
    let map = tables.map(change);
    let source = &map.sources()[0];
    let counts = count_tokens(source, &tables.addresses()).await.map_err(|error| {
        format!("{error}: {}", std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default())
    })?;
    let proven = counts.evidence(source, "pharmacy-17", ring.keys(), old.primary_key());
    proven.map_err(|reason| reason.to_string())
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_count_through_a_map_proves_what_is_left() {
    let tables = Tables::new().await;
    let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let ring = rxseal::testing::rotate_keyring("pharmacy-17", &roots, &first).await.unwrap();
    let old = Keyring::unlock("pharmacy-17", &roots, &first).await.unwrap().unobserved();
    let new = Keyring::unlock("pharmacy-17", &roots, &ring).await.unwrap().unobserved();
    let drug =
        |keys: &Keyring| keys.record("prescription", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap().to_string();
    let (of_old, of_new) = (drug(&old), drug(&new));
    let tag = format!(
        "decode('{}', 'hex')",
        "af1ad2".to_owned()
            + &hex(&new.record("prescription", 1).unwrap().seal::<Drug>("x").unwrap().as_bytes()[3..9])
            + &"02".repeat(39)
    );
    // Partitions: the rows of all of them.
    tables
        .run(&format!(
            "{} CREATE TABLE rx_a PARTITION OF rx FOR VALUES FROM (0) TO (10); CREATE TABLE rx_b PARTITION OF rx DEFAULT;
             INSERT INTO rx VALUES (1, '{of_new}', '{of_new}', '{{\"notes\":[\"{of_new}\"]}}', '\\xC0B81F9C6C', 3, {tag}, '{of_new}'),
                (70, '{of_old}', '{of_new}', '{{\"notes\":[\"{of_old}\",\"{of_new}\"],\"more\":1}}', NULL, 3, {tag}, NULL), (71, NULL, NULL, NULL, NULL, 3, NULL, NULL);",
            TABLE.replace("tag bytea);", "tag bytea, memo text) PARTITION BY RANGE (id);")
        ))
        .await;
    let map = tables.map(("", ""));
    let counts = count_tokens(&map.sources()[0], &tables.addresses()).await.unwrap();
    let places = counts.places().iter().map(|place| {
        let counts = place.counts();
        format!(
            "{} {} {} {}",
            place.place(),
            counts.of(old.primary_key()),
            counts.of(new.primary_key()),
            counts.nulls()
        )
    });
    let places: Vec<_> = places.collect();
    assert_eq!(places, ["drug 1 1 1", "dose 0 2 1", "doc:/notes/* 1 2 1", "tag 0 2 1"]);
    assert_eq!(
        counts.strays().iter().map(|stray| (stray.column(), stray.counts().total())).collect::<Vec<_>>(),
        [("memo", 1)]
    );
    let index = count_index_values(&map.sources()[0], &tables.addresses()).await.unwrap();
    assert_eq!((index[0].counts().of(b"\xC0\xB8\x1F"), index[0].counts().nulls()), (1, 2));

    assert_eq!(evidence(&tables, &ring, &old, ("", "")).await, Ok(2));
    tables.run(&format!("UPDATE rx SET drug = '{of_new}', doc = NULL WHERE id = 70")).await;
    assert_eq!(evidence(&tables, &ring, &old, ("", "")).await, Ok(0));
    for (change, part) in [
        ((".rx'", ".rx_a'"), "it is a partition"),
        ((".rx'", ".rx_view'"), "it is a view"),
        ((".rx'", ".rx_stale'"), "materialized view"),
        ((".rx'", ".absent'"), "no table"),
        (("dose =", "does ="), "has no column does"),
        (("tag = 'tag'", "tag = 'tag'\nempty = true"), "the map says that it is empty"),
    ] {
        tables.run("DROP VIEW IF EXISTS rx_view; CREATE VIEW rx_view AS SELECT * FROM rx; DROP MATERIALIZED VIEW IF EXISTS rx_stale; CREATE MATERIALIZED VIEW rx_stale AS SELECT * FROM rx").await;
        let refused = evidence(&tables, &ring, &old, change).await.unwrap_err();
        assert!(refused.contains(part), "{change:?}: {refused}");
    }
    for (change, part) in [
        (format!("memo = '{of_old}'"), "1 tokens under the key are in the column memo"),
        ("dose = 'Jane Doe'".to_owned(), "dose: 1 values have no readable token"),
        ("doc = '{\"notes\":[\"Jane Doe\"]}'".to_owned(), "doc:/notes/*: 1 values have no readable token"),
    ] {
        tables.run(&format!("UPDATE rx SET {change} WHERE id = 70")).await;
        let refused = evidence(&tables, &ring, &old, ("", "")).await.unwrap_err();
        assert!(refused.contains(part) && !refused.contains("Jane"), "{refused}");
        tables.run(&format!("UPDATE rx SET memo = NULL, dose = '{of_new}', doc = NULL WHERE id = 70")).await;
    }
    // What only begins like a token: text, bytes, and beside a good one.
    tables
        .run(&format!(
            "UPDATE rx SET dose = 'rxsXJaneDoe', tag = '\\xaf1b1700', drug = '{of_new} rxsXJaneDoe' WHERE id = 70"
        ))
        .await;
    let counts = count_tokens(&map.sources()[0], &tables.addresses()).await.unwrap();
    let look_alikes: Vec<_> = counts.places().iter().map(|place| place.counts().look_alikes()).collect();
    assert_eq!(look_alikes, [1, 1, 0, 1]);
    tables.run(&format!("UPDATE rx SET dose = '{of_new}', tag = NULL, drug = '{of_new}' WHERE id = 70")).await;
    let without = count_tokens(&map.sources()[0], &Addresses::default()).await.unwrap_err();
    assert_eq!(without.code(), rxseal::ErrorCode::StoreRefused);
    let standby = std::env::var("RXSEAL_TEST_POSTGRES_STANDBY").expect("run it with .ci/servers");
    wait_for_standby(&standby, &tables.database.schema).await;
    let counts = count_tokens(&map.sources()[0], &Addresses::default().with_postgres(standby)).await.unwrap();
    let refused = counts.evidence(&map.sources()[0], "pharmacy-17", ring.keys(), old.primary_key()).unwrap_err();
    assert!(refused.to_string().contains("standby"), "{refused}");
    // Rows that the role does not see are no smaller number.
    tables
        .run(&format!(
            "DROP ROLE IF EXISTS {0}; CREATE ROLE {0} LOGIN PASSWORD 'reader'; GRANT USAGE ON SCHEMA {0} TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {0};
             ALTER TABLE rx ENABLE ROW LEVEL SECURITY",
            tables.database.schema
        ))
        .await;
    let as_reader = server()
        .split_once('@')
        .map(|(_, host)| format!("postgres://{}:reader@{host}", tables.database.schema))
        .unwrap();
    let hidden = count_tokens(&map.sources()[0], &Addresses::default().with_postgres(as_reader)).await.unwrap_err();
    assert!(std::error::Error::source(&hidden).unwrap().to_string().contains("row-level security"), "{hidden}");
    tables.run(&format!("DROP OWNED BY {0}; DROP ROLE {0}", tables.database.schema)).await;
}

async fn wait_for_standby(url: &str, schema: &str) {
    for _ in 0..100 {
        let mut db = PgConnection::connect(url).await.unwrap();
        let sql = format!("SELECT to_regclass('{schema}.rx_stale') IS NOT NULL");
        if sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut db).await.unwrap() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

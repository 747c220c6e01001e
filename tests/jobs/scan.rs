//! A scan of a table of PostgreSQL: text, bytes, arrays and documents, seeded faults, and what is undecided.

use rxseal::keys::KeyringFile;
use rxseal::phi::{Drug, Note};
use rxseal::{Keyring, run_local};
use rxseal_map::{Addresses, Map};
use rxseal_scan::{Report, Scan, Verdict};

use crate::support::{Database, server};

const TABLE: &str = "CREATE TABLE rx (id int PRIMARY KEY, drug text, bytes bytea, many text[], doc jsonb, ssn int, memo varchar(200), ix bytea);";

async fn scan(database: &Database, ring: &KeyringFile, table: &str) -> (Report, Vec<String>) {
    let text = "keyspace = 'pharmacy-17'\n[[source]]\nat = 'postgres:SCHEMA.TABLE'\nrecord = 'prescription'\nid = 'id'\n\
        sealed = { drug = 'phi.rx.drug', bytes = 'phi.rx.drug', many = 'phi.rx.drug', 'doc:/notes/*' = 'phi.clinical.note' }\n\
        index = { ix = 'rx.ix' }\nclear = { ssn = 'none', memo = 'none' }\n";
    let map = Map::parse(&text.replace("SCHEMA", &database.schema).replace("TABLE", table)).unwrap();
    let scan = Scan::new().with_keyring(ring);
    let report = scan.source(&map.sources()[0], &Addresses::default().with_postgres(server())).await;
    let findings = report.findings().iter().map(|found| {
        let mark = if found.certainty().as_str() == "possible" { "?" } else { "" };
        format!("{}{mark} {} {}", found.place().unwrap_or_default(), found.kind(), found.count())
    });
    let undecided = report.undecided().iter().map(|of| format!("undecided {}", of.code()));
    let told = findings.chain(undecided).collect();
    (report, told)
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_table_is_scanned_value_by_value() {
    let database = Database::new().await;
    let (roots, ring) = rxseal::testing::insecure_keyring_file("pharmacy-17").unwrap();
    let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &ring)).unwrap().unobserved();
    let record = keys.record("prescription", 1).unwrap();
    let drug = record.seal::<Drug>("warfarin 5 MG").unwrap();
    let (text, note) = (drug.to_string(), record.seal_text::<Note>("with grapefruit").unwrap());
    let hex: String = drug.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();

    assert_eq!(scan(&database, &ring, "rx").await.1, ["undecided not-read"]);
    database.run(TABLE).await;
    assert_eq!(scan(&database, &ring, "rx").await.1, ["undecided no-rows"]);
    let row = |id: u32| {
        format!(
            "INSERT INTO rx VALUES ({id}, '{text}', '\\x{hex}', ARRAY['{text}', NULL], '{{\"notes\":[\"{note}\"]}}', NULL, 'memo', '\\xc0b81f9c6c');"
        )
    };
    for id in 0..250 {
        database.run(&row(id)).await;
    }
    let (report, told) = scan(&database, &ring, "rx").await;
    assert_eq!((told, report.rows(), report.verdict()), (vec![], 250, Verdict::Clean));
    assert_eq!(report.keys().collect::<Vec<_>>(), [(keys.primary_key(), 1000)]);

    for (id, fault) in [
        "drug = 'Quillfeather'",
        "bytes = convert_to('Quillfeather', 'UTF8')",
        "bytes = substring(bytes FOR 20)",
        "many = many || 'Quillfeather'::text",
        "doc = '{\"notes\":[\"Quillfeather\"],\"phone\":\"555-234-5678\"}'",
        "ssn = 78051120",
        "ssn = 178051120",
        "memo = drug",
        "memo = 'npi 1234567893'",
        "ix = '\\x00'",
        "drug = left(drug, 61)",
    ]
    .iter()
    .enumerate()
    {
        database.run(&format!("UPDATE rx SET {fault} WHERE id = {id}")).await;
    }
    let (report, told) = scan(&database, &ring, "rx").await;
    let expected = [
        "bytes plaintext 1",
        "bytes token-damaged 1",
        "doc:/notes/* plaintext 1",
        "drug plaintext 1",
        "drug token-damaged 1",
        "ix index-plaintext 1",
        "many plaintext 1",
        "memo token-elsewhere 1",
        "doc? phone 1",
        "memo? npi 1",
        "ssn? ssn 1",
    ];
    assert_eq!((told, report.rows()), (expected.map(str::to_owned).to_vec(), 250));
    assert!(!format!("{report:?}").contains("Quill"));

    database
        .run("ALTER TABLE rx ADD COLUMN extra text DEFAULT 'x'; CREATE VIEW seen AS SELECT * FROM rx WHERE id > 100")
        .await;
    assert_eq!(scan(&database, &ring, "seen").await.1, ["undecided doubted", "undecided column-undeclared"]);
    database.run("ALTER TABLE rx DROP COLUMN drug CASCADE").await;
    assert_eq!(scan(&database, &ring, "rx").await.1, ["undecided not-read"]);
}

//! Writers of single fields at the same time: the record tag is the lock, no change is lost, and no version is skipped (FORMAT 14.14).

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params};
use rxseal::phi::{Directions, PatientName};
use rxseal::records::TaggedRecord;
use rxseal::testing::insecure_keyring;
use rxseal::{Access, Keyring, PhiRecord, Purpose, RecordTag, Sealed, SealedRecord};

const WRITERS: u64 = 8;
const RECORDS: i64 = 3;

#[derive(PhiRecord)]
#[phi(record = "prescription", derive(Clone))]
struct Prescription {
    #[phi(id)]
    id: i64,
    #[phi(seal = PatientName)]
    name: u64,
    #[phi(seal = Directions)]
    directions: u64,
    #[phi(record_tag)]
    tag: RecordTag,
}

fn read(db: &Connection, id: i64) -> SealedPrescription {
    let sql = "SELECT name, directions, tag FROM rx WHERE id = ?1";
    db.query_row(sql, [id], |row| {
        let token = |at| row.get::<_, String>(at).map(|text| text.parse::<rxseal::Token>().unwrap());
        Ok(SealedPrescription {
            id,
            name: Sealed::from(token(0)?),
            directions: Sealed::from(token(1)?),
            tag: row.get::<_, String>(2)?.parse().unwrap(),
        })
    })
    .unwrap()
}

/// Adds one to one of two fields, until nobody else wrote in between. Returns how often somebody did.
fn add_one(db: &Connection, keys: &Keyring, access: &Access, id: i64, to_name: bool) -> u64 {
    for lost in 0.. {
        let old = read(db, id);
        // Every state that is read is one that was sealed, whoever wrote meanwhile.
        let plain = keys.open(&old, access).unwrap();
        let new = if to_name {
            old.set::<PatientName>(keys, &(plain.name + 1)).unwrap()
        } else {
            old.set::<Directions>(keys, &(plain.directions + 1)).unwrap()
        };
        let sql = "UPDATE rx SET name = ?1, directions = ?2, tag = ?3 WHERE id = ?4 AND tag = ?5";
        let (name, directions) = (new.name.token().to_string(), new.directions.token().to_string());
        let tags = [&new.tag, &old.tag].map(|tag| tag.text().unwrap());
        if db.execute(sql, params![name, directions, tags[0], id, tags[1]]).unwrap() == 1 {
            return lost;
        }
    }
    unreachable!("a loop without an end")
}

#[test]
fn no_update_is_lost_and_no_version_is_skipped() {
    let each = if cfg!(debug_assertions) && std::env::var_os("RXSEAL_FULL").is_none() { 30_i64 } else { 1_000 };
    let path = std::env::temp_dir().join(format!("rxseal-tags-{}.db", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let open = || {
        let db = Connection::open(&path).unwrap();
        db.busy_timeout(Duration::from_secs(60)).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF").unwrap();
        db
    };
    let keys = insecure_keyring("pharmacy-17").unwrap().unobserved();
    let access = Access::new("job:writers", Purpose::TREAT).unwrap();
    let db = open();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, name TEXT, directions TEXT, tag TEXT NOT NULL)")
        .unwrap();
    for id in 0..RECORDS {
        let row = keys.seal(&Prescription { id, name: 0, directions: 0, tag: RecordTag::new() }).unwrap();
        let (name, directions) = (row.name.token().to_string(), row.directions.token().to_string());
        db.execute("INSERT INTO rx VALUES (?1, ?2, ?3, ?4)", params![id, name, directions, row.tag.text().unwrap()])
            .unwrap();
    }
    let lost = AtomicU64::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (open, keys, access, lost) = (&open, &keys, &access, &lost);
            scope.spawn(move || {
                let db = open();
                for at in 0..each {
                    lost.fetch_add(add_one(&db, keys, access, at % RECORDS, writer % 2 == 0), Ordering::Relaxed);
                }
            });
        }
    });
    let (mut sum, mut versions) = (0, 0);
    for id in 0..RECORDS {
        let row = read(&db, id);
        let plain = keys.open(&row, &access).unwrap();
        let updates = plain.name + plain.directions;
        assert_eq!(row.verified(&keys).unwrap().version(), updates + 1, "the first version, and one for each update");
        sum += updates;
        versions += row.tag.version() - 1;
    }
    let all = WRITERS * each.unsigned_abs();
    assert_eq!((sum, versions), (all, all));
    println!("{sum} updates, {} repeated because somebody else wrote first", lost.load(Ordering::Relaxed));
    let _ = std::fs::remove_file(&path);
}

//! Several programs change one field of the same rows, each with the tag that it read as the lock: no change is lost, and no row is left that
//! does not open.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params};
use rxseal::phi::{Note, Quantity};
use rxseal::records::TaggedRecord;
use rxseal::{Keyring, PhiRecord, RecordTag, Sealed, SealedRecord, Token};

use crate::support::{access, keyring};

#[derive(PhiRecord)]
#[phi(record = "stock")]
struct Stock {
    #[phi(id)]
    id: i64,
    #[phi(seal = Quantity)]
    changes: u64,
    #[phi(seal = Note)]
    note: String,
    #[phi(record_tag)]
    tag: RecordTag,
}

const WRITERS: i64 = 8;
const ROWS: i64 = 4;

fn changes_each() -> u64 {
    if std::env::var_os("RXSEAL_FULL").is_some() { 10_000 } else { 40 }
}

fn open(path: &std::path::Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(60)).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
    db
}

fn read(db: &Connection, id: i64) -> SealedStock {
    let sql = "SELECT changes, note, tag FROM stock WHERE id = ?1";
    let (changes, note, tag): (Vec<u8>, Vec<u8>, Vec<u8>) =
        db.prepare_cached(sql).unwrap().query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let token = |bytes: Vec<u8>| Token::try_from(bytes.as_slice()).unwrap();
    SealedStock {
        id,
        changes: Sealed::from(token(changes)),
        note: Sealed::from(token(note)),
        tag: RecordTag::try_from(tag.as_slice()).unwrap(),
    }
}

/// Writes the field and the tag, if the tag is still the one that was read.
fn swap(db: &Connection, new: &SealedStock, read: &RecordTag) -> bool {
    let sql = "UPDATE stock SET changes = ?1, tag = ?2 WHERE id = ?3 AND tag = ?4";
    let values = params![new.changes.token().as_bytes(), new.tag.bytes().unwrap(), new.id, read.bytes().unwrap()];
    db.prepare_cached(sql).unwrap().execute(values).unwrap() == 1
}

fn write(db: &Connection, keys: &Keyring, seed: i64) -> u64 {
    let mut conflicts = 0;
    let ids = (0..ROWS).cycle().skip(usize::try_from(seed).unwrap());
    for (_, id) in (0..changes_each()).zip(ids) {
        loop {
            let row = read(db, id);
            let changes = keys.open(&row, &access()).unwrap().changes;
            let new = row.set::<Quantity>(keys, &(changes + 1)).unwrap();
            if swap(db, &new, &row.tag) {
                break;
            }
            conflicts += 1;
        }
    }
    conflicts
}

#[test]
fn no_change_of_eight_writers_is_lost() {
    let path = std::env::temp_dir().join(format!("rxseal-writers-{}.db", std::process::id()));
    let db = open(&path);
    db.execute_batch("CREATE TABLE stock (id INTEGER PRIMARY KEY, changes BLOB, note BLOB, tag BLOB)").unwrap();
    let keys = keyring();
    for id in 0..ROWS {
        let row = keys.seal(&Stock { id, changes: 0, note: "counted".into(), tag: RecordTag::new() }).unwrap();
        let values = params![id, row.changes.token().as_bytes(), row.note.token().as_bytes(), row.tag.bytes().unwrap()];
        db.execute("INSERT INTO stock VALUES (?1, ?2, ?3, ?4)", values).unwrap();
    }
    let conflicts: u64 = thread::scope(|threads| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|seed| {
                let (db, keys) = (open(&path), keys.clone());
                threads.spawn(move || write(&db, &keys, seed))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    let rows: Vec<_> = (0..ROWS).map(|id| read(&db, id)).collect();
    let changes: Vec<_> = rows.iter().map(|row| keys.open(row, &access()).unwrap().changes).collect();
    println!("{WRITERS} writers, {} changes each, {conflicts} conflicts: {changes:?}", changes_each());
    assert_eq!(changes.iter().sum::<u64>(), WRITERS.unsigned_abs() * changes_each());
    for (row, changes) in rows.iter().zip(changes) {
        assert_eq!(row.verified(&keys).unwrap().version(), changes + 1, "one version for each change");
    }
    // The control: a write without the lock is one that loses another's.
    let (first, second) = (&rows[0], read(&db, 0));
    let new = first.set::<Quantity>(&keys, &7).unwrap();
    assert!(swap(&db, &new, &first.tag) && !swap(&db, &second, &second.tag));
    drop(db);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

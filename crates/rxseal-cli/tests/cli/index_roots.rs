//! `rxseal keyring index`: a rotation of the index root, from staging to destroying, by what an operator sees.

use std::fs;

use rusqlite::Connection;
use rxseal::index::{Definition, Forms, Index, IndexSchema, IndexValue, Kind, StoredIndex};
use rxseal::keys::UnlockOptions;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{Class, Error, FieldId, Keyring, run_local};
use serde_json::Value;

use crate::shop::{Shop, TENANT};

struct BornOn;
struct Phone;

macro_rules! index {
    ($index:ty, $id:literal) => {
        impl Index for $index {
            type Record = &'static str;
            type Stored = Option<IndexValue<Self>>;
            const DEFINITION: Definition = Definition::new("patient", $id, Kind::Whole, 14, &["exact/1"]);
            const CLASSES: &'static [Class] = &[Class::IDENTITY];
            const FIELDS: &'static [FieldId] = &[];

            fn forms(record: &&'static str, _: &Definition, forms: &mut Forms) -> Result<(), Error> {
                forms.push(&[record.as_bytes()])
            }
        }
    };
}

index!(BornOn, "patient.born");
index!(Phone, "patient.phone");

/// What a row has under the index root that is primary now.
fn value<I: Index<Record = &'static str>>(shop: &Shop, plain: &'static str) -> String {
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let options = UnlockOptions::default().with_index_roots();
    let keys = run_local(Keyring::unlock_with(options, TENANT, &roots, &shop.stored())).unwrap().unobserved();
    let record = keys.record("patient", 1).unwrap();
    keys.indexer().unwrap().stored::<I>(&record, &plain).unwrap().values()[0].to_string()
}

fn with_schema(name: &str) -> (Shop, Connection) {
    let shop = Shop::opened(name, "file:HERE/rings");
    let schema = IndexSchema::default().with_index::<BornOn>().with_index::<Phone>();
    fs::write(shop.path("indexes.txt"), schema.to_string()).unwrap();
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE patient (born_ix TEXT, phone_ix TEXT); CREATE TABLE former (born_ix TEXT)").unwrap();
    (shop, db)
}

/// The lines of a list as the indexes of a record type.
fn as_schema(list: &str) -> String {
    let index = |line: &str| {
        let (id, digest) = line.split_once(' ').unwrap();
        format!(r#"{{"member": "{id}", "index": "{id}", "kind": "whole", "bits": 14, "definition": "{digest}"}}"#)
    };
    let indexes: Vec<_> = list.lines().skip(1).map(index).collect();
    format!(
        r#"{{"rxseal_schema": 1, "records": [{{"record": "patient", "ids": [], "fields": [], "indexes": [{}]}}]}}"#,
        indexes.join(", ")
    )
}

fn insert(shop: &Shop, db: &Connection) {
    let values = [value::<BornOn>(shop, "1970-01-31"), value::<Phone>(shop, "+15551234567")];
    db.execute("INSERT INTO patient VALUES (?1, ?2)", values).unwrap();
}

fn roots(shop: &Shop) -> Vec<(String, String, bool)> {
    let listed = shop.json("keyring index list pharmacy-17");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let roots = listed["index_roots"].as_array().unwrap().clone();
    roots.iter().map(|root| (text(&root["id"]), text(&root["state"]), root["primary"].as_bool().unwrap())).collect()
}

fn state(shop: &Shop, id: &str) -> (String, bool) {
    let (_, state, primary) = roots(shop).into_iter().find(|root| root.0 == id).unwrap();
    (state, primary)
}

#[test]
fn a_rotation_of_the_index_root() {
    let (shop, db) = with_schema("index-rotation");
    insert(&shop, &db);
    let old = roots(&shop)[0].0.clone();
    let staged = shop.json("keyring index stage pharmacy-17 --schema indexes.txt")["key"].as_str().unwrap().to_owned();
    assert_eq!(state(&shop, &staged), ("pre-active".to_owned(), false));
    let compared = |arguments: &str| shop.json(&format!("keyring index rotate pharmacy-17 --dry-run {arguments}"));
    assert_eq!(compared("--schema indexes.txt")["prefixes_compared"], true);
    assert_eq!(compared("")["prefixes_compared"], false);
    assert!(shop.ok("keyring index rotate pharmacy-17 --dry-run").contains("--schema FILE"));
    insert(&shop, &db);
    let early = shop.fails("keyring index promote pharmacy-17", 5);
    assert!(early.contains("staging time has not passed"), "{early}");
    let wrong = shop.fails(&format!("keyring promote pharmacy-17 {staged} --staged-for 0s"), 5);
    assert!(wrong.contains("staged"), "{wrong}");
    shop.ok("keyring index promote pharmacy-17 --staged-for 0s");
    assert_eq!(state(&shop, &old), ("deactivated".to_owned(), false));
    assert_eq!(state(&shop, &staged), ("active".to_owned(), true));
    insert(&shop, &db);
    let listed = shop.ok("keyring index list pharmacy-17 --schema indexes.txt");
    // A schema of the whole program says the same.
    fs::write(shop.path("rxseal-schema.json"), as_schema(&fs::read_to_string(shop.path("indexes.txt")).unwrap()))
        .unwrap();
    assert_eq!(shop.ok("keyring index list pharmacy-17 --schema rxseal-schema.json"), listed);
    assert!(
        listed.contains("active, primary") && listed.contains("yes, no") && listed.contains("patient.phone"),
        "{listed}"
    );
    assert!(listed.contains(&value::<BornOn>(&shop, "1970-01-31")[..4]), "{listed}");

    let columns = "--schema indexes.txt --sqlite pharmacy.db --column patient.born_ix=patient.born --column patient.phone_ix=patient.phone";
    let counted = shop.json(&format!("keyring index count pharmacy-17 {columns}"));
    let of = |root: &str| {
        let by_prefix = counted["columns"][0]["by_prefix"].as_array().unwrap();
        by_prefix.iter().find(|entry| entry["index_root"] == root).unwrap()["index_values"].clone()
    };
    assert_eq!((of(&old), of(&staged)), (2.into(), 1.into()));
    assert!(shop.ok(&format!("keyring index count pharmacy-17 {columns}")).contains("new values"));

    let destroy = format!("keyring index destroy pharmacy-17 {old} --index-values 0 --yes");
    let used = shop.fails(&format!("{destroy} --unused-for 0s {columns}"), 5);
    assert!(used.contains("4 index values") && used.contains("index the rows anew"), "{used}");
    db.execute("DELETE FROM patient WHERE rowid < 3", []).unwrap();
    let early = shop.fails(&format!("{destroy} {columns}"), 5);
    assert!(early.contains("may still write index values") && early.contains("time left 1 h "), "{early}");
    let ready = format!("{destroy} --unused-for 0s {columns}");
    assert!(shop.ok(&format!("{ready} --dry-run")).contains("nothing is stored"));
    // One that is said to be elsewhere is counted there.
    let elsewhere = ready.replace("--index-values 0", "--index-values 3");
    assert!(shop.fails(&elsewhere, 5).contains("3 index values"));
    shop.ok(&format!("keyring index compromise pharmacy-17 {old}"));
    shop.ok(&ready);
    assert_eq!(state(&shop, &old), ("destroyed".to_owned(), false));
    assert!(shop.ok("keyring index list pharmacy-17").contains("no, no"));

    // One process alone, and a rotation that is called off.
    shop.ok("keyring index rotate pharmacy-17");
    let staged = shop.json("keyring index stage pharmacy-17")["key"].as_str().unwrap().to_owned();
    shop.ok(&format!("keyring index deactivate pharmacy-17 {staged}"));
    shop.ok(&format!("keyring index destroy pharmacy-17 {staged} --force --yes"));
}

#[test]
fn a_count_that_says_nothing_destroys_no_index_root() {
    let (shop, db) = with_schema("index-nothing");
    let old = roots(&shop)[0].0.clone();
    shop.ok("keyring index rotate pharmacy-17");
    insert(&shop, &db);
    let before = shop.stored();
    let phone = "--column patient.phone_ix=patient.phone";
    for (options, exit, part) in [
        ("", 2, "--schema FILE"),
        (
            "--schema indexes.txt --sqlite pharmacy.db --column patient.born_ix=patient.born",
            2,
            "the index patient.phone",
        ),
        (&format!("--schema indexes.txt --column patient.born_ix=patient.born {phone}"), 2, "no database"),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --column patient.born_ix {phone}"),
            2,
            "TABLE.COLUMN=INDEX",
        ),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --column born_ix=patient.born {phone}"),
            2,
            "TABLE.COLUMN",
        ),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --column patient.born_ix=patient.age {phone}"),
            2,
            "patient.age",
        ),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --column former.born_ix=patient.born {phone}"),
            5,
            "former.born_ix",
        ),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --column patient.phone_ix=patient.born {phone}"),
            1,
            "no definition",
        ),
        (
            &format!("--schema indexes.txt --sqlite pharmacy.db --empty patient.born_ix=patient.born {phone}"),
            5,
            "has 1 values",
        ),
        (&format!("--schema absent.txt --sqlite pharmacy.db {phone}"), 2, "absent.txt"),
        (&format!("--schema root.key --sqlite pharmacy.db {phone}"), 2, "rxseal-index-schema 1"),
        (&format!("--schema indexes.txt --sqlite nowhere.db --elsewhere patient.born {phone}"), 5, "nowhere.db"),
    ] {
        let text = format!("keyring index destroy pharmacy-17 {old} --index-values 0 --unused-for 0s --yes {options}");
        let refused = shop.fails(&text, exit);
        assert!(refused.contains(part), "{options}: {refused}");
    }
    // Plaintext that was left in the column.
    db.execute("INSERT INTO former VALUES ('1970-01-31'), (NULL)", []).unwrap();
    let plain = format!(
        "keyring index destroy pharmacy-17 {old} --index-values 0 --unused-for 0s --yes --schema indexes.txt --sqlite pharmacy.db --column former.born_ix=patient.born {phone}"
    );
    let refused = shop.fails(&plain, 1);
    assert!(refused.contains("1 entries are no index value") && !refused.contains("1970"), "{refused}");
    assert_eq!(shop.stored(), before);
    db.execute("DELETE FROM former WHERE born_ix IS NOT NULL", []).unwrap();
    let empty = plain.replace("--column former", "--empty former");
    shop.ok(&format!("{empty} --dry-run"));
    shop.ok(&empty.replace("--empty former.born_ix=patient.born", "--elsewhere patient.born"));
}

#[test]
fn index_values_are_counted_through_a_map() {
    let (shop, db) = with_schema("index-map");
    let old = roots(&shop)[0].0.clone();
    insert(&shop, &db);
    shop.ok("keyring index rotate pharmacy-17");
    insert(&shop, &db);
    db.execute_batch("ALTER TABLE patient ADD COLUMN id TEXT; ALTER TABLE patient ADD COLUMN note TEXT").unwrap();
    let map = |index: &str, more: &str| {
        let text = format!(
            "keyspace = 'pharmacy-17'\n{more}[[source]]\nat = 'sqlite:pharmacy.db#patient'\nrecord = 'patient'\nid = 'id'\n\
             sealed = {{ note = 'phi.clinical.note' }}\nindex = {index}\n"
        );
        fs::write(shop.path("map.toml"), text).unwrap();
    };
    let both = "{ born_ix = 'patient.born', phone_ix = 'patient.phone' }";
    map(both, "");
    let options = "--map map.toml --schema indexes.txt";
    let counted = shop.json(&format!("keyring index count pharmacy-17 {options}"));
    assert_eq!(counted["columns"][0]["column"], "sqlite:pharmacy.db#patient, born_ix");
    assert_eq!(counted["columns"].as_array().unwrap().len(), 2);
    let destroy = format!("keyring index destroy pharmacy-17 {old} --index-values 0 --unused-for 0s --yes {options}");
    assert!(shop.fails(&destroy, 5).contains("2 index values"));
    db.execute("DELETE FROM patient WHERE rowid = 1", []).unwrap();
    for (index, more, exit, part) in [
        ("{ born_ix = 'patient.born' }", "", 2, "the index patient.phone"),
        ("{ born_ix = 'patient.born', phone_ix = 'patient.age' }", "", 2, "patient.age is not in the list"),
        ("{ born_ix = 'patient.born', note_ix = 'patient.phone' }", "", 5, "no column note_ix"),
        ("{ born_ix = 'patient.phone', phone_ix = 'patient.born' }", "", 1, "no definition"),
    ] {
        map(index, more);
        assert!(shop.fails(&destroy, exit).contains(part), "{index}");
    }
    map(&format!("{both}\nempty = {{ columns = ['born_ix'] }}"), "");
    assert!(shop.fails(&destroy, 5).contains("the map says that it is empty, but it has 1 values"));
    map("{ born_ix = 'patient.born' }", "elsewhere = ['patient.phone']\n");
    shop.ok(&format!("{destroy} --dry-run"));
    map(both, "");
    assert!(shop.fails(&destroy.replace(" --schema indexes.txt", ""), 2).contains("rxseal-schema.json"));
    shop.ok(&destroy);
}

/// What is under a key is counted by other commands than what is under an index root.
#[test]
fn keys_and_index_roots_have_commands_of_their_own() {
    let shop = Shop::opened("index-or-key", "file:HERE/rings");
    let (key, root) = (shop.keys().primary_key().to_string(), roots(&shop)[0].0.clone());
    shop.ok("keyring rotate pharmacy-17");
    shop.ok("keyring index rotate pharmacy-17");
    for verb in ["deactivate", "compromise", "destroy --force --yes"] {
        let refused = shop.fails(&format!("keyring index {verb} pharmacy-17 {key}"), 5);
        assert!(refused.contains("is a key that seals"), "{refused}");
    }
    for options in ["--tokens 0 --subject-keys 0 --unused-for 0s", "--force"] {
        let refused = shop.fails(&format!("keyring destroy pharmacy-17 {root} {options} --yes"), 5);
        assert!(refused.contains("rxseal keyring index destroy"), "{refused}");
    }
    assert!(shop.fails("keyring index promote pharmacy-17", 5).contains("rxseal keyring index stage"));
    assert!(shop.fails("keyring index compromise pharmacy-17 AbCdEf12", 1).contains("not in this keyring"));
    // A mark is made at once, by either name.
    assert!(shop.ok(&format!("keyring compromise pharmacy-17 {root}")).contains("counts as disclosed"));
}

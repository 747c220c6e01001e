//! The command `rxseal`, as an operator meets it.
#![allow(clippy::unwrap_used)]

/// The command's own list, so that docs and codes can be held to it.
#[path = "../src/bin/rxseal/exit.rs"]
mod exit;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rxseal::keys::KeyringAdmin;
use rxseal::phi::Drug;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::store::{FileStore, KeyringStore, SqliteSubjectStore};
use rxseal::subjects::SubjectKeys;
use rxseal::testing::TestClock;
use rxseal::{Keyring, Token, run_local};
use serde_json::Value;

const TENANT: &str = "pharmacy-17";

struct Shop {
    folder: PathBuf,
    store: String,
}

impl Shop {
    fn new(name: &str, store: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rxseal-cli-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let store = store.replace("HERE", folder.to_str().unwrap());
        Self { folder, store }
    }

    /// With a root key and a first keyring.
    fn opened(name: &str, store: &str) -> Self {
        let shop = Self::new(name, store);
        shop.ok("key-file create root.key");
        shop.ok("keyring init pharmacy-17");
        shop
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.current_dir(&self.folder).env_clear();
        command.env("RXSEAL_STORE", &self.store).env("RXSEAL_ROOTS", "file:root.key");
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command().args(arguments.split_whitespace()).stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("--json {arguments}"))).unwrap()
    }

    /// Fails with this exit code and one line, which it gives.
    #[track_caller]
    fn fails(&self, arguments: &str, exit: i32) -> String {
        fails(self.run(arguments), arguments, exit)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn stored(&self) -> rxseal::keys::KeyringFile {
        run_local(FileStore::new(self.path("rings")).get(TENANT)).unwrap().unwrap()
    }

    fn keys(&self) -> Keyring {
        let roots = RootKeys::from(RootKeyFile::new(self.path("root.key")).load().unwrap());
        run_local(Keyring::unlock(TENANT, &roots, &self.stored())).unwrap().unobserved()
    }

    fn token(&self) -> Token {
        self.keys().record("prescription", "RX-1001").unwrap().seal::<Drug>("warfarin 5 MG").unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[track_caller]
fn fails(output: Output, what: &str, exit: i32) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{what}: {text}");
    assert_eq!(text.lines().count(), 1, "{what}: {text}");
    text
}

fn states(inspected: &Value) -> Vec<(String, String, bool)> {
    let keys = inspected["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "seal");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.map(|key| (text(&key["id"]), text(&key["state"]), key["primary"].as_bool().unwrap())).collect()
}

#[test]
fn the_life_of_a_keyring() {
    for store in ["file:HERE/rings", "sqlite:HERE/rings.db"] {
        let shop = Shop::opened(if store.starts_with("file") { "life-file" } else { "life-sqlite" }, store);
        let first = states(&shop.json("keyring inspect pharmacy-17"))[0].0.clone();
        assert_eq!(shop.ok("keyring list").trim(), TENANT);
        assert!(shop.ok("keyring inspect pharmacy-17").contains("active, primary"));

        let staged = shop.json("keyring stage pharmacy-17")["key"].as_str().unwrap().to_owned();
        let early = shop.fails("keyring promote pharmacy-17", 5);
        assert!(early.contains("staging time has not passed"), "{early}");
        shop.ok("keyring promote pharmacy-17 --staged-for 0s");
        let now = states(&shop.json("keyring inspect pharmacy-17"));
        assert!(now.contains(&(staged, "active".to_owned(), true)));
        assert!(now.contains(&(first.clone(), "deactivated".to_owned(), false)));

        let used = shop.fails(
            &format!("keyring destroy pharmacy-17 {first} --tokens 7 --subject-keys 0 --unused-for 0s --yes"),
            5,
        );
        assert!(used.contains("still under the key"), "{used}");
        shop.ok(&format!("keyring compromise pharmacy-17 {first}"));
        let destroy = format!("keyring destroy pharmacy-17 {first} --tokens 0 --subject-keys 0 --yes");
        let early = shop.fails(&destroy, 5);
        assert!(early.contains("may still seal under it") && early.contains("time left 1 h "), "{early}");
        shop.ok(&format!("{destroy} --unused-for 0s"));
        shop.ok("keyring rotate pharmacy-17");
        shop.ok("keyring rotate --index-root pharmacy-17");
        assert!(shop.ok("keyring verify pharmacy-17").contains("unlocks"));

        // A second root key, then that one alone.
        shop.ok("key-file create escrow.key");
        shop.ok("keyring root add pharmacy-17 file:escrow.key");
        let verified = shop.ok("keyring verify pharmacy-17");
        assert!(verified.contains("not asked"), "{verified}");
        let names: Vec<_> = shop.json("keyring inspect pharmacy-17")["root_keys"].as_array().unwrap().clone();
        let old = names[0]["root_key"].as_str().unwrap().to_owned();
        let refused = shop.fails(&format!("keyring root remove pharmacy-17 local {old}"), 5);
        assert!(refused.contains("not among the trusted ones") && refused.contains(": local "), "{refused}");
        shop.ok(&format!("keyring root remove pharmacy-17 local {old} --root file:root.key --root file:escrow.key"));
        shop.fails("keyring verify pharmacy-17", 5);
        shop.ok("keyring rewrap pharmacy-17 --root file:escrow.key --to file:root.key --yes");
        shop.ok("keyring verify pharmacy-17");
    }
}

#[test]
fn a_dry_run_stores_nothing_and_says_what_it_would() {
    let shop = Shop::opened("dry", "file:HERE/rings");
    let before = shop.stored();
    let key = shop.keys().primary_key();
    for change in ["stage", "rotate", "rewrap"] {
        let text = shop.ok(&format!("keyring {change} pharmacy-17 --dry-run"));
        assert!(text.contains("nothing is stored; it would be generation 2"), "{text}");
    }
    shop.ok("keyring init pharmacy-18 --dry-run");
    // What would be refused is refused.
    shop.fails(&format!("keyring destroy pharmacy-17 {key} --force --dry-run"), 5);
    assert_eq!(shop.stored(), before);
    assert_eq!(shop.ok("keyring list").trim(), TENANT);
}

#[test]
fn tokens_and_counts() {
    let shop = Shop::opened("tokens", "file:HERE/rings");
    let (token, key) = (shop.token(), shop.keys().primary_key().to_string());
    let shown = shop.json(&format!("token inspect {token}"));
    assert_eq!((shown[0]["suite"].as_str(), shown[0]["key"].as_str()), (Some("X"), Some(key.as_str())));
    fs::write(shop.path("token.bin"), token.as_bytes()).unwrap();
    fs::write(shop.path("tokens.txt"), format!("{token}\n\"{token}\"\n\n{token}")).unwrap();
    assert_eq!(shop.json("token inspect --file token.bin").as_array().unwrap().len(), 1);
    assert_eq!(shop.json("token inspect --file tokens.txt").as_array().unwrap().len(), 3);
    let mut child =
        shop.command().args(["token", "inspect"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.to_string().as_bytes()).unwrap();
    assert!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().contains(&key));
    let refused = shop.fails("token inspect warfarin-5-MG", 1);
    assert!(!refused.contains("warfarin"), "{refused}");

    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT)").unwrap();
    for _ in 0..3 {
        db.execute("INSERT INTO rx (drug) VALUES (?1)", [token.to_string()]).unwrap();
    }
    db.execute("INSERT INTO rx (drug) VALUES ('warfarin 5 MG'), (NULL)", []).unwrap();
    let counted = shop.json("count --sqlite pharmacy.db --table rx --column drug");
    assert_eq!(counted["keys"][&key], 3);
    assert_eq!((&counted["not_tokens"], &counted["nulls"]), (&Value::from(1), &Value::from(1)));
    let text = shop.ok("count --sqlite pharmacy.db --table rx --column drug");
    assert!(text.contains("plaintext left behind"), "{text}");
    let sql = shop.ok("count --table rx --column drug --sql sqlite");
    assert!(db.prepare(&sql).is_ok(), "{sql}");
    let missing = shop.fails("count --sqlite pharmacy.db --table prescriptions --column drug", 5);
    assert!(missing.contains("prescriptions"), "{missing}");
    shop.fails("count --sqlite nowhere.db --table rx --column drug", 5);
    assert!(!shop.path("nowhere.db").exists());

    // Counted once more before the key goes, with what is in backups.
    shop.ok("keyring rotate pharmacy-17");
    let destroy = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --yes");
    let columns = "--sqlite pharmacy.db --column rx.drug";
    assert!(shop.fails(&format!("{destroy} {columns} --tokens 0"), 1).contains("1 values show no token"));
    assert_eq!(shop.run(&format!("{destroy} {columns}")).status.code(), Some(2), "and in the backups?");
    db.execute("DELETE FROM rx WHERE drug IS NULL OR drug LIKE 'warfarin%'", []).unwrap();
    assert!(shop.fails(&format!("{destroy} {columns} --tokens 4"), 5).contains("7 tokens and 0 subject keys"));
    assert!(shop.fails(&format!("{destroy} --tokens 0 --column rx.drug"), 2).contains("--sqlite FILE"));
    assert!(
        shop.fails(&format!("{destroy} --tokens 0 --sqlite pharmacy.db --column drug"), 2).contains("TABLE.COLUMN")
    );
    assert!(shop.fails(&format!("{destroy} --tokens 0 --sqlite pharmacy.db"), 2).contains("--column"));
    assert_eq!(shop.run(&destroy).status.code(), Some(2), "nothing counted");
    let token = shop.token().to_string();
    db.execute("UPDATE rx SET drug = ?1", [token]).unwrap();
    shop.ok(&format!("{destroy} --tokens 0 {columns}"));
}

/// Each looks like a column in which nothing is left.
#[test]
fn a_zero_that_says_nothing_destroys_no_key() {
    let shop = Shop::opened("zeros", "file:HERE/rings");
    let key = shop.keys().primary_key().to_string();
    let old = shop.token().to_string();
    shop.ok("keyring rotate pharmacy-17");
    let token = shop.token().to_string();
    let foreign = Keyring::insecure_for_tests("pharmacy-18").unwrap().unobserved();
    let foreign = foreign.record("rx", 1).unwrap().seal::<Drug>("warfarin 5 MG").unwrap().to_string();
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT, unused TEXT, foreign_tokens TEXT, refills INTEGER);
         CREATE TABLE rx_new (drug TEXT);
         CREATE VIEW this_year AS SELECT drug FROM rx WHERE id > 1000;
         CREATE VIEW everything AS SELECT drug FROM rx;",
    )
    .unwrap();
    let insert = "INSERT INTO rx (drug, foreign_tokens, refills) VALUES (?1, ?2, 3)";
    db.execute(insert, [&token, &foreign]).unwrap();
    // Another database, in which the table is there and empty: a copy of the schema, or one that SQLite has just made.
    let other = rusqlite::Connection::open(shop.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    fs::write(shop.path("empty.db"), "").unwrap();

    let destroy = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --tokens 0 --yes");
    let good = "--sqlite pharmacy.db --column rx.drug";
    for (columns, exit, part) in [
        ("--sqlite pharmacy.db --column rx.unused", 5, "rx.unused: it has 1 rows and no value"),
        ("--sqlite pharmacy.db --column rx_new.drug", 5, "rx_new.drug: it has no rows"),
        ("--sqlite pharmacy.db --column rx.foreign_tokens", 5, "it has 1 tokens, all of other keyrings"),
        ("--sqlite pharmacy.db --column rx.refills", 1, "1 values show no token"),
        ("--sqlite pharmacy.db --column rx.id", 1, "1 values show no token"),
        ("--sqlite pharmacy.db --column this_year.drug", 5, "a view"),
        ("--sqlite pharmacy.db --column everything.drug", 5, "a view"),
        ("--sqlite pharmacy.db --column rx.drug --column rx.unused", 5, "rx.unused"),
        ("--sqlite pharmacy.db --column rx.drog", 5, "no column drog"),
        ("--sqlite other.db --column rx.drug", 5, "it has no rows"),
        ("--sqlite empty.db --column rx.drug", 5, "no table rx"),
        ("--sqlite absent.db --column rx.drug", 5, "absent.db"),
        ("--sqlite pharmacy.db --empty rx.drug", 5, "it was named with --empty, and has 1 tokens and 0 other values"),
        ("--sqlite pharmacy.db --empty rx.refills", 5, "0 tokens and 1 other values"),
        ("--sqlite pharmacy.db --empty this_year.drug", 5, "a view"),
        ("--sqlite pharmacy.db --empty rx.drog", 5, "no column drog"),
    ] {
        let text = shop.fails(&format!("{destroy} {columns}"), exit);
        assert!(text.contains(part), "{columns}: {text}");
    }
    assert!(!shop.path("absent.db").exists());
    let said = format!("keyring destroy pharmacy-17 {key} --subject-keys 0 --unused-for 0s --yes {good}");
    assert_eq!(shop.run(&said).status.code(), Some(2), "the number of the backups is asked for");
    let said = format!("keyring destroy pharmacy-17 {key} --tokens 0 --unused-for 0s --yes {good}");
    assert!(shop.fails(&said, 2).contains("--subject-keys 0"), "and that no subject keys are used");

    // Joined to another one, and in the letters of another one.
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    db.execute("UPDATE rx SET drug = ?1", [format!("{token}-{old}")]).unwrap();
    assert!(shop.fails(&format!("{destroy} {good}"), 5).contains("1 tokens and 0 subject keys"));
    let counted = json(&shop.ok("--json count --sqlite pharmacy.db --table rx --column drug"));
    assert_eq!(counted["joined"][&key], 1, "{counted}");
    assert!(shop.ok("count --sqlite pharmacy.db --table rx --column drug").contains("joined"));
    db.execute("UPDATE rx SET drug = ?1", [&token]).unwrap();
    let done = shop.ok(&format!("{destroy} {good} --empty rx.unused --empty rx_new.drug"));
    assert!(done.contains("key destroyed"), "{done}");
}

/// Generation 2 was put back where generation 3 was live, and what was sealed since is under a key that nobody has.
#[test]
fn keys_that_the_keyring_lacks_are_flagged() {
    let shop = Shop::opened("lacks", "file:HERE/rings");
    shop.ok("keyring rotate pharmacy-17");
    let second = shop.token();
    let ring = shop.path("rings").join("pharmacy-17.keyring.json");
    fs::copy(&ring, shop.path("generation-2")).unwrap();
    shop.ok("keyring rotate pharmacy-17");
    let third = shop.token();
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    for token in [&second, &third, &third] {
        db.execute("INSERT INTO rx VALUES (?1)", [token.to_string()]).unwrap();
    }
    let count = "count --sqlite pharmacy.db --table rx --column drug";
    let counted = shop.json(&format!("{count} --keyspace pharmacy-17"));
    assert_eq!(counted["not_in_keyring"], serde_json::json!({}));
    assert_eq!(shop.json(count)["not_in_keyring"], Value::Null, "nobody asked");

    fs::copy(shop.path("generation-2"), &ring).unwrap();
    let output = shop.run(&format!("{count} --keyspace pharmacy-17"));
    assert_eq!(output.status.code(), Some(1));
    let (text, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let line = text.lines().find(|line| line.contains(&third.key_id().to_string())).unwrap();
    assert!(line.contains('2') && line.contains("not in the keyring"), "{text}");
    assert!(error.contains("2 tokens are under 1 keys that are not in the keyring of pharmacy-17"), "{error}");
    let output = shop.run(&format!("--json {count} --keyspace pharmacy-17"));
    let counted: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counted["not_in_keyring"], serde_json::json!({ third.key_id().to_string(): 2 }));
    // A column of two tenants.
    shop.ok("keyring init pharmacy-18");
    fails(shop.run(&format!("{count} --keyspace pharmacy-19")), "no such keyring", 1);
    let output = shop.run(&format!("{count} --keyspace pharmacy-17 --keyspace pharmacy-18"));
    assert_eq!(output.status.code(), Some(1));
    // Who destroys a key is told too.
    let first =
        states(&shop.json("keyring inspect pharmacy-17")).into_iter().find(|(_, _, primary)| !primary).unwrap().0;
    let destroy =
        format!("keyring destroy pharmacy-17 {first} --tokens 0 --subject-keys 0 --unused-for 0s --yes --dry-run");
    let output = shop.run(&format!("{destroy} --sqlite pharmacy.db --column rx.drug"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && error.contains("rx.drug: 2 tokens are under keys that are not in this keyring"),
        "{error}"
    );
}

/// A derived record, written as JSON into a text column, is under the key as a token in a column of its own is.
#[test]
fn a_key_that_documents_need_is_not_destroyed() {
    let shop = Shop::opened("documents", "file:HERE/rings");
    let (token, key) = (shop.token(), shop.keys().primary_key().to_string());
    let db = rusqlite::Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch("CREATE TABLE rx (doc)").unwrap();
    for id in 0..3 {
        let document = serde_json::json!({ "id": id, "drug": token.to_string(), "former": [token.to_string()] });
        db.execute("INSERT INTO rx VALUES (?1)", [document.to_string()]).unwrap();
    }
    let counted = shop.json("count --sqlite pharmacy.db --table rx --column doc");
    assert_eq!((&counted["keys"][&key], &counted["not_tokens"]), (&Value::from(6), &Value::from(0)));
    shop.ok("keyring rotate pharmacy-17");
    let destroy = format!(
        "keyring destroy pharmacy-17 {key} --sqlite pharmacy.db --column rx.doc --tokens 0 --subject-keys 0 --unused-for 0s --yes"
    );
    assert!(shop.fails(&destroy, 5).contains("6 tokens and 0 subject keys"));

    // Where tokens are not seen, nobody is told to say that there are none.
    db.execute("UPDATE rx SET doc = CAST(doc AS BLOB)", []).unwrap();
    assert!(shop.ok("count --sqlite pharmacy.db --table rx --column doc").contains("binary documents"));
    let refused = shop.fails(&destroy, 1);
    assert!(refused.contains("only where they are text") && !refused.contains("--tokens"), "{refused}");
    let token = shop.token().to_string();
    db.execute("UPDATE rx SET doc = json_object('drug', ?1)", [&token]).unwrap();
    shop.ok(&destroy);
}

/// What is missing first.
const PKCS11: &str = if cfg!(feature = "pkcs11") { "RXSEAL_PKCS11_MODULE" } else { "--features cli,pkcs11" };

#[test]
fn each_mistake_is_one_line_that_says_what_to_do() {
    let shop = Shop::opened("mistakes", "file:HERE/rings");
    for (arguments, exit, part) in [
        ("keyring init pharmacy-17", 3, "stored already"),
        ("keyring inspect pharmacy-18", 1, "keyring list"),
        ("keyring rotate pharmacy-18", 1, "no keyring of this keyspace"),
        ("keyring promote pharmacy-17", 5, "keyring stage"),
        ("keyring inspect Pharmacy", 1, "keyspace"),
        ("keyring inspect ../../etc/passwd", 1, "keyspace"),
        ("keyring rotate pharmacy-17 --min-generation 9", 5, "older generation"),
        ("keyring list --store nowhere", 2, "file:FOLDER"),
        ("keyring verify pharmacy-17 --root file:absent.key", 1, "absent.key"),
        ("keyring verify pharmacy-17 --root env:ABSENT", 1, "not set: ABSENT"),
        ("keyring verify pharmacy-17 --root hsm:1", 2, "a root key is"),
        ("keyring verify pharmacy-17 --root pkcs11:token=phi;object=phi-root", 2, PKCS11),
        ("key-file create root.key", 1, "root.key"),
        ("key-file create /proc/root.key", 1, "the root key cannot be read or written: /proc/root.key: "),
        ("keyring list --config absent.toml", 2, "absent.toml"),
        ("count --postgres postgres://kim:secret@db/x --table t --column c", 2, "PGPASSWORD"),
        ("keyring list --store postgres://kim:secret@db/x", 2, ""),
    ] {
        let text = shop.fails(arguments, exit);
        assert!(text.contains(part), "{arguments}: {text}");
        assert!(text.starts_with("rxseal: ") && !text.contains("secret@"), "{text}");
    }
    let mut bare = shop.command();
    bare.env_remove("RXSEAL_ROOTS").env_remove("RXSEAL_STORE");
    assert!(fails(bare.args(["keyring", "list"]).output().unwrap(), "bare", 2).contains("RXSEAL_STORE"));
    let json = shop.run("--json keyring rotate pharmacy-18");
    let error: Value = serde_json::from_slice(&json.stderr).unwrap();
    assert_eq!(error["code"], "keyring-missing");
}

#[test]
fn a_configuration_file_says_it_too() {
    let shop = Shop::opened("config", "file:HERE/rings");
    fs::write(shop.path("rxseal.toml"), "store = \"file:rings\"\nroots = [\"file:root.key\"]\n").unwrap();
    let run = |config: &Path| {
        let mut command = shop.command();
        command.env_remove("RXSEAL_STORE").env_remove("RXSEAL_ROOTS").env("RXSEAL_CONFIG", config);
        command.args(["keyring", "verify", TENANT]).output().unwrap()
    };
    assert!(run(Path::new("rxseal.toml")).status.success());
    fs::write(shop.path("bad.toml"), "store = \"file:rings\"\nroot_key = \"rxseal-root-v1:secret\"\n").unwrap();
    let text = fails(run(Path::new("bad.toml")), "bad.toml", 2);
    assert!(text.contains("line 2 is not valid") && !text.contains("secret"), "{text}");
    fs::write(shop.path("bad.toml"), "roots = \"rxseal-root-v1:secret\"\n").unwrap();
    let text = fails(run(Path::new("bad.toml")), "bad.toml", 2);
    assert!(text.contains("line 1 is not valid") && !text.contains("secret"), "{text}");
}

#[test]
fn help_says_what_this_build_has() {
    let shop = Shop::new("help", "file:HERE/rings");
    let help = shop.ok("--help");
    for part in ["Root keys:", "Exit codes (", "aws-kms:KEY", "in this build", "A rotation:"] {
        assert!(help.contains(part), "{help}");
    }
    assert_eq!(help.contains("vault, in this build"), cfg!(feature = "vault"));
    assert_eq!(help.contains("pkcs11, in this build"), cfg!(feature = "pkcs11"));
    assert!(shop.ok("completions bash").contains("_rxseal"));
    assert!(shop.ok("man").contains(".TH rxseal"));
    assert_eq!(shop.run("keyring destroy pharmacy-17").status.code(), Some(2));
}

#[test]
fn a_rewrap_takes_no_root_key_off_unless_told() {
    let shop = Shop::opened("rewrap", "file:HERE/rings");
    shop.ok("key-file create escrow.key");
    shop.ok("keyring root add pharmacy-17 file:escrow.key");
    let refused = shop.fails("keyring rewrap pharmacy-17", 2);
    assert!(refused.contains("would not unlock the keyring any more"), "{refused}");
    shop.ok("keyring rewrap pharmacy-17 --root file:root.key --root file:escrow.key");
    assert_eq!(shop.stored().wraps().count(), 2);
    let unsaid = shop.fails("keyring rewrap pharmacy-17 --to file:root.key", 2);
    assert!(unsaid.contains("--yes"), "{unsaid}");
    assert!(shop.ok("keyring rewrap pharmacy-17 --to file:root.key --dry-run").contains("taken off"));
    assert_eq!(shop.stored().wraps().count(), 2);
    shop.ok("keyring rewrap pharmacy-17 --to file:root.key --yes");
    // A root key that was taken off as lost, and that is configured still, does not come back.
    let lost = shop.fails("keyring rewrap pharmacy-17 --root file:root.key --root file:escrow.key", 2);
    assert!(lost.contains("does not unlock the keyring now"), "{lost}");
    assert_eq!(shop.stored().wraps().count(), 1);
    // Whoever takes a root key off next must not be told that all is well.
    let lost = shop.run("keyring verify pharmacy-17 --root file:root.key --root file:nowhere.key");
    assert_eq!(lost.status.code(), Some(1));
    assert!(String::from_utf8(lost.stderr).unwrap().contains("1 of the root keys named here could not be asked"));
    // A root key that somebody relies on, and that is not there, fails the drill.
    let verified = shop.run("keyring verify pharmacy-17 --root file:root.key --root file:escrow.key");
    assert_eq!(verified.status.code(), Some(5));
    assert!(String::from_utf8(verified.stdout).unwrap().contains("no wrap of this root key"));
}

#[test]
fn one_root_key_that_is_out_of_reach_is_a_warning() {
    let shop = Shop::opened("reach", "file:HERE/rings");
    let output = shop.run("keyring rotate pharmacy-17 --root file:gone.key --root file:root.key");
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("rxseal: warning: ") && text.contains("gone.key") && text.lines().count() == 1, "{text}");
    // Where none is in reach, each is told of, and nobody is asked which root key is trusted.
    let output = shop.run("keyring rotate pharmacy-17 --root file:gone.key --root file:lost.key");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("gone.key") && lines[1].contains("lost.key"), "{text}");
    // To wrap with, all are needed.
    let text = shop.fails("keyring init pharmacy-18 --root file:gone.key --root file:root.key", 1);
    assert!(text.contains("gone.key"), "{text}");
}

#[test]
fn looking_makes_no_database() {
    let shop = Shop::new("looking", "sqlite:HERE/typo.db");
    shop.ok("key-file create root.key");
    let looking = ["keyring list", "keyring inspect pharmacy-17", "keyring rotate pharmacy-17"];
    for arguments in looking {
        let text = shop.fails(arguments, 2);
        assert!(text.contains("there is no database"), "{text}");
    }
    let init = shop.ok("keyring init pharmacy-17 --dry-run");
    assert!(init.contains("nothing is stored; it would be generation 1"), "{init}");
    assert!(!shop.path("typo.db").exists());

    // And no table in the database of the data.
    let data = rusqlite::Connection::open(shop.path("data.db")).unwrap();
    data.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    let before = fs::read(shop.path("data.db")).unwrap();
    for arguments in looking {
        let text = shop.fails(&format!("{arguments} --store sqlite:data.db"), 2);
        assert!(text.contains("`rxseal keyring init` makes one"), "{text}");
    }
    shop.ok("keyring init pharmacy-17 --dry-run --store sqlite:data.db");
    for arguments in [
        "count pharmacy-17",
        "under pharmacy-17 AAAAAAAA",
        "hold pharmacy-17 P-7",
        "shred pharmacy-17 P-7 --dry-run --shred-log log --backups-kept 1day",
    ] {
        let text = shop.fails(&format!("subject {arguments} --subject-store sqlite:data.db"), 2);
        assert!(text.contains("is it the right one?"), "{text}");
    }
    assert_eq!(fs::read(shop.path("data.db")).unwrap(), before);
    // One that is meant to be new is made by the first command that writes.
    fs::write(shop.path("new.db"), "").unwrap();
    let nobody = shop.fails("subject hold pharmacy-17 P-7 --legal-hold --subject-store sqlite:new.db", 2);
    assert!(nobody.contains("is it the right one?"), "{nobody}");
    shop.ok("subject hold pharmacy-17 P-7 --legal-hold --unknown-too --subject-store sqlite:new.db");
}

/// One key id of 64 begins with a hyphen, and `-h` and `-V` are options.
#[test]
fn a_key_id_may_begin_with_a_hyphen() {
    let shop = Shop::opened("hyphen", "file:HERE/rings");
    for key in ["-hAbCdEf", "-VAbCdEf", "--AbCdEf", "-1234567"] {
        let text = shop.fails(&format!("keyring compromise pharmacy-17 {key}"), 1);
        assert!(text.contains("not in this keyring"), "{text}");
        let text = shop
            .fails(&format!("keyring destroy pharmacy-17 {key} --tokens 0 --subject-keys 0 --unused-for 0s --yes"), 1);
        assert!(text.contains("not in this keyring"), "{text}");
        let text = shop.fails(&format!("keyring root remove pharmacy-17 local {key}"), 5);
        assert!(text.contains("does not unlock the keyring"), "{text}");
    }
}

#[test]
fn a_patient_is_shredded_held_and_carried_over() {
    let shop = Shop::opened("subjects", "file:HERE/rings");
    let database = shop.path("subjects.db");
    let store = SqliteSubjectStore::open(&database).unwrap();
    let subjects = SubjectKeys::new(store);
    for patient in ["P-7", "P-8", "P-9"] {
        run_local(subjects.subject_or_create(&shop.keys(), patient)).unwrap();
    }
    let run = |arguments: &str| {
        let mut command = shop.command();
        command.env("RXSEAL_SUBJECT_STORE", format!("sqlite:{}", database.display()));
        command.env("RXSEAL_SHRED_LOG", "shredded.log").env("RXSEAL_BACKUPS_KEPT", "30days");
        command.args(arguments.split_whitespace()).output().unwrap()
    };
    let ok = |arguments: &str| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let would = ok("subject hold pharmacy-17 P-7 --until 2999-01-01 --legal-hold --dry-run");
    assert!(would.contains("it would be kept until: 2999-01-01") && would.contains("a legal hold is on it"), "{would}");
    assert!(ok("subject hold pharmacy-17 P-7").contains("kept until: no time; no legal hold"));
    ok("subject hold pharmacy-17 P-7 --until 2999-01-01");
    assert!(fails(run("subject shred pharmacy-17 P-7 --yes"), "held", 5).contains("must be kept"));
    assert!(ok("subject hold pharmacy-17 P-7").contains("2999-01-01"));
    ok("subject hold pharmacy-17 P-7 --legal-hold");
    let held = ok("subject hold pharmacy-17 P-7");
    assert!(held.contains("2999-01-01") && held.contains("a legal hold is on it"), "both hold: {held}");
    for less in ["none", "2998-12-31"] {
        assert!(fails(run(&format!("subject hold pharmacy-17 P-7 --until {less}")), "less", 2).contains("2999-01-01"));
    }
    ok("subject hold pharmacy-17 P-7 --until none --yes");
    assert!(fails(run("subject shred pharmacy-17 P-7 --dry-run"), "held", 5).contains("must be kept"));
    ok("subject hold pharmacy-17 P-7 --release");
    assert!(ok("subject shred pharmacy-17 P-7 --dry-run").contains("would be shredded"));
    assert!(ok("subject hold pharmacy-17 P-7").contains("its key is under"));
    fs::copy(&database, shop.path("backup.db")).unwrap();
    let receipt = ok("subject shred pharmacy-17 P-7 --yes");
    assert!(!receipt.contains("no key is stored") && ok("subject hold pharmacy-17 P-7").contains("it was shredded at"));
    assert!(
        ok("subject shred pharmacy-17 P-77 --unknown-too --dry-run").contains("no key is stored"),
        "another id, perhaps"
    );
    // What has no effect is not confirmed.
    let past = "--until 1999-01-01";
    for (arguments, exit, part) in [
        ("shred pharmacy-17 P-77 --yes", 1, "--unknown-too"),
        ("shred pharmacy-17 P-77 --dry-run", 1, "--unknown-too"),
        ("shred pharmacy-71 P-8 --yes", 1, "--unknown-too"),
        ("shred Pharmacy P-8 --yes", 1, "keyspace"),
        ("hold pharmacy-17 P-77 --legal-hold", 1, "--unknown-too"),
        ("hold pharmacy-17 P-77 --release", 1, "--unknown-too"),
        ("hold pharmacy-17 P-77 --legal-hold --dry-run", 1, "--unknown-too"),
        ("hold pharmacy-17 P-7 --legal-hold", 5, "was shredded"),
        ("hold pharmacy-17 P-7 --legal-hold --unknown-too", 5, "was shredded"),
        ("hold pharmacy-17 P-7 --until 2999-01-01 --dry-run", 5, "was shredded"),
        (&format!("hold pharmacy-17 P-8 {past}"), 5, "has passed already"),
        (&format!("hold pharmacy-17 P-8 {past} --legal-hold"), 5, "has passed already"),
        (&format!("hold pharmacy-17 P-8 {past} --dry-run"), 5, "has passed already"),
        ("rewrap pharmacy-18", 1, "keyring"),
        ("under pharmacy-71 AAAAAAAA", 1, "no subject key of pharmacy-71 at all"),
    ] {
        let text = fails(run(&format!("subject {arguments}")), arguments, exit);
        assert!(text.contains(part), "{arguments}: {text}");
    }
    assert!(ok("subject hold pharmacy-17 P-8").contains("kept until: no time; no legal hold"));
    let log = fs::read_to_string(shop.path("shredded.log")).unwrap();
    assert_eq!(log.lines().count(), 1, "who was not shredded is not in it: {log}");
    assert!(
        ok("subject shred pharmacy-17 P-7 --yes").contains("shredded P-7"),
        "repeated after a crash, with its receipt"
    );
    fs::write(shop.path("passwd"), "root:x:0:0\n").unwrap();
    fails(run("subject shred pharmacy-17 P-8 --dry-run --shred-log passwd"), "no shred log", 5);
    fails(run("subject count pharmacy-17 --subject-store file:typo"), "no such store", 2);
    let far = ok("--backups-kept 999999999years subject shred pharmacy-17 P-78 --unknown-too --yes");
    assert!(far.contains("after the year 9999") && far.contains("no key is stored"), "{far}");
    assert!(receipt.contains("complete at") && receipt.contains("Not covered:"), "{receipt}");
    assert_eq!(run("subject shred pharmacy-17 P-8").status.code(), Some(2), "only with --yes");

    let old = shop.keys().primary_key().to_string();
    ok("keyring rotate pharmacy-17");
    assert_eq!(ok(&format!("subject under pharmacy-17 {old}")).lines().collect::<Vec<_>>(), ["P-8", "P-9"]);
    assert!(ok("subject count pharmacy-17").contains(&old));
    let counted = ok(&format!("--json keyring compromise pharmacy-17 {old} --dry-run"));
    assert_eq!(serde_json::from_str::<Value>(&counted).unwrap()["subject_keys_under"], 2);
    let marked = ok(&format!("keyring compromise pharmacy-17 {old} --dry-run"));
    let lists = format!("`rxseal subject under pharmacy-17 {old}` lists");
    assert!(marked.contains("rewrap 2 subject keys") && marked.contains(&lists), "{marked}");
    let marked = shop.ok(&format!("keyring compromise pharmacy-17 {old} --dry-run"));
    assert!(marked.contains("If patients have keys") && marked.contains(&lists), "{marked}");
    let destroy = format!("keyring destroy pharmacy-17 {old} --tokens 0 --unused-for 0s --yes");
    let refused = fails(run(&destroy), "wrapped", 5);
    assert!(refused.contains("0 tokens and 2 subject keys"), "they are counted: {refused}");
    assert!(ok("subject rewrap pharmacy-17 --dry-run").contains("2 subject keys would be under"));
    assert!(ok("subject rewrap pharmacy-17").contains("2 subject keys are now under"));
    assert_eq!(ok(&format!("subject under pharmacy-17 {old}")), "", "data only");

    shop.fails(&destroy, 2);
    fs::write(shop.path("empty.db"), "").unwrap();
    let other = fails(run("subject reapply --dry-run --subject-store sqlite:empty.db"), "another store", 2);
    assert!(other.contains("is it the right one"), "{other}");
    let other = fails(run("subject reapply --subject-store sqlite:empty.db"), "another store", 2);
    assert!(other.contains("is it the right one"), "{other}");
    assert_eq!(fs::read(shop.path("empty.db")).unwrap(), b"", "nothing was written there");
    drop(SqliteSubjectStore::open(shop.path("nobody.db")).unwrap());
    let other = fails(run("subject reapply --subject-store sqlite:nobody.db"), "another store", 1);
    assert!(other.contains("the right store") && other.contains("--unknown-too"), "{other}");
    let other = fails(run("subject rewrap pharmacy-17 --subject-store sqlite:nobody.db"), "another store", 1);
    assert!(other.contains("no subject key of pharmacy-17 at all"), "{other}");
    let lost = ok("subject reapply --unknown-too --subject-store sqlite:nobody.db");
    assert!(lost.contains("2 subjects are shredded, 2 of them without a key"), "{lost}");
    fs::write(shop.path("empty.db"), "").unwrap();
    let other = run(&format!("keyring destroy pharmacy-17 {old} --tokens 0 --yes --subject-store sqlite:empty.db"));
    assert!(fails(other, "another store", 2).contains("is it the right one"));
    // No patient has a key yet, and the operator says so.
    let none = format!("keyring destroy pharmacy-17 {old} --tokens 0 --subject-keys 0 --unused-for 0s --dry-run --yes");
    ok(&format!("{none} --subject-store sqlite:empty.db"));
    ok(&destroy);
    fs::copy(shop.path("backup.db"), &database).unwrap();
    assert!(
        ok("subject reapply --dry-run")
            .contains("2 subjects would be shredded, 1 of them without a key; 0 were before")
    );
    assert!(ok("subject reapply").contains("2 subjects are shredded, 1 of them without a key; 0 were before"));
    assert!(ok("subject reapply").contains("0 subjects are shredded, 0 of them without a key; 2 were before"));
    // A line that somebody wrote, of a time that is yet to come, shreds nobody who is kept until then.
    ok("subject hold pharmacy-17 P-8 --until 2096-01-01");
    let line = "{\"keyspace\":\"pharmacy-17\",\"subject\":\"P-8\",\"at\":4000000000}\n";
    fs::write(shop.path("shredded.log"), format!("{log}{line}")).unwrap();
    let output = run("subject reapply");
    let (text, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        text.contains("held, and not shredded: pharmacy-17 P-8") && text.contains("yet to come: pharmacy-17 P-8"),
        "{text}"
    );
    assert!(error.contains("warning: 1 lines of the log are of a time that is yet to come"), "{error}");
    assert!(ok("subject hold pharmacy-17 P-8").contains("its key is under"));
    let bare = shop.fails("subject reapply", 2);
    assert!(bare.contains("RXSEAL_SUBJECT_STORE"), "{bare}");
}

/// The key is not destroyed before its line can be written, and if it was all the same, the operator is told.
#[test]
fn no_patient_is_shredded_without_a_log() {
    let shop = Shop::opened("no-log", "file:HERE/rings");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    let places = "--subject-store sqlite:subjects.db --backups-kept 30days --shred-log";
    std::os::unix::fs::symlink("nowhere/shredded.log", shop.path("link.log")).unwrap();
    // Folders in which not even root can make a file, and a link that leads nowhere.
    for log in ["/proc/shredded.log", "link.log"] {
        for how in ["--dry-run", "--yes"] {
            let text = shop.fails(&format!("subject shred pharmacy-17 P-7 {how} {places} {log}"), 5);
            assert!(!text.contains("WAS destroyed"), "{text}");
        }
        let hold = shop.ok("subject hold pharmacy-17 P-7 --subject-store sqlite:subjects.db");
        assert!(hold.contains("its key is under"), "{log}: {hold}");
    }
    shop.ok(&format!("subject shred pharmacy-17 P-7 --yes {places} shredded.log"));
    // Nothing is left of the attempts.
    let names = fs::read_dir(&shop.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with(".rxseal-tmp")).count(), 0);
    let text = shop.fails(&format!("--json subject shred pharmacy-17 P-7 --yes {places} /proc/shredded.log"), 6);
    assert!(text.contains("\"unreported\"") && text.contains("key WAS destroyed"), "{text}");
    // Something rotated the log: that nobody is in it shreds nobody, and is no success.
    fs::write(shop.path("rotated.log"), "").unwrap();
    for how in ["", "--dry-run"] {
        let text = shop.fails(&format!("subject reapply {how} {places} rotated.log"), 1);
        assert!(text.contains("nobody is in the shred log"), "{text}");
    }
}

/// No patient is under a key that is mistyped: that is not an answer for those who have to be told.
#[test]
fn a_mistyped_key_exposes_nobody_and_says_so() {
    let shop = Shop::opened("mistyped", "file:HERE/rings");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    let old = shop.keys().primary_key().to_string();
    let under = |key: &str| format!("--json subject under pharmacy-17 {key} --subject-store sqlite:subjects.db");
    assert_eq!(shop.ok(&under(&old)), "[\"P-7\"]\n");
    let text = shop.fails(&under("AAAAAAAA"), 1);
    assert!(text.contains("\"unknown-key\"") && text.contains("has no such key"), "{text}");
    shop.ok("keyring rotate pharmacy-17");
    assert_eq!(shop.ok(&under(&shop.keys().primary_key().to_string())), "[]\n", "a key of the keyring may have none");
}

/// The root key stands in no output of any of these calls.
#[test]
fn no_secret_is_printed() {
    let shop = Shop::opened("secrets", "file:HERE/rings");
    let line = fs::read_to_string(shop.path("root.key")).unwrap();
    let secret = line.trim().strip_prefix("rxseal-root-v1:").unwrap();
    for arguments in [
        "keyring inspect pharmacy-17",
        "keyring verify pharmacy-17",
        "keyring rotate pharmacy-17",
        "--json keyring stage pharmacy-17",
    ] {
        let mut command = shop.command();
        command.env("RXSEAL_ROOTS", "env:ROOT_LINE").env("ROOT_LINE", line.trim());
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{arguments}");
        for text in [output.stdout, output.stderr] {
            assert!(!String::from_utf8(text).unwrap().contains(secret), "{arguments}");
        }
    }
    // Also where it was written in place of its file or its variable, or a password into a URL.
    for (root, secret) in [
        (format!("file:{}", line.trim()), secret),
        (format!("env:{}", line.trim()), secret),
        ("vault:https://kim:canary@127.0.0.1:1/transit/phi-root".to_owned(), "canary"),
    ] {
        for command in ["keyring verify pharmacy-17", "--json keyring rotate pharmacy-17"] {
            let output = shop.run(&format!("{command} --root {root}"));
            assert!(!output.status.success());
            let text = format!("{output:?}");
            assert!(!text.contains(secret) && text.contains("(not shown)"), "{text}");
        }
    }
}

/// One code has one exit status; the list, the docs, the help and the library have the same codes.
#[test]
fn every_code_is_in_the_docs_with_its_exit_status() {
    let mut expected: BTreeMap<String, u8> = BTreeMap::new();
    for code in rxseal::ErrorCode::ALL {
        expected.insert(code.to_string(), exit::status(code.as_str()));
    }
    for own in ["usage", "check-failed", "io", "unreported"] {
        expected.insert(own.to_owned(), exit::status(own));
    }
    let listed: BTreeMap<_, _> = exit::STATUSES
        .iter()
        .flat_map(|status| status.codes.iter().map(|code| ((*code).to_owned(), status.exit)))
        .collect();
    assert_eq!(listed, expected, "exit.rs against ErrorCode::ALL");

    let docs = include_str!("../docs/COMMAND.md").split_once("| exit | meaning | codes |").unwrap().1;
    let rows: Vec<Vec<&str>> =
        docs.lines().skip(2).take_while(|line| line.starts_with('|')).map(|row| row.split('|').collect()).collect();
    let mut documented = BTreeMap::new();
    for row in &rows {
        for code in row[3].split('`').skip(1).step_by(2) {
            documented.insert(code.to_owned(), row[1].trim().parse().unwrap());
        }
    }
    assert_eq!(documented, expected, "docs/COMMAND.md");
    let help = Shop::new("codes", "file:HERE/rings").ok("--help");
    assert_eq!(rows.len(), exit::STATUSES.len());
    for (row, status) in rows.iter().zip(exit::STATUSES) {
        assert_eq!((row[1].trim(), row[2].trim()), (&*status.exit.to_string(), status.meaning));
        assert!(help.contains(status.meaning), "{}", status.meaning);
    }
    assert_eq!((exit::FAILED, exit::USAGE, exit::BROKEN_PIPE), (1, 2, 141));
}

/// Commands that meet the same fault end alike, whatever they are about to do.
#[test]
fn one_fault_has_one_code_in_every_command() {
    let shop = Shop::opened("faults", "file:HERE/rings");
    shop.ok("key-file create other.key");
    let record = "record open NAME t 1 --field phi.rx.drug --class medication --who user:kim --why TREAT --file token";
    fs::write(shop.path("token"), shop.token().to_string()).unwrap();
    fs::write(shop.path("crlf.key"), fs::read_to_string(shop.path("root.key")).unwrap().replace('\n', "\r\n")).unwrap();
    fs::set_permissions(shop.path("crlf.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let looking = ["keyring inspect NAME", "keyring verify NAME"];
    let changing = ["keyring rotate NAME", "keyring stage NAME", "keyring rewrap NAME"];
    let needs_root: Vec<_> = changing.iter().chain(&looking[1..]).chain([&record]).collect();
    let mut cases: Vec<(String, i32, &str, &str)> = Vec::new();
    for command in looking.iter().chain(&changing).chain([&record]) {
        cases.push((command.replace("NAME", "pharmacy-18"), 1, "keyring-missing", "no keyring of this keyspace"));
        cases.push((command.replace("NAME", "Pharmacy"), 1, "invalid-id", "keyspace"));
    }
    for command in looking.iter().chain(&changing) {
        let old = format!("{} --min-generation 9", command.replace("NAME", TENANT));
        cases.push((old, 5, "keyring-too-old", "older generation"));
    }
    let unstaged = ["keyring promote pharmacy-17", "keyring promote pharmacy-17 --staged-for 0s"];
    cases.extend(unstaged.map(|command| (command.to_owned(), 5, "state-refused", "no key is staged")));
    for command in needs_root {
        let command = command.replace("NAME", TENANT);
        if !command.contains("rewrap") {
            cases.push((format!("{command} --root file:other.key"), 5, "unlock-failed", "root key"));
        }
        cases.push((format!("{command} --root file:gone.key"), 1, "root-key-io", "root key file:gone.key: "));
        cases.push((format!("{command} --root env:GONE"), 1, "invalid-root-key", "GONE"));
        cases.push((format!("{command} --root file:crlf.key"), 1, "invalid-root-key", "CRLF"));
    }
    for (arguments, exit, code, part) in &cases {
        let output = shop.run(&format!("--json {arguments}"));
        let text = String::from_utf8(output.stderr).unwrap();
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((output.status.code(), last["code"].as_str()), (Some(*exit), Some(*code)), "{arguments}: {text}");
        let told = format!("{text}{}", String::from_utf8(output.stdout).unwrap());
        assert!(told.contains(part), "{arguments}: {told}");
    }
    let verified = shop.run("--json keyring verify pharmacy-17 --root file:root.key --root file:other.key");
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified[0]["code"], &verified[1]["code"]), (&Value::Null, &Value::from("unlock-failed")));
}

#[test]
fn mistakes_in_arguments_are_json_too() {
    let shop = Shop::new("arguments", "file:HERE/rings");
    for arguments in
        ["--json", "keyring inspect --json", "--json nonsense", "keyring --json destroy t AAAAAAAA --tokens x"]
    {
        let output = shop.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(error["code"] == "usage" && error["error"].as_str().unwrap().len() > 5, "{arguments}: {error}");
    }
}

#[test]
fn the_standard_output_has_data_only() {
    let shop = Shop::new("data", "file:HERE/rings");
    fs::create_dir(shop.path("rings")).unwrap();
    let output = shop.run("keyring list");
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "rxseal: no keyring is stored\n");
    let output = shop.run("keyring list --json");
    assert!(output.stderr.is_empty() && output.stdout == b"[]\n");
    // A folder that is not there is not an empty one.
    let text = shop.fails("keyring list --store file:typo", 2);
    assert!(text.contains("is it the right one") && text.contains("--store (file:typo)"), "{text}");
    let made = shop.fails("keyring init pharmacy-17 --store sqlite:new/folder/rings.db", 1);
    assert!(made.contains("root.key"), "{made}");
    shop.ok("key-file create root.key");
    let folder = shop.fails("keyring init pharmacy-17 --store sqlite:new/folder/rings.db", 2);
    assert!(folder.contains("mkdir -p -m 0700 new/folder"), "{folder}");
}

#[test]
fn an_answer_that_cannot_be_written() {
    let shop = Shop::opened("full", "file:HERE/rings");
    let full = |arguments: &str| {
        let device = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        shop.command().args(arguments.split_whitespace()).stdout(device).output().unwrap()
    };
    let generation = shop.stored().generation();
    for change in ["keyring rotate pharmacy-17", "keyring stage pharmacy-17", "key-file create second.key"] {
        let text = fails(full(change), change, 6);
        assert!(
            text.contains("the change WAS stored") && text.contains("made") | text.contains("generation"),
            "{text}"
        );
    }
    assert_eq!(shop.stored().generation(), generation + 2);
    // Where nothing was changed, nothing was stored.
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    for look in [
        "keyring list",
        "keyring inspect pharmacy-17",
        "keyring rotate pharmacy-17 --dry-run",
        "man",
        "subject rewrap pharmacy-17 --subject-store sqlite:subjects.db",
        "subject hold pharmacy-17 P-7 --release --subject-store sqlite:subjects.db",
    ] {
        assert!(!fails(full(look), look, 1).contains("WAS stored"), "{look}");
    }
    // Whoever read it went away.
    for (arguments, exit) in [
        ("keyring inspect pharmacy-17", 141),
        ("completions bash", 141),
        ("keyring promote pharmacy-17 --staged-for 0s", 6),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = shop.command().args(arguments.split_whitespace()).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments}");
        assert_eq!(output.stderr.is_empty(), exit == 141, "{arguments}");
    }
}

#[test]
fn an_empty_variable_says_nothing() {
    let shop = Shop::opened("empty", "file:HERE/rings");
    let config = "store = \"file:rings\"\nroots = [\"file:root.key\"]\nsubject_store = \"sqlite:subjects.db\"\n\
        shred_log = \"shredded.log\"\nbackups_kept = \"30days\"\n";
    fs::write(shop.path("rxseal.toml"), config).unwrap();
    let store = SqliteSubjectStore::open(shop.path("subjects.db")).unwrap();
    run_local(SubjectKeys::new(store).subject_or_create(&shop.keys(), "P-7")).unwrap();
    let variables = [
        "RXSEAL_STORE",
        "RXSEAL_ROOTS",
        "RXSEAL_SUBJECT_STORE",
        "RXSEAL_SHRED_LOG",
        "RXSEAL_BACKUPS_KEPT",
        "RXSEAL_CONFIG",
        "VAULT_TOKEN",
        "VAULT_TOKEN_FILE",
        "VAULT_NAMESPACE",
        "VAULT_CACERT",
        "RXSEAL_PKCS11_MODULE",
        "RXSEAL_PKCS11_PIN_FILE",
    ];
    for arguments in
        ["keyring verify pharmacy-17", "subject count pharmacy-17", "subject shred pharmacy-17 P-7 --dry-run"]
    {
        let mut command = shop.command();
        command.envs(variables.map(|variable| (variable, ""))).args(["--config", "rxseal.toml"]);
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // A bad value is told by the name of who says it.
    for (variable, value, part) in [
        ("RXSEAL_STORE", "nowhere", "RXSEAL_STORE is file:FOLDER"),
        ("RXSEAL_SUBJECT_STORE", "nowhere", "RXSEAL_SUBJECT_STORE is file:FOLDER"),
        ("RXSEAL_BACKUPS_KEPT", "soon", "RXSEAL_BACKUPS_KEPT is a time"),
    ] {
        let mut command = shop.command();
        command.args(["--config", "rxseal.toml"]).env(variable, value);
        let command = command.args(["subject", "rewrap", TENANT]);
        assert!(fails(command.output().unwrap(), variable, 2).contains(part), "{variable}");
    }
    // Usage says what a command takes, not what the environment has.
    let usage = String::from_utf8(shop.run("keyring inspect").stderr).unwrap();
    assert!(!usage.contains("--store"), "{usage}");
}

#[test]
fn root_keys_in_a_variable_and_in_tables() {
    let shop = Shop::opened("roots", "file:HERE/rings");
    fs::create_dir(shop.path("my stick")).unwrap();
    shop.ok("key-file create escrow.key");
    fs::copy(shop.path("escrow.key"), shop.path("my stick/escrow.key")).unwrap();
    shop.ok("keyring root add pharmacy-17 file:escrow.key");
    let verify = |roots: &str| {
        let output = shop.command().env("RXSEAL_ROOTS", roots).args(["keyring", "verify", TENANT]).output().unwrap();
        assert!(output.status.success(), "{roots:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().matches("unlocks").count()
    };
    assert_eq!(verify("file:root.key file:escrow.key"), 2);
    assert_eq!(verify("file:root.key\nfile:my stick/escrow.key\n"), 2);
    assert_eq!(verify("file:my stick/escrow.key\n"), 1);
    fs::write(
        shop.path("rxseal.toml"),
        "store = \"file:rings\"\nroots = [\"file:root.key\", { root = \"file:my stick/escrow.key\" }]\n",
    )
    .unwrap();
    let mut command = shop.command();
    command.env_remove("RXSEAL_ROOTS").args(["--config", "rxseal.toml", "keyring", "verify", TENANT]);
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap().matches("unlocks").count(), 2);

    for (root, part) in [
        ("vault:https://v/transit/k?token=hvs.secret", "a secret is never part"),
        ("pkcs11:token=t;object=o?pin-value=1234", "a secret is never part"),
        ("vault:https://v/transit/k?label", "?NAME=VALUE"),
        ("vault:https://v/transit/k?label=a&label=b", "one option twice"),
    ] {
        let text = shop.fails(&format!("keyring verify pharmacy-17 --root {root}"), 2);
        assert!(text.contains(part) && !text.contains("hvs") && !text.contains("1234"), "{text}");
    }
    if cfg!(feature = "vault") {
        for (root, part) in [
            ("vault:https://v/transit/k?token_file=t&lable=dc2", "it has: label, "),
            ("vault:https://v/transit/k?token_env=NO_SUCH", "NO_SUCH, which token_env names"),
            ("vault:https://v/transit/k?token_file=t&role_id=r", "logs in by"),
            ("vault:https://v/transit/k?token_file=t&deadline=soon", "such as 10s"),
        ] {
            let text = shop.fails(&format!("keyring verify pharmacy-17 --root {root}"), 2);
            assert!(text.contains(part), "{text}");
        }
    }
    // Whoever gives the key itself in place of its variable does not find it in a log.
    let line = fs::read_to_string(shop.path("root.key")).unwrap();
    let text = shop.fails(&format!("keyring verify pharmacy-17 --root env:{}", line.trim()), 1);
    assert!(!text.contains(&line.trim()[20..]), "{text}");
}

/// Ids come from stores that somebody else may write.
#[test]
fn what_a_terminal_would_obey_is_shown_escaped() {
    let shop = Shop::opened("escapes", "sqlite:HERE/rings.db");
    let evil = "P-7\u{1b}]0;owned\u{7}\u{9b}2J\n\u{202e}x";
    let db = rusqlite::Connection::open(shop.path("rings.db")).unwrap();
    db.execute("INSERT INTO rxseal_keyrings VALUES (?1, 1, 'x')", [evil]).unwrap();
    drop(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    let key = states(&shop.json("keyring inspect pharmacy-17"))[0].0.clone();
    let subjects = rusqlite::Connection::open(shop.path("subjects.db")).unwrap();
    let wrapped = shop_keys(&shop).create_subject_key("P-7").unwrap().1;
    subjects
        .execute(
            "INSERT INTO rxseal_subject_keys (keyspace, subject, wrapped) VALUES ('pharmacy-17', ?1, ?2)",
            rusqlite::params![evil, wrapped.as_bytes()],
        )
        .unwrap();
    fs::write(shop.path("shredded.log"), "").unwrap();
    let with = "--subject-store sqlite:subjects.db --shred-log shredded.log --backups-kept 1day";
    for arguments in [
        "keyring list".to_owned(),
        format!("subject under pharmacy-17 {key} {with}"),
        format!("subject count pharmacy-17 {with}"),
        format!("subject rewrap pharmacy-17 {with}"),
        format!("subject reapply {with}"),
    ] {
        let output = shop.run(&arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(
            text.chars().all(|char| char == '\n' || !char.is_control() && char != '\u{202e}'),
            "{arguments}: {text:?}"
        );
        if arguments.contains("list") || arguments.contains("under") {
            assert!(text.contains("P-7\\u{1b}]0;owned"), "{arguments}: {text}");
        }
    }
    // And what was typed: a log of a script that was given it.
    let output = shop.command().args(["keyring", "inspect", evil]).output().unwrap();
    assert!(!fails(output, "inspect", 1).trim_end().contains(char::is_control));
}

fn shop_keys(shop: &Shop) -> Keyring {
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let store = rxseal::store::SqliteStore::open(shop.path("rings.db")).unwrap();
    let stored = run_local(store.get(TENANT)).unwrap().unwrap();
    run_local(Keyring::unlock(TENANT, &roots, &stored)).unwrap().unobserved()
}

#[test]
fn one_field_is_opened_for_a_drill() {
    let shop = Shop::opened("record", "file:HERE/rings");
    let keys = shop.keys();
    let store = SqliteSubjectStore::open(shop.path("subjects.db")).unwrap();
    let subjects = SubjectKeys::new(store);
    let patient = run_local(subjects.subject_or_create(&keys, "P-7")).unwrap();
    let record = keys.record("prescription", "RX-1001").unwrap();
    let line = record.part("line", 2).unwrap();
    let of_patient = record.subject(&patient).unwrap();
    for (name, token) in [
        ("text", record.seal::<Drug>("warfarin 5 MG").unwrap()),
        ("bytes", record.seal::<Drug>(&Raw).unwrap()),
        ("value", record.seal::<Drug>(&serde_json::json!({ "mg": 5 })).unwrap()),
        ("part", line.seal::<Drug>("ibuprofen").unwrap()),
        ("subject", of_patient.seal::<Drug>("aspirin").unwrap()),
        ("unbound", keys.unbound("queue").unwrap().seal::<Drug>("insulin").unwrap()),
    ] {
        fs::write(shop.path(name), token.to_string()).unwrap();
        fs::write(shop.path(&format!("{name}.bin")), token.as_bytes()).unwrap();
    }
    let who = "--field phi.rx.drug --class medication --who user:kim --why HSYSADMIN";
    let rx = format!("record open pharmacy-17 prescription RX-1001 {who}");
    for (options, plaintext) in [
        (format!("{rx} --file text"), "warfarin 5 MG"),
        (format!("{rx} --file text.bin"), "warfarin 5 MG"),
        (format!("{rx} --file bytes"), "ab01"),
        (format!("{rx} --file value"), "{\"mg\":5}"),
        (format!("{rx} --file part --part line=2"), "ibuprofen"),
        (format!("{rx} --file subject --subject P-7 --subject-store sqlite:subjects.db"), "aspirin"),
        (format!("record open pharmacy-17 queue {who} --file unbound"), "insulin"),
    ] {
        // Not shown unless told.
        let quiet = shop.ok(&options);
        assert!(quiet.starts_with("opens: phi.rx.drug under ") && !quiet.contains(plaintext), "{options}: {quiet}");
        assert!(!shop.ok(&format!("--json {options}")).contains(plaintext));
        let shown = shop.run(&format!("{options} --show-plaintext"));
        assert_eq!(String::from_utf8(shown.stdout).unwrap().trim_end(), plaintext, "{options}");
        assert!(String::from_utf8(shown.stderr).unwrap().contains("opened by user:kim for HSYSADMIN"));
    }
    // Anything else than what it was sealed for fails closed.
    for wrong in [
        rx.replace("RX-1001", "RX-1002"),
        rx.replace("medication", "clinical"),
        rx.replace("phi.rx.drug", "phi.rx.sig"),
        rx.replace("prescription", "refill"),
        format!("{rx} --part line=1"),
        format!("{rx} --subject P-7 --subject-store sqlite:subjects.db"),
    ] {
        let text = shop.fails(&format!("{wrong} --file text --show-plaintext"), 1);
        assert!(!text.contains("warfarin") && text.contains("--field, --class and --subject"), "{wrong}: {text}");
    }
    assert!(
        shop.fails(&format!("{rx} --file text --subject P-8 --subject-store sqlite:subjects.db"), 1).contains("P-8")
    );
    assert!(shop.fails(&format!("{} --file text", rx.replace("HSYSADMIN", "curiosity")), 1).contains("access"));
    assert!(shop.fails(&format!("{} --file text", rx.replace("phi.rx.drug", "Drug")), 1).contains("field id"));
    assert!(shop.fails(&format!("{rx} --file root.key"), 1).contains("not an rxseal token"));
    assert_eq!(shop.run(&rx.replace("--who user:kim", "")).status.code(), Some(2), "nobody opens for nobody");
}

/// What serde takes for bytes, and not for a list of numbers.
struct Raw;

impl serde::Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[0xAB, 0x01])
    }
}

/// An older keyring that was put back must not become the newest by a change.
#[test]
fn a_keyring_that_lacks_a_key_in_use_is_not_changed() {
    let shop = Shop::opened("restored", "file:HERE/rings");
    let rings: Vec<_> = fs::read_dir(shop.path("rings")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let file = rings
        .iter()
        .find(|path| path.is_file() && path.file_name().unwrap().to_str().unwrap().contains(TENANT))
        .unwrap();
    let backup = fs::read(file).unwrap();
    shop.ok("keyring rotate pharmacy-17");
    let subjects = SubjectKeys::new(SqliteSubjectStore::open(shop.path("subjects.db")).unwrap());
    run_local(subjects.subject_or_create(&shop.keys(), "P-7")).unwrap();
    fs::write(file, backup).unwrap();
    shop.ok("key-file create other.key");
    for change in
        ["rotate pharmacy-17", "stage pharmacy-17", "rewrap pharmacy-17", "root add pharmacy-17 file:other.key"]
    {
        let command = format!("keyring {change} --subject-store sqlite:subjects.db");
        let text = shop.fails(&command, 5);
        assert!(text.contains("an older keyring was put back") && text.contains("--min-generation 1"), "{text}");
        shop.ok(&format!("{command} --min-generation 1 --dry-run"));
    }
    let key = shop.keys().primary_key().to_string();
    for change in ["promote", "deactivate", "compromise"] {
        let text = shop.fails(&format!("keyring {change} pharmacy-17 {key} --subject-store sqlite:subjects.db"), 5);
        assert!(text.contains("an older keyring was put back"), "{change}: {text}");
    }
    // Nor is there a first keyring of a keyspace that has subject keys already.
    let init = "keyring init pharmacy-17 --store file:typo --subject-store sqlite:subjects.db";
    let text = shop.fails(init, 1);
    assert!(text.contains("1 subject keys of pharmacy-17 are stored"), "{text}");
    shop.ok(&format!("{init} --min-generation 1"));
    shop.ok("keyring init pharmacy-18 --store file:typo --subject-store sqlite:subjects.db");
}

/// A machine whose clock is ten years ahead stages a key: the refusal names the skew, and there is a way out.
#[test]
fn a_clock_that_was_ahead_is_named_and_got_over() {
    let shop = Shop::opened("skew", "file:HERE/rings");
    let clock = TestClock::default();
    clock.set_forward(Duration::from_secs(3653 * 86_400));
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let ahead = KeyringAdmin::new(FileStore::new(shop.path("rings")), roots).clock(&clock);
    let (_, staged) = run_local(ahead.stage(TENANT)).unwrap();
    for change in ["promote pharmacy-17", "promote pharmacy-17 --staged-for 0s", "rotate pharmacy-17"] {
        let text = shop.fails(&format!("keyring {change}"), 5);
        assert!(text.contains("clock skew: ") && text.contains("--clock-is-right (ahead by 365"), "{change}: {text}");
    }
    let text = shop.fails("keyring promote pharmacy-17 --clock-is-right", 5);
    assert!(text.contains("wait that long by another clock"), "{text}");
    // Without the key that has the wrong time all is as before.
    shop.ok(&format!("keyring destroy pharmacy-17 {staged} --tokens 0 --subject-keys 0 --yes"));
    shop.ok("keyring stage pharmacy-17");
    let early = shop.fails("keyring promote pharmacy-17", 5);
    assert!(early.contains("time left 9 min ") || early.contains("time left 10 min 0 s"), "{early}");

    // One that rotated can be rotated out by who says that this clock is right.
    run_local(ahead.rotate(TENANT)).unwrap();
    shop.fails("keyring rotate pharmacy-17", 5);
    shop.ok("keyring rotate pharmacy-17 --clock-is-right");
}

/// Kubernetes mounts secrets for a `fsGroup` so that the group reads them.
#[test]
fn a_group_reads_secret_files_only_where_that_is_said() {
    let shop = Shop::opened("group", "file:HERE/rings");
    let mode = |file: &str, mode| {
        fs::set_permissions(shop.path(file), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    mode("root.key", 0o640);
    let verify = ["keyring", "verify", TENANT];
    let text = shop.fails("keyring verify pharmacy-17", 1);
    assert!(text.contains("--allow-group-read") && text.contains("root.key") && text.contains("0640"), "{text}");
    shop.ok("--allow-group-read keyring verify pharmacy-17");
    for (value, works) in [("true", true), ("1", true), ("", false), ("false", false), ("0", false)] {
        let output = shop.command().env("RXSEAL_ALLOW_GROUP_READ", value).args(verify).output().unwrap();
        assert_eq!(output.status.success(), works, "{value}");
    }
    let output = shop.command().env("RXSEAL_ALLOW_GROUP_READ", "perhaps").args(verify).output().unwrap();
    assert!(fails(output, "perhaps", 2).contains("RXSEAL_ALLOW_GROUP_READ"));
    fs::write(shop.path("rxseal.toml"), "allow_group_read = true\n").unwrap();
    shop.ok("--config rxseal.toml keyring verify pharmacy-17");
    // Of others, no flag allows it.
    mode("root.key", 0o644);
    shop.fails("--allow-group-read keyring verify pharmacy-17", 1);
    mode("root.key", 0o600);
    if cfg!(feature = "vault") {
        fs::write(shop.path("token"), "hvs.s3cret").unwrap();
        let add = "keyring root add pharmacy-17 vault:http://127.0.0.1:1/transit/k?token_file=token";
        for (bits, flag, refused) in [
            (0o644, "--allow-group-read ", true),
            (0o640, "", true),
            (0o640, "--allow-group-read ", false),
            (0o600, "", false),
        ] {
            mode("token", bits);
            let output = shop.run(&format!("--json {flag}{add}"));
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(text.contains("root-key-permissions"), refused, "{bits:o} {flag}: {text}");
            assert!(!output.status.success() && !text.contains("s3cret"));
        }
    }
}

/// An operator works as root on what belongs to the service's user.
#[test]
fn what_root_changes_the_service_still_reads() {
    use std::os::unix::fs::{MetadataExt, chown};
    const SERVICE: u32 = 65534;
    for store in ["file:HERE/rings", "sqlite:HERE/rings.db"] {
        let shop = Shop::new("service", store);
        if fs::metadata(&shop.folder).unwrap().uid() != 0 {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI runs this as root");
            println!("not root: nothing is tested");
            return;
        }
        chown(&shop.folder, Some(SERVICE), Some(SERVICE)).unwrap();
        shop.ok("key-file create keys/root.key");
        let as_root = |arguments: &str| {
            let output =
                shop.command().env("RXSEAL_ROOTS", "file:keys/root.key").args(arguments.split(' ')).output().unwrap();
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        for command in ["init", "stage", "promote --staged-for 0s", "rotate", "verify"] {
            let (command, more) = command.split_once(' ').unwrap_or((command, ""));
            as_root(format!("keyring {command} pharmacy-17 {more}").trim_end());
        }
        let mut service = Command::new("setpriv");
        service.args([format!("--reuid={SERVICE}"), format!("--regid={SERVICE}"), "--clear-groups".to_owned()]);
        service.arg(env!("CARGO_BIN_EXE_rxseal")).args(["keyring", "rotate", TENANT]).current_dir(&shop.folder);
        service.env("RXSEAL_STORE", &shop.store).env("RXSEAL_ROOTS", "file:keys/root.key");
        let output = service.output().unwrap();
        assert!(output.status.success(), "{store}: {}", String::from_utf8_lossy(&output.stderr));
        let mut folders = vec![shop.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let found = entry.metadata().unwrap();
                assert_eq!((found.uid(), found.gid()), (SERVICE, SERVICE), "{}", entry.path().display());
                folders.extend(found.is_dir().then(|| entry.path()));
            }
        }
    }
}

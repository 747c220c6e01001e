//! Owner, group and mode of everything that a store, a log or a command writes, and where a file's name may lead (T33,
//! T58). Run as root, and as another user.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rxseal::keys::KeyringFile;
use rxseal::root::RootKeyFile;
use rxseal::store::{FileStore, FileSubjectStore, KeyringStore, MemorySubjectStore, Retention, SubjectKeyStore};
use rxseal::subjects::{ShredLog, SubjectAdmin, WrappedSubjectKey};
use rxseal::{Error, run_local};
use rxseal_sqlite::{SqliteStore, SqliteSubjectStore};

use super::{cause, code};
use crate::children::{self, Folder, said};

const NOBODY: u32 = 65534;
const SOMEBODY: u32 = 1234;
const TENANT: &str = "pharmacy-17";
const ROUNDS: usize = 4;
/// Whatever writes files that another program reads.
const KINDS: [&str; 6] = ["file", "sqlite", "file-subjects", "sqlite-subjects", "log", "key-file"];
/// Those whose files are replaced, or have others beside them while they change.
const REPLACED: [&str; 4] = ["file", "sqlite", "file-subjects", "sqlite-subjects"];

/// One change: the first makes the file, each later one changes it, and reads it before.
fn act(kind: &str, home: &Path, round: usize) -> Result<(), Error> {
    let over = u64::try_from(round).unwrap();
    let input = |name: &str| fs::read_to_string(home.join("input").join(name)).unwrap();
    let put = |store: &dyn KeyringStore| {
        let file: KeyringFile = input(&format!("{round}.json")).parse().unwrap();
        run_local(store.put(&file, (over > 0).then_some(over)))
    };
    let retain = |store: &dyn SubjectKeyStore| {
        let old = run_local(store.retention(TENANT, "P-7"))?;
        run_local(store.retain(TENANT, "P-7", old, Retention::default().until(Some(over + 1))))
    };
    match kind {
        "file" => put(&FileStore::new(home.join("deep/keyrings"))),
        "sqlite" => put(&SqliteStore::open(home.join("keyrings.db"))?),
        "file-subjects" => retain(&FileSubjectStore::new(home.join("deep/subjects"))),
        "sqlite-subjects" => retain(&SqliteSubjectStore::open(home.join("subjects.db"))?),
        "log" => {
            let key: WrappedSubjectKey = input("subject").parse().unwrap();
            let store = Arc::new(MemorySubjectStore::default());
            run_local(store.insert(TENANT, "P-7", &key)).unwrap();
            let log = ShredLog::new(home.join("shredded.log"), Duration::from_secs(1));
            run_local(SubjectAdmin::new(store).unknown_too().shred(TENANT, "P-7", &log)).map(drop)
        }
        "key-file" if round == 0 => RootKeyFile::new(home.join("deep/root.key")).create().map(drop),
        "key-file" => RootKeyFile::new(home.join("deep/root.key")).load().map(drop),
        other => panic!("{other}"),
    }
}

/// A folder of this user, with what `act` needs.
fn home_of(user: u32, group: u32, mode: u32) -> Folder {
    let home = Folder::new("owners");
    let input = home.0.join("input");
    fs::create_dir(&input).unwrap();
    for (round, file) in rxseal_conformance::generations(TENANT, ROUNDS).unwrap().iter().enumerate() {
        fs::write(input.join(format!("{round}.json")), file.to_string()).unwrap();
    }
    let keys = rxseal::testing::insecure_keyring(TENANT).unwrap().unobserved();
    fs::write(input.join("subject"), keys.create_subject_key("P-7").unwrap().1.to_string()).unwrap();
    children::permit(&home.0, 0o644, 0o755);
    if is_root() {
        for path in everything(&home.0).iter().chain([&home.0]) {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
    fs::set_permissions(&home.0, fs::Permissions::from_mode(mode)).unwrap();
    home
}

fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(everything(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// All there is, with what it holds.
fn snapshot(folder: &Path) -> Vec<(PathBuf, u32, u32, u32, Vec<u8>)> {
    let look = |path: PathBuf| {
        let found = fs::symlink_metadata(&path).unwrap();
        let bytes = if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        (path, found.uid(), found.gid(), found.mode(), bytes)
    };
    everything(folder).into_iter().map(look).collect()
}

fn owned_by(folder: &Path, user: u32, group: u32) {
    for path in everything(folder) {
        let found = fs::symlink_metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (user, group), "{}", path.display());
    }
}

fn me() -> (u32, u32) {
    let home = Folder::new("me");
    let found = fs::metadata(&home.0).unwrap();
    (found.uid(), found.gid())
}

fn is_root() -> bool {
    let root = me().0 == 0;
    // Half of these tests must not vanish where nobody looks.
    assert!(root || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI runs these tests as root");
    if !root {
        println!("not root: only what a user sees of its own files is tested");
    }
    root
}

/// As this user, in this group and no other.
fn child(kind: &str, round: usize, home: &Path, user: u32, group: u32) -> String {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    command.arg(std::env::current_exe().unwrap());
    said(children::start(command, "keyrings::owners::child_work", &format!("{kind} {round}"), home))
}

/// Not a test, but what the copies of this program run.
#[test]
fn child_work() {
    let Some((words, home)) = children::work() else { return };
    let [kind, round] = &words[..] else { panic!("{words:?}") };
    if kind == "get" {
        let stored = run_local(FileStore::new(home.join("deep/keyrings")).get(TENANT));
        println!(
            "said {}",
            stored.map_or_else(|error| error.code().as_str(), |file| if file.is_some() { "ok" } else { "none" })
        );
        return;
    }
    println!("said {}", act(kind, &home, round.parse().unwrap()).map_or_else(|error| error.code().as_str(), |()| "ok"));
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    for kind in KINDS {
        let (user, group) = if is_root() { (NOBODY, NOBODY) } else { me() };
        let home = home_of(user, group, 0o700);
        for round in 0..ROUNDS {
            if round % 2 == 0 || !is_root() {
                act(kind, &home.0, round).unwrap_or_else(|error| panic!("{kind} {round}: {error:?} {}", cause(&error)));
            } else {
                assert_eq!(child(kind, round, &home.0, user, group), "ok", "{kind} {round}");
            }
            owned_by(&home.0, user, group);
        }
        // What is in it is for its owner only.
        for path in everything(&home.0).iter().filter(|path| !path.starts_with(home.0.join("input"))) {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o077, 0, "{}", path.display());
        }
    }
}

#[test]
fn what_sqlite_writes_beside_belongs_to_the_owner_of_the_database() {
    if !is_root() {
        return;
    }
    let home = home_of(NOBODY, NOBODY, 0o700);
    act("sqlite", &home.0, 0).unwrap();
    let held = rusqlite::Connection::open(home.0.join("keyrings.db")).unwrap();
    held.pragma_update(None, "journal_mode", "wal").unwrap();
    held.query_row("SELECT count(*) FROM rxseal_keyrings", (), |row| row.get::<_, i64>(0)).unwrap();
    act("sqlite", &home.0, 1).unwrap();
    for beside in ["keyrings.db-wal", "keyrings.db-shm"] {
        assert!(home.0.join(beside).exists(), "{beside}");
    }
    owned_by(&home.0, NOBODY, NOBODY);
    // As if this program were killed now.
    assert_eq!(child("sqlite", 2, &home.0, NOBODY, NOBODY), "ok");
    held.pragma_update(None, "journal_mode", "delete").unwrap();
    held.execute_batch("BEGIN IMMEDIATE; CREATE TABLE more (x)").unwrap();
    assert!(home.0.join("keyrings.db-journal").exists());
    owned_by(&home.0, NOBODY, NOBODY);
}

#[test]
fn what_is_replaced_keeps_owner_group_and_mode() {
    for kind in REPLACED {
        for mode in [0o600, 0o640, 0o660, 0o644, 0o400, 0o440] {
            let (user, group) = if is_root() { (SOMEBODY, 5678) } else { me() };
            let home = home_of(me().0, me().1, 0o755);
            act(kind, &home.0, 0).unwrap();
            let file = stored(kind, &home.0);
            chown(&file, Some(user), Some(group)).unwrap();
            // Who may not write a database does not change it.
            let mode = if kind.starts_with("sqlite") { mode | 0o200 } else { mode };
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            act(kind, &home.0, 1).unwrap();
            let found = fs::metadata(&file).unwrap();
            assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (user, group, mode), "{kind}");
        }
    }
}

/// Whoever may write into a folder may rename over what others own there, and would take it from them.
#[test]
fn who_cannot_keep_the_owner_changes_nothing() {
    if !is_root() {
        return;
    }
    for kind in REPLACED {
        for (user, group) in [(SOMEBODY, SOMEBODY), (SOMEBODY, NOBODY), (0, 0)] {
            let home = home_of(NOBODY, NOBODY, 0o755);
            assert_eq!(child(kind, 0, &home.0, NOBODY, NOBODY), "ok", "{kind}");
            let file = stored(kind, &home.0);
            chown(&file, Some(user), Some(group)).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
            let before = snapshot(&home.0);
            assert_eq!(child(kind, 1, &home.0, NOBODY, NOBODY), "store-refused", "{kind}");
            assert!(before == snapshot(&home.0), "{kind}: {before:?}");
            // Root may, and its owner stays.
            act(kind, &home.0, 1).unwrap();
            let found = fs::metadata(&file).unwrap();
            assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (user, group, 0o666), "{kind}");
        }
    }
    // A line at the end of a log takes nothing from its owner.
    let home = home_of(NOBODY, NOBODY, 0o755);
    act("log", &home.0, 0).unwrap();
    chown(home.0.join("shredded.log"), Some(SOMEBODY), None).unwrap();
    fs::set_permissions(home.0.join("shredded.log"), fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(child("log", 1, &home.0, NOBODY, NOBODY), "ok");
    assert_eq!(fs::metadata(home.0.join("shredded.log")).unwrap().uid(), SOMEBODY);
}

#[test]
fn a_folder_of_a_group_is_shared() {
    if !is_root() {
        return;
    }
    const GROUP: u32 = 2000;
    let home = home_of(1001, GROUP, 0o2770);
    assert_eq!(child("file", 0, &home.0, 1001, GROUP), "ok");
    let mode = |path: &str| fs::metadata(home.0.join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("deep/keyrings"), mode("deep/keyrings/pharmacy-17.keyring.json")), (0o2770, 0o640));
    assert_eq!(mode("deep/keyrings/.rxseal-lock"), 0o660);
    assert_eq!(child("get", 0, &home.0, 1002, GROUP), "ok");
    assert_eq!(child("file", 1, &home.0, 1002, GROUP), "store-refused", "it would be of 1002");
    assert_eq!(child("file", 1, &home.0, 1001, GROUP), "ok");
    // Nobody else gets in; and `/tmp` is of a group that writes, too.
    let open = home_of(0, 0, 0o1777);
    act("file", &open.0, 0).unwrap();
    assert_eq!(fs::metadata(open.0.join("deep")).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn a_lock_of_somebody_else_is_given_back() {
    let home = home_of(me().0, me().1, 0o755);
    act("file", &home.0, 0).unwrap();
    let lock = home.0.join("deep/keyrings/.rxseal-lock");
    if is_root() {
        // As 0.1.0 left it: of whoever came first.
        chown(home.0.join("deep/keyrings"), Some(NOBODY), Some(NOBODY)).unwrap();
        act("file", &home.0, 1).unwrap();
        let found = fs::metadata(&lock).unwrap();
        assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (NOBODY, NOBODY, 0o600));
    }
    // What it may be instead: nothing of that is waited for, which would end as `store-unavailable`, followed or given away.
    let victim = home.0.join("victim");
    fs::write(&victim, "a victim").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o644)).unwrap();
    let before = fs::metadata(&victim).unwrap();
    for plant in [
        &|| symlink(&victim, &lock).unwrap() as (),
        &|| symlink(home.0.join("new"), &lock).unwrap(),
        &|| assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success()),
        &|| fs::create_dir(&lock).unwrap(),
    ] as [&dyn Fn(); 4]
    {
        let _ = fs::remove_file(&lock).or_else(|_| fs::remove_dir(&lock));
        plant();
        assert_eq!(act("file", &home.0, 2).unwrap_err().code().as_str(), "store-refused");
    }
    assert!(!home.0.join("new").exists());
    let after = fs::metadata(&victim).unwrap();
    assert_eq!((before.uid(), before.gid(), before.mode()), (after.uid(), after.gid(), after.mode()));
}

#[test]
fn nothing_is_written_through_a_link() {
    let home = home_of(me().0, me().1, 0o755);
    let victim = home.0.join("victim");
    for kind in ["file", "file-subjects"] {
        act(kind, &home.0, 0).unwrap();
        fs::write(&victim, "a victim").unwrap();
        let file = stored(kind, &home.0);
        // Where 0.1.0 wrote before it renamed.
        let former = file.with_extension("tmp");
        symlink(&victim, &former).unwrap();
        act(kind, &home.0, 1).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"a victim", "{kind}");
        assert!(fs::symlink_metadata(&former).is_err(), "{kind}: what 0.1.0 left is swept");
        // A link in the place of the file would be lost: its reader reads on there, and its writer writes here.
        let there = home.0.join("there.json");
        fs::rename(&file, &there).unwrap();
        symlink(&there, &file).unwrap();
        let before = snapshot(&home.0);
        let error = act(kind, &home.0, 2).unwrap_err();
        assert_eq!(error.code().as_str(), "store-refused");
        assert!(error.to_string().contains("link") && cause(&error).contains(".json"), "{error} {}", cause(&error));
        assert!(before == snapshot(&home.0), "{kind}");
        fs::remove_file(&there).unwrap();
    }
    // The log is made by nobody but the operator's own name for it.
    symlink(home.0.join("elsewhere"), home.0.join("shredded.log")).unwrap();
    assert!(act("log", &home.0, 0).is_err());
    assert!(!home.0.join("elsewhere").exists());
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let home = home_of(me().0, me().1, 0o755);
    for kind in ["file", "file-subjects", "log", "key-file"] {
        act(kind, &home.0, 0).unwrap();
        let file = stored(kind, &home.0);
        fs::remove_file(&file).unwrap();
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap().success());
        let refused = act(kind, &home.0, 1).unwrap_err().code().as_str();
        assert!(["store-refused", "invalid-root-key"].contains(&refused), "{kind}: {refused}");
        assert!(fs::metadata(&file).unwrap().file_type().is_fifo());
    }
}

/// What a crash left may hold the key of a patient who is shredded now.
#[test]
fn leftovers_are_swept_by_the_next_change() {
    let home = home_of(me().0, me().1, 0o755);
    let old = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(7200));
    for kind in ["file", "file-subjects", "key-file"] {
        act(kind, &home.0, 0).unwrap();
        let folder = stored(kind, &home.0).parent().unwrap().to_owned();
        let [left, root, young, foreign] =
            [".rxseal-tmp-0", ".rxseal-root-0", ".rxseal-tmp-1", "notes.tmp"].map(|name| folder.join(name));
        for path in [&left, &root, &foreign] {
            File::create(path).unwrap().set_times(old).unwrap();
        }
        File::create(&young).unwrap();
        if kind == "key-file" {
            fs::remove_file(stored(kind, &home.0)).unwrap();
            act(kind, &home.0, 0).unwrap();
            assert!(!root.exists() && young.exists(), "without a lock what is young may be another program's");
        } else {
            act(kind, &home.0, 1).unwrap();
            assert!(!young.exists(), "{kind}: under the lock it is nobody's");
        }
        assert!(!left.exists() && foreign.exists(), "{kind}");
    }
}

#[test]
fn a_key_file_is_read_by_whom_it_is_for() {
    let home = home_of(me().0, me().1, 0o755);
    let path = home.0.join("deep/root.key");
    act("key-file", &home.0, 0).unwrap();
    fs::set_permissions(home.0.join("deep"), fs::Permissions::from_mode(0o755)).unwrap();
    // Kubernetes: the name is a link to a link, and the file behind it is what counts.
    fs::rename(&path, home.0.join("..data")).unwrap();
    symlink("../..data", &path).unwrap();
    RootKeyFile::new(&path).load().unwrap();
    fs::set_permissions(home.0.join("..data"), fs::Permissions::from_mode(0o640)).unwrap();
    let error = RootKeyFile::new(&path).load().unwrap_err();
    assert_eq!(error.code().as_str(), "root-key-permissions");
    assert!(error.to_string().contains("--allow-group-read") && cause(&error).contains("0640"), "{error}");
    RootKeyFile::new(&path).allow_group_read().load().unwrap();
    if !is_root() {
        return;
    }
    for (user, group, mode, expected) in [
        (NOBODY, NOBODY, 0o600, "ok"),
        (NOBODY, NOBODY, 0o400, "ok"),
        (0, NOBODY, 0o640, "root-key-permissions"),
        (SOMEBODY, NOBODY, 0o640, "root-key-permissions"),
        (SOMEBODY, 0, 0o604, "root-key-permissions"),
        (NOBODY, NOBODY, 0o620, "root-key-permissions"),
        (0, 0, 0o600, "root-key-io"),
    ] {
        chown(home.0.join("..data"), Some(user), Some(group)).unwrap();
        fs::set_permissions(home.0.join("..data"), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(child("key-file", 1, &home.0, NOBODY, NOBODY), expected, "{user} {group} {mode:o}");
    }
    // Root reads the key of a service, but not what anybody may have put there.
    chown(home.0.join("..data"), Some(SOMEBODY), None).unwrap();
    RootKeyFile::new(home.0.join("..data")).load().unwrap();
    fs::set_permissions(&home.0, fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(code(RootKeyFile::new(home.0.join("..data")).load()), "root-key-permissions");
}

fn stored(kind: &str, home: &Path) -> PathBuf {
    let found = everything(home);
    let mine = |path: &&PathBuf| match kind {
        "file" => path.ends_with("pharmacy-17.keyring.json"),
        "sqlite" => path.ends_with("keyrings.db"),
        "file-subjects" => path.to_string_lossy().ends_with(".subject.json"),
        "sqlite-subjects" => path.ends_with("subjects.db"),
        "log" => path.ends_with("shredded.log"),
        _ => path.ends_with("root.key"),
    };
    found.iter().find(mine).unwrap().clone()
}

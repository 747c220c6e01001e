//! Proves that a root key file appears complete or not at all (FORMAT 9.1; T32, T33, T44). A program that makes one is
//! killed at every system call, and every system call is made to fail, one at a time. The next start must then get a
//! key, and the same key if one was returned or a file was there. Changes of stored keyrings (`stored.rs`) and of
//! stored subject keys (`subjects.rs`) are tested in the same way.
//!
//! The tests in which strace kills the program are ignored by default; `.ci/run` runs them. The effect of a power cut
//! on a file system is not simulated.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod stored;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rxseal::keys::Suite;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::{Keyring, phi, run_local};

/// What the traced program is to do, and with which file.
const WORK: &str = "RXSEAL_CRASH_WORK";
const FILE: &str = "RXSEAL_CRASH_FILE";
/// Looked at by the traced program when it begins and ends, so that its system calls can be told from those around.
const BEGIN: &str = "/rxseal-crash-begin";
const END: &str = "/rxseal-crash-end";

type Test = (&'static str, fn());

const QUICK: &[Test] = &[
    ("programs_that_start_at_once_get_the_same_key", programs_that_start_at_once_get_the_same_key),
    ("threads_that_start_at_once_get_the_same_key", threads_that_start_at_once_get_the_same_key),
];

const TRACED: &[Test] = &[
    ("a_root_key_file_is_whole_or_not_there", a_root_key_file_is_whole_or_not_there),
    ("a_stored_keyring_is_the_old_or_the_new_one", stored::a_stored_keyring_is_the_old_or_the_new_one),
    ("a_stored_subject_is_as_before_or_as_after", subjects::a_stored_subject_is_as_before_or_as_after),
    ("a_generator_that_fails_is_an_error", a_generator_that_fails_is_an_error),
    (
        "programs_with_the_same_process_id_do_not_mix_their_files",
        programs_with_the_same_process_id_do_not_mix_their_files,
    ),
];

/// A program of its own (`harness = false`): what is traced has one thread, and no system call but its own. The arguments are
/// those of the usual harness, as far as they are needed.
fn main() {
    if let Ok(work) = std::env::var(WORK) {
        return helper(&work);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // With `--skip` what follows is no wish, and there is nothing here that anybody skips.
    let filters =
        arguments.iter().filter(|argument| !argument.starts_with('-') && !asked("--skip")).collect::<Vec<_>>();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let quick = QUICK.iter().filter(|_| !asked("--ignored"));
    let traced = TRACED.iter().filter(|_| asked("--ignored") || asked("--include-ignored"));
    for (name, test) in quick.chain(traced).filter(|(name, _)| wanted(name)) {
        if asked("--list") {
            println!("{name}: test");
        } else {
            test();
            println!("test {name} ... ok");
        }
    }
}

/// The traced program.
fn helper(work: &str) {
    let path = PathBuf::from(std::env::var_os(FILE).unwrap());
    let traced = prepared(work, path);
    let _ = fs::metadata(BEGIN);
    let said = traced();
    let _ = fs::metadata(END);
    // In one piece, after all that may fail.
    println!("said {said}");
}

/// What is traced of it: all that it needs was read before.
fn prepared(work: &str, path: PathBuf) -> Box<dyn FnOnce() -> String> {
    match work {
        "put_file" | "put_sqlite" => stored::prepared(work, path),
        "create" => Box::new(|| root_key(RootKeyFile::new(path).create())),
        "load_or_create" => Box::new(|| root_key(RootKeyFile::new(path).load_or_create())),
        "seal" => Box::new(move || seal(&path)),
        _ => subjects::prepared(work, path),
    }
}

fn root_key(made: Result<rxseal::root::LocalRootKey, rxseal::Error>) -> String {
    // The key's public name, or the code of the error.
    made.map_or_else(|error| format!("error {}", error.code().as_str()), |root| format!("{root:?}"))
}

/// Everything that draws random bytes; each either succeeds or says so.
fn seal(path: &Path) -> String {
    let steps = || {
        let roots = RootKeys::from(RootKeyFile::new(path).load_or_create()?);
        let file = run_local(rxseal::testing::create_keyring("pharmacy-17", &roots, Suite::default()))?;
        let file = run_local(rxseal::testing::rotate_keyring("pharmacy-17", &roots, &file))?;
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &file))?.unobserved();
        let (subject, _) = keys.create_subject_key("patient-1")?;
        let rec = keys.record("prescription", 1)?.subject(&subject)?;
        let token = rec.seal::<phi::Drug>("warfarin 5 MG")?;
        rec.reseal::<phi::Drug>(&token)?;
        rxseal::page::seal_page(&[rec], |_, pass| pass.seal_text::<phi::Drug>("warfarin 5 MG"))?;
        Ok::<_, rxseal::Error>(())
    };
    steps().map_or_else(|error| format!("error {}", error.code().as_str()), |()| "sealed".to_owned())
}

fn a_root_key_file_is_whole_or_not_there() {
    let mut report = Report::default();
    for work in ["create", "load_or_create"] {
        for scene in [Scene::NewFolder, Scene::Folder, Scene::Leftover] {
            for fault in Calls::of(work, scene).faults() {
                attempt(work, scene, &fault, &mut report);
            }
        }
    }
    println!("{report}");
    assert!(report.points >= 100, "fewer than 100 points");
    assert!(
        report.without_file > 0 && report.with_file > 0 && report.said.len() == 3,
        "both sides of the crash were seen"
    );
}

/// T44: where the generator fails, there is an error and no token.
fn a_generator_that_fails_is_an_error() {
    let calls = Calls::of("seal", Scene::Folder);
    let draws = calls.by_name().remove("getrandom").unwrap();
    let mut said = BTreeMap::new();
    for index in &draws {
        for error in ["EIO", "ENOSYS", "EFAULT"] {
            let folder = folder("generator");
            let output =
                traced("seal", &folder.join("root.key"), &format!("inject=getrandom:error={error}:when={index}+"));
            *said.entry(what_was_said(&output).unwrap_or_else(|| "nothing".to_owned())).or_insert(0) += 1;
            fs::remove_dir_all(folder).unwrap();
        }
    }
    println!("{} failing draws: {said:?}", draws.len());
    assert!(draws.len() >= 10, "root key, KEK, DEKs, nonces: {}", draws.len());
    // Without the system call, `getrandom` reads /dev/urandom where it can: then it has not failed at all.
    assert!(said.keys().all(|said| said == "error random-failed" || said == "sealed"), "{said:?}");
    assert!(said["error random-failed"] >= 2 * draws.len());
}

/// Many programs that start at once on an empty folder all get the one key.
fn programs_that_start_at_once_get_the_same_key() {
    let (rounds, programs) = if cfg!(debug_assertions) { (2, 8) } else { (10, 16) };
    for _ in 0..rounds {
        let folder = folder("race");
        let path = folder.join("deep/root.key");
        let started: Vec<_> = (0..programs)
            .map(|_| {
                helper_command("load_or_create", &path, Command::new(this_program()))
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let said: BTreeSet<_> =
            started.into_iter().map(|child| what_was_said(&child.wait_with_output().unwrap()).unwrap()).collect();
        assert_eq!(said.len(), 1, "one key for all: {said:?}");
        assert_eq!(said.first(), name_in(&path).as_ref());
        assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 1, "nothing else is left");
        fs::remove_dir_all(folder).unwrap();
    }
    println!("{rounds} rounds of {programs} programs: one key each");
}

/// As before, by threads of one program.
fn threads_that_start_at_once_get_the_same_key() {
    for _ in 0..20 {
        let folder = folder("threads");
        let path = folder.join("root.key");
        let names: BTreeSet<_> = std::thread::scope(|scope| {
            let started: Vec<_> =
                (0..8).map(|_| scope.spawn(|| root_key(RootKeyFile::new(&path).load_or_create()))).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(names.len(), 1, "{names:?}");
        fs::remove_dir_all(folder).unwrap();
    }
}

/// Two containers that share a folder often have the same process id. Both programs make a key here, the first one waiting
/// before it puts its file into place, the second one in the middle of writing its own.
fn programs_with_the_same_process_id_do_not_mix_their_files() {
    let folder = folder("same-id");
    let path = folder.join("root.key");
    let start = |delay: &str| {
        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null", "-e", "inject=getpid:retval=1", "-e", delay]).arg(this_program());
        helper_command("load_or_create", &path, strace).stdout(Stdio::piped()).spawn().unwrap()
    };
    let first = start("inject=linkat,link:delay_enter=1500000");
    let begun = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        fs::read_dir(&folder).unwrap().any(|entry| entry.unwrap().metadata().is_ok_and(|file| file.len() == 59))
    });
    assert!(begun, "the first program was to be in the middle of it");
    let second = start("inject=write:delay_enter=3000000:when=1");
    let first = what_was_said(&first.wait_with_output().unwrap());
    assert_eq!(first, name_in(&path), "the first program's file is whole, and its own");
    assert!(first.is_some());
    let second = what_was_said(&second.wait_with_output().unwrap());
    assert_eq!(second, first, "the second one takes the first one's key");
    assert_eq!(name_in(&path), first);
    fs::remove_dir_all(folder).unwrap();
}

/// What is there before the work.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// The folders are missing too.
    NewFolder,
    Folder,
    /// Half a file beside it, as a crash leaves.
    Leftover,
}

/// Names of what an earlier crash left.
const LEFT_BEFORE: [&str; 2] = [".rxseal-root-1-ThreadId(1)", ".rxseal-root-AAAAAAAA"];

impl Scene {
    fn path(self, folder: &Path) -> PathBuf {
        match self {
            Self::NewFolder => folder.join("a/b/root.key"),
            Self::Folder | Self::Leftover => folder.join("root.key"),
        }
    }

    fn set(self, folder: &Path) {
        if let Self::Leftover = self {
            for name in LEFT_BEFORE {
                fs::write(folder.join(name), "rxseal-root-v1:AAAAAAAAAAAAAAAA").unwrap();
                fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
    }
}

/// The system calls of a traced program, in their order.
struct Calls {
    names: Vec<String>,
    work: std::ops::Range<usize>,
}

impl Calls {
    fn of(work: &str, scene: Scene) -> Self {
        let folder = folder("calls");
        scene.set(&folder);
        let calls = Self::traced(work, &scene.path(&folder));
        fs::remove_dir_all(folder).unwrap();
        calls
    }

    /// Those of `work` on `path`, when nothing is made to fail.
    fn traced(work: &str, path: &Path) -> Self {
        let folder = folder("log");
        let log = folder.join("log");
        let mut strace = Command::new("strace");
        strace.arg("-o").arg(&log).arg(this_program());
        let output = helper_command(work, path, strace).output().unwrap();
        assert!(what_was_said(&output).is_some_and(|said| !said.starts_with("error")), "{output:?}");
        let log_text = fs::read_to_string(&log).unwrap();
        fs::remove_dir_all(folder).unwrap();
        let calls: Vec<&str> = log_text.lines().filter(|line| line.contains('(')).collect();
        let at = |marker: &str| calls.iter().position(|line| line.contains(&format!("\"{marker}\""))).unwrap();
        let names = calls.iter().map(|line| line.split('(').next().unwrap().to_owned()).collect();
        Self { names, work: at(BEGIN) + 1..at(END) + 1 }
    }

    /// Killed at the entry of each system call of the work, and each of those that matter made to fail.
    fn faults(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (name, indices) in self.by_name() {
            let errors = errors_of(&name).iter().map(|error| format!("error={error}"));
            for fault in std::iter::once("signal=KILL".to_owned()).chain(errors) {
                all.extend(indices.iter().map(|index| format!("inject={name}:{fault}:when={index}")));
            }
        }
        all
    }

    /// As `faults`, without those that end like another one: a kill at a call that only looks leaves what a kill at the next one
    /// leaves, and such a call fails in one way for all. The last call, which looks at `END`, is a kill when all is done.
    fn faults_that_differ(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (name, indices) in self.by_name() {
            let looks = LOOKING.contains(&&*name);
            if !looks {
                all.extend(indices.iter().map(|index| format!("inject={name}:signal=KILL:when={index}")));
            }
            let errors = errors_of(&name).iter().take(if looks { 1 } else { usize::MAX });
            for error in errors {
                all.extend(indices.iter().map(|index| format!("inject={name}:error={error}:when={index}")));
            }
        }
        let last = &self.names[self.work.end - 1];
        let count = self.names[..self.work.end].iter().filter(|name| *name == last).count();
        all.push(format!("inject={last}:signal=KILL:when={count}"));
        all
    }

    /// The calls of the work by name, as strace counts them: each name by itself, from 1.
    fn by_name(&self) -> BTreeMap<String, Vec<usize>> {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, name) in self.names.iter().enumerate() {
            let count = counts.entry(name).or_default();
            *count += 1;
            if self.work.contains(&at) {
                found.entry(name.clone()).or_default().push(*count);
            }
        }
        found
    }
}

/// Calls that leave the disk as it is. Whatever is not here counts as one that writes.
const LOOKING: &[&str] = &[
    "access",
    "brk",
    "fcntl",
    "flock",
    "fstat",
    "getcwd",
    "geteuid",
    "getpid",
    "getrandom",
    "gettid",
    "getuid",
    "lseek",
    "lstat",
    "mmap",
    "mremap",
    "munmap",
    "newfstatat",
    "pread64",
    "read",
    "readlink",
    "readlinkat",
    "stat",
    "statx",
];

/// How a call may fail in earnest. Memory is not taken away: Rust aborts then.
fn errors_of(name: &str) -> &'static [&'static str] {
    match name {
        "openat" | "open" => &["EIO", "ENOSPC", "EACCES", "EMFILE", "EINTR"],
        "write" | "pwrite64" => &["EIO", "ENOSPC", "EDQUOT", "EINTR"],
        "fsync" | "fdatasync" => &["EIO", "ENOSPC", "EINTR"],
        "link" | "linkat" => &["EIO", "ENOSPC", "EPERM", "EMLINK"],
        "rename" | "renameat" => &["EIO", "ENOSPC", "EACCES"],
        "ftruncate" => &["EIO", "EINTR"],
        "flock" => &["ENOLCK", "EINTR", "EWOULDBLOCK"],
        "unlink" | "unlinkat" => &["EIO", "EACCES"],
        "mkdir" | "mkdirat" => &["EIO", "ENOSPC", "EACCES"],
        "getrandom" => &["EIO", "EINTR"],
        "read" | "pread64" | "statx" | "stat" | "newfstatat" | "fstat" | "lseek" => &["EIO", "EINTR"],
        _ => &[],
    }
}

/// What came of all points.
#[derive(Default)]
struct Report {
    points: usize,
    with_file: usize,
    without_file: usize,
    leftovers: usize,
    second_names: usize,
    said: BTreeMap<&'static str, usize>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { points, with_file, without_file, leftovers, second_names, said } = self;
        write!(
            f,
            "{points} crash points: {with_file} left a whole file, {without_file} none, 0 a broken one; {leftovers} left \
             something beside it, {second_names} of these a second name of the key; the program said {said:?}"
        )
    }
}

/// One crash, and everything that must hold after it.
fn attempt(work: &str, scene: Scene, fault: &str, report: &mut Report) {
    let folder = folder("crash");
    scene.set(&folder);
    let path = scene.path(&folder);
    let output = traced(work, &path, fault);
    let what = || format!("{work} in {scene:?} with {fault}");
    let said = what_was_said(&output);
    let text = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&text).contains("panicked"), "{}: a panic", what());

    // Either no file or a whole one, for its owner only: `load` checks both.
    let left = path.exists().then(|| name_in(&path).unwrap_or_else(|| panic!("{}: a broken file", what())));
    if let Some(name) = said.as_ref().filter(|said| !said.starts_with("error")) {
        assert_eq!(Some(name), left.as_ref(), "{}: a key was given out that is not the file's", what());
    }
    // The next start gets a key, and it is the one that was there.
    let next = root_key(RootKeyFile::new(&path).load_or_create());
    assert!(!next.starts_with("error"), "{}: the next start failed: {next}", what());
    assert!(left.as_ref().is_none_or(|left| *left == next), "{}: the next start got another key", what());
    assert_eq!(name_in(&path), Some(next), "{}", what());

    // What lies beside it is for its owner only too, and is no key file by its name.
    for entry in fs::read_dir(path.parent().unwrap()).unwrap().map(Result::unwrap).filter(|entry| entry.path() != path)
    {
        let name = entry.file_name().into_string().unwrap();
        if name == "log" {
            continue;
        }
        assert!(name.starts_with(".rxseal-tmp-") || LEFT_BEFORE.contains(&name.as_str()), "{}: left {name}", what());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o177, 0, "{}: {name}", what());
        if !LEFT_BEFORE.contains(&name.as_str()) {
            report.leftovers += 1;
            // Killed between the link and the unlink: the key has two names.
            report.second_names += usize::from(fs::read(entry.path()).unwrap() == fs::read(&path).unwrap());
        }
    }
    report.points += 1;
    *(if left.is_some() { &mut report.with_file } else { &mut report.without_file }) += 1;
    let said = match said {
        None => "nothing",
        Some(said) if said.starts_with("error") => "an error",
        Some(_) => "a key",
    };
    *report.said.entry(said).or_default() += 1;
    fs::remove_dir_all(folder).unwrap();
}

fn traced(work: &str, path: &Path, fault: &str) -> Output {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "-e", fault]).arg(this_program());
    helper_command(work, path, strace).output().expect("strace to be there")
}

fn helper_command(work: &str, path: &Path, mut command: Command) -> Command {
    command.env(WORK, work).env(FILE, path);
    command
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn what_was_said(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("said ")).map(str::to_owned)
}

/// The name of the key in a file, if there is a whole one.
fn name_in(path: &Path) -> Option<String> {
    RootKeyFile::new(path).load().ok().map(|root| format!("{root:?}"))
}

fn folder(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("rxseal-crash-{}-{name}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

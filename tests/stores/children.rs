//! Copies of a test program, each in its own process, that lose something: room on the disk, or the right to write.
#![allow(unsafe_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What sets a copy of this program to work, and where.
const CHILD: &str = "RXSEAL_STORE_CHILD";
const FOLDER: &str = "RXSEAL_STORE_FOLDER";
/// The file that the children wait for.
const GO: &str = "go";

/// In a child: the words of its work, and its folder. Otherwise nothing.
pub fn work() -> Option<(Vec<String>, PathBuf)> {
    let words = std::env::var(CHILD).ok()?.split(' ').map(str::to_owned).collect();
    Some((words, PathBuf::from(std::env::var_os(FOLDER).unwrap())))
}

/// Starts a copy that runs only `test`, which is to do this work.
pub fn child(test: &str, work: &str, folder: &Path) -> Child {
    start(Command::new(std::env::current_exe().unwrap()), test, work, folder)
}

/// The same through `command`, which runs what it is given.
pub fn start(mut command: Command, test: &str, work: &str, folder: &Path) -> Child {
    command.args(["--exact", test, "--nocapture"]).env(CHILD, work).env(FOLDER, folder);
    // A profile that a limit cuts off would spoil those of all others.
    command.env("LLVM_PROFILE_FILE", "/dev/null");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What the child printed after `said `.
pub fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.split_once("said ").map(|(_, said)| said.to_owned()));
    said.unwrap_or_else(|| panic!("{output:?}"))
}

/// Lets all children begin, once they are there to wait for it; what each of them said.
pub fn let_go(folder: &Path, children: Vec<Child>) -> Vec<String> {
    std::thread::sleep(Duration::from_millis(300));
    fs::write(folder.join(GO), "").unwrap();
    children.into_iter().map(said).collect()
}

/// In a child: waits until all may begin.
pub fn wait_for_go(folder: &Path) {
    while !folder.join(GO).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A write behind `bytes` fails, as on a full disk.
pub fn limit_files(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: plain system calls; the limit is a valid struct.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}

/// Permissions do not hold for root.
pub fn become_nobody() {
    // SAFETY: plain system calls; glibc gives up the rights of every thread.
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setgid(65534), 0);
            assert_eq!(libc::setuid(65534), 0);
        }
    }
}

/// Sets what everybody may do with a folder, and with all in it: with files, and with folders.
pub fn permit(path: &Path, file: u32, folder: u32) {
    let mode = if path.is_dir() { folder } else { file };
    for entry in fs::read_dir(path).into_iter().flatten() {
        permit(&entry.unwrap().path(), file, folder);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Gone at the end of its test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rxseal-stores-{}-{name}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

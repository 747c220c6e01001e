//! The machine and the tools of a run.

use std::fs;
use std::process::Command;

const MANIFEST: &str = include_str!("../Cargo.toml");

/// Each property and its value, in the order in which they are shown.
pub fn describe() -> Vec<(&'static str, String)> {
    let flags = env!("PEERS_RUSTFLAGS");
    vec![
        ("processor", processor()),
        ("cores", std::thread::available_parallelism().map_or(0, usize::from).to_string()),
        ("kernel", format!("{} {}", read("/proc/sys/kernel/osrelease"), std::env::consts::ARCH)),
        ("libc", say("getconf", &["GNU_LIBC_VERSION"])),
        ("compiler", env!("PEERS_RUSTC").into()),
        ("profile", profile()),
        ("RUSTFLAGS", if flags.is_empty() { "none: the target's generic processor".into() } else { flags.into() }),
        (
            "rxseal at",
            say("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--abbrev=10"]),
        ),
        ("date", say("date", &["-u", "+%F"])),
    ]
}

/// How busy the machine is: programs that wanted a core, over the last minute.
pub fn load() -> String {
    read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()
}

fn processor() -> String {
    let text = read("/proc/cpuinfo");
    let field = |key: &str| {
        let line = text.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key));
        line.and_then(|line| line.split(':').nth(1)).unwrap_or("?").trim().to_owned()
    };
    format!("{} (family {}, model {})", field("model name"), field("cpu family"), field("model"))
}

fn profile() -> String {
    let section = MANIFEST.split("[profile.release]").nth(1).unwrap_or_default();
    let lines = section.lines().skip(1).take_while(|line| line.contains('='));
    format!("release, {}", lines.collect::<Vec<_>>().join(", "))
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_else(|_| "?".into()).trim().to_owned()
}

fn say(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    output.map_or("?".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

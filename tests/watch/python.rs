//! The verifier in Python, which shares no code with the crate, agrees on good and bad logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rxseal_watch::verify::{Report, Verdict, Verifier};

use crate::support::{Place, is_full};
use crate::tampering::{Draw, logged};

/// The exit status of `rxseal audit verify`, and of the script.
pub fn status_of(report: &Report) -> u8 {
    match report.verdict() {
        Verdict::Whole => 0,
        Verdict::Tampered => 1,
        Verdict::Incomplete => 7,
    }
}

/// What the script says of each of these logs, with the checkpoints of a place. One process reads all of them.
pub fn ask_python(place: &Place, logs: &[PathBuf]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/rxseal_audit.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(place.key().verifier().to_string()).arg(place.elsewhere()).args(logs);
    let done = command.output().unwrap();
    let said: Vec<u8> = str::from_utf8(&done.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(said.len(), logs.len(), "{}", String::from_utf8_lossy(&done.stderr));
    // It ends with the worst of them, as the command does.
    let worst = if said.contains(&1) { 1 } else { said.iter().copied().max().unwrap_or_default() };
    assert_eq!(done.status.code(), Some(worst.into()));
    said
}

/// The hash of a line, as FORMAT 16.2 says.
pub fn hash_line(previous: &[u8; 32], json: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for (tag, part) in [(0_u8, &b"rxseal/v1/audit"[..]), (1, &previous[..]), (2, json)] {
        hasher.update([tag]);
        hasher.update((part.len() as u32).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub fn hash_text(hash: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(hash)
}

/// The hash of the last of these lines.
pub fn last_hash(lines: &[String]) -> [u8; 32] {
    lines.iter().fold([0; 32], |previous, line| hash_line(&previous, line.split_once(' ').unwrap().1.as_bytes()))
}

#[test]
#[ignore = "needs python3 with cryptography"]
fn the_python_verifier_agrees_on_good_and_bad_logs() {
    let trials = if is_full() { 1000 } else { 40 };
    let (place, files) = logged();
    let texts: Vec<_> = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut draw = Draw(7);
    let mut verdicts = BTreeMap::new();
    let trials_folder = place.folder().join("trials");
    let (mut folders, mut ours) = (Vec::new(), Vec::new());
    for trial in 0..trials {
        let folder = trials_folder.join(format!("{trial:04}"));
        fs::create_dir_all(&folder).unwrap();
        let victim = draw.below(files.len());
        for (at, path) in files.iter().enumerate() {
            let bytes = match trial % 4 {
                0 => texts[at].clone().into_bytes(),
                _ if at != victim => texts[at].clone().into_bytes(),
                1 => crate::tampering::changed(trial / 4, &texts[at], &mut draw),
                2 => crate::tampering::changed(9, &texts[at], &mut draw),
                _ => [texts[at].as_bytes(), b"torn"].concat(),
            };
            fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
        }
        let verifier = Verifier::new([place.key().verifier()]).at(u64::MAX);
        let report = verifier.checkpoints(place.elsewhere()).unwrap().verify(&folder).unwrap();
        *verdicts.entry(status_of(&report)).or_insert(0) += 1;
        ours.push(status_of(&report));
        folders.push(folder);
    }
    for ((folder, ours), theirs) in folders.iter().zip(ours).zip(ask_python(&place, &folders)) {
        assert_eq!(ours, theirs, "{}", folder.display());
    }
    println!("{trials} logs: {verdicts:?}");
    assert_eq!(verdicts.keys().copied().collect::<Vec<_>>(), [0, 1, 7]);
}

/// The lines that are finished, whatever comes behind them.
pub fn whole_lines(files: &[PathBuf]) -> Vec<String> {
    let mut lines = Vec::new();
    for path in files {
        let bytes = fs::read(path).unwrap();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        lines.extend(String::from_utf8_lossy(&bytes[..end]).lines().map(str::to_owned));
    }
    lines
}

//! The verifier in Python, which shares no code with the crate, agrees on good and bad logs.

use std::fs;
use std::path::Path;
use std::process::Command;

use rxseal_watch::verify::{Verdict, Verifier};

use crate::support::is_full;
use crate::tampering::{Draw, logged};

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

/// Base64url without padding.
pub fn hash_text(hash: &[u8; 32]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bit = |at: usize| hash.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |digit: usize| (0..6).fold(0, |value, at| value << 1 | bit(digit * 6 + at));
    (0..43).map(|at| char::from(DIGITS[digit(at)])).collect()
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
    let mut verdicts = [0; 3];
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/rxseal_audit.py");
    // One process for all of them: each trial is a folder of its own.
    let trials_folder = place.folder().join("trials");
    let mut ours = Vec::new();
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
        let verdict = [Verdict::Whole, Verdict::Tampered, Verdict::Incomplete]
            .iter()
            .position(|known| *known == report.verdict())
            .unwrap();
        verdicts[verdict] += 1;
        ours.push((folder, verdict));
    }
    let key = place.key().verifier().to_string();
    let mut command = Command::new("python3");
    command.arg(script).arg(key).arg(place.elsewhere()).args(ours.iter().map(|(folder, _)| folder));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let theirs = String::from_utf8(done.stdout).unwrap();
    assert_eq!(theirs.lines().count(), ours.len());
    for ((folder, ours), theirs) in ours.iter().zip(theirs.lines()) {
        assert_eq!(ours.to_string(), theirs, "{}", folder.display());
    }
    println!("{trials} logs: {verdicts:?} whole, tampered, incomplete");
    assert!(verdicts.iter().all(|count| *count > 0));
}

/// The lines that are finished, whatever comes behind them.
pub fn whole_lines(files: &[std::path::PathBuf]) -> Vec<String> {
    let mut lines = Vec::new();
    for path in files {
        let bytes = fs::read(path).unwrap();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        lines.extend(String::from_utf8_lossy(&bytes[..end]).lines().map(str::to_owned));
    }
    lines
}

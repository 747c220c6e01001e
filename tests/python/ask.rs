//! Asks the Python reference. Programs of several packages include this file.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One answer for each request to this command of the program in `folder`, which is tests/python.
pub(super) fn ask(folder: &str, command: &str, requests: &[Value]) -> Vec<Value> {
    let script = Path::new(folder).join("rxseal_reference.py");
    let mut lines = requests.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    lines.push('\n');
    let mut child = Command::new("python3")
        .arg(script)
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs python3 with the packages cryptography and unicodedata2");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the Python program failed: are the packages cryptography and unicodedata2 there?"
    );
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), requests.len(), "one answer for each request");
    answers
}

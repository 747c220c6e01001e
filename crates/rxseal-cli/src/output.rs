//! Tables for people, JSON for programs. The standard output has answers only; everything else goes to the standard error.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_table::{Table, presets};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

#[derive(Clone)]
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Tells programs how far the command is, on the standard error. People see it in another way.
    pub fn tell(&self, value: &Value) {
        if self.json {
            self.complain("", value);
        }
    }

    /// One answer: as text, or as one line of JSON.
    pub fn say(&self, text: &str, value: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{value}")?;
        } else {
            writeln!(out, "{}", shown(text.trim_end(), true))?;
        }
        out.flush()
    }

    /// The answer of a change, which is `stored` already unless it was a dry run.
    pub fn done(&self, stored: bool, text: &str, value: &Value) -> Result<(), Failure> {
        self.say(text, value).map_err(|error| {
            if !stored {
                return error.into();
            }
            let answer = if self.json { value.to_string() } else { text.to_owned() };
            Failure::Unreported(error, answer)
        })
    }

    /// A list, as text one item on each line. An empty one prints nothing on the standard output, and `none` on the standard error.
    pub fn list(&self, lines: &[String], none: &str, value: &Value) -> io::Result<()> {
        if !lines.is_empty() || self.json {
            let lines: Vec<_> = lines.iter().map(|line| shown(line, false)).collect();
            return self.say(&lines.join("\n"), value);
        }
        self.note(none);
        Ok(())
    }

    /// A note for people, not part of the answer.
    pub fn note(&self, text: &str) {
        if !self.json {
            self.complain(&one_line(text), &Value::Null);
        }
    }

    pub fn failure(&self, failure: &Failure) {
        let text = one_line(&failure.to_string());
        self.complain(&text, &json!({ "error": text, "code": failure.code() }));
    }

    /// A fault that did not stop the command.
    pub fn warning(&self, text: &str) {
        let text = one_line(text);
        self.complain(&format!("warning: {text}"), &json!({ "warning": text }));
    }

    fn complain(&self, text: &str, value: &Value) {
        let line = if self.json { value.to_string() } else { format!("rxseal: {text}") };
        // If even that fails, nobody is left to be told.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// Without anything that a terminal would obey or a reader would not see. Others write into stores and answer for services, and
/// their text may have escape sequences in it.
fn shown(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => shown.push(char),
            '\n' if lines => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    shown
}

fn one_line(text: &str) -> String {
    shown(&text.split_whitespace().collect::<Vec<_>>().join(" "), false)
}

/// Rows under these titles, without borders.
pub fn table<const N: usize>(titles: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(titles);
    for row in rows {
        table.add_row(row.map(|cell| shown(&cell, false)));
    }
    // Without the padding of the last column.
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The SHA-256 of a JSON answer, as a file with the line that was printed has it.
pub fn digest_of_line(value: &Value) -> [u8; 32] {
    digest(&format!("{value}\n"))
}

/// The SHA-256 of a file with this text.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Unix seconds as people read them.
pub fn time(seconds: u64) -> String {
    // Later times have no such form, and humantime would panic.
    const LAST: u64 = 253_402_300_799;
    if seconds > LAST {
        return "after the year 9999".to_owned();
    }
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.map_or_else(String::new, |time| humantime::format_rfc3339_seconds(time).to_string())
}

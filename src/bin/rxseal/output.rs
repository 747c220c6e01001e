//! Tables for people, JSON for programs.

use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::failure::Failure;

pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// One answer: as text, or as one line of JSON.
    pub fn say(&self, text: &str, value: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json { writeln!(out, "{value}") } else { writeln!(out, "{}", text.trim_end()) }
    }

    pub fn failure(&self, failure: &Failure) {
        let text = one_line(&failure.to_string());
        self.complain(&text, &json!({ "error": text, "code": failure.code() }));
    }

    /// Something that did not keep the command from its work.
    pub fn warning(&self, text: &str) {
        let text = one_line(text);
        self.complain(&format!("warning: {text}"), &json!({ "warning": text }));
    }

    fn complain(&self, text: &str, value: &Value) {
        let line = if self.json { value.to_string() } else { format!("rxseal: {text}") };
        // Nobody is left to be told where even that fails.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// One line without what a terminal would obey, whatever a service put into its text.
fn one_line(text: &str) -> String {
    let shown: String = text.chars().filter(|char| char.is_whitespace() || !char.is_control()).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rows under these titles, without lines around them.
pub fn table<const N: usize>(titles: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(titles);
    for row in rows {
        table.add_row(row);
    }
    // What the table pads its last column with.
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Unix seconds as people read them.
pub fn time(seconds: u64) -> String {
    // What is behind it cannot be written in this form, and the library for it would panic.
    const LAST: u64 = 253_402_300_799;
    if seconds > LAST {
        return "after the year 9999".to_owned();
    }
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.map_or_else(String::new, |time| humantime::format_rfc3339_seconds(time).to_string())
}

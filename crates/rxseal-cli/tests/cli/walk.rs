//! A page of docs/ word for word: its commands and its SQL, and what it says that they print.

use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::page::blocks;
use crate::shop::Shop;

/// Runs the blocks of a page, in its order, but for the first blocks of SQL that were run before. `change` changes the text of a command.
pub fn walk(name: &str, page: &str, shop: &Shop, sql_before: usize, change: impl Fn(&str) -> String) {
    let mut printed = String::new();
    let mut sql = 0;
    for block in blocks(page) {
        let text = block.lines.join("\n");
        match block.kind {
            "sql" => {
                sql += 1;
                if sql > sql_before {
                    Connection::open(shop.path("pharmacy.db")).unwrap().execute_batch(&text).unwrap();
                }
            }
            "sh" => {
                let text = change(&text);
                let bin = Path::new(env!("CARGO_BIN_EXE_rxseal")).parent().unwrap().to_str().unwrap();
                let mut shell = Command::new("bash");
                let script = format!("exec 2>&1; set -euo pipefail\n{text}");
                shell.args(["-c", &script]).current_dir(&shop.folder).env_clear().stdin(Stdio::null());
                shell.env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()));
                shell.env("RXSEAL_STORE", &shop.store).env("RXSEAL_ROOTS", "file:root.key");
                let output = shell.output().unwrap();
                printed = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success(), "{name} line {}:\n{text}\n{printed}", block.line);
            }
            "text" => {
                let mut rest = &*printed;
                for line in &block.lines {
                    // Columns of a table are as wide as what is in them.
                    let spaced = |line: &str| line.split_whitespace().map(to_the_minute).collect::<Vec<_>>().join(" ");
                    let found = rest.lines().find(|has| spaced(has).contains(&spaced(line)));
                    let found = found
                        .unwrap_or_else(|| panic!("{name} line {} does not print `{line}`:\n{printed}", block.line));
                    let at = found.as_ptr() as usize - rest.as_ptr() as usize + found.len();
                    rest = &rest[at..];
                }
            }
            "toml" | "json" | "rust" => {}
            kind => panic!("{name} line {}: nobody runs a block of {kind:?}", block.line),
        }
    }
}

/// A time without its seconds: what a page plants takes some.
fn to_the_minute(word: &str) -> &str {
    match word.as_bytes() {
        [.., b'T', _, _, b':', _, _, b':', _, _, b'Z'] => &word[..word.len() - ":00Z".len()],
        _ => word,
    }
}

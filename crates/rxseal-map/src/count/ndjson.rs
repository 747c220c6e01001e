//! Files with a JSON object on each line.

use std::fs::File;

use super::json::each_member;
use super::lines::Lines;
use super::tally::{Tally, Value};

/// Counts the lines of one file, or says what is wrong with it.
pub(super) fn read(file: File, tally: &mut Tally) -> Result<(), String> {
    let mut lines = Lines::new(file);
    loop {
        let next = lines.next().map_err(|error| error.to_string());
        let Some(line) = next? else { return Ok(()) };
        // Not `trim`, which also takes away what JSON does not know as space.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let is_object = std::str::from_utf8(line).is_ok_and(|line| {
            each_member(line, &mut |name, value| {
                let column = tally.column(name);
                tally.add(column, Value::Json(value));
            })
        });
        if !is_object {
            return Err(format!("line {} is no JSON object", lines.line()));
        }
        tally.end_row();
    }
}

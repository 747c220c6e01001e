//! Files with a JSON object on each line.

use std::fs::File;

use super::json::each_member;
use super::lines::Lines;
use super::router::Router;
use super::value::Value;

/// How many lines are looked at for their names.
const SAMPLE: usize = 1000;

/// Reads the lines of one file, or says what is wrong with it.
pub(super) fn read(file: File, router: &mut Router<'_>) -> Result<(), String> {
    let mut lines = Lines::new(file);
    while let Some(line) = next(&mut lines)? {
        let is_object = std::str::from_utf8(line).is_ok_and(|line| {
            each_member(line, &mut |name, value| {
                let column = router.column(name);
                router.add(column, Value::of_json(value));
            })
        });
        if !is_object {
            return Err(no_object(&lines));
        }
        router.end_row();
    }
    Ok(())
}

/// Adds the names that the first lines have.
pub(super) fn columns(file: File, columns: &mut Vec<String>) -> Result<(), String> {
    let mut lines = Lines::new(file);
    for _ in 0..SAMPLE {
        let Some(line) = next(&mut lines)? else { break };
        let is_object = std::str::from_utf8(line).is_ok_and(|line| {
            each_member(line, &mut |name, _| {
                if !columns.iter().any(|known| known == name) {
                    columns.push(name.to_owned());
                }
            })
        });
        if !is_object {
            return Err(no_object(&lines));
        }
    }
    Ok(())
}

/// The next line that is not empty.
fn next(lines: &mut Lines) -> Result<Option<&[u8]>, String> {
    while lines.advance().map_err(|error| error.to_string())? {
        // Not `str::trim`, which also takes away what JSON does not know as space.
        if !trimmed(lines.current()).is_empty() {
            return Ok(Some(trimmed(lines.current())));
        }
    }
    Ok(None)
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

fn no_object(lines: &Lines) -> String {
    format!("line {} is no JSON object", lines.line())
}

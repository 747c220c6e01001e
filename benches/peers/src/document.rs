//! A Markdown file. Each program writes its own section, between two comments, and leaves the rest unchanged.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const BEGIN: &str = "<!-- begin: peers (written by benches/peers) -->";
const END: &str = "<!-- end: peers -->";

/// The beginning of a new file.
const HEAD: &str = "# Benchmarks

Numbers of real runs, each section written by a program: a change by hand is lost with the next run. What they mean for a
program that uses rxseal stands in [SPEED.md](SPEED.md).
";

/// Puts `body` in place of the section of `file`.
pub fn write_section(file: &Path, body: &str) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", file.display());
    let existing = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => HEAD.into(),
        Err(error) => return Err(failed(error)),
    };
    fs::write(file, with_section(&existing, body)).map_err(failed)
}

fn with_section(existing: &str, body: &str) -> String {
    let section = format!("{BEGIN}\n\n{}\n\n{END}", body.trim());
    match (existing.find(BEGIN), existing.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{section}{}", &existing[..begin], &existing[end + END.len()..])
        }
        _ => format!("{}\n\n{section}\n", existing.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_once_and_renewed_in_place() {
        let first = with_section("# Title\n\nOf others.\n", "one");
        assert_eq!(first, format!("# Title\n\nOf others.\n\n{BEGIN}\n\none\n\n{END}\n"));
        let more = format!("{first}\nAfter it.\n");
        assert_eq!(with_section(&more, "two"), more.replace("one", "two"));
    }
}

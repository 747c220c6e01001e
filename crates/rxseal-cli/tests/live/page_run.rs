//! Runs a page of docs/ word for word. Every block of commands runs in one shell, from top to bottom, and must print every block of output
//! below it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::page::blocks;

/// Commands, and what they must print.
pub struct Step<'p> {
    line: usize,
    commands: Vec<&'p str>,
    prints: Vec<&'p str>,
}

pub fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for block in blocks(page) {
        match block.kind {
            "sh" => {
                // As a reader copies them: what is in a list is indented in the page's source.
                let indent = block.lines.first().map_or(0, |line| line.len() - line.trim_start().len());
                let commands = block.lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
                steps.push(Step { line: block.line, commands, prints: Vec::new() });
            }
            "text" => {
                let last = steps.last_mut().expect("output below commands");
                assert!(last.prints.is_empty(), "line {}: the second output of one block", block.line);
                last.prints = block.lines.into_iter().map(str::trim).collect();
            }
            _ => panic!("line {}: a block is `sh` or `text`, or nobody runs it", block.line),
        }
    }
    steps
}

/// A command that the text names is also in a block.
pub fn said_in_passing_is_run(page: &str, steps: &[Step<'_>]) {
    let prose: String = {
        let mut outside = true;
        let kept = page.lines().filter(|line| {
            let fence = line.trim_start().starts_with("```");
            outside ^= fence;
            outside && !fence
        });
        kept.collect::<Vec<_>>().join("\n")
    };
    for said in prose.split('`').skip(1).step_by(2).filter(|said| said.starts_with("rxseal ")) {
        let said: Vec<_> = said.split_whitespace().collect();
        let is_in = |line: &str| line.contains(&said.join(" "));
        assert!(said.len() < 3 || steps.iter().any(|step| step.commands.iter().any(|line| is_in(line))), "{said:?}");
    }
}

/// What each block prints goes into a file of the folder `log`. `before` is what the shell runs first.
pub fn run_page(
    name: &str,
    page: &str,
    before: &str,
    log: &str,
    mut shell: Command,
    translate: impl Fn(&str) -> String,
) {
    let steps = steps(page);
    let mut script = format!("set -euo pipefail\n{before}\n");
    for (at, step) in steps.iter().enumerate() {
        let commands = translate(&step.commands.join("\n"));
        // In this shell, whose variables later blocks use.
        let _ = write!(script, "exec >{log}/{at}.out 2>&1\n{commands}\necho done >{log}/{at}.done\n");
    }
    let ran = shell.arg("-c").arg(&script).status().unwrap();
    for (at, step) in steps.iter().enumerate() {
        let printed = fs::read_to_string(format!("{log}/{at}.out")).unwrap_or_default();
        let commands = step.commands.join("\n");
        let line = step.line;
        let done = Path::new(&format!("{log}/{at}.done")).exists();
        assert!(done, "{name} line {line} did not come to its end:\n{commands}\n\n{printed}");
        let mut rest = &*printed;
        for part in &step.prints {
            let Some(found) = rest.find(part) else {
                panic!("{name} line {line} does not print `{part}`:\n{commands}\n\n{printed}");
            };
            rest = &rest[found + part.len()..];
        }
        let foretold = step.prints.iter().any(|part| part.contains("exit status"));
        assert_eq!(printed.contains("exit status"), foretold, "{name} line {line}:\n{printed}");
    }
    assert!(ran.success());
}

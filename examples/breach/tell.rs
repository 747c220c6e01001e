//! What the example prints, within 80 columns, and the checks that end it if they do not hold.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

/// What ends a scene early.
pub type Failure = Box<dyn Error>;

#[derive(Default)]
pub struct Tell {
    scenes: Cell<usize>,
    checks: Cell<usize>,
}

impl Tell {
    pub fn scene(&self, name: &str) {
        self.scenes.set(self.scenes.get() + 1);
        self.print(format_args!("\n{} {name}", self.scenes.get()));
    }

    pub fn line(&self, text: impl Display) {
        self.print(format_args!("  {text}"));
    }

    /// Says that something holds, or ends the example.
    pub fn check(&self, name: &str, holds: bool, detail: impl Display) -> Result<(), Failure> {
        if !holds {
            return Err(format!("FAILED: {name}: {detail}").into());
        }
        self.checks.set(self.checks.get() + 1);
        self.line(format_args!("ok: {name}: {detail}"));
        Ok(())
    }

    /// Rows of cells, of which the first row names the columns. What is a number is at the right.
    pub fn table(&self, rows: &[Vec<String>]) {
        let columns = rows.first().map_or(0, Vec::len);
        let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at));
        let widths: Vec<_> =
            (0..columns).map(|at| cells(at).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect();
        let is_number =
            |at: usize| cells(at).skip(1).all(|cell| cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b','));
        for row in rows {
            let cell = |(at, cell): (usize, &String)| match is_number(at) {
                true => format!("{cell:>width$}", width = widths[at]),
                false => format!("{cell:<width$}", width = widths[at]),
            };
            let line = row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
            self.line(line.trim_end());
        }
    }

    pub fn checks(&self) -> usize {
        self.checks.get()
    }

    pub fn print(&self, text: impl Display) {
        // The reader of the output may stop reading. That is not a failure of the work.
        let _ = writeln!(io::stdout(), "{text}");
    }
}

/// `12345` as `12,345`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `02:13:05`, of milliseconds since 1970.
pub fn clock_time(unix_ms: u64) -> String {
    let seconds = unix_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

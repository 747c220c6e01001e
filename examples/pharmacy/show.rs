//! The output: colour, tables and progress bars on a terminal, plain text everywhere else.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::modifiers::UTF8_ROUND_CORNERS;
use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{Attribute, Cell as TableCell, CellAlignment, Color, ContentArrangement, Table};
use console::{Term, style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How a column looks.
#[derive(Clone, Copy, PartialEq)]
pub enum Tone {
    Plain,
    Number,
    Thief,
    Counter,
}

pub struct Show {
    terminal: bool,
    step: Cell<usize>,
}

impl Show {
    pub fn new() -> Self {
        Self { terminal: Term::stdout().is_term(), step: Cell::new(0) }
    }

    pub fn title(&self, title: &str) {
        self.print(style(title).bold());
    }

    pub fn step(&self, name: &str) {
        self.step.set(self.step.get() + 1);
        self.print("");
        self.print(format_args!("{} {}", style(self.step.get()).cyan().bold(), style(name).bold()));
    }

    pub fn line(&self, text: impl Display) {
        self.print(format_args!("  {text}"));
    }

    /// Something less important.
    pub fn note(&self, text: impl Display) {
        self.line(style(text).dim());
    }

    pub fn held(&self, name: &str, detail: &str) {
        let mark = if self.terminal { "✓" } else { "ok:" };
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        self.line(format_args!("{} {name}{}", style(mark).green().bold(), style(detail).dim()));
    }

    pub fn end(&self, text: &str) {
        self.print(style(text).green().bold());
    }

    pub fn print(&self, text: impl Display) {
        // The reader of the output may stop reading. That is not a failure of the work.
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// A table, with the name and the tone of each column.
    pub fn table(&self, columns: &[(&str, Tone)], rows: &[Vec<String>]) {
        let mut table = Table::new();
        if self.terminal {
            table.load_preset(UTF8_FULL_CONDENSED).apply_modifier(UTF8_ROUND_CORNERS);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(self.width().saturating_sub(2));
        } else {
            table.load_preset(NOTHING);
        }
        table.set_header(columns.iter().map(|(name, _)| self.cell(name, Tone::Plain).add_attribute(Attribute::Bold)));
        for row in rows {
            // A column that everybody can read has no colour.
            let readable =
                columns.iter().any(|(_, tone)| *tone == Tone::Thief) && row.windows(2).any(|two| two[0] == two[1]);
            let tone = |tone| if readable { Tone::Plain } else { tone };
            table.add_row(row.iter().zip(columns).map(|(text, column)| self.cell(text, tone(column.1))));
        }
        for (column, (_, tone)) in table.column_iter_mut().zip(columns) {
            if *tone == Tone::Number {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.trim_fmt().lines() {
            self.line(line);
        }
    }

    /// A progress bar. It does nothing if nobody watches.
    pub fn bar(&self, what: &'static str, len: usize) -> ProgressBar {
        let target = if self.terminal { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(len as u64), target).with_message(what);
        let template = "  {msg:<9} {bar:36.cyan/dim} {percent:>3}%  {human_pos} of {human_len}  {elapsed}";
        bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    /// `text`, or its beginning if it would make a table of two such columns and a narrow one wider than the terminal, or than 80
    /// characters.
    pub fn shorten(&self, text: &str) -> String {
        elide(text, self.room().unwrap_or(34), 0)
    }

    /// `text`, or its two ends: the tokens of one record begin alike.
    pub fn shorten_token(&self, text: &str) -> String {
        let room = self.room().unwrap_or(26);
        elide(text, room, room / 2)
    }

    /// The characters of one column on a terminal.
    fn room(&self) -> Option<usize> {
        self.terminal.then(|| usize::from(self.width() / 2).saturating_sub(14).max(24))
    }

    fn width(&self) -> u16 {
        Term::stdout().size().1.min(140)
    }

    fn cell(&self, text: &str, tone: Tone) -> TableCell {
        let cell = TableCell::new(text);
        match tone {
            Tone::Thief if console::colors_enabled() => cell.fg(Color::Red),
            Tone::Counter if console::colors_enabled() => cell.fg(Color::Green),
            _ => cell,
        }
    }
}

/// `text` within `room` characters, with its last `kept` ones.
fn elide(text: &str, room: usize, kept: usize) -> String {
    let len = text.chars().count();
    if len <= room {
        return text.to_owned();
    }
    let start: String = text.chars().take(room.saturating_sub(kept).saturating_sub(1)).collect();
    let end: String = text.chars().skip(len.saturating_sub(kept)).collect();
    format!("{start}…{end}")
}

/// `12345` as `12,345`.
pub fn grouped(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! Files of CSV (RFC 4180), whose first line names the columns.

use std::fs::File;
use std::io::Read as _;

use csv_core::{ReadRecordResult, Reader};
use zeroize::Zeroizing;

use super::lines::grow;
use super::quotes::Quotes;
use super::router::Router;
use super::value::Value;

const INPUT: usize = 256 * 1024;
const ROW: usize = 4 * 1024;
/// More than any database has.
const MAX_COLUMNS: usize = 65_536;

/// Reads the rows of one file, or says what is wrong with it.
pub(super) fn read(file: File, router: &mut Router<'_>) -> Result<(), String> {
    let mut rows = Rows::new(file);
    let columns: Vec<_> = rows.header()?.iter().map(|name| router.column(name)).collect();
    let needed: Vec<_> = router.needed().map(str::to_owned).collect();
    if let Some(absent) = needed.iter().find(|name| !columns.contains(&router.column(name))) {
        return Err(format!("its first line names no column {absent}"));
    }
    loop {
        let next = rows.advance();
        // Those of a row that is not whole, too: what was found must not be less.
        for (column, field) in columns.iter().zip(rows.fields()) {
            router.add(
                *column,
                match std::str::from_utf8(field) {
                    // CSV has no other way to say that there is no value.
                    Ok("") => Value::Null,
                    Ok(text) => Value::Text(text),
                    Err(_) => Value::Foreign(field),
                },
            );
        }
        if !next? {
            return Ok(());
        }
        if rows.len != columns.len() {
            return Err(rows.wrong_number(columns.len()));
        }
        router.end_row();
    }
}

/// Adds the columns that the first line names.
pub(super) fn columns(file: File, columns: &mut Vec<String>) -> Result<(), String> {
    for name in Rows::new(file).header()? {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    Ok(())
}

/// Rows one by one, in a buffer that is wiped.
struct Rows {
    file: File,
    reader: Reader,
    quotes: Quotes,
    input: Zeroizing<Vec<u8>>,
    begin: usize,
    end: usize,
    /// The fields of the row that was read last, one behind the other, and where each ends.
    row: Zeroizing<Vec<u8>>,
    ends: Vec<usize>,
    len: usize,
}

impl Rows {
    fn new(file: File) -> Self {
        let [input, row] = [INPUT, ROW].map(|len| Zeroizing::new(vec![0; len]));
        let (reader, quotes) = (Reader::new(), Quotes::new());
        Self { file, reader, quotes, input, begin: 0, end: 0, row, ends: vec![0; 64], len: 0 }
    }

    /// The names in the first line.
    fn header(&mut self) -> Result<Vec<String>, String> {
        if !self.advance()? {
            return Err("it is empty: the first line names the columns".to_owned());
        }
        let mut names: Vec<String> = Vec::new();
        for name in self.fields() {
            let name = name.strip_prefix(b"\xef\xbb\xbf").filter(|_| names.is_empty()).unwrap_or(name);
            let name = std::str::from_utf8(name).map_err(|_| "the first line is not UTF-8".to_owned())?.trim();
            // Without a first line of names this would be a value, so it is not shown.
            if names.iter().any(|known| known == name) {
                return Err(format!(
                    "its first line names the column at position {} twice",
                    names.len().saturating_add(1)
                ));
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        self.ends.iter().take(self.len).map(move |end| {
            let field = self.row.get(begin..*end).unwrap_or_default();
            begin = *end;
            field
        })
    }

    /// Goes to the next row, if there is one. After an error, the row is what was read of it.
    fn advance(&mut self) -> Result<bool, String> {
        let mut written = 0_usize;
        self.len = 0;
        loop {
            if self.begin == self.end {
                self.begin = 0;
                self.end = self.file.read(&mut self.input).map_err(|error| error.to_string())?;
                if self.end == 0 {
                    self.quotes.end()?;
                }
            }
            let input = self.input.get(self.begin..self.end).unwrap_or_default();
            let row = self.row.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(self.len..).unwrap_or_default();
            let (result, read, more, ended) = self.reader.read_record(input, row, ends);
            self.begin = self.begin.saturating_add(read);
            written = written.saturating_add(more);
            self.len = self.len.saturating_add(ended);
            self.quotes.follow(input.get(..read).unwrap_or_default())?;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.row).map_err(|error| error.to_string())?,
                ReadRecordResult::OutputEndsFull if self.len < MAX_COLUMNS => {
                    self.ends.resize(self.ends.len().saturating_mul(2), 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(format!("a row has more than {MAX_COLUMNS} fields"));
                }
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }
    fn wrong_number(&self, columns: usize) -> String {
        let line = self.quotes.line();
        format!("a row that ends near line {line} has not {columns} fields, as the first line has")
    }
}

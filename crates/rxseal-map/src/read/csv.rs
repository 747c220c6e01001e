//! Files of CSV (RFC 4180), whose first line names the columns.

use std::fs::File;
use std::io::Read as _;

use csv_core::{ReadFieldResult, Reader};
use zeroize::Zeroizing;

use super::lines::grow;
use super::quotes::Quotes;
use super::router::Router;
use super::value::Value;

const INPUT: usize = 256 * 1024;
const FIELD: usize = 4 * 1024;

/// Reads the rows of one file, or says what is wrong with it.
pub(super) fn read(file: File, router: &mut Router<'_>) -> Result<(), String> {
    let mut fields = Fields::new(file);
    let columns: Vec<_> = fields.header()?.iter().map(|name| router.column(name)).collect();
    let needed: Vec<_> = router.needed().map(str::to_owned).collect();
    if let Some(absent) = needed.iter().find(|name| !columns.contains(&router.column(name))) {
        return Err(format!("its first line names no column {absent}"));
    }
    let mut at = 0_usize;
    while let Some((field, is_last)) = fields.next()? {
        let Some(column) = columns.get(at) else { return Err(fields.wrong_number(columns.len())) };
        router.add(
            *column,
            match std::str::from_utf8(field) {
                // CSV has no other way to say that there is no value.
                Ok("") => Value::Null,
                Ok(text) => Value::Text(text),
                Err(_) => Value::Foreign(field),
            },
        );
        at = at.saturating_add(1);
        if is_last {
            if at != columns.len() {
                return Err(fields.wrong_number(columns.len()));
            }
            router.end_row();
            at = 0;
        }
    }
    Ok(())
}

/// Adds the columns that the first line names.
pub(super) fn columns(file: File, columns: &mut Vec<String>) -> Result<(), String> {
    for name in Fields::new(file).header()? {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    Ok(())
}

/// Fields one by one, in a buffer that is wiped.
struct Fields {
    file: File,
    reader: Reader,
    quotes: Quotes,
    input: Zeroizing<Vec<u8>>,
    begin: usize,
    end: usize,
    field: Zeroizing<Vec<u8>>,
}

impl Fields {
    fn new(file: File) -> Self {
        let [input, field] = [INPUT, FIELD].map(|len| Zeroizing::new(vec![0; len]));
        Self { file, reader: Reader::new(), quotes: Quotes::new(), input, begin: 0, end: 0, field }
    }

    /// The names in the first line.
    fn header(&mut self) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let Some((name, is_last)) = self.next()? else {
                return Err("it is empty: the first line names the columns".to_owned());
            };
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
            if is_last {
                return Ok(names);
            }
        }
    }

    /// The next field, and whether its row ends with it.
    fn next(&mut self) -> Result<Option<(&[u8], bool)>, String> {
        let mut written = 0_usize;
        loop {
            if self.begin == self.end {
                self.begin = 0;
                self.end = self.file.read(&mut self.input).map_err(|error| error.to_string())?;
                if self.end == 0 {
                    self.quotes.end()?;
                }
            }
            let input = self.input.get(self.begin..self.end).unwrap_or_default();
            let output = self.field.get_mut(written..).unwrap_or_default();
            let (result, read, more) = self.reader.read_field(input, output);
            self.quotes.follow(input.get(..read).unwrap_or_default())?;
            self.begin = self.begin.saturating_add(read);
            written = written.saturating_add(more);
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => grow(&mut self.field).map_err(|error| error.to_string())?,
                ReadFieldResult::Field { record_end } => {
                    return Ok(Some((self.field.get(..written).unwrap_or_default(), record_end)));
                }
                ReadFieldResult::End => return Ok(None),
            }
        }
    }

    fn wrong_number(&self, columns: usize) -> String {
        format!("a row that ends near line {} has not {columns} fields, as the first line has", self.quotes.line())
    }
}

//! CSV with a header, whose plaintext is wiped: one row at a time, and of it the columns that are asked for. `csv-core` reads from a buffer
//! and writes to another one, and keeps nothing of its own.

use std::fs::File;
use std::io::Read as _;

use csv_core::ReadFieldResult;
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::{Failure, usage};

/// A longer field is not kept: no field of an index is that long.
const MAX_FIELD: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;

/// The fields of a row that were asked for, in that order.
pub struct Row {
    fields: Vec<Field>,
}

impl Row {
    pub fn text(&self, at: usize) -> &str {
        self.fields.get(at).and_then(|field| str::from_utf8(field.bytes()).ok()).unwrap_or_default()
    }
}

pub struct Reader {
    input: Input,
    /// Which field of the row each column of the file is, if it is one.
    wanted: Vec<Option<usize>>,
    row: Row,
    unwanted: Field,
}

impl Reader {
    /// Reads the header. Also gives the position in a row of each of `columns`, of which one may come twice.
    pub fn new(input: File, columns: &[&str]) -> Result<(Self, Vec<usize>), Failure> {
        let (mut input, mut title) = (Input::new(input), Field::new());
        let mut header = Vec::new();
        while let Some(end) = input.field(&mut title, true)? {
            // If there is no header, this is a patient.
            header.push(Zeroizing::new(title.bytes().trim_ascii().to_vec()));
            title.wipe();
            if end == End::Row {
                break;
            }
        }
        let mut distinct: Vec<&str> = Vec::new();
        let mut positions = Vec::new();
        for column in columns {
            let at = distinct.iter().position(|known| known == column).unwrap_or(distinct.len());
            if at == distinct.len() {
                distinct.push(column);
            }
            positions.push(at);
            match header.iter().filter(|title| ***title == *column.as_bytes()).count() {
                1 => {}
                0 => return usage(&format!("the first line of the standard input names no column {column:?}")),
                _ => return usage(&format!("the first line of the standard input names the column {column:?} twice")),
            }
        }
        let wanted =
            header.iter().map(|title| distinct.iter().position(|column| *column.as_bytes() == ***title)).collect();
        let row = Row { fields: distinct.iter().map(|_| Field::new()).collect() };
        Ok((Self { input, wanted, row, unwanted: title }, positions))
    }

    /// The next row. The one before is wiped.
    pub fn next(&mut self) -> Result<Option<&Row>, Failure> {
        let Self { input, wanted, row: Row { fields }, unwanted } = self;
        fields.iter_mut().for_each(Field::wipe);
        let mut read = 0_usize;
        let line = loop {
            let line = input.parser.line();
            let wanted = wanted.get(read).copied().flatten().and_then(|at| fields.get_mut(at));
            let end = match wanted {
                Some(field) => input.field(field, true)?,
                None => input.field(unwanted, false)?,
            };
            unwanted.wipe();
            let Some(end) = end else { return Ok(None) };
            read = read.saturating_add(1);
            if end == End::Row {
                break line;
            }
        };
        if read != wanted.len() {
            return bad(line, &format!("the row has {read} fields, and the first line has {}", wanted.len()));
        }
        if fields.iter().any(|field| str::from_utf8(field.bytes()).is_err()) {
            return bad(line, "a field is not UTF-8");
        }
        Ok(Some(&self.row))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Row,
}

/// A field, in room that never grows, so that no copy is left behind.
struct Field {
    room: Zeroizing<Vec<u8>>,
    len: usize,
}

impl Field {
    fn new() -> Self {
        Self { room: Zeroizing::new(vec![0; MAX_FIELD]), len: 0 }
    }

    fn bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// As far as it is filled; the rest of its room has been wiped before.
    fn wipe(&mut self) {
        self.room.get_mut(..self.len).unwrap_or_default().zeroize();
        self.len = 0;
    }
}

/// The file, by way of a buffer that is wiped.
struct Input {
    file: File,
    parser: csv_core::Reader,
    buffer: Zeroizing<Vec<u8>>,
    at: usize,
    filled: usize,
    /// Whether an even number of quotation marks was read.
    is_even: bool,
}

impl Input {
    fn new(file: File) -> Self {
        let buffer = Zeroizing::new(vec![0; BUFFER]);
        Self { file, parser: csv_core::Reader::new(), buffer, at: 0, filled: 0, is_even: true }
    }

    /// Reads a field, and how it ends. `None` at the end of the file. A field that is not to be kept may be of any length, and `field` has its
    /// end.
    fn field(&mut self, field: &mut Field, is_kept: bool) -> Result<Option<End>, Failure> {
        loop {
            if self.at >= self.filled && !self.fill()? && !self.is_even {
                return bad(self.parser.line(), "a quotation mark has no other one");
            }
            let input = self.buffer.get(self.at..self.filled).unwrap_or_default();
            let room = field.room.get_mut(field.len..).unwrap_or_default();
            let (result, read, written) = self.parser.read_field(input, room);
            self.at = self.at.saturating_add(read);
            field.len = field.len.saturating_add(written);
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull if is_kept => {
                    return bad(self.parser.line(), "a field is longer than 65,536 bytes");
                }
                ReadFieldResult::OutputFull => field.wipe(),
                ReadFieldResult::Field { record_end } => {
                    return Ok(Some(if record_end { End::Row } else { End::Field }));
                }
                ReadFieldResult::End => return Ok(None),
            }
        }
    }

    /// Fills the buffer, and says whether there was more. The parser takes whatever it gets, so quotation marks are counted here.
    fn fill(&mut self) -> Result<bool, Failure> {
        self.filled = self.file.read(&mut self.buffer)?;
        self.at = 0;
        let filled = self.buffer.get(..self.filled).unwrap_or_default();
        self.is_even = filled.iter().fold(self.is_even, |is_even, byte| is_even ^ (*byte == b'"'));
        Ok(self.filled > 0)
    }
}

fn bad<T>(line: u64, what: &str) -> Result<T, Failure> {
    Err(Failure::Coded("invalid-input", format!("the standard input, line {line}: {what}")))
}

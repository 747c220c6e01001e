//! CSV (RFC 4180) with a header, whose plaintext is wiped: one row at a time, and of it the columns that are asked for.

use std::fs::File;
use std::io::Read as _;

use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::{Failure, usage};

/// A longer field is not kept: no field of an index is that long.
const MAX_FIELD: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;

/// The fields of a row that were asked for, in that order.
pub struct Row {
    fields: Vec<Zeroizing<Vec<u8>>>,
}

impl Row {
    pub fn text(&self, at: usize) -> &str {
        self.fields.get(at).and_then(|field| str::from_utf8(field).ok()).unwrap_or_default()
    }
}

pub struct Reader {
    bytes: Bytes,
    /// Which field of the row each column of the file is, if it is one.
    wanted: Vec<Option<usize>>,
    row: Row,
    line: u64,
}

impl Reader {
    /// Reads the header. Also gives the position in a row of each of `columns`, of which one may come twice.
    pub fn new(input: File, columns: &[&str]) -> Result<(Self, Vec<usize>), Failure> {
        let mut reader =
            Self { bytes: Bytes::new(input), wanted: Vec::new(), row: Row { fields: Vec::new() }, line: 1 };
        let mut header = Vec::new();
        let mut title = field();
        let mut end = End::Field;
        while end == End::Field {
            end = reader.field(Some(&mut title))?.unwrap_or(End::Row);
            // If there is no header, this is a patient.
            let name = title.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&title);
            header.push(Zeroizing::new(name.trim_ascii().to_vec()));
            wipe(&mut title);
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
        reader.wanted =
            header.iter().map(|title| distinct.iter().position(|column| *column.as_bytes() == ***title)).collect();
        reader.row.fields.resize_with(distinct.len(), field);
        Ok((reader, positions))
    }

    /// The next row. The one before is wiped.
    pub fn next(&mut self) -> Result<Option<&Row>, Failure> {
        let mut fields = std::mem::take(&mut self.row.fields);
        fields.iter_mut().for_each(wipe);
        let line = self.line;
        let (mut read, mut end) = (0_usize, End::Field);
        while end == End::Field {
            let wanted = self.wanted.get(read).copied().flatten().and_then(|at| fields.get_mut(at));
            end = match self.field(wanted)? {
                Some(end) => end,
                None if read == 0 => return Ok(None),
                // Behind the last comma, and the line has no end.
                None => End::Row,
            };
            read = read.saturating_add(1);
        }
        self.row.fields = fields;
        // An empty line is a row of one empty field.
        if read != self.wanted.len() {
            return bad(line, &format!("the row has {read} fields, and the first line has {}", self.wanted.len()));
        }
        if self.row.fields.iter().any(|field| str::from_utf8(field).is_err()) {
            return bad(line, "a field is not UTF-8");
        }
        Ok(Some(&self.row))
    }

    /// Reads a field, and keeps it if it is wanted. `None` at the end of the file.
    fn field(&mut self, mut keep: Option<&mut Zeroizing<Vec<u8>>>) -> Result<Option<End>, Failure> {
        let Some(mut byte) = self.bytes.next()? else { return Ok(None) };
        let quoted = byte == b'"';
        if quoted {
            byte = loop {
                match self.bytes.next()? {
                    None => return bad(self.line, "a quotation mark has no other one"),
                    Some(b'"') => match self.bytes.next()? {
                        Some(b'"') => self.keep(&mut keep, b'"')?,
                        Some(after) => break after,
                        None => return Ok(Some(End::Row)),
                    },
                    Some(byte) => {
                        if byte == b'\n' {
                            self.line = self.line.saturating_add(1);
                        }
                        self.keep(&mut keep, byte)?;
                    }
                }
            };
        }
        loop {
            match byte {
                b',' => return Ok(Some(End::Field)),
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    return Ok(Some(End::Row));
                }
                b'\r' => {}
                _ if quoted => return bad(self.line, "behind a quotation mark there is no comma"),
                _ => self.keep(&mut keep, byte)?,
            }
            match self.bytes.next()? {
                Some(next) => byte = next,
                None => return Ok(Some(End::Row)),
            }
        }
    }

    fn keep(&self, keep: &mut Option<&mut Zeroizing<Vec<u8>>>, byte: u8) -> Result<(), Failure> {
        let Some(field) = keep else { return Ok(()) };
        // It never grows, so no copy is left behind.
        if field.len() == MAX_FIELD {
            return bad(self.line, "a field is longer than 65,536 bytes");
        }
        field.push(byte);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Row,
}

/// The bytes of a file, by way of a buffer that is wiped.
struct Bytes {
    input: File,
    buffer: Zeroizing<Vec<u8>>,
    at: usize,
    filled: usize,
}

impl Bytes {
    fn new(input: File) -> Self {
        Self { input, buffer: Zeroizing::new(vec![0; BUFFER]), at: 0, filled: 0 }
    }

    fn next(&mut self) -> Result<Option<u8>, Failure> {
        if self.at == self.filled {
            self.filled = self.input.read(&mut self.buffer)?;
            self.at = 0;
            if self.filled == 0 {
                return Ok(None);
            }
        }
        let byte = self.buffer.get(self.at).copied();
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }
}

/// As far as it is filled; the rest of its room has been wiped before.
fn wipe(field: &mut Zeroizing<Vec<u8>>) {
    field.as_mut_slice().zeroize();
    field.clear();
}

fn field() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(MAX_FIELD))
}

fn bad<T>(line: u64, what: &str) -> Result<T, Failure> {
    Err(Failure::Coded("invalid-input", format!("the standard input, line {line}: {what}")))
}

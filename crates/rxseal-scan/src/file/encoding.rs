//! In which encoding a file is, and files that have to be unpacked first.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

/// How much of a file's beginning is looked at.
pub(super) const HEAD: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or one of 8 bits that begins with ASCII.
    Ascii,
    Utf16(&'static encoding_rs::Encoding),
}

/// By its byte order mark. Without one, by the zero bytes that ASCII has in UTF-16: nine of ten letters.
pub(super) fn of(head: &[u8]) -> Encoding {
    match head {
        [0xFF, 0xFE, ..] => return Encoding::Utf16(UTF_16LE),
        [0xFE, 0xFF, ..] => return Encoding::Utf16(UTF_16BE),
        _ => {}
    }
    let (pairs, _) = head.as_chunks::<2>();
    let is_most = |many: usize| !pairs.is_empty() && many.saturating_mul(10) >= pairs.len().saturating_mul(9);
    let ascii = |zero: u8, letter: u8| zero == 0 && (letter.is_ascii_graphic() || letter.is_ascii_whitespace());
    if is_most(pairs.iter().filter(|[first, second]| ascii(*second, *first)).count()) {
        return Encoding::Utf16(UTF_16LE);
    }
    if is_most(pairs.iter().filter(|[first, second]| ascii(*first, *second)).count()) {
        return Encoding::Utf16(UTF_16BE);
    }
    Encoding::Ascii
}

/// What has to be unpacked, or read by a program of its own.
pub(super) fn packed(head: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: &[(&[u8], &str)] = &[
        (b"\x1f\x8b", "a gzip file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
        (b"\xfd7zXZ\0", "an xz file"),
        (b"BZh", "a bzip2 file"),
        (b"\x04\x22\x4d\x18", "an lz4 file"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
        (b"PK\x03\x04", "a zip file, such as a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of an older office program"),
        (b"%PDF", "a PDF file"),
        (b"PGDMP", "a dump of PostgreSQL in its own form: use `pg_dump --format=plain`"),
        (b"SQLite format 3\0", "a database of SQLite: name its tables in a map"),
        (b"PAR1", "a Parquet file"),
        (b"Obj\x01", "an Avro file"),
        (b"ORC", "an ORC file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x89PNG", "an image"),
        (b"\xff\xd8\xff", "an image"),
        (b"II*\0", "an image"),
        (b"MM\0*", "an image"),
    ];
    // A folder that tar packed has its mark further on.
    let is_tar = head.get(257..262) == Some(b"ustar");
    let known = BEGINNINGS.iter().find(|(beginning, _)| head.starts_with(beginning)).map(|(_, format)| *format);
    known.or(is_tar.then_some("a tar file"))
}

/// A file in UTF-16 as UTF-8.
pub(super) struct Utf16<R> {
    from: R,
    decoder: Decoder,
    input: Zeroizing<Vec<u8>>,
    begin: usize,
    end: usize,
    is_at_end: bool,
    /// The decoder has given its last letter. It panics if it is asked for more.
    is_finished: bool,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(from: R, encoding: &'static encoding_rs::Encoding) -> Self {
        let input = Zeroizing::new(vec![0; 64 * 1024]);
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { from, decoder, input, begin: 0, end: 0, is_at_end: false, is_finished: false }
    }
}

impl<R: Read> Read for Utf16<R> {
    /// The room must be for a few letters at least.
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while !self.is_finished {
            if self.begin == self.end && !self.is_at_end {
                self.begin = 0;
                self.end = self.from.read(&mut self.input)?;
                self.is_at_end = self.end == 0;
            }
            let input = self.input.get(self.begin..self.end).unwrap_or_default();
            let (result, read, written, _) = self.decoder.decode_to_utf8(input, to, self.is_at_end);
            self.begin = self.begin.saturating_add(read);
            self.is_finished = self.is_at_end && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("too little room for a letter"));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_known_with_and_without_a_mark() {
        let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (bytes, encoding) in [
            (little("\u{feff}Müller"), Encoding::Utf16(UTF_16LE)),
            (big("\u{feff}Müller"), Encoding::Utf16(UTF_16BE)),
            (little("name,drug\r\nJane Doe,warfarin"), Encoding::Utf16(UTF_16LE)),
            (big("name,drug\r\nJane Doe,warfarin"), Encoding::Utf16(UTF_16BE)),
            (b"name,drug\nM\xfcller,warfarin".to_vec(), Encoding::Ascii),
            (Vec::new(), Encoding::Ascii),
            (vec![0; 64], Encoding::Ascii),
        ] {
            assert_eq!(of(&bytes), encoding, "{bytes:?}");
        }
    }

    /// Half a letter, or half of a pair, is at the end of a file that was cut off.
    #[test]
    fn utf_16_that_was_cut_off_is_read_to_its_end() {
        for (end, is_cut) in [(&b""[..], false), (b"\x61", true), (b"\x3d\xd8", true), (b"\x3d\xd8\x00", true)] {
            let bytes = [&b"\xff\xfea\0"[..], end].concat();
            let mut text = String::new();
            Utf16::new(&bytes[..], UTF_16LE).read_to_string(&mut text).unwrap();
            assert_eq!((text.starts_with('a'), text.contains('\u{fffd}')), (true, is_cut), "{bytes:?}");
        }
    }

    #[test]
    fn utf_16_is_read_as_utf_8() {
        let text = "Zoë 😀\r\n".repeat(20_000);
        for (bytes, encoding) in [
            (text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), UTF_16LE),
            (text.encode_utf16().flat_map(u16::to_be_bytes).collect(), UTF_16BE),
        ] {
            let (mut reader, mut read, mut room) = (Utf16::new(&bytes[..], encoding), Vec::new(), [0; 100]);
            loop {
                match reader.read(&mut room).unwrap() {
                    0 => break,
                    len => read.extend_from_slice(&room[..len]),
                }
            }
            assert!(read == text.as_bytes());
        }
    }
}

//! Looks for many things in many blocks at once.

use std::collections::HashMap;

/// One thing to look for, cut into pieces, so that a block that was wiped in part only is found too.
pub struct Needle {
    what: String,
    pieces: Vec<Vec<u8>>,
}

impl Needle {
    pub fn text(what: &str, bytes: &[u8]) -> Self {
        Self { what: what.to_owned(), pieces: bytes.chunks_exact(12).map(<[u8]>::to_vec).collect() }
    }

    pub fn key(what: impl Into<String>, bytes: &[u8]) -> Self {
        Self { what: what.into(), pieces: bytes.chunks(16).map(<[u8]>::to_vec).collect() }
    }
}

/// Pieces by how they begin, so that each place is looked at once for all of them.
pub struct Index<'n> {
    /// Whether any begins with these two bytes.
    first: Vec<bool>,
    by_start: HashMap<[u8; 4], Vec<(&'n Needle, usize, &'n [u8])>>,
}

impl<'n> Index<'n> {
    pub fn of(needles: impl IntoIterator<Item = &'n Needle>) -> Self {
        let mut index = Self { first: vec![false; 1 << 16], by_start: HashMap::new() };
        for needle in needles {
            for (at, piece) in needle.pieces.iter().enumerate() {
                let start: [u8; 4] = piece[..4].try_into().unwrap();
                index.first[first_two(start)] = true;
                index.by_start.entry(start).or_default().push((needle, at, piece));
            }
        }
        index
    }

    /// What of it is in `blocks`. Only names are given, never a byte.
    pub fn hits<'b>(&self, blocks: impl IntoIterator<Item = &'b [u8]>) -> Vec<String> {
        let mut found = Vec::new();
        for block in blocks {
            for (at, start) in block.array_windows::<4>().enumerate() {
                if !self.first[first_two(*start)] {
                    continue;
                }
                for (needle, piece_at, piece) in self.by_start.get(start).into_iter().flatten() {
                    let what = format!("{}, piece {piece_at}, in a block of {} bytes", needle.what, block.len());
                    if block[at..].starts_with(piece) && !found.contains(&what) {
                        found.push(what);
                    }
                }
            }
        }
        found
    }
}

fn first_two([first, second, ..]: [u8; 4]) -> usize {
    usize::from(u16::from_be_bytes([first, second]))
}

//! A short text that is wiped on drop.

use crate::secret::wipe;

/// More than the longest point in time has.
const ROOM: usize = 48;

pub(crate) struct Short {
    bytes: [u8; ROOM],
    len: usize,
}

impl Short {
    /// The texts one after the other; `None` if they are longer than a point in time.
    pub(super) fn joined(texts: &[&str]) -> Option<Self> {
        let mut short = Self { bytes: [0; ROOM], len: 0 };
        for text in texts {
            let end = short.len.checked_add(text.len())?;
            short.bytes.get_mut(short.len..end)?.copy_from_slice(text.as_bytes());
            short.len = end;
        }
        Some(short)
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

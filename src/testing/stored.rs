//! Whether what was stored is sealed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::leaks::{check_canaries, contains};
use crate::aead::Letter;
use crate::token::Header;

/// Fails if one of `canaries` is readable in what was stored, or if no token is there.
///
/// `stored` is what a program wrote: a text or bytes in any format, or a `Path` of a file, such as an SQLite database, or of a folder. Of
/// an SQLite database the files with the names `-wal` and `-journal` are looked through too, since what was written last may be
/// there. A canary is found in each spelling that [`assert_no_plaintext`](super::assert_no_plaintext) finds, and in UTF-16.
/// What is compressed or encrypted as a whole shows neither tokens nor canaries, so this fails.
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(serde::Serialize)]
/// struct Refill { drug: Phi<String, phi::Drug> }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// let refill = Refill { drug: "warfarin 5 MG".to_owned().into() };
/// let stored = serde_json::to_string(&keys.record("refill", 1001)?.sealing(&refill))?;
/// rxseal::testing::assert_sealed(&stored, &["warfarin"]);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// If a canary is there, which is told by its number; if there is no token, because nothing was sealed then, or something else was looked
/// at; if the file cannot be read; if there is no canary or one is empty. The message shows nothing of what was stored.
#[track_caller]
pub fn assert_sealed<S: Stored + ?Sized>(stored: &S, canaries: &[&str]) {
    check_canaries(canaries);
    let (mut found, mut has_token) = (None, false);
    stored.each_piece(&mut |piece| {
        has_token = has_token || shows_a_token(piece);
        found = found.or_else(|| canaries.iter().position(|canary| is_readable(piece, canary)));
    });
    assert!(found.is_none(), "canary number {} is readable in what was stored", found.unwrap_or_default());
    assert!(
        has_token,
        "no token is in what was stored: nothing in it is sealed, or it is not what you meant to look at"
    );
}

/// What [`assert_sealed`] looks through: `str`, `String`, `[u8]`, `Vec<u8>`, and `Path` or `PathBuf` of a file or folder. Implement it for
/// a store of your own.
pub trait Stored {
    /// Calls `look` with each piece of what was stored.
    ///
    /// # Panics
    ///
    /// If something cannot be read: then nobody knows whether it is sealed.
    fn each_piece(&self, look: &mut dyn FnMut(&[u8]));
}

macro_rules! in_memory {
    ($($type:ty)*) => {$(
        impl Stored for $type {
            fn each_piece(&self, look: &mut dyn FnMut(&[u8])) {
                look(self.as_ref());
            }
        }
    )*};
}

in_memory!([u8] Vec<u8> str String);

impl<const N: usize> Stored for [u8; N] {
    fn each_piece(&self, look: &mut dyn FnMut(&[u8])) {
        look(self);
    }
}

impl Stored for PathBuf {
    fn each_piece(&self, look: &mut dyn FnMut(&[u8])) {
        self.as_path().each_piece(look);
    }
}

impl Stored for Path {
    fn each_piece(&self, look: &mut dyn FnMut(&[u8])) {
        let mut entries = vec![self.to_owned()];
        for suffix in ["-wal", "-journal"] {
            let mut beside = OsString::from(self);
            beside.push(suffix);
            entries.extend(Some(PathBuf::from(beside)).filter(|path| path.is_file()));
        }
        while let Some(entry) = entries.pop() {
            if entry.is_dir() {
                let inside = readable(&entry, fs::read_dir(&entry));
                entries.extend(
                    inside.into_iter().flatten().filter_map(|each| readable(&entry, each.map(|each| each.path()))),
                );
            } else if let Some(bytes) = readable(&entry, fs::read(&entry)) {
                look(&bytes);
            }
        }
    }
}

/// What was read, which is always there: a file that cannot be read may hold anything.
#[track_caller]
fn readable<T>(path: &Path, read: std::io::Result<T>) -> Option<T> {
    let kind = read.as_ref().err().map(std::io::Error::kind);
    assert!(kind.is_none(), "cannot read {}: {kind:?}", path.display());
    read.ok()
}

fn is_readable(piece: &[u8], canary: &str) -> bool {
    let wide = |bytes: fn(u16) -> [u8; 2]| canary.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    [canary.as_bytes(), &wide(u16::to_le_bytes), &wide(u16::to_be_bytes)].iter().any(|bytes| has(piece, bytes))
        || piece.utf8_chunks().any(|text| contains(text.valid(), canary))
}

fn has(piece: &[u8], bytes: &[u8]) -> bool {
    piece.windows(bytes.len()).any(|window| window == bytes)
}

/// Whether something begins like a token, as text or as bytes (FORMAT 6.1).
fn shows_a_token(piece: &[u8]) -> bool {
    let text = |window: &[u8]| {
        let letter = window.strip_prefix(Letter::TEXT_MAGIC.as_bytes()).and_then(<[u8]>::first);
        letter.copied().is_some_and(Letter::is_one)
    };
    piece.windows(4).any(|window| text(window) || Header::starts(window))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::Drug;
    use crate::testing::insecure_keyring;

    const CANARIES: [&str; 2] = ["Zoraida", "warfarin"];

    fn token() -> crate::Token {
        insecure_keyring("pharmacy-17").unwrap().unobserved().record("rx", 1).unwrap().seal::<Drug>("warfarin").unwrap()
    }

    /// Text in front of a token.
    fn beside(plain: &[u8]) -> Vec<u8> {
        [plain, &[0xFF, 0], token().as_bytes()].concat()
    }

    /// Whether it fails, and its message names nothing but a number.
    fn fails(stored: &(impl Stored + ?Sized)) -> bool {
        let checked = std::panic::AssertUnwindSafe(|| assert_sealed(stored, &CANARIES));
        std::panic::catch_unwind(checked).is_err_and(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .map_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned(), String::clone);
            assert!(!message.contains("warf"), "{message}");
            true
        })
    }

    #[test]
    fn tokens_pass_as_text_and_as_bytes() {
        let token = token();
        assert_sealed(token.as_bytes(), &CANARIES);
        assert_sealed(&token.to_string(), &CANARIES);
        assert_sealed(&format!("{{\"drug\":\"{token}\"}}"), &CANARIES);
        assert_sealed(&beside(b"rx 1001"), &CANARIES);
    }

    #[test]
    fn plaintext_in_any_spelling_fails() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        for plain in [
            b"warfarin".to_vec(),
            b"7761726661 72696e".to_vec(),
            b"[119,97,114,102,97,114,105,110]".to_vec(),
            b"d2FyZmFyaW4".to_vec(),
            br"\u0077arfarin".to_vec(),
            utf16("warfarin", u16::to_le_bytes),
            utf16("warfarin", u16::to_be_bytes),
        ] {
            assert!(fails(&beside(&plain)), "{plain:?}");
        }
        assert!(!fails(&beside(b"warfari")));
    }

    #[test]
    fn what_has_no_token_fails() {
        assert!(fails("") && fails("rx 1001") && fails(&b"rxs".to_vec()) && fails(&[0xAF, 0x1B]));
        assert!(std::panic::catch_unwind(|| assert_sealed("rxsX", &[])).is_err(), "no canary");
        assert!(std::panic::catch_unwind(|| assert_sealed("rxsX", &[""])).is_err(), "an empty canary");
    }

    #[test]
    fn files_and_folders_are_looked_through() {
        let folder = std::env::temp_dir().join(format!("rxseal-stored-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).unwrap();
        let file = folder.join("pharmacy.db");
        assert!(fails(&file), "not there");
        fs::write(&file, token().as_bytes()).unwrap();
        assert_sealed(&file, &CANARIES);
        assert_sealed(folder.as_path(), &CANARIES);
        fs::write(folder.join("pharmacy.db-wal"), "warfarin").unwrap();
        assert!(fails(&file), "in the log beside the database");
        fs::remove_file(folder.join("pharmacy.db-wal")).unwrap();
        fs::write(folder.join("inner/export.csv"), "Zoraida").unwrap();
        assert!(fails(&folder) && !fails(&file));
        fs::remove_dir_all(folder).unwrap();
    }
}

//! Keys of a map that JSON writes alike, such as `1` and `"1"`: a reader would take one of the two entries, or neither.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Hashes of the keys of one map so far, so that no copy of a key has to be wiped. Two different keys share a hash by
/// chance in one of 30 million maps of a million keys.
#[derive(Default)]
pub(super) struct Keys(HashSet<u64>);

impl Keys {
    /// Whether JSON writes `key` differently from the keys before it. Refuses a key that JSON cannot hold.
    pub(super) fn is_new<T: Serialize + ?Sized>(&mut self, key: &T) -> bool {
        let mut hashed = Hashed(self.0.hasher().build_hasher());
        serde_json::to_writer(&mut hashed, &Alone(key)).is_ok() && self.0.insert(hashed.0.finish())
    }
}

/// A map with one key: serde_json writes keys nowhere else.
struct Alone<'k, T: ?Sized>(&'k T);

impl<T: Serialize + ?Sized> Serialize for Alone<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &())?;
        map.end()
    }
}

struct Hashed<H>(H);

impl<H: Hasher> io::Write for Hashed<H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

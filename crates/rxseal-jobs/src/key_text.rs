//! The key of a row as one text: a JSON array of the texts of its columns, for the bounds of chunks and the rows of faults.

use rxseal::Error;

use crate::trouble::refused;

/// The texts of the columns as one text.
pub(crate) fn write<T: AsRef<str>>(texts: &[T]) -> String {
    texts.iter().map(AsRef::as_ref).collect::<serde_json::Value>().to_string()
}

/// The texts of `columns` columns.
///
/// # Errors
///
/// `job-refused` if it is another text: somebody wrote to the table of chunks.
pub(crate) fn read(text: &str, columns: usize) -> Result<Vec<String>, Error> {
    let texts: Option<Vec<String>> = serde_json::from_str(text).ok();
    texts
        .filter(|texts| texts.len() == columns)
        .ok_or_else(|| refused("a bound in rxseal_chunk is not one of the table's keys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back() {
        for texts in [vec!["1"], vec!["a\"b", "ä,]"], vec![""]] {
            assert_eq!(read(&write(&texts), texts.len()).unwrap(), texts);
        }
        for (text, columns) in [("", 1), ("[]", 1), ("[1]", 1), ("[\"a\"]", 2), ("{}", 0)] {
            assert_eq!(read(text, columns).unwrap_err().code().as_str(), "job-refused", "{text}");
        }
    }
}

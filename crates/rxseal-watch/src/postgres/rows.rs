//! The rows of lines: what the table says of a line besides its text.

use serde::Deserialize;

use crate::chain::{Head, split_line};
use crate::file_log::number_of;

/// Lines as the table has them, one list for each column.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) numbers: Vec<i64>,
    /// Each an array of PostgreSQL in its text form.
    pub(super) subjects: Vec<String>,
    pub(super) lines: Vec<String>,
    /// The head of the chain after them.
    pub(super) head: Option<Head>,
}

impl Rows {
    /// Of whole lines of one chain, as a file would have them. `None` if they are no lines.
    pub(super) fn of(lines: &[u8]) -> Option<Self> {
        let mut rows = Self::default();
        for line in str::from_utf8(lines).ok()?.lines() {
            let (hash, json) = split_line(line.as_bytes())?;
            let n = number_of(json)?;
            rows.numbers.push(i64::try_from(n).ok()?);
            rows.subjects.push(array(&subjects(json)));
            rows.lines.push(line.to_owned());
            rows.head = Some(Head { size: n.checked_add(1)?, hash });
        }
        Some(rows)
    }
}

/// FORMAT 16.7: the patients whose records a line says were opened, and one who was shredded. A record without a subject counts by its own id.
pub(super) fn subjects(json: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Patients {
        e: String,
        #[serde(default)]
        rec: Vec<(String, Option<String>)>,
        sub: Option<String>,
    }

    let Ok(Patients { e, rec, sub }) = serde_json::from_slice(json) else { return Vec::new() };
    let opened = rec.into_iter().filter(|_| e == "open").map(|(id, subject)| subject.unwrap_or(id));
    // A text of PostgreSQL has no zero.
    let mut subjects: Vec<_> = opened.chain(sub).filter(|subject| !subject.contains('\0')).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// An array of texts as PostgreSQL reads it.
fn array(elements: &[String]) -> String {
    let mut text = String::from("{");
    for (at, element) in elements.iter().enumerate() {
        text.push_str(if at == 0 { "\"" } else { ",\"" });
        for character in element.chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patients_of_a_line() {
        let of = |json: &str| subjects(json.as_bytes());
        let page = r#"{"n":1,"e":"open","rec":[["RX-2","pat-8"],["RX-1",null],["RX-3","pat-8"]],"out":"ok"}"#;
        assert_eq!(of(page), ["RX-1", "pat-8"]);
        assert_eq!(of(r#"{"n":1,"e":"seal_admin","what":"shredded","sub":"pat-8"}"#), ["pat-8"]);
        for none in [r#"{"n":1,"e":"index","rec":[["RX-2","pat-8"]]}"#, r#"{"n":1,"e":"stop"}"#, "junk"] {
            assert_eq!(of(none), [""; 0], "{none}");
        }
        assert_eq!(array(&[]), "{}");
        assert_eq!(array(&["a,b".to_owned(), "q\"\\".to_owned()]), r#"{"a,b","q\"\\"}"#);
    }

    #[test]
    fn rows_are_lines() {
        let line =
            |n: u64| format!("{} {{\"n\":{n},\"t\":1,\"m\":0,\"e\":\"stop\"}}\n", crate::chain::hash_text(&[7; 32]));
        let rows = Rows::of((line(4) + &line(5)).as_bytes()).unwrap();
        assert_eq!((rows.numbers, rows.subjects), (vec![4, 5], vec!["{}".to_owned(); 2]));
        assert_eq!(rows.head, Some(Head { size: 6, hash: [7; 32] }));
        assert!(Rows::of(b"junk\n").is_none());
        assert!(Rows::of(b"").unwrap().head.is_none());
    }
}

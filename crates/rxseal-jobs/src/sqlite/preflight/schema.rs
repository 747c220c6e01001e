//! The texts of the schema, as words. SQLite keeps what `CREATE` said, so what depends on a column names it there.

use rusqlite::{Connection, Result};

use crate::preflight::{Concern, ConcernKind, Preflight};

/// A row of `sqlite_schema`.
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) table: String,
    pub(super) sql: String,
}

impl Object {
    pub(super) fn is_virtual(&self) -> bool {
        matches!(&*words(&self.sql), [_, second, ..] if second.is_name("virtual"))
    }
}

/// All but SQLite's own.
pub(super) fn objects(db: &Connection) -> Result<Vec<Object>> {
    let mut query =
        db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
    let rows = query.query_map((), |row| {
        Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })
    })?;
    rows.collect()
}

/// A word of SQL. Comments and white space are skipped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A name or a keyword, without its quotes.
    Name(String),
    /// In single quotes.
    Text(String),
    Sign(char),
}

impl Word {
    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(word) if word.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(self, Self::Text(word) if word.eq_ignore_ascii_case(text))
    }

    pub(super) fn is_star(&self) -> bool {
        *self == Self::Sign('*')
    }
}

pub(super) fn words(sql: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            '\'' => words.push(Word::Text(quoted(&mut rest, '\''))),
            '"' | '`' => words.push(Word::Name(quoted(&mut rest, sign))),
            '[' => words.push(Word::Name(quoted(&mut rest, ']'))),
            '-' if rest.peek() == Some(&'-') => while rest.next().is_some_and(|sign| sign != '\n') {},
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                rest.next();
                for sign in rest.by_ref() {
                    if (before, sign) == ('*', '/') {
                        break;
                    }
                    before = sign;
                }
            }
            sign if is_of_name(sign) => {
                let mut name = String::from(sign);
                while let Some(sign) = rest.next_if(|sign| is_of_name(*sign)) {
                    name.push(sign);
                }
                words.push(Word::Name(name));
            }
            sign if sign.is_whitespace() => {}
            sign => words.push(Word::Sign(sign)),
        }
    }
    words
}

fn is_of_name(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '_' | '$') || !sign.is_ascii()
}

/// Up to the closing quote; two of them are one that is part of the name.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char) -> String {
    let mut inside = String::new();
    while let Some(sign) = rest.next() {
        if sign == end && (end == ']' || rest.next_if_eq(&end).is_none()) {
            break;
        }
        inside.push(sign);
    }
    inside
}

/// What a table's own definition computes or checks with the columns.
pub(super) fn definitions(text: &[Word], sealed: &[String], found: &mut Preflight) {
    for item in items(text) {
        let is_check = item.iter().any(|word| word.is_name("check"));
        let is_computed = item.windows(2).any(|pair| matches!(pair, [one, Word::Sign('(')] if one.is_name("as")));
        let Some(Word::Name(first)) = item.first() else { continue };
        for column in sealed {
            let own = usize::from(first.eq_ignore_ascii_case(column));
            let named = item.iter().filter(|word| word.is_name(column)).count();
            if named <= own {
                continue;
            }
            if is_computed && own == 0 {
                found.add(Concern::of(ConcernKind::Generated).object(first).column(column));
            } else if is_check && !is_ours(item) {
                found.add(Concern::of(ConcernKind::Check).column(column));
            }
        }
    }
}

/// A trigger that `rxseal ddl --gate` prints: all that it runs is an error.
pub(super) fn is_gate(name: &str, text: &[Word]) -> bool {
    let body = text.iter().rposition(|word| word.is_name("begin")).and_then(|at| text.get(at..)).unwrap_or_default();
    let [_, select, raise, _, abort, _, _, _, _, end] = body else { return false };
    let words = [(select, "select"), (raise, "raise"), (abort, "abort"), (end, "end")];
    name.starts_with("rxseal_") && words.iter().all(|(word, name)| word.is_name(name))
}

/// The check that `rxseal ddl` prints.
fn is_ours(item: &[Word]) -> bool {
    item.iter().any(|word| matches!(word, Word::Name(name) if name.starts_with("rxseal_")))
}

/// The definitions of columns and the constraints of `CREATE TABLE name (..)`.
fn items(text: &[Word]) -> Vec<&[Word]> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0_usize, 0_usize);
    for (at, word) in text.iter().enumerate() {
        let next = at.saturating_add(1);
        match word {
            Word::Sign('(') => {
                depth = depth.saturating_add(1);
                if depth == 1 {
                    begin = next;
                }
            }
            Word::Sign(sign @ (',' | ')')) => {
                if depth == 1 {
                    items.extend(text.get(begin..at));
                    begin = next;
                }
                if *sign == ')' {
                    depth = depth.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::{Word, definitions, words};
    use crate::preflight::Preflight;

    #[test]
    fn words_have_no_quotes_and_no_comments() {
        let found = words("SELECT \"a\"\"b\", [c d] -- x\n, `e` /* ' */ 'it''s'.f_1*");
        let name = |name: &str| Word::Name(name.to_owned());
        let expected = [
            name("SELECT"),
            name("a\"b"),
            Word::Sign(','),
            name("c d"),
            Word::Sign(','),
            name("e"),
            Word::Text("it's".to_owned()),
            Word::Sign('.'),
            name("f_1"),
            Word::Sign('*'),
        ];
        assert_eq!(found, expected);
        // Whatever the text is, it ends.
        for odd in ["'", "\"", "[", "/*", "--", "/* *", "a''"] {
            words(odd);
        }
    }

    #[test]
    fn only_what_names_the_column_is_found() {
        let sql = "CREATE TABLE rx (id INTEGER PRIMARY KEY, drug TEXT CHECK (length(drug) < 60), kind TEXT DEFAULT 'drug',
            upper AS (upper(\"drug\")), other AS (upper(kind)), sealed BLOB CONSTRAINT rxseal_rx_sealed CHECK (length(sealed) > 3),
            CONSTRAINT both CHECK (drug <> kind), UNIQUE (drug, id))";
        let mut found = Preflight::of("rx");
        definitions(&words(sql), &["drug".to_owned(), "sealed".to_owned()], &mut found);
        let found: Vec<_> =
            found.concerns().iter().map(|concern| (concern.kind().as_str(), concern.about_object())).collect();
        assert_eq!(found, [("check", None), ("generated", Some("upper"))]);
    }
}

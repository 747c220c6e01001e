//! Tables.

use crate::text::{Text, escaped};

/// Rows under column titles.
#[derive(Clone, Debug)]
pub struct Table<const N: usize> {
    titles: [String; N],
    is_numeric: [bool; N],
    rows: Vec<[Text; N]>,
}

impl<const N: usize> Table<N> {
    /// One without rows. The page of a table without rows should say so in a sentence instead: [`Page::nothing`](crate::Page::nothing).
    #[must_use]
    pub fn new<S: Into<String>>(titles: [S; N]) -> Self {
        Self { titles: titles.map(Into::into), is_numeric: [false; N], rows: Vec::new() }
    }

    /// The column at this place, from 0, has numbers.
    #[must_use]
    pub fn numeric(mut self, column: usize) -> Self {
        if let Some(is_numeric) = self.is_numeric.get_mut(column) {
            *is_numeric = true;
        }
        self
    }

    /// One more row.
    pub fn row(&mut self, cells: [Text; N]) {
        self.rows.push(cells);
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("<table><thead><tr>");
        for (title, is_numeric) in self.titles.iter().zip(self.is_numeric) {
            let class = if is_numeric { " class=\"n\"" } else { "" };
            for part in ["<th scope=\"col\"", class, ">", &escaped(title), "</th>"] {
                out.push_str(part);
            }
        }
        out.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (cell, is_numeric) in row.iter().zip(self.is_numeric) {
                let begin = if is_numeric { "<td class=\"n\">" } else { "<td>" };
                for part in [begin, cell.html(), "</td>"] {
                    out.push_str(part);
                }
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table>\n");
    }
}

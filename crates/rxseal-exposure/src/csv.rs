//! Rows of CSV (RFC 4180), as a spreadsheet reads them.

/// One row with its line end. A cell that a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let mut row = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            row.push(',');
        }
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if cell.contains([',', '"', '\n', '\r']) {
            row.push('"');
            row.push_str(guard);
            row.push_str(&cell.replace('"', "\"\""));
            row.push('"');
        } else {
            row.push_str(guard);
            row.push_str(cell);
        }
    }
    row.push_str("\r\n");
    row
}

//! Rows of CSV (RFC 4180), as a spreadsheet reads them.

/// One row of CSV with its line end. A cell that a spreadsheet would take for a formula begins with an apostrophe.
///
/// ```
/// assert_eq!(rxseal_exposure::csv_row(["pat-77", "=1+1", "a,b"]), "pat-77,'=1+1,\"a,b\"\r\n");
/// ```
#[must_use]
pub fn csv_row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
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

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_quoted_and_no_formula() {
        assert_eq!(super::csv_row(["a", "b c", "", "1,5", "say \"no\""]), "a,b c,,\"1,5\",\"say \"\"no\"\"\"\r\n");
        assert_eq!(super::csv_row(["=1+1", "-2", "@x", "+1,5"]), "'=1+1,'-2,'@x,\"'+1,5\"\r\n");
    }
}

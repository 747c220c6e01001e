//! How long a table of the page may be.

use rxseal_html::Page;

/// The most rows of one table. `evidence.json` has all.
pub(super) const MAX_ROWS: usize = 100;

/// Says how many rows a table leaves out.
pub(super) fn say_more(page: &mut Page, rows: usize) {
    if let Some(more) = rows.checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        page.small(format!("{more} more are in evidence.json."));
    }
}

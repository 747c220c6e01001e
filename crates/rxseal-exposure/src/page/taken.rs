//! What was taken, what it opens, and of how many patients.

use rxseal_html::{Page, Table, number};

use super::short::{ROWS, more, short};
use crate::model::Exposure;

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    page.heading("What was taken, and what it opens");
    if exposure.taken.is_empty() {
        page.nothing("Nothing was named as stolen, so this report says nothing about a theft.");
        return;
    }
    let mut table = Table::new(["Taken", "Opens", "Patients"]).numeric(2);
    for taken in exposure.taken.iter().take(ROWS) {
        let at_least = if taken.is_at_least { "at least " } else { "" };
        table.row([
            short(&taken.what).into(),
            short(&taken.opens).into(),
            format!("{at_least}{}", number(taken.patients)).into(),
        ]);
    }
    page.table(&table);
    if exposure.taken.len() > ROWS {
        page.small(format!("Not all is listed{}.", more(exposure.taken.len())));
    }
}

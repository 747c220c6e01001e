//! Who must be told if it is a breach, and by when.

use rxseal_html::{Page, Text, number};

use super::short::{listed, short};
use crate::Day;
use crate::jurisdiction::is_name;
use crate::model::Exposure;
use crate::words::{day, patients};

pub(super) fn write(exposure: &Exposure, page: &mut Page) {
    let by = day(exposure.deadline);
    page.heading("If it is a breach: who must be told, and by when");
    page.facts([
        ("Patients", Text::new(format!("without unreasonable delay, and at the latest {by} (164.404). letter.json is the draft, patients.csv says who."))),
        ("HHS", secretary(exposure, &by)),
        ("Media", media(exposure, &by)),
    ]);
}

/// 164.408: 500 or more patients.
fn secretary(exposure: &Exposure, by: &str) -> Text {
    let totals = &exposure.totals;
    // Rows of nobody in particular may all be of one patient.
    let of_nobody = exposure.doubts.iter().filter(|doubt| doubt.code == "row-unnamed").filter_map(|doubt| doubt.count);
    let clear = totals.clear.saturating_sub(of_nobody.fold(0, u64::saturating_add));
    let (least, most) = (totals.proven.max(clear), totals.at_most.saturating_add(totals.clear).min(totals.patients));
    let year: String = exposure.discovered.to_string().chars().take(4).collect();
    let yearly = format!("{year}-12-31").parse::<Day>().map_or_else(|_| year.clone(), |last| day(last.plus(60)));
    Text::new(if least >= 500 {
        format!("500 or more patients: at the latest {by} (164.408).")
    } else if most >= 500 || totals.is_patients_at_least {
        format!(
            "{} are certain, and more are not ruled out. With 500 or more: at the latest {by}. With fewer: at the latest {yearly} (164.408).",
            patients(least)
        )
    } else {
        format!("fewer than 500 patients: in the list of the year, at the latest {yearly} (164.408).")
    })
}

/// 164.406: more than 500 residents of a state.
fn media(exposure: &Exposure, by: &str) -> Text {
    let Some(states) = &exposure.states else {
        return Text::new("more than 500 in one state (164.406)? ")
            .to_write("to be written: no column says who lives where");
    };
    let is_said = |(state, _): &&(String, u64)| is_name(state);
    let nowhere =
        states.iter().filter(|of| !is_said(of)).fold(0_u64, |sum, (_, patients)| sum.saturating_add(*patients));
    let most = states.iter().filter(is_said).map(|(_, patients)| *patients).max().unwrap_or_default();
    let over: Vec<_> = states
        .iter()
        .filter(is_said)
        .filter(|(_, patients)| *patients > 500)
        .map(|(state, patients)| format!("{} ({})", short(state), number(*patients)))
        .collect();
    Text::new(if over.is_empty() && most.saturating_add(nowhere) > 500 {
        let unknown = number(nowhere);
        format!("more than 500 in one state? Of {unknown} patients the given column does not say the state (164.406).")
    } else if over.is_empty() && exposure.totals.is_patients_at_least {
        "no state is known to have more than 500 patients, but there may be more patients than are known (164.406)."
            .to_owned()
    } else if over.is_empty() {
        "no state has more than 500 patients, as the given column says (164.406).".to_owned()
    } else {
        format!("more than 500 patients in {}: at the latest {by} (164.406).", listed(&over))
    })
}

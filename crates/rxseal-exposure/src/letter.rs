//! `letter.json`: what a letter to a patient must say (45 CFR 164.404(c)), as far as the facts say it.

use serde_json::{Value, json};

use crate::model::{ClassPatients, Exposure};
use crate::state::State;
use crate::words::{is_possible, minute, words};

impl Exposure {
    /// The draft of a letter as JSON. What a person has to write is in members `to_write`.
    ///
    /// It has no id of a patient, and says of no patient which kinds of data are meant: `patients.csv` does.
    #[must_use]
    pub fn to_letter(&self) -> String {
        let totals = &self.totals;
        let stolen = self.timeline.as_ref().and_then(|timeline| timeline.stolen);
        let done: Vec<_> =
            self.mitigation.iter().map(|done| json!({ "at": minute(done.at), "what": done.what })).collect();
        let letter = json!({
            "rxseal_letter": 1,
            "report": self.name,
            "law": "45 CFR 164.404(c)",
            "last_day": self.deadline,
            "patients": { "proven": totals.proven, "at_most": totals.at_most, "readable_columns": totals.clear },
            "what_happened": {
                "from": stolen.map(|(from, _)| minute(from)),
                "to": stolen.map(|(_, to)| minute(to)),
                "discovered": self.discovered,
                "to_write": "what happened, in a few sentences",
            },
            "kinds_of_data": self.classes.iter().filter_map(kind).collect::<Vec<_>>(),
            "what_you_can_do": { "to_write": "steps that the patient should take against harm" },
            "what_we_do": { "done": done, "to_write": "what is done to investigate, to limit the harm, and against another theft" },
            "contact": { "to_write": "a toll-free number, an e-mail address, a web site, or a postal address" },
        });
        format!("{letter:#}\n")
    }
}

/// Nothing for a kind that no patient's letter has to name.
fn kind(class: &ClassPatients) -> Option<Value> {
    let (proven, possible) = (class.count(State::is_proven), class.count(is_possible));
    let is_named = proven.saturating_add(possible) > 0 && !(class.is_clear && class.class == "none");
    is_named.then(|| {
        json!({
            "class": class.class, "is_readable_column": class.is_clear, "words": words(class).letter,
            "patients_proven": proven, "patients_not_ruled_out": possible,
        })
    })
}

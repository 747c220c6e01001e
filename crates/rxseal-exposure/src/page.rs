//! The page of a report: one HTML file, from the sentence that everybody reads down to what it rests on.

mod factors;
mod first;
mod kinds;
mod short;
mod sure;
mod taken;
mod told;
mod when;

use rxseal_html::Page;

use self::short::brief;
use crate::model::Exposure;
use crate::words::minute;

impl Exposure {
    /// The report as one HTML page for screen and paper, without a script and without a part from elsewhere.
    ///
    /// It has no id of a patient. Lists are cut where a page would grow without bound, and say so: `exposure.json` has all of them.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = Page::new(&format!("Exposure report {}", brief(&self.name)), &self.about());
        first::write(self, &mut page);
        kinds::write(self, &mut page);
        when::write(self, &mut page);
        taken::write(self, &mut page);
        factors::write(self, &mut page);
        told::write(self, &mut page);
        sure::write(self, &mut page);
        page.small(
            "This page states facts for a decision. Whether this is a breach is for the covered entity to determine. Times are in UTC.",
        );
        page.into_html()
    }

    /// Of what, when and by whom it was made.
    fn about(&self) -> String {
        let of = match self.keyspaces.as_slice() {
            [] => "no keyspace".to_owned(),
            [one] => format!("keyspace {}", brief(one)),
            [first, others @ ..] => format!("keyspace {} and {} more", brief(first), others.len()),
        };
        let by = self.by.as_ref().map_or_else(String::new, |by| format!(" by {}", brief(by)));
        format!("{of}, made {}{by} with {}", minute(self.made), brief(&self.tool))
    }
}

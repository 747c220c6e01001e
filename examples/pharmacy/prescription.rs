//! A prescription. This is the part to copy: the derive makes `SealedPrescription`, which is what the database has.

use rxseal::{Phi, PhiRecord, RecordTag, Wipe, phi};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    /// The ids of the prescription and the patient in the system that they came from.
    pub SourceIds = "pharmacy.source-ids" in Identity { block: 128 };
}

/// A prescription as the program works with it.
///
/// `record` is bound into every token and never changes: it is not the name of the table, which may change. `plaintext`
/// lets `expose_plaintext` write the struct for an authorised client. Everywhere else it can be neither written nor read,
/// so it never gets into a log line or a cache in clear.
#[derive(PhiRecord)]
#[phi(record = "prescription", plaintext)]
pub struct Prescription {
    /// Random, and made before the row exists: it is bound into the tokens, and says nothing about anybody.
    #[phi(id)]
    pub id: String,
    /// Our own number for the patient. It is readable, so that a patient's prescriptions can be found, and therefore
    /// random: the id in other systems is often the medical record number. `bind` puts it under the tag, so nobody gives
    /// the row to another patient.
    #[phi(clear, bind = "rx.patient")]
    pub patient: String,
    /// The year in which it was written. It is readable, for reports. A date is de-identified only if no more than the
    /// year is left (45 CFR 164.514(b)(2)(i)(C)).
    #[phi(clear, bind = "rx.authored")]
    pub authored: String,

    // `Phi` is wiped on drop, and every use of the value says `expose_phi`. Use it when in doubt.
    #[phi(seal)]
    pub patient_name: Phi<String, phi::PatientName>,
    #[phi(seal)]
    pub birth_date: Phi<String, phi::BirthDate>,
    #[phi(seal)]
    pub drug: Phi<String, phi::Drug>,
    // An ordinary type, for code that must have one. `None` stays a null in the table, so everybody sees that there are
    // no directions. `seal = phi::Directions` would hide that too.
    #[phi(seal = Option<phi::Directions>)]
    pub directions: Option<String>,
    #[phi(seal)]
    pub prescriber: Phi<String, phi::PrescriberName>,
    // Other types than text can be sealed: this one is a struct.
    #[phi(seal)]
    pub source: Phi<Source, SourceIds>,
    /// Holds the fields together: none can be exchanged for an older one or taken away.
    #[phi(record_tag)]
    pub tag: RecordTag,
}

/// A patient, once for all prescriptions, to be found by. A search column belongs here: among the prescriptions, it would show how many
/// each patient has.
#[derive(PhiRecord)]
#[phi(record = "patient")]
pub struct Patient {
    #[phi(id)]
    pub id: String,
    /// The row has a column `born_on` too.
    #[phi(seal, index = BornOn)]
    pub birth_date: Phi<String, phi::BirthDate>,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        /// 8 bits, the fewest: for up to 8,000 patients. Some strangers share each value.
        pub BornOn = "patient.born": date(birth_date: phi::BirthDate), bits 8;
    }
}

/// Where a prescription came from.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Wipe)]
pub struct Source {
    pub patient: String,
    pub request: String,
}

impl Prescription {
    /// All that it says. The id and the tag are the row's.
    pub fn content(&self) -> impl Eq + std::hash::Hash {
        (
            [&self.patient, &self.authored, self.patient_name.expose_phi(), self.birth_date.expose_phi()],
            [self.drug.expose_phi(), self.prescriber.expose_phi()],
            &self.directions,
            self.source.expose_phi(),
        )
    }

    /// Every text in it that must not appear in a file.
    pub fn for_each_secret(&self, mut visit: impl FnMut(&'static str, &str)) {
        visit("patient name", self.patient_name.expose_phi());
        visit("birth date", self.birth_date.expose_phi());
        visit("drug", self.drug.expose_phi());
        visit("directions", self.directions.as_deref().unwrap_or_default());
        visit("prescriber", self.prescriber.expose_phi());
        visit("record number", &self.source.expose_phi().patient);
        visit("request number", &self.source.expose_phi().request);
    }
}

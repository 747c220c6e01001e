//! Ready-made field markers for the data that pharmacies hold.
//!
//! Their ids begin with `phi.` and never change. Fields that you declare with [`fields!`](crate::fields) must have other ids, and can
//! have other blocks. A block is the padding in bytes. The blocks here were chosen from real texts, so that most values of a field
//! get the same length: of 45 distinct drug texts, 93 % fit in 64 bytes and 31 % in 32.
//!
//! | marker | id | class | block | identifier of 45 CFR 164.514(b)(2)(i), or what it is |
//! |---|---|---|---|---|
//! | [`PatientName`] | `phi.patient.name` | identity | 32 | (A) names |
//! | [`BirthDate`] | `phi.patient.birth-date` | identity | 16 | (C) dates |
//! | [`Mrn`] | `phi.patient.mrn` | identity | 32 | (H) medical record numbers |
//! | [`Ssn`] | `phi.patient.ssn` | identity | 16 | (G) social security numbers |
//! | [`License`] | `phi.patient.license` | identity | 32 | (K) certificate and license numbers |
//! | [`Photo`] | `phi.patient.photo` | identity | 4096 | (Q) full-face photographs |
//! | [`Phone`] | `phi.contact.phone` | contact | 32 | (D) telephone numbers, (E) fax numbers |
//! | [`Email`] | `phi.contact.email` | contact | 64 | (F) email addresses |
//! | [`Address`] | `phi.contact.address` | contact | 128 | (B) geographic subdivisions |
//! | [`Drug`] | `phi.rx.drug` | medication | 64 | health information |
//! | [`Ndc`] | `phi.rx.ndc` | medication | 16 | health information |
//! | [`Strength`] | `phi.rx.strength` | medication | 32 | health information |
//! | [`Directions`] | `phi.rx.directions` | medication | 128 | health information |
//! | [`Quantity`] | `phi.rx.quantity` | medication | 16 | health information |
//! | [`DaysSupply`] | `phi.rx.days-supply` | medication | 16 | health information |
//! | [`FillDate`] | `phi.rx.fill-date` | medication | 32 | (C) dates |
//! | [`PrescriberName`] | `phi.prescriber.name` | prescriber | 32 | links to a treatment |
//! | [`Npi`] | `phi.prescriber.npi` | prescriber | 16 | links to a treatment |
//! | [`DeaNumber`] | `phi.prescriber.dea` | prescriber | 16 | links to a treatment |
//! | [`Diagnosis`] | `phi.clinical.diagnosis` | clinical | 64 | health information |
//! | [`Allergy`] | `phi.clinical.allergy` | clinical | 64 | health information |
//! | [`Note`] | `phi.clinical.note` | clinical | 256 | health information |
//! | [`Scan`] | `phi.clinical.scan` | clinical | 4096 | health information |
//! | [`Plan`] | `phi.coverage.plan` | coverage | 64 | payment information |
//! | [`MemberId`] | `phi.coverage.member` | coverage | 32 | (I) health plan beneficiary numbers |
//! | [`GroupNumber`] | `phi.coverage.group` | coverage | 32 | (I) health plan beneficiary numbers |
//! | [`Account`] | `phi.coverage.account` | coverage | 32 | (J) account numbers |

crate::fields! { @vocabulary
    /// A patient's name.
    pub PatientName = "phi.patient.name" in Identity;
    /// A date of birth.
    pub BirthDate = "phi.patient.birth-date" in Identity { block: 16 };
    /// A medical record number.
    pub Mrn = "phi.patient.mrn" in Identity;
    /// A social security number.
    pub Ssn = "phi.patient.ssn" in Identity { block: 16 };
    /// A driver's license, passport or certificate number.
    pub License = "phi.patient.license" in Identity;
    /// A photograph of the patient: bytes, as for [`Scan`].
    pub Photo = "phi.patient.photo" in Identity { block: 4096 };
    /// A telephone or fax number.
    pub Phone = "phi.contact.phone" in Contact;
    /// An email address.
    pub Email = "phi.contact.email" in Contact { block: 64 };
    /// A postal address.
    pub Address = "phi.contact.address" in Contact { block: 128 };
    /// A drug, with its strength and form if they are in the same text.
    pub Drug = "phi.rx.drug" in Medication { block: 64 };
    /// A national drug code.
    pub Ndc = "phi.rx.ndc" in Medication { block: 16 };
    /// A strength that is stored by itself.
    pub Strength = "phi.rx.strength" in Medication;
    /// How the drug is taken (the sig).
    pub Directions = "phi.rx.directions" in Medication { block: 128 };
    /// A quantity dispensed.
    pub Quantity = "phi.rx.quantity" in Medication { block: 16 };
    /// How many days a fill lasts.
    pub DaysSupply = "phi.rx.days-supply" in Medication { block: 16 };
    /// When a prescription was filled.
    pub FillDate = "phi.rx.fill-date" in Medication;
    /// A prescriber's name.
    pub PrescriberName = "phi.prescriber.name" in Prescriber;
    /// A national provider identifier.
    pub Npi = "phi.prescriber.npi" in Prescriber { block: 16 };
    /// A DEA registration number.
    pub DeaNumber = "phi.prescriber.dea" in Prescriber { block: 16 };
    /// A diagnosis, as code or text.
    pub Diagnosis = "phi.clinical.diagnosis" in Clinical { block: 64 };
    /// An allergy or intolerance.
    pub Allergy = "phi.clinical.allergy" in Clinical { block: 64 };
    /// A note in free text.
    pub Note = "phi.clinical.note" in Clinical { block: 256 };
    /// A scanned document. Use the bytes of `serde_bytes`: to serde a plain `Vec<u8>` is a list of numbers, four times as long.
    pub Scan = "phi.clinical.scan" in Clinical { block: 4096 };
    /// A health plan.
    pub Plan = "phi.coverage.plan" in Coverage { block: 64 };
    /// A member or beneficiary number.
    pub MemberId = "phi.coverage.member" in Coverage;
    /// A group number.
    pub GroupNumber = "phi.coverage.group" in Coverage;
    /// An account or card number.
    pub Account = "phi.coverage.account" in Coverage;
}

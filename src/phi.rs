//! Ready-made field markers for the data that pharmacies hold.
//!
//! Their ids begin with `phi.` and never change. Fields that you declare with [`fields!`](crate::fields) must have other ids, and can
//! have other blocks. A block is the padding in bytes. The blocks here were chosen from real texts, so that most values of a field
//! get the same length: of 45 distinct drug texts, 93 % fit in 64 bytes and 31 % in 32.
//!
//! | marker | id | class | block | identifier of 45 CFR 164.514(b)(2)(i), or what it is |
//! |---|---|---|---|---|
//! | [`PatientName`] | `phi.patient.name` | identity | 32 | (A) names |
//! | [`FamilyName`] | `phi.patient.family-name` | identity | 32 | (A) names |
//! | [`GivenName`] | `phi.patient.given-name` | identity | 32 | (A) names |
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
//!
//! # In which indexes they may be
//!
//! [`Field::SEARCH`](crate::Field::SEARCH) of each, and why. Whoever steals a table sees how often each
//! [index value](crate::index::IndexValue) occurs, and compares that with what is common. So a field with few values, or with some that
//! are far more common than others, has no index of its own. A program that must search by it nevertheless declares a field of its own.
//!
//! | marker | in an index | because |
//! |---|---|---|
//! | [`PatientName`] | whole | names, if the index has slots; better is one field for the family name and one for the given names |
//! | [`FamilyName`] | whole | if the index has slots: without them 61 % of the people with a common name are found |
//! | [`GivenName`] | whole | if the index has slots |
//! | [`BirthDate`] | whole | 36,865 days, nearly equally common |
//! | [`Mrn`] | whole | one for each patient |
//! | [`Ssn`] | whole | one for each patient |
//! | [`License`] | whole | one for each patient |
//! | [`Photo`] | never | an image: two of one face differ |
//! | [`Phone`] | whole | hardly two patients have one |
//! | [`Email`] | whole | hardly two patients have one |
//! | [`Address`] | compound only | written in many ways, and a hospital or a home is the address of hundreds |
//! | [`Drug`] | compound only | 1,800 lines, of which the commonest is 2.7 % of all: over half of the rows are found |
//! | [`Ndc`] | compound only | as a drug |
//! | [`Strength`] | compound only | a few hundred, and it names the drug |
//! | [`Directions`] | never | free text |
//! | [`Quantity`] | compound only | mostly 30 or 90 |
//! | [`DaysSupply`] | compound only | mostly 30 or 90 |
//! | [`FillDate`] | compound only | few days, and a row's place in the table tells nearly which |
//! | [`PrescriberName`] | whole | in a table of prescribers, if the index has slots; prescriptions have the prescriber's id |
//! | [`Npi`] | whole | in a table of prescribers: one for each. On prescriptions a busy prescriber is found by counting |
//! | [`DeaNumber`] | whole | as an NPI |
//! | [`Diagnosis`] | compound only | some are far more common than others |
//! | [`Allergy`] | compound only | some are far more common than others |
//! | [`Note`] | never | free text |
//! | [`Scan`] | never | an image |
//! | [`Plan`] | compound only | a few hundred, of which some have most patients |
//! | [`MemberId`] | whole | one for each member |
//! | [`GroupNumber`] | compound only | one for each employer, and large employers are known |
//! | [`Account`] | whole | hardly two patients have one |

crate::fields! { @vocabulary
    /// A patient's name.
    pub PatientName = "phi.patient.name" in Identity { search: whole };
    /// A patient's family name, alone: what `family` of rxseal-search indexes.
    pub FamilyName = "phi.patient.family-name" in Identity { search: whole };
    /// A patient's given names, alone: what `given` of rxseal-search indexes.
    pub GivenName = "phi.patient.given-name" in Identity { search: whole };
    /// A date of birth.
    pub BirthDate = "phi.patient.birth-date" in Identity { block: 16, search: whole };
    /// A medical record number.
    pub Mrn = "phi.patient.mrn" in Identity { search: whole };
    /// A social security number.
    pub Ssn = "phi.patient.ssn" in Identity { block: 16, search: whole };
    /// A driver's license, passport or certificate number.
    pub License = "phi.patient.license" in Identity { search: whole };
    /// A photograph of the patient: bytes, as for [`Scan`].
    pub Photo = "phi.patient.photo" in Identity { block: 4096, search: never };
    /// A telephone or fax number.
    pub Phone = "phi.contact.phone" in Contact { search: whole };
    /// An email address.
    pub Email = "phi.contact.email" in Contact { block: 64, search: whole };
    /// A postal address.
    pub Address = "phi.contact.address" in Contact { block: 128 };
    /// A drug, with its strength and form if they are in the same text.
    pub Drug = "phi.rx.drug" in Medication { block: 64 };
    /// A national drug code.
    pub Ndc = "phi.rx.ndc" in Medication { block: 16 };
    /// A strength that is stored by itself.
    pub Strength = "phi.rx.strength" in Medication;
    /// How the drug is taken (the sig).
    pub Directions = "phi.rx.directions" in Medication { block: 128, search: never };
    /// A quantity dispensed.
    pub Quantity = "phi.rx.quantity" in Medication { block: 16 };
    /// How many days a fill lasts.
    pub DaysSupply = "phi.rx.days-supply" in Medication { block: 16 };
    /// When a prescription was filled.
    pub FillDate = "phi.rx.fill-date" in Medication;
    /// A prescriber's name.
    pub PrescriberName = "phi.prescriber.name" in Prescriber { search: whole };
    /// A national provider identifier.
    pub Npi = "phi.prescriber.npi" in Prescriber { block: 16, search: whole };
    /// A DEA registration number.
    pub DeaNumber = "phi.prescriber.dea" in Prescriber { block: 16, search: whole };
    /// A diagnosis, as code or text.
    pub Diagnosis = "phi.clinical.diagnosis" in Clinical { block: 64 };
    /// An allergy or intolerance.
    pub Allergy = "phi.clinical.allergy" in Clinical { block: 64 };
    /// A note in free text.
    pub Note = "phi.clinical.note" in Clinical { block: 256, search: never };
    /// A scanned document. Use the bytes of `serde_bytes`: to serde a plain `Vec<u8>` is a list of numbers, four times as long.
    pub Scan = "phi.clinical.scan" in Clinical { block: 4096, search: never };
    /// A health plan.
    pub Plan = "phi.coverage.plan" in Coverage { block: 64 };
    /// A member or beneficiary number.
    pub MemberId = "phi.coverage.member" in Coverage { search: whole };
    /// A group number.
    pub GroupNumber = "phi.coverage.group" in Coverage;
    /// An account or card number.
    pub Account = "phi.coverage.account" in Coverage { search: whole };
}

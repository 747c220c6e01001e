//! What `#[derive(PhiRecord)]` generates, written by hand, and the calls that take it.

mod calls;
mod one_field;
mod refusals;
mod wire;

use std::collections::BTreeMap;

use rxseal::phi::{Allergy, Diagnosis, Directions, PatientName, PrescriberName, Quantity};
use rxseal::records::{
    AsRecordId, HasField, Own, PartsTwin, PhiFields, PhiPart, PhiParts, SealedFields, SealedPart, Twin, TwinOf,
    WholeRecord,
};
use rxseal::testing::insecure_keyring;
use rxseal::{Access, Each, Error, Identifier, Keyring, Parts, Phi, PhiRecord, Purpose, SealedRecord};
use serde::{Deserialize, Serialize};

rxseal::fields! {
    pub Street = "address.street" in Contact;
    pub LineDrug = "line.drug" in Medication;
    pub LineNote = "line.note" in Clinical;
}

/// `#[derive(PhiRecord)] #[phi(record = "prescription", derive(Debug, PartialEq, Serialize, Deserialize))]`
pub struct Prescription {
    /// `#[phi(id)]`
    pub rx_number: u64,
    /// `#[phi(subject)]`
    pub patient: Option<String>,
    /// `#[phi(seal = PatientName)]`
    pub patient_name: String,
    /// `#[phi(seal = Option<Directions>)]`
    pub directions: Option<String>,
    /// `#[phi(seal = Allergy)]`
    pub allergies: Vec<String>,
    /// `#[phi(seal = Each<Diagnosis>)]`
    pub diagnoses: Vec<String>,
    /// `#[phi(seal = Parts<Quantity>)]`
    pub quantities: BTreeMap<u32, u64>,
    /// `#[phi(seal)]`
    pub prescriber: Phi<String, PrescriberName>,
    /// `#[phi(clear)]`
    pub refills: u8,
    /// `#[phi(part = "line")]`
    pub lines: Vec<Line>,
    /// `#[phi(nested)]`
    pub address: Address,
}

/// `#[derive(PhiRecord)] #[phi(part, derive(..))]`
pub struct Line {
    /// `#[phi(id)]`
    pub line_no: u32,
    /// `#[phi(seal = LineDrug)]`
    pub drug: String,
    /// `#[phi(seal = Option<LineNote>)]`
    pub note: Option<String>,
    /// `#[phi(clear)]`
    pub dose_mg: u32,
}

/// `#[derive(PhiRecord)] #[phi(nested, derive(..))]`
pub struct Address {
    /// `#[phi(seal = Street)]`
    pub street: String,
    /// `#[phi(clear)]`
    pub city: String,
}

// From here on it is generated.

/// [`Prescription`] with its sealed fields as tokens: the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedPrescription {
    pub rx_number: u64,
    pub patient: Option<String>,
    pub patient_name: Twin<String, PatientName>,
    pub directions: Twin<Option<String>, Option<Directions>>,
    pub allergies: Twin<Vec<String>, Allergy>,
    pub diagnoses: Twin<Vec<String>, Each<Diagnosis>>,
    pub quantities: Twin<BTreeMap<u32, u64>, Parts<Quantity>>,
    pub prescriber: Twin<Phi<String, PrescriberName>, Own>,
    pub refills: u8,
    pub lines: PartsTwin<Vec<Line>>,
    pub address: <Address as PhiFields>::Sealed,
}

const _: () = rxseal::__private::assert_unique(&<Prescription as PhiFields>::FIELDS);

impl PhiFields for Prescription {
    type Sealed = SealedPrescription;

    const FIELDS: rxseal::__private::FieldIds = rxseal::__private::FieldIds {
        own: &[
            rxseal::__private::declaration::<<PatientName as TwinOf<String>>::Field>(),
            rxseal::__private::declaration::<<Option<Directions> as TwinOf<Option<String>>>::Field>(),
            rxseal::__private::declaration::<<Allergy as TwinOf<Vec<String>>>::Field>(),
            rxseal::__private::declaration::<<Each<Diagnosis> as TwinOf<Vec<String>>>::Field>(),
            rxseal::__private::declaration::<<Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::Field>(),
            rxseal::__private::declaration::<<Own as TwinOf<Phi<String, PrescriberName>>>::Field>(),
        ],
        nested: &[&<Address as PhiFields>::FIELDS],
        ..rxseal::__private::FieldIds::NONE
    };

    // Sealed fields, parts and nested structs; clear fields have no contexts.
    fn contexts(&self) -> usize {
        rxseal::__private::sum(&[
            <PatientName as TwinOf<String>>::contexts(&self.patient_name),
            <Option<Directions> as TwinOf<Option<String>>>::contexts(&self.directions),
            <Allergy as TwinOf<Vec<String>>>::contexts(&self.allergies),
            <Each<Diagnosis> as TwinOf<Vec<String>>>::contexts(&self.diagnoses),
            <Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::contexts(&self.quantities),
            <Own as TwinOf<Phi<String, PrescriberName>>>::contexts(&self.prescriber),
            <Vec<Line> as PhiParts>::contexts(&self.lines),
            <Address as PhiFields>::contexts(&self.address),
        ])
    }

    fn seal_fields(&self, sealer: &mut rxseal::__private::RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        Ok(SealedPrescription {
            rx_number: Clone::clone(&self.rx_number),
            patient: Clone::clone(&self.patient),
            patient_name: <PatientName as TwinOf<String>>::seal_twin(&self.patient_name, sealer)?,
            directions: <Option<Directions> as TwinOf<Option<String>>>::seal_twin(&self.directions, sealer)?,
            allergies: <Allergy as TwinOf<Vec<String>>>::seal_twin(&self.allergies, sealer)?,
            diagnoses: <Each<Diagnosis> as TwinOf<Vec<String>>>::seal_twin(&self.diagnoses, sealer)?,
            quantities: <Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::seal_twin(&self.quantities, sealer)?,
            prescriber: <Own as TwinOf<Phi<String, PrescriberName>>>::seal_twin(&self.prescriber, sealer)?,
            refills: Clone::clone(&self.refills),
            lines: <Vec<Line> as PhiParts>::seal_parts(&self.lines, "line", sealer)?,
            address: <Address as PhiFields>::seal_fields(&self.address, sealer)?,
        })
    }
}

impl SealedFields for SealedPrescription {
    type Open = Prescription;

    fn open_fields(&self, opener: &mut rxseal::__private::RecordOpener<'_>) -> Result<Self::Open, Error> {
        Ok(Prescription {
            rx_number: Clone::clone(&self.rx_number),
            patient: Clone::clone(&self.patient),
            patient_name: <PatientName as TwinOf<String>>::open_twin(&self.patient_name, opener)?,
            directions: <Option<Directions> as TwinOf<Option<String>>>::open_twin(&self.directions, opener)?,
            allergies: <Allergy as TwinOf<Vec<String>>>::open_twin(&self.allergies, opener)?,
            diagnoses: <Each<Diagnosis> as TwinOf<Vec<String>>>::open_twin(&self.diagnoses, opener)?,
            quantities: <Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::open_twin(&self.quantities, opener)?,
            prescriber: <Own as TwinOf<Phi<String, PrescriberName>>>::open_twin(&self.prescriber, opener)?,
            refills: Clone::clone(&self.refills),
            lines: <Vec<Line> as PhiParts>::open_parts(&self.lines, "line", opener)?,
            address: SealedFields::open_fields(&self.address, opener)?,
        })
    }

    fn visit_tokens(&self, visit: &mut impl rxseal::__private::TokenVisit) -> Result<(), Error> {
        <PatientName as TwinOf<String>>::visit_twin(&self.patient_name, visit)?;
        <Option<Directions> as TwinOf<Option<String>>>::visit_twin(&self.directions, visit)?;
        <Allergy as TwinOf<Vec<String>>>::visit_twin(&self.allergies, visit)?;
        <Each<Diagnosis> as TwinOf<Vec<String>>>::visit_twin(&self.diagnoses, visit)?;
        <Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::visit_twin(&self.quantities, visit)?;
        <Own as TwinOf<Phi<String, PrescriberName>>>::visit_twin(&self.prescriber, visit)?;
        <Vec<Line> as PhiParts>::visit_parts(&self.lines, "line", visit)?;
        SealedFields::visit_tokens(&self.address, visit)?;
        Ok(())
    }

    fn change_tokens(&mut self, change: &mut impl rxseal::__private::TokenChange) -> Result<(), Error> {
        <PatientName as TwinOf<String>>::change_twin(&mut self.patient_name, change)?;
        <Option<Directions> as TwinOf<Option<String>>>::change_twin(&mut self.directions, change)?;
        <Allergy as TwinOf<Vec<String>>>::change_twin(&mut self.allergies, change)?;
        <Each<Diagnosis> as TwinOf<Vec<String>>>::change_twin(&mut self.diagnoses, change)?;
        <Parts<Quantity> as TwinOf<BTreeMap<u32, u64>>>::change_twin(&mut self.quantities, change)?;
        <Own as TwinOf<Phi<String, PrescriberName>>>::change_twin(&mut self.prescriber, change)?;
        <Vec<Line> as PhiParts>::change_parts(&mut self.lines, "line", change)?;
        SealedFields::change_tokens(&mut self.address, change)?;
        Ok(())
    }
}

impl PhiRecord for Prescription {
    fn record_ids(&self) -> Result<rxseal::__private::RecordIds<'_>, Error> {
        // Several ids: `RecordIds::joined(&[self.a.as_record_id(), self.b.as_record_id()])?`.
        Ok(rxseal::__private::RecordIds::new(&self.rx_number).subject(&self.patient))
    }
}

impl SealedRecord for SealedPrescription {
    const RECORD_TYPE: &'static str = "prescription";

    fn record_ids(&self) -> Result<rxseal::__private::RecordIds<'_>, Error> {
        Ok(rxseal::__private::RecordIds::new(&self.rx_number).subject(&self.patient))
    }
}

// Not of a struct that says `projection`.
impl WholeRecord for SealedPrescription {}

// One for each sealed field of the struct itself.
impl HasField<<Option<Directions> as TwinOf<Option<String>>>::Field> for SealedPrescription {
    type Value = Option<String>;
    type Marker = Option<Directions>;
    type Index = ();

    fn twin_mut(&mut self) -> &mut Twin<Option<String>, Option<Directions>> {
        &mut self.directions
    }
}

/// [`Line`] with its sealed fields as tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedLine {
    pub line_no: u32,
    pub drug: Twin<String, LineDrug>,
    pub note: Twin<Option<String>, Option<LineNote>>,
    pub dose_mg: u32,
}

const _: () = rxseal::__private::assert_unique(&<Line as PhiFields>::FIELDS);

impl PhiFields for Line {
    type Sealed = SealedLine;

    const FIELDS: rxseal::__private::FieldIds = rxseal::__private::FieldIds {
        own: &[
            rxseal::__private::declaration::<<LineDrug as TwinOf<String>>::Field>(),
            rxseal::__private::declaration::<<Option<LineNote> as TwinOf<Option<String>>>::Field>(),
        ],
        ..rxseal::__private::FieldIds::NONE
    };

    fn seal_fields(&self, sealer: &mut rxseal::__private::RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        Ok(SealedLine {
            line_no: Clone::clone(&self.line_no),
            drug: <LineDrug as TwinOf<String>>::seal_twin(&self.drug, sealer)?,
            note: <Option<LineNote> as TwinOf<Option<String>>>::seal_twin(&self.note, sealer)?,
            dose_mg: Clone::clone(&self.dose_mg),
        })
    }
}

impl SealedFields for SealedLine {
    type Open = Line;

    fn open_fields(&self, opener: &mut rxseal::__private::RecordOpener<'_>) -> Result<Self::Open, Error> {
        Ok(Line {
            line_no: Clone::clone(&self.line_no),
            drug: <LineDrug as TwinOf<String>>::open_twin(&self.drug, opener)?,
            note: <Option<LineNote> as TwinOf<Option<String>>>::open_twin(&self.note, opener)?,
            dose_mg: Clone::clone(&self.dose_mg),
        })
    }

    fn visit_tokens(&self, visit: &mut impl rxseal::__private::TokenVisit) -> Result<(), Error> {
        <LineDrug as TwinOf<String>>::visit_twin(&self.drug, visit)?;
        <Option<LineNote> as TwinOf<Option<String>>>::visit_twin(&self.note, visit)?;
        Ok(())
    }

    fn change_tokens(&mut self, change: &mut impl rxseal::__private::TokenChange) -> Result<(), Error> {
        <LineDrug as TwinOf<String>>::change_twin(&mut self.drug, change)?;
        <Option<LineNote> as TwinOf<Option<String>>>::change_twin(&mut self.note, change)?;
        Ok(())
    }
}

impl PhiPart for Line {
    fn part_id(&self) -> Result<Identifier<'_>, Error> {
        Ok(AsRecordId::as_record_id(&self.line_no))
    }
}

impl SealedPart for SealedLine {
    fn part_id(&self) -> Result<Identifier<'_>, Error> {
        Ok(AsRecordId::as_record_id(&self.line_no))
    }
}

/// [`Address`] with its sealed fields as tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SealedAddress {
    pub street: Twin<String, Street>,
    pub city: String,
}

const _: () = rxseal::__private::assert_unique(&<Address as PhiFields>::FIELDS);

impl PhiFields for Address {
    type Sealed = SealedAddress;

    const FIELDS: rxseal::__private::FieldIds = rxseal::__private::FieldIds {
        own: &[rxseal::__private::declaration::<<Street as TwinOf<String>>::Field>()],
        ..rxseal::__private::FieldIds::NONE
    };

    fn seal_fields(&self, sealer: &mut rxseal::__private::RecordSealer<'_>) -> Result<Self::Sealed, Error> {
        Ok(SealedAddress {
            street: <Street as TwinOf<String>>::seal_twin(&self.street, sealer)?,
            city: Clone::clone(&self.city),
        })
    }
}

impl SealedFields for SealedAddress {
    type Open = Address;

    fn open_fields(&self, opener: &mut rxseal::__private::RecordOpener<'_>) -> Result<Self::Open, Error> {
        Ok(Address {
            street: <Street as TwinOf<String>>::open_twin(&self.street, opener)?,
            city: Clone::clone(&self.city),
        })
    }

    fn visit_tokens(&self, visit: &mut impl rxseal::__private::TokenVisit) -> Result<(), Error> {
        <Street as TwinOf<String>>::visit_twin(&self.street, visit)?;
        Ok(())
    }

    fn change_tokens(&mut self, change: &mut impl rxseal::__private::TokenChange) -> Result<(), Error> {
        <Street as TwinOf<String>>::change_twin(&mut self.street, change)?;
        Ok(())
    }
}

// Up to here it is generated.

fn prescription(rx_number: u64) -> Prescription {
    let line = |line_no, drug: &str| Line { line_no, drug: drug.into(), note: None, dose_mg: 5 };
    Prescription {
        rx_number,
        patient: None,
        patient_name: "Jane Doe".into(),
        directions: Some("one daily".into()),
        allergies: vec!["penicillin".into(), "latex".into()],
        diagnoses: vec!["I10".into(), "E11".into()],
        quantities: BTreeMap::from([(1, 30), (2, 60)]),
        prescriber: Phi::new("Dr. Irvin Emard".into()),
        refills: 2,
        lines: vec![line(1, "warfarin"), line(2, "lisinopril")],
        address: Address { street: "1 Main St".into(), city: "Springfield".into() },
    }
}

fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

fn keyring() -> Keyring {
    insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn assert_same(one: &Prescription, other: &Prescription) {
    assert_eq!(one.rx_number, other.rx_number);
    assert_eq!(one.patient, other.patient);
    assert_eq!(one.patient_name, other.patient_name);
    assert_eq!(one.directions, other.directions);
    assert_eq!(one.allergies, other.allergies);
    assert_eq!(one.diagnoses, other.diagnoses);
    assert_eq!(one.quantities, other.quantities);
    assert_eq!(one.prescriber.expose_phi(), other.prescriber.expose_phi());
    assert_eq!(one.refills, other.refills);
    assert_eq!((&one.address.street, &one.address.city), (&other.address.street, &other.address.city));
    let lines = |rx: &Prescription| -> Vec<_> {
        rx.lines.iter().map(|line| (line.line_no, line.drug.clone(), line.note.clone(), line.dose_mg)).collect()
    };
    assert_eq!(lines(one), lines(other));
}

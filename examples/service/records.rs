//! What the pharmacies keep. The derive makes the rows: `SealedPatient`, `SealedPrescription` and `SealedPhone`.

use rxseal::records::Migrates;
use rxseal::schema::Schema;
use rxseal::{Error, Phi, PhiRecord, RecordTag, phi};
use uuid::Uuid;

/// The patient's own key seals each field here and in the prescriptions. Without that key, they are all gone.
#[derive(PhiRecord)]
#[phi(record = "patient", plaintext, derive(serde::Serialize, sqlx::FromRow))]
pub struct Patient {
    #[phi(id, subject)]
    #[serde(default = "Uuid::now_v7")]
    pub id: Uuid,
    #[phi(seal)]
    pub first_name: Phi<String, phi::GivenName>,
    #[phi(seal)]
    pub last_name: Phi<String, phi::FamilyName>,
    #[phi(seal, index = BornOn)]
    pub born: Phi<String, phi::BirthDate>,
    #[phi(seal, index = PhoneIs)]
    pub phone: Option<Phi<String, phi::Phone>>,
}

// For up to 100,000 patients in a pharmacy. A birth date finds about 50 strangers too, whom nobody sees.
rxseal_search::indexes! {
    for Patient as "patient" {
        pub BornOn = "patient.born": date(born: phi::BirthDate), bits 11;
        pub PhoneIs = "patient.phone": phone(phone: phi::Phone), bits 14;
    }
}

#[derive(PhiRecord)]
#[phi(record = "prescription", plaintext, derive(serde::Serialize, sqlx::FromRow))]
pub struct Prescription {
    #[phi(id)]
    pub rx_number: u32,
    #[phi(subject)]
    pub patient: Uuid,
    #[phi(seal)]
    pub drug: Phi<String, phi::Drug>,
    #[phi(seal)]
    pub directions: Phi<String, phi::Directions>,
    /// Readable, and covered by the tag: nobody gets a refill by changing the database.
    #[phi(clear, bind = "rx.refills")]
    pub refills: u8,
    #[phi(record_tag)]
    pub tag: RecordTag,
}

/// The old table: a row is plaintext until `jobs::migrate` has been there.
#[derive(PhiRecord)]
#[phi(record = "phone", derive(sqlx::FromRow))]
pub struct Phone {
    #[phi(id, subject)]
    pub patient: Uuid,
    #[phi(seal = Migrates<phi::Phone>)]
    pub number: String,
}

/// For tools that have none of these types. It is checked in as `rxseal-schema.json`.
pub fn schema() -> Result<Schema, Error> {
    Schema::new().with::<Patient>()?.with::<Prescription>()?.with::<Phone>()
}

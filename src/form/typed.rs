//! A `Phi` becomes a `Sealed` and the other way round, and passes have both in and out. The type of a row's field says what is sealed,
//! so no marker is named twice and no token gets into another column.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::phi_value::Phi;
use super::sealed::{Sealed, SealedFrom};
use super::wipe::Wipe;
use crate::error::Error;
use crate::field::Field;
use crate::record::{MaySeal, OpenPass, Record, RecordReader, ResealPass, SealPass};

impl<T: Wipe + Serialize, F: Field> Phi<T, F> {
    /// Seals the value for this record. Several of them: [`SealPass::seal_phi`](crate::page::SealPass::seal_phi).
    ///
    /// ```
    /// use rxseal::{Phi, Sealed, phi};
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// # let record = keys.record("prescription", 1001)?;
    /// let drug: Phi<String, phi::Drug> = "warfarin 5 MG".to_owned().into();
    /// let sealed: Sealed<String, phi::Drug> = drug.seal(&record)?;
    /// let opened = sealed.open_phi(&record.opened_by(&access))?;
    /// assert_eq!(opened, drug);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Record::seal`].
    pub fn seal<R: MaySeal>(&self, record: &Record<R>) -> Result<Sealed<T, F>, Error> {
        record.seal::<F>(self.expose_phi()).map(Sealed::from)
    }
}

impl<T: Wipe + DeserializeOwned, F: Field> Sealed<T, F> {
    /// Opens the value as a [`Phi`], which stays silent and is wiped on drop.
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::open`]. The token stays as it is.
    pub fn open_phi(&self, reader: &RecordReader) -> Result<Phi<T, F>, Error> {
        self.open(reader).map(Phi::new)
    }
}

impl SealPass<'_> {
    /// Seals a value for a field of type [`Sealed`], whose marker it takes.
    ///
    /// ```
    /// use rxseal::{Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Option<Sealed<String, phi::Directions>>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let record = keys.record("prescription", 1001)?;
    /// let directions: Option<&str> = None;
    /// let row = record.seal_fields(|pass| {
    ///     Ok(Row {
    ///         drug: pass.seal_field("warfarin 5 MG")?,
    ///         directions: directions.map(|text| pass.seal_field(text)).transpose()?,
    ///     })
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn seal_field<T: SealedFrom<V>, F: Field, V: Serialize + ?Sized>(
        &mut self,
        value: &V,
    ) -> Result<Sealed<T, F>, Error> {
        self.seal::<F>(value).map(Sealed::from)
    }

    /// Seals a [`Phi`] for a field of the same marker.
    ///
    /// # Errors
    ///
    /// Those of [`seal`](Self::seal).
    pub fn seal_phi<T: Wipe + Serialize, F: Field>(&mut self, value: &Phi<T, F>) -> Result<Sealed<T, F>, Error> {
        self.seal_field(value.expose_phi())
    }
}

impl OpenPass<'_> {
    /// Opens a field of type [`Sealed`].
    ///
    /// ```
    /// use rxseal::{Phi, Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Sealed<String, phi::Directions>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// # let record = keys.record("prescription", 1001)?;
    /// # let row = Row { drug: Sealed::seal(&record, "warfarin")?, directions: Sealed::seal(&record, "daily")? };
    /// let (drug, directions) = record.opened_by(&access).open_fields(|pass| {
    ///     Ok((pass.open_field(&row.drug)?, pass.open_phi(&row.directions)?))
    /// })?;
    /// let (drug, directions): (String, Phi<String, phi::Directions>) = (drug, directions);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_field<T: DeserializeOwned, F: Field>(&mut self, sealed: &Sealed<T, F>) -> Result<T, Error> {
        self.open::<F, T>(sealed.token())
    }

    /// Opens a field as a [`Phi`], which stays silent and is wiped on drop.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_phi<T: Wipe + DeserializeOwned, F: Field>(
        &mut self,
        sealed: &Sealed<T, F>,
    ) -> Result<Phi<T, F>, Error> {
        self.open_field(sealed).map(Phi::new)
    }
}

impl ResealPass<'_> {
    /// The same value of a field of type [`Sealed`], under the primary key and the field's current id, class and padding.
    ///
    /// ```
    /// use rxseal::{Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Sealed<String, phi::Directions>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let record = keys.record("prescription", 1001)?;
    /// # let row = Row { drug: Sealed::seal(&record, "warfarin")?, directions: Sealed::seal(&record, "daily")? };
    /// let row = record.reseal_fields(|pass| {
    ///     Ok(Row { drug: pass.reseal_field(&row.drug)?, directions: pass.reseal_field(&row.directions)? })
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`reseal`](Self::reseal).
    pub fn reseal_field<T, F: Field>(&mut self, sealed: &Sealed<T, F>) -> Result<Sealed<T, F>, Error> {
        self.reseal::<F>(sealed.token()).map(Sealed::from)
    }
}

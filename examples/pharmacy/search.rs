//! The desk search: a birth date finds candidates, and opening them tells who it is. And what its column tells a thief.

use std::collections::{BTreeMap, BTreeSet};

use rxseal::index::{Forms, Kind};
use rxseal::{Access, ErrorCode, Keyring, SealedRecord};
use rxseal_search::Find;
use rxseal_search::normal::{Exact, Family, NormalForm, Normalizes};
use rxseal_search::plan::{IndexReport, Measure, Plan, Shape};

use crate::checks::Failure;
use crate::prescription::{BornOn, Patient, Prescription};
use crate::store::Store;

/// Stores the patients of these prescriptions.
pub fn take_in(store: &mut Store, keys: &Keyring, fresh: &[&Prescription]) -> Result<(), Failure> {
    // An import stores what it gets: a text that is no birth date gets null, and no search finds it.
    let sealed = patients(fresh.iter().copied())
        .iter()
        .map(|patient| keys.seal_or_null(patient))
        .collect::<Result<Vec<_>, _>>()?;
    let change = store.change()?;
    sealed.iter().try_for_each(|(row, _)| change.put_patient(row))?;
    change.commit()
}

/// Reseals every patient under the key that seals now. Index values stay: they are under an index root.
pub fn reseal_all(store: &mut Store, keys: &Keyring) -> Result<(), Failure> {
    let rows = store.patients()?;
    let change = store.change()?;
    for row in rows {
        if row.needs_reseal(keys)? {
            change.put_patient(&keys.reseal(&row)?)?;
        }
    }
    change.commit()
}

/// What a search found.
pub struct Found {
    pub candidates: usize,
    pub hits: Vec<Patient>,
}

/// Finds everybody who was born on a day. `None` if the text is no whole date, which no index has.
pub fn by_birth_date(
    store: &Store,
    keys: &Keyring,
    access: &Access,
    birth_date: &str,
) -> Result<Option<Found>, Failure> {
    let born = match keys.indexer()?.find::<BornOn>(birth_date) {
        Err(error) if error.code() == ErrorCode::EmptyQuery || error.is_not_indexable() => return Ok(None),
        born => born?,
    };
    let values: Vec<_> = born.values().iter().map(ToString::to_string).collect();
    let rows = store.born_on(&values)?;
    let candidates = rows.len();
    let hits = born.hits(keys, rows, access).collect::<Result<_, _>>()?;
    Ok(Some(Found { candidates, hits }))
}

/// A value of the search column: how many patients have it, and how many birth dates are behind it, which only the keys tell.
pub struct Seen {
    pub value: String,
    pub patients: usize,
    pub birth_dates: usize,
}

/// The values that most patients have. Each is one opening.
pub fn commonest_values(store: &Store, keys: &Keyring, access: &Access) -> Result<Vec<Seen>, Failure> {
    let mut seen = Vec::new();
    for value in store.stolen_values()? {
        let rows = store.born_on(std::slice::from_ref(&value))?;
        let opened = keys.open_all(&rows, access).into_iter().collect::<Result<Vec<_>, _>>()?;
        let dates: BTreeSet<_> = opened.iter().map(|row| row.birth_date.expose_phi().as_str()).collect();
        seen.push(Seen { value, patients: rows.len(), birth_dates: dates.len() });
    }
    Ok(seen)
}

/// What the planner says of the index that there is, and of some that there are not.
pub fn plan(prescriptions: &[Prescription]) -> Result<Vec<Vec<String>>, Failure> {
    let patients = patients(prescriptions);
    let mut declared = Plan::new(rows(patients.len())).index::<BornOn>()?;
    patients.iter().for_each(|patient| declared.sample(patient));

    let shape = |id: &str| Shape::new(id, Kind::Whole, 1, 8).ok_or_else(|| Failure::new("there is no such index"));
    let mut others = Plan::new(rows(prescriptions.len()))
        .shape(shape("last names, without slots")?, |rx: &Prescription, forms| {
            write::<Family>(rx.patient_name.expose_phi().rsplit(' ').next().unwrap_or_default(), forms)
        })?
        .shape(shape("drugs")?, |rx: &Prescription, forms| write::<Exact>(rx.drug.expose_phi(), forms))?;
    prescriptions.iter().for_each(|prescription| others.sample(prescription));

    let (declared, others) = (declared.report(), others.report());
    Ok(declared.indexes().iter().chain(others.indexes()).map(row_of).collect())
}

fn row_of(index: &IndexReport) -> Vec<String> {
    let figure = |measure| index.figure(measure).to_string();
    let (named, commonest) = (figure(Measure::RowsNamed), figure(Measure::CommonestNamed));
    let verdict = if index.is_accepted() { "accepted" } else { "refused" };
    vec![index.id().to_owned(), named, commonest, figure(Measure::Candidates95), verdict.to_owned()]
}

fn patients<'p>(prescriptions: impl IntoIterator<Item = &'p Prescription>) -> Vec<Patient> {
    let birth_dates: BTreeMap<_, _> =
        prescriptions.into_iter().map(|rx| (rx.patient.as_str(), rx.birth_date.expose_phi().as_str())).collect();
    let patient =
        |(id, birth_date): (&str, &str)| Patient { id: id.to_owned(), birth_date: birth_date.to_owned().into() };
    birth_dates.into_iter().map(patient).collect()
}

fn write<N: Normalizes<str>>(text: &str, forms: &mut Forms) -> Result<(), rxseal::Error> {
    let mut form = NormalForm::new();
    N::write(text, &mut form)?;
    forms.push(&[form.as_bytes()])
}

fn rows(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

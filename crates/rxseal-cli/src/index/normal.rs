//! The normalisers by name, as `indexes!` names them.

use rxseal::Error;
use rxseal_search::normal::{
    Date, Dea, Email, Exact, Family, Given, Id, Ndc, NormalForm, Normalizes, NormalizesParts, Npi, Phone, Sounds, Ssn,
};
use rxseal_search::plan::Values;

/// Writes one form of a text.
pub type Whole = fn(&str, &mut NormalForm) -> Result<(), Error>;
/// Hands out several forms of a text.
pub type Parts = fn(&str, &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>;

/// The names of the normalisers that write one form, and of those that write several.
pub const NAMES: &str =
    "date, dea, email, exact, family, given, id, ndc, npi, phone, ssn; family_parts, given_parts, sounds";

/// What the values of an index of this normaliser are.
pub fn values(name: &str) -> Values {
    match name {
        "date" => Values::Dates,
        "family" | "given" | "family_parts" | "given_parts" | "sounds" => Values::Names,
        _ => Values::Other,
    }
}

pub fn whole(name: &str) -> Option<Whole> {
    Some(match name {
        "date" => <Date as Normalizes<str>>::write,
        "dea" => <Dea as Normalizes<str>>::write,
        "email" => <Email as Normalizes<str>>::write,
        "exact" => <Exact as Normalizes<str>>::write,
        "family" => <Family as Normalizes<str>>::write,
        "given" => <Given as Normalizes<str>>::write,
        "id" => <Id as Normalizes<str>>::write,
        "ndc" => <Ndc as Normalizes<str>>::write,
        "npi" => <Npi as Normalizes<str>>::write,
        "phone" => <Phone as Normalizes<str>>::write,
        "ssn" => <Ssn as Normalizes<str>>::write,
        _ => return None,
    })
}

pub fn parts(name: &str) -> Option<Parts> {
    Some(match name {
        "family_parts" => <Family as NormalizesParts<str>>::write_parts,
        "given_parts" => <Given as NormalizesParts<str>>::write_parts,
        "sounds" => <Sounds as NormalizesParts<str>>::write_parts,
        _ => return None,
    })
}

//! Normal forms against docs/NORMAL-FORMS.md: its vectors, and random texts against the Python implementation of that page.

mod python;
mod vectors;

use rxseal::Error;
use rxseal_search::normal::{
    Date, Dea, Email, Exact, Family, Given, Id, Ndc, NormalForm, Normalizes, NormalizesParts, Npi, Phone, Sounds, Ssn,
};

/// What a normaliser makes of a text.
#[derive(Debug, PartialEq)]
struct Made {
    /// `Sounds` has none.
    form: Option<String>,
    /// Sorted, for names; in their order for `Sounds`.
    parts: Option<Vec<String>>,
}

fn made(normalizer: &str, text: &str) -> Result<Made, Error> {
    match normalizer {
        "family/1" => with_parts::<Family>(text),
        "given/1" => with_parts::<Given>(text),
        "date/1" => one::<Date>(text),
        "phone/1" => one::<Phone>(text),
        "npi/1" => one::<Npi>(text),
        "dea/1" => one::<Dea>(text),
        "ssn/1" => one::<Ssn>(text),
        "ndc/1" => one::<Ndc>(text),
        "id/1" => one::<Id>(text),
        "email/1" => one::<Email>(text),
        "exact/1" => one::<Exact>(text),
        "sounds/1" => Ok(Made { form: None, parts: Some(parts_of::<Sounds>(text)?) }),
        other => panic!("no normaliser {other}"),
    }
}

fn form_of<N: Normalizes<str>>(text: &str) -> Result<Option<String>, Error> {
    let mut form = NormalForm::new();
    N::write(text, &mut form)?;
    let form = String::from_utf8(form.as_bytes().to_vec()).unwrap();
    Ok(Some(form).filter(|form| !form.is_empty()))
}

/// Each once, in their order.
fn parts_of<N: NormalizesParts<str>>(text: &str) -> Result<Vec<String>, Error> {
    let mut parts = Vec::new();
    N::write_parts(text, &mut |part| {
        let part = String::from_utf8(part.to_vec()).unwrap();
        if !parts.contains(&part) {
            parts.push(part);
        }
        Ok(())
    })?;
    Ok(parts)
}

fn one<N: Normalizes<str>>(text: &str) -> Result<Made, Error> {
    Ok(Made { form: form_of::<N>(text)?, parts: None })
}

fn with_parts<N: Normalizes<str> + NormalizesParts<str>>(text: &str) -> Result<Made, Error> {
    let form = form_of::<N>(text);
    let parts = parts_of::<N>(text);
    assert_eq!(form.is_ok(), parts.is_ok(), "a name is refused whole or not at all");
    let mut parts = parts?;
    parts.sort();
    Ok(Made { form: form?, parts: Some(parts) })
}

//! No error and no `Debug` quotes an input.

use std::error::Error as _;

use rxseal_search::normal::{
    Date, Dea, Email, Exact, Family, Given, Id, Ndc, NormalForm, Normalizes, NormalizesParts, Npi, Phone, Sounds, Ssn,
};

const CANARY: &str = "Zyx7Canary";

#[test]
fn no_refusal_quotes_the_input() {
    let control = format!("{CANARY}\u{7}");
    let long = CANARY.repeat(40);
    for text in [&control, &long, &CANARY.to_owned()] {
        refusals::<Family>(text);
        refusals::<Given>(text);
        refusals::<Date>(text);
        refusals::<Phone>(text);
        refusals::<Npi>(text);
        refusals::<Dea>(text);
        refusals::<Ssn>(text);
        refusals::<Ndc>(text);
        refusals::<Id>(text);
        refusals::<Email>(text);
        refusals::<Exact>(text);
    }
    assert!(Sounds::write_parts(&control, &mut |_| Ok(())).is_err());
}

#[test]
fn the_debug_of_a_form_shows_nothing_of_it() {
    let mut form = NormalForm::new();
    let empty = format!("{form:?}");
    Exact::write(CANARY, &mut form).unwrap();
    assert_eq!(format!("{form:?}"), empty);
}

fn refusals<N: Normalizes<str>>(text: &str) {
    let mut form = NormalForm::new();
    let Err(error) = N::write(text, &mut form) else { return };
    assert!(form.is_empty());
    assert!(error.source().is_none());
    for shown in [error.to_string(), format!("{error:?}")] {
        let shown = shown.to_lowercase();
        assert!(!shown.contains("canary") && !shown.contains("zyx"), "{shown}");
    }
}

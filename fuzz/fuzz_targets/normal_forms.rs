//! A normal form is its own normal form and at most 256 bytes long, whatever the text is. How names are separated makes no difference to
//! them, and folding ASCII in one pass gives what folding all of Unicode gives (NORMAL-FORMS 1.2, 2.5).
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal_search::normal::{
    Date, Dea, Email, Exact, Family, Given, Id, Lenient, Ndc, NormalForm, Normalizes, NormalizesParts, Npi, Phone,
    Placeholders, Sounds, Ssn, UsualPlaceholders,
};

fuzz_target!(|text: &str| {
    let family = kept::<Family>(text);
    let given = kept::<Given>(text);
    if let Some((family, given)) = family.as_ref().zip(given.as_ref()) {
        assert_eq!(first_part::<Family>(text), family.as_bytes());
        assert_eq!(first_part::<Given>(text), given.as_bytes());

        let hyphens = format!("-{} ", text.replace(' ', "-"));
        assert_eq!(form::<Family>(&hyphens).expect("a form").as_bytes(), family.as_bytes());

        let codes = parts::<Sounds>(text).expect("codes");
        assert!(codes.len() <= 2 && codes.iter().all(|code| (1..=4).contains(&code.len())));
        assert_eq!(family.sounds_like(family), !codes.is_empty());
        assert_eq!(family.is_within_edits(family, 0), !family.is_empty());
        assert_eq!(family.is_within_edits(given, 2), given.is_within_edits(family, 2));
    } else {
        assert!(family.is_none() && parts::<Family>(text).is_none() && parts::<Sounds>(text).is_none());
    }
    kept::<Date>(text);
    kept::<Phone>(text);
    kept::<Npi>(text);
    kept::<Lenient<Npi>>(text);
    kept::<Dea>(text);
    kept::<Lenient<Dea>>(text);
    kept::<Ssn>(text);
    kept::<Ndc>(text);
    kept::<Id>(text);
    kept::<Email>(text);
    kept::<Exact>(text);
});

/// The form, which must be its own form. A placeholder is empty, so the first word of `Unknown Ann` is not its own form.
fn kept<N: Normalizes<str>>(text: &str) -> Option<NormalForm> {
    let first = form::<N>(text)?;
    let again = std::str::from_utf8(first.as_bytes()).expect("text");
    if !UsualPlaceholders::NAMES.contains(&again) {
        assert_eq!(form::<N>(again).expect("a form of a form").as_bytes(), first.as_bytes());
    }
    Some(first)
}

/// The first part, or nothing.
fn first_part<N: NormalizesParts<str>>(text: &str) -> Vec<u8> {
    parts::<N>(text).expect("parts of what has a form").into_iter().next().unwrap_or_default()
}

fn form<N: Normalizes<str>>(text: &str) -> Option<NormalForm> {
    let mut form = NormalForm::new();
    match N::write(text, &mut form) {
        Ok(()) => Some(form),
        Err(error) => {
            assert!(form.is_empty() && ["not-indexable", "bad-check-digit"].contains(&error.code().as_str()));
            None
        }
    }
}

fn parts<N: NormalizesParts<str>>(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    let written = N::write_parts(text, &mut |part| {
        assert!((1..=NormalForm::MAX_LEN).contains(&part.len()));
        parts.push(part.to_vec());
        Ok(())
    });
    written.ok().map(|()| parts)
}

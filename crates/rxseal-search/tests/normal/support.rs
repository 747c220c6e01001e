//! One form as text.

use rxseal_search::normal::{NormalForm, Normalizes, NormalizesParts};

/// The form as text, or the code of the refusal. An empty form is an empty text.
pub(crate) fn form<N: Normalizes<str>>(text: &str) -> String {
    let mut form = NormalForm::new();
    match N::write(text, &mut form) {
        Ok(()) => String::from_utf8(form.as_bytes().to_vec()).unwrap(),
        Err(error) => {
            assert!(form.is_empty(), "a refusal leaves no form");
            format!("!{}", error.code())
        }
    }
}

/// The parts, separated by spaces.
pub(crate) fn parts<N: NormalizesParts<str>>(text: &str) -> String {
    let mut parts = Vec::new();
    let written = N::write_parts(text, &mut |part| {
        parts.push(String::from_utf8(part.to_vec()).unwrap());
        Ok(())
    });
    match written {
        Ok(()) => parts.join(" "),
        Err(error) => format!("!{}", error.code()),
    }
}

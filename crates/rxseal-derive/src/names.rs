//! Names that follow from the user's.

use quote::format_ident;
use syn::Ident;
use syn::ext::IdentExt;

/// The column of a marker: `last_and_born` of `LastAndBorn`, and `npi_is` of `NPIIs`.
pub(crate) fn snake_case(name: &Ident) -> Ident {
    let letters: Vec<char> = name.unraw().to_string().chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let next = at.checked_add(1).and_then(|at| letters.get(at));
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() && *before != '_'
                    || before.is_uppercase() && next.is_some_and(|next| next.is_lowercase())
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    // A marker `Type` has the column `r#type`.
    match syn::parse_str::<Ident>(&snake) {
        Ok(_) => format_ident!("{snake}", span = name.span()),
        Err(_) => Ident::new_raw(&snake, name.span()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_in_snake_case() {
        let of = |name: &str| snake_case(&format_ident!("{name}")).to_string();
        for (marker, column) in [
            ("BornOn", "born_on"),
            ("LastAndBorn", "last_and_born"),
            ("NPIIs", "npi_is"),
            ("Ndc11Is", "ndc11_is"),
            ("MRN", "mrn"),
            ("Phone_Is", "phone_is"),
            ("born", "born"),
            ("Type", "r#type"),
        ] {
            assert_eq!(of(marker), column);
        }
    }
}

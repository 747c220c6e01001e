//! The words of `indexes!`: names, normalisers and slot tables.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::{LitStr, Path};

use crate::errors::Errors;

/// The normalisers that have a word, and their types in `rxseal_search::normal`.
const NORMALIZERS: &[(&str, &str)] = &[
    ("family", "Family"),
    ("given", "Given"),
    ("date", "Date"),
    ("phone", "Phone"),
    ("npi", "Npi"),
    ("dea", "Dea"),
    ("ssn", "Ssn"),
    ("ndc", "Ndc"),
    ("id", "Id"),
    ("email", "Email"),
    ("exact", "Exact"),
    ("sounds", "Sounds"),
];

/// Checks the id of an index or a record type.
pub(super) fn check_name(what: &str, name: &LitStr, errors: &mut Errors) {
    let text = name.value();
    let is_start = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_rest = |c: char| is_start(c) || matches!(c, '.' | '_' | '-');
    if text.len() > 64 || !text.starts_with(is_start) || !text.chars().all(is_rest) {
        errors.at(
            name,
            format_args!("{what} is 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit"),
        );
    }
}

/// The only identifier of a path, if it is written in lower case: a word of ours, and no item of the user's.
pub(super) fn word(path: &Path) -> Option<&Ident> {
    path.get_ident()
        .filter(|ident| ident.to_string().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
}

/// The type of a normaliser: of the word `family`, or what the user named.
pub(super) fn normalizer(path: &Path) -> syn::Result<TokenStream> {
    let Some(word) = word(path) else { return Ok(quote!(#path)) };
    let found = NORMALIZERS.iter().find(|(name, _)| word == name);
    match found {
        Some((_, ty)) => {
            let ty = Ident::new(ty, word.span());
            Ok(quote_spanned!(word.span()=> ::rxseal_search::normal::#ty))
        }
        None => {
            let known: Vec<_> = NORMALIZERS.iter().map(|(name, _)| format!("`{name}`")).collect();
            let text = format!(
                "no normaliser `{word}`: there are {}, and types that implement `Normalizer`",
                known.join(", ")
            );
            Err(syn::Error::new(word.span(), text))
        }
    }
}

/// Whether the normaliser checks a digit, which `lenient` leaves out.
pub(super) fn has_check_digit(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| ["npi", "dea", "Npi", "Dea"].iter().any(|name| last.ident == name))
}

/// A slot table: of the word `us_surnames_1`, or the static that the user named.
pub(super) fn slots(path: &Path) -> TokenStream {
    match word(path) {
        Some(word) => {
            let table = Ident::new(&word.to_string().to_uppercase(), word.span());
            quote!(::rxseal_search::slots::#table)
        }
        None => quote!(#path),
    }
}

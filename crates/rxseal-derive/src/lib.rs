#![doc = include_str!("../README.md")]

mod errors;
mod expand;
mod indexes;
mod input;
mod names;
#[cfg(test)]
mod output_tests;
mod wipe;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the sealed twin of a record struct. See `rxseal::PhiRecord`.
#[proc_macro_derive(PhiRecord, attributes(phi, serde))]
pub fn phi_record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    input::Input::read(input).map_or_else(syn::Error::into_compile_error, |input| expand::expand(&input)).into()
}

/// Wipes each field: an impl of `rxseal::forms::Wipe` for a struct or an enum whose fields all have it. `#[wipe(skip)]` leaves out a
/// field that holds nothing secret.
#[proc_macro_derive(Wipe, attributes(wipe))]
pub fn wipe(input: TokenStream) -> TokenStream {
    wipe::expand(&parse_macro_input!(input as DeriveInput)).into()
}

/// Declares the indexes of a record struct. See `rxseal_search::indexes`.
#[proc_macro]
pub fn indexes(input: TokenStream) -> TokenStream {
    indexes::indexes(&parse_macro_input!(input as indexes::Indexes)).into()
}

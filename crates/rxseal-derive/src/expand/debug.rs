//! `Debug` of the struct, which prints no field that is sealed. A derived one beside it does not compile, and that is the point.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::ext::IdentExt;
use syn::parse_quote;

use super::pieces::{at, generics, here, own, root, taken_apart, twin_of};
use crate::input::field::{Field, Role};
use crate::input::{Input, Variant};

pub(super) fn expand(input: &Input) -> TokenStream {
    if !input.container.debug {
        return TokenStream::new();
    }
    let formatter = own("formatter");
    let is_printed = |field: &Field| !matches!(field.role, Role::Seal(_));
    let (generics, bounds) = generics(input, &parse_quote!(::core::fmt::Debug), is_printed);
    let (header, _, _) = generics.split_for_impl();
    let (_, arguments, _) = input.generics.split_for_impl();
    let name = &input.name;
    let body = taken_apart(
        input,
        name,
        |field, value| printed(input, field, value),
        |variant, fields| {
            let title = title(input, variant);
            quote_spanned!(here(input)=> ::core::fmt::Formatter::debug_struct(#formatter, #title) #(#fields)* .finish())
        },
    );
    quote_spanned! {here(input)=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #header ::core::fmt::Debug for #name #arguments #bounds {
            fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #body
            }
        }
    }
}

fn title(input: &Input, variant: &Variant) -> String {
    variant.name.as_ref().unwrap_or(&input.name).unraw().to_string()
}

fn printed(input: &Input, field: &Field, value: &Ident) -> TokenStream {
    let (root, name) = (root(input), field.name.unraw().to_string());
    let shown = match &field.role {
        Role::Seal(seal) => {
            let twin_of = twin_of(input, field, seal);
            quote_spanned!(at(field)=> #root::__private::HiddenField(<#twin_of::Field as #root::Field>::ID))
        }
        _ => value.to_token_stream(),
    };
    quote_spanned!(at(field)=> .field(#name, &#shown))
}

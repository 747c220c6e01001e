//! What a struct says of its fields, for a schema.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::pieces::{at, here, own, root, twin_of};
use crate::input::columns::Column;
use crate::input::field::{Bind, Field, Role};
use crate::input::{Input, Variant};

/// `PhiFields::describe`.
pub(super) fn of_the_struct(input: &Input) -> TokenStream {
    let (root, describer) = (root(input), own("describer"));
    let steps = input.variants.iter().map(|variant| of_variant(input, variant, &describer));
    let end = input.is_enum.then(|| quote_spanned!(here(input)=> #describer.end_variants();));
    quote_spanned! {here(input)=>
        fn describe(#describer: &mut #root::__private::Describer) {
            #[allow(unused_imports)]
            use #root::__private::NoContent as _;
            #(#steps)*
            #end
        }
    }
}

fn of_variant(input: &Input, variant: &Variant, describer: &Ident) -> TokenStream {
    let root = root(input);
    let fields = variant.fields.iter().map(|field| of_field(input, field, describer));
    let name = variant.name.as_ref().map(|name| {
        let name = name.unraw().to_string();
        let bind = match &input.container.bind {
            Some(id) => quote_spanned!(here(input)=> ::core::option::Option::Some(const { #root::FieldId::new(#id) })),
            None => quote_spanned!(here(input)=> ::core::option::Option::None),
        };
        quote_spanned!(here(input)=> #describer.variant(#name, #bind);)
    });
    quote_spanned!(here(input)=> #name #(#fields)*)
}

fn of_field(input: &Input, field: &Field, describer: &Ident) -> TokenStream {
    let (root, ty, member) = (root(input), &field.ty, field.name.unraw().to_string());
    let since = field
        .since
        .as_ref()
        .map_or_else(|| quote_spanned!(here(input)=> 1), |since| quote_spanned!(since.span()=> #since));
    let clear = quote_spanned!(at(field)=> #root::__private::ClearOf::<#ty>::known());
    let said = match &field.role {
        Role::Id => quote_spanned!(here(input)=> #describer.id(#member, #clear);),
        Role::Clear { bind: None } if field.subject => TokenStream::new(),
        Role::Clear { bind: None } => quote_spanned!(here(input)=> #describer.clear(#member, #clear);),
        Role::Clear { bind: Some(Bind { id, scale }) } => {
            let scale = match scale {
                Some(scale) => quote_spanned!(here(input)=> ::core::option::Option::Some(#scale)),
                None => quote_spanned!(here(input)=> ::core::option::Option::None),
            };
            quote_spanned! {here(input)=>
                #describer.bound(#member, #clear, const { #root::FieldId::new(#id) }, #scale, #since);
            }
        }
        Role::Part { name } => quote_spanned! {at(field)=>
            #describer.part(#member, #name, #since, <#ty as #root::records::PhiParts>::describe_part);
        },
        Role::Nested => quote_spanned! {at(field)=>
            #describer.nested(#member, <#ty as #root::records::PhiFields>::describe);
        },
        Role::RecordTag => quote_spanned!(here(input)=> #describer.record_tag(#member);),
        Role::Seal(seal) => {
            let (twin_of, marker) = (twin_of(input, field, seal), super::pieces::marker(input, field, seal));
            quote_spanned! {at(field)=>
                #describer.sealed::<#ty, #marker>(#member, #root::__private::ContentOf::<#twin_of::Value>::known(), #since);
            }
        }
    };
    let subject = field.subject.then(
        || quote_spanned!(at(field)=> #describer.subject::<#ty>(#member, #root::__private::ClearOf::<#ty>::known());),
    );
    quote_spanned!(here(input)=> #said #subject)
}

/// `SealedRecord::describe_indexes`, if there are index columns.
pub(super) fn indexes(input: &Input) -> TokenStream {
    if input.columns.is_empty() {
        return TokenStream::new();
    }
    let (root, describer) = (root(input), own("describer"));
    let columns = input.columns.iter().map(|Column { marker, name, .. }| {
        let member = name.unraw().to_string();
        quote_spanned!(here(input)=> #describer.index::<#marker>(#member);)
    });
    quote_spanned! {here(input)=>
        fn describe_indexes(#describer: &mut #root::__private::Describer) {
            #(#columns)*
        }
    }
}

//! Of which record, part and subject the struct and its twin are.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::pieces::{implement, reference, root, taken_apart};
use crate::input::container::Kind;
use crate::input::field::{Field, Role};
use crate::input::{Input, Variant};

pub(super) fn expand(input: &Input) -> TokenStream {
    let root = root(input);
    match &input.container.kind {
        Kind::Nested => TokenStream::new(),
        Kind::Part => {
            let plain = implement(input, &quote!(#root::records::PhiPart), &input.name, &part_id(input, &input.name));
            let sealed =
                implement(input, &quote!(#root::records::SealedPart), &input.sealed, &part_id(input, &input.sealed));
            quote!(#plain #sealed)
        }
        Kind::Record { name, former } => {
            let plain = implement(input, &quote!(#root::PhiRecord), &input.name, &record_ids(input, &input.name));
            let ids = record_ids(input, &input.sealed);
            let sealed = implement(
                input,
                &quote!(#root::SealedRecord),
                &input.sealed,
                &quote! {
                    const RECORD_TYPE: &'static str = #name;
                    const FORMER_TYPES: &'static [&'static str] = &[#(#former),*];
                    #ids
                },
            );
            let whole = implement(input, &quote!(#root::records::WholeRecord), &input.sealed, &TokenStream::new());
            quote!(#plain #sealed #whole)
        }
    }
}

fn part_id(input: &Input, name: &Ident) -> TokenStream {
    let root = root(input);
    let id = taken_apart(
        input,
        name,
        |field, value| id(input, field, value),
        |variant, _| {
            let ids = ids(input, variant);
            match ids.as_slice() {
                [only] => quote!(::core::result::Result::Ok(#only)),
                several => quote!(#root::__private::joined_id(&[#(#several),*])),
            }
        },
    );
    quote! {
        fn part_id(&self) -> ::core::result::Result<#root::Identifier<'_>, #root::Error> {
            #id
        }
    }
}

fn record_ids(input: &Input, name: &Ident) -> TokenStream {
    let root = root(input);
    let named = |field: &Field, value: &Ident| {
        let id = id(input, field, value);
        let subject = subject(field, value);
        quote!(#id #subject)
    };
    let ids = taken_apart(input, name, named, |variant, _| {
        let ids = ids(input, variant);
        let record = match ids.as_slice() {
            [_] => {
                let only = variant.fields.iter().enumerate().filter(|(_, field)| matches!(field.role, Role::Id));
                let only = only.map(|(at, field)| reference(field, at));
                quote!(#root::__private::RecordIds::new(#(#only)*))
            }
            several => quote!(#root::__private::RecordIds::joined(&[#(#several),*])?),
        };
        let subject = variant.fields.iter().enumerate().map(|(at, field)| subject(field, &reference(field, at)));
        quote!(::core::result::Result::Ok(#record #(#subject)*))
    });
    quote! {
        fn record_ids(&self) -> ::core::result::Result<#root::__private::RecordIds<'_>, #root::Error> {
            #ids
        }
    }
}

fn ids(input: &Input, variant: &Variant) -> Vec<TokenStream> {
    let all = variant.fields.iter().enumerate().map(|(at, field)| id(input, field, &reference(field, at)));
    all.filter(|id| !id.is_empty()).collect()
}

fn id(input: &Input, field: &Field, value: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match field.role {
        Role::Id => quote!(<#ty as #root::records::AsRecordId>::as_record_id(#value)),
        _ => TokenStream::new(),
    }
}

fn subject(field: &Field, value: &Ident) -> TokenStream {
    if field.subject { quote!(.subject(#value)) } else { TokenStream::new() }
}

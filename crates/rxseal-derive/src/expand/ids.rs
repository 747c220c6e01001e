//! Of which record, part and subject the struct and its twin are.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::describe;
use super::indexes;
use super::pieces::{at, here, implement, reference, root, taken_apart};
use crate::input::container::Kind;
use crate::input::field::{Field, Role};
use crate::input::{Input, Variant};

pub(super) fn expand(input: &Input) -> TokenStream {
    let root = root(input);
    match &input.container.kind {
        Kind::Nested => TokenStream::new(),
        Kind::Part => {
            let plain = implement(
                input,
                &quote_spanned!(here(input)=> #root::records::PhiPart),
                &input.name,
                &part_id(input, &input.name),
            );
            let sealed = implement(
                input,
                &quote_spanned!(here(input)=> #root::records::SealedPart),
                &input.sealed,
                &part_id(input, &input.sealed),
            );
            quote_spanned!(here(input)=> #plain #sealed)
        }
        Kind::Record { name, former } => {
            let plain = implement(
                input,
                &quote_spanned!(here(input)=> #root::PhiRecord),
                &input.name,
                &record_ids(input, &input.name),
            );
            let ids = record_ids(input, &input.sealed);
            let (tag, columns, indexes) = (record_tag(input), indexes::of_the_row(input), describe::indexes(input));
            let sealed = implement(
                input,
                &quote_spanned!(here(input)=> #root::SealedRecord),
                &input.sealed,
                &quote_spanned! {here(input)=>
                    const RECORD_TYPE: &'static str = #name;
                    const FORMER_TYPES: &'static [&'static str] = &[#(#former),*];
                    #columns
                    #indexes
                    #tag
                    #ids
                },
            );
            let whole = if input.container.projection {
                TokenStream::new()
            } else {
                implement(
                    input,
                    &quote_spanned!(here(input)=> #root::records::WholeRecord),
                    &input.sealed,
                    &TokenStream::new(),
                )
            };
            let tagged = if has_tag(input) {
                implement(
                    input,
                    &quote_spanned!(here(input)=> #root::records::TaggedRecord),
                    &input.sealed,
                    &TokenStream::new(),
                )
            } else {
                TokenStream::new()
            };
            quote_spanned!(here(input)=> #plain #sealed #whole #tagged)
        }
    }
}

fn has_tag(input: &Input) -> bool {
    input.fields().any(|field| matches!(field.role, Role::RecordTag))
}

/// Where the tag of a row is.
fn record_tag(input: &Input) -> TokenStream {
    if !has_tag(input) {
        return TokenStream::new();
    }
    let root = root(input);
    let tag = taken_apart(
        input,
        &input.sealed,
        |field, value| match field.role {
            Role::RecordTag => quote_spanned!(at(field)=> ::core::option::Option::Some(#value)),
            _ => TokenStream::new(),
        },
        |_, tag| quote_spanned!(here(input)=> #(#tag)*),
    );
    quote_spanned! {here(input)=>
        fn record_tag(&self) -> ::core::option::Option<&#root::RecordTag> {
            #tag
        }
        fn record_tag_mut(&mut self) -> ::core::option::Option<&mut #root::RecordTag> {
            #tag
        }
    }
}

/// Whether a variant has several ids. Then the only id of another must not have a `/` either, or it could be the several ids of the first.
fn joins_ids(input: &Input) -> bool {
    let ids = |variant: &Variant| variant.fields.iter().filter(|field| matches!(field.role, Role::Id)).count();
    input.variants.iter().any(|variant| ids(variant) > 1)
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
                [only] if !joins_ids(input) => quote_spanned!(here(input)=> ::core::result::Result::Ok(#only)),
                several => quote_spanned!(here(input)=> #root::__private::joined_id(&[#(#several),*])),
            }
        },
    );
    quote_spanned! {here(input)=>
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
        quote_spanned!(here(input)=> #id #subject)
    };
    let ids = taken_apart(input, name, named, |variant, _| {
        let ids = ids(input, variant);
        let record = match ids.as_slice() {
            [_] if !joins_ids(input) => {
                let only = variant.fields.iter().enumerate().filter(|(_, field)| matches!(field.role, Role::Id));
                let only = only.map(|(at, field)| reference(field, at));
                quote_spanned!(here(input)=> #root::__private::RecordIds::new(#(#only)*))
            }
            several => quote_spanned!(here(input)=> #root::__private::RecordIds::joined(&[#(#several),*])?),
        };
        let subject = variant.fields.iter().enumerate().map(|(at, field)| subject(field, &reference(field, at)));
        quote_spanned!(here(input)=> ::core::result::Result::Ok(#record #(#subject)*))
    });
    quote_spanned! {here(input)=>
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
        Role::Id => quote_spanned!(at(field)=> <#ty as #root::records::AsRecordId>::as_record_id(#value)),
        _ => TokenStream::new(),
    }
}

fn subject(field: &Field, value: &Ident) -> TokenStream {
    if field.subject { quote_spanned!(at(field)=> .subject(#value)) } else { TokenStream::new() }
}

//! The twin: the struct that is stored, with the fields of the user's and a token for each that is sealed.

use std::iter;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Path, Type};

use super::indexes;
use super::pieces::{at, form_name, here, implement, is_named, path_of, present, root, serde_bounds, taken_apart};
use crate::input::container::Kind;
use crate::input::field::{Field, Role, Seal};
use crate::input::{Input, Variant, tokens};

pub(super) fn expand(input: &Input) -> TokenStream {
    let Input { visibility, sealed, generics, carried, serde, .. } = input;
    let (before, derives, after) = (&input.container.before, &input.container.derives, &input.container.after);
    let bounds = &generics.where_clause;
    let doc = doc(input);
    // Written here, since a derived one would ask for `Clone` of the types that are sealed.
    let derives: Vec<_> =
        derives.iter().filter(|path| path.segments.last().is_none_or(|last| last.ident != "Clone")).collect();
    let parameters = derives.iter().any(|derive| of_serde(derive)).then(|| serde_bounds(input));
    let derives = (!derives.is_empty()).then(|| quote_spanned!(here(input)=> #[derive(#(#derives),*)]));
    let (carried, serde) = (of_twin(input, carried), of_twin(input, serde));
    let head = quote_spanned! {here(input)=>
        #[doc = #doc]
        #(#[#before])*
        #derives
        #(#[#after])*
        #(#carried)*
        #(#serde)*
        #parameters
        #visibility
    };
    let clone = clone(input);
    if input.is_enum {
        let variants = input.variants.iter().map(|variant| {
            let Variant { name, carried, .. } = variant;
            let carried = of_twin(input, carried);
            let fields = variant.fields.iter().map(|field| declaration(input, field));
            quote_spanned!(here(input)=> #(#carried)* #name { #(#fields,)* })
        });
        quote_spanned!(here(input)=> #head enum #sealed #generics #bounds { #(#variants,)* } #clone)
    } else {
        let with_columns = |field| iter::once(declaration(input, field)).chain(indexes::declarations(input, field));
        let fields = input.fields().flat_map(with_columns);
        quote_spanned!(here(input)=> #head struct #sealed #generics #bounds { #(#fields,)* } #clone)
    }
}

/// A row is copied when it is resealed.
fn clone(input: &Input) -> TokenStream {
    let root = root(input);
    let each = |field: &Field, value: &Ident| {
        let ty = &field.ty;
        match field.role {
            Role::Id | Role::Clear { .. } | Role::RecordTag => {
                quote_spanned!(at(field)=> <#ty as #root::__private::ClearField>::copied(#value))
            }
            _ => quote_spanned!(at(field)=> ::core::clone::Clone::clone(#value)),
        }
    };
    let copy = taken_apart(input, &input.sealed, each, |variant, parts| {
        let path = path_of(&input.sealed, variant);
        let fields = variant.fields.iter().map(|field| &field.name);
        let columns = indexes::copied(input);
        quote_spanned!(here(input)=> #path { #(#fields: #parts,)* #columns })
    });
    let body = quote_spanned! {here(input)=>
        fn clone(&self) -> Self {
            #copy
        }
    };
    implement(input, &quote_spanned!(here(input)=> ::core::clone::Clone), &input.sealed, &body)
}

fn of_serde(derive: &Path) -> bool {
    is_named(derive, "Serialize") || is_named(derive, "Deserialize")
}

/// Without what belongs to serde, if a struct with `plaintext` has it for that side alone: a twin that derives nothing of serde, and no
/// schema either, must not have it.
fn of_twin<'a>(input: &Input, attributes: &'a [Attribute]) -> impl Iterator<Item = &'a Attribute> {
    let is_schema = |path: &Path| is_named(path, "JsonSchema") || is_named(path, "ToSchema");
    let container = &input.container;
    let reads_serde = !container.plaintext || container.derives.iter().any(|path| of_serde(path) || is_schema(path));
    attributes.iter().filter(move |attribute| reads_serde || !attribute.path().is_ident("serde"))
}

fn doc(input: &Input) -> String {
    let name = &input.name;
    let how = match &input.container.kind {
        Kind::Record { name, .. } => format!(
            "`keys.seal(&value)` makes it, and `keys.open(&row, &access)` opens it (record type `{}`).",
            name.value()
        ),
        Kind::Part | Kind::Nested => "It is sealed and opened with the record that contains it.".to_owned(),
    };
    format!("[`{name}`] with its sealed fields as tokens, as it is stored.\n\n{how}")
}

fn declaration(input: &Input, field: &Field) -> TokenStream {
    let Field { name, visibility, docs, serde, twin, .. } = field;
    let (ty, serde) = (type_of(input, field), of_twin(input, serde));
    quote_spanned!(here(input)=> #(#docs)* #(#serde)* #(#[#twin])* #visibility #name: #ty)
}

/// Written as a person would write it wherever the tokens allow it: that is what the documentation shows, and other derives look at the
/// spelling of `Option`.
fn type_of(input: &Input, field: &Field) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match &field.role {
        Role::Id | Role::Clear { .. } | Role::RecordTag => quote_spanned!(here(input)=> #ty),
        Role::Part { .. } => quote_spanned!(at(field)=> #root::records::PartsTwin<#ty>),
        Role::Nested => quote_spanned!(at(field)=> <#ty as #root::records::PhiFields>::Sealed),
        Role::Seal(seal) => sealed(input, field, seal),
    }
}

fn sealed(input: &Input, field: &Field, seal: &Seal) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    let written = |value: TokenStream| {
        let form = form_name(input, field);
        quote_spanned!(at(field)=> #root::records::Via<#value, #form>)
    };
    match seal {
        Seal::Under(under) => match (&under.optional, &under.with) {
            (Some(inner), with) => {
                let present = present(input, field, inner);
                let value = if with.is_some() { written(present) } else { present };
                optional(ty, quote_spanned!(here(input)=> #root::Sealed<#value, #inner>))
            }
            (None, Some(_)) => {
                let (value, marker) = (written(ty.to_token_stream()), &under.marker);
                quote_spanned!(here(input)=> #root::Sealed<#value, #marker>)
            }
            (None, None) if !tokens::has_arguments(&under.marker) => {
                let marker = &under.marker;
                quote_spanned!(here(input)=> #root::Sealed<#ty, #marker>)
            }
            (None, None) => {
                let marker = &under.marker;
                quote_spanned!(at(field)=> #root::records::Twin<#ty, #marker>)
            }
        },
        Seal::OfType => {
            let phi = tokens::argument_of(ty, "Option").unwrap_or(ty);
            match tokens::arguments_of(phi, "Phi").as_deref() {
                Some([value, marker]) if std::ptr::eq(phi, ty) => {
                    quote_spanned!(here(input)=> #root::Sealed<#value, #marker>)
                }
                Some([value, marker]) => optional(ty, quote_spanned!(here(input)=> #root::Sealed<#value, #marker>)),
                _ => quote_spanned!(at(field)=> #root::records::Twin<#ty, #root::records::Own>),
            }
        }
    }
}

/// The token in the user's own `Option`.
fn optional(ty: &Type, token: TokenStream) -> TokenStream {
    match tokens::argument_of(ty, "Option") {
        Some(_) => tokens::with_argument(ty, token).into_token_stream(),
        None => quote!(::core::option::Option<#token>),
    }
}

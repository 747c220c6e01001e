//! What several parts of the output are made of.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Generics, Path, Type, WhereClause, parse_quote};

use crate::input::attributes::skip_value;
use crate::input::field::{Field, Role, Seal};
use crate::input::{Input, Variant, tokens};

pub(super) fn root(input: &Input) -> &Path {
    &input.container.root
}

/// The generics of an `impl` block: header, and bounds. The type of a field in question that mentions a parameter has the bound.
pub(super) fn generics(input: &Input, bound: &Path, needs: impl Fn(&Field) -> bool) -> (Generics, Option<WhereClause>) {
    let mut generics = input.generics.clone();
    let names: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for field in input.fields().filter(|field| needs(field)) {
        let ty = &field.ty;
        if names.iter().any(|name| tokens::mentions(ty, name)) {
            generics.make_where_clause().predicates.push(parse_quote!(#ty: #bound));
        }
    }
    let bounds = generics.where_clause.take();
    (generics, bounds)
}

/// An `impl` block for the struct or for its twin.
pub(super) fn implement(input: &Input, of: &TokenStream, name: &Ident, body: &TokenStream) -> TokenStream {
    let (generics, bounds) = generics(input, &parse_quote!(::core::clone::Clone), is_cloned);
    let (header, _, _) = generics.split_for_impl();
    let (_, arguments, _) = input.generics.split_for_impl();
    quote_spanned! {here(input)=>
        #[automatically_derived]
        #[allow(deprecated)]
        impl #header #of for #name #arguments #bounds {
            #body
        }
    }
}

pub(super) fn is_cloned(field: &Field) -> bool {
    matches!(field.role, Role::Id | Role::Clear { .. } | Role::RecordTag)
}

/// `self`, taken apart for what `each` returns for a field, whether it is a struct or an enum. `each` gets the field and the name of its
/// reference; what is not used is not named.
pub(super) fn taken_apart(
    input: &Input,
    name: &Ident,
    each: impl Fn(&Field, &Ident) -> TokenStream,
    whole: impl Fn(&Variant, Vec<TokenStream>) -> TokenStream,
) -> TokenStream {
    let arms = input.variants.iter().map(|variant| {
        let mut names = Vec::new();
        let mut parts = Vec::new();
        for (at, field) in variant.fields.iter().enumerate() {
            let reference = reference(field, at);
            let part = each(field, &reference);
            if tokens::mentions(&part, &reference) {
                let field = &field.name;
                names.push(quote_spanned!(here(input)=> #field: #reference));
            }
            parts.push(part);
        }
        let whole = whole(variant, parts);
        let path = path_of(name, variant);
        quote_spanned!(here(input)=> #path { #(#names,)* .. } => { #whole })
    });
    quote_spanned!(here(input)=> match self { #(#arms)* })
}

/// A mistake at what is written for the whole struct is shown at its name.
pub(super) fn here(input: &Input) -> Span {
    Span::call_site().located_at(input.name.span())
}

/// A mistake at what is written for a field is shown at the field's type.
pub(super) fn at(field: &Field) -> Span {
    Span::call_site().located_at(place(field))
}

fn place(field: &Field) -> Span {
    let start = field.ty.to_token_stream().into_iter().next();
    start.map_or_else(|| field.name.span(), |token| token.span())
}

/// The name of a reference to a field. A mistake at it is shown at the field's type.
pub(super) fn reference(field: &Field, at: usize) -> Ident {
    format_ident!("rxseal_{at}", span = Span::mixed_site().located_at(place(field)))
}

/// `Prescription`, or `Order::Prescription`.
pub(super) fn path_of(name: &Ident, variant: &Variant) -> TokenStream {
    match &variant.name {
        Some(variant) => quote!(#name::#variant),
        None => quote!(#name),
    }
}

/// The marker by which the core seals the field: the user's own, that of its type, or one that writes the value in another way.
pub(super) fn marker(input: &Input, field: &Field, seal: &Seal) -> TokenStream {
    let root = root(input);
    let Seal::Under(under) = seal else { return quote_spanned!(at(field)=> #root::records::Own) };
    if under.with.is_none() {
        return under.marker.to_token_stream();
    }
    let (form, inner) = (form_name(input, field), under.optional.as_ref().unwrap_or(&under.marker));
    let with = quote_spanned!(at(field)=> #root::records::With<#inner, #form>);
    match &under.optional {
        Some(_) => quote_spanned!(at(field)=> ::core::option::Option<#with>),
        None => with,
    }
}

/// `<Marker as TwinOf<String>>`, as seen from the field's type.
pub(super) fn twin_of(input: &Input, field: &Field, seal: &Seal) -> TokenStream {
    let (root, ty, marker) = (root(input), &field.ty, marker(input, field, seal));
    quote_spanned!(at(field)=> <#marker as #root::records::TwinOf<#ty>>)
}

/// The type of which a token was made, of a field under `Option<Marker>`.
pub(super) fn present(input: &Input, field: &Field, inner: &Type) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match tokens::argument_of(ty, "Option") {
        Some(present) => present.to_token_stream(),
        None => quote_spanned!(at(field)=> <#ty as #root::__private::IsOption<#inner>>::Present),
    }
}

/// `PrescriptionWrittenOn`, for the field `written_on` of `Prescription`: how it is written.
pub(super) fn form_name(input: &Input, field: &Field) -> Ident {
    format_ident!("{}{}", input.name.unraw(), in_words(&field.name), span = field.name.span())
}

fn in_words(name: &Ident) -> String {
    let mut words = String::new();
    for word in name.unraw().to_string().split('_') {
        let mut letters = word.chars();
        words.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        words.extend(letters);
    }
    words
}

/// A name of the derive's own, which no name of the user's meets.
pub(super) fn own(name: &str) -> Ident {
    format_ident!("rxseal_{name}", span = Span::mixed_site())
}

/// `result?`, in half the code: the compiler makes two calls of each `?` in a build that is not optimized.
pub(super) fn or_return(span: Span, result: &TokenStream) -> TokenStream {
    let (value, error) = (own("value"), own("error"));
    quote_spanned! {span=>
        match #result {
            ::core::result::Result::Ok(#value) => #value,
            ::core::result::Result::Err(#error) => return ::core::result::Result::Err(#error),
        }
    }
}

/// Whether a derive is the one of this name, whatever path stands before it.
pub(super) fn is_named(derive: &Path, name: &str) -> bool {
    derive.segments.last().is_some_and(|last| last.ident == name)
}

/// Whether serde reads the twin.
pub(super) fn reads_serde(input: &Input) -> bool {
    input.container.derives.iter().any(|derive| is_named(derive, "Deserialize"))
}

/// What serde is told of the parameters of a generic struct. By itself it would ask for `Deserialize<'de>` beside the bound
/// `DeserializeOwned` that a sealed field needs, and the compiler could not choose between the two.
pub(super) fn serde_bounds(input: &Input) -> Option<TokenStream> {
    let mut said = false;
    for attribute in &input.serde {
        // A mistake in it is serde's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            said |= meta.path.is_ident("bound");
            skip_value(&meta)
        });
    }
    if said || input.generics.type_params().next().is_none() {
        return None;
    }
    let root = root(input);
    let bounds = |bound: &TokenStream| {
        let all = input.generics.type_params().map(|parameter| &parameter.ident);
        quote!(#(#all: #bound),*).to_string()
    };
    let serialize = bounds(&quote!(#root::__private::serde::Serialize));
    let deserialize = bounds(&quote!(#root::__private::serde::de::DeserializeOwned));
    Some(quote!(#[serde(bound(serialize = #serialize, deserialize = #deserialize))]))
}

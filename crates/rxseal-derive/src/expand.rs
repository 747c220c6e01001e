//! What the derive writes: the twin, what seals and opens it, and the struct's `Debug`.

mod debug;
mod fields;
mod ids;
mod plaintext;
mod twin;
mod with;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Generics, Path, Type, WhereClause, parse_quote};

use crate::input::field::{Field, Role, Seal};
use crate::input::{Input, Variant, own, skip_value, tokens};

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
    let span = name.span();
    quote_spanned!(span=> const _: () = #root::__private::assert_unique(&<#name as #root::records::PhiFields>::FIELDS);)
}

/// What serde is told of the parameters of a generic struct. By itself it would ask for `Deserialize<'de>` beside the bound
/// `DeserializeOwned` that a sealed field needs, and the compiler could not choose between the two.
fn serde_bounds(input: &Input) -> Option<TokenStream> {
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

fn root(input: &Input) -> &Path {
    &input.container.root
}

/// The generics of an `impl` block: header, arguments of the type, and bounds. What is cloned must be `Clone`, what is printed `Debug`.
fn generics(input: &Input, bound: &Path, needs: impl Fn(&Field) -> bool) -> (Generics, Option<WhereClause>) {
    let mut generics = input.generics.clone();
    let names: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for name in names {
        if input.fields().any(|field| needs(field) && tokens::mentions(&field.ty, &name)) {
            generics.make_where_clause().predicates.push(parse_quote!(#name: #bound));
        }
    }
    let bounds = generics.where_clause.take();
    (generics, bounds)
}

/// An `impl` block for the struct or for its twin.
fn implement(input: &Input, of: &TokenStream, name: &Ident, body: &TokenStream) -> TokenStream {
    let (generics, bounds) = generics(input, &parse_quote!(::core::clone::Clone), is_cloned);
    let (header, _, _) = generics.split_for_impl();
    let (_, arguments, _) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #header #of for #name #arguments #bounds {
            #body
        }
    }
}

fn is_cloned(field: &Field) -> bool {
    matches!(field.role, Role::Id | Role::Clear { .. } | Role::RecordTag)
}

/// `self`, taken apart for what `each` returns for a field, whether it is a struct or an enum. `each` gets the field and the name of its
/// reference; what is not used is not named.
fn taken_apart(
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
                names.push(quote!(#field: #reference));
            }
            parts.push(part);
        }
        let whole = whole(variant, parts);
        let path = path_of(name, variant);
        quote!(#path { #(#names,)* .. } => { #whole })
    });
    quote!(match self { #(#arms)* })
}

/// The name of a reference to a field. A mistake at it is shown at the field's type.
fn reference(field: &Field, at: usize) -> Ident {
    let start = field.ty.to_token_stream().into_iter().next();
    let place = start.map_or_else(|| field.name.span(), |token| token.span());
    format_ident!("rxseal_{at}", span = own("").span().located_at(place))
}

/// `Prescription`, or `Order::Prescription`.
fn path_of(name: &Ident, variant: &Variant) -> TokenStream {
    match &variant.name {
        Some(variant) => quote!(#name::#variant),
        None => quote!(#name),
    }
}

/// The marker by which the core seals the field: the user's own, that of its type, or one that writes the value in another way.
fn marker(input: &Input, field: &Field, seal: &Seal) -> TokenStream {
    let root = root(input);
    match (seal, seal.with()) {
        (Seal::Marker { .. }, Some(_)) => with::marker_name(input, field).into_token_stream(),
        (Seal::Optional { .. }, Some(_)) => {
            let marker = with::marker_name(input, field);
            quote!(::core::option::Option<#marker>)
        }
        (Seal::Marker { marker, .. } | Seal::Optional { marker, .. }, None) => marker.to_token_stream(),
        (Seal::OfType, _) => quote!(#root::records::Own),
    }
}

/// `<Marker as TwinOf<String>>`, as seen from the field's type.
fn twin_of(input: &Input, field: &Field, seal: &Seal) -> TokenStream {
    let (root, ty, marker) = (root(input), &field.ty, marker(input, field, seal));
    quote!(<#marker as #root::records::TwinOf<#ty>>)
}

/// The type of which a token was made, of a field under `Option<Marker>`.
fn present(input: &Input, ty: &Type, inner: &Type) -> TokenStream {
    let root = root(input);
    match tokens::argument_of(ty, "Option") {
        Some(present) => present.to_token_stream(),
        None => quote!(<#ty as #root::__private::IsOption<#inner>>::Present),
    }
}

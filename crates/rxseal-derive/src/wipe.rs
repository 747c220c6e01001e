//! `#[derive(Wipe)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Error, Field, Fields, Generics, Ident, Result, Variant, parse_quote};

use crate::errors::Errors;
use crate::input::tokens::mentions;

/// The impl of `rxseal::forms::Wipe`, or the errors of all fields.
pub(crate) fn expand(input: &DeriveInput) -> TokenStream {
    implement(input).unwrap_or_else(Error::into_compile_error)
}

fn implement(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    no_option_here(&input.attrs)?;
    let (body, wiped) = match &input.data {
        Data::Struct(data) => {
            let wiped = wiped_fields(&data.fields)?;
            let arm = arm(&quote!(Self), &data.fields, &wiped);
            (quote!(match self { #arm }), wiped)
        }
        Data::Enum(data) => variants(data)?,
        Data::Union(data) => {
            let text = "a union cannot be wiped field by field: implement `rxseal::forms::Wipe` by hand";
            return Err(Error::new(data.union_token.span, text));
        }
    };
    let generics = bounded(&input.generics, &wiped);
    let (generics, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::rxseal::forms::Wipe for #name #arguments #bounds {
            fn wipe(&mut self) {
                #body
            }
        }
    })
}

/// Wipes what the variant has. Then a variant without fields takes its place, since which one it was may say as much as a field.
fn variants(data: &DataEnum) -> Result<(TokenStream, Vec<(usize, &Field)>)> {
    let (mut arms, mut wiped, mut errors) = (Vec::new(), Vec::new(), Errors::default());
    for Variant { attrs, ident, fields, .. } in &data.variants {
        errors.keep(no_option_here(attrs));
        if let Some(of_variant) = errors.keep(wiped_fields(fields)) {
            arms.push(arm(&quote!(Self::#ident), fields, &of_variant));
            wiped.extend(of_variant);
        }
    }
    errors.finish()?;
    if arms.is_empty() {
        return Ok((quote!(match *self {}), wiped));
    }
    let empty = data.variants.iter().find(|variant| variant.fields.is_empty());
    let overwrite = empty.map(|Variant { ident, fields, .. }| {
        let value = match fields {
            Fields::Named(_) => quote!(Self::#ident {}),
            Fields::Unnamed(_) => quote!(Self::#ident()),
            Fields::Unit => quote!(Self::#ident),
        };
        quote!(::rxseal::forms::Wipe::overwrite(self, #value);)
    });
    Ok((quote!(match self { #(#arms)* } #overwrite), wiped))
}

/// The arm of a match that wipes these fields.
fn arm(path: &TokenStream, fields: &Fields, wiped: &[(usize, &Field)]) -> TokenStream {
    let named = |(at, field): &(usize, &Field)| match &field.ident {
        Some(ident) => quote!(#ident),
        None => {
            let at = syn::Index::from(*at);
            quote!(#at)
        }
    };
    let members = wiped.iter().map(named);
    let places: Vec<Ident> = wiped.iter().map(|(at, _)| format_ident!("__field_{at}")).collect();
    let calls = wiped.iter().zip(&places).map(|((_, field), place)| {
        let ty = &field.ty;
        // At the field's type, so that an error points to it.
        quote_spanned!(ty.span()=> <#ty as ::rxseal::forms::Wipe>::wipe(#place);)
    });
    let rest = (wiped.len() < fields.len()).then(|| quote!(..));
    quote!(#path { #(#members: #places,)* #rest } => { #(#calls)* })
}

/// The fields without `#[wipe(skip)]`, each with its place.
fn wiped_fields(fields: &Fields) -> Result<Vec<(usize, &Field)>> {
    let (mut wiped, mut errors) = (Vec::new(), Errors::default());
    for (at, field) in fields.iter().enumerate() {
        if let Some(false) = errors.keep(is_skipped(field)) {
            wiped.push((at, field));
        }
    }
    errors.finish()?;
    Ok(wiped)
}

fn is_skipped(field: &Field) -> Result<bool> {
    let mut skipped = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("wipe")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("skip") {
                return Err(meta.error("the only option is `#[wipe(skip)]`, for a field that holds nothing secret"));
            }
            skipped = true;
            Ok(())
        })?;
    }
    Ok(skipped)
}

fn no_option_here(attributes: &[syn::Attribute]) -> Result<()> {
    let option = attributes.iter().find(|attribute| attribute.path().is_ident("wipe"));
    option.map_or(Ok(()), |option| Err(Error::new_spanned(option, "`#[wipe(skip)]` belongs on a field")))
}

/// `T: Wipe` for every type parameter that a wiped field names. Of the field's type itself it would be a circle for a recursive type.
fn bounded(generics: &Generics, wiped: &[(usize, &Field)]) -> Generics {
    let mut bounded = generics.clone();
    for parameter in bounded.type_params_mut() {
        if wiped.iter().any(|(_, field)| mentions(&field.ty, &parameter.ident)) {
            parameter.bounds.push(parse_quote!(::rxseal::forms::Wipe));
        }
    }
    bounded
}

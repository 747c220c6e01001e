//! What seals the fields of the struct, and what opens, shows and changes those of the twin.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Type;
use syn::ext::IdentExt;

use super::describe;
use super::indexes;
use super::pieces::{at, here, implement, marker, or_return, own, path_of, root, taken_apart, twin_of};
use crate::input::field::{Bind, Field, Role, Seal};
use crate::input::{Input, Variant, tokens};

/// `PhiFields`.
pub(super) fn of_the_struct(input: &Input) -> TokenStream {
    let (root, twin) = (root(input), &input.sealed);
    let (_, arguments, _) = input.generics.split_for_impl();
    let sealer = own("sealer");
    let ids = field_ids(input);
    let seal = taken_apart(
        input,
        &input.name,
        |field, value| seal(input, field, value, &sealer),
        |variant, parts| built(input, variant, &parts, twin, &indexes::filled(input)),
    );
    let (contexts, wipe, describe) = (contexts(input), wiped(input), describe::of_the_struct(input));
    let unique = (!input.generics.params.is_empty())
        .then(|| quote_spanned!(here(input)=> const { #root::__private::assert_unique(&<Self as #root::records::PhiFields>::FIELDS) }));
    implement(
        input,
        &quote_spanned!(here(input)=> #root::records::PhiFields),
        &input.name,
        &quote_spanned! {here(input)=>
            type Sealed = #twin #arguments;
            const FIELDS: #root::__private::FieldIds = #ids;
            #contexts
            #wipe
            #describe
            fn seal_fields(&self, #sealer: &mut #root::__private::RecordSealer<'_>) -> ::core::result::Result<Self::Sealed, #root::Error> {
                #unique
                #seal
            }
        },
    )
}

/// `SealedFields`.
pub(super) fn of_the_twin(input: &Input) -> TokenStream {
    let (root, name, sealed) = (root(input), &input.name, &input.sealed);
    let (_, arguments, _) = input.generics.split_for_impl();
    let cover = cover(input);
    let (opener, visit, change) = (own("opener"), own("visit"), own("change"));
    let steps =
        |_: &Variant, steps: Vec<TokenStream>| quote_spanned!(here(input)=> #(#steps)* ::core::result::Result::Ok(()));
    let open = taken_apart(
        input,
        sealed,
        |field, twin| open(input, field, twin, &opener),
        |variant, parts| built(input, variant, &parts, name, &TokenStream::new()),
    );
    let visits = taken_apart(
        input,
        sealed,
        |field, twin| visited(input, field, twin, &visit),
        |variant, all| {
            let is = bound_variant(input, variant, &visit);
            quote_spanned!(here(input)=> #is #(#all)* ::core::result::Result::Ok(()))
        },
    );
    let changes = taken_apart(input, sealed, |field, twin| changed(input, field, twin, &change), steps);
    implement(
        input,
        &quote_spanned!(here(input)=> #root::records::SealedFields),
        sealed,
        &quote_spanned! {here(input)=>
            type Open = #name #arguments;
            const COVER: u8 = #cover;
            fn open_fields(&self, #opener: &mut #root::__private::RecordOpener<'_>) -> ::core::result::Result<Self::Open, #root::Error> {
                #open
            }
            fn visit_tokens(&self, #visit: &mut impl #root::__private::TokenVisit) -> ::core::result::Result<(), #root::Error> {
                #visits
            }
            fn change_tokens(&mut self, #change: &mut impl #root::__private::TokenChange) -> ::core::result::Result<(), #root::Error> {
                #changes
            }
        },
    )
}

/// `HasField`, for each field that is sealed, so that one can be set alone. A variant's fields are not always there.
pub(super) fn settable(input: &Input) -> TokenStream {
    if input.is_enum {
        return TokenStream::new();
    }
    let root = root(input);
    let impls = input.fields().filter_map(|field| {
        let Role::Seal(seal) = &field.role else { return None };
        // Named as it is, because the compiler takes two projections for one type.
        let of = field_of(field, seal)?;
        let (marker, ty, name) = (marker(input, field, seal), &field.ty, &field.name);
        let index = indexes::of_field(input, field);
        Some(implement(
            input,
            &quote_spanned!(at(field)=> #root::records::HasField<#of>),
            &input.sealed,
            &quote_spanned! {here(input)=>
                type Value = #ty;
                type Marker = #marker;
                type Index = #index;
                fn twin_mut(&mut self) -> &mut #root::records::Twin<Self::Value, Self::Marker> {
                    &mut self.#name
                }
            },
        ))
    });
    quote_spanned!(here(input)=> #(#impls)*)
}

/// The field marker inside of a marker such as `Option<Each<Drug>>`, or of a type such as `Phi<String, Drug>`.
fn field_of<'f>(field: &'f Field, seal: &'f Seal) -> Option<&'f Type> {
    let Some(mut marker) = seal.under().map(|under| &under.marker) else {
        let phi = tokens::argument_of(&field.ty, "Option").unwrap_or(&field.ty);
        return tokens::arguments_of(phi, "Phi").and_then(|arguments| arguments.last().copied());
    };
    while let Some(inner) =
        ["Option", "Each", "Migrates", "Parts"].iter().find_map(|name| tokens::argument_of(marker, name))
    {
        marker = inner;
    }
    Some(marker)
}

fn field_ids(input: &Input) -> TokenStream {
    let root = root(input);
    let of = |variant: &Variant| {
        let own = variant.fields.iter().filter_map(|field| match &field.role {
            Role::Seal(seal) => {
                let twin_of = twin_of(input, field, seal);
                Some(quote_spanned!(at(field)=> #root::__private::declaration::<#twin_of::Field>()))
            }
            _ => None,
        });
        let nested = variant.fields.iter().filter_map(|field| match &field.role {
            Role::Nested => {
                let ty = &field.ty;
                Some(quote_spanned!(at(field)=> &<#ty as #root::records::PhiFields>::FIELDS))
            }
            _ => None,
        });
        let parts = variant.fields.iter().filter_map(|field| match &field.role {
            Role::Part { name } => Some(quote_spanned!(at(field)=> #name)),
            // FORMAT 4.7: the entries of a map are parts that are named as their field.
            Role::Seal(seal) if is_map(seal) => {
                let twin_of = twin_of(input, field, seal);
                Some(quote_spanned!(at(field)=> #root::__private::declaration::<#twin_of::Field>().id.as_str()))
            }
            _ => None,
        });
        let bound = variant.fields.iter().filter_map(|field| match &field.role {
            Role::Clear { bind: Some(bind) } => Some(&bind.id),
            _ => None,
        });
        quote_spanned!(here(input)=> own: &[#(#own),*], parts: &[#(#parts),*], bound: &[#(#bound),*], nested: &[#(#nested),*])
    };
    match input.variants.as_slice() {
        [only] if !input.is_enum => {
            let ids = of(only);
            quote_spanned!(here(input)=> #root::__private::FieldIds { #ids, variants: &[] })
        }
        variants => {
            let variants = variants.iter().map(|variant| {
                let ids = of(variant);
                quote_spanned!(here(input)=> &#root::__private::FieldIds { #ids, variants: &[] })
            });
            let bound = input.container.bind.iter();
            quote_spanned!(here(input)=> #root::__private::FieldIds { bound: &[#(#bound),*], variants: &[#(#variants),*], ..#root::__private::FieldIds::NONE })
        }
    }
}

/// Whether the entries of a map are sealed one by one.
fn is_map(seal: &Seal) -> bool {
    let Some(mut marker) = seal.under().map(|under| &under.marker) else { return false };
    while let Some(inner) = tokens::argument_of(marker, "Option") {
        marker = inner;
    }
    tokens::argument_of(marker, "Parts").is_some()
}

/// What wipes the sealed fields whose types can be wiped.
fn wiped(input: &Input) -> TokenStream {
    let root = root(input);
    let wipe = |field: &Field, value: &Ident| {
        let ty = &field.ty;
        match &field.role {
            Role::Part { .. } => quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::wipe_parts(#value);),
            Role::Nested => quote_spanned!(at(field)=> <#ty as #root::records::PhiFields>::wipe_sealed(#value);),
            Role::Seal(_) => quote_spanned!(at(field)=> #root::__private::Wiping(#value).wipe_if_it_can();),
            _ => TokenStream::new(),
        }
    };
    let steps = taken_apart(input, &input.name, wipe, |_, steps| quote_spanned!(here(input)=> #(#steps)*));
    quote_spanned! {here(input)=>
        fn wipe_sealed(&mut self) {
            #[allow(unused_imports)]
            use #root::__private::CannotWipe as _;
            #steps
        }
    }
}

/// How many contexts the parts have, if there can be one.
fn contexts(input: &Input) -> TokenStream {
    let root = root(input);
    let has_parts = |field: &Field| matches!(&field.role, Role::Part { .. } | Role::Nested | Role::Seal(_));
    if !input.fields().any(has_parts) {
        return TokenStream::new();
    }
    let count = |field: &Field, value: &Ident| {
        let ty = &field.ty;
        match &field.role {
            Role::Part { .. } => quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::contexts(#value),),
            Role::Nested => quote_spanned!(at(field)=> <#ty as #root::records::PhiFields>::contexts(#value),),
            // Only a marker with arguments, such as `Parts<F>`, has any.
            Role::Seal(seal) if seal.under().is_some_and(|under| tokens::has_arguments(&under.marker)) => {
                let twin_of = twin_of(input, field, seal);
                quote_spanned!(at(field)=> #twin_of::contexts(#value),)
            }
            _ => TokenStream::new(),
        }
    };
    let counts = taken_apart(
        input,
        &input.name,
        count,
        |_, counts| quote_spanned!(here(input)=> #root::__private::sum(&[#(#counts)*])),
    );
    quote_spanned! {here(input)=>
        fn contexts(&self) -> usize {
            #counts
        }
    }
}

/// The struct or the twin, of its fields and what else it has.
fn built(input: &Input, variant: &Variant, parts: &[TokenStream], name: &Ident, more: &TokenStream) -> TokenStream {
    let path = path_of(name, variant);
    let fields = variant.fields.iter().map(|field| &field.name);
    quote_spanned!(here(input)=> ::core::result::Result::Ok(#path { #(#fields: #parts,)* #more }))
}

/// The highest cover number of the fields, and of what they contain.
fn cover(input: &Input) -> TokenStream {
    let root = root(input);
    let numbers = input.fields().flat_map(|field| {
        let ty = &field.ty;
        let inside = match &field.role {
            Role::Part { .. } => Some(quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::COVER)),
            Role::Nested => Some(quote_spanned!(at(field)=> <<#ty as #root::records::PhiFields>::Sealed as #root::records::SealedFields>::COVER)),
            _ => None,
        };
        let own = field.since.as_ref().map(|since| quote_spanned!(since.span()=> #since));
        own.into_iter().chain(inside)
    });
    quote_spanned!(here(input)=> #root::__private::highest(&[1, #(#numbers),*]))
}

fn cloned(input: &Input, field: &Field, value: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    quote_spanned!(at(field)=> <#ty as #root::__private::ClearField>::copied(#value))
}

fn seal(input: &Input, field: &Field, value: &Ident, sealer: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match &field.role {
        Role::Id | Role::Clear { .. } | Role::RecordTag => cloned(input, field, value),
        Role::Part { name } => or_return(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::seal_parts(#value, #name, #sealer)),
        ),
        Role::Nested => or_return(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::records::PhiFields>::seal_fields(#value, #sealer)),
        ),
        Role::Seal(seal) => {
            let twin_of = twin_of(input, field, seal);
            or_return(at(field), &quote_spanned!(at(field)=> #twin_of::seal_twin(#value, #sealer)))
        }
    }
}

fn open(input: &Input, field: &Field, twin: &Ident, opener: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match &field.role {
        Role::Id | Role::Clear { .. } | Role::RecordTag => cloned(input, field, twin),
        Role::Part { name } => or_return(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::open_parts(#twin, #name, #opener)),
        ),
        Role::Nested => {
            or_return(at(field), &quote_spanned!(at(field)=> #root::records::SealedFields::open_fields(#twin, #opener)))
        }
        Role::Seal(seal) => {
            let twin_of = twin_of(input, field, seal);
            or_return(at(field), &quote_spanned!(at(field)=> #twin_of::open_twin(#twin, #opener)))
        }
    }
}

fn visited(input: &Input, field: &Field, twin: &Ident, visit: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    let step = match &field.role {
        Role::Id | Role::Clear { bind: None } | Role::RecordTag => return TokenStream::new(),
        Role::Clear { bind: Some(bind) } => bound(input, field, bind, twin, visit),
        Role::Part { name } => statement(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::visit_parts(#twin, #name, #visit)),
        ),
        Role::Nested => {
            statement(at(field), &quote_spanned!(at(field)=> #root::records::SealedFields::visit_tokens(#twin, #visit)))
        }
        Role::Seal(seal) => {
            let twin_of = twin_of(input, field, seal);
            statement(at(field), &quote_spanned!(at(field)=> #twin_of::visit_twin(#twin, #visit)))
        }
    };
    match &field.since {
        Some(since) => quote_spanned! {here(input)=>
            #root::__private::TokenVisit::since(#visit, #since);
            #step
            #root::__private::TokenVisit::since(#visit, 1);
        },
        None => step,
    }
}

/// The record tag covers which variant it is, if the enum says so.
fn bound_variant(input: &Input, variant: &Variant, visit: &Ident) -> Option<TokenStream> {
    let (root, id, name) = (root(input), input.container.bind.as_ref()?, variant.name.as_ref()?.unraw().to_string());
    Some(quote_spanned! {here(input)=>
        #root::__private::TokenVisit::clear(#visit, const { #root::FieldId::new(#id) }, ::core::option::Option::Some(#name))?;
    })
}

/// The canonical text of a readable field, for the record tag.
fn bound(input: &Input, field: &Field, Bind { id, scale }: &Bind, twin: &Ident, visit: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    let text = match scale {
        Some(scale) => or_return(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::__private::ScaledValue>::scaled_text(#twin, #scale)),
        ),
        None => {
            or_return(at(field), &quote_spanned!(at(field)=> <#ty as #root::__private::BoundValue>::bound_text(#twin)))
        }
    };
    quote_spanned! {here(input)=>
        #root::__private::TokenVisit::clear(#visit, const { #root::FieldId::new(#id) }, #text.as_deref())?;
    }
}

/// What ends the function on an error, and has no value.
fn statement(span: Span, result: &TokenStream) -> TokenStream {
    let done = or_return(span, result);
    quote_spanned!(span=> #done;)
}

fn changed(input: &Input, field: &Field, twin: &Ident, change: &Ident) -> TokenStream {
    let (root, ty) = (root(input), &field.ty);
    match &field.role {
        Role::Id | Role::Clear { .. } | Role::RecordTag => TokenStream::new(),
        Role::Part { name } => statement(
            at(field),
            &quote_spanned!(at(field)=> <#ty as #root::records::PhiParts>::change_parts(#twin, #name, #change)),
        ),
        Role::Nested => statement(
            at(field),
            &quote_spanned!(at(field)=> #root::records::SealedFields::change_tokens(#twin, #change)),
        ),
        Role::Seal(seal) => {
            let twin_of = twin_of(input, field, seal);
            statement(at(field), &quote_spanned!(at(field)=> #twin_of::change_twin(#twin, #change)))
        }
    }
}

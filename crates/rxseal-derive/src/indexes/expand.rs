//! What `indexes!` writes: a marker for each index, and the struct of what a row has of all of them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{LitInt, Path};

use super::component::{Component, FieldInput};
use super::former::{Former, FormerSlots};
use super::index::{IndexInput, Kind};
use super::record::RecordInput;
use super::slots::{OwnerInput, SlotsInput};
use super::words;
use crate::names;

pub(super) fn record(input: &RecordInput) -> TokenStream {
    let markers = input.indexes.iter().map(|index| marker(input, index));
    let record = &input.record;
    let Some(last) = record.segments.last() else { return TokenStream::new() };
    let (name, visibility) = (format_ident!("{}Indexes", last.ident), input.visibility());
    let text = format!("What a row has of each index of [`{}`]: a column of each.", last.ident);
    let columns = input.indexes.iter().map(column);
    let (names, fields): (Vec<_>, Vec<_>) =
        input.indexes.iter().map(|index| (&index.name, names::snake_case(&index.name))).unzip();
    quote! {
        #(#markers)*

        #[doc = #text]
        #[derive(Clone, Debug, PartialEq, Eq)]
        #visibility struct #name {
            #(#columns)*
        }

        impl ::rxseal::index::IndexedRecord for #record {
            const INDEXES: &'static [::rxseal::index::Definition] =
                &[#(<#names as ::rxseal::index::Index>::DEFINITION),*];
            const FORMER: &'static [&'static [::rxseal::index::Definition]] =
                &[#(<#names as ::rxseal::index::Index>::FORMER),*];
            type Indexes = #name;

            fn each_index(
                &self,
                each: &mut impl ::rxseal::index::EachIndex<Self>,
            ) -> ::core::result::Result<#name, ::rxseal::Error> {
                ::core::result::Result::Ok(#name { #(#fields: each.stored::<#names>(self)?),* })
            }
        }
    }
}

fn column(index: &IndexInput) -> TokenStream {
    let (visibility, name, field) = (&index.visibility, &index.name, names::snake_case(&index.name));
    let text = format!("The column of [`{name}`].");
    quote! {
        #[doc = #text]
        #visibility #field: <#name as ::rxseal::index::Index>::Stored,
    }
}

fn marker(record: &RecordInput, index: &IndexInput) -> TokenStream {
    let (visibility, name, attributes) = (&index.visibility, &index.name, &index.attributes);
    let text = format!("The index `{}`.", index.id.value());
    let doc = (!attributes.iter().any(|attribute| attribute.path().is_ident("doc"))).then(|| quote!(#[doc = #text]));
    let of = &record.record;
    let kind = match index.kind() {
        Kind::Whole => quote!(Whole),
        Kind::Compound => quote!(Compound),
        Kind::Parts => quote!(Parts),
        Kind::Sounds => quote!(Sounds),
    };
    let stored = match index.kind() {
        Kind::Whole | Kind::Compound => quote!(::core::option::Option<::rxseal::index::IndexValue<Self>>),
        Kind::Parts | Kind::Sounds => quote!(::rxseal::index::IndexSet<Self>),
    };
    let definition = definition(record, index, &kind, None);
    let former = index.former.iter().map(|former| self::definition(record, index, &kind, Some(former)));
    let fields = || index.components.iter().flat_map(|component| &component.fields);
    let markers: Vec<_> = fields().map(|field| &field.marker).collect();
    let places = fields().map(FieldInput::place);
    let (forms, sought, person) = (forms(index), sought(index), person(index));
    let searches = fields().map(|field| {
        let marker = &field.marker;
        quote_spanned!(marker.span()=> <#marker as ::rxseal::Field>::SEARCH)
    });
    let check = quote_spanned! {name.span()=>
        const _: () = ::rxseal::__private::check_searchable(::rxseal::index::Kind::#kind, &[#(#searches),*]);
    };
    quote! {
        #doc
        #(#attributes)*
        #[derive(Debug)]
        #visibility enum #name {}

        ::rxseal::__field_schema!(#name);

        impl ::rxseal::index::Index for #name {
            type Record = #of;
            type Stored = #stored;
            const DEFINITION: ::rxseal::index::Definition = #definition;
            const FORMER: &'static [::rxseal::index::Definition] = &[#(#former),*];
            const CLASSES: &'static [::rxseal::Class] = &[#(<#markers as ::rxseal::Field>::CLASS),*];
            const FIELDS: &'static [::rxseal::FieldId] = &[#(<#markers as ::rxseal::Field>::ID),*];
            const PLACES: &'static [&'static str] = &[#(#places),*];

            fn subject(record: &#of) -> ::core::option::Option<::rxseal::Identifier<'_>> {
                #[allow(unused_imports, reason = "of a record struct that names its subject")]
                use ::rxseal::__private::NoSubject as _;
                ::rxseal::__private::SubjectOf(record).id()
            }

            fn forms(
                record: &#of,
                definition: &::rxseal::index::Definition,
                forms: &mut ::rxseal::index::Forms,
            ) -> ::core::result::Result<(), ::rxseal::Error> {
                #forms
            }

            #person
        }

        #sought

        const _: () = {
            // `cargo check` gets this far, and not to what is only used.
            let _ = <#name as ::rxseal::index::Index>::DEFINITION;
            let _ = <#name as ::rxseal::index::Index>::FORMER;
        };
        #check
    }
}

/// The present definition, or a former one.
fn definition(record: &RecordInput, index: &IndexInput, kind: &TokenStream, former: Option<&Former>) -> TokenStream {
    let (record_type, id) = (&record.record_type, &index.id);
    let unique = LitInt::new("128", Span::call_site());
    let bits = former.and_then(|former| former.bits.as_ref()).or(index.bits.as_ref()).unwrap_or(&unique);
    let normalizers = normalizers(index, former);
    let slots = match former.map_or(&FormerSlots::Same, |former| &former.slots) {
        FormerSlots::Same => index.slots.as_ref(),
        FormerSlots::None => None,
        FormerSlots::Of(slots) => Some(slots),
    };
    let slots = slots.map(|slots| {
        let (table, owner) = (words::slots(&slots.table), owner(index, slots));
        quote!(.with_slots(&#table, ::rxseal::index::SlotOwner::#owner))
    });
    quote! {
        ::rxseal::index::Definition::new(#record_type, #id, ::rxseal::index::Kind::#kind, #bits, #normalizers) #slots
    }
}

/// Whose slot it is. A former definition has the present one's owner, if that has slots.
fn owner(index: &IndexInput, slots: &SlotsInput) -> TokenStream {
    let present = index.slots.as_ref().and_then(|slots| slots.owner.as_ref());
    match slots.owner.as_ref().or(present) {
        Some(OwnerInput::Person(..)) => quote!(Person),
        Some(OwnerInput::Record) | None => quote!(Record),
    }
}

/// The ids of the normalisers.
fn normalizers(index: &IndexInput, former: Option<&Former>) -> TokenStream {
    let former = former.and_then(|former| former.normalizers.as_ref());
    let of = |ty: &TokenStream| quote!(<#ty as ::rxseal_search::normal::Normalizer>::ID);
    let ids: Vec<_> = match former {
        Some(former) => former.iter().map(|(_, ty)| of(ty)).collect(),
        None => index.components.iter().map(|component| of(&component.normalizer)).collect(),
    };
    quote!(&[#(#ids),*])
}

/// The types of the normalisers: the present ones, and each former list that differs from it.
fn lists(index: &IndexInput) -> (Vec<TokenStream>, Vec<Vec<TokenStream>>) {
    let of_component = |Component { written, normalizer, .. }: &Component| lenient(index, written, normalizer);
    let present = index.components.iter().map(of_component).collect();
    let former = index.former.iter().filter_map(|former| former.normalizers.as_ref());
    (present, former.map(|list| list.iter().map(|(written, ty)| lenient(index, written, ty)).collect()).collect())
}

fn lenient(index: &IndexInput, written: &Path, ty: &TokenStream) -> TokenStream {
    match &index.lenient {
        Some(word) if words::has_check_digit(written) => {
            quote_spanned!(word.span()=> ::rxseal_search::normal::Lenient<#ty>)
        }
        _ => ty.clone(),
    }
}

/// The list as one type.
fn list_type(index: &IndexInput, list: &[TokenStream]) -> TokenStream {
    match index.kind() {
        Kind::Compound => quote!((#(#list),*)),
        Kind::Sounds => quote!(::rxseal_search::__private::BySound<#(#list),*>),
        Kind::Whole | Kind::Parts => quote!(::rxseal_search::__private::One<#(#list),*>),
    }
}

/// The body of `Index::forms`.
fn forms(index: &IndexInput) -> TokenStream {
    let (present, former) = lists(index);
    let present_type = list_type(index, &present);
    let former = former.iter().map(|list| {
        let forms = forms_by(index, list);
        let ty = list_type(index, list);
        // Two types may have one id, and differ in placeholders or checks. As in a query, the present one comes first.
        quote! {
            if !::rxseal_search::__private::is_by::<#present_type>(definition)
                && ::rxseal_search::__private::is_by::<#ty>(definition)
            {
                return #forms;
            }
        }
    });
    let forms = forms_by(index, &present);
    quote! {
        let _ = definition;
        #(#former)*
        #forms
    }
}

/// Writes the forms of a record by these normalisers.
fn forms_by(index: &IndexInput, normalizers: &[TokenStream]) -> TokenStream {
    let all = || normalizers.iter().zip(&index.components);
    match index.kind() {
        Kind::Parts | Kind::Sounds => {
            let writes = all().flat_map(|(normalizer, component)| {
                component.fields.iter().map(move |field| write(&quote!(parts), field, normalizer, &quote!(forms)))
            });
            quote!({ #(#writes?;)* ::core::result::Result::Ok(()) })
        }
        Kind::Whole | Kind::Compound => {
            let names: Vec<Ident> = (0..index.components.len()).map(|at| format_ident!("form_{at}")).collect();
            let writes = all().zip(&names).filter_map(|((normalizer, component), name)| {
                component.fields.first().map(|field| write(&quote!(form), field, normalizer, &quote!(&mut #name)))
            });
            quote!({
                #(let mut #names = ::rxseal_search::normal::NormalForm::new();)*
                #(#writes?;)*
                forms.push(&[#(#names.as_bytes()),*])
            })
        }
    }
}

fn write(call: &TokenStream, field: &FieldInput, normalizer: &TokenStream, to: &TokenStream) -> TokenStream {
    let value = field.value();
    quote_spanned!(field.path.span()=> ::rxseal_search::__private::#call::<#normalizer, _>(#value, #to))
}

/// What a query of the index is normalised by: the present list, then the former ones.
fn sought(index: &IndexInput) -> TokenStream {
    let (present, former) = lists(index);
    let name = &index.name;
    let sought = std::iter::once(&present).chain(&former).rev().fold(quote!(()), |rest, list| {
        let list = list_type(index, list);
        quote!((#list, #rest))
    });
    quote! {
        impl ::rxseal_search::SearchIndex for #name {
            type Normalizers = #sought;
        }
    }
}

fn person(index: &IndexInput) -> Option<TokenStream> {
    let Some(SlotsInput { owner: Some(OwnerInput::Person(name, id)), .. }) = &index.slots else { return None };
    let span = name.span();
    Some(quote_spanned! {span=>
        fn person(record: &Self::Record) -> ::core::option::Option<::rxseal::Identifier<'_>> {
            let #name = record;
            ::rxseal::records::AsSubjectId::as_subject_id(#id)
        }
    })
}

//! The index columns of the twin: what fills them, and what is checked of their indexes.

use std::iter;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::pieces::{at, here, own, reads_serde, root, twin_of};
use crate::input::Input;
use crate::input::columns::Column;
use crate::input::container::Kind;
use crate::input::field::{Field, Role};

/// The columns that come after a field, as fields of the twin.
pub(super) fn declarations<'i>(input: &'i Input, field: &'i Field) -> impl Iterator<Item = TokenStream> + 'i {
    // A row that was stored before it had the column is read without: nothing finds it until it is indexed.
    let serde = reads_serde(input).then(|| quote_spanned!(here(input)=> #[serde(default)]));
    let of_field = input.columns.iter().filter(|column| column.after == field.name);
    of_field.map(move |column| {
        let (root, Column { marker, name, visibility, .. }) = (root(input), column);
        let doc = format!(
            "What the row is found by in the index [`{}`].",
            marker.to_token_stream().to_string().replace(' ', "")
        );
        let stored = quote_spanned!(on(marker)=> <#marker as #root::index::Index>::Stored);
        quote_spanned!(here(input)=> #[doc = #doc] #serde #visibility #name: #stored)
    })
}

/// The columns of a row that is sealed from `self`.
pub(super) fn filled(input: &Input) -> TokenStream {
    let sealer = own("sealer");
    values(input, |column| stored(input, column, &quote_spanned!(here(input)=> self), &sealer.to_token_stream()))
}

/// The columns of a copy of `self`.
pub(super) fn copied(input: &Input) -> TokenStream {
    values(input, |Column { name, .. }| quote_spanned!(here(input)=> ::core::clone::Clone::clone(&self.#name)))
}

fn values(input: &Input, value: impl Fn(&Column) -> TokenStream) -> TokenStream {
    let all = input.columns.iter().map(|column| {
        let (name, value) = (&column.name, value(column));
        quote_spanned!(here(input)=> #name: #value,)
    });
    all.collect()
}

/// What `SealedRecord` says of the columns.
pub(super) fn of_the_row(input: &Input) -> TokenStream {
    if input.columns.is_empty() {
        return TokenStream::new();
    }
    let (root, plain, indexer) = (root(input), own("plain"), own("indexer"));
    let listed = listed(input);
    let filled = input.columns.iter().map(|column| {
        let (of, Column { marker, name, .. }) = (&input.name, column);
        quote_spanned!(marker.span()=> <#marker as #root::__private::IndexOf<#of>>::index_again(#plain, &mut self.#name, #indexer)?;)
    });
    let cleared = input
        .columns
        .iter()
        .map(|Column { name, .. }| quote_spanned!(here(input)=> self.#name = ::core::default::Default::default();));
    quote_spanned! {here(input)=>
        const INDEX_COLUMNS: &'static [#root::index::IndexColumn] = &[#listed];
        fn clear_indexes(&mut self) {
            #(#cleared)*
        }
        fn index_fields(&mut self, #plain: &Self::Open, #indexer: &mut #root::__private::RowIndexer<'_>) -> ::core::result::Result<(), #root::Error> {
            #(#filled)*
            ::core::result::Result::Ok(())
        }
    }
}

/// The columns, as `IndexColumn`s.
fn listed(input: &Input) -> TokenStream {
    let root = root(input);
    let columns = input.columns.iter().map(|Column { marker, name, .. }| {
        let text = name.unraw().to_string();
        quote_spanned!(here(input)=> #root::index::IndexColumn::of::<#marker>(#text))
    });
    quote_spanned!(here(input)=> #(#columns),*)
}

fn stored(input: &Input, Column { marker, .. }: &Column, plain: &TokenStream, sealer: &TokenStream) -> TokenStream {
    let (root, name) = (root(input), &input.name);
    quote_spanned!(on(marker)=> <#marker as #root::__private::IndexOf<#name>>::index(#plain, #sealer)?)
}

/// An index that is made of a field, so that the field is not set alone.
pub(super) fn of_field(input: &Input, field: &Field) -> TokenStream {
    field.indexes.first().map_or_else(|| quote_spanned!(here(input)=> ()), |named| named.marker.to_token_stream())
}

/// What only the compiler knows of the indexes, each at the token that it is about.
pub(super) fn checks(input: &Input) -> TokenStream {
    let Kind::Record { name: record_type, .. } = &input.container.kind else { return TokenStream::new() };
    if input.is_enum || input.container.projection || !input.generics.params.is_empty() {
        return TokenStream::new();
    }
    let (root, name, listed) = (root(input), &input.name, listed(input));
    let all = quote_spanned! {here(input)=>
        const _: () = {
            use #root::__private::NoList as _;
            #root::__private::assert_columns(#root::__private::ListOf::<#name>::INDEXES, &[#listed]);
        };
    };
    let of_indexes = input.columns.iter().map(|Column { marker, .. }| {
        let at = on(marker);
        checked(input, at, &quote_spanned!(at=> assert_record_type::<#marker>(#record_type)))
    });
    let of_fields =
        input.fields().flat_map(|field| input.columns.iter().filter_map(|column| of_both(input, field, column)));
    iter::once(all).chain(of_indexes).chain(of_fields).collect()
}

/// Whether an index is made of a field must agree with whether the field names it. Of what is inside a part or a nested struct, nothing
/// is set alone.
fn of_both(input: &Input, field: &Field, column: &Column) -> Option<TokenStream> {
    let Role::Seal(seal) = &field.role else { return None };
    let (marker, twin_of, place) = (&column.marker, twin_of(input, field, seal), field.name.unraw().to_string());
    Some(match field.indexes.iter().find(|named| column.is_named_by(named)) {
        Some(named) => {
            let at = on(&named.marker);
            checked(input, at, &quote_spanned!(at=> assert_made_of::<#marker, #twin_of::Field>(#place)))
        }
        None => {
            let at = at(field);
            checked(input, at, &quote_spanned!(at=> assert_not_made_of::<#marker, #twin_of::Field>(#place)))
        }
    })
}

/// A check that the compiler makes, which is shown at `at` if it fails.
fn checked(input: &Input, at: Span, check: &TokenStream) -> TokenStream {
    let root = root(input);
    quote_spanned! {at=>
        const _: () = {
            use #root::__private as rxseal_checks;
            rxseal_checks::#check;
        };
    }
}

/// What is written for an index is shown at its marker.
fn on(marker: &Path) -> Span {
    Span::call_site().located_at(marker.span())
}

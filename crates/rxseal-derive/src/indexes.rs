//! The macro `rxseal_search::indexes!`: the indexes of a record struct, each declared once.

mod component;
mod expand;
mod former;
mod index;
mod record;
mod slots;
mod words;

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};

use crate::errors::Errors;
use record::RecordInput;

pub(crate) fn indexes(input: &Indexes) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = input.records.iter().map(|record| {
        record.check(&mut errors);
        expand::record(record)
    });
    let expanded: TokenStream = expanded.collect();
    // What is declared is there in spite of a mistake, so the compiler does not report each use of it too.
    match errors.finish() {
        Ok(()) => expanded,
        Err(error) => error.into_compile_error(),
    }
}

/// One call of the macro: the indexes of one or several record structs.
pub(crate) struct Indexes {
    records: Vec<RecordInput>,
}

impl Parse for Indexes {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut records = Vec::new();
        while records.is_empty() || !input.is_empty() {
            records.push(input.parse()?);
        }
        Ok(Self { records })
    }
}

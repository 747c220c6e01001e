//! The macro `rxseal_search::indexes!`: the indexes of a record struct, each declared once.

mod component;
mod expand;
mod former;
mod index;
mod words;

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Path, Token, Visibility, braced};

use crate::errors::Errors;
use index::IndexInput;

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

/// `for Patient as "patient" { .. }`
struct RecordInput {
    visibility: Visibility,
    record: Path,
    record_type: LitStr,
    indexes: Vec<IndexInput>,
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

impl Parse for RecordInput {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let visibility = input.parse()?;
        input.parse::<Token![for]>()?;
        let record = input.parse()?;
        input.parse::<Token![as]>()?;
        let record_type = input.parse()?;
        let body;
        braced!(body in input);
        let indexes: Punctuated<_, Token![;]> = body.parse_terminated(IndexInput::parse, Token![;])?;
        Ok(Self { visibility, record, record_type, indexes: indexes.into_iter().collect() })
    }
}

impl RecordInput {
    fn check(&self, errors: &mut Errors) {
        words::check_name("a record type", &self.record_type, errors);
        if self.indexes.is_empty() {
            errors.at(&self.record, "it has no index");
        }
        for (at, index) in self.indexes.iter().enumerate() {
            index.check(errors);
            let mut before = self.indexes.iter().take(at);
            if before.any(|other| other.id.value() == index.id.value()) {
                errors.at(&index.id, "another index has this id");
            }
        }
    }

    /// The visibility of `PatientIndexes`: as written before `for`, or that of the first index.
    fn visibility(&self) -> &Visibility {
        match (&self.visibility, self.indexes.first()) {
            (Visibility::Inherited, Some(first)) => &first.visibility,
            (written, _) => written,
        }
    }
}

//! The indexes of one record struct, as they are written.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Path, Token, Visibility, braced};

use super::index::IndexInput;
use super::words;
use crate::errors::Errors;

/// `for Patient as "patient" { .. }`
pub(super) struct RecordInput {
    visibility: Visibility,
    pub(super) record: Path,
    pub(super) record_type: LitStr,
    pub(super) indexes: Vec<IndexInput>,
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
    pub(super) fn check(&self, errors: &mut Errors) {
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
    pub(super) fn visibility(&self) -> &Visibility {
        match (&self.visibility, self.indexes.first()) {
            (Visibility::Inherited, Some(first)) => &first.visibility,
            (written, _) => written,
        }
    }
}

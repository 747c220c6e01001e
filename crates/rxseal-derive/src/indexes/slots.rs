//! The slots of an index: the table, and whose a slot is.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Path, Token};

/// `us_surnames_1 by record`
pub(super) struct SlotsInput {
    pub(super) table: Path,
    /// `None` of a former definition, which has the present one's.
    pub(super) owner: Option<OwnerInput>,
}

pub(super) enum OwnerInput {
    Record,
    /// `|rx| &rx.patient_id`: the name, and what follows.
    Person(Ident, TokenStream),
}

impl SlotsInput {
    pub(super) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const OWNER: &str = "say whose slot it is, a person's and never a row's: `by record` if the table has one row for each person, \
                             `by |r| &r.person_id` otherwise";
        let table: Path = input.parse()?;
        let by = input.parse::<Option<Ident>>()?;
        if by.as_ref().is_none_or(|by| by != "by") {
            return Err(syn::Error::new_spanned(&table, OWNER));
        }
        if input.peek(Token![|]) {
            input.parse::<Token![|]>()?;
            let name = input.parse()?;
            input.parse::<Token![|]>()?;
            return Ok(Self { table, owner: Some(OwnerInput::Person(name, rest(input)?)) });
        }
        let owner: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), OWNER))?;
        if owner != "record" {
            return Err(syn::Error::new(owner.span(), OWNER));
        }
        Ok(Self { table, owner: Some(OwnerInput::Record) })
    }

    pub(super) fn parse_former(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { table: input.parse()?, owner: None })
    }
}

/// The tokens up to the next `,` or `;`.
fn rest(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = Vec::new();
    while !input.is_empty() && !input.peek(Token![,]) && !input.peek(Token![;]) {
        tokens.push(input.parse::<TokenTree>()?);
    }
    if tokens.is_empty() {
        Err(input.error("the person's id is missing: `by |r| &r.person_id`"))
    } else {
        Ok(tokens.into_iter().collect())
    }
}

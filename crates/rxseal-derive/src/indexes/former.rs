//! Former definitions of an index: what of them differs from the present one.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, Path, Token, bracketed, parenthesized, token};

use super::component;
use super::slots::SlotsInput;

/// One of `formerly [bits 20; bits 14, no slots]`
pub(super) struct Former {
    pub(super) bits: Option<LitInt>,
    pub(super) slots: FormerSlots,
    pub(super) normalizers: Option<Vec<(Path, TokenStream)>>,
}

/// What slots a former definition had.
pub(super) enum FormerSlots {
    /// The present ones.
    Same,
    None,
    Of(SlotsInput),
}

pub(super) fn list(input: ParseStream<'_>) -> syn::Result<Vec<Former>> {
    let word = input.cursor().span();
    let body;
    bracketed!(body in input);
    let all: Punctuated<Former, Token![;]> = body.parse_terminated(Former::parse, Token![;])?;
    if all.is_empty() || all.len() > 4 {
        return Err(syn::Error::new(word, "an index has 1 to 4 former definitions, separated by `;`"));
    }
    Ok(all.into_iter().collect())
}

impl Parse for Former {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        const WANTED: &str = "what differed: `bits 20`, `slots TABLE`, `no slots`, or the former normaliser";
        let mut former = Self { bits: None, slots: FormerSlots::Same, normalizers: None };
        let begin = input.cursor().span();
        while !input.is_empty() && !input.peek(Token![;]) {
            let ahead = input.fork();
            let word = ahead.parse::<Ident>().map(|word| word.to_string()).unwrap_or_default();
            match word.as_str() {
                "bits" => {
                    input.parse::<Ident>()?;
                    former.bits = Some(input.parse()?);
                }
                "slots" => {
                    input.parse::<Ident>()?;
                    former.slots = FormerSlots::Of(SlotsInput::parse_former(input)?);
                }
                "no" => {
                    input.parse::<Ident>()?;
                    let slots: Ident = input.parse()?;
                    if slots != "slots" {
                        return Err(syn::Error::new(slots.span(), WANTED));
                    }
                    former.slots = FormerSlots::None;
                }
                _ => former.normalizers = Some(normalizers(input)?),
            }
            if input.parse::<Option<Token![,]>>()?.is_none() {
                break;
            }
        }
        let same_slots = matches!(former.slots, FormerSlots::Same);
        if former.bits.is_none() && same_slots && former.normalizers.is_none() {
            return Err(syn::Error::new(begin, WANTED));
        }
        Ok(former)
    }
}

/// `exact`, or `(exact, date)` of a compound index.
fn normalizers(input: ParseStream<'_>) -> syn::Result<Vec<(Path, TokenStream)>> {
    let one = |input: ParseStream<'_>| component::normalizer(input).map(|(path, normalizer, _)| (path, normalizer));
    if !input.peek(token::Paren) {
        return Ok(vec![one(input)?]);
    }
    let body;
    parenthesized!(body in input);
    let all: Punctuated<_, Token![,]> = body.parse_terminated(one, Token![,])?;
    Ok(all.into_iter().collect())
}

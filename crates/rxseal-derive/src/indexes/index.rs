//! One index of `indexes!`, and what is wrong with it.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitInt, LitStr, Token, Visibility, parenthesized, token};

use super::component::Component;
use super::former::{self, Former};
use super::slots::SlotsInput;
use super::words;
use crate::errors::Errors;

const OPTIONS: &str = "the options of an index are `bits N`, `unique`, `slots TABLE by record`, `slots TABLE by |r| &r.person`, `lenient` \
                       and `formerly [..]`";

/// `pub BornOn = "patient.born": date(birth_date: DateOfBirth), bits 14`
pub(super) struct IndexInput {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) name: Ident,
    pub(super) id: LitStr,
    pub(super) components: Vec<Component>,
    /// It is written in parentheses.
    pub(super) compound: bool,
    pub(super) bits: Option<LitInt>,
    pub(super) unique: Option<Ident>,
    pub(super) slots: Option<SlotsInput>,
    pub(super) lenient: Option<Ident>,
    pub(super) former: Vec<Former>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Compound,
    Parts,
    Sounds,
}

impl Parse for IndexInput {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let (visibility, name) = (input.parse()?, input.parse()?);
        input.parse::<Token![=]>()?;
        let id = input.parse()?;
        input.parse::<Token![:]>()?;
        let compound = input.peek(token::Paren);
        let components = if compound { components(input)? } else { vec![input.parse()?] };
        let mut index = Self {
            attributes,
            visibility,
            name,
            id,
            components,
            compound,
            bits: None,
            unique: None,
            slots: None,
            lenient: None,
            former: Vec::new(),
        };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() && !input.peek(Token![;]) {
            index.option(input)?;
        }
        if !input.is_empty() && !input.peek(Token![;]) {
            return Err(input.error(OPTIONS));
        }
        Ok(index)
    }
}

fn components(input: ParseStream<'_>) -> syn::Result<Vec<Component>> {
    let body;
    parenthesized!(body in input);
    let all: Punctuated<_, Token![,]> = body.parse_terminated(Component::parse, Token![,])?;
    Ok(all.into_iter().collect())
}

impl IndexInput {
    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let word: Ident = input.parse()?;
        let twice = match word.to_string().as_str() {
            "bits" => self.bits.replace(input.parse()?).is_some(),
            "unique" => self.unique.replace(word.clone()).is_some(),
            "slots" => self.slots.replace(SlotsInput::parse(input)?).is_some(),
            "lenient" => self.lenient.replace(word.clone()).is_some(),
            "formerly" => {
                let before = !self.former.is_empty();
                self.former = former::list(input)?;
                before
            }
            _ => return Err(syn::Error::new(word.span(), OPTIONS)),
        };
        if twice { Err(syn::Error::new(word.span(), "it is said twice")) } else { Ok(()) }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.components.as_slice() {
            _ if self.compound => Kind::Compound,
            [only] if words::word(&only.written).is_some_and(|word| word == "sounds") => Kind::Sounds,
            [only] if only.parts => Kind::Parts,
            _ => Kind::Whole,
        }
    }

    pub(super) fn check(&self, errors: &mut Errors) {
        words::check_name("the id of an index", &self.id, errors);
        self.check_bits(errors);
        let kind = self.kind();
        if kind == Kind::Compound && !(2..=4).contains(&self.components.len()) {
            errors.at(&self.name, "a compound index has 2 to 4 components");
        }
        for component in &self.components {
            let several = matches!(kind, Kind::Parts | Kind::Sounds);
            if kind == Kind::Compound && component.parts {
                errors.at(&component.written, "a component of a compound index has one form, so it has no parts");
            }
            if let (false, [_, second, ..]) = (several, component.fields.as_slice()) {
                let text = "a whole value is of one field: several values of a record are `parts`, and one of several fields is a \
                            compound, `(family(..), date(..))`";
                errors.at(&second.path, text);
            }
        }
        if let Some(slots) = &self.slots {
            if kind == Kind::Compound {
                errors.at(&slots.table, "a compound index has no slots");
            }
            if self.unique.is_some() {
                errors.at(&slots.table, "a `unique` index has no slots: the same value must be the same");
            }
        }
        if let Some(lenient) = &self.lenient
            && !self.components.iter().any(|component| words::has_check_digit(&component.written))
        {
            errors.at(lenient, "only `npi` and `dea` have a check digit to be lenient about");
        }
        if let (Some(unique), Kind::Parts | Kind::Sounds) = (&self.unique, kind) {
            errors.at(unique, "an index of several values per record is not `unique`");
        }
        for former in &self.former {
            check_number(former.bits.as_ref(), errors);
            if let Some(normalizers) = former.normalizers.as_ref().filter(|all| all.len() != self.components.len()) {
                let place = normalizers.first().map(|(path, _)| path);
                errors.at(place, "a former definition has as many normalisers as the index has components");
            }
        }
    }

    fn check_bits(&self, errors: &mut Errors) {
        match (&self.bits, &self.unique) {
            (None, None) => errors.at(
                &self.name,
                "it says neither `bits N` nor `unique`: floor(log2 rows) - 5 of a date or a name, \
                                                   - 2 of nearly unique values such as a phone number",
            ),
            (Some(bits), Some(_)) => errors.at(bits, "a `unique` index has 128 bits, and says no others"),
            (bits, _) => check_number(bits.as_ref(), errors),
        }
    }
}

fn check_number(bits: Option<&LitInt>, errors: &mut Errors) {
    let Some(bits) = bits else { return };
    if !bits.base10_parse::<u8>().is_ok_and(|number| (8..=64).contains(&number)) {
        errors.at(bits, "an index value has 8 to 64 bits; a uniqueness check says `unique`");
    }
}

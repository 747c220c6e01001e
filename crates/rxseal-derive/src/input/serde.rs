//! What serde may be told of a field that is not readable. The twin gets these attributes.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Meta, Token};

use super::attributes::skip_value;
use crate::errors::Errors;

const TWICE: &str = "this field would be sealed twice: `#[phi(seal = ..)]` seals it, so leave out `Sealing`";
const WITH: &str = "serde would write the token with this: write #[phi(seal = Marker, with = \"..\")], which writes the value before it \
                    is sealed";

/// What the twin has in a field's place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Token,
    OptionalToken,
    /// Parts, or a nested struct.
    Struct,
    RecordTag,
}

/// Refuses what would lose a token, replace it or write it in another way.
pub(crate) fn check<'a>(attributes: impl Iterator<Item = &'a Meta>, place: Place, errors: &mut Errors) {
    for attribute in attributes.filter(|attribute| attribute.path().is_ident("serde")) {
        let Meta::List(list) = attribute else { continue };
        let mut refused = Vec::new();
        let parsed = list.parse_nested_meta(|meta| {
            if let Some(text) = refusal(&meta, place)? {
                refused.push(syn::Error::new_spanned(&meta.path, text));
            }
            Ok(())
        });
        for error in refused {
            errors.add(error);
        }
        errors.keep(parsed);
    }
}

/// Refuses a default for the whole struct, if a token could be the field that is missing.
pub(crate) fn check_container(attributes: &[Attribute], must_be_there: bool, errors: &mut Errors) {
    for attribute in attributes.iter().filter(|_| must_be_there) {
        let mut refused = None;
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                refused = Some(syn::Error::new_spanned(
                    &meta.path,
                    "a missing sealed field must not become a default value; write #[serde(default)] on the clear fields that may be absent",
                ));
            }
            value(&meta).map(drop)
        });
        if let Some(error) = refused {
            errors.add(error);
        }
        errors.keep(parsed);
    }
}

/// What is wrong with an attribute, if something is. Reads it to its end.
fn refusal(meta: &ParseNestedMeta<'_>, place: Place) -> syn::Result<Option<&'static str>> {
    let value = value(meta)?;
    let Some(key) = meta.path.get_ident().map(ToString::to_string) else { return Ok(None) };
    Ok(match (key.as_str(), place) {
        ("with" | "serialize_with" | "deserialize_with", Place::Token | Place::OptionalToken) => {
            Some(if value.is_some_and(|path| path.contains("Sealing")) { TWICE } else { WITH })
        }
        ("with" | "serialize_with" | "deserialize_with", Place::RecordTag) => {
            Some("a record tag has one form: leave this out")
        }
        ("flatten", Place::Token | Place::OptionalToken) => Some("a token has no fields to flatten: leave this out"),
        ("flatten", Place::RecordTag) => Some("a record tag has no fields to flatten: leave this out"),
        ("skip" | "skip_serializing" | "skip_deserializing", Place::Token | Place::OptionalToken | Place::Struct) => {
            Some("what is sealed and then skipped is lost at the next save: leave this out")
        }
        ("skip" | "skip_serializing" | "skip_deserializing" | "skip_serializing_if" | "default", Place::RecordTag) => {
            Some("a record without its tag must not be taken for one that needs none: leave this out")
        }
        ("default", Place::Token) => {
            Some("a missing sealed field must not become a default value; use `seal = Option<..>` if it may be absent")
        }
        ("default", Place::OptionalToken) if value.is_some() => {
            Some("a missing sealed field must not become a default value: `default` alone makes it `None`")
        }
        ("skip_serializing_if", Place::Token) => {
            Some("a sealed field is always written; use `seal = Option<..>` if it may be absent")
        }
        ("skip_serializing_if", Place::OptionalToken)
            if !value.is_some_and(|path| path.ends_with("Option::is_none")) =>
        {
            Some("a token can be left out only if it is absent: write `skip_serializing_if = \"Option::is_none\"`")
        }
        _ => None,
    })
}

/// The text of an attribute if it has one. Reads the attribute to its end.
fn value(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        let text = meta.value()?.fork().parse::<LitStr>().ok().map(|text| text.value());
        skip_value(meta)?;
        return Ok(text);
    }
    skip_value(meta)?;
    Ok(None)
}

//! A component of an index: a normaliser, and the fields whose values it gets.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Path, Token, parenthesized};

use super::words;

/// `family_parts(last_name: LastName, former: FormerName)`
pub(super) struct Component {
    /// As written, for messages.
    pub(super) written: Path,
    /// Its type.
    pub(super) normalizer: TokenStream,
    pub(super) parts: bool,
    pub(super) fields: Vec<FieldInput>,
}

/// `last_name: LastName`, or `name.family: LastName`
pub(super) struct FieldInput {
    pub(super) path: Punctuated<Ident, Token![.]>,
    pub(super) marker: Path,
}

/// The normaliser as it is written: its type, and whether it gives parts.
pub(super) fn normalizer(input: ParseStream<'_>) -> syn::Result<(Path, TokenStream, bool)> {
    let path: Path = input.call(path)?;
    let is_word = |word: &str| words::word(&path).is_some_and(|written| written == word);
    if is_word("parts") {
        let of: Path = input.call(self::path)?;
        let normalizer = words::normalizer(&of)?;
        return Ok((of, normalizer, true));
    }
    if let Some(word) = words::word(&path) {
        let text = word.to_string();
        if let Some(of) = text.strip_suffix("_parts") {
            let of = Path::from(Ident::new(of, word.span()));
            let normalizer = words::normalizer(&of)?;
            return Ok((path, normalizer, true));
        }
    }
    let normalizer = words::normalizer(&path)?;
    Ok((path, normalizer, false))
}

/// A path of types, such as `Family<OurPlaceholders>`. `(` ends it.
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let mut path = Path { leading_colon: input.parse()?, segments: Punctuated::new() };
    loop {
        let ident: Ident = input.call(syn::ext::IdentExt::parse_any)?;
        let arguments = if input.peek(Token![<]) {
            syn::PathArguments::AngleBracketed(input.parse()?)
        } else {
            syn::PathArguments::None
        };
        path.segments.push_value(syn::PathSegment { ident, arguments });
        if !input.peek(Token![::]) {
            return Ok(path);
        }
        path.segments.push_punct(input.parse()?);
    }
}

impl Parse for Component {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (written, normalizer, parts) = normalizer(input)?;
        let fields;
        parenthesized!(fields in input);
        let fields: Punctuated<_, Token![,]> = fields.parse_terminated(FieldInput::parse, Token![,])?;
        if fields.is_empty() {
            return Err(syn::Error::new_spanned(&written, "it names no field: write `word(field: Marker)`"));
        }
        Ok(Self { written, normalizer, parts, fields: fields.into_iter().collect() })
    }
}

impl Parse for FieldInput {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let path = Punctuated::parse_separated_nonempty(input)?;
        if !input.peek(Token![:]) {
            return Err(input.error("the field's marker is missing: write `field: Marker`"));
        }
        input.parse::<Token![:]>()?;
        let marker: Path = input.call(self::path)?;
        match within_option(&marker) {
            Some(inner) => Err(syn::Error::new_spanned(
                &marker,
                format!("write the marker without `Option`, as `{inner}`: a field that is `None` has no index value"),
            )),
            None => Ok(Self { path, marker }),
        }
    }
}

/// What is in an `Option<Marker>`, as `#[phi(seal = ..)]` has it.
fn within_option(marker: &Path) -> Option<String> {
    let last = marker.segments.last().filter(|last| last.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(of) = &last.arguments else { return None };
    Some(of.args.to_token_stream().to_string().replace(' ', ""))
}

impl FieldInput {
    /// As it is named in the record.
    pub(super) fn place(&self) -> String {
        self.path.iter().map(|ident| ident.unraw().to_string()).collect::<Vec<_>>().join(".")
    }

    /// The field of `record`, spanned so that the compiler's words are at the user's.
    pub(super) fn value(&self) -> TokenStream {
        let span = self.path.last().map_or_else(proc_macro2::Span::call_site, Ident::span);
        let path = &self.path;
        quote_spanned!(span=> &record.#path)
    }
}

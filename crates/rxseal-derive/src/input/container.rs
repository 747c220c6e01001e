//! `#[phi(..)]` on the struct or enum.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Meta, Path, Token, parenthesized, parse_quote_spanned};

use crate::errors::Errors;

/// A record has at most this many former types.
const MAX_FORMER: usize = 4;
const NO_KIND: &str = "say what this struct is: #[phi(record = \"stable-name\")] for what is stored by itself, #[phi(part)] for a part that is \
                       repeated in a record, or #[phi(nested)] for fields that a record or a part contains";

pub(crate) struct Container {
    pub(crate) kind: Kind,
    /// Attributes of the twin that come before its derives.
    pub(crate) before: Vec<Meta>,
    pub(crate) derives: Vec<Path>,
    /// Attributes of the twin that come after its derives.
    pub(crate) after: Vec<Meta>,
    /// The twin's name, if it is not `Sealed` and the struct's own.
    pub(crate) sealed: Option<Ident>,
    pub(crate) plaintext: bool,
    /// Whether it has fewer columns than the record.
    pub(crate) projection: bool,
    /// The id under which a record tag covers which variant of an enum it is.
    pub(crate) bind: Option<LitStr>,
    pub(crate) debug: bool,
    /// The path of the crate `rxseal`.
    pub(crate) root: Path,
}

/// What is sealed, and so in which context.
pub(crate) enum Kind {
    Record { name: LitStr, former: Vec<LitStr> },
    Part,
    Nested,
}

#[derive(Default)]
struct Found {
    record: Option<LitStr>,
    former: Vec<LitStr>,
    part: Option<Path>,
    nested: Option<Path>,
    derives: Option<Vec<Path>>,
    before: Vec<Meta>,
    after: Vec<Meta>,
    sealed: Option<Ident>,
    plaintext: bool,
    projection: Option<Path>,
    bind: Option<LitStr>,
    no_debug: bool,
    root: Option<Path>,
}

impl Container {
    pub(crate) fn read(name: &Ident, attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut found = Found::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("phi")) {
            let parsed = attribute.parse_nested_meta(|meta| found.take(&meta));
            errors.keep(parsed);
        }
        found.finish(name, errors)
    }
}

impl Found {
    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(key) = meta.path.get_ident().map(ToString::to_string) else { return Err(unknown(meta)) };
        match key.as_str() {
            "record" => once(meta, &mut self.record, text(meta, "record = \"prescription\"")?),
            "was" => {
                self.former.push(text(meta, "was = \"rx\"")?);
                Ok(())
            }
            "part" if meta.input.peek(Token![=]) => {
                Err(meta.error("`part` on a struct takes no name: the field that holds the parts names them, as in `#[phi(part = \"line\")]`"))
            }
            "part" => once(meta, &mut self.part, meta.path.clone()),
            "nested" => once(meta, &mut self.nested, meta.path.clone()),
            "derive" => {
                self.derives.get_or_insert_default().extend(list::<Path>(meta)?);
                Ok(())
            }
            "attr" => {
                let attributes = if self.derives.is_some() { &mut self.after } else { &mut self.before };
                attributes.extend(twin_attributes(meta)?);
                Ok(())
            }
            "sealed" => once(meta, &mut self.sealed, meta.value()?.parse()?),
            "plaintext" => {
                self.plaintext = true;
                Ok(())
            }
            "projection" => once(meta, &mut self.projection, meta.path.clone()),
            "bind" => once(meta, &mut self.bind, text(meta, "bind = \"event.kind\"")?),
            "no_debug" => {
                self.no_debug = true;
                Ok(())
            }
            "crate" => once(meta, &mut self.root, meta.value()?.call(Path::parse_mod_style)?),
            _ => Err(unknown(meta)),
        }
    }

    fn finish(self, name: &Ident, errors: &mut Errors) -> Container {
        for text in self.record.iter().chain(&self.former) {
            check_name(text, "a record type", errors);
        }
        if let Some(last) = self.former.get(MAX_FORMER) {
            errors.at(
                last,
                "a record has at most 4 former types: reseal what is under the oldest one, then leave it out",
            );
        }
        for (at, text) in self.former.iter().enumerate() {
            let earlier = self.former.iter().take(at).chain(&self.record);
            if earlier.into_iter().any(|earlier| earlier.value() == text.value()) {
                errors.at(text, "this record type is named twice here");
            }
        }
        if let (None, Some(text)) = (&self.record, self.former.first()) {
            errors.at(
                text,
                "`was` names a former record type, and only a record has one: #[phi(record = \"..\", was = \"..\")]",
            );
        }
        if let (None, Some(word)) = (&self.record, &self.projection) {
            errors.at(word, "a projection selects columns of a record, so it names the record's type: #[phi(record = \"..\", projection)]");
        }
        if let Some(id) = &self.bind {
            check_name(id, "the id of a bound variant", errors);
        }
        let kinds = [
            self.record.as_ref().map(ToTokens::to_token_stream),
            words(self.part.as_ref()),
            words(self.nested.as_ref()),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (None, _) => errors.at(name, NO_KIND),
            (Some(_), None) => {}
            (Some(_), Some(second)) => {
                errors.at(
                    second,
                    "a struct is one of `record`, `part` and `nested`, since each is sealed in a context of its own",
                );
            }
        }
        let kind = match (self.record, self.part) {
            (Some(name), _) => Kind::Record { name, former: self.former },
            (None, Some(_)) => Kind::Part,
            (None, None) => Kind::Nested,
        };
        if self.sealed.as_ref().is_some_and(|sealed| sealed == name) {
            errors.at(&self.sealed, "the sealed struct needs a name of its own");
        }
        Container {
            kind,
            before: self.before,
            derives: self.derives.unwrap_or_default(),
            after: self.after,
            sealed: self.sealed,
            plaintext: self.plaintext,
            projection: self.projection.is_some(),
            bind: self.bind,
            debug: !self.no_debug,
            root: self
                .root
                .unwrap_or_else(|| parse_quote_spanned!(Span::call_site().located_at(name.span())=> ::rxseal)),
        }
    }
}

fn words(path: Option<&Path>) -> Option<TokenStream> {
    path.map(ToTokens::to_token_stream)
}

fn unknown(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(
        "a struct says `record = \"..\"`, `was = \"..\"`, `part`, `nested`, `derive(..)`, `attr(..)`, `sealed = Name`, `plaintext`, `projection`, `bind = \"..\"`, \
         `no_debug` or `crate = path`",
    )
}

/// Sets an option, and refuses to set it twice.
pub(crate) fn once<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T) -> syn::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this is said twice")),
    }
}

/// The text after `key =`.
pub(crate) fn text(meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<LitStr> {
    let wrong = || format!("a text in quotes is needed here, as in `{example}`");
    if !meta.input.peek(Token![=]) {
        return Err(meta.error(wrong()));
    }
    let value = meta.value()?;
    let at = value.span();
    value.parse().map_err(|_error| syn::Error::new(at, wrong()))
}

fn list<T: syn::parse::Parse>(meta: &ParseNestedMeta<'_>) -> syn::Result<Punctuated<T, Token![,]>> {
    if !meta.input.peek(syn::token::Paren) {
        return Err(meta.error("a list in parentheses is needed here"));
    }
    let inside;
    parenthesized!(inside in meta.input);
    Punctuated::parse_terminated(&inside)
}

/// What `attr(..)` gives the twin.
pub(crate) fn twin_attributes(meta: &ParseNestedMeta<'_>) -> syn::Result<Punctuated<Meta, Token![,]>> {
    let attributes = list::<Meta>(meta)?;
    match attributes.iter().find(|attribute| attribute.path().is_ident("phi") || attribute.path().is_ident("derive")) {
        Some(wrong) => Err(syn::Error::new_spanned(
            wrong.path(),
            "`attr` takes the attributes of other crates, as in `attr(sqlx(rename = \"rx_no\"))`; derives go into `derive(..)`",
        )),
        None => Ok(attributes),
    }
}

/// What the core checks at run time is checked here at the literal (FORMAT 1.3).
pub(crate) fn check_name(text: &LitStr, what: &str, errors: &mut Errors) {
    let value = text.value();
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    let first = value.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !first || value.len() > 64 || !value.bytes().all(legal) {
        errors
            .at(text, format_args!("{what} is 1 to 64 characters of a-z 0-9 . _ - and starts with a letter or digit"));
    }
}

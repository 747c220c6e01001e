//! `#[phi(..)]` on a field.

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, ExprPath, Ident, Lit, LitInt, LitStr, Meta, Path, Token, Type, Visibility};

use super::attributes::named;
use super::container::{Kind, check_name, once, text, twin_attributes};
use super::index::{self, Named};
use super::serde;
use super::tokens::{argument_of, borrow_of, has_arguments};
use crate::errors::Errors;

const EXAMPLE: &str = "`seal` takes a field marker declared with rxseal::fields!, for example `seal = PatientName`";
const SINCE: &str = "the number of a cover is needed here, from 2 to 255, as in `since = 2`";
const BORROWED: &str = "a record owns its fields: write `String` for `&str`, and `Vec<T>` for `&[T]`";

pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) ty: Type,
    /// Its docs, and the lints that it allows.
    pub(crate) docs: Vec<Attribute>,
    pub(crate) serde: Vec<Attribute>,
    /// What only the twin has.
    pub(crate) twin: Vec<Meta>,
    pub(crate) role: Role,
    pub(crate) subject: bool,
    /// From which set on a record tag covers the field.
    pub(crate) since: Option<LitInt>,
    /// The indexes that are made of it.
    pub(crate) indexes: Vec<Named>,
}

/// What becomes of a field.
pub(crate) enum Role {
    Id,
    /// Sealed under a marker, or under the one that its type knows.
    Seal(Seal),
    Clear {
        bind: Option<Bind>,
    },
    Part {
        name: LitStr,
    },
    Nested,
    RecordTag,
}

/// What a record tag covers of a readable field.
pub(crate) struct Bind {
    pub(crate) id: LitStr,
    /// The digits of fraction of a decimal.
    pub(crate) scale: Option<LitInt>,
}

pub(crate) enum Seal {
    /// `seal = Drug`
    Under(Box<Under>),
    /// `seal`, of a type such as `Phi<String, Drug>`.
    OfType,
}

pub(crate) struct Under {
    /// As the user wrote it.
    pub(crate) marker: Type,
    /// The marker inside, if it is an `Option<Marker>` whose field says so too.
    pub(crate) optional: Option<Type>,
    pub(crate) with: Option<ExprPath>,
}

impl Seal {
    pub(crate) fn under(&self) -> Option<&Under> {
        match self {
            Self::Under(under) => Some(under),
            Self::OfType => None,
        }
    }

    /// Whether the twin may have nothing in the place of the token.
    pub(crate) fn is_optional(&self, ty: &Type) -> bool {
        match self {
            Self::Under(under) => argument_of(&under.marker, "Option").is_some(),
            Self::OfType => argument_of(ty, "Option").is_some(),
        }
    }
}

#[derive(Default)]
struct Found {
    /// Each role with the word that says it.
    id: Option<Path>,
    subject: Option<Path>,
    seal: Option<(Path, Option<Type>)>,
    clear: Option<Path>,
    part: Option<(Path, LitStr)>,
    nested: Option<Path>,
    record_tag: Option<Path>,
    with: Option<(Path, ExprPath)>,
    bind: Option<(Path, LitStr)>,
    scale: Option<(Path, LitInt)>,
    since: Option<(Path, LitInt)>,
    indexes: Vec<Named>,
    twin: Vec<Meta>,
}

impl Field {
    pub(crate) fn read(field: syn::Field, kind: &Kind, errors: &mut Errors) -> Option<Self> {
        let name = field.ident?;
        let mut found = Found::default();
        let mut failed = false;
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("phi")) {
            failed |= errors.keep(attribute.parse_nested_meta(|meta| found.take(&meta))).is_none();
        }
        if let Some(borrow) = borrow_of(&field.ty) {
            errors.at(borrow, BORROWED);
        }
        // What could not be read may have been the role: one error is enough.
        let role = if failed { None } else { found.role(&name, kind, errors) };
        let serde = named(&field.attrs, &["serde"]);
        let role = role?;
        let place = match &role {
            Role::Id | Role::Clear { .. } => None,
            Role::Seal(seal) if seal.is_optional(&field.ty) => Some(serde::Place::OptionalToken),
            Role::Seal(_) => Some(serde::Place::Token),
            Role::Part { .. } | Role::Nested => Some(serde::Place::Struct),
            Role::RecordTag => Some(serde::Place::RecordTag),
        };
        if let Some(place) = place {
            let metas = serde.iter().map(|attribute| &attribute.meta);
            serde::check(metas.chain(found.twin.iter()), place, errors);
        }
        Some(Self {
            name,
            visibility: field.vis,
            docs: named(&field.attrs, &["doc", "allow"]),
            serde,
            twin: found.twin,
            role,
            subject: found.subject.is_some(),
            since: found.since.map(|(_, set)| set),
            indexes: found.indexes,
            ty: field.ty,
        })
    }
}

impl Found {
    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let word = || meta.path.clone();
        let Some(key) = meta.path.get_ident().map(ToString::to_string) else { return Err(unknown(meta)) };
        match key.as_str() {
            "id" => once(meta, &mut self.id, word()),
            "subject" => once(meta, &mut self.subject, word()),
            "seal" => once(meta, &mut self.seal, (word(), marker(meta)?)),
            "clear" => once(meta, &mut self.clear, word()),
            "part" => once(meta, &mut self.part, (word(), text(meta, "part = \"line\"")?)),
            "nested" => once(meta, &mut self.nested, word()),
            "record_tag" => once(meta, &mut self.record_tag, word()),
            "with" => once(meta, &mut self.with, (word(), text(meta, "with = \"time::serde::rfc3339\"")?.parse()?)),
            "bind" => once(meta, &mut self.bind, (word(), text(meta, "bind = \"rx.status\"")?)),
            "scale" => once(
                meta,
                &mut self.scale,
                (word(), number(meta, 0, "the digits of fraction are a number, as in `scale = 2`")?),
            ),
            "since" => once(meta, &mut self.since, (word(), number(meta, 2, SINCE)?)),
            "index" => {
                self.indexes.push(index::named(meta)?);
                Ok(())
            }
            "attr" => {
                self.twin.extend(twin_attributes(meta)?);
                Ok(())
            }
            _ => Err(unknown(meta)),
        }
    }

    fn role(&mut self, name: &Ident, kind: &Kind, errors: &mut Errors) -> Option<Role> {
        let key = |path: &Path| path.to_token_stream();
        // An id may be the subject's too, in a patient's own row, and the subject's id is readable whether the field says so or not.
        let alone = self.subject.as_ref().filter(|_| self.id.is_none() && self.clear.is_none());
        let said = [
            self.id.as_ref().map(key),
            alone.map(key),
            self.seal.as_ref().map(|(path, _)| key(path)),
            self.clear.as_ref().map(key),
            self.part.as_ref().map(|(path, _)| key(path)),
            self.nested.as_ref().map(key),
            self.record_tag.as_ref().map(key),
        ];
        let mut said = said.into_iter().flatten();
        match (said.next(), said.next()) {
            (None, _) => {
                errors.at(
                    name,
                    format_args!(
                        "field `{name}` is neither sealed nor clear: say #[phi(seal = Marker)] to encrypt it or #[phi(clear)] to store it readable"
                    ),
                );
                return None;
            }
            (Some(_), None) => {}
            (Some(first), Some(second)) => {
                errors.at(
                    second,
                    format_args!("field `{name}` is already `{first}`: a field is one of `id`, `subject`, `seal`, `clear`, `part`, `nested` and `record_tag`"),
                );
                return None;
            }
        }
        self.check_place(kind, errors);
        self.check_options(errors);
        Some(self.chosen(errors))
    }

    /// Whether such a struct may have such a field.
    fn check_place(&self, kind: &Kind, errors: &mut Errors) {
        if let (Some(word), Kind::Nested) = (&self.id, kind) {
            errors.at(
                word,
                "a nested struct has no id, since it is sealed with the ids of what contains it: say `clear`",
            );
        }
        if let (Some(word), Kind::Part | Kind::Nested) = (&self.subject, kind) {
            errors.at(
                word,
                "the subject is the record's: say `subject` in the struct with `record = \"..\"`, and `clear` here",
            );
        }
        if let (Some(word), Kind::Part | Kind::Nested) = (&self.record_tag, kind) {
            errors.at(
                word,
                "a record tag covers a whole record with its parts: put it into the struct with `record = \"..\"`",
            );
        }
    }

    fn check_options(&self, errors: &mut Errors) {
        if let Some((_, name)) = &self.part {
            check_name(name, "a part's name", errors);
        }
        if let Some((word, id)) = &self.bind {
            check_name(id, "the id of a bound field", errors);
            if self.clear.is_none() {
                errors.at(word, "`bind` puts a readable field under the record tag, as in #[phi(clear, bind = \"rx.status\")]; the other fields are under it anyway");
            }
        }
        if let (Some((word, _)), None) = (&self.with, &self.seal) {
            errors.at(word, "`with` says how a value is written before it is sealed; for a field that is not sealed write #[serde(with = \"..\")]");
        }
        if let (Some((word, _)), None) = (&self.scale, &self.bind) {
            errors.at(word, "`scale` says how many digits of fraction a bound decimal has, as in #[phi(clear, bind = \"rx.price\", scale = 2)]");
        }
        if let Some((word, _)) = &self.since {
            let covered = self.seal.is_some() || self.bind.is_some() || self.part.is_some();
            if !covered {
                errors.at(
                    word,
                    "`since` says from which cover of the record tag on a field is in it: write it with `seal`, `bind` or `part`, and for a nested \
                     struct on that struct's own fields",
                );
            }
        }
    }

    fn chosen(&mut self, errors: &mut Errors) -> Role {
        if let Some((_, marker)) = self.seal.take() {
            let with = self.with.take().map(|(word, with)| {
                if marker.is_none() {
                    errors.at(word, "`with` needs the marker beside it: #[phi(seal = Marker, with = \"..\")]");
                }
                with
            });
            return Role::Seal(match marker {
                None => Seal::OfType,
                Some(marker) => {
                    // `Option<Each<F>>` is left to the core as a whole.
                    let optional =
                        argument_of(&marker, "Option").filter(|inner| with.is_some() || !has_arguments(inner)).cloned();
                    Seal::Under(Box::new(Under { marker, optional, with }))
                }
            });
        }
        if let Some((_, name)) = self.part.take() {
            return Role::Part { name };
        }
        if self.clear.is_some() {
            let scale = self.scale.take().map(|(_, scale)| scale);
            return Role::Clear { bind: self.bind.take().map(|(_, id)| Bind { id, scale }) };
        }
        match (&self.id, &self.nested, &self.record_tag) {
            (Some(_), _, _) => Role::Id,
            (_, Some(_), _) => Role::Nested,
            (_, _, Some(_)) => Role::RecordTag,
            // The subject's id alone is readable.
            (None, None, None) => Role::Clear { bind: None },
        }
    }
}

/// What comes after `seal`: a marker, or nothing.
fn marker(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<Type>> {
    if meta.input.peek(syn::token::Paren) {
        return Err(meta.error(EXAMPLE));
    }
    if !meta.input.peek(Token![=]) {
        return Ok(None);
    }
    let value = meta.value()?;
    if let Ok(literal) = value.fork().parse::<Lit>() {
        let what = if matches!(literal, Lit::Str(_)) { "a string" } else { "a literal" };
        return Err(syn::Error::new_spanned(literal, format_args!("{EXAMPLE}, not {what}")));
    }
    let marker: Type = value.parse()?;
    if !matches!(marker, Type::Path(_)) {
        return Err(syn::Error::new_spanned(marker, EXAMPLE));
    }
    Ok(Some(marker))
}

/// The number from `least` to 255 after `key =`.
fn number(meta: &ParseNestedMeta<'_>, least: u8, wrong: &str) -> syn::Result<LitInt> {
    if !meta.input.peek(Token![=]) {
        return Err(meta.error(wrong));
    }
    let value: TokenTree = meta.value()?.parse()?;
    let number = syn::parse2::<LitInt>(value.to_token_stream());
    match number {
        Ok(number) if number.base10_parse::<u8>().is_ok_and(|number| number >= least) => Ok(number),
        _ => Err(syn::Error::new_spanned(value, wrong)),
    }
}

fn unknown(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(
        "a field says `id`, `subject`, `seal = Marker`, `clear`, `part = \"name\"`, `nested` or `record_tag`; `with = \"..\"` belongs to `seal`, \
         `index = Marker` to what is sealed, `bind = \"..\"` to `clear`, `since = 2` to both, and `attr(..)` to any",
    )
}

//! What the derive is given, read and checked. Every mistake is reported at the user's own token.

pub(crate) mod attributes;
pub(crate) mod columns;
pub(crate) mod container;
pub(crate) mod field;
mod index;
mod serde;
pub(crate) mod tokens;

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Generics, Type, Visibility};

use crate::errors::Errors;
use attributes::named;
use columns::Column;
use container::{Container, Kind};
use field::{Field, Role, Seal};

const NAMED: &str =
    "needs fields with names, since each says what becomes of it: write `Name { #[phi(id)] number: u64, .. }`";

const UNTAGGED: &str = "a record tag covers what is bound, and this record has none, so nothing would notice a change of this field: add \
                        `#[phi(record_tag)] tag: rxseal::RecordTag`, or leave `bind` out";

/// A struct or enum of the user's.
pub(crate) struct Input {
    pub(crate) container: Container,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    /// The name of the twin.
    pub(crate) sealed: Ident,
    pub(crate) generics: Generics,
    /// The lints that it allows, and `non_exhaustive`.
    pub(crate) carried: Vec<Attribute>,
    pub(crate) serde: Vec<Attribute>,
    pub(crate) is_enum: bool,
    /// One without a name, if it is a struct.
    pub(crate) variants: Vec<Variant>,
    /// The index columns of the twin.
    pub(crate) columns: Vec<Column>,
}

pub(crate) struct Variant {
    pub(crate) name: Option<Ident>,
    /// Its docs, and what serde is told of it.
    pub(crate) carried: Vec<Attribute>,
    pub(crate) fields: Vec<Field>,
}

impl Input {
    pub(crate) fn read(input: DeriveInput) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let container = Container::read(&input.ident, &input.attrs, &mut errors);
        check_generics(&input.generics, &mut errors);
        let is_enum = matches!(input.data, Data::Enum(_));
        let variants = variants(input.data, &input.ident, &container.kind, &mut errors);
        let serde = named(&input.attrs, &["serde"]);
        check_serde(&serde, &container, &variants, &mut errors);
        check_bind(&input.ident, is_enum, &variants, &container, &mut errors);
        for variant in &variants {
            check_ids(&input.ident, variant, &container.kind, &mut errors);
            check_tag(variant, &variants, &container, &mut errors);
            check_types(variant, &mut errors);
            check_markers(variant, &mut errors);
            check_with(&input.generics, variant, &mut errors);
        }
        let fields: Vec<_> = variants.iter().flat_map(|variant| &variant.fields).collect();
        let columns = columns::columns(&fields, &input.generics, is_enum, &container, &mut errors);
        errors.finish()?;
        Ok(Self {
            sealed: container.sealed.clone().unwrap_or_else(|| twin_name(&input.ident)),
            container,
            visibility: input.vis,
            name: input.ident,
            carried: named(&input.attrs, &["allow", "non_exhaustive"]),
            serde,
            generics: input.generics,
            is_enum,
            variants,
            columns,
        })
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.variants.iter().flat_map(|variant| &variant.fields)
    }
}

fn twin_name(name: &Ident) -> Ident {
    format_ident!("Sealed{}", name.unraw(), span = name.span())
}

fn variants(data: Data, name: &Ident, kind: &Kind, errors: &mut Errors) -> Vec<Variant> {
    match data {
        Data::Struct(data) => {
            let fields = fields(data.fields, name, "a record", kind, errors);
            vec![Variant { name: None, carried: Vec::new(), fields }]
        }
        Data::Enum(data) => {
            if data.variants.is_empty() {
                errors.at(name, "an enum without variants has no value that could be sealed");
            }
            data.variants.into_iter().map(|variant| read_variant(variant, kind, errors)).collect()
        }
        Data::Union(_) => {
            errors.at(name, "a union has no field that is always there: use a struct or an enum");
            Vec::new()
        }
    }
}

fn read_variant(variant: syn::Variant, kind: &Kind, errors: &mut Errors) -> Variant {
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("phi")) {
        errors.at(attribute.path(), "a variant says nothing itself: its fields say what becomes of them");
    }
    if let Some((_, value)) = &variant.discriminant {
        errors.at(value, "a variant with fields has no number: leave this out");
    }
    Variant {
        carried: named(&variant.attrs, &["doc", "serde", "allow"]),
        fields: fields(variant.fields, &variant.ident, "a variant of a record", kind, errors),
        name: Some(variant.ident),
    }
}

fn fields(fields: Fields, name: &Ident, what: &str, kind: &Kind, errors: &mut Errors) -> Vec<Field> {
    let Fields::Named(named) = fields else {
        errors.at(name, format_args!("{what} {NAMED}"));
        return Vec::new();
    };
    named.named.into_iter().filter_map(|field| Field::read(field, kind, errors)).collect()
}

fn check_generics(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            errors.at(lifetime, "a record owns its fields, so it has no lifetime: write `String` for `&str`");
        }
    }
}

fn check_serde(serde: &[Attribute], container: &Container, variants: &[Variant], errors: &mut Errors) {
    let fields = || variants.iter().flat_map(|variant| &variant.fields);
    let must_be_there = fields().any(|field| match &field.role {
        Role::Seal(seal) => !seal.is_optional(&field.ty),
        Role::RecordTag => true,
        _ => false,
    });
    serde::check_container(serde, must_be_there, errors);
    if container.derives.is_empty() && container.before.is_empty() && container.after.is_empty() && !container.plaintext
    {
        let of_variants = variants.iter().flat_map(|variant| &variant.carried);
        let all = serde.iter().chain(of_variants).chain(fields().flat_map(|field| &field.serde));
        for attribute in all.filter(|attribute| attribute.path().is_ident("serde")) {
            errors.at(
                attribute.path(),
                "this is for the sealed struct, which serde does not know yet: add #[phi(derive(serde::Serialize, serde::Deserialize))]",
            );
        }
    }
}

fn check_ids(name: &Ident, variant: &Variant, kind: &Kind, errors: &mut Errors) {
    let place = variant.name.as_ref().unwrap_or(name);
    let ids: Vec<_> = variant.fields.iter().filter(|field| matches!(field.role, Role::Id)).collect();
    match kind {
        Kind::Nested => {}
        // A mistake in a field may have hidden its id: then there is an error already.
        _ if ids.is_empty() && !variant.fields.is_empty() => errors.at(
            place,
            format_args!(
                "`{place}` needs an id that never changes, which its tokens are bound to: say #[phi(id)] on that field"
            ),
        ),
        _ => {}
    }
    for field in variant.fields.iter().filter(|field| field.subject).skip(1) {
        errors.at(&field.name, "a record has one subject");
    }
}

/// A row has its tag whatever variant it is, and a projection has none, since it has not all that the tag covers.
fn check_tag(variant: &Variant, all: &[Variant], container: &Container, errors: &mut Errors) {
    let tags = |variant: &Variant| variant.fields.iter().filter(|field| matches!(field.role, Role::RecordTag)).count();
    let of_variant = variant.fields.iter().filter(|field| matches!(field.role, Role::RecordTag));
    for (at, field) in of_variant.enumerate() {
        if at > 0 {
            errors.at(&field.name, "a record has one tag");
        } else if container.projection {
            errors.at(
                &field.name,
                "a projection has not all fields that the tag covers, so it cannot verify it: say `clear`",
            );
        }
    }
    let is_tagged = all.iter().any(|other| tags(other) > 0);
    if let (Some(name), 0, true) = (&variant.name, tags(variant), is_tagged) {
        errors.at(name, "each variant needs the record tag, or none has one: say #[phi(record_tag)] on a field of it");
    }
    // A part or a nested struct has the tag of its record.
    if matches!(container.kind, Kind::Record { .. }) && !container.projection && !is_tagged {
        for field in &variant.fields {
            if let Role::Clear { bind: Some(bind) } = &field.role {
                errors.at(&bind.id, UNTAGGED);
            }
        }
    }
}

/// A record tag has to cover which variant of an enum it is: two variants may have the same fields.
fn check_bind(name: &Ident, is_enum: bool, variants: &[Variant], container: &Container, errors: &mut Errors) {
    let mut fields = variants.iter().flat_map(|variant| &variant.fields);
    let is_tagged = fields.any(|field| matches!(field.role, Role::RecordTag));
    match &container.bind {
        Some(id) if !is_enum => errors.at(
            id,
            "`bind` on an enum puts under the record tag which variant it is, and a struct has none: bind its fields, as in #[phi(clear, bind = \"rx.status\")]",
        ),
        Some(id) if matches!(container.kind, Kind::Record { .. }) && !container.projection && !is_tagged => {
            errors.at(id, UNTAGGED);
        }
        None if variants.len() > 1 && is_tagged => errors.at(
            name,
            format_args!("the record tag covers which variant of `{name}` a row is, under an id of its own: say #[phi(bind = \"..\")] on the enum, as in `bind = \"event.kind\"`"),
        ),
        _ => {}
    }
}

/// What cannot be meant, as far as the tokens show it. For all other types the compiler says what they lack.
fn check_types(variant: &Variant, errors: &mut Errors) {
    for field in &variant.fields {
        let ty = &field.ty;
        let inside = tokens::argument_of(ty, "Option").unwrap_or(ty);
        match &field.role {
            Role::Seal(Seal::Under(under)) => {
                if tokens::arguments_of(inside, "Phi").is_some() {
                    errors.at(&under.marker, "a `Phi` has its marker in its type: write #[phi(seal)] alone");
                }
                if let (Some(inner), true) = (tokens::argument_of(&under.marker, "Option"), tokens::is_plain(ty)) {
                    let inner = inner.to_token_stream();
                    errors.at(&under.marker, format_args!("write `seal = {inner}`, this field is no `Option`"));
                }
            }
            Role::Seal(Seal::OfType) if tokens::is_plain(inside) => {
                errors.at(ty, "only a `Phi` has a marker in its type: write #[phi(seal = Marker)] for this field");
            }
            Role::Part { .. } if tokens::is_plain(tokens::argument_of(inside, "Vec").unwrap_or(inside)) => {
                errors.at(ty, "parts are structs with #[derive(PhiRecord)] and #[phi(part)], one, a `Vec` or an `Option` of them: seal this field as a whole with #[phi(seal = Marker)]");
            }
            Role::Clear { .. } => {
                let Some(name) = sealed_type(inside) else { continue };
                let remedy = if name == "Phi" {
                    "write #[phi(seal)]"
                } else {
                    "write the type of the value, and #[phi(seal = Marker)]"
                };
                errors.at(ty, format_args!("a `{name}` is not readable, and no count and no reseal sees a clear field, so its key could be destroyed: {remedy}"));
            }
            Role::Nested if tokens::is_plain(inside) => {
                errors.at(ty, "a nested struct has #[derive(PhiRecord)] and #[phi(nested)]: for repeated ones say #[phi(part = \"name\")], and seal any other value with #[phi(seal = Marker)]");
            }
            _ => {}
        }
    }
}

/// The name of a type that holds a token, or a value that is to be sealed, alone or in a list.
fn sealed_type(ty: &Type) -> Option<&'static str> {
    let inside = tokens::argument_of(ty, "Vec").unwrap_or(ty);
    let known = ["Sealed", "SealedText", "Migrating", "Phi"];
    known.into_iter().find(|name| tokens::arguments_of(inside, name).is_some_and(|arguments| arguments.len() == 2))
}

/// Two fields of one marker, as far as the tokens show it. The core compares their ids.
fn check_markers(variant: &Variant, errors: &mut Errors) {
    let mut seen: Vec<(String, &Ident)> = Vec::new();
    let mut bound: Vec<String> = Vec::new();
    for field in &variant.fields {
        match &field.role {
            Role::Seal(Seal::Under(under)) => {
                let marker = under.optional.as_ref().unwrap_or(&under.marker);
                let text = marker.to_token_stream().to_string();
                match seen.iter().find(|(earlier, _)| *earlier == text) {
                    Some((_, first)) => errors.at(
                        marker,
                        format_args!("`{text}` is the marker of field `{first}` already: their tokens could be swapped, so declare one for each"),
                    ),
                    None => seen.push((text, &field.name)),
                }
            }
            Role::Clear { bind: Some(bind) } if bound.contains(&bind.id.value()) => {
                errors.at(
                    &bind.id,
                    "another field is bound under this id: their values could be swapped, so give each its own",
                );
            }
            Role::Clear { bind: Some(bind) } => bound.push(bind.id.value()),
            _ => {}
        }
    }
}

/// A type that is written in another way gets a struct of its own, which has no parameters.
fn check_with(generics: &Generics, variant: &Variant, errors: &mut Errors) {
    for field in &variant.fields {
        let Role::Seal(seal) = &field.role else { continue };
        let mut parameters = generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            GenericParam::Lifetime(_) => None,
        });
        if seal.under().is_some_and(|under| under.with.is_some())
            && parameters.any(|parameter| tokens::mentions(&field.ty, parameter))
        {
            errors.at(&field.ty, "`with` is for a type that mentions no parameter of the struct");
        }
    }
}

//! `index = Marker` on a field, and the columns that follow from it.

use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Generics, Ident, Path, Token, Visibility};

use super::container::{Container, Kind};
use super::field::{Field, Role};
use super::{Variant, tokens};
use crate::errors::Errors;

const EXAMPLE: &str = "`index` takes a marker that `rxseal_search::indexes!` declared, as in `index = BornOn`, or `index = BornOn as born_ix`";

/// An index that a field names.
pub(crate) struct Named {
    pub(crate) marker: Path,
    /// The name of its column, if the field says it.
    column: Option<Ident>,
}

impl Named {
    pub(crate) fn is_of(&self, column: &Column) -> bool {
        tokens::is_same(&self.marker, &column.marker)
    }
}

/// A column of the twin: an index has one, after the first field that names it.
pub(crate) struct Column {
    pub(crate) marker: Path,
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// The name of that field.
    pub(crate) after: Ident,
}

/// What comes after `index`.
pub(super) fn named(meta: &ParseNestedMeta<'_>) -> syn::Result<Named> {
    if !meta.input.peek(Token![=]) {
        return Err(meta.error(EXAMPLE));
    }
    let value = meta.value()?;
    let at = value.span();
    let marker = value.call(Path::parse_mod_style).map_err(|_error| syn::Error::new(at, EXAMPLE))?;
    let column = if value.peek(Token![as]) {
        value.parse::<Token![as]>()?;
        Some(value.call(Ident::parse_any)?)
    } else {
        None
    };
    Ok(Named { marker, column })
}

/// The columns of a struct. What is wrong with them is reported.
pub(super) fn columns(
    variants: &[Variant],
    generics: &Generics,
    is_enum: bool,
    container: &Container,
    errors: &mut Errors,
) -> Vec<Column> {
    let fields = || variants.iter().flat_map(|variant| &variant.fields);
    let mut columns: Vec<Column> = Vec::new();
    for (field, named) in fields().flat_map(|field| field.indexes.iter().map(move |named| (field, named))) {
        if let Some(text) = refusal(field, generics, is_enum, container) {
            errors.at(&named.marker, text);
            continue;
        }
        let index = named.marker.to_token_stream();
        if let Some(first) = columns.iter().find(|column| named.is_of(column)) {
            match &named.column {
                Some(column) if *column != first.name => errors.at(
                    column,
                    format_args!(
                        "the column of `{index}` is `{}`: name it at the first field of the index alone",
                        first.name
                    ),
                ),
                _ => {}
            }
            if field.indexes.iter().filter(|other| tokens::is_same(&other.marker, &named.marker)).count() > 1 {
                errors.at(&named.marker, format_args!("field `{}` names `{index}` twice", field.name));
            }
            continue;
        }
        let name = named.column.clone().unwrap_or_else(|| snake_case(&named.marker));
        let taken = fields().any(|field| field.name.unraw() == name.unraw())
            || columns.iter().any(|column| column.name.unraw() == name.unraw());
        if taken {
            errors.at(
                named.column.as_ref().map_or_else(|| named.marker.to_token_stream(), ToTokens::to_token_stream),
                format_args!("there is a field `{name}` already: give the column another name, as in `index = {index} as {name}_ix`"),
            );
        }
        columns.push(Column {
            marker: named.marker.clone(),
            name,
            visibility: field.visibility.clone(),
            after: field.name.clone(),
        });
    }
    columns
}

/// Why a field of such a struct has no index.
fn refusal(field: &Field, generics: &Generics, is_enum: bool, container: &Container) -> Option<&'static str> {
    if !matches!(container.kind, Kind::Record { .. }) {
        return Some(
            "an index belongs to a whole record: say `index` in the struct with `record = \"..\"`, at the field that contains this struct",
        );
    }
    if container.projection {
        return Some("a projection is never sealed, so nothing computes its index values: leave this out");
    }
    if is_enum {
        return Some(
            "the rows of an enum have different columns: say `index` in a struct, which may have the enum as a field",
        );
    }
    if !generics.params.is_empty() {
        return Some("an index is made of one type, so a struct with parameters has none: leave the parameters out");
    }
    match field.role {
        Role::Seal(_) | Role::Part { .. } | Role::Nested => None,
        _ => Some("this field is readable, so your database finds it as it is: leave `index` out"),
    }
}

/// `last_and_born`, for `indexes::LastAndBorn`.
fn snake_case(marker: &Path) -> Ident {
    let (text, span) = match marker.segments.last() {
        Some(last) => (last.ident.unraw().to_string(), last.ident.span()),
        None => (String::new(), Span::call_site()),
    };
    let letters: Vec<char> = text.chars().collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let next = at.checked_add(1).and_then(|at| letters.get(at));
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() && *before != '_'
                    || before.is_uppercase() && next.is_some_and(|next| next.is_lowercase())
            });
        if begins_word {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    // A marker `Type` has the column `r#type`.
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => format_ident!("{name}", span = span),
        Err(_) => Ident::new_raw(&name, span),
    }
}

//! The index columns of the twin: one for each index that the fields name.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Generics, Ident, Path, Visibility};

use super::container::{Container, Kind};
use super::field::{Field, Role};
use super::index::Named;
use super::tokens;
use crate::errors::Errors;
use crate::names::snake_case;

/// A column of the twin: an index has one, after the first field that names it.
pub(crate) struct Column {
    pub(crate) marker: Path,
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// The name of that field.
    pub(crate) after: Ident,
}

impl Column {
    pub(crate) fn is_named_by(&self, named: &Named) -> bool {
        tokens::is_same(&self.marker, &named.marker)
    }
}

/// The columns of a struct. What is wrong with them is reported.
pub(super) fn columns(
    fields: &[&Field],
    generics: &Generics,
    is_enum: bool,
    container: &Container,
    errors: &mut Errors,
) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for (field, named) in fields.iter().flat_map(|field| field.indexes.iter().map(move |named| (*field, named))) {
        if let Some(text) = refusal(field, generics, is_enum, container) {
            errors.at(&named.marker, text);
            continue;
        }
        let index = named.marker.to_token_stream();
        if let Some(first) = columns.iter().find(|column| column.is_named_by(named)) {
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
        let Some(name) =
            named.column.clone().or_else(|| named.marker.segments.last().map(|last| snake_case(&last.ident)))
        else {
            continue;
        };
        let taken = fields.iter().any(|field| field.name.unraw() == name.unraw())
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

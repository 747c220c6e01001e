//! `index = Marker` on a field.

use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Ident, Path, Token};

const EXAMPLE: &str = "`index` takes a marker that `rxseal_search::indexes!` declared, as in `index = BornOn`, or `index = BornOn as born_ix`";

/// An index that a field names.
pub(crate) struct Named {
    pub(crate) marker: Path,
    /// The name of its column, if the field says it.
    pub(super) column: Option<Ident>,
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

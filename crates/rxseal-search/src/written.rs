//! What the code of `indexes!` calls to write the normal forms of a record.

use rxseal::Error;
use rxseal::index::Forms;

use crate::normal::{NormalForm, Normalizes, NormalizesParts};

/// Writes the one form of a field.
///
/// # Errors
///
/// `not-indexable`, `bad-check-digit`.
pub fn form<N: Normalizes<T>, T: ?Sized>(value: &T, form: &mut NormalForm) -> Result<(), Error> {
    N::write(value, form)
}

/// Writes all forms of a field.
///
/// # Errors
///
/// `not-indexable`, `bad-check-digit`.
pub fn parts<N: NormalizesParts<T>, T: ?Sized>(value: &T, forms: &mut Forms) -> Result<(), Error> {
    N::write_parts(value, &mut |part| forms.push(&[part]))
}

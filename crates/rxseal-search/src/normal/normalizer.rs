//! What a normaliser is: the traits.

use rxseal::Error;

use super::form::NormalForm;

/// A normaliser: an id with a version.
pub trait Normalizer {
    /// The id, such as `family/1`, which a definition of an index names.
    const ID: &'static str;
}

/// A normaliser of values of type `T`: one form of each value.
///
/// Every normaliser takes `str`; if it takes `T`, it also takes `&T`, `Option<T>`, `Box<T>`, `Zeroizing<T>` and a `Phi` of `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no normal form of `{T}`",
    note = "each normaliser takes text; types of dates need the feature of their crate"
)]
pub trait Normalizes<T: ?Sized>: Normalizer {
    /// Writes the normal form of a value over what `form` holds. It is empty if there is nothing to index.
    ///
    /// # Errors
    ///
    /// `not-indexable` and `bad-check-digit`; then the form is empty.
    fn write(value: &T, form: &mut NormalForm) -> Result<(), Error>;
}

/// A normaliser of values of type `T`: several forms of each value, such as the parts of a name.
#[diagnostic::on_unimplemented(message = "`{Self}` makes no parts of `{T}`")]
pub trait NormalizesParts<T: ?Sized>: Normalizer {
    /// Hands out the forms of a value, one after another; none is empty. One may come twice.
    ///
    /// # Errors
    ///
    /// `not-indexable`, `bad-check-digit`, and those of `each`.
    fn write_parts(value: &T, each: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error>;
}

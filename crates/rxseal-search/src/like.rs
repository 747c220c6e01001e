//! Filters: what an opened name is compared with, beyond what an index can be asked for.

use std::fmt;
use std::marker::PhantomData;

use rxseal::Error;

use crate::normal::{NormalForm, Normalizes, NormalizesParts};

/// A name that opened names are compared with, as normal forms of the normaliser `N`: [`Family`](crate::normal::Family) or
/// [`Given`](crate::normal::Given).
///
/// A search by birth date opens all who are born on that day. After that a filter is free, and it may compare as no index can:
///
/// ```
/// use rxseal_search::Like;
/// use rxseal_search::normal::Family;
///
/// # fn main() -> Result<(), rxseal::Error> {
/// let like = Like::<Family>::new("o'br")?;
/// assert!(like.begins("O'Brien") && !like.begins("Bryan"));
///
/// let like = Like::<Family>::new("Jones")?;
/// assert!(like.is_part_of("Smith-Jones") && !like.is_part_of("Jonesboro"));
///
/// let like = Like::<Family>::new("Meyer")?;
/// assert!(like.sounds_like("Maier") && like.is_within_edits(1, "Meyr"));
/// # Ok(())
/// # }
/// ```
///
/// It goes into [`Hits::only`](crate::Hits::only). A value that has no normal form is like nothing. Its forms are wiped when it is dropped,
/// and its `Debug` does not show them.
pub struct Like<N> {
    /// On the heap: a move of the filter would leave a copy of the name behind.
    form: Box<NormalForm>,
    normalizer: PhantomData<fn() -> N>,
}

impl<N> Like<N> {
    /// A filter by text.
    ///
    /// # Errors
    ///
    /// `empty-query` if nothing is left of it: a filter by nothing would let everybody through. `not-indexable`, `bad-check-digit`.
    pub fn new<Q: ?Sized>(sought: &Q) -> Result<Self, Error>
    where
        N: Normalizes<Q>,
    {
        let mut like = Self { form: Box::default(), normalizer: PhantomData };
        N::write(sought, &mut like.form)?;
        if like.form.is_empty() { Err(Error::empty_query()) } else { Ok(like) }
    }

    /// Whether the value is the same, in its normal form.
    #[must_use]
    pub fn is<T: ?Sized>(&self, value: &T) -> bool
    where
        N: Normalizes<T>,
    {
        with_form::<N, T>(value, |form| form.as_bytes() == self.form.as_bytes())
    }

    /// Whether the value begins with it: `O'Brien` with `obr`.
    #[must_use]
    pub fn begins<T: ?Sized>(&self, value: &T) -> bool
    where
        N: Normalizes<T>,
    {
        with_form::<N, T>(value, |form| form.as_bytes().starts_with(self.form.as_bytes()))
    }

    /// Whether it is a part of the value, or all of it: `Jones` of `Smith-Jones`.
    #[must_use]
    pub fn is_part_of<T: ?Sized>(&self, value: &T) -> bool
    where
        N: NormalizesParts<T>,
    {
        let mut found = false;
        let written = N::write_parts(value, &mut |part| {
            found = found || part == self.form.as_bytes();
            Ok(())
        });
        written.is_ok() && found
    }

    /// Whether both sound alike in English, by their codes in Double Metaphone. Only of names in the letters a to z.
    #[must_use]
    pub fn sounds_like<T: ?Sized>(&self, value: &T) -> bool
    where
        N: Normalizes<T>,
    {
        with_form::<N, T>(value, |form| self.form.sounds_like(form))
    }

    /// Whether one becomes the other by at most `edits` steps: a letter more, less, replaced, or exchanged with its neighbour. More than 3 steps
    /// are taken as 3.
    #[must_use]
    pub fn is_within_edits<T: ?Sized>(&self, edits: usize, value: &T) -> bool
    where
        N: Normalizes<T>,
    {
        with_form::<N, T>(value, |form| self.form.is_near(form, edits.min(MAX_EDITS)))
    }
}

/// Beyond that a short name is like every other.
const MAX_EDITS: usize = 3;

impl<N> fmt::Debug for Like<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Like").finish_non_exhaustive()
    }
}

/// What has no form is like nothing.
fn with_form<N: Normalizes<T>, T: ?Sized>(value: &T, compare: impl FnOnce(&NormalForm) -> bool) -> bool {
    let mut form = NormalForm::new();
    N::write(value, &mut form).is_ok() && !form.is_empty() && compare(&form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::Family;

    #[test]
    fn edits() {
        for (one, other, steps) in [
            ("meyer", "meyer", 0),
            ("meyer", "meier", 1),
            ("meyer", "myeer", 1),
            ("gonzalez", "gonzales", 1),
            ("nguyen", "nuyen", 1),
            ("hussein", "husain", 2),
            ("kitten", "sitting", 3),
            ("abc", "abcdef", 3),
            ("李", "李李", 1),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let like = Like::<Family>::new(one).unwrap();
                let least = (0..=MAX_EDITS).find(|most| like.is_within_edits(*most, other));
                assert_eq!(least, Some(steps), "{one} {other}");
            }
        }
        assert!(!Like::<Family>::new("smith").unwrap().is_within_edits(9, "jones"), "more than 3 are taken as 3");
    }

    #[test]
    fn what_has_no_form_is_like_nothing() {
        let like = Like::<Family>::new("Smith").unwrap();
        for nothing in ["", "unknown", "Smi\u{e000}th"] {
            assert!(!like.is(nothing) && !like.begins(nothing) && !like.is_part_of(nothing), "{nothing:?}");
            assert!(!like.sounds_like(nothing) && !like.is_within_edits(3, nothing), "{nothing:?}");
        }
        assert_eq!(Like::<Family>::new(" - ").unwrap_err().code().as_str(), "empty-query");
        assert!(like.is(&Some("SMITH")) && !like.is(&None::<String>));
    }
}

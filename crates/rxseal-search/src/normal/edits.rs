//! How far apart two normal forms are, in edits.

use super::form::NormalForm;

impl NormalForm {
    /// Whether one form becomes the other by at most 2 edits: a letter added, left out or changed, or two neighbours swapped. An empty form
    /// is near no other.
    ///
    /// ```
    /// use rxseal_search::normal::{Family, NormalForm, Normalizes};
    ///
    /// # fn main() -> Result<(), rxseal::Error> {
    /// let (mut one, mut other) = (NormalForm::new(), NormalForm::new());
    /// <Family>::write("Gonzalez", &mut one)?;
    /// <Family>::write("Gonazles", &mut other)?;
    /// assert!(one.is_within_edits(&other, 2));
    /// assert!(!one.is_within_edits(&other, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `most` is 2 if it is more than 2: further apart is another name.
    #[must_use]
    pub fn is_within_edits(&self, other: &Self, most: usize) -> bool {
        self.is_near(other, most.min(2))
    }

    /// The same without that limit. The work grows by four times with each edit.
    pub(crate) fn is_near(&self, other: &Self, most: usize) -> bool {
        if self.is_empty() || other.is_empty() {
            return false;
        }
        let (one, other) = (self.as_bytes(), other.as_bytes());
        match (std::str::from_utf8(one), std::str::from_utf8(other)) {
            (Ok(one), Ok(other)) => is_near(one.chars(), other.chars(), most),
            _ => one == other,
        }
    }
}

/// Tries each edit at the first place at which they differ. It keeps no table: nothing of the names is left in one.
fn is_near(one: std::str::Chars<'_>, other: std::str::Chars<'_>, left: usize) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        let (rest_of_one, rest_of_other) = (one.clone(), other.clone());
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b => {}
            (a, b) => {
                let Some(left) = left.checked_sub(1) else { return false };
                let is_swap = || {
                    let (mut one, mut other) = (one.clone(), other.clone());
                    a.is_some() && b.is_some() && one.next() == b && other.next() == a && is_near(one, other, left)
                };
                return (b.is_some() && is_near(rest_of_one, other.clone(), left))
                    || (a.is_some() && is_near(one.clone(), rest_of_other, left))
                    || (a.is_some() && b.is_some() && is_near(one.clone(), other.clone(), left))
                    || is_swap();
            }
        }
    }
}

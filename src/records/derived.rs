//! What the derive's code asks of the types of fields, so that the compiler can say in plain words what a field lacks.

use std::fmt;

use crate::id::FieldId;

/// A field of the type of an id or with `#[phi(clear)]`, which the row has too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied into the row",
    label = "this field is not sealed, so its type needs `Clone`",
    note = "derive `Clone` for `{Self}`, or seal the field with `#[phi(seal = Marker)]`: what is sealed is never copied"
)]
pub trait ClearField {
    /// A copy.
    #[must_use]
    fn copied(&self) -> Self;
}

// Without this the compiler names `Clone` alone, and nobody reads the note above.
#[diagnostic::do_not_recommend]
impl<T: Clone> ClearField for T {
    fn copied(&self) -> Self {
        self.clone()
    }
}

/// The type of a field with `#[phi(seal = Option<M>)]`.
#[diagnostic::on_unimplemented(
    message = "`seal = Option<{M}>` is for a field whose type is an `Option`",
    label = "write `seal = {M}`, this field is no `Option`"
)]
pub trait IsOption<M> {
    /// What it has when it is there.
    type Present;
}

impl<T, M> IsOption<M> for Option<T> {
    type Present = T;
}

/// What `Debug` prints in place of a sealed field.
pub struct HiddenField(pub FieldId);

impl fmt::Debug for HiddenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[PHI {}]", self.0.as_str())
    }
}

/// The highest cover number of several.
#[must_use]
pub const fn highest(mut numbers: &[u8]) -> u8 {
    let mut highest = 1;
    while let [number, rest @ ..] = numbers {
        if *number > highest {
            highest = *number;
        }
        numbers = rest;
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cover_of_a_struct_is_that_of_its_newest_field() {
        assert_eq!((highest(&[]), highest(&[1, 1]), highest(&[1, 3, 2])), (1, 1, 3));
        assert_eq!(format!("{:?}", HiddenField(FieldId::new("rx.drug"))), "[PHI rx.drug]");
    }
}

//! What a row has of an index: one value or none, or a set.

use super::value::{IndexSet, IndexValue};

/// What a row has of an index: `Option<IndexValue<I>>` or [`IndexSet<I>`].
pub trait StoredIndex<I>: Clone + private::Sealed {
    /// The values.
    fn values(&self) -> &[IndexValue<I>];

    #[doc(hidden)]
    fn of_values(values: Vec<IndexValue<I>>) -> Self;
}

mod private {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
}

impl<I> private::Sealed for Option<IndexValue<I>> {}
impl<I> private::Sealed for IndexSet<I> {}

impl<I> StoredIndex<I> for Option<IndexValue<I>> {
    fn values(&self) -> &[IndexValue<I>] {
        self.as_slice()
    }

    fn of_values(values: Vec<IndexValue<I>>) -> Self {
        values.first().copied()
    }
}

impl<I> StoredIndex<I> for IndexSet<I> {
    fn values(&self) -> &[IndexValue<I>] {
        self.as_slice()
    }

    fn of_values(values: Vec<IndexValue<I>>) -> Self {
        Self::of(values)
    }
}

//! What a row has of an index: one value or none, or a set.

use super::value::{IndexSet, IndexValue};

/// What a row has of an index: `Option<IndexValue<I>>` or [`IndexSet<I>`].
pub trait StoredIndex<I>: Clone + Default + PartialEq + private::Sealed {
    #[doc(hidden)]
    const IS_SET: bool;

    /// The values. None of them means that no search by this index finds the record.
    fn values(&self) -> &[IndexValue<I>];

    #[doc(hidden)]
    fn of_values(values: impl IntoIterator<Item = IndexValue<I>>) -> Self;
}

mod private {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
}

impl<I> private::Sealed for Option<IndexValue<I>> {}
impl<I> private::Sealed for IndexSet<I> {}

impl<I> StoredIndex<I> for Option<IndexValue<I>> {
    const IS_SET: bool = false;

    fn values(&self) -> &[IndexValue<I>] {
        self.as_slice()
    }

    fn of_values(values: impl IntoIterator<Item = IndexValue<I>>) -> Self {
        values.into_iter().next()
    }
}

impl<I> StoredIndex<I> for IndexSet<I> {
    const IS_SET: bool = true;

    fn values(&self) -> &[IndexValue<I>] {
        self.as_slice()
    }

    fn of_values(values: impl IntoIterator<Item = IndexValue<I>>) -> Self {
        Self::of(values)
    }
}

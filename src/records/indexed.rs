//! What the derive's code asks of the indexes of a record struct, so that the compiler can say in plain words what is wrong with one.

use std::marker::PhantomData;

use super::row_indexer::RowIndexer;
use super::seal::RecordSealer;
use crate::error::Error;
use crate::field::Field;
use crate::field::private::is_same_text;
use crate::index::{Definition, Index, IndexColumn, IndexedRecord};

/// An index of the record struct `P`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an index of `{P}`",
    label = "not an index of `{P}`",
    note = "declare the indexes of `{P}` with `rxseal_search::indexes!`, all of them in one list"
)]
pub trait IndexOf<P>: Index {
    /// What the row has of it.
    ///
    /// # Errors
    ///
    /// Those of [`Indexer::stored`](crate::index::Indexer::stored).
    fn index(plain: &P, sealer: &mut RecordSealer<'_>) -> Result<Self::Stored, Error>;

    /// Gives the column of a row what it has from now on.
    ///
    /// # Errors
    ///
    /// As for [`index`](Self::index).
    fn index_again(plain: &P, column: &mut Self::Stored, indexer: &mut RowIndexer<'_>) -> Result<(), Error>;
}

// Without this the compiler names `Index` alone, and nobody reads the note above.
#[diagnostic::do_not_recommend]
impl<P, I: Index<Record = P>> IndexOf<P> for I {
    fn index(plain: &P, sealer: &mut RecordSealer<'_>) -> Result<Self::Stored, Error> {
        sealer.index::<I>(plain)
    }

    fn index_again(plain: &P, column: &mut Self::Stored, indexer: &mut RowIndexer<'_>) -> Result<(), Error> {
        indexer.index::<I>(plain, column)
    }
}

/// What [`HasField::Index`](super::HasField::Index) is of a field that no index is made of.
#[diagnostic::on_unimplemented(
    message = "this field cannot be set alone: the index `{Self}` is made of it, and would keep the former value",
    label = "the index `{Self}` is made of this field",
    note = "open the row, change the field, and seal the record: `keys.open(&row, &access)?`, then `keys.seal(&record)?`"
)]
pub trait Unindexed {}

impl Unindexed for () {}

/// The list of the indexes of `P`, whether or not there is one. An inherent constant comes before that of a trait.
#[derive(Debug)]
pub struct ListOf<P>(PhantomData<fn() -> P>);

impl<P: IndexedRecord> ListOf<P> {
    /// As `indexes!` declares it.
    pub const INDEXES: &'static [Definition] = P::INDEXES;
}

/// The empty list of a struct without indexes.
pub trait NoList {
    /// No index.
    const INDEXES: &'static [Definition] = &[];
}

impl<P> NoList for ListOf<P> {}

/// Checks that each index of a record struct has a column.
///
/// # Panics
///
/// If one has none, which fails the build: it is called in constants only.
pub const fn assert_columns(mut indexes: &[Definition], columns: &[IndexColumn]) {
    while let [index, rest @ ..] = indexes {
        assert!(
            has_column(columns, index),
            "an index of this record struct has no column: name each index of its `indexes!` at a field, as in `index = Marker`"
        );
        indexes = rest;
    }
}

/// Checks the record type of an index.
///
/// # Panics
///
/// If it is another one, which fails the build: it is called in constants only.
pub const fn assert_record_type<I: Index>(record_type: &str) {
    assert!(
        is_same_text(I::DEFINITION.record_type(), record_type),
        "this index is of another record type: write the same one in `indexes!` and in `#[phi(record = \"..\")]`"
    );
}

/// Checks that an index is made of the field `F` at this place, which names it.
///
/// # Panics
///
/// If it is not, which fails the build: it is called in constants only.
pub const fn assert_made_of<I: Index, F: Field>(place: &str) {
    assert!(
        is_made_of::<I, F>(place),
        "this index is not made of this field: name it at the fields that it is made of"
    );
}

/// Checks that an index is not made of the field `F` at this place, which does not name it.
///
/// # Panics
///
/// If it is, which fails the build: it is called in constants only.
pub const fn assert_not_made_of<I: Index, F: Field>(place: &str) {
    assert!(
        !has_place(I::PLACES, place) && (!I::PLACES.is_empty() || !is_made_of::<I, F>(place)),
        "an index of this record struct is made of this field too: name it here, as in `index = Marker`"
    );
}

/// By its marker, and by its place if the index says the places.
const fn is_made_of<I: Index, F: Field>(place: &str) -> bool {
    let (mut fields, mut places) = (I::FIELDS, I::PLACES);
    while let [field, rest @ ..] = fields {
        let (is_here, other_places) = match places {
            [named, others @ ..] => (is_same_text(named, place), others),
            [] => (true, places),
        };
        if is_here && is_same_text(field.as_str(), F::ID.as_str()) {
            return true;
        }
        (fields, places) = (rest, other_places);
    }
    false
}

const fn has_place(mut places: &[&str], place: &str) -> bool {
    while let [named, rest @ ..] = places {
        if is_same_text(named, place) {
            return true;
        }
        places = rest;
    }
    false
}

const fn has_column(mut columns: &[IndexColumn], index: &Definition) -> bool {
    while let [column, rest @ ..] = columns {
        if is_same_text(column.index_id(), index.id()) {
            return true;
        }
        columns = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use std::panic::{UnwindSafe, catch_unwind};

    use super::*;
    use crate::index::{Forms, IndexValue, Kind};
    use crate::phi::{BirthDate, FamilyName, Phone};
    use crate::{Class, FieldId};

    /// Made of one field, wherever it is.
    enum Born {}

    /// Made of the fields at two places.
    enum LastAndBorn {}

    impl Index for Born {
        type Record = ();
        type Stored = Option<IndexValue<Self>>;
        const DEFINITION: Definition = Definition::new("patient", "patient.born", Kind::Whole, 14, &["exact/1"]);
        const CLASSES: &'static [Class] = &[Class::IDENTITY];
        const FIELDS: &'static [FieldId] = &[BirthDate::ID];

        fn forms((): &(), _: &Definition, _: &mut Forms) -> Result<(), Error> {
            Ok(())
        }
    }

    impl Index for LastAndBorn {
        type Record = ();
        type Stored = Option<IndexValue<Self>>;
        const DEFINITION: Definition =
            Definition::new("patient", "patient.lastdob", Kind::Compound, 17, &["exact/1", "exact/1"]);
        const CLASSES: &'static [Class] = &[Class::IDENTITY];
        const FIELDS: &'static [FieldId] = &[FamilyName::ID, BirthDate::ID];
        const PLACES: &'static [&'static str] = &["last_name", "birth_date"];

        fn forms((): &(), _: &Definition, _: &mut Forms) -> Result<(), Error> {
            Ok(())
        }
    }

    /// As the compiler sees a check in a constant.
    fn compiles(check: impl FnOnce() + UnwindSafe) -> bool {
        catch_unwind(check).is_ok()
    }

    #[test]
    fn each_index_has_a_column() {
        let columns = [IndexColumn::of::<Born>("born_on")];
        assert!(compiles(|| assert_columns(&[], &[])));
        assert!(compiles(|| assert_columns(&[Born::DEFINITION], &columns)));
        assert!(!compiles(|| assert_columns(&[Born::DEFINITION, LastAndBorn::DEFINITION], &columns)));
    }

    #[test]
    fn an_index_is_of_the_record_type_of_its_struct() {
        assert!(compiles(|| assert_record_type::<Born>("patient")));
        assert!(!compiles(|| assert_record_type::<Born>("prescription")));
    }

    #[test]
    fn an_index_is_named_at_the_fields_that_it_is_made_of() {
        assert!(compiles(|| assert_made_of::<Born, BirthDate>("anywhere")));
        assert!(!compiles(|| assert_made_of::<Born, Phone>("anywhere")));
        assert!(compiles(|| assert_made_of::<LastAndBorn, FamilyName>("last_name")));
        // The marker alone is not enough where the index says the places: a struct may have it twice.
        assert!(!compiles(|| assert_made_of::<LastAndBorn, FamilyName>("maiden_name")));
        assert!(!compiles(|| assert_made_of::<LastAndBorn, FamilyName>("birth_date")));
    }

    #[test]
    fn an_index_is_named_at_all_fields_that_it_is_made_of() {
        assert!(compiles(|| assert_not_made_of::<Born, Phone>("phone")));
        assert!(!compiles(|| assert_not_made_of::<Born, BirthDate>("anywhere")));
        assert!(compiles(|| assert_not_made_of::<LastAndBorn, FamilyName>("maiden_name")));
        assert!(!compiles(|| assert_not_made_of::<LastAndBorn, FamilyName>("last_name")));
    }
}

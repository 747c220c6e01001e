//! Queries: the values that rows are asked for, and what tells a hit from a stranger.

use std::fmt;
use std::ops::RangeInclusive;

use rxseal::index::{Forms, Index, IndexValue, Indexer};
use rxseal::{Error, KeyId};

use crate::days::{AsDay, days};
use crate::sought::{ByDate, SearchIndex, Sought};
use crate::spelling::spellings;

/// How many inputs one query has.
const MAX_INPUTS: usize = 32;
/// How many days: a year.
const MAX_DAYS: usize = 366;

/// Makes queries. Import it to search.
pub trait Find: private::Sealed {
    /// The query for one input: text or a date, and for a compound index a tuple of them.
    ///
    /// It asks for the values of each index root that is not destroyed, of each former definition and of each slot.
    ///
    /// ```
    /// # struct Patient { birth_date: String }
    /// # rxseal_search::indexes! {
    /// #     for Patient as "patient" {
    /// #         BornOn = "patient.born": date(birth_date: rxseal::phi::BirthDate), bits 14;
    /// #     }
    /// # }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// use rxseal_search::Find;
    ///
    /// let indexer = keys.indexer()?;
    /// let born = indexer.find::<BornOn>("1970-01-31")?;
    /// let sql = format!("select id, body from patient where born_on in ({})", born.placeholders());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `empty-query` if nothing is left of the input: it never means all rows. `not-indexable`, `bad-check-digit`; `query-too-large` if that is more
    /// than 1,024 values; `class-locked`.
    fn find<I: SearchIndex>(&self, sought: impl Sought<I>) -> Result<IndexQuery<I>, Error>;

    /// The query for any of several inputs, such as a birth date with day and month swapped.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find), of the first input that has one; `query-too-large` if there are more than 32.
    fn find_any<I: SearchIndex>(
        &self,
        sought: impl IntoIterator<Item = impl Sought<I>>,
    ) -> Result<IndexQuery<I>, Error>;

    /// The query for a name in its other spellings too: `Mueller` for `Müller`, and the other way.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find).
    fn find_spellings<I: SearchIndex>(&self, name: &str) -> Result<IndexQuery<I>, Error>
    where
        for<'n> &'n str: Sought<I>;

    /// The query for all days of a range, both ends included: `"1970-01-01"..="1970-01-31"`. It asks for one value for each day, so a month of
    /// birth dates has 30 times the candidates of a day.
    ///
    /// # Errors
    ///
    /// Those of [`find`](Self::find); `empty-query` if the range has no day; `query-too-large` if it has more than 366.
    fn find_days<I: SearchIndex<Normalizers: ByDate>>(
        &self,
        days: RangeInclusive<impl AsDay>,
    ) -> Result<IndexQuery<I>, Error>
    where
        for<'n> &'n str: Sought<I>;
}

mod private {
    #[expect(unnameable_types, reason = "so that nobody else can implement it")]
    pub trait Sealed {}
}

impl private::Sealed for Indexer {}

impl Find for Indexer {
    fn find<I: SearchIndex>(&self, sought: impl Sought<I>) -> Result<IndexQuery<I>, Error> {
        IndexQuery::of(self, &[sought])
    }

    fn find_any<I: SearchIndex>(
        &self,
        sought: impl IntoIterator<Item = impl Sought<I>>,
    ) -> Result<IndexQuery<I>, Error> {
        let sought: Vec<_> = sought.into_iter().take(MAX_INPUTS.saturating_add(1)).collect();
        if sought.len() > MAX_INPUTS { Err(Error::query_too_large()) } else { IndexQuery::of(self, &sought) }
    }

    fn find_spellings<I: SearchIndex>(&self, name: &str) -> Result<IndexQuery<I>, Error>
    where
        for<'n> &'n str: Sought<I>,
    {
        let spellings = spellings(name);
        IndexQuery::of(self, &spellings.iter().map(|name| name.as_str()).collect::<Vec<_>>())
    }

    fn find_days<I: SearchIndex<Normalizers: ByDate>>(
        &self,
        range: RangeInclusive<impl AsDay>,
    ) -> Result<IndexQuery<I>, Error>
    where
        for<'n> &'n str: Sought<I>,
    {
        let days = days(range.start(), range.end(), MAX_DAYS)?;
        // A placeholder is no reason to refuse the days beside it.
        let has_form =
            |day: &&str| Sought::<I>::write(day, &I::DEFINITION, &mut Forms::of_query(&I::DEFINITION)).is_ok();
        IndexQuery::of(self, &days.iter().map(|day| day.as_str()).filter(has_form).collect::<Vec<_>>())
    }
}

/// What an index is asked for.
///
/// The rows that have one of its [`values`](Self::values) are *candidates*. Some of them are strangers, which only share the value:
/// [`matches`](Self::matches) tells them from hits once they are opened.
///
/// It has the normal forms of what is sought, which are wiped when it is dropped. Its `Debug` shows only the index and how many values.
pub struct IndexQuery<I: Index> {
    values: Vec<IndexValue<I>>,
    forms: Forms,
    roots: Vec<KeyId>,
}

impl<I: SearchIndex> IndexQuery<I> {
    fn of(indexer: &Indexer, sought: &[impl Sought<I>]) -> Result<Self, Error> {
        let mut is_former = false;
        let values = indexer.asked::<I>(|definition, forms| {
            let is_former = std::mem::replace(&mut is_former, true);
            sought.iter().try_for_each(|sought| match sought.write(definition, forms) {
                // No row has what a former definition refuses. The other inputs are asked for under it.
                Err(refused) if is_former && (refused.is_not_indexable() || refused.is_empty_query()) => Ok(()),
                written => written,
            })
        })?;
        let mut forms = Forms::of_query(&I::DEFINITION);
        sought.iter().try_for_each(|sought| sought.write(&I::DEFINITION, &mut forms))?;
        Ok(Self { values, forms, roots: indexer.roots().collect() })
    }

    /// The index roots under which it asks.
    #[must_use]
    pub fn roots(&self) -> &[KeyId] {
        &self.roots
    }
}

impl<I: Index> IndexQuery<I> {
    /// The values, at least one and at most 1,024, ascending. Drivers bind them as bytes. For a column of text bind `value.to_string()`: in SQLite
    /// text is equal to no bytes, and a search by the other form finds nothing, without an error.
    #[must_use]
    pub fn values(&self) -> &[IndexValue<I>] {
        &self.values
    }

    /// A `?` for each value, with commas between: `where born_on in (?, ?)` of SQLite and MySQL. PostgreSQL takes an array:
    /// `where born_on = any($1)`.
    #[must_use]
    pub fn placeholders(&self) -> String {
        let mut placeholders = "?, ".repeat(self.values.len());
        placeholders.truncate(placeholders.len().saturating_sub(2));
        placeholders
    }

    /// Whether an opened record is what is sought, by its normal forms. A record whose field has no normal form is not.
    #[must_use]
    pub fn matches(&self, record: &I::Record) -> bool {
        let mut forms = Forms::of_record(&I::DEFINITION);
        if I::forms(record, &I::DEFINITION, &mut forms).is_err() {
            return false;
        }
        forms.expose_values().any(|own| {
            let own: Vec<_> = own.collect();
            self.forms.expose_values().any(|sought| sought.eq(own.iter().copied()))
        })
    }
}

impl<I: Index> fmt::Debug for IndexQuery<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexQuery")
            .field("index", &I::DEFINITION.id())
            .field("values", &self.values.len())
            .finish_non_exhaustive()
    }
}

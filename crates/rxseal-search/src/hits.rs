//! Hits: candidates that are opened page by page, and of which only those come out that are sought.

use std::fmt;

use rxseal::observe::Asked;
use rxseal::page::{Candidate, open_candidates};
use rxseal::records::{RecordKeys, SealedRecord, WholeRecord};
use rxseal::roles::MayOpen;
use rxseal::{Access, Error, KeyId, Record};

use crate::query::IndexQuery;
use crate::sought::SearchIndex;

/// How many candidates are opened at once, as one opening.
const PAGE: usize = 256;

/// The hits of a search: an iterator of opened records. [`IndexQuery::hits`] makes it.
///
/// It opens candidates page by page, as you ask for the next hit. What is no hit is wiped (the sealed fields of a record struct) or dropped
/// before you see it. A candidate that does not open is an
/// error in its place, and the search goes on. If the observer refuses a page, its error is the last item.
///
/// The observer hears of each page once ([`Observer::searched`](rxseal::observe::Observer::searched)): who searched by which indexes, how
/// many candidates were opened, and which of them were hits.
#[must_use = "nothing is opened before the iterator is asked for hits"]
pub struct Hits<'q, R, O: OpenPage> {
    rows: R,
    open: O,
    filters: Vec<Filter<'q, O::Opened>>,
    indexes: Vec<&'static str>,
    roots: Vec<KeyId>,
    found: std::vec::IntoIter<Result<O::Opened, Error>>,
    candidates: usize,
    is_over: bool,
}

type Filter<'q, T> = Box<dyn FnMut(&T) -> bool + 'q>;

/// How a page of candidates is opened.
pub trait OpenPage {
    /// What a row is.
    type Row;
    /// What it opens to.
    type Opened;

    /// Opens a page, and gives the hits and the errors.
    ///
    /// # Errors
    ///
    /// Those with which nothing is opened.
    fn open_page(
        &mut self,
        rows: Vec<Self::Row>,
        asked: Asked<'_>,
        is_hit: &mut dyn FnMut(&Self::Opened) -> bool,
    ) -> Result<Vec<Result<Self::Opened, Error>>, Error>;
}

impl<I: SearchIndex> IndexQuery<I> {
    /// Opens candidates, and gives those that are sought: `rows` are what the database found by [`values`](Self::values).
    ///
    /// `keys` is a keyring, an `Opener`, or one of them `with_subjects`. A record tag is verified as `open` does it.
    pub fn hits<'q, K: RecordKeys<Role: MayOpen>, S: WholeRecord<Open = I::Record>, R: IntoIterator<Item = S>>(
        &'q self,
        keys: &'q K,
        rows: R,
        access: &'q Access,
    ) -> Hits<'q, R::IntoIter, Rows<'q, K, S>> {
        let open = |keys: &K, rows: &[S], asked: Asked<'_>, access: &Access, is_hit: IsHit<'_, I::Record>| {
            keys.handle().open_candidates(rows, asked, access, is_hit)
        };
        Hits::of(self, rows, Rows { keys, access, open })
    }

    /// As [`hits`](Self::hits), of rows whose record tag is not verified: of a struct that says `projection`, which selects fewer columns.
    pub fn hits_unverified<
        'q,
        K: RecordKeys<Role: MayOpen>,
        S: SealedRecord<Open = I::Record>,
        R: IntoIterator<Item = S>,
    >(
        &'q self,
        keys: &'q K,
        rows: R,
        access: &'q Access,
    ) -> Hits<'q, R::IntoIter, Rows<'q, K, S>> {
        let open = |keys: &K, rows: &[S], asked: Asked<'_>, access: &Access, is_hit: IsHit<'_, I::Record>| {
            keys.handle().open_candidates_unverified(rows, asked, access, is_hit)
        };
        Hits::of(self, rows, Rows { keys, access, open })
    }

    /// As [`hits`](Self::hits), of records that serde reads, or that are opened field by field: `record` says which record a row is, and `open`
    /// opens it.
    ///
    /// ```
    /// use rxseal::{Sealing, phi::BirthDate};
    /// use rxseal_search::{Find, indexes};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// pub struct Patient {
    ///     #[serde(with = "Sealing::<BirthDate>")]
    ///     birth_date: String,
    /// }
    /// indexes! {
    ///     for Patient as "patient" {
    ///         pub BornOn = "patient.born": date(birth_date: BirthDate), bits 14;
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
    /// # let patient = Patient { birth_date: "1970-01-31".into() };
    /// # let rows = [(7, serde_json::to_string(&keys.record("patient", 7)?.sealing(&patient))?)];
    /// let born = keys.indexer()?.find::<BornOn>("1970-01-31")?;
    /// // select id, body from patient where born_on in (..)
    /// let hits = born.hits_of(
    ///     rows,
    ///     &access,
    ///     |(id, _)| keys.record("patient", *id),
    ///     |(_, body), candidate| candidate.run_opening(|| serde_json::from_str(body)),
    /// );
    /// for patient in hits {
    ///     assert_eq!(patient?.birth_date, "1970-01-31");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn hits_of<'q, T: MayOpen, R: IntoIterator, F, O>(
        &'q self,
        rows: R,
        access: &'q Access,
        record: F,
        open: O,
    ) -> Hits<'q, R::IntoIter, Records<'q, R::Item, T, F, O>>
    where
        F: FnMut(&R::Item) -> Result<Record<T>, Error>,
        O: FnMut(&R::Item, &mut Candidate<'_>) -> Result<I::Record, Error>,
    {
        Hits::of(self, rows, Records { access, record, open, rows: std::marker::PhantomData })
    }
}

impl<'q, R, O: OpenPage> Hits<'q, R, O> {
    fn of<I: SearchIndex<Record = O::Opened>>(
        query: &'q IndexQuery<I>,
        rows: impl IntoIterator<IntoIter = R>,
        open: O,
    ) -> Self {
        Self {
            rows: rows.into_iter(),
            open,
            filters: Vec::new(),
            indexes: Vec::new(),
            roots: Vec::new(),
            found: Vec::new().into_iter(),
            candidates: 0,
            is_over: false,
        }
        .also(query)
    }

    /// Only those that match another query too: of a database that was asked for both, `where born_on in (..) and last_name_is in (..)`.
    pub fn also<I: SearchIndex<Record = O::Opened>>(mut self, query: &'q IndexQuery<I>) -> Self {
        self.indexes.push(I::DEFINITION.id());
        self.roots.extend_from_slice(query.roots());
        self.roots.sort_unstable_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
        self.roots.dedup();
        self.filters.push(Box::new(|record| query.matches(record)));
        self
    }

    /// Only those that `filter` lets through. It sees strangers too, so it keeps nothing of what it sees. Unlike a filter of the iterator, it comes
    /// before the observer is told what the hits are.
    pub fn only(mut self, filter: impl FnMut(&O::Opened) -> bool + 'q) -> Self {
        self.filters.push(Box::new(filter));
        self
    }

    /// How many candidates were opened so far, hits among them.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.candidates
    }
}

impl<R: Iterator<Item = O::Row>, O: OpenPage> Hits<'_, R, O> {
    /// Opens the next page, and says whether there was one.
    fn open_next_page(&mut self) -> Result<bool, Error> {
        let rows: Vec<_> = self.rows.by_ref().take(PAGE).collect();
        let len = rows.len();
        if rows.is_empty() {
            return Ok(false);
        }
        let asked = Asked::new(&self.indexes, &self.roots).opened_before(self.candidates);
        let filters = &mut self.filters;
        let found = self.open.open_page(rows, asked, &mut |record| filters.iter_mut().all(|filter| filter(record)))?;
        self.candidates = self.candidates.saturating_add(len);
        self.found = found.into_iter();
        Ok(true)
    }
}

impl<R: Iterator<Item = O::Row>, O: OpenPage> Iterator for Hits<'_, R, O> {
    type Item = Result<O::Opened, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.next() {
                return Some(found);
            }
            if self.is_over {
                return None;
            }
            match self.open_next_page() {
                Ok(was_there) => self.is_over = !was_there,
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<R: Iterator<Item = O::Row>, O: OpenPage> std::iter::FusedIterator for Hits<'_, R, O> {}

impl<R, O: OpenPage> fmt::Debug for Hits<'_, R, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hits")
            .field("indexes", &self.indexes)
            .field("candidates", &self.candidates)
            .finish_non_exhaustive()
    }
}

type IsHit<'a, T> = &'a mut dyn FnMut(&T) -> bool;

/// Opens a page of rows.
type Open<K, S, T> = fn(&K, &[S], Asked<'_>, &Access, IsHit<'_, T>) -> Result<Vec<(usize, Result<T, Error>)>, Error>;

/// Rows of a record struct.
#[expect(missing_debug_implementations, reason = "it is a part of `Hits`, which has one")]
pub struct Rows<'q, K, S: SealedRecord> {
    keys: &'q K,
    access: &'q Access,
    open: Open<K, S, S::Open>,
}

impl<K, S: SealedRecord> OpenPage for Rows<'_, K, S> {
    type Row = S;
    type Opened = S::Open;

    fn open_page(
        &mut self,
        rows: Vec<S>,
        asked: Asked<'_>,
        is_hit: &mut dyn FnMut(&S::Open) -> bool,
    ) -> Result<Vec<Result<S::Open, Error>>, Error> {
        let found = (self.open)(self.keys, &rows, asked, self.access, is_hit)?;
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }
}

/// Rows that closures open.
#[expect(missing_debug_implementations, reason = "as above")]
pub struct Records<'q, S, T, F, O> {
    access: &'q Access,
    record: F,
    open: O,
    rows: std::marker::PhantomData<fn(S) -> T>,
}

impl<S, P, T, F, O> OpenPage for Records<'_, S, T, F, O>
where
    T: MayOpen,
    F: FnMut(&S) -> Result<Record<T>, Error>,
    O: FnMut(&S, &mut Candidate<'_>) -> Result<P, Error>,
{
    type Row = S;
    type Opened = P;

    fn open_page(
        &mut self,
        rows: Vec<S>,
        asked: Asked<'_>,
        is_hit: &mut dyn FnMut(&P) -> bool,
    ) -> Result<Vec<Result<P, Error>>, Error> {
        let (mut candidates, mut found) = (Vec::with_capacity(rows.len()), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            match (self.record)(row) {
                Ok(record) => candidates.push(((place, row), record)),
                Err(error) => found.push((place, Err(error))),
            }
        }
        let open = |(_, row): (usize, &S), candidate: &mut Candidate<'_>| (self.open)(row, candidate);
        let opened = open_candidates(candidates, asked, self.access, open, is_hit)?;
        found.extend(opened.into_iter().map(|((place, _), opened)| (place, opened)));
        found.sort_by_key(|(place, _)| *place);
        Ok(found.into_iter().map(|(_, found)| found).collect())
    }
}

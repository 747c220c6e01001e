//! The planner: what an index gives away, and what a search costs, before anybody declares it.
//!
//! Two columns of one kind can be safe in one pharmacy and not in another, since it depends on how common the commonest names are. So
//! plan each index on real rows, before the first value is stored and once a year after that. **Made-up patients are too even: they accept what
//! your patients refuse.**
//!
//! A [`Plan`] takes the declared indexes, how many rows the table will ever have in one keyspace, and a sample of records in plaintext.
//! Its [`PlanReport`] has aggregates alone. It says what a thief of the column would learn: the planner plays the thief, under 20 random
//! keys, with perfect knowledge of how common each form is. And it says how many candidates a search opens.
//!
//! ```no_run
//! # struct Patient;
//! # fn plan<BornOn, LastNameIs>(patients: Vec<Patient>) -> Result<(), rxseal::Error>
//! # where BornOn: rxseal::index::Index<Record = Patient>, LastNameIs: rxseal::index::Index<Record = Patient> {
//! use rxseal_search::plan::Plan;
//!
//! let mut plan = Plan::new(1_000_000).index::<BornOn>()?.index::<LastNameIs>()?;
//! for patient in &patients {
//!     plan.sample(patient);
//! }
//! let report = plan.report();
//! println!("{report}");
//! assert!(report.is_accepted());
//! # Ok(())
//! # }
//! ```
//!
//! [`assert_plan!`](crate::assert_plan) is the same in one line, for a test. The command does it for a CSV file: `rxseal index plan`.
//!
//! # What is refused
//!
//! | refused | if |
//! |---|---|
//! | `rows-named` | the thief names more than 1 % of the rows, and more than the commonest form has |
//! | `commonest-named` | the thief names more than 5 % of the holders of the 20 commonest forms, if these are more than 1 % of the rows |
//! | `value-too-common` | one value is in more than 0.2 % of 100,000 rows and more, 0.7 % of 10,000, or 70 of fewer rows |
//! | `too-many-bits` | a value has 3 bits more than its [`Profile`] asks for, and [`accept`](Plan::accept) gives no reason |
//! | `thin-table` | a slot table of your own has forms that fewer than 50 rows of the sample have |
//! | `not-unique` | 128 bits are declared for values that are not unique |
//! | `too-few-samples` | fewer than 1,000 rows have a value, and the table is larger |
//! | `more-samples-than-rows`, `too-many-rows` | the table has outgrown the plan, or the plan the planner |
//!
//! The attack is a floor and no bound: other attacks use several columns at once.
//!
//! # What stays in memory
//!
//! A normal form is kept as a digest under a random key, which is wiped in the end. Only a form of 50 rows and more is kept as text, and
//! wiped: [`slot_table`](Plan::slot_table) writes it. No value of the sample is in a report, an error or a `Debug`, and a count below 20
//! is shown as `<20`.

mod alone;
mod dice;
mod figure;
mod number;
mod population;
mod profile;
mod refusal;
mod report;
mod seen;
mod table;
mod thief;

pub use figure::{Figure, Measure};
pub use profile::{Profile, Values};
pub use refusal::Refusal;
pub use report::{IndexReport, PlanReport};
pub use table::OwnTable;

use std::fmt;

use rxseal::Error;
use rxseal::index::{Definition, EachIndex, Forms, Index, IndexedRecord, Kind, SlotTable, StoredIndex as _};

use report::Subject;
use seen::Seen;
use table::Slots;

/// Indexes of one record struct `R`, and a sample of its records.
pub struct Plan<R: ?Sized> {
    rows: u32,
    indexes: Vec<Planned<R>>,
    samples: u64,
    accepted: Option<String>,
}

/// Writes the normal forms of a record.
type Write<R> = Box<dyn Fn(&R, &mut Forms) -> Result<(), Error>>;

struct Planned<R: ?Sized> {
    shape: Shape,
    write: Write<R>,
    seen: Seen,
}

impl<R: ?Sized> Plan<R> {
    /// A plan for the most rows that the table will ever have in one keyspace, at most 50,000,000.
    #[must_use]
    pub fn new(rows: u32) -> Self {
        Self { rows, indexes: Vec::new(), samples: 0, accepted: None }
    }

    /// Plans a declared index too. [`every_index`](Self::every_index) plans all of a record: together they tell more than each alone.
    ///
    /// # Errors
    ///
    /// `random-failed`.
    pub fn index<I: Index<Record = R>>(mut self) -> Result<Self, Error>
    where
        R: Sized,
    {
        self.add::<I>()?;
        Ok(self)
    }

    /// Plans every index of the record struct's `indexes!`, so that none is forgotten. Any record will do: nothing is taken from it.
    ///
    /// # Errors
    ///
    /// `random-failed`.
    pub fn every_index(self, any: &R) -> Result<Self, Error>
    where
        R: IndexedRecord,
    {
        let mut each = Declared(self);
        any.each_index(&mut each)?;
        Ok(each.0)
    }

    /// Plans an index that is not declared in code. `write` writes the normal forms of a record, as [`Index::forms`] does.
    ///
    /// # Errors
    ///
    /// `random-failed`.
    pub fn shape(
        mut self,
        shape: Shape,
        write: impl Fn(&R, &mut Forms) -> Result<(), Error> + 'static,
    ) -> Result<Self, Error> {
        self.add_shape(shape, Box::new(write))?;
        Ok(self)
    }

    /// Says why a value may have more bits than the rule has. The report repeats the reason. It accepts nothing else.
    #[must_use]
    pub fn accept(mut self, reason: impl Into<String>) -> Self {
        self.accepted = Some(reason.into());
        self
    }

    /// Takes a record of the sample. A value that is not indexable is counted.
    pub fn sample(&mut self, record: &R) {
        for Planned { shape, write, seen } in &mut self.indexes {
            let mut forms = Forms::of_record(&shape.definition);
            let written = write(record, &mut forms);
            seen.add(written.as_ref().map(|()| &forms), |form| shape.slots.of(form));
        }
        self.samples = self.samples.saturating_add(1);
    }

    /// Plays the thief, which takes a second or two for each index of a million rows in a release build.
    #[must_use]
    pub fn report(&self) -> PlanReport {
        let subjects: Vec<_> = self
            .indexes
            .iter()
            .map(|Planned { shape, seen, .. }| Subject {
                id: &shape.id,
                values: shape.values,
                bits: shape.bits,
                slots: &shape.slots,
                seen,
            })
            .collect();
        report::report(self.rows, self.samples, &subjects, self.accepted.as_deref())
    }

    /// A slot table for an index, from the sample: a form with the share `s` has `ceil(4096 s)` slots, and at most 256. Only forms that
    /// at least 50 rows have are in it.
    ///
    /// `None` if the plan has no index of that id, the index is compound, no form is common enough, or `table` is no id of a table, such
    /// as `our-names/1`.
    #[must_use]
    pub fn slot_table(&self, index: &str, table: &str) -> Option<OwnTable> {
        let planned = self.indexes.iter().find(|planned| planned.shape.id == index)?;
        OwnTable::of(table, planned.seen.expose_common(), planned.seen.total())
    }
}

impl<R: ?Sized> Plan<R> {
    fn add<I: Index<Record = R>>(&mut self) -> Result<(), Error>
    where
        R: Sized,
    {
        let definition = I::DEFINITION;
        let slots = definition.slots().map_or(Slots::None, Slots::Public);
        let (id, values) = (definition.id().to_owned(), Values::of(&definition));
        let shape = Shape { id, definition, values, bits: definition.bits(), slots };
        self.add_shape(shape, Box::new(move |record, forms| I::forms(record, &definition, forms)))
    }

    fn add_shape(&mut self, shape: Shape, write: Write<R>) -> Result<(), Error> {
        self.indexes.push(Planned { shape, write, seen: Seen::new()? });
        Ok(())
    }
}

impl<R: ?Sized> fmt::Debug for Plan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indexes: Vec<_> = self.indexes.iter().map(|planned| planned.shape.id.as_str()).collect();
        f.debug_struct("Plan").field("rows", &self.rows).field("indexes", &indexes).finish_non_exhaustive()
    }
}

/// Adds the declared indexes of a record struct to a plan.
struct Declared<R>(Plan<R>);

impl<R> EachIndex<R> for Declared<R> {
    fn stored<I: Index<Record = R>>(&mut self, _: &R) -> Result<I::Stored, Error> {
        self.0.add::<I>()?;
        Ok(I::Stored::of_values([]))
    }
}

/// An index that is planned and not declared.
#[derive(Debug)]
pub struct Shape {
    id: String,
    /// Of its kind and number of components; its texts are of no index.
    definition: Definition,
    values: Values,
    bits: u8,
    slots: Slots,
}

impl Shape {
    /// An index of one component, or of 2 to 4 if it is compound, with values of 8 to 64 bits, or 128.
    ///
    /// `None` if one of them is out of bounds.
    #[must_use]
    pub fn new(id: impl Into<String>, kind: Kind, components: usize, bits: u8) -> Option<Self> {
        const ANY: &[&str] = &["any/1", "any/1", "any/1", "any/1"];
        let wanted = if kind == Kind::Compound { 2..=4 } else { 1..=1 };
        let is_legal = wanted.contains(&components) && ((8..=64).contains(&bits) || bits == 128);
        let normalizers = ANY.get(..components).filter(|_| is_legal)?;
        // Its bits are planned and not used, so it has some that every kind may have.
        let definition = Definition::new("planned", "planned", kind, 8, normalizers);
        let values = if kind == Kind::Compound { Values::Compound } else { Values::Other };
        Some(Self { id: id.into(), definition, values, bits, slots: Slots::None })
    }

    /// The same of such values. Without this call a compound index has [`Values::Compound`], and every other one [`Values::Other`].
    #[must_use]
    pub fn of(mut self, values: Values) -> Self {
        self.values = values;
        self
    }

    /// The same with slots.
    #[must_use]
    pub fn with_slots(mut self, table: &'static SlotTable) -> Self {
        self.slots = Slots::Public(table);
        self
    }

    /// The same with slots of a table from one's own rows.
    #[must_use]
    pub fn with_own_slots(mut self, table: OwnTable) -> Self {
        self.slots = Slots::Own(table);
        self
    }
}

/// Fails a test if the planner refuses an index of a record struct, and shows the report.
///
/// `rows` is the most rows that the table will ever have in one keyspace, and `samples` gives records, by reference, in plaintext. All indexes
/// of the struct's `indexes!` are planned, or those of a list behind `indexes`. A reason behind `accept` allows more bits than the rule has,
/// and nothing else.
///
/// ```
/// use rxseal::phi::Phone;
/// use rxseal_search::{assert_plan, indexes};
///
/// pub struct Patient {
///     pub phone: String,
/// }
///
/// indexes! {
///     for Patient as "patient" {
///         pub PhoneIs = "patient.phone": phone(phone: Phone), bits 10;
///     }
/// }
///
/// let patients: Vec<_> = (0..2000).map(|n| Patient { phone: format!("555 555 {n:04}") }).collect();
/// assert_plan!(rows = 5000, samples = &patients);
/// assert_plan!(rows = 5000, samples = &patients, indexes = [PhoneIs], accept = "as many bits as the rule has");
/// ```
#[macro_export]
macro_rules! assert_plan {
    (rows = $rows:expr, samples = $samples:expr, indexes = [$($index:ty),+ $(,)?] $(, accept = $reason:expr)? $(,)?) => {
        $crate::__assert_plan!($samples, |_| $crate::plan::Plan::new($rows)$(.accept($reason))?$(.index::<$index>()?)+)
    };
    (rows = $rows:expr, samples = $samples:expr $(, accept = $reason:expr)? $(,)?) => {
        $crate::__assert_plan!($samples, |any| $crate::plan::Plan::new($rows)$(.accept($reason))?.every_index(any)?)
    };
}

/// Plans by `$plan`, which gets the first record.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_plan {
    ($samples:expr, |$any:pat_param| $plan:expr) => {{
        let planned = || -> ::core::result::Result<_, ::rxseal::Error> {
            let mut planned = ::core::option::Option::None;
            for record in $samples {
                if planned.is_none() {
                    let $any = record;
                    planned = ::core::option::Option::Some($plan);
                }
                if let ::core::option::Option::Some(plan) = &mut planned {
                    plan.sample(record);
                }
            }
            ::core::result::Result::Ok(planned.map(|plan| plan.report()))
        };
        match planned() {
            ::core::result::Result::Ok(::core::option::Option::Some(report)) => {
                ::core::assert!(report.is_accepted(), "{report}");
            }
            ::core::result::Result::Ok(::core::option::Option::None) => ::core::panic!("the sample has no record"),
            ::core::result::Result::Err(error) => ::core::panic!("{error}"),
        }
    }};
}

//! Why an index is refused.

use std::fmt;

/// Why an index is refused: which measure is over which bound.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A thief would name this share of all rows.
    RowsNamed {
        /// The share.
        share: f64,
        /// What is allowed: 1 %, or the share of the commonest form, which whoever guesses it for every row gets right.
        bound: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// A thief would name this share of the holders of the 20 commonest forms.
    CommonestNamed {
        /// The share.
        share: f64,
        /// What is allowed.
        bound: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// This share of the rows has one value.
    ValueTooCommon {
        /// The share.
        share: f64,
        /// What is allowed of so many rows.
        bound: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// The value is longer than rows ask for, and nobody gave a reason: it tells people apart who should look alike.
    TooManyBits {
        /// The bits of the value.
        bits: u8,
        /// The bits by the rule.
        rule: u8,
    },
    /// A slot table that is not from public lists has forms that fewer than 50 sampled rows have.
    ThinTable {
        /// How many forms.
        forms: usize,
    },
    /// A uniqueness check of values that are not unique.
    NotUnique,
    /// The sample has too few rows with a value to tell anything.
    TooFewSamples,
    /// The sample is larger than the table is planned to become.
    MoreSamplesThanRows,
    /// The planner plans tables of up to 50,000,000 rows. A keyspace is one tenant.
    TooManyRows,
}

impl Refusal {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RowsNamed { .. } => "rows-named",
            Self::CommonestNamed { .. } => "commonest-named",
            Self::ValueTooCommon { .. } => "value-too-common",
            Self::TooManyBits { .. } => "too-many-bits",
            Self::ThinTable { .. } => "thin-table",
            Self::NotUnique => "not-unique",
            Self::TooFewSamples => "too-few-samples",
            Self::MoreSamplesThanRows => "more-samples-than-rows",
            Self::TooManyRows => "too-many-rows",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| format!("{:.2} %", share * 100.0);
        match self {
            Self::RowsNamed { share, bound, remedy } => write!(
                f,
                "a thief would name {} of the rows, and {} is allowed: {remedy}",
                percent(share),
                percent(bound)
            ),
            Self::CommonestNamed { share, bound, remedy } => write!(
                f,
                "a thief would name {} of those who have one of the 20 commonest forms, and {} is allowed: {remedy}",
                percent(share),
                percent(bound)
            ),
            Self::ValueTooCommon { share, bound, remedy } => {
                write!(f, "{} of the rows have one value, and {} is allowed: {remedy}", percent(share), percent(bound))
            }
            Self::TooManyBits { bits, rule } => {
                write!(
                    f,
                    "a value has {bits} bits, and {rule} are enough for so many rows: declare fewer, or accept it with a reason"
                )
            }
            Self::ThinTable { forms } => write!(
                f,
                "{} forms of the slot table have fewer than 50 rows in the sample: leave them out, since a table shows its forms",
                super::figure::at_least_20(u64::try_from(*forms).unwrap_or(u64::MAX))
            ),
            Self::NotUnique => f.write_str(
                "a uniqueness check of 128 bits is for values that are unique: declare the bits by the rule",
            ),
            Self::TooFewSamples => {
                f.write_str("the sample has too few rows with a value: give at least 1,000, or the whole table")
            }
            Self::MoreSamplesThanRows => f.write_str(
                "the sample has more rows than the table is planned for: plan for the most rows that it will ever have",
            ),
            Self::TooManyRows => {
                f.write_str("no plan is for more than 50,000,000 rows: plan one keyspace, which is one tenant")
            }
        }
    }
}

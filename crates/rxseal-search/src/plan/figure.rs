//! What a report says in numbers. A count below 20 could point at somebody, so it is not shown.

use std::fmt;

use super::number::{float, nearest};

/// What a report measures of an index. "Rows" are those of the full table, as the sample foretells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// How many different normal forms the sample has.
    Forms,
    /// The records of the sample that have no normal form: the column is null.
    Nulls,
    /// The records of the sample whose value is not indexable.
    NotIndexable,
    /// The share of the sample that has the commonest form.
    Commonest,
    /// The Shannon entropy of the forms in the sample, in bits.
    Entropy,
    /// Their min-entropy in bits: that of the commonest form.
    MinEntropy,
    /// The share of rows that have the commonest value.
    LargestValue,
    /// How many values a query asks for under one index root, on average over all rows.
    ValuesAsked,
    /// The same at most.
    ValuesAskedMost,
    /// How many candidates a query finds, on average over all rows.
    CandidatesMean,
    /// The same in the middle.
    CandidatesMedian,
    /// The same for 95 % of the rows.
    Candidates95,
    /// The same at most.
    CandidatesMost,
    /// The share of rows that a thief names who knows how common each form is, and counts how often each value occurs.
    RowsNamed,
    /// The same of those who have one of the 20 commonest forms.
    CommonestNamed,
    /// The share of rows whose value nobody else has.
    Alone,
}

impl Measure {
    /// All of them, in the order of a report.
    pub const ALL: &[Self] = &[
        Self::Forms,
        Self::Nulls,
        Self::NotIndexable,
        Self::Commonest,
        Self::Entropy,
        Self::MinEntropy,
        Self::LargestValue,
        Self::ValuesAsked,
        Self::ValuesAskedMost,
        Self::CandidatesMean,
        Self::CandidatesMedian,
        Self::Candidates95,
        Self::CandidatesMost,
        Self::RowsNamed,
        Self::CommonestNamed,
        Self::Alone,
    ];

    /// Its name for programs, such as `candidates-p95`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Forms => "forms",
            Self::Nulls => "nulls",
            Self::NotIndexable => "not-indexable",
            Self::Commonest => "commonest",
            Self::Entropy => "entropy",
            Self::MinEntropy => "min-entropy",
            Self::LargestValue => "largest-value",
            Self::ValuesAsked => "values-asked",
            Self::ValuesAskedMost => "values-asked-most",
            Self::CandidatesMean => "candidates-mean",
            Self::CandidatesMedian => "candidates-median",
            Self::Candidates95 => "candidates-p95",
            Self::CandidatesMost => "candidates-most",
            Self::RowsNamed => "rows-named",
            Self::CommonestNamed => "commonest-named",
            Self::Alone => "alone",
        }
    }

    /// What it says, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Forms => "different forms in the sample",
            Self::Nulls => "sampled rows without a form",
            Self::NotIndexable => "sampled rows that are refused",
            Self::Commonest => "the commonest form has",
            Self::Entropy => "entropy in bits",
            Self::MinEntropy => "min-entropy in bits",
            Self::LargestValue => "the commonest value has",
            Self::ValuesAsked => "values in a query, mean",
            Self::ValuesAskedMost => "values in a query, most",
            Self::CandidatesMean => "candidates, mean",
            Self::CandidatesMedian => "candidates, median",
            Self::Candidates95 => "candidates, 95 %",
            Self::CandidatesMost => "candidates, most",
            Self::RowsNamed => "a thief names, of all rows",
            Self::CommonestNamed => "of the 20 commonest forms",
            Self::Alone => "rows alone in their value",
        }
    }
}

/// One number of a report. `Display` shows no count below 20, and no share that is fewer than 20 rows.
#[derive(Clone, Copy, PartialEq)]
pub struct Figure {
    number: f64,
    /// What is shown in place of less.
    least: f64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Count,
    Share,
    Bits,
}

impl Figure {
    pub(super) fn count(number: f64) -> Self {
        Self { number, least: FEWEST, unit: Unit::Count }
    }

    pub(super) fn share(number: f64, of: u64) -> Self {
        Self { number, least: (FEWEST / float(of.max(1))).min(1.0), unit: Unit::Share }
    }

    /// Of something else than rows.
    pub(super) fn bits(number: f64) -> Self {
        Self { number, least: 0.0, unit: Unit::Bits }
    }

    /// The number: a count, a share between 0 and 1, or bits. It is exact even where [`is_hidden`](Self::is_hidden), for a test that
    /// compares a forecast.
    #[must_use]
    pub fn number(&self) -> f64 {
        self.number
    }

    /// Whether it is of fewer than 20 rows, so that it must not be shown.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.number < self.least
    }
}

/// With its unit, such as `1,376`, `0.41 %` or `<20`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, number) = if self.is_hidden() { ("<", self.least) } else { ("", self.number) };
        let text = match self.unit {
            Unit::Count => with_commas(nearest(number)),
            Unit::Bits => format!("{number:.1}"),
            Unit::Share => {
                let percent = number * 100.0;
                let digits = if percent < 0.01 {
                    4
                } else if percent < 10.0 {
                    2
                } else {
                    1
                };
                format!("{percent:.digits$} %")
            }
        };
        f.pad(&format!("{sign}{text}"))
    }
}

/// As `Display`: what must not be shown is not in a log either.
impl fmt::Debug for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A count, or `<20`.
pub(super) fn at_least_20(count: u64) -> Figure {
    Figure::count(float(count))
}

/// As people read it: `1,000,000`.
pub(super) fn with_commas(count: u32) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (left, digit) in (1..=digits.len()).rev().zip(digits.chars()) {
        text.push(digit);
        if left > 1 && left % 3 == 1 {
            text.push(',');
        }
    }
    text
}

/// Fewer rows than that are not shown.
const FEWEST: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_in_no_debug() {
        for figure in [Figure::count(7.0), Figure::share(0.07, 100)] {
            assert!(figure.is_hidden());
            assert_eq!(format!("{figure:?}"), figure.to_string());
            assert!(!format!("{figure:?}").contains('7'));
        }
    }
}

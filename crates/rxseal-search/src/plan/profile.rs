//! How many bits an index should have, and how common a value may be.

use std::fmt;

use rxseal::index::Definition;

use super::number::float;
use crate::normal::{Date, Family, Given, NoPlaceholders, Normalizer as _, Sounds};

/// What kind of values an index has. The bits of a value follow from it and from the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Each form has about as many rows as the next, such as birth dates.
    Flat,
    /// A slot table makes it flat, such as last names.
    Slotted,
    /// A form has hardly more than one row, such as phone numbers.
    NearlyUnique,
    /// 128 bits, for a check that a value is unique.
    Unique,
}

/// What the values of an index are, which a sample alone does not show: the birth dates of a thousand people are nearly all different, and
/// those of a million are not. [`Plan::index`](super::Plan::index) knows it from the normaliser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Values {
    /// Names and how they sound: many people have one. A slot table spreads the common ones.
    Names,
    /// Dates: many people have one, and no slot table is needed.
    Dates,
    /// Several components: a compound index.
    Compound,
    /// Anything else, such as phone numbers. The sample says how many rows share one.
    #[default]
    Other,
}

impl Values {
    pub(super) fn of(definition: &Definition) -> Self {
        const NAMES: [&str; 3] = [Family::<NoPlaceholders>::ID, Given::<NoPlaceholders>::ID, Sounds::ID];
        match definition.normalizers() {
            [_, _, ..] => Self::Compound,
            [one] if *one == Date::<NoPlaceholders>::ID => Self::Dates,
            [one] if NAMES.contains(one) => Self::Names,
            _ => Self::Other,
        }
    }

    fn are_shared(self) -> bool {
        matches!(self, Self::Names | Self::Dates)
    }
}

impl Profile {
    /// Of an index of such values with so many bits, if so many rows have the form of a row on average.
    pub(super) fn of(values: Values, bits: u8, has_slots: bool, alike: f64) -> Self {
        match bits {
            UNIQUE => Self::Unique,
            _ if has_slots => Self::Slotted,
            _ if alike <= HARDLY_MORE && !values.are_shared() => Self::NearlyUnique,
            _ => Self::Flat,
        }
    }

    /// How many bits a value has by the rule: such that a search finds 32 to 64 rows of strangers for each value that it asks for, and 4
    /// to 8 if the values are nearly unique; at least 8. Of a unique index, 128.
    ///
    /// ```
    /// use rxseal_search::plan::Profile;
    ///
    /// assert_eq!(Profile::Flat.bits(1_000_000), 14);
    /// assert_eq!(Profile::NearlyUnique.bits(1_000_000), 17);
    /// ```
    #[must_use]
    pub fn bits(self, rows: u32) -> u8 {
        let log2 = u8::try_from(rows.max(1).ilog2()).unwrap_or(u8::MAX);
        match self {
            Self::Flat | Self::Slotted => log2.saturating_sub(5).max(LEAST),
            Self::NearlyUnique => log2.saturating_sub(2).max(LEAST),
            Self::Unique => UNIQUE,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flat => "flat",
            Self::Slotted => "slotted",
            Self::NearlyUnique => "nearly unique",
            Self::Unique => "unique",
        })
    }
}

/// The share of rows that the commonest value may have: 0.2 % of 100,000 rows and more, 0.7 % of 10,000, and 70 rows of fewer.
pub(super) fn largest_allowed(rows: u32) -> f64 {
    let rows = float(u64::from(rows.max(1)));
    let fewer = (5.0 - rows.log10()).max(0.0);
    if fewer > 1.0 { 70.0 / rows } else { 0.002 * 3.5_f64.powf(fewer) }
}

const LEAST: u8 = 8;
const UNIQUE: u8 = 128;
/// So many rows with the form of a row are still nearly unique.
const HARDLY_MORE: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_from_rows() {
        for (rows, flat, nearly_unique) in
            [(0, 8, 8), (1144, 8, 8), (10_000, 8, 11), (100_000, 11, 14), (5_000_000, 17, 20)]
        {
            assert_eq!(
                (Profile::Flat.bits(rows), Profile::NearlyUnique.bits(rows)),
                (flat, nearly_unique),
                "{rows} rows"
            );
        }
        assert_eq!(Profile::Unique.bits(1), 128);
    }

    #[test]
    fn a_value_may_be_as_common_as_so_many_rows_allow() {
        for (rows, allowed) in [(1000, 0.07), (10_000, 0.007), (31_623, 0.0037), (100_000, 0.002), (50_000_000, 0.002)]
        {
            assert!((largest_allowed(rows) / allowed - 1.0).abs() < 0.02, "{rows} rows: {}", largest_allowed(rows));
        }
    }
}

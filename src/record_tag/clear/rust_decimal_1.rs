//! Decimals of `rust_decimal` 1.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{ClearValue, ScaledValue, decimal};
use crate::error::Error;

impl ClearValue for Decimal {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        decimal::plain(self.mantissa(), self.scale()).map(Cow::from)
    }
}

impl ScaledValue for Decimal {
    fn scaled_text(&self, scale: u32) -> Result<Option<Cow<'_, str>>, Error> {
        decimal::scaled(self.mantissa(), self.scale(), scale).map(|text| Some(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(digits: i64, scale: u32) -> Decimal {
        Decimal::new(digits, scale)
    }

    #[test]
    fn a_decimal_has_no_zeros_at_its_end() {
        for (value, expected) in [
            (decimal(15, 1), "1.5"),
            (decimal(-5, 3), "-0.005"),
            (decimal(0, 0), "0"),
            (-decimal(0, 0), "0"),
            (decimal(100, 0), "100"),
        ] {
            assert_eq!(value.clear_text().unwrap(), expected);
        }
        for value in [decimal(150, 2), decimal(0, 1)] {
            assert_eq!(value.clear_text().unwrap_err().code().as_str(), "clear-refused");
        }
    }

    #[test]
    fn a_scale_says_how_many_digits() {
        let text = |value: Decimal, scale| value.scaled_text(scale).map(|text| text.unwrap().into_owned());
        for value in [decimal(15, 1), decimal(150, 2), decimal(15000, 4)] {
            assert_eq!(text(value, 2).unwrap(), "1.50");
        }
        assert_eq!(text(-decimal(0, 0), 2).unwrap(), "0.00");
        assert_eq!(text(decimal(-7, 0), 0).unwrap(), "-7");
        for (value, scale) in [(decimal(1501, 3), 2), (Decimal::MAX, 28), (decimal(1, 0), 39)] {
            assert_eq!(text(value, scale).unwrap_err().code().as_str(), "clear-refused");
        }
        assert_eq!(None::<Decimal>.scaled_text(2).unwrap(), None);
    }
}

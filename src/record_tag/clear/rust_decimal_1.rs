//! Decimals of `rust_decimal` 1.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{ClearValue, ScaledValue, refused};
use crate::error::{Error, Reason};

const ZEROS: Reason =
    "a decimal with zeros at its end, which a database may drop or add: normalize it, or declare its `scale`";
const DIGITS: Reason = "a decimal with more digits of fraction than its `scale`: round it before it is sealed";
const LARGE: Reason = "a decimal with more digits than its `scale` leaves room for";

/// 28 digits are the most that a `Decimal` has.
const MAX_SCALE: u32 = 28;

impl ClearValue for Decimal {
    fn clear_text(&self) -> Result<Cow<'_, str>, Error> {
        let (digits, scale) = (self.mantissa(), self.scale());
        if scale > 0 && digits.checked_rem(10) == Some(0) {
            return Err(refused(ZEROS));
        }
        Ok(text(digits, scale).into())
    }
}

impl ScaledValue for Decimal {
    fn scaled_text(&self, scale: u32) -> Result<Option<Cow<'_, str>>, Error> {
        let (digits, own) = (self.mantissa(), self.scale());
        let power = |by: u32| 10_i128.checked_pow(by).ok_or_else(|| refused(LARGE));
        if scale > MAX_SCALE {
            return Err(refused(LARGE));
        }
        let digits = if own <= scale {
            digits.checked_mul(power(scale.saturating_sub(own))?).ok_or_else(|| refused(LARGE))?
        } else {
            let power = power(own.saturating_sub(scale))?;
            if digits.checked_rem(power) != Some(0) {
                return Err(refused(DIGITS));
            }
            digits.checked_div(power).unwrap_or_default()
        };
        Ok(Some(text(digits, scale).into()))
    }
}

/// At least one digit before the point, and exactly `scale` behind it. There is no minus zero.
fn text(digits: i128, scale: u32) -> String {
    let scale = usize::try_from(scale).unwrap_or_default();
    let sign = if digits < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", digits.unsigned_abs(), width = scale.saturating_add(1));
    match digits.split_at_checked(digits.len().saturating_sub(scale)) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
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
        for (value, scale) in [(decimal(1501, 3), 2), (Decimal::MAX, 28), (decimal(1, 0), 29)] {
            assert_eq!(text(value, scale).unwrap_err().code().as_str(), "clear-refused");
        }
        assert_eq!(None::<Decimal>.scaled_text(2).unwrap(), None);
    }
}

//! Decimals as text: all digits as one number, and how many of them are behind the point.

use super::refused;
use crate::error::{Error, Reason};

const ZEROS: Reason =
    "a decimal with zeros at its end, which a database may drop or add: normalize it, or declare its `scale`";
const DIGITS: Reason = "a decimal with more digits of fraction than its `scale`: round it before it is sealed";
const LARGE: Reason = "a decimal with more digits than its `scale` leaves room for";

/// Without a declared scale.
pub(crate) fn plain(digits: i128, behind: u32) -> Result<String, Error> {
    if behind > 0 && digits.checked_rem(10) == Some(0) {
        return Err(refused(ZEROS));
    }
    Ok(text(digits, behind))
}

/// With exactly `scale` digits behind the point.
pub(crate) fn scaled(digits: i128, behind: u32, scale: u32) -> Result<String, Error> {
    let power = |by: u32| 10_i128.checked_pow(by).ok_or_else(|| refused(LARGE));
    if behind <= scale {
        let digits = digits.checked_mul(power(scale.saturating_sub(behind))?).ok_or_else(|| refused(LARGE))?;
        return Ok(text(digits, scale));
    }
    let power = power(behind.saturating_sub(scale))?;
    match (digits.checked_div(power), digits.checked_rem(power)) {
        (Some(digits), Some(0)) => Ok(text(digits, scale)),
        _ => Err(refused(DIGITS)),
    }
}

/// At least one digit before the point, and exactly `behind` behind it. There is no minus zero.
fn text(digits: i128, behind: u32) -> String {
    let behind = usize::try_from(behind).unwrap_or_default();
    let sign = if digits < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", digits.unsigned_abs(), width = behind.saturating_add(1));
    match digits.split_at_checked(digits.len().saturating_sub(behind)) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits}"),
    }
}

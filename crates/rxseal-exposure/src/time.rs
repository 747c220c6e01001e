//! Times as an officer types them, and as a report shows them. All are in Unix seconds.

use std::time::UNIX_EPOCH;

use crate::day::{Day, rfc3339};

/// From when to when something was stolen.
pub(crate) type Window = (u64, u64);

/// `2026-08-30`, `2026-08-30T20:51Z` or `2026-08-30T20:51:07Z`. A day or a minute is its beginning, or with `is_end` its last second.
pub(crate) fn parse(text: &str, is_end: bool) -> Option<u64> {
    if let Ok(day) = text.parse::<Day>() {
        return Some(if is_end { day.plus(1).begins().saturating_sub(1) } else { day.begins() });
    }
    let with_seconds = text.strip_suffix('Z').filter(|_| text.len() == 17).map(|text| format!("{text}:00Z"));
    let time = humantime::parse_rfc3339(with_seconds.as_deref().unwrap_or(text)).ok()?;
    let rest = if is_end && with_seconds.is_some() { 59 } else { 0 };
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs().saturating_add(rest))
}

/// `FROM..TO`.
pub(crate) fn parse_window(text: &str) -> Option<Window> {
    let (from, to) = text.split_once("..")?;
    let window = (parse(from, false)?, parse(to, true)?);
    (window.0 <= window.1).then_some(window)
}

/// `2026-08-30 20:51 UTC`
pub(crate) fn shown(seconds: u64) -> String {
    let text = rfc3339(seconds);
    let (day, time) = text.split_once('T').unwrap_or_default();
    format!("{day} {} UTC", time.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_shown() {
        assert_eq!(parse_window("2026-08-30T20:51Z..2026-08-31T02:31:07Z"), Some((1_788_123_060, 1_788_143_467)));
        assert_eq!(parse_window("2026-08-30..2026-08-30"), Some((1_788_048_000, 1_788_134_399)));
        assert_eq!(parse_window("2026-08-30T20:51Z..2026-08-30T20:51Z"), Some((1_788_123_060, 1_788_123_119)));
        for bad in ["", "..", "2026-08-30", "2026-08-31..2026-08-30", "2026-08-30T20:51..2026-08-31", "a..b"] {
            assert_eq!(parse_window(bad), None, "{bad}");
        }
        assert_eq!(shown(1_788_123_060), "2026-08-30 20:51 UTC");
        assert_eq!(shown(u64::MAX), "9999-12-31 23:59 UTC");
    }
}

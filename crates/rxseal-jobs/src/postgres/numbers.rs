//! Counts as the server keeps them: with a sign.

pub(super) fn int8(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn int4(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn nat(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

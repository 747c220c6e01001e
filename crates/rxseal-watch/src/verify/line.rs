//! The beginning of a line's JSON, which is all that most lines are read for.

/// Number, times and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning<'l> {
    pub(super) n: u64,
    pub(super) t: u64,
    pub(super) m: u64,
    pub(super) kind: &'l str,
}

impl<'l> Beginning<'l> {
    /// `{"n":0,"t":1,"m":2,"e":"start"` and so on, as it is written.
    pub(super) fn read(json: &'l [u8]) -> Option<Self> {
        let (n, rest) = number(json.strip_prefix(b"{\"n\":")?)?;
        let (t, rest) = number(rest.strip_prefix(b",\"t\":")?)?;
        let (m, rest) = number(rest.strip_prefix(b",\"m\":")?)?;
        let rest = rest.strip_prefix(b",\"e\":\"")?;
        let end = rest.iter().position(|byte| *byte == b'"')?;
        let kind = str::from_utf8(rest.get(..end)?).ok()?;
        json.ends_with(b"}").then_some(Self { n, t, m, kind })
    }
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_has_one_form() {
        let read = |text: &'static str| Beginning::read(text.as_bytes());
        let good = Beginning { n: 0, t: 12, m: 3, kind: "stop" };
        assert_eq!(read(r#"{"n":0,"t":12,"m":3,"e":"stop"}"#), Some(good));
        for bad in [
            "",
            "{}",
            r#"{"n":00,"t":12,"m":3,"e":"stop"}"#,
            r#"{"n":,"t":12,"m":3,"e":"stop"}"#,
            r#"{"n":0,"m":3,"e":"stop"}"#,
            r#"{"n":-1,"t":12,"m":3,"e":"stop"}"#,
            r#"{"n":99999999999999999999,"t":12,"m":3,"e":"stop"}"#,
            r#"{"n":0,"t":12,"m":3,"e":"stop"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

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

/// In one pass, since a log has three of them on each line.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut rest) = (0_u64, text);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        number = number.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0')?))?;
        rest = behind;
    }
    let len = text.len().checked_sub(rest.len())?;
    let has_one_form = len == 1 || len > 1 && !text.starts_with(b"0");
    (has_one_form && !rest.is_empty()).then_some((number, rest))
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

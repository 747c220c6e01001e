//! What does not come back though plain serde keeps it in some format, each with the reason: the tables of docs/SERDE.md.

use crate::matrix::Outcome;

/// A line of the tables.
pub struct Line {
    /// The values, in words.
    pub shown: &'static str,
    /// Which cases they are.
    pub cases: &'static [&'static str],
    pub expected: Expected,
    /// Why, and what to do.
    pub reason: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// While it is sealed, with this code: nothing is lost.
    Refused(&'static str),
    /// When it is read.
    Lost,
}

impl Expected {
    pub fn is(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Refused(code), Outcome::Refused(found)) => code == found,
            (Self::Lost, Outcome::Late(code)) => code == "type-mismatch",
            (Self::Lost, Outcome::Changed) => true,
            _ => false,
        }
    }
}

pub const LINES: &[Line] = &[
    Line {
        shown: "`f32` and `f64`: NaN and infinite",
        cases: &[
            "f64: NaN",
            "f64: infinite",
            "f32: infinite",
            "Vec<f64>: NaN",
            "struct: NaN in it",
            "struct: f64: infinite in it",
        ],
        expected: Expected::Refused("not-finite"),
        reason: "JSON has no text for them; plain `serde_json` writes `null`. Use an `Option`, or an enum that says why there is no number.",
    },
    Line {
        shown: "`Some(None)` of a nested `Option`",
        cases: &["Option<Option<u32>>: Some(None)", "Vec<Option<Option<u32>>>: Some(None)", "struct: Some(None) in it"],
        expected: Expected::Refused("unrepresentable"),
        reason: "JSON writes `null` for it and for `None`. Use `serde_with::rust::double_option` on a field that may be missing, or an enum.",
    },
    Line {
        shown: "`Some(())`, and `Some` of another value that is written as `null`",
        cases: &["Option<()>: Some(())", "struct: Some(()) in it", "Option<serde_json::Value>: Some(null)"],
        expected: Expected::Refused("unrepresentable"),
        reason: "JSON writes `null` for it and for `None`. Use a `bool`, or a `serde_json::Value` without the `Option`.",
    },
    Line {
        shown: "maps with two keys that are written alike, such as `1` and `\"1\"` of an enum",
        cases: &["map: keys that are written alike"],
        expected: Expected::Refused("unrepresentable"),
        reason: "JSON writes all keys as text, and the second entry would replace the first. Use keys that differ as text, or a list of pairs.",
    },
    Line {
        shown: "a name that is written twice, as a map under `#[serde(flatten)]` can do it",
        cases: &["flatten: a name written twice"],
        expected: Expected::Refused("unrepresentable"),
        reason: "One of the two would be lost. Keep the names of the struct out of the map.",
    },
    Line {
        shown: "maps whose keys are structs, tuples, lists, `()` or `None`",
        cases: &["map: struct keys", "map: tuple keys", "map: list keys", "map: unit keys", "map: option keys, None"],
        expected: Expected::Refused("unrepresentable"),
        reason: "JSON has keys of text only. Use a list of pairs: `#[serde_as(as = \"Vec<(_, _)>\")]` of serde_with.",
    },
    Line {
        shown: "more than 100 levels of lists, maps and structs in one another",
        cases: &["nested lists: 110 levels"],
        expected: Expected::Refused("unrepresentable"),
        reason: "serde_json reads 127 levels, and a value must be readable for good. Keep deep trees as a list of nodes.",
    },
    Line {
        shown: "a token of rxseal as text",
        cases: &["a token as text"],
        expected: Expected::Refused("token-as-plaintext"),
        reason: "Nobody could reseal the inner token. Keep it in a field of type `Sealed`, or open it first.",
    },
    Line {
        shown: "a value with a token of rxseal in it, at any depth",
        cases: &["a token in a list", "a token in a struct", "a token as the key of a map"],
        expected: Expected::Refused("token-inside"),
        reason: "Nobody could reseal the inner token. Use a plain type inside, or seal the fields side by side.",
    },
    Line {
        shown: "`i128` and `u128` inside a type with `#[serde(flatten)]`, `tag` or `untagged`, also small ones",
        cases: &[
            "flatten: i128, small",
            "flatten: i128, large",
            "flatten: u128, large",
            "internal tag: i128, large",
            "internal tag: u128, large",
            "untagged: i128, small",
            "untagged: i128, large",
            "untagged: u128 alone, large",
        ],
        expected: Expected::Lost,
        reason: "serde keeps such a value in a buffer that has no integers of 128 bits. Write it as text: `#[serde_as(as = \"DisplayFromStr\")]`.",
    },
    Line {
        shown: "maps with integer or `bool` keys inside a type with `#[serde(flatten)]`, `tag` or `untagged`",
        cases: &["flatten: integer keys", "flatten: bool keys", "internal tag: integer keys", "untagged: integer keys"],
        expected: Expected::Lost,
        reason: "JSON writes keys as text, and serde's buffer does not turn them back. Make them text: `BTreeMap<DisplayFromStr, _>` of serde_with.",
    },
    Line {
        shown: "maps whose keys are an untagged enum with a variant for numbers",
        cases: &["map: untagged keys of numbers"],
        expected: Expected::Lost,
        reason: "JSON writes keys as text, and serde then takes the variant for text. Give the enum one kind of keys.",
    },
    Line {
        shown: "your own type that writes bytes, and reads with `deserialize_any` or `deserialize_bytes` and a visitor of lists alone",
        cases: &["bytes, read as any, which takes a list only", "bytes, hint of bytes, which takes a list only"],
        expected: Expected::Lost,
        reason: "It works only in formats that have no bytes. Write `visit_bytes` too, or read with `deserialize_seq`.",
    },
];

/// The two tables as they are in docs/SERDE.md. `kept` names the formats in which plain serde keeps the values of a line.
pub fn markdown(kept: impl Fn(&Line) -> String) -> String {
    let mut out =
        String::from("### Refused while it is sealed\n\n| value | error code | why, and what to do |\n|---|---|---|\n");
    for line in LINES {
        if let Expected::Refused(code) = line.expected {
            out.push_str(&format!("| {} | `{code}` | {} |\n", line.shown, line.reason));
        }
    }
    out.push_str("\n### Sealed, but not readable\n\n");
    out.push_str("Nothing can see these while they are sealed: the type fails when it reads what it wrote itself. Test your types (below).\n\n");
    out.push_str("| value | plain serde keeps it in | why, and what to do |\n|---|---|---|\n");
    for line in LINES.iter().filter(|line| line.expected == Expected::Lost) {
        out.push_str(&format!("| {} | {} | {} |\n", line.shown, kept(line), line.reason));
    }
    out
}

//! Each code has its line in docs/EVIDENCE.md, and a test that raises it.

const JUDGE: &str = include_str!("../../src/judge.rs");
const PAGE: &str = include_str!("../../../../docs/EVIDENCE.md");
const TESTS: [&str; 2] = [include_str!("red.rs"), include_str!("open.rs")];

#[test]
fn every_code_is_in_the_docs_and_in_a_test() {
    let mut codes = Vec::new();
    for call in ["Remark::red(", "Remark::open("] {
        for rest in JUDGE.split(call).skip(1) {
            codes.push(rest.trim_start().strip_prefix('"').unwrap().split('"').next().unwrap());
        }
    }
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() > 25, "{codes:?}");
    for code in codes {
        assert!(PAGE.contains(&format!("`{code}`")), "docs/EVIDENCE.md does not have {code}");
        assert!(TESTS.iter().any(|test| test.contains(&format!("\"{code}\""))), "no test raises {code}");
    }
}

//! Programs that must not compile, with the text that a person reads for each mistake: declarations of fields, handles and keys in `fields`
//! (T37, T38, T41 of docs/THREAT-MODEL.md), record structs in `records`, indexes and queries in `indexes` (T66, T67). This is slow, since it
//! builds a crate of its own; `.ci/run` runs it. After a new compiler, or a change of the lines that the texts quote, run it with
//! `TRYBUILD=overwrite` and read the diff.

#[test]
#[ignore = "slow: builds a crate; .ci/run runs it"]
fn what_must_not_compile_does_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("*/pass/*.rs");
    for folder in ["fields", "records", "indexes"] {
        cases.compile_fail(format!("{folder}/*.rs"));
    }
}

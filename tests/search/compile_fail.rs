//! Indexes and queries that must not compile, with the text that a person reads for each mistake. This is slow, since it builds a crate of
//! its own; `.ci/run` runs it. After a new compiler, or a change of the lines that the texts quote, run it with `TRYBUILD=overwrite` and
//! read the diff.

#[test]
#[ignore = "slow: builds a crate; .ci/run runs it"]
fn what_must_not_compile_does_not() {
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}

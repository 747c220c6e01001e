//! Content is at most 16 MiB (FORMAT 7.1).

rxseal::fields! { pub Large = "rx.scan" in Clinical { max: 16777217 }; }

fn main() {}

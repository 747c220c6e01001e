//! Content is at most 16 MiB (FORMAT 7.1).

rxseal::fields! { pub Large = "rx.scan" in Clinical { max: 16777217 }; }

fn main() {
    let keys = rxseal::Keyring::insecure_for_tests("pharmacy-17").unwrap().unobserved();
    let _ = keys.record("refill", 1).unwrap().seal::<Large>("warfarin");
}

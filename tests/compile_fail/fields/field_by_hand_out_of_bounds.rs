//! A marker written by hand is checked when it is used.

use rxseal::{Class, Field, FieldId};

enum Unpadded {}

impl Field for Unpadded {
    const ID: FieldId = FieldId::new("rx.drug");
    const CLASS: Class = Class::MEDICATION;
    const BLOCK: u16 = 0;
}

fn main() {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
    let _ = keys.record("refill", 1).unwrap().seal::<Unpadded>("warfarin");
}

//! Values that hold a token: as plain text nothing is wrong with them.

use std::collections::BTreeMap;

use rxseal::phi;
use serde::{Deserialize, Serialize};

use super::Cases;

#[derive(Serialize, Deserialize, PartialEq)]
struct Holder {
    note: Option<String>,
    id: u32,
}

pub fn add(cases: &mut Cases) {
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").expect("a keyring").unobserved();
    let record = keys.record("prescription", "RX-1001").expect("a record");
    let token = record.seal::<phi::Drug>("warfarin 5 MG").expect("a token").to_string();
    cases.add("a token as text", vec![token.clone()]);
    cases.add("a token in a list", vec![vec!["a".to_owned(), token.clone()]]);
    cases.add("a token in a struct", vec![Holder { note: Some(token.clone()), id: 7 }]);
    cases.add("a token as the key of a map", vec![BTreeMap::from([(token.clone(), 7_u8)])]);
    cases.add("a token inside a longer text", vec![format!("see {token}")]);
}

//! Two different lists of parts never have the same bytes, and the one reader of frames accepts exactly what the writer
//! wrote (FORMAT 2).
#![no_main]
use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rxseal::fuzzing::{frames, split_body};
use rxseal_fuzz::made;

type Parts = BTreeMap<u8, Vec<u8>>;

fuzz_target!(|data: &[u8]| {
    // Any bytes: they are read back unchanged.
    if let Some((id, key, rest)) = split_body(data) {
        assert_eq!([body(&id, &key).as_slice(), &rest].concat(), data);
    }
    let Some((mut a, mut b)) = made::<(Vec<Parts>, Vec<Parts>)>(data) else { return };
    for frame in a.iter_mut().chain(&mut b) {
        // Tag 0 belongs to the domain.
        frame.remove(&0);
    }
    assert_eq!(a == b, frames("fuzz", &a) == frames("fuzz", &b));
    for (id, key) in a.iter().filter_map(|parts| Some((parts.get(&1)?, parts.get(&2)?))) {
        let written = [body(id, key).as_slice(), data].concat();
        assert_eq!(split_body(&written), Some((id.clone(), key.clone(), data.to_vec())));
    }
});

fn body(id: &[u8], key: &[u8]) -> Vec<u8> {
    frames("rxseal/v1/keyring-body", &[BTreeMap::from([(1, id.to_vec()), (2, key.to_vec())])])
}

//! Nothing that this process did not seal opens under its keys: no bytes after a genuine header, no changed token, and
//! no token in another place.
#![no_main]
use libfuzzer_sys::fuzz_target;
use rxseal::phi::Drug;
use rxseal_fuzz::{ACCESS, KEYS, changed, laws, records};

fuzz_target!(|data: &[u8]| {
    let records = records();
    let at = usize::from(data.first().copied().unwrap_or_default()) % records.len();
    let [own, other] =
        [at, (at + 1) % records.len()].map(|at| records[at].seal::<Drug>("warfarin 5 MG").expect("a token"));
    let access = records[at].opened_by(&ACCESS);
    assert_eq!(access.open::<Drug, String>(&own).expect("our own token"), "warfarin 5 MG");
    laws::nothing_opens(&access, other.as_bytes());

    let header = &own.as_bytes()[..9];
    laws::nothing_opens(&access, data);
    laws::nothing_opens(&access, &[header, data].concat());
    laws::nothing_opens(&access, &[own.as_bytes(), &[0], data].concat());
    let changed = changed(own.as_bytes(), data);
    if changed != own.as_bytes() {
        laws::nothing_opens(&access, &changed);
    }
    // Under another key of the keyring, in any state.
    let keys: Vec<_> = KEYS.keys().iter().filter(|key| key.id() != own.key_id()).collect();
    let key = keys[usize::from(data.last().copied().unwrap_or_default()) % keys.len()].id();
    laws::nothing_opens(&access, &[&header[..3], key.as_bytes(), &own.as_bytes()[9..]].concat());
    laws::nothing_opens(&access, &[&header[..3], key.as_bytes(), data].concat());
});

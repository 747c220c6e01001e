//! What each shape goes through.

use std::fmt::Debug;

use rxseal::records::WholeRecord;
use rxseal::testing::insecure_keyring;
use rxseal::{Access, Keyring, PhiRecord, Purpose};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// It is in every plaintext value that is sealed, and in none that is readable.
pub const CANARY: &str = "Canary";

pub fn keyring() -> Keyring {
    insecure_keyring("pharmacy-17").unwrap().unobserved()
}

pub fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

/// Seals a record, writes it in each format, reads and opens it, and finds no canary on the way.
pub fn round_trip<P>(record: &P)
where
    P: PhiRecord + PartialEq,
    P::Sealed: WholeRecord<Open = P> + Serialize + DeserializeOwned + Debug,
{
    let keys = keyring();
    let row = keys.seal(record).unwrap();
    assert_silent("the row's Debug", format!("{row:?}").as_bytes());

    let json = serde_json::to_vec(&row).unwrap();
    assert_silent("serde_json", &json);
    assert!(*record == keys.open(&serde_json::from_slice::<P::Sealed>(&json).unwrap(), &access()).unwrap());

    let bytes = postcard::to_stdvec(&row).unwrap();
    assert_silent("postcard", &bytes);
    assert!(*record == keys.open(&postcard::from_bytes::<P::Sealed>(&bytes).unwrap(), &access()).unwrap());

    let mut bytes = Vec::new();
    ciborium::into_writer(&row, &mut bytes).unwrap();
    assert_silent("ciborium", &bytes);
    assert!(
        *record == keys.open(&ciborium::from_reader::<P::Sealed, _>(bytes.as_slice()).unwrap(), &access()).unwrap()
    );
}

pub fn assert_silent(what: &str, bytes: &[u8]) {
    assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{what} shows a sealed value");
}

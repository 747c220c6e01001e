//! A key is not written by accident (T41).

fn written<T: serde::Serialize>() {}

fn main() {
    written::<rxseal::Keyring>();
    written::<rxseal::subjects::SubjectKey>();
    written::<rxseal::provider::Kek>();
    written::<rxseal::root::LocalRootKey>();
    written::<rxseal::keys::Unlocked>();
}

//! A key is not written by accident (T41).

fn written<T: serde::Serialize>() {}

fn main() {
    written::<rxseal::Keyring>();
    written::<rxseal::SubjectKey>();
    written::<rxseal::Kek>();
    written::<rxseal::LocalRootKey>();
    written::<rxseal::Unlocked>();
}

//! No key exists that nobody made (T41).

fn made<T: Default>() {}

fn main() {
    made::<rxseal::Keyring>();
    made::<rxseal::subjects::SubjectKey>();
    made::<rxseal::provider::Kek>();
    made::<rxseal::root::LocalRootKey>();
    made::<rxseal::Phi<String, rxseal::phi::Drug>>();
}

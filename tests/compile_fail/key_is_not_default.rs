//! There is no key that nobody made (T41).

fn made<T: Default>() {}

fn main() {
    made::<rxseal::Keyring>();
    made::<rxseal::SubjectKey>();
    made::<rxseal::Kek>();
    made::<rxseal::LocalRootKey>();
    made::<rxseal::Phi<String, rxseal::phi::Drug>>();
}

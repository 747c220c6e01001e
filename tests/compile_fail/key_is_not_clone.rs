//! A key is not copied by accident (T41).

fn copied<T: Clone>() {}

fn main() {
    copied::<rxseal::Keyring>();
    copied::<rxseal::SubjectKey>();
    copied::<rxseal::Kek>();
    copied::<rxseal::LocalRootKey>();
    copied::<rxseal::Phi<String, rxseal::phi::Drug>>();
}

//! A key is not copied by accident (T41).

fn copied<T: Clone>() {}

fn main() {
    copied::<rxseal::subjects::SubjectKey>();
    copied::<rxseal::provider::Kek>();
    copied::<rxseal::root::LocalRootKey>();
    copied::<rxseal::Phi<String, rxseal::phi::Drug>>();
}

//! A compound index needs a field with many values.

rxseal::fields! {
    pub Sex = "patient.sex" in Identity;
    pub State = "patient.state" in Contact;
}

pub struct Patient {
    sex: String,
    state: String,
}

rxseal_search::indexes! {
    for Patient as "patient" {
        pub SexAndState = "patient.sex-state": (exact(sex: Sex), exact(state: State)), bits 17;
    }
}

fn main() {}

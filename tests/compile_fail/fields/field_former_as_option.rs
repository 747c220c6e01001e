//! The text for a person who writes a former id among the options, or an option that there is not.

rxseal::fields! {
    pub Drug = "rx.drug" in Medication { former: ["drug" in Identity] };
}

mod misspelt {
    rxseal::fields! {
        pub Drug = "rx.drug" in Medication { blok: 64 };
    }
}

fn main() {}

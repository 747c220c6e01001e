//! A field has at most 4 former ids (FORMAT 4.6).

rxseal::fields! {
    pub Renamed = "rx.drug" in Medication {
        former: [
            "rx.one" in Medication, "rx.two" in Medication, "rx.three" in Medication, "rx.four" in Medication,
            "rx.five" in Medication,
        ]
    };
}

fn main() {}

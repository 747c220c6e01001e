//! A field has at most 4 former ids (FORMAT 4.6).

rxseal::fields! {
    pub Renamed = "rx.drug" in Medication,
        was "rx.one" in Medication,
        was "rx.two" in Medication,
        was "rx.three" in Medication,
        was "rx.four" in Medication,
        was "rx.five" in Medication;
}

fn main() {}

//! Nothing that is made is more visible than the struct.

mod inner {
    use rxseal::PhiRecord;
    use rxseal::phi::Drug;

    #[derive(PhiRecord)]
    #[phi(record = "visit")]
    struct Visit {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
    }

    #[derive(PhiRecord)]
    #[phi(record = "fill")]
    pub struct Fill {
        #[phi(id)]
        id: u64,
        #[phi(seal = Drug)]
        drug: String,
    }
}

fn drug(_: inner::SealedVisit, fill: inner::SealedFill) {
    let _ = fill.drug;
}

fn main() {}

//! What is allowed, at its limits. That one case must pass also makes trybuild build the others instead of only checking
//! them, which is when a marker written by hand is looked at.

rxseal::fields! {
    pub Narrow = "rx.narrow" in Medication { block: 1, max: 0 };
    pub Wide = "rx.wide" in Clinical { block: 4096, max: 16777216 };
    pub Renamed = "rx.renamed" in Medication {
        former: ["rx.one" in Medication, "rx.two" in Clinical, "rx.three" in Identity, "rx.four" in Contact]
    };
}

fn main() {}

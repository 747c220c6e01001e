//! Everything that is allowed, at its limits. A case that must pass also makes trybuild build the others and not only
//! check them; only building checks a marker written by hand.

rxseal::fields! {
    pub Narrow = "rx.narrow" in Medication { block: 1, max: 0 };
    pub Wide = "rx.wide" in Clinical { block: 4096, max: 16777216 };
    pub Renamed = "rx.renamed" in Medication,
        was "rx.one" in Medication,
        was "rx.two" in Clinical,
        was "rx.three" in Identity,
        was "rx.four" in Contact;
}

fn main() {}

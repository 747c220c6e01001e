//! How long a row of five fields takes: what the Python module is compared with.

use std::time::Instant;

use rxseal_arrow::{OnError, Plan, open_batch, seal_batch};

use crate::support::{access, keys, record, rows};

#[test]
#[ignore = "measures: `.ci/run full python` runs it in release"]
fn five_fields_a_row() {
    let keys = keys();
    let fields = [
        ("patient_name", "rx.name"),
        ("street", "rx.street"),
        ("drug", "rx.drug"),
        ("directions", "rx.directions"),
        ("diagnosis", "rx.diagnosis"),
    ];
    let plan = Plan::new(&record("prescription")).unwrap();
    let plan = fields.iter().fold(plan, |plan, (column, field)| plan.field(*column, field).unwrap());
    // In a debug build, where it takes a minute, nobody compares: there it is only shown to run.
    let (count, turns) = if cfg!(debug_assertions) { (200, 1) } else { (20_000, 15) };
    let batch = rows(count);
    let (sealer, opener) = (keys.sealer(), keys.opener());
    let sealed = seal_batch(&sealer, &batch, &plan).unwrap();
    let nanoseconds = |work: &dyn Fn()| {
        let once = |_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_nanos() / count as u128
        };
        (0..turns).map(once).min().unwrap()
    };
    let seal = nanoseconds(&|| drop(seal_batch(&sealer, &batch, &plan).unwrap()));
    let open = nanoseconds(&|| drop(open_batch(&opener, &access(), &sealed, &plan, OnError::Raise).unwrap()));
    println!("rust: sealed {seal} ns a row, opened {open} ns a row");
}

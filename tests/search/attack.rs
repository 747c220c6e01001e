//! Proves what a thief learns from a column of real index values. He has no key, knows how common each last name is and which slot table is
//! used, and gives the commonest value the commonest name, and so on.
//!
//! The patients come from shares of the Census, not from the slot table that is attacked. Without slots the same thief must succeed:
//! otherwise he proves nothing.

pub mod column;
pub mod population;
mod thief;

use std::collections::BTreeSet;

use rxseal::index::{Index, IndexValue};
use rxseal_search::slots::US_SURNAMES_1;

use column::{ByPerson, ByRow, Plain, Row, column};
use population::{ASIAN, HISPANIC, Names};
use thief::{Named, named};

/// How many patients, which bits the rule gives for so many, and under how many keyrings.
const PATIENTS: usize = if cfg!(debug_assertions) { 50_000 } else { 200_000 };
const BITS: u8 = if cfg!(debug_assertions) { 10 } else { 12 };

/// Prescriptions of a patient, and how many different values are suspicious.
const ROWS_EACH: usize = 24;
const SUSPICIOUS: usize = 10;

fn keyrings() -> u64 {
    match (cfg!(debug_assertions), std::env::var_os("RXSEAL_FULL")) {
        (true, _) => 1,
        (false, None) => 2,
        (false, Some(_)) => 10,
    }
}

/// T70.
#[test]
fn slots_hide_who_has_a_common_name() {
    let names = Names::of_the_us();
    let with_slots = attack::<ByPerson<BITS>>(&names, true);
    assert!(with_slots.rows <= 0.01 && with_slots.commonest <= 0.05, "{with_slots:?}");
}

/// The control.
#[test]
fn without_slots_the_thief_names_the_holders_of_common_names() {
    let names = Names::of_the_us();
    let found = attack::<Plain<128>>(&names, false);
    assert!(found.commonest > 0.4, "{found:?}");
    // Fewer bits alone do not hide them.
    let found = attack::<Plain<BITS>>(&names, false);
    assert!(found.commonest > 0.2, "{found:?}");
}

/// So the planner has to look at real rows: it refuses this index, see `planner`.
#[test]
fn a_table_of_other_people_hides_less() {
    for (group, times) in [(HISPANIC, 8.0), (ASIAN, 30.0)] {
        let names = Names::of_the_us().with_more(group, times);
        let with_slots = attack::<ByPerson<BITS>>(&names, true);
        let without = attack::<Plain<128>>(&names, false);
        if !cfg!(debug_assertions) {
            assert!(with_slots.commonest > 0.05, "{times} times: {with_slots:?}");
        }
        assert!(
            with_slots.rows < without.rows && with_slots.commonest < without.commonest,
            "{with_slots:?}, {without:?}"
        );
    }
}

/// T64: a prescription table has many rows of a patient. If each row had a slot of its own, the number of a patient's different values would tell
/// who has a common name.
#[test]
fn slots_of_rows_instead_of_people_are_caught() {
    let names = Names::of_the_us();
    let patients = names.patients(1000, 7);
    let rows: Vec<_> = (0..ROWS_EACH).flat_map(|_| rows(&names, &patients, 7)).collect();
    let values_of = |column: Vec<Vec<u8>>| {
        let mut values = vec![BTreeSet::new(); patients.len()];
        for (at, value) in column.into_iter().enumerate() {
            values[at % patients.len()].insert(value);
        }
        values.into_iter().map(|values| values.len()).collect::<Vec<_>>()
    };
    let by_row = values_of(column::<ByRow<BITS>>(&rows, 7));
    let commonest = names.commonest(20);
    let is_common = |(at, _): &(usize, &usize)| commonest.contains(&patients[*at]);
    let flagged: Vec<_> = by_row.iter().enumerate().filter(|(_, values)| **values >= SUSPICIOUS).collect();
    let right = flagged.iter().filter(|flagged| is_common(flagged)).count() as f64;
    let common = by_row.iter().enumerate().filter(is_common).count() as f64;
    println!("by row: {:.3} of the holders, {:.3} of the flagged", right / common, right / flagged.len() as f64);
    assert!(right / common > 0.7 && right / flagged.len() as f64 > 0.7);

    let by_person = values_of(column::<ByPerson<BITS>>(&rows, 7));
    assert!(by_person.iter().all(|values| *values == 1));
}

/// In each row, and whenever it is computed again.
#[test]
fn a_person_has_one_value() {
    let smiths = vec![0; 1000];
    let names = Names::of_the_us();
    let mut rows = rows(&names, &smiths, 0);
    assert!(US_SURNAMES_1.slots(rows[0].last_name.as_bytes()) > 40);
    let distinct = |column: Vec<Vec<u8>>| column.into_iter().collect::<BTreeSet<_>>();
    // A thousand people have each of the slots.
    assert!(distinct(column::<ByPerson<64>>(&rows, 0)).len() > 40);
    rows.iter_mut().for_each(|row| row.person = "P-1".to_owned());
    let first = distinct(column::<ByPerson<64>>(&rows, 0));
    assert_eq!((first.len(), &distinct(column::<ByPerson<64>>(&rows, 0))), (1, &first));
    // The control: in a table of prescriptions, each row would have its own.
    assert!(distinct(column::<ByRow<64>>(&rows, 0)).len() > 40);
}

fn attack<I: Index<Record = Row, Stored = Option<IndexValue<I>>>>(names: &Names, slotted: bool) -> Named {
    let mut sum = Named::default();
    for seed in 0..keyrings() {
        let patients = names.patients(PATIENTS, seed);
        let slots = |name: &str| if slotted { US_SURNAMES_1.slots(name.as_bytes()) } else { 1 };
        let found = named(&column::<I>(&rows(names, &patients, seed), seed), &patients, names, slots);
        sum.rows += found.rows / keyrings() as f64;
        sum.commonest += found.commonest / keyrings() as f64;
    }
    println!("{} of {PATIENTS} patients: {sum:?}", std::any::type_name::<I>());
    sum
}

/// A row of each patient.
fn rows(names: &Names, patients: &[u32], seed: u64) -> Vec<Row> {
    let row =
        |(at, name): (usize, &u32)| Row { last_name: names.name(*name).to_owned(), person: format!("P-{seed}-{at}") };
    patients.iter().enumerate().map(row).collect()
}

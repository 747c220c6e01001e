//! Proves what the planner says of columns whose truth is known: names of the United States, dates, numbers, and what no index should have.

use std::collections::HashMap;
use std::time::Instant;

use rxseal::index::{Definition, Forms, Index, IndexValue, IndexedRecord, Kind};
use rxseal::phi::FamilyName;
use rxseal_search::plan::{IndexReport, Measure, OwnTable, Plan, PlanReport, Profile, Refusal, Shape, Values};
use rxseal_search::slots::US_SURNAMES_1;

use crate::attack::column::{ByPerson, Row, asked, column};
use crate::attack::population::{ASIAN, Dice, HISPANIC, Names};
use crate::patients::Patient;
use crate::queries::jane;

/// How many patients, and the bits of the rule for a column of names.
const PATIENTS: usize = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
const BITS: u8 = if cfg!(debug_assertions) { 9 } else { 12 };
const ROWS: u32 = PATIENTS as u32;

/// A plan of one index, of texts.
fn plan<'a>(rows: u32, shape: Shape, samples: impl IntoIterator<Item = &'a str>) -> Plan<str> {
    let mut plan = Plan::new(rows).shape(shape, |text: &str, forms| forms.push(&[text.as_bytes()])).unwrap();
    samples.into_iter().for_each(|sample| plan.sample(sample));
    plan
}

fn whole(bits: u8) -> Shape {
    Shape::new("patient.tried", Kind::Whole, 1, bits).unwrap()
}

fn only(report: &PlanReport) -> &IndexReport {
    &report.indexes()[0]
}

fn codes(report: &PlanReport) -> Vec<&'static str> {
    only(report).refusals().iter().map(Refusal::code).collect()
}

fn names_of<'a>(names: &'a Names, patients: &'a [u32]) -> impl Iterator<Item = &'a str> {
    patients.iter().map(|name| names.name(*name))
}

/// Birth dates of people of 0 to 89 years, fewer of them the older.
fn born(patients: usize) -> Vec<String> {
    let mut dice = Dice(11);
    let day = |dice: &mut Dice| (dice.share().powf(1.3) * 32_850.0) as u32;
    (0..patients).map(|_| format!("day {}", day(&mut dice))).collect()
}

/// One of these, as often as the weights say.
fn pick(patients: usize, weights: &[f64]) -> Vec<String> {
    let total: f64 = weights.iter().sum();
    let mut dice = Dice(13);
    let mut one = || {
        let mut left = dice.share() * total;
        let at = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        format!("kind {}", at.unwrap_or_default())
    };
    (0..patients).map(|_| one()).collect()
}

#[test]
fn names_with_slots_are_accepted_and_without_are_not() {
    let names = Names::of_the_us();
    let patients = names.patients(PATIENTS, 1);
    let slotted = plan(ROWS, whole(BITS).with_slots(&US_SURNAMES_1), names_of(&names, &patients)).report();
    assert!(slotted.is_accepted(), "{slotted}");
    assert!((2.5..4.5).contains(&only(&slotted).figure(Measure::ValuesAsked).number()), "{slotted}");

    for bits in [BITS, 64, 128] {
        let plain = plan(ROWS, whole(bits), names_of(&names, &patients)).accept("for the test").report();
        assert!(codes(&plain).contains(&"commonest-named"), "{plain}");
    }
}

#[test]
fn flat_columns_are_accepted() {
    let dates = born(PATIENTS);
    let report = plan(ROWS, whole(BITS), dates.iter().map(String::as_str)).report();
    assert!(report.is_accepted(), "{report}");

    let phones: Vec<_> = (0..PATIENTS).map(|n| format!("+1555{n:07}")).collect();
    for bits in [BITS + 3, 128] {
        let report = plan(ROWS, whole(bits), phones.iter().map(String::as_str)).report();
        assert!(report.is_accepted(), "{report}");
    }
}

/// Sex, schedule, state, and the drugs of a pharmacy: what is a compile error as a field of the vocabulary.
#[test]
fn skewed_columns_are_refused() {
    let states: Vec<_> = (1..=51).map(|rank| 1.0 / f64::from(rank)).collect();
    let drugs: Vec<_> = (1..=1800).map(|rank| 1.0 / f64::from(rank).powf(0.9)).collect();
    let years = vec![1.0; 20];
    for weights in [&[0.51, 0.49][..], &[0.7, 0.1, 0.1, 0.05, 0.05], &states, &drugs, &years] {
        let samples = pick(PATIENTS, weights);
        for bits in [8, BITS, 64] {
            let report = plan(ROWS, whole(bits), samples.iter().map(String::as_str)).accept("for the test").report();
            assert!(codes(&report).iter().any(|code| code.ends_with("-named")), "{report}");
            assert!(codes(&report).contains(&"value-too-common"), "{report}");
        }
    }
}

#[test]
fn patients_whom_a_table_does_not_fit_are_refused_and_a_table_of_their_own_helps() {
    for (group, times) in [(HISPANIC, 8.0), (ASIAN, 30.0)] {
        let names = Names::of_the_us().with_more(group, times);
        let patients = names.patients(PATIENTS, 2);
        let shape = || whole(BITS).with_slots(&US_SURNAMES_1);
        let public = plan(ROWS, shape(), names_of(&names, &patients));
        let report = public.report();
        assert!(!report.is_accepted(), "{report}");

        let own = public.slot_table("patient.tried", "our-names/1").unwrap();
        let better = plan(ROWS, whole(BITS).with_own_slots(own), names_of(&names, &patients)).report();
        let named = |report: &PlanReport| only(report).figure(Measure::CommonestNamed).number();
        println!("{times} times: {:.3}, with a table of their own {:.3}", named(&report), named(&better));
        assert!(named(&better) < named(&report), "{report}\n{better}");
        assert!(!codes(&better).contains(&"thin-table"), "{better}");
    }
}

/// What a tenth foretells is what the whole shows.
#[test]
fn a_part_of_the_table_foretells_the_whole() {
    let names = Names::of_the_us();
    let patients = names.patients(PATIENTS, 3);
    let dates = born(PATIENTS);
    let last: Vec<_> = names_of(&names, &patients).collect();
    let dates: Vec<_> = dates.iter().map(String::as_str).collect();
    let phones: Vec<_> = (0..PATIENTS).map(|n| format!("+1555{n:07}")).collect();
    let phones: Vec<_> = phones.iter().map(String::as_str).collect();
    let names = || whole(BITS).with_slots(&US_SURNAMES_1);
    let cases: [(&[&str], &dyn Fn() -> Shape); 3] =
        [(&last, &names), (&dates, &|| whole(BITS)), (&phones, &|| whole(BITS + 3))];
    for (column, shape) in cases {
        let full = plan(ROWS, shape(), column.iter().copied()).report();
        let part = plan(ROWS, shape(), column.iter().copied().step_by(10)).report();
        let mean = |report: &PlanReport| only(report).figure(Measure::CandidatesMean).number();
        let ratio = mean(&part) / mean(&full);
        println!("a tenth foretells {:.1} candidates, and there are {:.1}", mean(&part), mean(&full));
        assert!((0.9..1.1).contains(&ratio), "{part}\n{full}");
        assert_eq!(part.is_accepted(), full.is_accepted(), "{part}\n{full}");
    }
}

/// What the planner foretells is what a search for somebody's name finds among real index values.
#[test]
fn as_many_candidates_are_found_as_were_foretold() {
    let names = Names::of_the_us();
    let patients = names.patients(PATIENTS, 5);
    let row = |(at, name): (usize, &u32)| Row { last_name: names.name(*name).to_owned(), person: format!("P-{at}") };
    let rows: Vec<_> = patients.iter().enumerate().map(row).collect();
    let stored = column::<ByPerson<BITS>>(&rows, 0);
    let mut rows_of: HashMap<&[u8], u32> = HashMap::new();
    stored.iter().for_each(|value| *rows_of.entry(value).or_default() += 1);
    let tried = 1000;
    let found = |row: &Row| -> u32 {
        let asked = asked::<ByPerson<BITS>>(&row.last_name, 0);
        asked.iter().map(|value| rows_of.get(value.as_slice()).copied().unwrap_or(0)).sum()
    };
    let mean = rows.iter().step_by(rows.len() / tried).map(|row| f64::from(found(row))).sum::<f64>() / tried as f64;

    let report = plan(ROWS, whole(BITS).with_slots(&US_SURNAMES_1), names_of(&names, &patients)).report();
    let foretold = only(&report).figure(Measure::CandidatesMean).number();
    println!("{foretold:.1} candidates were foretold, and {mean:.1} are found");
    assert!((0.9..1.1).contains(&(mean / foretold)), "{report}");
}

#[test]
fn two_columns_together_single_out_nearly_everybody() {
    let names = Names::of_the_us();
    let patients = names.patients(PATIENTS, 4);
    let dates = born(PATIENTS);
    let rows: Vec<_> = names_of(&names, &patients).zip(dates.iter().map(String::as_str)).collect();
    for step in [1, 10] {
        let mut plan = Plan::new(ROWS)
            .shape(whole(BITS), |row: &(&str, &str), forms| forms.push(&[row.1.as_bytes()]))
            .unwrap()
            .shape(whole(BITS).with_slots(&US_SURNAMES_1), |row, forms| forms.push(&[row.0.as_bytes()]))
            .unwrap();
        rows.iter().step_by(step).for_each(|row| plan.sample(row));
        let report = plan.report();
        assert!(only(&report).figure(Measure::Alone).number() < 0.01, "{report}");
        assert!(report.alone().number() > 0.85, "{report}");
    }
}

#[test]
fn bounds_of_the_plan_itself_are_kept() {
    let phones: Vec<_> = (0..2000).map(|n| format!("+1555{n:07}")).collect();
    let phones = || phones.iter().map(String::as_str);
    let plan_codes = |report: PlanReport| report.refusals().iter().map(Refusal::code).collect::<Vec<_>>();
    assert_eq!(plan_codes(plan(1999, whole(8), phones()).report()), ["more-samples-than-rows"]);
    assert_eq!(plan_codes(plan(2000, whole(8), phones()).report()), [""; 0]);
    assert_eq!(codes(&plan(2000, whole(8), phones().take(999)).report()), ["too-few-samples"]);
    assert_eq!(codes(&plan(2000, whole(8), []).report()), ["too-few-samples"]);
    assert!(plan(100, whole(8), phones().take(100)).report().is_accepted());

    // 8 and 3 bits more, and no more without a reason, which accepts nothing else.
    assert_eq!(codes(&plan(2000, whole(11), phones()).report()), [""; 0]);
    assert_eq!(codes(&plan(2000, whole(13), phones()).report()), ["too-many-bits"]);
    let report = plan(2000, whole(13), phones()).accept("the table is copied nowhere").report();
    assert_eq!(only(&report).accepted_because(), Some("the table is copied nowhere"));
    assert!(report.is_accepted() && report.to_string().contains("the table is copied nowhere"));
    assert!(codes(&plan(4000, whole(128), phones().chain(phones())).report()).contains(&"not-unique"));

    for (kind, components, bits) in
        [(Kind::Whole, 2, 8), (Kind::Compound, 1, 8), (Kind::Compound, 5, 8), (Kind::Whole, 1, 7)]
    {
        assert!(Shape::new("patient.tried", kind, components, bits).is_none());
    }
    assert!(Shape::new("patient.tried", Kind::Compound, 4, 64).is_some());
    assert!(Shape::new("patient.tried", Kind::Whole, 1, 65).is_none());
}

/// Rows would be recognised by a rare form of a table.
#[test]
fn a_table_of_ones_own_has_common_forms_only() {
    let samples: Vec<_> = [("common", 300), ("enough", 50), ("few", 49)]
        .iter()
        .flat_map(|(name, times)| std::iter::repeat_n(*name, *times))
        .collect();
    let table = plan(1000, whole(8), samples.iter().copied()).slot_table("patient.tried", "our-names/1").unwrap();
    let forms: Vec<_> = table.entries().iter().map(|(form, _)| form.as_str()).collect();
    assert_eq!(forms, ["common", "enough"]);
    let read = OwnTable::parse(&table.to_string()).unwrap();
    assert_eq!((read.id(), read.entries()), (table.id(), table.entries()));
    for damaged in [
        table.to_string().replace("our-names/1", "our names"),
        table.to_string().replace("\"common\", ", "\"zommon\", "),
        table.to_string().replace("256", "1"),
        table.to_string().replace("enough", "eno\\u{75}gh"),
        String::new(),
    ] {
        assert!(OwnTable::parse(&damaged).is_none(), "{damaged}");
    }

    // The same table on fewer rows.
    let thin = plan(1000, whole(8).with_own_slots(table), samples.iter().copied().skip(1)).report();
    assert_eq!(codes(&thin).iter().filter(|code| **code == "thin-table").count(), 0);
    let table = plan(1000, whole(8), samples.iter().copied()).slot_table("patient.tried", "our-names/1").unwrap();
    let thin = plan(1000, whole(8).with_own_slots(table), samples.iter().copied().step_by(2)).report();
    assert!(codes(&thin).contains(&"thin-table"), "{thin}");
    assert!(plan(1000, whole(8), samples.iter().copied()).slot_table("patient.tried", "Our Names").is_none());
    assert!(plan(1000, whole(8), samples.iter().copied()).slot_table("patient.other", "our-names/1").is_none());
}

/// The canaries, in every case in which the planner says anything.
#[test]
fn nothing_of_a_sample_is_shown() {
    let canaries: Vec<_> = (0..40).map(|n| format!("canary{n}")).collect();
    let samples: Vec<_> = canaries.iter().map(String::as_str).chain(std::iter::repeat_n("canarycommon", 49)).collect();
    let mut said = String::new();
    for shape in [whole(8), whole(128), whole(20).with_slots(&US_SURNAMES_1)] {
        let plan = plan(1000, shape, samples.iter().copied());
        let report = plan.report();
        said.push_str(&format!("{plan:?} {report:?} {report} {:?}", plan.slot_table("patient.tried", "our-names/1")));
    }
    assert!(said.contains("patient.tried") && !said.contains("canary"), "{said}");

    // A table shows common forms, since that is what it is for, but its `Debug` does not.
    let table = plan(1000, whole(8), std::iter::repeat_n("canary", 60)).slot_table("patient.tried", "our-names/1");
    let table = table.unwrap();
    assert!(table.to_string().contains("canary") && !format!("{table:?}").contains("canary"));
}

#[test]
fn a_count_below_20_is_not_shown() {
    let report = plan(1000, whole(8), (0..19).map(|_| "one")).report();
    let shown = report.to_string();
    assert!(report.samples().is_hidden() && shown.contains("a sample of <20"), "{shown}");
    assert!(only(&report).figure(Measure::Forms).is_hidden());
    assert_eq!(only(&report).figure(Measure::Forms).to_string(), "<20");
    let report = plan(1000, whole(8), (0..1000).map(|_| "one")).report();
    assert_eq!(report.samples().to_string(), "1,000");
    assert_eq!(only(&report).figure(Measure::Nulls).to_string(), "<20");
    assert_eq!(only(&report).figure(Measure::Commonest).to_string(), "100.0 %");
    assert_eq!(only(&report).figure(Measure::Alone).to_string(), "<2.00 %");
}

struct Named(String);

struct Tried;

impl Index for Tried {
    type Record = Named;
    type Stored = Option<IndexValue<Self>>;
    const DEFINITION: Definition = Definition::new("patient", "patient.tried", Kind::Whole, 10, &["exact/1"]);
    const CLASSES: &'static [rxseal::Class] = &[<FamilyName as rxseal::Field>::CLASS];
    const FIELDS: &'static [rxseal::FieldId] = &[<FamilyName as rxseal::Field>::ID];

    fn forms(named: &Named, _: &Definition, forms: &mut Forms) -> Result<(), rxseal::Error> {
        match named.0.as_str() {
            "refused" => Err(rxseal::Error::not_indexable("a name")),
            name => forms.push(&[name.as_bytes()]),
        }
    }
}

#[test]
fn a_declared_index_is_planned_as_it_is_declared() {
    let even: Vec<_> = (0..3000).map(|n| Named(format!("{n}"))).collect();
    rxseal_search::assert_plan!(rows = 5000, samples = &even, indexes = [Tried]);
    let empty_and_refused = (0..60).map(|n| Named(if n < 25 { String::new() } else { "refused".to_owned() }));
    let all: Vec<_> = even.into_iter().chain(empty_and_refused).collect();
    let mut plan = Plan::new(5000).index::<Tried>().unwrap();
    all.iter().for_each(|named| plan.sample(named));
    let report = plan.report();
    let figure = |measure| only(&report).figure(measure).to_string();
    assert_eq!((figure(Measure::Nulls), figure(Measure::NotIndexable)), ("25".to_owned(), "35".to_owned()));
}

/// None is forgotten.
#[test]
fn every_index_of_a_record_is_planned() {
    let patients: Vec<_> = (0..20).map(|_| jane()).collect();
    let mut plan = Plan::new(20).every_index(&patients[0]).unwrap();
    patients.iter().for_each(|patient| plan.sample(patient));
    let report = plan.report();
    let planned: Vec<_> = report.indexes().iter().map(IndexReport::id).collect();
    let declared: Vec<_> = Patient::INDEXES.iter().map(Definition::id).collect();
    assert_eq!(planned, declared);
}

#[test]
#[should_panic(expected = "the plan is REFUSED")]
fn assert_plan_fails_for_a_patient_who_is_everybody() {
    let patients: Vec<_> = (0..2000).map(|_| jane()).collect();
    rxseal_search::assert_plan!(rows = 2000, samples = &patients);
}

#[test]
#[should_panic(expected = "the sample has no record")]
fn assert_plan_fails_without_a_sample() {
    rxseal_search::assert_plan!(rows = 2000, samples = &[] as &[Patient]);
}

#[test]
#[should_panic(expected = "the plan is REFUSED")]
fn assert_plan_fails_for_a_skewed_index() {
    let skewed: Vec<_> = (0..3000).map(|n| Named(format!("{}", n % 3))).collect();
    rxseal_search::assert_plan!(rows = 5000, samples = &skewed, indexes = [Tried], accept = "for the test");
}

/// The figures of docs/SEARCH.md.
#[test]
fn a_million_rows() {
    if std::env::var_os("RXSEAL_FULL").is_none() {
        return;
    }
    let names = Names::of_the_us();
    let patients = names.patients(1_000_000, 1);
    let dates = born(1_000_000);
    let mut plan = Plan::new(1_000_000)
        .shape(whole(14).with_slots(&US_SURNAMES_1), |row: &(&str, &str), forms| forms.push(&[row.0.as_bytes()]))
        .unwrap()
        .shape(whole(14), |row, forms| forms.push(&[row.1.as_bytes()]))
        .unwrap()
        .shape(whole(14), |row, forms| forms.push(&[row.0.as_bytes()]))
        .unwrap()
        .shape(whole(128), |row, forms| forms.push(&[row.0.as_bytes()]))
        .unwrap();
    names_of(&names, &patients).zip(&dates).for_each(|(name, born)| plan.sample(&(name, born.as_str())));
    let start = Instant::now();
    println!("{}\n{:?}", plan.report(), start.elapsed());
}

/// A few people's birth dates are nearly all different; the rule of a table that grows is that of dates.
#[test]
fn what_many_share_is_never_nearly_unique() {
    let days: Vec<_> = (0..2000).map(|day| format!("day {day}")).collect();
    let profile = |shape| only(&plan(10_000, shape, days.iter().map(String::as_str)).report()).profile();
    assert_eq!(profile(whole(8)), Profile::NearlyUnique);
    assert_eq!(profile(whole(8).of(Values::Dates)), Profile::Flat);
    assert_eq!(profile(whole(8).of(Values::Names)), Profile::Flat);

    // The declared ones say it themselves.
    let report = Plan::new(100_000).every_index(&jane()).unwrap().report();
    let found: Vec<_> = report.indexes().iter().map(|index| (index.id(), index.profile())).collect();
    for (id, profile) in [
        ("patient.born", Profile::Flat),
        ("patient.last", Profile::Slotted),
        ("patient.phone", Profile::NearlyUnique),
        ("patient.lastdob", Profile::NearlyUnique),
    ] {
        assert!(found.contains(&(id, profile)), "{found:?}");
    }
}

/// No slot table makes a placeholder date less common, and a compound index has no slots.
#[test]
fn a_refusal_advises_what_can_be_done() {
    let mut days = born(20_000);
    days.iter_mut().step_by(50).for_each(|day| *day = "placeholder".to_owned());
    let text = |shape| {
        let report = plan(20_000, shape, days.iter().map(String::as_str)).report();
        only(&report).refusals().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let advised = |shape, wanted: &str, unwanted: &str| {
        let text = text(shape);
        assert!(text.contains(wanted) && !text.contains(unwanted), "{text}");
    };
    advised(whole(9).of(Values::Dates), "placeholder such as 1900-01-01", "slots");
    advised(whole(9).of(Values::Names), "give it slots", "placeholder");
    advised(whole(9).with_slots(&US_SURNAMES_1).of(Values::Names), "from your own rows", "give it slots");
    advised(whole(9), "part of a compound", "slots");
    advised(
        Shape::new("patient.tried", Kind::Whole, 1, 9).unwrap().of(Values::Compound),
        "one more component",
        "slots",
    );
}

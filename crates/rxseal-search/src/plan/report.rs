//! What the planner found.

use std::fmt;

use super::alone::{Visible, counted, estimated};
use super::dice::Dice;
use super::figure::{Figure, Measure, at_least_20, with_commas};
use super::number::{count, share};
use super::population::{Population, entropy};
use super::profile::{Profile, Values, largest_allowed};
use super::refusal::Refusal;
use super::seen::{ENOUGH_ROWS, Seen};
use super::table::Slots;
use super::thief::{Findings, TOP, findings};

/// What a plan found: aggregates alone, and nothing of any value of the sample.
///
/// `Display` is a table for people, with the verdict at its end.
#[derive(Clone, Debug)]
pub struct PlanReport {
    rows: u32,
    samples: u64,
    indexes: Vec<IndexReport>,
    alone: Figure,
    refusals: Vec<Refusal>,
}

impl PlanReport {
    /// Whether every index is accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.refusals.is_empty() && self.indexes.iter().all(IndexReport::is_accepted)
    }

    /// How many rows it is planned for.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// How many records the sample has.
    #[must_use]
    pub fn samples(&self) -> Figure {
        at_least_20(self.samples)
    }

    /// What was found of each index.
    #[must_use]
    pub fn indexes(&self) -> &[IndexReport] {
        &self.indexes
    }

    /// The share of rows that are alone with what all indexes together show of them. They can be told apart from all others, though not
    /// named. If the sample is not the whole table, it is as if the columns had nothing to do with each other.
    #[must_use]
    pub fn alone(&self) -> Figure {
        self.alone
    }

    /// Why the plan as a whole is refused.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }
}

/// What a plan found of one index.
#[derive(Clone, Debug)]
pub struct IndexReport {
    id: String,
    profile: Profile,
    bits: u8,
    rule: u8,
    figures: Vec<(Measure, Figure)>,
    refusals: Vec<Refusal>,
    accepted: Option<String>,
}

impl IndexReport {
    /// The id of the index.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What kind of values it has.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The bits of a value.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The bits of a value by the rule.
    #[must_use]
    pub fn bits_by_rule(&self) -> u8 {
        self.rule
    }

    /// One of the numbers.
    #[must_use]
    pub fn figure(&self, measure: Measure) -> Figure {
        let found = self.figures.iter().find(|(of, _)| *of == measure);
        found.map_or(Figure::bits(0.0), |(_, figure)| *figure)
    }

    /// Whether it is accepted: no measure is over its bound, or only the bits are and somebody gave a reason.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.refusals.is_empty()
    }

    /// Why it is refused.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// The reason that was given for more bits than the rule has, if it has more.
    #[must_use]
    pub fn accepted_because(&self) -> Option<&str> {
        self.accepted.as_deref()
    }
}

/// What is measured of one index.
pub(super) struct Subject<'a> {
    pub(super) id: &'a str,
    pub(super) values: Values,
    pub(super) bits: u8,
    pub(super) slots: &'a Slots,
    pub(super) seen: &'a Seen,
}

pub(super) fn report(rows: u32, samples: u64, subjects: &[Subject<'_>], accepted: Option<&str>) -> PlanReport {
    let mut dice = Dice::new(SEED);
    // At least what there is, and no more than can be tried.
    let most = u32::try_from(samples).unwrap_or(u32::MAX).max(1);
    let table = rows.max(most).min(MOST_ROWS.max(most));
    let is_whole = u64::from(table) == samples;
    let populations: Vec<_> = subjects.iter().map(|subject| population(subject.seen, table, samples)).collect();
    let visible: Vec<_> = subjects
        .iter()
        .zip(&populations)
        .map(|(subject, population)| Visible { seen: subject.seen, population, bits: subject.bits })
        .collect();
    let indexes = subjects
        .iter()
        .zip(&populations)
        .map(|(subject, population)| index(subject, population, table, samples, accepted, &mut dice))
        .collect();
    let alone =
        if is_whole { counted(&visible, samples, &mut dice) } else { estimated(&visible, samples, table, &mut dice) };
    let bounds = [
        (samples > u64::from(rows), Refusal::MoreSamplesThanRows),
        (rows > MOST_ROWS, Refusal::TooManyRows),
        (subjects.is_empty(), Refusal::TooFewSamples),
    ];
    PlanReport {
        rows,
        samples,
        indexes,
        alone: Figure::share(alone, u64::from(table)),
        refusals: bounds.into_iter().filter_map(|(over, refusal)| over.then_some(refusal)).collect(),
    }
}

/// Why simulations have one seed: a test that passes today passes tomorrow.
const SEED: u64 = 0x7278_7365_616C;
const MOST_ROWS: u32 = 50_000_000;
const FEWEST_SAMPLES: u64 = 1000;
const ROWS_ALLOWED: f64 = 0.01;
const COMMONEST_ALLOWED: f64 = 0.05;
/// Of fewer rows, the holders of the commonest forms are nobody that a thief would look for.
const COMMONEST_MATTER: f64 = 0.01;
const BITS_ALLOWED: u8 = 3;

fn population(seen: &Seen, table: u32, samples: u64) -> Population {
    if u64::from(table) <= samples {
        return Population::seen(seen.forms());
    }
    // As many forms for each row as the sample has.
    let rows = u128::from(table).saturating_mul(u128::from(seen.total())).checked_div(u128::from(samples));
    Population::grown(seen.forms(), rows.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0))
}

fn index(
    subject: &Subject<'_>,
    population: &Population,
    table: u32,
    samples: u64,
    accepted: Option<&str>,
    dice: &mut Dice,
) -> IndexReport {
    let Subject { id, values, bits, slots, seen } = *subject;
    let profile = Profile::of(values, bits, !slots.is_none(), population.alike());
    let rule = if profile == Profile::Unique && population.alike() > 1.5 {
        Profile::Flat.bits(table)
    } else {
        profile.bits(table)
    };
    let findings = findings(population, bits, dice);
    let mut refusals = refusals(subject, profile, population, &findings, table, samples);
    let above = bits > rule.saturating_add(BITS_ALLOWED) && profile != Profile::Unique;
    let accepted = accepted.filter(|_| above).map(str::to_owned);
    if above && accepted.is_none() {
        refusals.push(Refusal::TooManyBits { bits, rule });
    }
    let most = seen.forms().iter().map(|form| u64::from(form.rows)).max().unwrap_or(0);
    let (entropy, min_entropy) = entropy(seen.forms());
    let (asked, asked_most) = population.slots();
    let of_rows = |number| Figure::share(number, population.rows);
    let figures = vec![
        (Measure::Forms, at_least_20(count(seen.forms().len()))),
        (Measure::Nulls, at_least_20(seen.nulls())),
        (Measure::NotIndexable, at_least_20(seen.refused())),
        (Measure::Commonest, Figure::share(share(most, seen.total()), seen.total())),
        (Measure::Entropy, Figure::bits(entropy)),
        (Measure::MinEntropy, Figure::bits(min_entropy)),
        (Measure::LargestValue, of_rows(findings.largest)),
        (Measure::ValuesAsked, Figure::bits(asked)),
        (Measure::ValuesAskedMost, Figure::bits(f64::from(asked_most))),
        (Measure::CandidatesMean, Figure::count(findings.candidates.mean)),
        (Measure::CandidatesMedian, Figure::count(findings.candidates.median)),
        (Measure::Candidates95, Figure::count(findings.candidates.p95)),
        (Measure::CandidatesMost, Figure::count(findings.candidates.max)),
        (Measure::RowsNamed, of_rows(findings.named)),
        (Measure::CommonestNamed, Figure::share(findings.top_named, top_rows(population))),
        (Measure::Alone, of_rows(findings.alone)),
    ];
    IndexReport { id: id.to_owned(), profile, bits, rule, figures, refusals, accepted }
}

fn top_rows(population: &Population) -> u64 {
    population.forms.iter().take(TOP).map(|form| u64::from(form.rows)).sum()
}

fn refusals(
    subject: &Subject<'_>,
    profile: Profile,
    population: &Population,
    findings: &Findings,
    table: u32,
    samples: u64,
) -> Vec<Refusal> {
    let commonest = population.forms.first().map_or(0, |form| u64::from(form.rows));
    let guessing = ROWS_ALLOWED.max(share(commonest, population.rows));
    let value_allowed = largest_allowed(table);
    let thin = thin_forms(subject);
    let with_form = samples.saturating_sub(subject.seen.nulls()).saturating_sub(subject.seen.refused());
    let remedy = remedy(subject);
    let bounds = [
        (with_form < FEWEST_SAMPLES.min(u64::from(table)).max(1), Refusal::TooFewSamples),
        (findings.named > guessing, Refusal::RowsNamed { share: findings.named, bound: guessing, remedy }),
        (
            findings.top_named > COMMONEST_ALLOWED && findings.top_share > COMMONEST_MATTER,
            Refusal::CommonestNamed { share: findings.top_named, bound: COMMONEST_ALLOWED, remedy },
        ),
        (
            findings.largest > value_allowed,
            Refusal::ValueTooCommon { share: findings.largest, bound: value_allowed, remedy },
        ),
        (thin > 0, Refusal::ThinTable { forms: thin }),
        (profile == Profile::Unique && population.alike() > 1.5, Refusal::NotUnique),
    ];
    bounds.into_iter().filter_map(|(over, refusal)| over.then_some(refusal)).collect()
}

/// What helps if an index gives too much away.
fn remedy(subject: &Subject<'_>) -> &'static str {
    match (subject.values, subject.slots) {
        (Values::Names, Slots::None) => "give it slots, make it a part of a compound index, or filter after opening",
        (_, Slots::Public(_)) => {
            "give it a slot table from your own rows, make it a part of a compound index, or filter after opening"
        }
        (_, Slots::Own(_)) => {
            "make the slot table anew from your present rows, make it a part of a compound index, or filter after opening"
        }
        (Values::Dates, Slots::None) => {
            "if the commonest date is a placeholder such as 1900-01-01, name it in the index's `Placeholders`; otherwise make it a \
             part of a compound index, or filter after opening"
        }
        (Values::Compound, Slots::None) => "give it one more component, or filter after opening",
        (Values::Other, Slots::None) => "make it a part of a compound index, or filter after opening",
    }
}

/// How many forms of a table of one's own have too few rows in the sample.
fn thin_forms(subject: &Subject<'_>) -> usize {
    let common = subject.seen.forms().iter().filter(|form| form.slots > 1 && form.rows >= ENOUGH_ROWS).count();
    subject.slots.private_forms().saturating_sub(common)
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, samples) = (with_commas(self.rows), self.samples());
        writeln!(f, "planned for {rows} rows, from a sample of {samples}")?;
        writeln!(f)?;
        let width = |index: &IndexReport| index.id.chars().count().max(COLUMN);
        write!(f, "{:TITLE$}", "")?;
        for index in &self.indexes {
            write!(f, "  {:>1$}", index.id, width(index))?;
        }
        writeln!(f)?;
        let row = |f: &mut fmt::Formatter<'_>, title: &str, cell: &dyn Fn(&IndexReport) -> String| {
            write!(f, "{title:TITLE$}")?;
            for index in &self.indexes {
                write!(f, "  {:>1$}", cell(index), width(index))?;
            }
            writeln!(f)
        };
        row(f, "kind of values", &|index| index.profile.to_string())?;
        row(f, "bits (by the rule)", &|index| format!("{} ({})", index.bits, index.rule))?;
        for measure in Measure::ALL {
            row(f, measure.title(), &|index| index.figure(*measure).to_string())?;
        }
        row(f, "verdict", &|index| if index.is_accepted() { "accepted".to_owned() } else { "REFUSED".to_owned() })?;
        writeln!(f)?;
        writeln!(f, "rows alone in all indexes together: {}", self.alone)?;
        for refusal in &self.refusals {
            writeln!(f, "refused: {refusal}")?;
        }
        for index in &self.indexes {
            for refusal in &index.refusals {
                writeln!(f, "{} is refused: {refusal}", index.id)?;
            }
            if let Some(reason) = &index.accepted {
                writeln!(f, "{} has {} bits and not {}: {reason}", index.id, index.bits, index.rule)?;
            }
        }
        f.write_str(if self.is_accepted() { "the plan is accepted" } else { "the plan is REFUSED" })
    }
}

const TITLE: usize = 29;
const COLUMN: usize = 13;

//! Measures times: a batch of each candidate, round after round, so that anything that slows the machine down slows all
//! of them.

use std::hint::black_box;
use std::time::Instant;

use crate::peers::{Candidate, draw};

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Plan {
    pub rounds: u32,
    pub repeats: u32,
}

/// Nanoseconds per record.
#[derive(Clone, Copy)]
pub struct Time {
    pub median: f64,
    /// The distance of the quartiles as a share of the median: it shows how reliable the run is.
    pub spread: f64,
}

/// The two directions of a candidate.
#[derive(Clone, Copy)]
pub struct Times {
    pub seal: Time,
    pub open: Time,
}

pub struct Measurement {
    /// In the order of the candidates.
    pub candidates: Vec<Times>,
    /// One draw of 12 bytes from the operating system.
    pub draw: Time,
}

pub fn run(candidates: &mut [Candidate], plan: Plan) -> Measurement {
    let mut samples = vec![(Vec::new(), Vec::new()); candidates.len()];
    let mut draws = Vec::new();
    // The first round only warms up.
    for round in 0..=plan.rounds {
        for turn in 0..candidates.len() {
            // Each round begins with another candidate, so that none always runs after the same one.
            let at = (turn + round as usize) % candidates.len();
            let peer = &mut candidates[at].peer;
            let seal = per_record(plan.repeats, || peer.seal(plan.repeats));
            let open = per_record(plan.repeats, || peer.open(plan.repeats));
            if round > 0 {
                samples[at].0.push(seal);
                samples[at].1.push(open);
            }
        }
        draws.push(per_record(plan.repeats, || draw_often(plan.repeats)));
    }
    let candidates = samples.into_iter().map(|(seal, open)| Times { seal: time(seal), open: time(open) }).collect();
    Measurement { candidates, draw: time(draws) }
}

fn per_record(repeats: u32, batch: impl FnOnce()) -> f64 {
    let start = Instant::now();
    batch();
    start.elapsed().as_nanos() as f64 / f64::from(repeats)
}

fn draw_often(repeats: u32) {
    for _ in 0..repeats {
        black_box(draw());
    }
}

fn time(mut samples: Vec<f64>) -> Time {
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
    let median = at(0.5);
    Time { median, spread: (at(0.75) - at(0.25)) / median }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let time = time(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert!((time.median - 3.0).abs() < f64::EPSILON);
        assert!((time.spread - 2.0 / 3.0).abs() < f64::EPSILON);
    }
}

//! rxseal's targets against its peers, and whether it meets them.

use comfy_table::{Cell, Table};

use super::Direction::{Open, Seal};
use super::tables::{headed, number, ratio};
use super::{Direction, Report};
use crate::peers::name;

/// How many times faster than `peer` rxseal should be: with its default backend, and with `aws-lc`.
struct Target {
    peer: &'static str,
    direction: Direction,
    default: f64,
    aws_lc: f64,
}

const TARGETS: [Target; 4] = [
    Target { peer: name::ASHERAH, direction: Seal, default: 2.0, aws_lc: 2.7 },
    Target { peer: name::ASHERAH, direction: Open, default: 2.0, aws_lc: 2.7 },
    Target { peer: name::TINK_ENVELOPE, direction: Seal, default: 1.5, aws_lc: 2.0 },
    Target { peer: name::TINK_ENVELOPE, direction: Open, default: 1.35, aws_lc: 1.9 },
];

pub fn table(report: &Report) -> Table {
    let mut table = headed([
        "",
        "against",
        "direction",
        "target, times faster",
        "measured",
        "with the record held",
        "as bytes",
        "",
    ]);
    for target in &TARGETS {
        for (ours, wanted) in [(name::RXSEAL, target.default), (name::RXSEAL_AWS_LC, target.aws_lc)] {
            let [strict, held, binary] =
                [ours.text, ours.held, ours.binary].map(|name| times_faster(report, target, name));
            let direction = if target.direction == Seal { "seal" } else { "open" };
            table.add_row([
                Cell::new(ours.text),
                Cell::new(target.peer),
                Cell::new(direction),
                number(format!("{wanted:.2}")),
                ratio(strict),
                ratio(held),
                ratio(binary),
                Cell::new(verdict(wanted, strict, held)),
            ]);
        }
    }
    table
}

fn times_faster(report: &Report, target: &Target, ours: &str) -> Option<f64> {
    report.ratio(report.row(target.peer)?, ours, target.direction)
}

/// As text, with the record made within the measurement. A kept record is not a fair comparison for a program that
/// reads a table.
fn verdict(wanted: f64, strict: Option<f64>, held: Option<f64>) -> &'static str {
    match (strict, held) {
        (None, _) => "not in this build",
        (Some(is), _) if is >= wanted => "met",
        (_, Some(is)) if is >= wanted => "met with the record held only",
        _ => "NOT met",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(verdict(2.0, Some(2.0), Some(2.2)), "met");
        assert_eq!(verdict(2.0, Some(1.99), Some(2.2)), "met with the record held only");
        assert_eq!(verdict(2.0, Some(1.9), Some(1.9)), "NOT met");
        assert_eq!(verdict(2.0, None, None), "not in this build");
    }
}

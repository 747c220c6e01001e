//! Four weeks of shifts: two pharmacists who fill prescriptions, mostly of patients who come again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use rxseal::{Access, Purpose};

use crate::people;
use crate::pharmacy::Pharmacy;
use crate::tell::{Failure, Tell, grouped};

pub const DAYS: u32 = 28;
/// One every seven and a half minutes, for twelve hours.
const FILLS: usize = 96;
const FILL: Duration = Duration::from_secs(450);
/// The shift ends at eight in the evening, and the next one begins twelve hours later.
const NIGHT: Duration = Duration::from_secs(12 * 3600);
/// Who comes to this pharmacy.
const REGULARS: usize = 600;
pub const STAFF: [&str; 2] = ["user:kim.rph", "user:lee.rph"];

/// Until the evening before the theft.
pub fn four_weeks(pharmacy: &Pharmacy, tell: &Tell) -> Result<(), Failure> {
    let mut weeks = vec![vec![
        "week".to_owned(),
        "openings".to_owned(),
        "most patients in a shift".to_owned(),
        "refused".to_owned(),
    ]];
    let (mut refused_ever, mut opened_ever) = (0, 0);
    for week in 0..4 {
        let (mut openings, mut most, mut refused) = (0, 0, 0);
        for day in week * 7..week * 7 + 7 {
            let mut seen = BTreeSet::new();
            for fill in 0..FILLS {
                let number = (day * 37 + fill * 11 + fill * fill) % REGULARS;
                let row = pharmacy.row(people::id(number))?;
                let access = Access::new(STAFF[fill % 2], Purpose::TREAT)?.request_id(&format!("fill-{day}-{fill}"))?;
                openings += 1;
                match pharmacy.look(&row, &access, true) {
                    Ok(_) => drop(seen.insert(number)),
                    Err(_) => refused += 1,
                }
                pharmacy.clock.advance(FILL);
            }
            pharmacy.watch.commit()?;
            most = most.max(seen.len());
            if day + 1 < DAYS as usize {
                pharmacy.clock.advance(NIGHT);
            }
        }
        (refused_ever, opened_ever) = (refused_ever + refused, opened_ever + openings);
        weeks.push([week + 1, openings, most, refused].map(grouped).to_vec());
    }
    tell.table(&weeks);
    tell.check("nobody at the desk is refused", refused_ever == 0, format_args!("{} openings", grouped(opened_ever)))
}

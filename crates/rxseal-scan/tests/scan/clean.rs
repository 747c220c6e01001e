//! Large clean data: nothing certain is found in it, and hardly anything possible.

use std::fmt::Write as _;

use rxseal_scan::{Certainty, Scan, Verdict};

use crate::support::{Place, Seeded, rows, told};

/// Many names of a pharmacy's programs begin so, and with the next letter as a token of one suite does.
const RX: &str = "rx";

/// Rows in which much looks like something else, and nothing is what it looks like.
#[test]
fn clean_rows_stay_clean() {
    let place = Place::new("clean");
    let many = rows(20_000, 1_000_000);
    let mut chance = Seeded(1);
    let mut text = "rx_number,patient_name,drug,filled_at,memo\n".to_owned();
    // Sealing takes longer than scanning, so tokens are used again.
    let tokens: Vec<_> = (0..200).map(|id| place.row(id)).collect();
    for id in 0..many {
        let [name, drug] = &tokens[chance.below(200) as usize];
        let number = chance.next();
        let memo = match chance.below(8) {
            0 => format!("order {number} of 10{:08}", number % 100_000_000),
            1 => format!("{RX}scheduler-{number:x} rxsX-ray {}", chance.one(&["rxs", "RXS", "rx"])),
            2 => format!(
                "{:08x}-{:04x}-{:04x}-{:04x}-{number:012x}",
                number >> 32,
                number & 0xFFFF,
                number >> 48,
                number >> 16 & 0xFFFF
            ),
            3 => format!("lot AB{:07} {:03}-{:04}", number % 10_000_000, number % 1000, number % 10_000),
            4 => format!(
                "{}: {} of {}",
                chance.one(&["phone", "dob", "npi", "ssn", "ndc", "dea", "email"]),
                chance.one(&["none", "on file", "refused"]),
                number % 100
            ),
            5 => format!("1{:09}", number % 1_000_000_000),
            6 => format!(
                "{:02}:{:02} {:03}-{:02}-{:03}",
                number % 24,
                number % 60,
                number % 1000,
                number % 100,
                number % 1000
            ),
            _ => String::new(),
        };
        writeln!(text, "{id},{name},{drug},2026-{:02}-{:02},{memo}", 1 + number % 12, 1 + number % 28).unwrap();
    }
    place.write("a.csv", &text);
    let report = place.source(&place.scan(), "csv:a.csv");
    assert_eq!((told(&report), report.rows(), report.verdict()), (vec![], many, Verdict::Clean));
    let report = place.scan().expecting_tokens().file(place.path("a.csv"));
    assert_eq!((told(&report), report.rows(), report.verdict()), (vec![], many + 1, Verdict::Clean));
    assert_eq!(report.keys().map(|(_, count)| count).sum::<u64>(), many * 2);
}

/// A day of a service's log: times, ids, addresses, durations, user agents, numbers of orders, words about patients without one.
fn log_line(at: u64, chance: &mut Seeded) -> String {
    let number = chance.next();
    let time = format!("2026-11-30T{:02}:{:02}:{:02}.{:03}Z", at / 3600 % 24, at / 60 % 60, at % 60, number % 1000);
    let ip = format!("10.{}.{}.{}", number % 256, number >> 8 & 255, number >> 16 & 255);
    let uuid = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        number >> 32,
        number & 0xFFFF,
        number & 0xFFF,
        number >> 48,
        number & 0xFFFF_FFFF_FFFF
    );
    match chance.below(10) {
        0 => format!(
            "{time} INFO http method=GET path=/rx/RX{:07} status=200 ms={} req={uuid} ip={ip}",
            number % 10_000_000,
            number % 900
        ),
        1 => format!(
            "{{\"ts\":{},\"level\":\"info\",\"msg\":\"sealed\",\"fields\":{},\"key\":\"{:08x}\",\"host\":\"ph17-a\"}}",
            1_764_000_000 + at,
            number % 9,
            number as u32
        ),
        2 => format!(
            "{time} WARN claim rejected code={} bin=610014 pcn=RX{:04} group=GRP{:06} auth={}",
            number % 99,
            number % 10_000,
            number % 1_000_000,
            number % 10_000_000_000
        ),
        3 => format!(
            "{ip} - - [30/Nov/2026:{:02}:{:02}:{:02} +0000] \"POST /api/v1/fills HTTP/1.1\" 201 {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
            at / 3600 % 24,
            at / 60 % 60,
            at % 60,
            number % 9000
        ),
        4 => format!(
            "{time} DEBUG sql select id, drug from rx where id = $1 [{}] rows={} in {}us",
            number % 1_000_000_000,
            number % 3,
            number % 5000
        ),
        5 => format!(
            "{time} INFO {} verified for order {} in {} ms",
            chance.one(&["phone", "dob", "npi", "dea number", "email", "ssn last4", "ndc"]),
            number % 10_000_000_000,
            number % 1000
        ),
        6 => format!(
            "{time} INFO job={RX}scan-{:x} chunk={} of {} ulid=01J{:013X}{:010X}",
            number % 65536,
            number % 400,
            400,
            number,
            number >> 24
        ),
        7 => format!(
            "{time} ERROR timeout after {}ms host=kms-{}.internal trace={:016x}{:016x} retry={}",
            number % 30_000,
            number % 9,
            number,
            chance.next(),
            number % 5
        ),
        8 => format!(
            "{time} INFO inventory lot=L{:06} exp=2027-{:02}-{:02} qty={} shelf={}-{:02}-{:03}",
            number % 1_000_000,
            1 + number % 12,
            1 + number % 28,
            number % 500,
            chance.one(&["A", "B"]),
            number % 60,
            number % 700
        ),
        _ => format!(
            "{time} INFO tel=sip:{} cell {} fax queue {} born=worker-{}",
            number % 9999,
            number % 40,
            number % 100_000,
            number % 64
        ),
    }
}

#[test]
fn a_log_has_hardly_anything_possible() {
    let place = Place::new("clean-log");
    let many = rows(100_000, 1_000_000);
    let mut chance = Seeded(2);
    let text = (0..many).map(|at| log_line(at, &mut chance) + "\n").collect::<String>();
    let report = Scan::new().file(place.write("service.log", text));
    let count = |certainty| {
        report
            .findings()
            .iter()
            .filter(|found| found.certainty() == certainty)
            .map(rxseal_scan::Finding::count)
            .sum::<u64>()
    };
    assert_eq!((count(Certainty::Certain), report.rows()), (0, many), "{:?}", told(&report));
    assert!(count(Certainty::Possible) <= many / 100_000, "{:?}", told(&report));
}

//! Exposure reports: the ordinary one, and those that are hard to print.

use rxseal_exposure::{
    Assumed, AuditCover, ClassPatients, Doubt, Exposure, Input, KeyTokens, Mitigation, State, Taken, Timeline, Totals,
    Viewed,
};

/// A pharmacy of 2.3 million patients, whose table was copied, and whose service was used by a thief for some hours.
pub fn ordinary() -> Exposure {
    let all = 2_300_000;
    let sealed = |readable, plaintext| {
        vec![(State::Readable, readable), (State::Plaintext, plaintext), (State::Sealed, all - readable - plaintext)]
    };
    let class = |class: &str, patients| ClassPatients { class: class.to_owned(), is_clear: false, patients };
    let clear = |class: &str, patients| ClassPatients { class: class.to_owned(), is_clear: true, patients };
    Exposure {
        rxseal_exposure: 1,
        name: "2026-0007".to_owned(),
        tool: "rxseal 0.2.0".to_owned(),
        made: 1_788_444_120,
        by: Some("user:dana.privacy".to_owned()),
        keyspaces: vec!["pharmacy-17".to_owned()],
        discovered: "2026-09-02".parse().unwrap(),
        deadline: "2026-11-01".parse().unwrap(),
        totals: Totals {
            patients: all,
            proven: 3_283,
            at_most: 3_283,
            by_state: sealed(2_871, 412),
            clear: all,
            is_patients_at_least: false,
        },
        classes: vec![
            class("identity", sealed(2_871, 412)),
            class("medication", sealed(2_871, 0)),
            class("prescriber", sealed(1_904, 0)),
            class("clinical", vec![(State::Sealed, all)]),
            clear("date", vec![(State::Readable, all)]),
            clear("identifier", vec![(State::Readable, all)]),
        ],
        taken: vec![
            taken(
                "data:dump.ndjson",
                "copy of table prescriptions (20,114,090 rows)",
                "nothing: tokens under 3 keys, none of them taken",
                all,
                false,
            ),
            taken(
                "data:dump.ndjson",
                "column orders.notes in the same copy",
                "plaintext: rows hold a name or a date of birth",
                412,
                true,
            ),
            taken(
                "data:dump.ndjson",
                "readable columns of the same copy",
                "readable: filled_at (date), rx_number (identifier)",
                all,
                false,
            ),
            taken(
                "actor:svc:fulfil-api@2026-08-30T20:51Z..2026-08-31T02:31Z",
                "credential svc:fulfil-api, 30 Aug 20:51 to 31 Aug 02:31",
                "what the service opened for it: 2,871 records",
                2_871,
                false,
            ),
        ],
        timeline: Some(timeline(96)),
        audit: Some(AuditCover {
            verdict: "whole".to_owned(),
            from: 1_787_961_600,
            to: 1_788_444_000,
            events: 1_204_118,
            chains: 4,
            findings: Vec::new(),
            unlocks: 7,
            has_service_log: true,
            has_checkpoints: true,
            viewed: vec![Viewed { chain: "7f3a9c0e5b1d2468".to_owned(), first: 118_204, last: 131_940, lines: 2_871 }],
        }),
        mitigation: vec![
            Mitigation {
                at: 1_788_123_060,
                what: "the budget refused svc:fulfil-api for the first time".to_owned(),
                who: None,
            },
            Mitigation {
                at: 1_788_143_460,
                what: "svc:fulfil-api: frozen".to_owned(),
                who: Some("user:sam.ops".to_owned()),
            },
            Mitigation {
                at: 1_788_340_200,
                what: "the primary key was rotated".to_owned(),
                who: Some("user:sam.ops".to_owned()),
            },
        ],
        assumed: vec![Assumed {
            text: "the thief took no key and had no rights to a root key".to_owned(),
            by: Some("the security officer, 2 Sep 2026".to_owned()),
        }],
        inputs: ["rxseal-map.toml", "dump.ndjson", "audit", "checkpoints"].map(input).into(),
        states: Some(vec![("NY".to_owned(), 1_212), ("NJ".to_owned(), 804), ("CT".to_owned(), 77)]),
        doubts: Vec::new(),
    }
}

/// No log, nothing stolen, nobody found.
pub fn nothing() -> Exposure {
    Exposure {
        by: None,
        keyspaces: Vec::new(),
        totals: Totals {
            patients: 0,
            proven: 0,
            at_most: 0,
            by_state: Vec::new(),
            clear: 0,
            is_patients_at_least: false,
        },
        classes: Vec::new(),
        taken: Vec::new(),
        timeline: None,
        audit: None,
        mitigation: Vec::new(),
        assumed: Vec::new(),
        inputs: Vec::new(),
        states: None,
        ..ordinary()
    }
}

/// Copies alone were taken, and no key.
pub fn sealed_only() -> Exposure {
    let patients = vec![(State::Sealed, 1_800), (State::NotTaken, 200)];
    let class = |class: &str| ClassPatients { class: class.to_owned(), is_clear: false, patients: patients.clone() };
    let taken = taken(
        "data:dump.ndjson",
        "copy of table prescriptions (9,120 rows)",
        "nothing: tokens under 1 key, which was not taken",
        1_800,
        false,
    );
    Exposure {
        totals: Totals {
            patients: 2_000,
            proven: 0,
            at_most: 0,
            by_state: patients.clone(),
            clear: 0,
            is_patients_at_least: false,
        },
        classes: vec![class("identity"), class("medication")],
        taken: vec![taken],
        timeline: None,
        mitigation: Vec::new(),
        audit: ordinary().audit.map(|audit| AuditCover { viewed: Vec::new(), ..audit }),
        ..ordinary()
    }
}

/// Nothing is proven, and nothing can be ruled out.
pub fn undecided() -> Exposure {
    let patients = vec![(State::Undecided, 48_211)];
    let class = |class: &str| ClassPatients { class: class.to_owned(), is_clear: false, patients: patients.clone() };
    let doubt = |code, place: &str, count, text: &str| Doubt {
        code,
        place: Some(place.to_owned()),
        count: Some(count),
        text: text.to_owned(),
    };
    Exposure {
        totals: Totals {
            patients: 48_211,
            proven: 0,
            at_most: 48_211,
            by_state: patients.clone(),
            clear: 0,
            is_patients_at_least: true,
        },
        classes: vec![class("identity"), class("medication"), class("prescriber")],
        taken: vec![taken(
            "data:live",
            "the live table patients (48,211 rows), and no copy of the time of the theft",
            "undecided: which keys its tokens were under then is not known",
            48_211,
            true,
        )],
        timeline: None,
        audit: None,
        mitigation: Vec::new(),
        states: None,
        doubts: vec![
            doubt("no-log", "the whole time", 1, "no log of openings was given for the time of the theft"),
            doubt("token-damaged", "patients.name", 311, "tokens are cut, so their keys are not known"),
            doubt("key-unknown", "patients.drug", 9_204, "tokens are under a key that no keyring file has"),
        ],
        ..ordinary()
    }
}

/// 40 kinds of data, each with another share of states.
pub fn forty_classes() -> Exposure {
    let class = |at: u64| {
        let counts = [at * 11, at % 3, at * 1_000, at * 77, at * 310, 2_000_000];
        let rest = 2_300_000 - counts.iter().sum::<u64>();
        let patients = State::ALL.into_iter().zip(counts.into_iter().chain([rest])).collect();
        ClassPatients { class: format!("class-{at:02}.{}", "x".repeat(54)), is_clear: at % 5 == 4, patients }
    };
    Exposure { classes: (0..40).map(class).collect(), ..ordinary() }
}

/// One patient, of whom one thing was read.
pub fn one_patient() -> Exposure {
    let patients = vec![(State::Readable, 1)];
    let class = ClassPatients { class: "medication".to_owned(), is_clear: false, patients: patients.clone() };
    Exposure {
        totals: Totals {
            patients: 1,
            proven: 1,
            at_most: 1,
            by_state: patients,
            clear: 0,
            is_patients_at_least: false,
        },
        classes: vec![class],
        taken: vec![taken(
            "actor:user:kim.rph",
            "credential user:kim.rph",
            "what the service opened for it: 1 record",
            1,
            false,
        )],
        timeline: Some(Timeline {
            patients: vec![1],
            usual: vec![None],
            refused: Vec::new(),
            frozen: Vec::new(),
            stolen: None,
            ..timeline(1)
        }),
        states: Some(vec![("NY".to_owned(), 1)]),
        ..ordinary()
    }
}

/// The ordinary one, where everything that comes from outside is hostile, long and often there.
pub fn hostile(with: &str) -> Exposure {
    let name = with.repeat(255_usize.div_ceil(with.chars().count()));
    let all = ordinary();
    let again = 30;
    let text = |_| name.clone();
    Exposure {
        name: name.clone(),
        tool: name.clone(),
        by: Some(name.clone()),
        keyspaces: (0..again).map(text).collect(),
        taken: (0..again).map(|_| taken(&name, &name, &name, u64::MAX, true)).collect(),
        timeline: Some(Timeline { of: name.clone(), ..timeline(24 * 400) }),
        audit: all.audit.map(|audit| AuditCover {
            verdict: name.clone(),
            findings: (0..again).map(text).collect(),
            viewed: (0..again)
                .map(|_| Viewed { chain: name.clone(), first: 0, last: u64::MAX, lines: u64::MAX })
                .collect(),
            ..audit
        }),
        mitigation: (0..again)
            .map(|_| Mitigation { at: u64::MAX, what: name.clone(), who: Some(name.clone()) })
            .collect(),
        assumed: (0..again).map(|_| Assumed { text: name.clone(), by: Some(name.clone()) }).collect(),
        inputs: (0..again).map(|_| Input { name: name.clone(), sha256: None, bytes: None }).collect(),
        states: Some((0..again).map(|_| (name.clone(), u64::MAX)).collect()),
        doubts: (0..again)
            .map(|_| Doubt { code: "key-unknown", place: Some(name.clone()), count: Some(1), text: name.clone() })
            .collect(),
        classes: forty_classes().classes,
        ..all
    }
}

fn taken(stolen: &str, what: &str, opens: &str, patients: u64, is_at_least: bool) -> Taken {
    let tokens_by_key = vec![KeyTokens { key: "q3Zk81Ab".to_owned(), tokens: 20_114_090, is_taken: false }];
    Taken {
        stolen: stolen.to_owned(),
        what: what.to_owned(),
        opens: opens.to_owned(),
        patients,
        is_at_least,
        tokens_by_key,
    }
}

fn input(name: &str) -> Input {
    Input { name: name.to_owned(), sha256: Some("9f".repeat(32)), bytes: Some(77) }
}

/// Hours from 29 August on; the theft is on the second day.
fn timeline(hours: usize) -> Timeline {
    let theft = [1_100, 390, 388, 394, 393, 206];
    let usual = |hour: usize| 36 + 2 * 12_u64.saturating_sub((hour % 24).abs_diff(14) as u64);
    let patients = (0..hours).map(|hour| match hour.checked_sub(44).and_then(|at| theft.get(at)) {
        Some(patients) => *patients,
        None => usual(hour) + (hour as u64 * 37) % 40,
    });
    Timeline {
        of: "svc:fulfil-api".to_owned(),
        from: 1_787_961_600,
        step: 3_600,
        patients: patients.collect(),
        usual: (0..hours).map(|hour| Some((usual(hour), usual(hour) + 45))).collect(),
        stolen: Some((1_788_123_060, 1_788_143_460)),
        refused: vec![1_788_123_060, 1_788_126_000, 1_788_130_000],
        frozen: vec![1_788_143_460],
    }
}

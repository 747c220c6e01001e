//! The page of a report: valid, small, and the same numbers as in `exposure.json`.

use rxseal_exposure::{Exposure, State};
use rxseal_html::number;
use rxseal_tests_pages::check;
use serde_json::Value;

use crate::samples;

/// The text of a page after all that holds for every report.
fn page(name: &str, exposure: &Exposure) -> String {
    let text = check(&format!("exposure-{name}"), &exposure.to_html());
    let lower = text.to_lowercase();
    for verdict in ["no breach", "not a breach", "is a breach.", "no risk", "compliant", "is safe"] {
        assert!(!lower.contains(verdict), "{name}: {verdict}");
    }
    let first = text.lines().nth(1).unwrap();
    assert!(first.contains("1 Nov 2026") && first.contains("patient"), "{name}: {first}");
    text
}

#[test]
fn the_first_sentence_says_how_many_which_data_and_by_when() {
    let first = |name: &str, exposure: &Exposure| page(name, exposure).lines().nth(1).unwrap().to_owned();
    assert_eq!(
        first("ordinary", &samples::ordinary()),
        "The thief could read identity data (such as names), medications or prescribers of at least 3,283 patients. Readable columns show dates or \
         record numbers of 2,300,000 patients. Sealed data of another 2,296,717 patients was copied, and no key that opens it was taken. If \
         letters must go, the last day is 1 Nov 2026."
    );
    assert_eq!(
        first("undecided", &samples::undecided()),
        "It is not proven that sealed data was read, and it cannot be ruled out for at least 48,211 patients (identity data (such as names), medications \
         or prescribers). If letters must go, the last day is 1 Nov 2026."
    );
    assert_eq!(
        first("sealed", &samples::sealed_only()),
        "Sealed data of 1,800 patients was copied, and no key that opens it was taken. If letters must go, the last day is 1 Nov 2026."
    );
    assert_eq!(
        first("one", &samples::one_patient()),
        "The thief could read medications of 1 patient. If letters must go, the last day is 1 Nov 2026."
    );
    assert!(first("nothing", &samples::nothing()).starts_with("0 patients are in the sources"));
}

#[test]
fn what_is_missing_is_a_sentence() {
    let text = page("nothing", &samples::nothing());
    for sentence in [
        "No log of openings was given: what was viewed, and when, cannot be said.",
        "Nothing was named as stolen, so this report says nothing about a theft.",
        "No kind of data is known",
        "Viewed: cannot be said",
        "No log was given, so what was done against the theft is not known here.",
        "no column says who lives where",
        "no file and no database",
    ] {
        assert!(text.contains(sentence), "{sentence}\n{text}");
    }
    assert!(page("sealed", &samples::sealed_only()).contains("No stolen identity or host was named"));
}

#[test]
fn a_log_that_is_not_whole_is_said_at_the_top() {
    for (verdict, sentence) in
        [("tampered", "The log of openings was changed"), ("incomplete", "The log of openings is not complete")]
    {
        let mut exposure = samples::ordinary();
        assert!(!page("whole", &exposure).contains(sentence));
        exposure.audit.as_mut().unwrap().verdict = verdict.to_owned();
        let text = page(verdict, &exposure);
        assert!(text.lines().nth(2).unwrap().starts_with(sentence), "{text}");
        assert!(text.contains(&format!("Log {verdict}of openings")), "{text}");
    }
}

#[test]
fn what_is_not_known_is_not_counted_as_safe() {
    let text = page("undecided", &samples::undecided());
    assert!(text.contains("48,211\nnot ruled out") || text.contains("48,211not ruled out"), "{text}");
    assert!(text.contains("tokens are cut, so their keys are not known (311)"), "{text}");
    assert!(
        text.contains("0 patients are certain, and more are not ruled out. With 500 or more: at the latest 1 Nov 2026"),
        "{text}"
    );
}

/// Who reads the first lines sees why, and where the rest is.
#[test]
fn why_it_is_undecided_is_said_at_the_top() {
    let mut exposure = samples::undecided();
    let line = |exposure: &Exposure| page("undecided-why", exposure).lines().nth(2).unwrap().to_owned();
    assert_eq!(
        line(&exposure),
        "Not all is decided: the whole time: no log of openings was given for the time of the theft (1); patients.name: tokens are cut, so their \
         keys are not known (311); patients.drug: tokens are under a key that no keyring file has (9,204)."
    );
    let more = exposure.doubts.clone();
    exposure.doubts.extend(more);
    assert!(line(&exposure).ends_with("(9,204); 3 more are under “How sure is this”."), "{}", line(&exposure));
    assert!(!page("ordinary", &samples::ordinary()).contains("Not all is decided"));
}

#[test]
fn who_must_be_told_follows_from_the_numbers() {
    let told = |exposure: &Exposure| {
        page("told", exposure).lines().skip_while(|line| *line != "HHS").nth(1).unwrap().to_owned()
    };
    let mut exposure = samples::one_patient();
    assert_eq!(
        told(&exposure),
        "fewer than 500 patients: in the list of the year, at the latest 1 Mar 2027 (164.408)."
    );
    exposure.totals.patients = 600;
    (exposure.totals.proven, exposure.totals.at_most) = (499, 500);
    assert!(told(&exposure).starts_with("499 patients are certain"), "{}", told(&exposure));
    exposure.totals.proven = 500;
    assert_eq!(told(&exposure), "500 or more patients: at the latest 1 Nov 2026 (164.408).");
    exposure.states = Some(vec![("NY".to_owned(), 500)]);
    assert!(page("told", &exposure).contains("no state has more than 500 patients"));
    exposure.states = Some(vec![("NY".to_owned(), 501)]);
    assert!(page("told", &exposure).contains("more than 500 patients in NY (501): at the latest 1 Nov 2026"));
}

/// Each number of a state in the JSON is beside the bar of its kind in the page.
#[test]
fn the_numbers_of_the_page_are_those_of_the_json() {
    let all = [
        ("ordinary", samples::ordinary()),
        ("undecided", samples::undecided()),
        ("sealed", samples::sealed_only()),
        ("forty-classes", samples::forty_classes()),
        ("one", samples::one_patient()),
        ("nothing", samples::nothing()),
    ];
    for (name, exposure) in all {
        let text = page(name, &exposure);
        let json = serde_json::to_value(&exposure).unwrap();
        for total in ["proven", "clear"] {
            let said = number(json["totals"][total].as_u64().unwrap());
            assert!(
                text.contains(&format!("{said}{}", if total == "clear" { "with data" } else { "proven:" })),
                "{name}: {total}"
            );
        }
        let beside: Vec<_> = text
            .lines()
            .filter(|line| line.contains(" readable") && !line.contains("proven") && !line.contains("with data"))
            .collect();
        for (class, line) in json["classes"]
            .as_array()
            .unwrap()
            .iter()
            .zip(beside.iter().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())))
        {
            let said = &class["patients"];
            for (state, words) in [
                ("readable", "readable"),
                ("plaintext", "plaintext"),
                ("undecided", "undecided"),
                ("sealed", "copied, sealed"),
                ("not-taken", "not taken"),
            ] {
                let count = said[state].as_u64().unwrap_or(0);
                assert_eq!(
                    line.contains(&format!("{} {words}", number(count))),
                    count > 0 || state == "readable",
                    "{name}: {state} of {class}: {line}"
                );
            }
            assert_eq!(sum(said), sum(&json["classes"][0]["patients"]), "{name}");
        }
    }
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn hostile_names_are_text_and_a_page_stays_small() {
    for (name, with) in [
        ("long", "Wm"),
        ("markup", "\"'<b>&"),
        ("quotes", "\""),
        ("turned", "\u{202e}x"),
        ("controls", "\0\u{7f}\u{ffff}"),
        ("script", "</script><script>alert(1)</script>"),
    ] {
        let text = page(&format!("hostile-{name}"), &samples::hostile(with));
        assert!(text.contains("more are in exposure.json"), "{name}");
    }
    assert!(page("hostile-markup", &samples::hostile("\"'<b>&")).contains("\"'<b>&\"'<b>&"));
}

#[test]
fn each_state_has_its_words() {
    let mut exposure = samples::one_patient();
    for state in State::ALL {
        exposure.classes[0].patients = vec![(state, 1)];
        exposure.totals.by_state = vec![(state, 1)];
        exposure.totals.proven = u64::from(state.is_proven());
        exposure.totals.at_most = u64::from(state.is_at_risk());
        let first = page("state", &exposure).lines().nth(1).unwrap().to_owned();
        let begin = match state {
            State::Readable | State::Plaintext => "The thief could read medications of 1 patient.",
            State::CouldBeRead | State::Guessable | State::Undecided => {
                "It is not proven that sealed data was read, and it cannot be ruled out for 1 patient (medications)."
            }
            State::Sealed => "Sealed data of 1 patient was copied, and no key that opens it was taken.",
            State::NotTaken => "No kind of data is known to be taken of 1 patient in the sources and the log.",
        };
        assert!(first.starts_with(begin), "{state:?}: {first}");
    }
}

//! The tables in `golden/`: names of 34 kinds in more than 12 scripts, dates and numbers. All are made up, and their forms are those of the
//! Python reference.

use rxseal_search::normal::{Date, Dea, Email, Exact, Family, Given, Id, Lenient, Ndc, Npi, Phone, Ssn};

use crate::support::{form, parts};

#[test]
fn every_name_has_its_form_and_its_parts() {
    let rows = rows(include_str!("golden/names.tsv"));
    assert!(rows.len() >= 600);
    for row in &rows {
        let [name, family, family_parts, given, given_parts] = row.as_slice() else { panic!("five columns: {row:?}") };
        assert_eq!(form::<Family>(name), *family, "family/1 of {name:?}");
        assert_eq!(parts::<Family>(name), *family_parts, "parts of family/1 of {name:?}");
        assert_eq!(form::<Given>(name), *given, "given/1 of {name:?}");
        assert_eq!(parts::<Given>(name), *given_parts, "parts of given/1 of {name:?}");
    }
}

#[test]
fn every_number_has_its_form() {
    let rows = rows(include_str!("golden/numbers.tsv"));
    for (id, least) in [("date/1", 60), ("phone/1", 60), ("npi/1", 40), ("dea/1", 40), ("ndc/1", 40)] {
        assert!(rows.iter().filter(|row| row[0] == id).count() >= least, "{id}");
    }
    for row in &rows {
        let [id, text, wanted] = row.as_slice() else { panic!("three columns: {row:?}") };
        let found = match id.as_str() {
            "date/1" => form::<Date>(text),
            "phone/1" => form::<Phone>(text),
            "npi/1" => form::<Npi>(text),
            "dea/1" => form::<Dea>(text),
            "ndc/1" => form::<Ndc>(text),
            "ssn/1" => form::<Ssn>(text),
            "id/1" => form::<Id>(text),
            "email/1" => form::<Email>(text),
            "exact/1" => form::<Exact>(text),
            _ => panic!("another normaliser: {id}"),
        };
        assert_eq!(found, *wanted, "{id} of {text:?}");
        if id == "npi/1" || id == "dea/1" {
            let lenient = if id == "npi/1" { form::<Lenient<Npi>>(text) } else { form::<Lenient<Dea>>(text) };
            let is_wrong = found == "!bad-check-digit";
            assert_eq!(is_wrong, found != lenient, "lenient only forgives the check digit of {text:?}");
            assert!(!is_wrong || lenient.len() >= 9, "{text:?}");
        }
    }
}

/// `-` is an empty form, `!` and `!check` are refusals.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cell = |text: &str, column: usize| match text {
        "-" if column > 0 => String::new(),
        "!" if column > 0 => "!not-indexable".to_owned(),
        "!check" => "!bad-check-digit".to_owned(),
        _ => unescaped(text),
    };
    let columns = |line: &str| {
        let first = usize::from(line.contains("/1\t"));
        line.split('\t').enumerate().map(|(column, text)| cell(text, column.saturating_sub(first))).collect()
    };
    table.lines().filter(|line| !line.starts_with("# ")).map(columns).collect()
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split("\\u{");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('}').unwrap();
        plain.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32).unwrap());
        plain.push_str(rest);
    }
    plain
}

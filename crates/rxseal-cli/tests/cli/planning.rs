//! `rxseal index plan`: what it says of columns, what it refuses, and that it shows nothing of a row.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::shop::Shop;

const BORN: &str = "patient.born = date(born), bits 8";
const LAST: &str = "patient.last = family(last_name), bits 8, slots us-surnames/1";

/// Runs `rxseal [--json] index plan --rows ROWS ...` with `csv` as its standard input.
fn plan(shop: &Shop, arguments: &[&str], csv: &[u8]) -> Output {
    let mut command = shop.command();
    command.args(["index", "plan"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(csv);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// 2,000 patients: a birth date and a phone number each, names that are far too common, and letters in all quotation marks of CSV.
fn patients() -> String {
    let mut csv = "id,\"last_name\",born,phone,\"note, of \"\"all\"\"\"\r\n".to_owned();
    for n in 0..2000 {
        let name = ["Smith", "Jones", "O'Brien", "Canary"][n % 4];
        let born = format!("{}-{:02}-{:02}", 1940 + n % 70, 1 + n / 70 % 12, 1 + n % 28);
        csv.push_str(&format!(
            "{n},{name},{born},\"(555) {:03}-{n:04}\",\"a note,\nof \"\"{name}\"\"\"\r\n",
            200 + n % 700
        ));
    }
    csv
}

#[test]
fn a_flat_column_is_accepted_and_a_skewed_one_is_refused() {
    let shop = Shop::new("plan", "file:HERE/rings");
    let csv = patients();
    let flat =
        plan(&shop, &["--rows", "5000", "--index", BORN, "--index", "patient.phone = phone(phone)"], csv.as_bytes());
    assert!(flat.status.success() && flat.stderr.is_empty(), "{}", text(&flat.stderr));
    let shown = text(&flat.stdout);
    for said in
        ["planned for 5,000 rows, from a sample of 2,000", "patient.born", "nearly unique", "the plan is accepted"]
    {
        assert!(shown.contains(said), "{shown}");
    }
    // The birth dates of 2,000 people are nearly all different, and those of a table that grows are not.
    let kinds = shown.lines().find(|line| line.starts_with("kind of values")).unwrap();
    assert_eq!(kinds.split_whitespace().collect::<Vec<_>>(), ["kind", "of", "values", "flat", "nearly", "unique"]);

    let skewed = plan(&shop, &["--json", "--rows", "5000", "--index", BORN, "--index", LAST], csv.as_bytes());
    assert_eq!(skewed.status.code(), Some(1));
    let failure: Value = serde_json::from_slice(&skewed.stderr).unwrap();
    assert_eq!(failure["code"], "check-failed");
    let report: Value = serde_json::from_slice(&skewed.stdout).unwrap();
    assert_eq!((&report["rows"], &report["samples"], &report["accepted"]), (&5000.into(), &2000.into(), &false.into()));
    let [born, last] = [0, 1].map(|at| &report["indexes"][at]);
    assert_eq!((&born["id"], &born["accepted"], &born["bits"]), (&"patient.born".into(), &true.into(), &8.into()));
    assert_eq!((&last["kind"], &last["figures"]["forms"]), (&"slotted".into(), &"<20".into()));
    assert_eq!(last["refused"][0]["code"], "rows-named", "{last}");
    let figures = born["figures"].as_object().unwrap();
    assert_eq!(figures.len(), rxseal_search::plan::Measure::ALL.len());
}

#[test]
fn indexes_of_each_kind_are_read() {
    let shop = Shop::new("plan-kinds", "file:HERE/rings");
    let csv = patients();
    let cases = [
        "p.last-born = (family(last_name), date(born)), bits 9",
        "p.last-born=( family( last_name ) ,date(born) )",
        "p.names = family_parts(last_name, last_name), bits 8, slots us-surnames/1",
        "p.given = given(last_name), slots us-given/1",
        "p.sounds = sounds(last_name)",
        "p.phone = phone(phone), unique",
        "p.id = exact(id), bits 12",
    ];
    for case in cases {
        let output = plan(&shop, &["--rows", "2000", "--index", case], csv.as_bytes());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{case}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("the plan is"), "{case}: {}", text(&output.stderr));
    }
    // With more bits than so many rows ask for.
    let wide = ["--rows", "2000", "--index", "p.id = exact(id), bits 30"];
    assert_eq!(plan(&shop, &wide, csv.as_bytes()).status.code(), Some(1));
    let accepted = plan(&shop, &[&wide[..], &["--accept", "the ids are public"]].concat(), csv.as_bytes());
    assert!(accepted.status.success() && text(&accepted.stdout).contains("the ids are public"));
}

#[test]
fn a_slot_table_is_written_and_read_again() {
    let shop = Shop::new("plan-slots", "file:HERE/rings");
    let csv = patients();
    let wanted = ["--rows", "2000", "--index", LAST, "--write-slots", "names.rs", "--slots-id", "our-names/1"];
    plan(&shop, &wanted, csv.as_bytes());
    let table = std::fs::read_to_string(shop.folder.join("names.rs")).unwrap();
    assert!(table.contains("pub static OUR_NAMES_1:") && table.contains("(\"obrien\", 256),"), "{table}");
    let own = plan(
        &shop,
        &["--json", "--rows", "2000", "--index", "patient.last = family(last_name), bits 8, slots names.rs"],
        csv.as_bytes(),
    );
    let report: Value = serde_json::from_slice(&own.stdout).unwrap();
    assert_eq!(report["indexes"][0]["figures"]["values-asked-most"], 256);

    // Nothing is overwritten.
    let again = plan(&shop, &wanted, csv.as_bytes());
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("names.rs"));
    let two = [&wanted[..], &["--index", BORN]].concat();
    assert_eq!(plan(&shop, &two, csv.as_bytes()).status.code(), Some(2));
    let id = ["--rows", "2000", "--index", LAST, "--write-slots", "other.rs", "--slots-id", "Our Names"];
    assert_eq!(plan(&shop, &id, csv.as_bytes()).status.code(), Some(2));
}

#[test]
fn mistakes_are_told_apart() {
    let shop = Shop::new("plan-mistakes", "file:HERE/rings");
    let csv = patients();
    for index in [
        "patient.last",
        "Patient = date(born)",
        "= date(born)",
        "p = date(born",
        "p = born",
        "p = dates(born)",
        "p = date()",
        "p = date(born, id)",
        "p = (date(born))",
        "p = (date(born), date(born), date(born), date(born), date(born))",
        "p = (family_parts(last_name), date(born))",
        "p = date(born), bits 7",
        "p = date(born), bits 65",
        "p = date(born), bits 8, unique",
        "p = date(born), of old",
        "p = date(birthday)",
        "p = date(born), slots nowhere.rs",
        "p = (family(last_name), date(born)), slots us-surnames/1",
    ] {
        let output = plan(&shop, &["--rows", "5000", "--index", index], csv.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{index}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty() && text(&output.stderr).starts_with("rxseal: "));
    }
    // As a program declares it. The command has other names for the tables, and nobody whose slot it is.
    let declared = "p = family(last_name), bits 8, slots us_surnames_1 by record";
    let output = plan(&shop, &["--rows", "5000", "--index", declared], csv.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("us-surnames/1 and us-given/1, and `by` is not written here"));
    let twice = plan(&shop, &["--rows", "5000", "--index", BORN, "--index", BORN], csv.as_bytes());
    assert_eq!(twice.status.code(), Some(2));
    for arguments in [&["--rows", "0", "--index", BORN][..], &["--rows", "5000"], &["--index", BORN]] {
        assert_eq!(plan(&shop, arguments, csv.as_bytes()).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn nothing_of_a_row_is_shown() {
    let shop = Shop::new("plan-canary", "file:HERE/rings");
    let long = format!("last_name,born\n{},1970-01-31\n", "Canary".repeat(20_000));
    let inputs: [(&[u8], Option<i32>); 12] = [
        (b"last_name,born\nCanary,1970-01-31\n", Some(1)),
        (b"\xef\xbb\xbflast_name,born\r\nCanary,1970-01-31", Some(1)),
        (b"last_name,born\nCanary,\n\"Canary\",", Some(1)),
        (b"last_name,born\nCanary\n", Some(1)),
        (b"last_name,born\nCanary,1970-01-31,more\n", Some(1)),
        (b"last_name,born\n\"Canary,1970-01-31\n", Some(1)),
        (b"last_name,born\n\"Can\"ary,1970-01-31\n", Some(1)),
        (b"last_name,born\nCanary\xff,1970-01-31\n", Some(1)),
        (long.as_bytes(), Some(1)),
        (b"Canary,born\nCanary,1970-01-31\n", Some(2)),
        (b"", Some(2)),
        // A quotation mark that is never closed would swallow the rows behind it.
        (b"last_name,born\nCanary,1970-01-31\nx,\"Canary,1970-01-31\ny,Canary\n", Some(1)),
    ];
    for json in [&[][..], &["--json"]] {
        for (csv, status) in inputs {
            let output = plan(&shop, &[json, &["--rows", "5000", "--index", LAST, "--index", BORN]].concat(), csv);
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), status, "{said}");
            assert!(!said.to_lowercase().contains("canary") && !said.contains("1970"), "{said}");
        }
    }
    // The control: what was read is in the column that was asked for.
    let output = plan(&shop, &["--rows", "5000", "--index", BORN], b"Canary,born,born\n");
    assert!(text(&output.stderr).contains("\"born\" twice"));
}

//! `rxseal audit export --format fhir`: what is exported is what FHIR R4 defines, with the codes that IHE fixes.

mod r4;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rxseal::phi::{Drug, PatientName};
use rxseal::{Access, Purpose, Recipient};
use rxseal_watch::{Act, FileLog, Watch};
use serde_json::Value;

use crate::shop::Shop;
use crate::written::{now, write_chain};

fn exported(shop: &Shop, log: &str) -> Vec<Value> {
    let lines = shop.ok(&format!("audit export {log} --format fhir"));
    let resources: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ids = BTreeSet::new();
    for resource in &resources {
        r4::check(resource);
        assert!(ids.insert(resource["id"].as_str().unwrap().to_owned()), "two have the id {}", resource["id"]);
    }
    resources
}

/// The codes of a resource: type, subtypes, action and outcome.
fn codes(resource: &Value) -> (String, Vec<String>, String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let subtypes = resource["subtype"].as_array().into_iter().flatten().map(|subtype| text(&subtype["code"]));
    (text(&resource["type"]["code"]), subtypes.collect(), text(&resource["action"]), text(&resource["outcome"]))
}

/// What an event of a log becomes: its members from `e` on, the codes that it must have, and of how many patients it is.
struct Case {
    members: String,
    codes: (&'static str, &'static [&'static str], &'static str, &'static str),
    patients: usize,
}

const START: &str = r#""e":"start","chain":"0000000000000001","svc":"fulfil-api","host":"ph17-a","pid":7,"lag_ms":5,"buf":4096,"prev":{"chain":"00000000000000ff","n":7,"h":"AAAA","torn":3}"#;

/// Texts that a log can only have if somebody wrote it by hand, and those that a program may have given it.
const HOSTILE: [&str; 10] = [
    "",
    " ",
    r"\u0000\u0001\u001b[31m",
    r#"\"}],\"resourceType\":\"Patient\""#,
    r"</td><script>alert(1)</script>",
    r"\ud83d\udc8a \u202e txt",
    r"line one\nline two\r\n",
    "O'Brien; DROP TABLE patients --",
    r"\u2028\u2029\ufeff",
    "a\u{e9}\u{4e2d}",
];

fn opening(pick: &mut impl FnMut(usize) -> usize) -> Case {
    const OUTCOMES: [(&str, &str); 11] = [
        (r#","out":"ok""#, "0"),
        (r#","out":"partial","err":1"#, "4"),
        (r#","out":"panic""#, "4"),
        (r#","out":"failed","err":2"#, "8"),
        (r#","out":"class_denied""#, "8"),
        (r#","out":"over_budget","bud":"over""#, "8"),
        (r#","out":"frozen""#, "8"),
        (r#","out":"refused""#, "8"),
        (r#","out":"shredded""#, "8"),
        // Of a later version, and of a line whose first line is gone: nobody knows, so it is no failure that handed nothing out.
        (r#","out":"delegated""#, "4"),
        ("", "4"),
    ];
    let (out, outcome) = OUTCOMES[pick(OUTCOMES.len())];
    let text = HOSTILE[pick(HOSTILE.len())];
    let records: Vec<_> = (0..pick(5))
        .map(|n| {
            let patient = pick(3);
            let patient = if patient == 0 { "null".to_owned() } else { format!("\"pat-{patient}\"") };
            (format!("[\"RX-{n}\",{patient}]"), patient)
        })
        .collect();
    let patients = records.iter().map(|(_, patient)| patient).collect::<BTreeSet<_>>().len().max(1);
    let records: Vec<_> = records.iter().map(|(record, _)| record.as_str()).collect();
    let sort = pick(4);
    let (who, codes): (_, (_, &'static [_], _)) = match sort {
        0 => (r#""pou":"TREAT","req":"01J9Z0Q7C1""#.to_owned(), ("110110", &[], "R")),
        1 => (format!(r#""pou":"ETREAT","btg":"{text}""#), ("110110", &["110127"], "R")),
        2 => (
            format!(r#""pou":"PUBHLTH","to":{{"name":"{text}","address":"1 Main St","basis":"{text}"}}"#),
            ("110106", &["disclose"], "R"),
        ),
        _ => (format!(r#""pou":"{text}","find":{{"idx":["name"],"cand":9,"not":1}}"#), ("110110", &[], "R")),
    };
    let members = format!(
        r#""e":"open","ks":"pharmacy-17","who":"user:kim.rph",{who},"rt":"prescription","rec":[{}],"cls":{{"identity":1,"medication":2}},"key":["q3Zk81Ab"]{out}"#,
        records.join(",")
    );
    Case { members, codes: (codes.0, codes.1, codes.2, outcome), patients }
}

/// An event of another kind.
fn other(pick: &mut impl FnMut(usize) -> usize) -> Case {
    type Row = (&'static str, (&'static str, &'static [&'static str], &'static str, &'static str));
    const KINDS: [Row; 24] = [
        (
            r#""e":"index","ks":"ph","who":"svc:x","pou":"HSYSADMIN","rt":"rx","rec":[["RX-1","pat-1"]],"out":"ok""#,
            ("110110", &[], "E", "0"),
        ),
        (
            r#""e":"unlock","ks":"ph","gen":2,"key":["q3Zk81Ab"],"prov":"aws-kms","root":"TEXT","req":"r1""#,
            ("110113", &["110132"], "E", "0"),
        ),
        (
            r#""e":"unlock_failed","ks":"ph","prov":"vault","code":"provider-refused""#,
            ("110113", &["110132"], "E", "8"),
        ),
        (r#""e":"lock","ks":"ph","gen":2"#, ("110113", &["110132"], "E", "0")),
        (
            r#""e":"seal_admin","ks":"ph","what":"promoted","gen":3,"key":["q3Zk81Ab"]"#,
            ("110113", &["110129"], "U", "0"),
        ),
        (r#""e":"seal_admin","ks":"ph","what":"resealed","recs":2,"fields":5"#, ("110113", &["110129"], "U", "0")),
        (
            r#""e":"seal_admin","ks":"ph","what":"shredded","sub":"pat-7","gone":1795000000"#,
            ("110113", &["110129"], "U", "0"),
        ),
        (
            r#""e":"act","act":"00ff","who":"user:lee","what":"keyring-rotate","why":"TEXT","ks":"ph","out":"begun""#,
            ("110113", &["110129"], "U", "0"),
        ),
        (
            r#""e":"act","act":"00ff","who":"user:lee","what":"subject-shred","why":"asked for it","sub":"pat-7","out":"ok""#,
            ("110113", &["110129"], "U", "0"),
        ),
        (
            r#""e":"act","act":"00ff","who":"user:lee","what":"keyring-rotate","why":"yearly rotation","out":"failed","code":"store-conflict""#,
            ("110113", &["110129"], "U", "8"),
        ),
        (
            r#""e":"act","act":"00ff","who":"user:lee","what":"keyring-rotate","why":"yearly rotation","out":"failed","code":"unreported""#,
            ("110113", &["110129"], "U", "4"),
        ),
        (
            r#""e":"act","act":"00ff","who":"user:lee","what":"budget-freeze","why":"a stolen login","whom":"svc:x","out":"ok""#,
            ("110113", &["110129"], "U", "0"),
        ),
        (r#""e":"budget","what":"alarm","who":"user:kim.rph""#, ("110113", &["110132"], "E", "0")),
        (r#""e":"budget","what":"deny","who":"user:kim.rph""#, ("110113", &["110132"], "E", "8")),
        (r#""e":"budget","what":"freeze","who":"user:kim.rph""#, ("110113", &["110137"], "U", "0")),
        (r#""e":"budget","what":"unfreeze","who":"user:kim.rph""#, ("110113", &["110137"], "U", "0")),
        (
            r#""e":"review","who":"user:lee","why":"TEXT","lines":{"chain":"00000000000000ff","n":3,"last":4}"#,
            ("110101", &[], "R", "0"),
        ),
        (r#""e":"gap","lost":2,"from":3,"to":4,"why":"full""#, ("110113", &["110133"], "E", "8")),
        (r#""e":"clock","by":-7000"#, ("110113", &[], "E", "0")),
        (r#""e":"stop","why":"a day has passed""#, ("110100", &["110121"], "E", "0")),
        (
            r#""e":"scan","who":"user:lee","what":"all","map":"3f0c","num":{"found":2},"out":"found","sha256":"9b1d""#,
            ("110100", &[], "E", "0"),
        ),
        (r#""e":"drill","ks":"ph","who":"user:lee","what":"restore","out":"passed""#, ("110100", &[], "E", "0")),
        // Of a later version.
        (
            r#""e":"TEXT","who":"TEXT","what":{"a":[1,null,"x"]},"to":[1],"rec":"x","cls":7,"key":[3]"#,
            ("110100", &[], "E", "0"),
        ),
        (r#""e":"evidence","digest":"abc","out":"refused""#, ("110100", &[], "E", "8")),
    ];
    let (members, codes) = KINDS[pick(KINDS.len())];
    Case { members: members.replace("TEXT", HOSTILE[pick(HOSTILE.len())]), codes, patients: 1 }
}

#[test]
fn a_thousand_events_of_all_kinds_are_resources_of_r4() {
    let shop = Shop::new("fhir-kinds", "file:HERE/rings");
    // A small generator, so that a failure can be repeated.
    let mut state = 0x5EED_u64;
    let mut pick = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let start = Case { members: START.to_owned(), codes: ("110100", &["110120"], "E", "0"), patients: 1 };
    let mut cases = vec![start];
    cases.extend((1..1000).map(|n| if n % 2 == 0 { opening(&mut pick) } else { other(&mut pick) }));
    let t = now();
    let lines: Vec<_> = cases.iter().zip(0..).map(|(case, n)| (t + n, case.members.clone())).collect();
    write_chain(&shop.path("log"), 1, &lines);
    let resources = exported(&shop, "log");

    let mut of_line = BTreeMap::<usize, Vec<&Value>>::new();
    for resource in &resources {
        let id = resource["id"].as_str().unwrap().strip_prefix("0000000000000001-").unwrap();
        of_line.entry(id.split('.').next().unwrap().parse().unwrap()).or_default().push(resource);
    }
    assert_eq!(of_line.len(), 1000);
    for (n, case) in cases.iter().enumerate() {
        let (of, subtypes, action, outcome) = case.codes;
        assert_eq!(of_line[&n].len(), case.patients, "{}", case.members);
        for resource in &of_line[&n] {
            let subtypes: Vec<_> = subtypes.iter().map(|code| (*code).to_owned()).collect();
            assert_eq!(
                codes(resource),
                (of.to_owned(), subtypes, action.to_owned(), outcome.to_owned()),
                "{}",
                case.members
            );
            assert_eq!(resource["source"]["observer"]["display"], "fulfil-api on ph17-a");
        }
    }
    println!("{} resources of 1000 events", resources.len());
}

/// One resource for each patient: whoever searches for one of them sees no record of another.
#[test]
fn a_page_is_a_resource_for_each_patient() {
    let shop = Shop::new("fhir-page", "file:HERE/rings");
    let page = r#""e":"open","ks":"ph","who":"user:kim.rph","pou":"TREAT","req":"r-1","rt":"rx","rec":[["RX-1","P-1"],["RX-2","P-2"],["RX-3","P-1"],["RX-4",null]],"cls":{"medication":4},"key":["q3Zk81Ab"],"out":"ok""#;
    write_chain(&shop.path("log"), 1, &[(1_764_000_000_412, START.to_owned()), (1_764_000_000_413, page.to_owned())]);
    let resources = exported(&shop, "log");
    let entities = |resource: &Value, role: &str| -> Vec<String> {
        let entities = resource["entity"].as_array().unwrap().iter().filter(|entity| entity["role"]["code"] == role);
        entities.map(|entity| entity["what"]["identifier"]["value"].as_str().unwrap().to_owned()).collect()
    };
    let found: Vec<_> =
        resources[1..].iter().map(|resource| (entities(resource, "1"), entities(resource, "4"))).collect();
    let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let expected =
        [(list(&[]), list(&["RX-4"])), (list(&["P-1"]), list(&["RX-1", "RX-3"])), (list(&["P-2"]), list(&["RX-2"]))];
    assert_eq!(found, expected);
    assert_eq!(
        (&resources[0]["id"], &resources[3]["id"]),
        (&"0000000000000001-0".into(), &"0000000000000001-1.2".into())
    );
    assert_eq!(resources[1]["recorded"], "2025-11-24T16:00:00.413Z");
    let (agents, source) = (&resources[1]["agent"], &resources[1]["source"]);
    assert_eq!(
        (&agents[0]["who"]["identifier"]["value"], &agents[0]["requestor"]),
        (&"user:kim.rph".into(), &true.into())
    );
    assert_eq!((&agents[1]["who"], &agents[1]["requestor"]), (&source["observer"], &false.into()));
    assert_eq!(resources[1]["purposeOfEvent"][0]["coding"][0]["code"], "TREAT");
    let request =
        resources[1]["entity"].as_array().unwrap().iter().find(|entity| entity["type"]["code"] == "XrequestId");
    assert_eq!(request.unwrap()["what"]["identifier"]["value"], "r-1");
}

/// What IHE asks of the one that discloses: BALP, the profile PrivacyDisclosure.Source.
#[test]
fn a_disclosure_has_a_source_a_recipient_and_a_patient() {
    let shop = Shop::new("fhir-disclosure", "file:HERE/rings");
    shop.ok("audit keygen --name ph17-a.example --out audit.key");
    fs::create_dir(shop.path("log")).unwrap();
    let key = fs::read_to_string(shop.path("audit.key")).unwrap().parse().unwrap();
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key).unwrap()).service("reports").start().unwrap();
    let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(watch.observer());
    let (subject, _) = keys.create_subject_key("P-1").unwrap();
    let record = keys.record("prescription", "RX-1").unwrap().subject(&subject).unwrap();
    let (drug, name) =
        (record.seal::<Drug>("Canary-metformin").unwrap(), record.seal::<PatientName>("Canary-Doe").unwrap());
    let pmp = Recipient::named("State PMP").unwrap().address("1 Main St, Springfield").unwrap();
    let pmp = pmp.basis("state law, 164.512(a)").unwrap();
    let report = Access::new("svc:reports", Purpose::PUBHLTH).unwrap().disclosed_to(pmp);
    let kim = Access::new("user:kim.rph", Purpose::ETREAT).unwrap();
    let glass = kim.clone().break_glass("P-1", "patient unconscious").unwrap();
    for access in [&report, &kim, &glass] {
        record.opened_by(access).open::<Drug, String>(&drug).unwrap();
        record.opened_by(access).open::<PatientName, String>(&name).unwrap();
    }
    watch.begin(Act::new("user:lee.ops", "keyring-rotate", "yearly rotation").unwrap()).unwrap().done().unwrap();
    drop((record, keys, watch));
    let resources = exported(&shop, "log");
    let text = resources.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("Canary"));

    let disclosures: Vec<_> = resources.iter().filter(|resource| codes(resource).0 == "110106").collect();
    assert_eq!(disclosures.len(), 2);
    for resource in disclosures {
        let agent = |code: &str| {
            let agents = resource["agent"].as_array().unwrap().iter();
            let mut found = agents.filter(|agent| agent["type"]["coding"][0]["code"] == code);
            (found.next().unwrap().clone(), found.count())
        };
        let ((source, more), (recipient, others)) = (agent("110153"), agent("110152"));
        assert_eq!((more, others), (0, 0));
        assert_eq!(source["who"], resource["source"]["observer"], "val-audit-source");
        assert_eq!(
            (&recipient["who"]["display"], &recipient["location"]["display"]),
            (&"State PMP".into(), &"1 Main St, Springfield".into())
        );
        assert!(source["network"].is_object() && recipient["network"].is_object());
        assert_eq!(resource["purposeOfEvent"][1]["text"], "state law, 164.512(a)");
        let patient = &resource["entity"][0];
        assert_eq!((&patient["type"]["code"], &patient["role"]["code"]), (&"1".into(), &"1".into()));
        assert_eq!(
            (&patient["what"]["type"], &patient["what"]["identifier"]["value"]),
            (&"Patient".into(), &"P-1".into())
        );
        assert_eq!(resource["outcome"], "0");
    }
    let glass = resources.iter().find(|resource| codes(resource).1 == ["110127"]).unwrap();
    assert_eq!(glass["purposeOfEvent"][0]["text"], "patient unconscious");
    let acts = resources.iter().filter(|resource| resource["purposeOfEvent"][0]["text"] == "yearly rotation").count();
    assert_eq!(acts, 2);
}

#[test]
fn a_time_that_fhir_cannot_write_is_an_error() {
    let shop = Shop::new("fhir-time", "file:HERE/rings");
    write_chain(&shop.path("log"), 1, &[(1_764_000_000_000, START.to_owned()), (u64::MAX, r#""e":"stop""#.to_owned())]);
    let text = shop.fails("audit export log --format fhir", 1);
    assert!(text.contains("line 1 of chain 0000000000000001"), "{text}");
}

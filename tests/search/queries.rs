//! What a query asks for, and what it refuses.

use rxseal::index::{Definition, Index, IndexSchema, IndexedRecord, Indexer, StoredIndex};
use rxseal::{Error, Keyring};
use rxseal_search::Find;

use crate::patients::{AnyName, BornOn, FirstNameIs, LastAndBorn, LastNameIs, MrnIs, Patient, PhoneIs};

fn keys() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

pub fn jane() -> Patient {
    Patient {
        id: 7,
        last_name: "Smith-Jones".into(),
        former_name: Some("O'Brien".into()),
        first_name: "Jane Ann".into(),
        birth_date: "1970-01-31".into(),
        phone: Some("(555) 212-8845".into()),
        mrn: "00-1234".into(),
    }
}

/// Whether the query asks for a value that the row has.
fn finds<I: Index>(query: &rxseal_search::IndexQuery<I>, stored: &I::Stored) -> bool {
    stored.values().iter().any(|value| query.values().contains(value))
}

#[test]
fn a_record_is_found_by_each_of_its_indexes() -> Result<(), Error> {
    let keys = keys();
    let indexer = keys.indexer()?;
    let jane = jane();
    let row = indexer.index(&keys.record("patient", jane.id)?, &jane)?;

    let born = indexer.find::<BornOn>("1970-01-31")?;
    assert!(finds(&born, &row.born_on) && born.matches(&jane));
    assert_eq!(born.placeholders(), "?");
    let last = indexer.find::<LastNameIs>("smith jones")?;
    assert!(finds(&last, &row.last_name_is) && last.matches(&jane));
    let first = indexer.find::<FirstNameIs>("JANE")?;
    assert!(finds(&first, &row.first_name_is) && first.matches(&jane));
    for name in ["Smith", "jones", "OBrien", "Smith-Jones"] {
        let any = indexer.find::<AnyName>(name)?;
        assert!(finds(&any, &row.any_name) && any.matches(&jane), "{name}");
    }
    let phone = indexer.find::<PhoneIs>("+1 555 212 8845")?;
    assert!(finds(&phone, &row.phone_is) && phone.matches(&jane));
    let both = indexer.find::<LastAndBorn>(("SmithJones", "1970-01-31"))?;
    assert!(finds(&both, &row.last_and_born) && both.matches(&jane));
    let mrn = indexer.find::<MrnIs>("001234")?;
    assert!(finds(&mrn, &row.mrn_is) && mrn.matches(&jane));
    Ok(())
}

#[test]
fn a_stranger_does_not_match() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    assert!(!indexer.find::<BornOn>("1970-01-30")?.matches(&jane()));
    assert!(!indexer.find::<AnyName>("Smithson")?.matches(&jane()));
    assert!(!indexer.find::<LastAndBorn>(("Smith", "1970-01-31"))?.matches(&jane()));
    // A record without a phone number is found by none.
    let none = Patient { phone: None, ..jane() };
    assert!(!indexer.find::<PhoneIs>("+1 555 212 8845")?.matches(&none));
    Ok(())
}

/// T66.
#[test]
fn a_query_of_nothing_is_refused() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    for nothing in ["", "  ", "--", "unknown"] {
        let refused = indexer.find::<LastNameIs>(nothing).unwrap_err();
        assert_eq!(refused.code().as_str(), "empty-query", "{nothing:?}");
    }
    assert_eq!(indexer.find::<LastAndBorn>(("", "1970-01-31")).unwrap_err().code().as_str(), "empty-query");
    assert_eq!(indexer.find_any::<BornOn>([""; 0]).unwrap_err().code().as_str(), "empty-query");
    assert_eq!(indexer.find::<BornOn>("01/31/1970").unwrap_err().code().as_str(), "not-indexable");
    Ok(())
}

/// T65.
#[test]
fn a_query_asks_for_each_former_definition() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    // Its phone number as it is written, too.
    assert_eq!(indexer.find::<PhoneIs>("(555) 212-8845")?.values().len(), 2);
    assert_eq!(indexer.find::<LastAndBorn>(("Smith", "1970-01-31"))?.values().len(), 3);
    assert_eq!(indexer.prefixes::<LastAndBorn>()?.len(), 3);
    assert_eq!(LastAndBorn::FORMER[1].normalizers(), ["exact/1", "date/1"]);
    Ok(())
}

/// The list by which an index root is destroyed leaves out no index, nor a former definition.
#[test]
fn a_list_of_all_indexes_has_each_definition() -> Result<(), Error> {
    let schema = IndexSchema::default().with::<Patient>();
    let ids: Vec<_> = Patient::INDEXES.iter().map(Definition::id).collect();
    assert_eq!(schema.ids().collect::<Vec<_>>(), ids);
    let former: usize = <Patient as IndexedRecord>::FORMER.iter().map(|former| former.len()).sum();
    let prefixes = keys().indexer()?.prefixes_of(&schema)?;
    assert!(former >= 3 && prefixes.len() == ids.len() + former, "one index root: {former} former ones");
    assert_eq!(prefixes.iter().filter(|prefix| prefix.is_current()).count(), ids.len());
    assert_eq!(schema.to_string().parse::<IndexSchema>()?, schema);
    Ok(())
}

#[test]
fn a_query_of_any_of_several() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    let swapped = indexer.find_any::<BornOn>(["1970-02-01", "1970-01-02"])?;
    assert!(swapped.matches(&Patient { birth_date: "1970-02-01".into(), ..jane() }));
    assert!(swapped.matches(&Patient { birth_date: "1970-01-02".into(), ..jane() }));
    let years: Vec<_> = (1950..1983).map(|year| format!("{year}-01-31")).collect();
    assert_eq!(indexer.find_any::<BornOn>(&years).unwrap_err().code().as_str(), "query-too-large");
    assert!(indexer.find_any::<BornOn>(&years[1..]).is_ok());
    Ok(())
}

#[test]
fn a_record_is_refused_or_null() -> Result<(), Error> {
    let keys = keys();
    let indexer: Indexer = keys.indexer()?;
    let record = keys.record("patient", 7)?;
    let wrong = Patient { birth_date: "01/31/1970".into(), ..jane() };
    assert_eq!(indexer.index(&record, &wrong).unwrap_err().code().as_str(), "not-indexable");
    let (row, not_indexed) = indexer.index_or_null(&record, &wrong)?;
    assert!(row.born_on.is_none() && row.last_and_born.is_none() && row.last_name_is.is_some());
    assert_eq!(
        not_indexed.iter().map(rxseal::index::NotIndexed::index).collect::<Vec<_>>(),
        ["patient.born", "patient.lastdob"]
    );
    assert!(!format!("{not_indexed:?}").contains("1970"));
    assert_eq!(Patient::INDEXES.len(), 7);
    Ok(())
}

#[test]
fn a_query_of_a_range_of_days() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    let month = indexer.find_days::<BornOn>("1972-02-01"..="1972-03-01")?;
    // Two days of 30 may share a value.
    assert!((27..=30).contains(&month.values().len()));
    assert!(month.matches(&Patient { birth_date: "1972-02-29".into(), ..jane() }));
    assert!(!month.matches(&jane()));
    let year = indexer.find_days::<BornOn>("1972-01-01"..="1972-12-31")?;
    assert!((340..=366).contains(&year.values().len()), "some share a value");
    let code = |days| indexer.find_days::<BornOn>(days).unwrap_err().code().as_str();
    assert_eq!(code("1972-01-01"..="1973-01-01"), "query-too-large");
    assert_eq!(code("1972-01-02"..="1972-01-01"), "empty-query");
    assert_eq!(code("1972-01"..="1972-02"), "empty-query");
    assert_eq!(code("01/01/1972"..="01/02/1972"), "not-indexable");
    assert!(indexer.find_days::<BornOn>("9999-12-30"..="9999-12-31").is_ok());
    // A placeholder has no value, and is no reason to refuse the days beside it.
    let placeholder = Patient { birth_date: "1900-01-01".into(), ..jane() };
    let around = indexer.find_days::<BornOn>("1899-12-31"..="1900-01-02")?;
    assert!(around.values().len() <= 2 && !around.matches(&placeholder));
    Ok(())
}

#[test]
fn a_query_in_other_spellings() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    let named = |name: &str| Patient { last_name: name.into(), ..jane() };
    for typed in ["Müller", "Mueller"] {
        let query = indexer.find_spellings::<LastNameIs>(typed)?;
        for stored in ["Müller", "Mueller"] {
            assert!(query.matches(&named(stored)), "{typed} {stored}");
        }
    }
    assert!(indexer.find_spellings::<LastNameIs>("Groß")?.matches(&named("Gross")));
    assert_eq!(indexer.find_spellings::<LastNameIs>("").unwrap_err().code().as_str(), "empty-query");
    Ok(())
}

#[test]
fn a_query_says_nothing_of_what_it_asks_for() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    let query = indexer.find::<LastAndBorn>(("Canary", "1970-01-31"))?;
    assert_eq!(format!("{query:?}"), "IndexQuery { index: \"patient.lastdob\", values: 3, .. }");
    let like = rxseal_search::Like::<rxseal_search::normal::Family>::new("Canary")?;
    assert_eq!(format!("{like:?}"), "Like { .. }");
    Ok(())
}

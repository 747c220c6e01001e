//! Indexes whose normaliser was another one before, and inputs that only one of them takes.

use rxseal::index::StoredIndex as _;
use rxseal::phi::{FamilyName, Npi};
use rxseal::{Error, Keyring};
use rxseal_search::normal::{Family, NoPlaceholders};
use rxseal_search::{Find as _, indexes};

struct Prescriber {
    number: String,
    name: String,
}

indexes! {
    for Prescriber as "prescriber" {
        NumberIs = "prescriber.number": id(number: Npi), bits 32, formerly [npi];
        NpiIs = "prescriber.npi": npi(number: Npi), bits 32, lenient, formerly [exact];
        NameIs = "prescriber.name": Family<NoPlaceholders>(name: FamilyName), bits 32, formerly [bits 24, family];
        NameSounds = "prescriber.sounds": sounds(name: FamilyName), bits 32;
    }
}

const RIGHT: &str = "1234567893";
const WRONG: &str = "1234567890";

fn keys() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

fn of(number: &str, name: &str) -> Prescriber {
    Prescriber { number: number.into(), name: name.into() }
}

/// T65: what a former definition refuses takes no other input of the query along.
#[test]
fn an_input_that_a_former_definition_refuses_hides_no_other() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    let both = indexer.find_any::<NumberIs>([WRONG, RIGHT])?;
    for alone in [WRONG, RIGHT] {
        for value in indexer.find::<NumberIs>(alone)?.values() {
            assert!(both.values().contains(value), "{alone}");
        }
    }
    assert_eq!(both.values().len(), 3, "two of the present definition, and one of the former");
    Ok(())
}

/// Nor is an input left out of which the index has nothing.
#[test]
fn an_input_without_a_sound_is_not_left_out() -> Result<(), Error> {
    let indexer = keys().indexer()?;
    assert!(indexer.find_any::<NameSounds>(["Smith", "Meyer"]).is_ok());
    for inputs in [["Smith", "\u{738b}"], ["\u{738b}", "Smith"]] {
        assert_eq!(indexer.find_any::<NameSounds>(inputs).unwrap_err().code().as_str(), "empty-query");
    }
    Ok(())
}

/// The two types have one id, so the definition alone does not tell them apart.
#[test]
fn a_record_and_a_query_have_the_same_normaliser() -> Result<(), Error> {
    let keys = keys();
    let (indexer, record) = (keys.indexer()?, keys.record("prescriber", 7)?);
    for name in ["Unknown", "Smith"] {
        let plain = of(RIGHT, name);
        let row = indexer.index(&record, &plain)?;
        let query = indexer.find::<NameIs>(name)?;
        assert!(row.name_is.values().iter().any(|value| query.values().contains(value)), "{name}");
        assert!(query.matches(&plain), "{name}");
    }
    Ok(())
}

/// A former normaliser without a check digit is not made lenient.
#[test]
fn a_lenient_index_may_have_been_an_exact_one() -> Result<(), Error> {
    let keys = keys();
    let indexer = keys.indexer()?;
    let row = indexer.index(&keys.record("prescriber", 7)?, &of(WRONG, "Smith"))?;
    let query = indexer.find::<NpiIs>(WRONG)?;
    assert!(query.values().contains(&row.npi_is.unwrap()) && query.values().len() == 2);
    Ok(())
}

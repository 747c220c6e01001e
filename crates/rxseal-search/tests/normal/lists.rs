//! Fields that hold their value in something, and lists.

use rxseal::{Phi, phi};
use rxseal_search::normal::{Family, NormalForm, Normalizes, NormalizesParts, Phone};
use zeroize::Zeroizing;

#[test]
fn a_value_in_something_has_the_form_of_the_value() {
    let name = || "O'Brien".to_owned();
    check(&name());
    check(&name().as_str());
    check(&Some(name()));
    check(&Box::new(name()));
    check(&name().into_boxed_str());
    check(&Zeroizing::new(name()));
    check(&Phi::<_, phi::PatientName>::from(name()));
    check(&Phi::<_, phi::PatientName>::from(Some(name())));
}

#[test]
fn none_has_no_form_and_no_part() {
    let mut form = NormalForm::new();
    <Family>::write("left over", &mut form).unwrap();
    <Family>::write(&None::<String>, &mut form).unwrap();
    assert!(form.is_empty());
    assert_eq!(all_parts::<Family, _>(&None::<String>), Vec::<String>::new());
}

#[test]
fn a_list_has_the_parts_of_its_elements() {
    let names = vec![Some("Smith-Jones".to_owned()), None, Some("unknown".to_owned()), Some("Peña".to_owned())];
    assert_eq!(all_parts::<Family, _>(&names), ["smithjones", "smith", "jones", "pena"]);
    let phones = vec!["(555) 212-8845", "+44 20 7946 0958", "999-999-9999"];
    assert_eq!(all_parts::<Phone, _>(&phones), ["+15552128845", "+442079460958"]);
}

fn check<T>(value: &T)
where
    Family: Normalizes<T> + NormalizesParts<T>,
{
    let mut form = NormalForm::new();
    <Family>::write(value, &mut form).unwrap();
    assert_eq!(form.as_bytes(), b"obrien");
    assert_eq!(all_parts::<Family, _>(value), ["obrien"]);
}

fn all_parts<N: NormalizesParts<T>, T>(value: &T) -> Vec<String> {
    let mut parts = Vec::new();
    N::write_parts(value, &mut |part| {
        parts.push(String::from_utf8(part.to_vec()).unwrap());
        Ok(())
    })
    .unwrap();
    parts
}

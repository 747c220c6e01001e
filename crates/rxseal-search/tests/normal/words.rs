//! Names, dates and phones: the first of each.

use rxseal_search::normal::{Date, Family, Given, Phone};

use crate::support::{form, parts};

#[test]
fn spellings_of_one_name_have_one_form() {
    for name in ["De La Cruz", "DeLaCruz", "de-la-Cruz", "DE LA CRUZ JR", "de la Cruz, M.D."] {
        assert_eq!(form::<Family>(name), "delacruz");
    }
    for name in ["O'Brien", "O’Brien", "OʼBrien", "O`Brien", "OBrien", "o brien", "O´Brien"] {
        assert_eq!(form::<Family>(name), "obrien");
        assert_eq!(parts::<Family>(name), "obrien");
    }
    assert_eq!(form::<Family>("Straße"), "strasse");
    assert_eq!(form::<Family>("STRASSE"), "strasse");
    assert_eq!(form::<Family>("İnan"), "inan");
    assert_eq!(form::<Family>("Iñán"), "inan");
    assert_eq!(form::<Family>("ΠΑΠΑΔΟΠΟΥΛΟΣ"), form::<Family>("Παπαδόπουλος"));
    assert_eq!(form::<Family>("김"), "김");
    assert_eq!(form::<Family>("Jr."), "jr");
    assert_eq!(form::<Family>("\u{0378}"), "!not-indexable");
    assert_eq!(parts::<Family>("Smith-Jones"), "smithjones smith jones");
    assert_eq!(parts::<Family>("Ludwig van Beethoven"), "ludwigvanbeethoven ludwig vanbeethoven");
    assert_eq!(parts::<Family>("Nguyen Van"), "nguyenvan nguyen van");
    assert_eq!(form::<Given>("José Eduardo"), "jose");
    assert_eq!(parts::<Given>("José Eduardo"), "jose eduardo");
    assert_eq!(form::<Given>("Baby Girl"), "");
    assert_eq!(form::<Given>("日本 太郎"), "日本");
}

#[test]
fn dates_and_phones() {
    assert_eq!(form::<Date>("2000-02-29"), "2000-02-29");
    assert_eq!(form::<Date>("1900-02-29"), "!not-indexable");
    assert_eq!(form::<Date>("1970"), "");
    assert_eq!(form::<Date>("1970-01-31T00:00:00Z"), "!not-indexable");
    assert_eq!(form::<Phone>("+44 20 7946 0958"), "+442079460958");
    assert_eq!(form::<Phone>("+44 (0)20 7946 0958"), "!not-indexable");
    assert_eq!(form::<Phone>("555-555-5555"), "");
    assert_eq!(form::<Phone>("555-123-4567"), "!not-indexable");
    assert_eq!(form::<Phone>("555-223-4567 EXT 5"), "+15552234567");
    assert_eq!(form::<Phone>("1-800-FLOWERS"), "!not-indexable");
}

//! Of which fields an index may be made: `Field::SEARCH` says it.

use super::Kind;
use crate::field::Search;

/// Fails the build if an index of this kind is not made of fields like these.
///
/// # Panics
///
/// If it is called when the program runs, and an index is not.
pub const fn check_searchable(kind: Kind, mut fields: &[Search]) {
    let (mut all_whole, mut one_whole) = (true, false);
    while let [field, rest @ ..] = fields {
        assert!(
            !matches!(field, Search::Never),
            "no index is made of a field that is declared `search: never`, such as a note or an image; open the candidates of another \
             index, and filter by it"
        );
        let whole = matches!(field, Search::Whole);
        (all_whole, one_whole) = (all_whole && whole, one_whole || whole);
        fields = rest;
    }
    if matches!(kind, Kind::Compound) {
        assert!(
            one_whole,
            "one field of a compound index must be declared `search: whole`: whoever steals the table finds the values of the others by \
             counting"
        );
    } else {
        assert!(
            all_whole,
            "whoever steals the table finds the values of this field by counting, unless it is declared `search: whole`; put it into a \
             compound index, or open the candidates of another index and filter by it"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;
    use crate::phi::{BirthDate, Drug, FamilyName, Note};

    fn compiles(kind: Kind, fields: &[Search]) -> bool {
        let fields = fields.to_vec();
        std::panic::catch_unwind(move || check_searchable(kind, &fields)).is_ok()
    }

    #[test]
    fn fields_of_an_index() {
        let [born, name, drug, note] = [BirthDate::SEARCH, FamilyName::SEARCH, Drug::SEARCH, Note::SEARCH];
        for kind in [Kind::Whole, Kind::Parts, Kind::Sounds] {
            assert!(compiles(kind, &[born]) && compiles(kind, &[name, name]), "{kind:?}");
            assert!(!compiles(kind, &[drug]) && !compiles(kind, &[name, drug]) && !compiles(kind, &[note]), "{kind:?}");
        }
        assert!(compiles(Kind::Compound, &[drug, born]) && compiles(Kind::Compound, &[name, born]));
        assert!(!compiles(Kind::Compound, &[drug, drug]) && !compiles(Kind::Compound, &[born, note]));
    }
}

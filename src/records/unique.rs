//! Whether the fields of one context have ids of their own, at compile time.

use crate::field::Declaration;
use crate::field::private::{all_distinct, is_same_text, shares_an_id};

/// The ids of a struct's sealed fields, and those of the structs that share its context.
#[derive(Clone, Copy, Debug)]
pub struct FieldIds {
    /// Of its own fields.
    pub own: &'static [Declaration],
    /// The names of its parts, and of the maps that are sealed entry by entry.
    pub parts: &'static [&'static str],
    /// The ids that its readable values are bound under.
    pub bound: &'static [&'static str],
    /// Of its nested structs.
    pub nested: &'static [&'static Self],
    /// Of the variants of an enum. A record has one of them at a time, so they may share ids.
    pub variants: &'static [&'static Self],
}

impl FieldIds {
    /// Of a struct without fields.
    pub const NONE: Self = Self { own: &[], parts: &[], bound: &[], nested: &[], variants: &[] };
}

/// Which ids are compared.
#[derive(Clone, Copy)]
enum Of {
    Fields,
    Parts,
    Bound,
}

/// Checks that no two fields of a context have one id, current or former (FORMAT 4.5), one part name, or one id that they are bound
/// under.
///
/// # Panics
///
/// If two have, which fails the build: it is called in constants only.
pub const fn assert_unique(fields: &FieldIds) {
    assert!(
        is_unique(fields, Of::Fields),
        "one field id is used by two fields of this record: their tokens could be swapped; give each its own marker"
    );
    assert!(
        is_unique(fields, Of::Parts),
        "one part name is used by two fields of this record: a part could be moved from one to the other; give each its own name"
    );
    assert!(
        is_unique(fields, Of::Bound),
        "one id is bound by two fields of this record: their values could be swapped; give each its own id"
    );
}

const fn is_unique(fields: &FieldIds, of: Of) -> bool {
    if !is_unique_within(fields, of) {
        return false;
    }
    let (mut nested, mut variants) = (fields.nested, fields.variants);
    while let [one, rest @ ..] = nested {
        let apart = apart_from_all(one, rest, of) && apart_from_all(one, fields.variants, of);
        if !is_unique(one, of) || !apart_from_own(one, fields, of) || !apart {
            return false;
        }
        nested = rest;
    }
    while let [one, rest @ ..] = variants {
        if !is_unique(one, of) || !apart_from_own(one, fields, of) {
            return false;
        }
        variants = rest;
    }
    true
}

const fn is_unique_within(fields: &FieldIds, of: Of) -> bool {
    let mut left = match of {
        Of::Fields => return all_distinct(fields.own),
        Of::Parts => fields.parts,
        Of::Bound => fields.bound,
    };
    while let [text, rest @ ..] = left {
        if has_text(rest, text) {
            return false;
        }
        left = rest;
    }
    true
}

const fn has_text(mut texts: &[&str], text: &str) -> bool {
    while let [other, rest @ ..] = texts {
        if is_same_text(text, other) {
            return true;
        }
        texts = rest;
    }
    false
}

const fn apart_from_all(one: &FieldIds, mut others: &[&FieldIds], of: Of) -> bool {
    while let [other, rest @ ..] = others {
        if !apart(one, other, of) {
            return false;
        }
        others = rest;
    }
    true
}

/// Whether two structs of one context share no id at any depth.
const fn apart(one: &FieldIds, other: &FieldIds, of: Of) -> bool {
    apart_from_own(other, one, of) && all_apart_from(one.nested, other, of) && all_apart_from(one.variants, other, of)
}

const fn all_apart_from(mut parts: &[&FieldIds], other: &FieldIds, of: Of) -> bool {
    while let [part, rest @ ..] = parts {
        if !apart(part, other, of) {
            return false;
        }
        parts = rest;
    }
    true
}

/// Whether a struct, at any depth, has none of the ids that the own fields of another have.
const fn apart_from_own(fields: &FieldIds, other: &FieldIds, of: Of) -> bool {
    if share_an_id(fields, other, of) {
        return false;
    }
    let (mut nested, mut variants) = (fields.nested, fields.variants);
    while let [one, rest @ ..] = nested {
        if !apart_from_own(one, other, of) {
            return false;
        }
        nested = rest;
    }
    while let [one, rest @ ..] = variants {
        if !apart_from_own(one, other, of) {
            return false;
        }
        variants = rest;
    }
    true
}

/// Whether two structs share an id of their own fields.
const fn share_an_id(one: &FieldIds, other: &FieldIds, of: Of) -> bool {
    let (mut texts, others) = match of {
        Of::Fields => return share_a_field(one.own, other.own),
        Of::Parts => (one.parts, other.parts),
        Of::Bound => (one.bound, other.bound),
    };
    while let [text, rest @ ..] = texts {
        if has_text(others, text) {
            return true;
        }
        texts = rest;
    }
    false
}

const fn share_a_field(mut own: &[Declaration], theirs: &[Declaration]) -> bool {
    while let [field, rest @ ..] = own {
        let mut left = theirs;
        while let [other, others @ ..] = left {
            if shares_an_id(field, other) {
                return true;
            }
            left = others;
        }
        own = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::private::declaration;
    use crate::phi::{Directions, Drug, Note};

    crate::fields! {
        Renamed = "records.renamed" in Clinical, was "records.old" in Clinical;
    }
    // Another invocation, which knows nothing of the first.
    crate::fields! {
        Old = "records.old" in Medication;
    }

    const DRUG_FIELD: Declaration = declaration::<Drug>();
    const NOTE_FIELD: Declaration = declaration::<Note>();
    const DIRECTIONS_FIELD: Declaration = declaration::<Directions>();
    const RENAMED_FIELD: Declaration = declaration::<Renamed>();
    const OLD_FIELD: Declaration = declaration::<Old>();

    const fn own(own: &'static [Declaration]) -> FieldIds {
        FieldIds { own, ..FieldIds::NONE }
    }

    const DRUG: &FieldIds = &own(&[DRUG_FIELD]);
    const NOTE: &FieldIds = &own(&[NOTE_FIELD]);
    const IN_NOTHING: &FieldIds = &FieldIds { nested: &[DRUG], ..FieldIds::NONE };
    const EITHER: &FieldIds = &FieldIds { variants: &[DRUG, DRUG], ..FieldIds::NONE };

    #[test]
    fn an_id_belongs_to_one_field_of_a_context() {
        assert!(is_unique_by_field(&own(&[DRUG_FIELD, NOTE_FIELD])));
        assert!(!is_unique_by_field(&own(&[DRUG_FIELD, NOTE_FIELD, DRUG_FIELD])));
        assert!(!is_unique_by_field(&own(&[RENAMED_FIELD, OLD_FIELD])), "a former id");
        let around = |fields: &'static [Declaration], nested: &'static [&'static FieldIds]| FieldIds {
            own: fields,
            nested,
            ..FieldIds::NONE
        };
        let cases: [(&'static [&'static FieldIds], bool); 4] =
            [(&[NOTE], true), (&[DRUG], false), (&[IN_NOTHING], false), (&[EITHER], false)];
        for (nested, unique) in cases {
            assert_eq!(is_unique_by_field(&around(&[DRUG_FIELD], nested)), unique);
            assert!(is_unique_by_field(&around(&[], nested)));
        }
        assert!(!is_unique_by_field(&around(&[], &[IN_NOTHING, NOTE, DRUG])), "of two nested structs");
        assert!(!is_unique_by_field(&around(&[], &[EITHER, DRUG])), "of a variant and a nested struct");
        let enumeration = |fields: &'static [Declaration], variants: &'static [&'static FieldIds]| FieldIds {
            own: fields,
            variants,
            ..FieldIds::NONE
        };
        assert!(is_unique_by_field(&enumeration(&[DIRECTIONS_FIELD], &[DRUG, IN_NOTHING])), "of two variants");
        assert!(!is_unique_by_field(&enumeration(&[DRUG_FIELD], &[NOTE, DRUG])), "of a variant and all of them");
    }

    const fn is_unique_by_field(fields: &FieldIds) -> bool {
        is_unique(fields, Of::Fields)
    }

    #[test]
    fn a_name_of_parts_and_an_id_that_is_bound_belong_to_one_field_of_a_context() {
        type Make = fn(&'static [&'static str]) -> FieldIds;
        let parts: Make = |parts| FieldIds { parts, ..FieldIds::NONE };
        let bound: Make = |bound| FieldIds { bound, ..FieldIds::NONE };
        const PART: &FieldIds = &FieldIds { parts: &["line"], ..FieldIds::NONE };
        const BOUND: &FieldIds = &FieldIds { bound: &["line"], ..FieldIds::NONE };
        const IN_PART: &FieldIds = &FieldIds { nested: &[PART], ..FieldIds::NONE };
        const IN_BOUND: &FieldIds = &FieldIds { nested: &[BOUND], ..FieldIds::NONE };
        const OTHER: &FieldIds = &FieldIds { parts: &["lines"], bound: &["lines"], ..FieldIds::NONE };
        let cases: [(Of, Make, [&'static [&'static FieldIds]; 5]); 2] = [
            (Of::Parts, parts, [&[PART], &[IN_PART], &[OTHER], &[PART, IN_PART], &[PART, OTHER]]),
            (Of::Bound, bound, [&[BOUND], &[IN_BOUND], &[OTHER], &[BOUND, IN_BOUND], &[BOUND, OTHER]]),
        ];
        for (of, make, [one, deep, other, twice, two]) in cases {
            assert!(is_unique(&make(&["line", "lines"]), of));
            assert!(!is_unique(&make(&["line", "lines", "line"]), of));
            let around = |nested| FieldIds { nested, ..make(&["line"]) };
            assert!(!is_unique(&around(one), of) && !is_unique(&around(deep), of));
            assert!(is_unique(&around(other), of));
            let in_nothing = |nested| FieldIds { nested, ..FieldIds::NONE };
            assert!(!is_unique(&in_nothing(twice), of) && is_unique(&in_nothing(two), of));
            assert!(is_unique(&FieldIds { variants: two, ..FieldIds::NONE }, of));
            assert!(is_unique(&FieldIds { variants: twice, ..FieldIds::NONE }, of), "of two variants");
        }
    }
}

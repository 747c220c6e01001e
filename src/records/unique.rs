//! Whether the fields of one context have ids of their own, at compile time.

use crate::field::private::{Declared, all_distinct, shares_an_id};

/// The ids of a struct's sealed fields, and those of the structs that share its context.
#[derive(Clone, Copy, Debug)]
pub struct FieldIds {
    /// Of its own fields.
    pub own: &'static [Declared],
    /// Of its nested structs.
    pub nested: &'static [&'static Self],
    /// Of the variants of an enum. A record has one of them at a time, so they may share ids.
    pub variants: &'static [&'static Self],
}

/// Checks that no two fields of a context have one id, current or former (FORMAT 4.5).
///
/// # Panics
///
/// If two have, which fails the build: it is called in constants only.
pub const fn assert_unique(fields: &FieldIds) {
    assert!(
        is_unique(fields),
        "one field id is used by two fields of this record: their tokens could be swapped; give each its own marker"
    );
}

const fn is_unique(fields: &FieldIds) -> bool {
    if !all_distinct(fields.own) {
        return false;
    }
    let (mut nested, mut variants) = (fields.nested, fields.variants);
    while let [one, rest @ ..] = nested {
        let apart = apart_from_all(one, rest) && apart_from_all(one, fields.variants);
        if !is_unique(one) || !apart_from_own(one, fields.own) || !apart {
            return false;
        }
        nested = rest;
    }
    while let [one, rest @ ..] = variants {
        if !is_unique(one) || !apart_from_own(one, fields.own) {
            return false;
        }
        variants = rest;
    }
    true
}

const fn apart_from_all(one: &FieldIds, mut others: &[&FieldIds]) -> bool {
    while let [other, rest @ ..] = others {
        if !apart(one, other) {
            return false;
        }
        others = rest;
    }
    true
}

/// Whether no field of one is a field of the other.
const fn apart(one: &FieldIds, other: &FieldIds) -> bool {
    apart_from_own(other, one.own) && all_apart_from(one.nested, other) && all_apart_from(one.variants, other)
}

const fn all_apart_from(mut parts: &[&FieldIds], other: &FieldIds) -> bool {
    while let [part, rest @ ..] = parts {
        if !apart(part, other) {
            return false;
        }
        parts = rest;
    }
    true
}

/// Whether no field of `fields`, at any depth, is one of `own`.
const fn apart_from_own(fields: &FieldIds, own: &[Declared]) -> bool {
    let mut left = own;
    while let [field, rest @ ..] = left {
        let mut theirs = fields.own;
        while let [other, others @ ..] = theirs {
            if shares_an_id(*field, *other) {
                return false;
            }
            theirs = others;
        }
        left = rest;
    }
    let (mut nested, mut variants) = (fields.nested, fields.variants);
    while let [one, rest @ ..] = nested {
        if !apart_from_own(one, own) {
            return false;
        }
        nested = rest;
    }
    while let [one, rest @ ..] = variants {
        if !apart_from_own(one, own) {
            return false;
        }
        variants = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::private::declared;
    use crate::phi::{Directions, Drug, Note};

    crate::fields! {
        Renamed = "records.renamed" in Clinical, was "records.old" in Clinical;
    }
    // Another invocation, which knows nothing of the first.
    crate::fields! {
        Old = "records.old" in Medication;
    }

    const DRUG_FIELD: Declared = declared::<Drug>();
    const NOTE_FIELD: Declared = declared::<Note>();
    const DIRECTIONS_FIELD: Declared = declared::<Directions>();
    const RENAMED_FIELD: Declared = declared::<Renamed>();
    const OLD_FIELD: Declared = declared::<Old>();

    const fn own(own: &'static [Declared]) -> FieldIds {
        FieldIds { own, nested: &[], variants: &[] }
    }

    const DRUG: &FieldIds = &own(&[DRUG_FIELD]);
    const NOTE: &FieldIds = &own(&[NOTE_FIELD]);
    const IN_NOTHING: &FieldIds = &FieldIds { own: &[], nested: &[DRUG], variants: &[] };
    const EITHER: &FieldIds = &FieldIds { own: &[], nested: &[], variants: &[DRUG, DRUG] };

    #[test]
    fn an_id_belongs_to_one_field_of_a_context() {
        assert!(is_unique(&own(&[DRUG_FIELD, NOTE_FIELD])));
        assert!(!is_unique(&own(&[DRUG_FIELD, NOTE_FIELD, DRUG_FIELD])));
        assert!(!is_unique(&own(&[RENAMED_FIELD, OLD_FIELD])), "a former id");
        let around = |fields: &'static [Declared], nested: &'static [&'static FieldIds]| FieldIds {
            own: fields,
            nested,
            variants: &[],
        };
        let cases: [(&'static [&'static FieldIds], bool); 4] =
            [(&[NOTE], true), (&[DRUG], false), (&[IN_NOTHING], false), (&[EITHER], false)];
        for (nested, unique) in cases {
            assert_eq!(is_unique(&around(&[DRUG_FIELD], nested)), unique);
            assert!(is_unique(&around(&[], nested)));
        }
        assert!(!is_unique(&around(&[], &[IN_NOTHING, NOTE, DRUG])), "of two nested structs");
        assert!(!is_unique(&around(&[], &[EITHER, DRUG])), "of a variant and a nested struct");
        let enumeration = |fields: &'static [Declared], variants: &'static [&'static FieldIds]| FieldIds {
            own: fields,
            nested: &[],
            variants,
        };
        assert!(is_unique(&enumeration(&[DIRECTIONS_FIELD], &[DRUG, IN_NOTHING])), "of two variants");
        assert!(!is_unique(&enumeration(&[DRUG_FIELD], &[NOTE, DRUG])), "of a variant and all of them");
    }
}

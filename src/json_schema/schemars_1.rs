//! JSON Schema, by the crate schemars.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
#[cfg(feature = "serde_with_3")]
use serde_with::schemars_1::JsonSchemaAs;

use super::{
    DESCRIPTION, INDEX_DESCRIPTION, INDEX_PATTERN, INDEXES_DESCRIPTION, PATTERN, SHORTEST, TAG_DESCRIPTION,
    TAG_PATTERN, index_len, longest,
};
use crate::field::Field;
#[cfg(feature = "serde_with_3")]
use crate::form::Sealing;
use crate::form::{NotWiped, Phi, Sealed, Wipe};
use crate::index::{Index, IndexSet, IndexValue, MAX_VALUES};
use crate::record_tag::RecordTag;

/// Of both traits, since they have the same functions.
macro_rules! of_inside {
    ($inside:ident) => {
        fn inline_schema() -> bool {
            $inside::inline_schema()
        }

        fn schema_name() -> Cow<'static, str> {
            $inside::schema_name()
        }

        fn schema_id() -> Cow<'static, str> {
            $inside::schema_id()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            $inside::json_schema(generator)
        }
    };
}

/// As for the value inside: what an authorised client sends and gets (feature `schemars_1`).
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(schemars::JsonSchema)]
/// struct Refill {
///     drug: Phi<String, phi::Drug>,
/// }
/// let schema = schemars::schema_for!(Refill);
/// assert_eq!(schema.pointer("/properties/drug").unwrap(), &serde_json::json!({ "type": "string" }));
/// ```
impl<T: JsonSchema + Wipe, F> JsonSchema for Phi<T, F> {
    of_inside!(T);
}

/// As for the value inside.
impl<T: JsonSchema> JsonSchema for NotWiped<T> {
    of_inside!(T);
}

/// As for the value inside, under `#[serde_with::serde_as]`, which tells schemars so.
#[cfg(feature = "serde_with_3")]
impl<T: JsonSchema + ?Sized, F> JsonSchemaAs<T> for Sealing<F> {
    of_inside!(T);
}

/// A string that is a token: what is stored (feature `schemars_1`). Its `maxLength` follows from the field's `max` and `block`.
///
/// ```
/// use rxseal::{Sealed, phi};
/// #[derive(schemars::JsonSchema)]
/// struct Row {
///     drug: Sealed<String, phi::Drug>,
/// }
/// let schema = schemars::schema_for!(Row);
/// assert_eq!(schema.pointer("/properties/drug/pattern").unwrap(), "^rxs[Xxc][A-Za-z0-9_-]+$");
/// ```
impl<T, F: Field> JsonSchema for Sealed<T, F> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Sealed")
    }

    fn schema_id() -> Cow<'static, str> {
        Cow::Owned(format!("rxseal::Sealed {}", longest::<F>()))
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": DESCRIPTION,
            "pattern": PATTERN,
            "minLength": SHORTEST,
            "maxLength": longest::<F>(),
        })
    }
}

/// A string that is a record tag. It is in no plaintext: `#[schemars(skip)]` leaves it out of that schema.
impl JsonSchema for RecordTag {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("RecordTag")
    }

    fn schema_id() -> Cow<'static, str> {
        Cow::Borrowed("rxseal::RecordTag")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": TAG_DESCRIPTION, "pattern": TAG_PATTERN })
    }
}

/// A string that is a value of the index: what is stored (feature `schemars_1`). In a row it is an `Option`.
impl<I: Index> JsonSchema for IndexValue<I> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("IndexValue")
    }

    fn schema_id() -> Cow<'static, str> {
        Cow::Owned(format!("rxseal::IndexValue {:?}", index_len::<I>()))
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let [least, most] = index_len::<I>();
        json_schema!({
            "type": "string",
            "description": INDEX_DESCRIPTION,
            "pattern": INDEX_PATTERN,
            "minLength": least,
            "maxLength": most,
        })
    }
}

/// An array of at most 8 values of the index.
impl<I: Index> JsonSchema for IndexSet<I> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("IndexSet")
    }

    fn schema_id() -> Cow<'static, str> {
        Cow::Owned(format!("rxseal::IndexSet {:?}", index_len::<I>()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "description": INDEXES_DESCRIPTION,
            "items": IndexValue::<I>::json_schema(generator),
            "maxItems": MAX_VALUES,
        })
    }
}

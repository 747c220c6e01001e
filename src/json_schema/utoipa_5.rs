//! OpenAPI, by the crate utoipa.
//!
//! Its derive takes the schema of a generic field from the hidden trait `ComposeSchema`, and the field's name in the document from the
//! names of all arguments. So markers have a schema too: `fields!` writes it.

use std::borrow::Cow;

use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{
    DESCRIPTION, INDEX_DESCRIPTION, INDEX_PATTERN, INDEXES_DESCRIPTION, PATTERN, SHORTEST, TAG_DESCRIPTION,
    TAG_PATTERN, index_len, longest,
};
use crate::field::Field;
use crate::form::{NotWiped, Phi, Sealed, Wipe};
use crate::index::{Index, IndexSet, IndexValue, MAX_VALUES};
use crate::record_tag::RecordTag;

/// As for the value inside: what an authorised client sends and gets (feature `utoipa_5`).
///
/// ```
/// use rxseal::{Phi, phi};
/// #[derive(utoipa::ToSchema)]
/// struct Refill {
///     #[schema(inline)]
///     drug: Phi<String, phi::Drug>,
/// }
/// let schema = serde_json::to_value(<Refill as utoipa::PartialSchema>::schema())?;
/// assert_eq!(schema["properties"]["drug"], serde_json::json!({ "type": "string" }));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Without `inline` the field refers to a component of its own, such as `Phi_String_Drug`.
impl<T: ToSchema + Wipe, F> ToSchema for Phi<T, F> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Phi")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: PartialSchema + Wipe, F> ComposeSchema for Phi<T, F> {
    fn compose(arguments: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        first_of::<T>(arguments)
    }
}

/// As for the value inside.
impl<T: ToSchema> ToSchema for NotWiped<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NotWiped")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: PartialSchema> ComposeSchema for NotWiped<T> {
    fn compose(arguments: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        first_of::<T>(arguments)
    }
}

/// The derive gives the schema of each argument of a type, or none at all.
fn first_of<T: PartialSchema>(arguments: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    arguments.into_iter().next().unwrap_or_else(T::schema)
}

/// A string that is a token: what is stored (feature `utoipa_5`). Its `maxLength` follows from the field's `max` and `block`.
///
/// ```
/// use rxseal::{Sealed, phi};
/// #[derive(utoipa::ToSchema)]
/// struct Row {
///     #[schema(inline)]
///     drug: Sealed<String, phi::Drug>,
/// }
/// let schema = serde_json::to_value(<Row as utoipa::PartialSchema>::schema())?;
/// assert_eq!(schema["properties"]["drug"]["pattern"], "^rxs[Xxc][A-Za-z0-9_-]+$");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<T, F: Field> ToSchema for Sealed<T, F> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Sealed")
    }
}

impl<T, F: Field> ComposeSchema for Sealed<T, F> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let object =
            ObjectBuilder::new().schema_type(Type::String).description(Some(DESCRIPTION)).pattern(Some(PATTERN));
        object.min_length(Some(SHORTEST)).max_length(Some(longest::<F>())).into()
    }
}

/// A string that is a record tag. It is in no plaintext: `#[schema(ignore)]` leaves it out of that schema.
impl ToSchema for RecordTag {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("RecordTag")
    }
}

impl ComposeSchema for RecordTag {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        text(TAG_DESCRIPTION, TAG_PATTERN).into()
    }
}

/// A string that is a value of the index: what is stored (feature `utoipa_5`). In a row it is an `Option`.
impl<I: Index> ToSchema for IndexValue<I> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("IndexValue")
    }
}

impl<I: Index> ComposeSchema for IndexValue<I> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        index_value::<I>().into()
    }
}

/// An array of at most 8 values of the index.
impl<I: Index> ToSchema for IndexSet<I> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("IndexSet")
    }
}

impl<I: Index> ComposeSchema for IndexSet<I> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let array = ArrayBuilder::new().description(Some(INDEXES_DESCRIPTION)).items(index_value::<I>());
        array.max_items(Some(MAX_VALUES)).into()
    }
}

fn index_value<I: Index>() -> ObjectBuilder {
    let [least, most] = index_len::<I>();
    text(INDEX_DESCRIPTION, INDEX_PATTERN).min_length(Some(least)).max_length(Some(most))
}

fn text(description: &str, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).pattern(Some(pattern))
}

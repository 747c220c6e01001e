//! The common part of all deserializers of one value.

/// Methods of a deserializer of one value. The same value also serves as the value of an option and of a newtype.
macro_rules! around_one_value {
    ($error:ty) => {
        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, $error> {
            visitor.visit_some(self)
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, $error> {
            visitor.visit_newtype_struct(self)
        }
    };
}

pub(super) use around_one_value;

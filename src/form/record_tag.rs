//! The tag of a record in any format: text, or bytes in a binary one, as a token is.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use super::token_reader::{Wanted, read_token};
use crate::error::Error;
use crate::payload;
use crate::record::TokenForm;
use crate::record_tag::RecordTag;
use crate::scope;

/// Text, or bytes in a binary format. A record that was not sealed yet has no tag to store: that is the error `tag-missing`.
impl Serialize for RecordTag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = |error| scope::keep(error, |text| S::Error::custom(text));
        payload::refuse_inside().and_then(|()| scope::refuses_tokens()).map_err(report)?;
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.text().map_err(report)?)
        } else {
            serializer.serialize_bytes(self.bytes().map_err(report)?)
        }
    }
}

impl<'de> Deserialize<'de> for RecordTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scope::refuses_tokens().map_err(|error| scope::keep(error, |text| D::Error::custom(text)))?;
        read_token(deserializer, Wanted::RECORD_TAG, parse)
    }
}

fn parse(tag: TokenForm<'_>) -> Result<RecordTag, Error> {
    match tag {
        TokenForm::Text(text) => text.parse(),
        TokenForm::Bytes(bytes) => RecordTag::try_from(bytes),
    }
}

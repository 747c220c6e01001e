//! The format paths.

use std::fmt;
use std::io::Cursor;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A format's error as text only, so that one type serves all formats.
#[derive(Debug)]
pub struct Problem(pub String);

impl Problem {
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    JsonText,
    JsonStream,
    JsonValue,
    Cbor,
    RmpCompact,
    RmpNamed,
    Postcard,
    Bincode,
    QuickXml,
    SerdeXmlRs,
    Toml,
    Csv,
}

impl Format {
    pub const ALL: [Self; 12] = [
        Self::JsonText,
        Self::JsonStream,
        Self::JsonValue,
        Self::Cbor,
        Self::RmpCompact,
        Self::RmpNamed,
        Self::Postcard,
        Self::Bincode,
        Self::QuickXml,
        Self::SerdeXmlRs,
        Self::Toml,
        Self::Csv,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::JsonText => "json",
            Self::JsonStream => "stream",
            Self::JsonValue => "value",
            Self::Cbor => "cbor",
            Self::RmpCompact => "rmp",
            Self::RmpNamed => "rmp-named",
            Self::Postcard => "postcard",
            Self::Bincode => "bincode",
            Self::QuickXml => "quick-xml",
            Self::SerdeXmlRs => "serde-xml-rs",
            Self::Toml => "toml",
            Self::Csv => "csv",
        }
    }

    pub fn write<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, Problem> {
        match self {
            Self::JsonText => serde_json::to_string(value).map(String::into_bytes).map_err(Problem::new),
            Self::JsonStream => {
                let mut out = Vec::new();
                serde_json::to_writer_pretty(&mut out, value).map_err(Problem::new)?;
                Ok(out)
            }
            Self::JsonValue => {
                let tree = serde_json::to_value(value).map_err(Problem::new)?;
                serde_json::to_vec(&tree).map_err(Problem::new)
            }
            Self::Cbor => {
                let mut out = Vec::new();
                ciborium::into_writer(value, &mut out).map_err(Problem::new)?;
                Ok(out)
            }
            Self::RmpCompact => rmp_serde::to_vec(value).map_err(Problem::new),
            Self::RmpNamed => rmp_serde::to_vec_named(value).map_err(Problem::new),
            Self::Postcard => postcard::to_stdvec(value).map_err(Problem::new),
            Self::Bincode => bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(Problem::new),
            Self::QuickXml => {
                quick_xml::se::to_string_with_root("row", value).map(String::into_bytes).map_err(Problem::new)
            }
            Self::SerdeXmlRs => serde_xml_rs::to_string(&value).map(String::into_bytes).map_err(Problem::new),
            Self::Toml => toml::to_string(value).map(String::into_bytes).map_err(Problem::new),
            Self::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                writer.serialize(value).map_err(Problem::new)?;
                writer.into_inner().map_err(Problem::new)
            }
        }
    }

    pub fn read<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, Problem> {
        match self {
            Self::JsonText => serde_json::from_slice(bytes).map_err(Problem::new),
            Self::JsonStream => serde_json::from_reader(Cursor::new(bytes)).map_err(Problem::new),
            Self::JsonValue => {
                let tree: serde_json::Value = serde_json::from_slice(bytes).map_err(Problem::new)?;
                serde_json::from_value(tree).map_err(Problem::new)
            }
            Self::Cbor => ciborium::from_reader(bytes).map_err(Problem::new),
            Self::RmpCompact | Self::RmpNamed => rmp_serde::from_slice(bytes).map_err(Problem::new),
            Self::Postcard => postcard::from_bytes(bytes).map_err(Problem::new),
            Self::Bincode => {
                bincode::serde::decode_from_slice(bytes, bincode::config::standard().with_limit::<1_000_000>())
                    .map(|(value, _)| value)
                    .map_err(Problem::new)
            }
            Self::QuickXml => quick_xml::de::from_str(text(bytes)?).map_err(Problem::new),
            Self::SerdeXmlRs => serde_xml_rs::from_str(text(bytes)?).map_err(Problem::new),
            Self::Toml => toml::from_str(text(bytes)?).map_err(Problem::new),
            Self::Csv => {
                let mut reader = csv::Reader::from_reader(bytes);
                let row = reader.deserialize().next().ok_or_else(|| Problem::new("no row"))?;
                row.map_err(Problem::new)
            }
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(Problem::new)
}

//! The common part of the tests of the serde forms: a keyring, an access, the formats, and a scan for plaintext.
#![allow(dead_code, clippy::unwrap_used)]

use std::fmt;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rxseal::{Access, Keyring, Purpose};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A name that stands in no key, id or type: where it is found, plaintext leaked.
pub const CANARY: &str = "Zoraida Quimby";
/// The same for numbers.
pub const NUMBER: u64 = 8_675_309_123_456_789;

pub fn keyring() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

pub fn access() -> Access {
    Access::new("user:kim.rph", Purpose::TREAT).unwrap()
}

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

/// The eight paths of the design's matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    JsonText,
    JsonStream,
    JsonValue,
    Cbor,
    RmpCompact,
    RmpNamed,
    Postcard,
    Bincode,
}

impl Format {
    pub const ALL: [Self; 8] = [
        Self::JsonText,
        Self::JsonStream,
        Self::JsonValue,
        Self::Cbor,
        Self::RmpCompact,
        Self::RmpNamed,
        Self::Postcard,
        Self::Bincode,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::JsonText => "json",
            Self::JsonStream => "stream",
            Self::JsonValue => "value",
            Self::Cbor => "cbor",
            Self::RmpCompact => "rmp",
            Self::RmpNamed => "rmp-nm",
            Self::Postcard => "postc",
            Self::Bincode => "binc",
        }
    }

    pub fn is_json(self) -> bool {
        matches!(self, Self::JsonText | Self::JsonStream | Self::JsonValue)
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
            // Without a limit bincode takes memory for whatever length a forged row states.
            Self::Bincode => {
                bincode::serde::decode_from_slice(bytes, bincode::config::standard().with_limit::<1_000_000>())
                    .map(|(value, _)| value)
                    .map_err(Problem::new)
            }
        }
    }
}

/// Whether `needle` stands in `haystack` raw, in hex, or in base64 of either alphabet at any of the three offsets.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    spellings(needle).iter().any(|spelling| haystack.windows(spelling.len()).any(|window| window == spelling))
}

/// Whether one of the canaries does.
pub fn leaks(haystack: &[u8]) -> bool {
    let digits = NUMBER.to_string();
    let needles: [&[u8]; 4] = [CANARY.as_bytes(), digits.as_bytes(), &NUMBER.to_be_bytes(), &NUMBER.to_le_bytes()];
    needles.iter().any(|needle| contains(haystack, needle))
}

fn spellings(needle: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![needle.to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes()];
    for offset in 0..3 {
        // Encoded behind `offset` other bytes; the characters that those or the end have a share in are cut off.
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(needle.iter().copied()).collect();
        let first = (offset * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            all.push(text.as_bytes()[first..last].to_vec());
        }
    }
    all
}

/// All texts of an error: its Display and Debug, and those of every cause.
pub fn texts(error: &rxseal::Error) -> String {
    let mut all = format!("{error}\n{error:?}\n{error:#?}\n{}", error.code().as_str());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        all.push_str(&format!("\n{inner}\n{inner:?}"));
        cause = inner.source();
    }
    all
}

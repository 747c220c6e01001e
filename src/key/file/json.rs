//! The JSON text of a keyring file (FORMAT 8): exactly these members, each once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{KIND, KeyInfo, KeyState, KeyUse, KeyringFile, MAX_NUMBER, VERSION, Wrap, invalid};
use crate::aead::Suite;
use crate::codec::json_object::{Object, objects, present};
use crate::codec::text;
use crate::error::Error;
use crate::id::{KeyId, Name};

impl FromStr for KeyringFile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text.as_bytes())
    }
}

impl TryFrom<&[u8]> for KeyringFile {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        read(bytes)
    }
}

impl fmt::Display for KeyringFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(self).map_err(|_| fmt::Error)?)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rxseal_keyring: u64,
    kind: String,
    keyspace: String,
    generation: u64,
    kek: String,
    #[serde(deserialize_with = "objects")]
    keys: Vec<Key>,
    #[serde(deserialize_with = "objects")]
    wraps: Vec<WrapText>,
    body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    id: String,
    fingerprint: String,
    #[serde(rename = "use")]
    usage: String,
    state: String,
    primary: bool,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    suite: Option<String>,
    created: u64,
    changed: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrapText {
    provider: String,
    root_key: String,
    wrapped: String,
}

fn read(bytes: &[u8]) -> Result<KeyringFile, Error> {
    if bytes.len() > KeyringFile::MAX_LEN {
        return Err(invalid("it is larger than 1 MiB"));
    }
    let Object(file): Object<File> = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        // serde_json's own text quotes the file, and is dropped.
        serde_json::error::Category::Data => invalid("a member is missing, unknown, repeated or of a wrong type"),
        _ => invalid("it is not one JSON document"),
    })?;
    if file.rxseal_keyring != u64::from(VERSION) {
        return Err(invalid("its format version is not 1; a newer release of rxseal may read it"));
    }
    if file.kind != KIND {
        return Err(invalid("its kind is not `full`; a newer release of rxseal may read it"));
    }
    KeyringFile {
        keyspace: Name::parse("keyspace", &file.keyspace).map_err(|_| invalid("the keyspace is not a name"))?,
        generation: file.generation,
        kek_fingerprint: text::decode_array(&file.kek)
            .ok_or_else(|| invalid("the KEK's fingerprint is not 32 bytes"))?,
        keys: file.keys.iter().map(read_key).collect::<Result<_, _>>()?,
        wraps: file.wraps.iter().map(read_wrap).collect::<Result<_, _>>()?,
        body: text::decode(&file.body).ok_or_else(|| invalid("the body is not canonical base64url"))?,
    }
    .checked()
}

fn read_key(key: &Key) -> Result<KeyInfo, Error> {
    let fingerprint: [u8; 32] =
        text::decode_array(&key.fingerprint).ok_or_else(|| invalid("a fingerprint is not 32 bytes"))?;
    let id = KeyId::of_fingerprint(&fingerprint);
    if key.id.parse::<KeyId>().ok() != Some(id) {
        return Err(invalid("a key id is not the start of its fingerprint"));
    }
    let usage = KeyUse::parse(&key.usage).ok_or_else(|| invalid("the use of a key is unknown"))?;
    let suite = match (usage, &key.suite) {
        (KeyUse::Seal, Some(letter)) => {
            Some(Suite::from_letter(letter).ok_or_else(|| invalid("the suite of a key is unknown"))?)
        }
        (KeyUse::Index, None) => None,
        _ => return Err(invalid("a key for sealing has no suite, or an index root has one")),
    };
    if key.created > MAX_NUMBER || key.changed > MAX_NUMBER {
        return Err(invalid("a time is out of bounds"));
    }
    Ok(KeyInfo {
        id,
        fingerprint,
        usage,
        state: KeyState::parse(&key.state).ok_or_else(|| invalid("the state of a key is unknown"))?,
        primary: key.primary,
        suite,
        created: key.created,
        changed: key.changed,
    })
}

fn read_wrap(wrap: &WrapText) -> Result<Wrap, Error> {
    let wrapped = text::decode(&wrap.wrapped).ok_or_else(|| invalid("a wrapped key is not canonical base64url"))?;
    Wrap::new(&wrap.provider, &wrap.root_key, wrapped)
        .map_err(|_| invalid("a wrap names no provider or root key, or its wrapped key has an impossible length"))
}

fn write(file: &KeyringFile) -> Result<String, serde_json::Error> {
    let keys = file.keys.iter().map(|key| Key {
        id: key.id.to_string(),
        fingerprint: text::encode(&key.fingerprint),
        usage: key.usage.as_str().to_owned(),
        state: key.state.as_str().to_owned(),
        primary: key.primary,
        suite: key.suite.map(|suite| suite.letter().to_string()),
        created: key.created,
        changed: key.changed,
    });
    let wraps = file.wraps.iter().map(|wrap| WrapText {
        provider: wrap.provider.as_str().to_owned(),
        root_key: wrap.root_key.to_string(),
        wrapped: text::encode(&wrap.wrapped),
    });
    let mut json = serde_json::to_string_pretty(&File {
        rxseal_keyring: u64::from(VERSION),
        kind: KIND.to_owned(),
        keyspace: file.keyspace.as_str().to_owned(),
        generation: file.generation,
        kek: text::encode(&file.kek_fingerprint),
        keys: keys.collect(),
        wraps: wraps.collect(),
        body: text::encode(&file.body),
    })?;
    json.push('\n');
    Ok(json)
}

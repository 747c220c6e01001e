//! The bodies of requests and answers, in memory that is wiped.

use serde::de::{Deserialize, Deserializer, Visitor};
use zeroize::Zeroizing;

use crate::base64;
use crate::failure::Problem;

/// A wrap of 32 bytes has less than 200 characters. A keyring file allows 8,192.
const MAX_CIPHERTEXT: usize = 4096;

/// The body of `transit/encrypt`.
pub(crate) fn encrypt(plaintext: &[u8; 32], associated_data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut body = buffer();
    body.extend_from_slice(br#"{"plaintext":""#);
    base64::encode(plaintext, &mut body);
    push_associated_data(associated_data, &mut body);
    body
}

/// The body of `transit/decrypt`. `ciphertext` came through `as_ciphertext` or `read_ciphertext`, so it needs no escapes.
pub(crate) fn decrypt(ciphertext: &str, associated_data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut body = buffer();
    body.extend_from_slice(br#"{"ciphertext":""#);
    body.extend_from_slice(ciphertext.as_bytes());
    push_associated_data(associated_data, &mut body);
    body
}

fn push_associated_data(associated_data: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(br#"","associated_data":""#);
    base64::encode(associated_data, body);
    body.extend_from_slice(br#""}"#);
}

/// The body of `auth/approle/login`. `None` if it is too long.
pub(crate) fn login(role_id: &str, secret_id: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut body = buffer();
    // An escape takes up to six bytes.
    if role_id.len().saturating_add(secret_id.len()).saturating_mul(6) > body.capacity().saturating_sub(64) {
        return None;
    }
    body.extend_from_slice(br#"{"role_id":"#);
    serde_json::to_writer(&mut *body, role_id).ok()?;
    body.extend_from_slice(br#","secret_id":"#);
    serde_json::to_writer(&mut *body, secret_id).ok()?;
    body.push(b'}');
    Some(body)
}

/// With room for everything that is written to it: a `Vec` that grows leaves a copy behind.
fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(16 * 1024))
}

/// A wrap as text, in its one canonical spelling: Vault's own reader accepts several.
pub(crate) fn as_ciphertext(wrapped: &[u8]) -> Option<&str> {
    let text = str::from_utf8(wrapped).ok().filter(|text| text.len() <= MAX_CIPHERTEXT)?;
    let (version, body) = text.strip_prefix("vault:v")?.split_once(':')?;
    let canonical = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    (canonical && (1..=9).contains(&version.len()) && base64::is_canonical(body)).then_some(text)
}

/// The wrap in an answer of `transit/encrypt`.
pub(crate) fn read_ciphertext(answer: &[u8]) -> Result<String, Problem> {
    #[derive(serde::Deserialize)]
    struct Data {
        ciphertext: String,
    }
    let answer: Answer<Data> = read(answer)?;
    as_ciphertext(answer.data.ciphertext.as_bytes()).map(str::to_owned).ok_or(Problem::NoAnswer)
}

/// The key in an answer of `transit/decrypt`, and the id of the request in the audit log of Vault.
pub(crate) fn read_plaintext(answer: &[u8]) -> Result<Unwrapped, Problem> {
    #[derive(serde::Deserialize)]
    struct Data {
        plaintext: SecretText,
    }
    let answer: Answer<Data> = read(answer)?;
    let key = base64::decode_key(answer.data.plaintext.0.as_bytes()).ok_or(Problem::NotAKek)?;
    Ok(Unwrapped { key, request_id: answer.request_id })
}

pub(crate) struct Unwrapped {
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) request_id: String,
}

/// A token, and its lifetime in seconds; 0 means that it does not expire.
pub(crate) fn read_login(answer: &[u8]) -> Result<(Zeroizing<Vec<u8>>, u64), Problem> {
    #[derive(serde::Deserialize)]
    struct Login {
        auth: Auth,
    }
    #[derive(serde::Deserialize)]
    struct Auth {
        client_token: SecretText,
        #[serde(default)]
        lease_duration: u64,
    }
    let Login { auth } = read(answer)?;
    Ok((Zeroizing::new(auth.client_token.0.as_bytes().to_vec()), auth.lease_duration))
}

#[derive(serde::Deserialize)]
struct Answer<D> {
    #[serde(default)]
    request_id: String,
    data: D,
}

/// serde's error quotes its input, so it is dropped here.
fn read<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(answer).map_err(|_| Problem::NoAnswer)
}

/// Text of an answer, treated as a secret.
struct SecretText(Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Copying;

        impl Visitor<'_> for Copying {
            type Value = SecretText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<SecretText, E> {
                Ok(SecretText(Zeroizing::new(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Copying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_a_wrap() {
        let good = "vault:v1:K6me2k2tOS9k2v9TVgKB+K2qoiahabGshEumYNGBcyoMi2PDwnDHYU+wUOQzfOeOSHqyneWDvnyHOGKt";
        assert_eq!(as_ciphertext(good.as_bytes()), Some(good));
        assert_eq!(as_ciphertext(b"vault:v12:AA=="), Some("vault:v12:AA=="));
        let bad: &[&str] = &[
            "",
            "vault:",
            "vault:v1",
            "vault:v1:",
            "vault:v:AA==",
            "vault:v0:AA==",
            "vault:v01:AA==",
            "vault:v+1:AA==",
            "vault:v1234567890:AA==",
            "vault:v1:AA",
            "vault:v1:AB==",
            "vault:v1:A-==",
            "vault:v1:AA==\n",
            "vault:v1:\nAA==",
            "vault:v1:AA==\",\"x\":\"",
            "hello",
        ];
        for text in bad {
            assert_eq!(as_ciphertext(text.as_bytes()), None, "{text}");
        }
        assert_eq!(as_ciphertext(&[0xFF; 40]), None);
        assert_eq!(as_ciphertext(format!("vault:v1:{}", "A".repeat(8192)).as_bytes()), None);
    }

    #[test]
    fn bodies() {
        let text = |body: Zeroizing<Vec<u8>>| String::from_utf8(body.to_vec()).unwrap();
        let key = "FBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ=";
        assert_eq!(text(encrypt(&[0x14; 32], b"ctx")), format!(r#"{{"plaintext":"{key}","associated_data":"Y3R4"}}"#));
        assert_eq!(text(decrypt("vault:v1:AA==", b"")), r#"{"ciphertext":"vault:v1:AA==","associated_data":""}"#);
        assert_eq!(text(login("a", "b\"\u{1}").unwrap()), r#"{"role_id":"a","secret_id":"b\"\u0001"}"#);
        assert!(login("a", &"x".repeat(4000)).is_none());
        let body = encrypt(&[1; 32], &[2; 2000]);
        assert_eq!(body.capacity(), buffer().capacity(), "it did not grow");
    }

    #[test]
    fn answers() {
        let key = "FBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ=";
        let answer = |plaintext: &str| format!(r#"{{"request_id":"x","data":{{"plaintext":"{plaintext}","more":1}}}}"#);
        assert_eq!(read_plaintext(answer(key).as_bytes()).unwrap().key.as_slice(), [0x14; 32]);
        assert_eq!(read_plaintext(answer(key).as_bytes()).unwrap().request_id, "x");
        let escaped = key.replace('F', "\\u0046");
        assert_eq!(read_plaintext(answer(&escaped).as_bytes()).unwrap().key.as_slice(), [0x14; 32]);
        for bad in ["", "AA==", &key[1..], &key.replace('=', ""), &key.replace("BQ=", "BR="), &format!("{key}AA==")] {
            assert_eq!(read_plaintext(answer(bad).as_bytes()).err(), Some(Problem::NotAKek), "{bad}");
        }
        for bad in ["", "{}", "null", "[1]", r#"{"data":null}"#, r#"{"data":{"plaintext":5}}"#, r#"{"data":{}} x"#] {
            assert_eq!(read_plaintext(bad.as_bytes()).err(), Some(Problem::NoAnswer), "{bad}");
        }
        assert_eq!(read_ciphertext(br#"{"data":{"ciphertext":"vault:v1:AA=="}}"#).unwrap(), "vault:v1:AA==");
        assert_eq!(read_ciphertext(br#"{"data":{"ciphertext":"hello"}}"#).unwrap_err(), Problem::NoAnswer);
        let (token, seconds) = read_login(br#"{"auth":{"client_token":"s.x","lease_duration":60}}"#).unwrap();
        assert_eq!((&**token, seconds), (&b"s.x"[..], 60));
    }
}

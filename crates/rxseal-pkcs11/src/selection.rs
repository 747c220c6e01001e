//! Which token and which key: as the caller names them, as a URI of RFC 7512, and as keyring files name them.

use std::fmt::Write as _;

use rxseal::Error;

/// A token's label has at most 32 bytes. The standard does not limit labels of objects, or ids.
const MAX_LEN: usize = 255;

/// A token and a key must match everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) token: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) slot_id: Option<u64>,
    pub(crate) label: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
}

impl Selection {
    /// `pkcs11:token=phi;object=phi-root`
    pub(crate) fn parse(uri: &str) -> Result<Self, Error> {
        let path =
            uri.strip_prefix("pkcs11:").ok_or_else(|| Error::invalid_root_key("it does not begin with `pkcs11:`"))?;
        if path.contains('?') {
            return Err(Error::invalid_root_key(
                "the PKCS#11 URI has a query after `?`: pass the library and the PIN separately",
            ));
        }
        let mut selection = Self::default();
        for attribute in path.split(';') {
            let (name, value) = attribute.split_once('=').ok_or_else(|| Error::invalid_root_key(FORM))?;
            let value = decode(value)
                .ok_or_else(|| Error::invalid_root_key("the PKCS#11 URI has a `%` without two hex digits"))?;
            selection.set(name, value)?;
        }
        Ok(selection)
    }

    fn set(&mut self, name: &str, value: Vec<u8>) -> Result<(), Error> {
        let text =
            || String::from_utf8(value.clone()).map_err(|_| Error::invalid_root_key("the PKCS#11 URI is not UTF-8"));
        match name {
            "token" => once(&mut self.token, text()?),
            "serial" => once(&mut self.serial, text()?),
            "object" => once(&mut self.label, text()?),
            "slot-id" => once(
                &mut self.slot_id,
                text()?.parse().map_err(|_| Error::invalid_root_key("the slot id in the URI is not a number"))?,
            ),
            "id" => once(&mut self.id, value),
            "type" if value == b"secret-key" => Ok(()),
            "type" => Err(Error::invalid_root_key("the PKCS#11 URI has another type than secret-key")),
            // Ignoring an attribute would select more than the URI does.
            _ => Err(Error::invalid_root_key(FORM)),
        }
    }

    /// The name in keyring files, from what the caller gave. A label stays when a device is replaced, so it is
    /// preferred to a serial number, and that to a slot.
    pub(crate) fn name(&self) -> Result<String, Error> {
        let texts = [&self.token, &self.serial, &self.label].into_iter().flatten();
        let lengths = texts.map(String::len).chain(self.id.iter().map(Vec::len));
        if lengths.into_iter().any(|len| !(1..=MAX_LEN).contains(&len)) {
            return Err(Error::invalid_root_key("a label, a serial number or an id is empty or longer than 255 bytes"));
        }
        let mut name = match (&self.token, &self.serial, self.slot_id) {
            (Some(token), _, _) => encoded("token=", token.as_bytes(), is_unreserved),
            (None, Some(serial), _) => encoded("serial=", serial.as_bytes(), is_unreserved),
            (None, None, Some(slot_id)) => format!("slot-id={slot_id}"),
            (None, None, None) => {
                return Err(Error::invalid_root_key(
                    "the token is not given: use `token`, `token_serial` or `slot_id`",
                ));
            }
        };
        if self.label.is_none() && self.id.is_none() {
            return Err(Error::invalid_root_key("the key of the token is not given: use `key_label` or `key_id`"));
        }
        if let Some(label) = &self.label {
            name.push_str(&encoded(";object=", label.as_bytes(), is_unreserved));
        }
        // Also with a label: two keys with one label are two root keys, and a keyring may have both.
        if let Some(id) = &self.id {
            // Ids are bytes, even if some happen to look like letters.
            name.push_str(&encoded(";id=", id, |_| false));
        }
        Ok(name)
    }

    pub(crate) fn is_of_token(&self, slot_id: u64, label: &str, serial: &str) -> bool {
        self.token.as_deref().is_none_or(|token| token == label)
            && self.serial.as_deref().is_none_or(|wanted| wanted == serial)
            && self.slot_id.is_none_or(|wanted| wanted == slot_id)
    }
}

const FORM: &str = "a PKCS#11 URI is `pkcs11:token=LABEL;object=LABEL`, which may also have `serial`, `slot-id`, `id` and \
                      `type`, and nothing else";

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::invalid_root_key("the PKCS#11 URI has an attribute twice")),
    }
}

/// The characters that RFC 3986 never encodes. RFC 7512 allows more, but one spelling is enough.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn encoded(name: &str, bytes: &[u8], plain: impl Fn(u8) -> bool) -> String {
    let mut text = name.to_owned();
    for byte in bytes {
        if plain(*byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_digit(bytes.next()?)?.checked_mul(16)?.checked_add(hex_digit(bytes.next()?)?)?,
            plain => plain,
        });
    }
    Some(decoded)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(uri: &str) -> String {
        Selection::parse(uri).unwrap().name().unwrap()
    }

    #[test]
    fn names_are_stable() {
        assert_eq!(name("pkcs11:token=phi;object=phi-root"), "token=phi;object=phi-root");
        assert_eq!(name("pkcs11:object=phi-root;token=phi"), "token=phi;object=phi-root");
        assert_eq!(name("pkcs11:token=My%20Token%3b;object=%c3%a4"), "token=My%20Token%3B;object=%C3%A4");
        assert_eq!(name("pkcs11:token=My Token;object=a+b"), "token=My%20Token;object=a%2Bb");
        assert_eq!(name("pkcs11:serial=0123;id=%01%41"), "serial=0123;id=%01%41");
        assert_eq!(name("pkcs11:slot-id=7;id=A;type=secret-key"), "slot-id=7;id=%41");
        let narrow = "pkcs11:token=phi;serial=0123;slot-id=7;object=phi-root;id=%01";
        assert_eq!(name(narrow), "token=phi;object=phi-root;id=%01", "a token that is only narrowed keeps its name");
    }

    #[test]
    fn what_is_no_uri() {
        for (uri, part) in [
            ("", "begin"),
            ("token=phi;object=phi-root", "begin"),
            ("pkcs11:", "pkcs11:token=LABEL"),
            ("pkcs11:token", "pkcs11:token=LABEL"),
            ("pkcs11:token=phi;", "pkcs11:token=LABEL"),
            ("pkcs11:token=phi;object=x;model=SoftHSM", "nothing else"),
            ("pkcs11:token=phi;token=phi;object=x", "twice"),
            ("pkcs11:token=%;object=x", "hex"),
            ("pkcs11:token=%4;object=x", "hex"),
            ("pkcs11:token=%+4;object=x", "hex"),
            ("pkcs11:token=%ff;object=x", "UTF-8"),
            ("pkcs11:slot-id=x;object=x", "number"),
            ("pkcs11:token=phi;object=x;type=private", "secret-key"),
            ("pkcs11:token=phi;object=x?pin-value=1234", "query"),
        ] {
            let error = Selection::parse(uri).unwrap_err();
            assert_eq!(error.code().as_str(), "invalid-root-key");
            assert!(error.to_string().contains(part) && !error.to_string().contains("1234"), "{uri}: {error}");
        }
        for (uri, part) in [
            ("pkcs11:object=x", "token is not given"),
            ("pkcs11:token=phi", "key of the token is not given"),
            ("pkcs11:token=;object=x", "empty"),
            ("pkcs11:token=phi;id=", "empty"),
        ] {
            let error = Selection::parse(uri).unwrap().name().unwrap_err();
            assert!(error.to_string().contains(part), "{uri}: {error}");
        }
    }

    #[test]
    fn all_that_is_given_must_fit() {
        let selection = Selection::parse("pkcs11:token=phi;serial=0123").unwrap();
        assert!(selection.is_of_token(1, "phi", "0123") && selection.is_of_token(2, "phi", "0123"));
        assert!(!selection.is_of_token(1, "phi", "0124") && !selection.is_of_token(1, "phi2", "0123"));
        assert!(!Selection { slot_id: Some(1), ..selection }.is_of_token(2, "phi", "0123"));
    }
}

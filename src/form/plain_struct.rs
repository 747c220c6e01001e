//! The serde side of a struct with `#[phi(plaintext)]`: it is written and read as plaintext or not at all.

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};

use crate::error::{Error, ErrorKind, Reason};
use crate::scope::{self, Reading, Writing};

const FOR_PLAINTEXT: Reason = "is of one record, and a struct with `#[phi(plaintext)]` is written and read as plaintext only: seal it \
                               with `keys.seal(&value)`, and open its row with `keys.open(&row, &access)`";

/// Writes a struct with `write`, if the active scope exposes plaintext.
///
/// # Errors
///
/// The format's error with the text of `scope-missing` or `wrong-direction`; those of `write`.
pub fn write_plaintext<S: Serializer>(
    serializer: S,
    write: impl FnOnce(S) -> Result<S::Ok, S::Error>,
) -> Result<S::Ok, S::Error> {
    let writing = scope::writing().and_then(|writing| match writing {
        Writing::Expose => Ok(()),
        Writing::Seal => Err(wrong_scope()),
    });
    writing.map_err(|error| scope::keep(error, |text| S::Error::custom(text)))?;
    write(serializer)
}

/// Reads a struct with `read`, if the active scope accepts plaintext.
///
/// # Errors
///
/// As for [`write_plaintext`].
pub fn read_plaintext<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    read: impl FnOnce(D) -> Result<T, D::Error>,
) -> Result<T, D::Error> {
    let reading = scope::reading().and_then(|reading| match reading {
        Reading::Accept => Ok(()),
        Reading::Open => Err(wrong_scope()),
    });
    reading.map_err(|error| scope::keep(error, |text| D::Error::custom(text)))?;
    read(deserializer)
}

fn wrong_scope() -> Error {
    ErrorKind::WrongDirection.because(FOR_PLAINTEXT)
}

/// By the code that `#[derive(PhiRecord)]` makes of a struct with `#[phi(plaintext)]`, written by hand.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Sealing;
    use crate::phi::{Directions, Drug};
    use crate::{Access, ErrorCode, Purpose, accept_plaintext, expose_plaintext};

    struct Fill {
        rx_number: u64,
        drug: String,
        directions: Option<String>,
    }

    const _: () = {
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(crate = "serde", remote = "Fill", rename_all = "camelCase")]
        struct Plaintext {
            rx_number: u64,
            #[serde(with = "Sealing::<Drug>")]
            drug: String,
            #[serde(default, with = "Sealing::<Option<Directions>>")]
            directions: Option<String>,
        }

        impl serde::Serialize for Fill {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                write_plaintext(serializer, |serializer| Plaintext::serialize(self, serializer))
            }
        }

        impl<'de> serde::Deserialize<'de> for Fill {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_plaintext(deserializer, Plaintext::deserialize)
            }
        }
    };

    const BODY: &str = r#"{"rxNumber":7,"drug":"Canary-drug","directions":null}"#;

    fn accept(body: &str) -> Result<Fill, Error> {
        accept_plaintext(|| serde_json::from_str(body))
    }

    #[test]
    fn it_is_written_and_read_in_the_plaintext_scopes() {
        let fill = accept(BODY).unwrap();
        assert_eq!((fill.rx_number, fill.drug.as_str(), &fill.directions), (7, "Canary-drug", &None));
        assert_eq!(serde_json::to_string(&expose_plaintext(&fill)).unwrap(), BODY);
        assert!(accept(r#"{"rxNumber":7,"drug":"x"}"#).unwrap().directions.is_none(), "an `Option` may be missing");
    }

    #[test]
    fn no_other_scope_writes_or_reads_it() {
        let keys = crate::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
        let record = keys.record("fill", 7).unwrap();
        let opener = record.opened_by(&Access::new("user:kim.rph", Purpose::TREAT).unwrap());
        let fill = accept(BODY).unwrap();

        let none = serde_json::to_string(&fill).unwrap_err().to_string();
        assert!(none.contains("outside of a scope") && !none.contains("Canary"), "{none}");
        let none = serde_json::from_str::<Fill>(BODY).err().unwrap().to_string();
        assert!(none.contains("outside of a scope") && !none.contains("Canary"), "{none}");

        let sealing = record.run_sealing(|| serde_json::to_string(&fill)).unwrap_err();
        let opening = opener.run_opening(|| serde_json::from_str::<Fill>(BODY)).err().unwrap();
        for error in [sealing, opening] {
            assert_eq!(error.code(), ErrorCode::WrongDirection);
            assert!(error.to_string().contains("keys.seal(&value)"), "{error}");
        }
        let nested = record.seal::<crate::phi::Note>(&fill).unwrap_err();
        assert_eq!(nested.code(), ErrorCode::TokenInside);
        assert!(record.seal::<crate::phi::Note>(&expose_plaintext(&fill)).is_ok());
    }

    #[test]
    fn a_refusal_is_that_of_a_marked_field() {
        let keys = crate::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
        let token = keys.record("fill", 7).unwrap().seal::<Drug>("x").unwrap();
        for (body, code) in [
            (BODY.replace("Canary-drug", &token.to_string()), ErrorCode::TokenAsPlaintext),
            (BODY.replace("\"Canary-drug\"", "[\"Canary-drug\"]"), ErrorCode::ValueMismatch),
            (BODY.replace('7', "\"Canary-7\""), ErrorCode::InvalidInput),
        ] {
            let error = accept(&body).err().unwrap();
            assert_eq!(error.code(), code);
            assert!(!format!("{error} {error:?}").contains("Canary"), "{error}");
        }
    }
}

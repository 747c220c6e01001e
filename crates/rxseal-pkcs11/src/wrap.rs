//! Wrapped KEKs of PKCS#11: their bytes, and how the token makes and opens them.
//!
//! ```text
//! 1 | nonce (12) | ciphertext (32) | tag (16)     CKM_AES_GCM, AAD = associated data
//! 2 | 72 bytes                                    CKM_AES_KEY_WRAP (RFC 3394) of SHA-256(associated data) | KEK
//! 3 | 65 to 96 bytes                              CKM_AES_KEY_WRAP_PAD of the same
//! ```
//!
//! The associated data is `kek-wrap` of FORMAT 2.3: the keyspace and the KEK's fingerprint.
//!
//! Key wrapping takes no associated data, so a digest of it is wrapped with the KEK and compared after unwrapping.
//! Whoever changes the wrap has to match that digest and the 8 bytes that the mechanism itself checks. 64 bytes need no
//! padding, so `CKM_AES_KEY_WRAP` is preferred to `CKM_AES_KEY_WRAP_PAD`, which is RFC 5649 on some tokens (SoftHSM)
//! and RFC 3394 over PKCS#7 on others (PKCS#11 3.0). The same kind of token opens the wrap, so either will do. The
//! crate cryptoki (0.12) has no name for `CKM_AES_KEY_WRAP_KWP` of PKCS#11 3.0.
//!
//! The 12 bytes of the nonce come from the operating system's generator, as all randomness here does (FORMAT 5.3), and
//! not from `C_GenerateRandom`, which not every token has. A root key wraps one KEK for each keyring and rewrap, far
//! below the 2^32 messages that random nonces allow. Some HSMs insist on drawing the nonce and overwrite ours, so it is
//! read after the call. Some of these (AWS's `CloudHSM`) refuse a nonce that is not zero, so a refused call is made
//! once more with zeros; a nonce that is still zero after the call is never stored. This was tested with SoftHSM behind
//! a library that imitates such an HSM, and not with a real one.

use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismInfo};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::types::Ulong;
use rxseal::provider::{Kek, fill_random};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::digest::sha256;
use crate::failure::{Failure, Problem};
use crate::mechanism::{NONCE, Pkcs11Mechanism};
use crate::token::Connection;

const TAG_BITS: u32 = 128;
const KEK: usize = 32;
const BOUND_KEK: usize = 64;

/// How a token is asked to wrap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `C_Encrypt` and `C_Decrypt`: the KEK is data, and not an object.
    Data,
    /// `C_WrapKey` and `C_UnwrapKey`: the KEK becomes an object of the session in the token. Used only if there is no
    /// other way.
    Object,
}

/// Wraps with the requested mechanism, or with the best that the token and the key support.
///
/// Wrapping is rare and its result must last, so it uses no old handle: the key is found and checked again, and the
/// wrap must open again with the key that is found after it.
pub(crate) fn wrap(
    connection: &Connection,
    asked: Option<Pkcs11Mechanism>,
    kek: &Kek,
    associated_data: &[u8],
) -> Result<Vec<u8>, Failure> {
    connection.find_key_anew()?;
    let (mechanism, way) = choose(connection, asked)?;
    let body = match mechanism {
        Pkcs11Mechanism::AesGcm => seal(connection, kek, associated_data)?,
        _ => wrap_bound(connection, mechanism, way, &bound(kek, associated_data))?,
    };
    if !mechanism.fits(&body) {
        return Err(Problem::OddLength.into());
    }
    let mut wrapped = vec![mechanism.byte()];
    wrapped.extend_from_slice(&body);
    connection.find_key_anew()?;
    let opened = unwrap(connection, &wrapped, associated_data).map_err(Failure::of_checking)?;
    if !bool::from(opened.as_slice().ct_eq(kek.expose_bytes())) {
        return Err(Problem::NotVerified.into());
    }
    Ok(wrapped)
}

pub(crate) fn unwrap(
    connection: &Connection,
    wrapped: &[u8],
    associated_data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (first, body) = wrapped.split_first().ok_or(Problem::NotAWrap)?;
    let mechanism = Pkcs11Mechanism::of_byte(*first).filter(|mechanism| mechanism.fits(body));
    match mechanism.ok_or(Problem::NotAWrap)? {
        Pkcs11Mechanism::AesGcm => open(connection, body, associated_data),
        mechanism => {
            let way = way(connection, mechanism)?.ok_or(Problem::MechanismMissing(mechanism))?;
            let plain = unwrap_bound(connection, mechanism, way, body)?;
            let (digest, kek) = plain.split_first_chunk::<32>().ok_or(Problem::NotOpened)?;
            if kek.len() != KEK {
                return Err(Problem::NotOpened.into());
            }
            // These bytes are public, so the time that comparing them takes tells nothing.
            if *digest != sha256(associated_data) {
                return Err(Problem::OtherContext.into());
            }
            Ok(Zeroizing::new(kek.to_vec()))
        }
    }
}

fn choose(connection: &Connection, asked: Option<Pkcs11Mechanism>) -> Result<(Pkcs11Mechanism, Way), Failure> {
    if let Some(mechanism) = asked {
        let way = way(connection, mechanism)?.ok_or(Problem::MechanismMissing(mechanism))?;
        return Ok((mechanism, way));
    }
    for mechanism in Pkcs11Mechanism::ALL {
        if let Some(way) = way(connection, mechanism)? {
            return Ok((mechanism, way));
        }
    }
    Err(Problem::NoMechanism.into())
}

/// The way in which the token and the key support it in both directions, if they do.
fn way(connection: &Connection, mechanism: Pkcs11Mechanism) -> Result<Option<Way>, Failure> {
    let key = connection.key_may();
    let of_token = match connection.mechanism_info(mechanism.number()) {
        Ok(info) => info,
        Err(CryptokiError::Pkcs11(RvError::MechanismInvalid, _)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let data = |info: &MechanismInfo| info.encrypt() && info.decrypt() && key.encrypt && key.decrypt;
    let object = |info: &MechanismInfo| info.wrap() && info.unwrap() && key.wrap && key.unwrap;
    Ok(match mechanism {
        _ if data(&of_token) => Some(Way::Data),
        Pkcs11Mechanism::AesKeyWrap | Pkcs11Mechanism::AesKeyWrapPad if object(&of_token) => Some(Way::Object),
        _ => None,
    })
}

fn seal(connection: &Connection, kek: &Kek, associated_data: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut nonce = [0; NONCE];
    fill_random(&mut nonce).map_err(|error| Failure::from(Problem::Device).caused_by(error))?;
    match seal_with(connection, nonce, kek, associated_data) {
        Err(failure) if failure.is_of_parameters() => seal_with(connection, [0; NONCE], kek, associated_data),
        result => result,
    }
}

fn seal_with(
    connection: &Connection,
    mut nonce: [u8; NONCE],
    kek: &Kek,
    associated_data: &[u8],
) -> Result<Vec<u8>, Failure> {
    let sealed = {
        let mechanism = gcm(&mut nonce, associated_data)?;
        connection.session().encrypt(&mechanism, connection.key(), kek.expose_bytes())?
    };
    if nonce == [0; NONCE] {
        return Err(Problem::NoNonce.into());
    }
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(connection: &Connection, body: &[u8], associated_data: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (nonce, sealed) = body.split_first_chunk::<NONCE>().ok_or(Problem::NotAWrap)?;
    let mut nonce = *nonce;
    let mechanism = gcm(&mut nonce, associated_data)?;
    let opened = connection.session().decrypt(&mechanism, connection.key(), sealed);
    let plain = opened.map(Zeroizing::new).map_err(Failure::of_opening)?;
    if plain.len() == KEK { Ok(plain) } else { Err(Problem::NotOpened.into()) }
}

fn gcm<'a>(nonce: &'a mut [u8], associated_data: &'a [u8]) -> Result<Mechanism<'a>, Failure> {
    Ok(Mechanism::AesGcm(GcmParams::new(nonce, associated_data, Ulong::new(TAG_BITS.into()))?))
}

fn bound(kek: &Kek, associated_data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(BOUND_KEK));
    bytes.extend_from_slice(&sha256(associated_data));
    bytes.extend_from_slice(kek.expose_bytes());
    bytes
}

fn key_wrap(mechanism: Pkcs11Mechanism) -> Mechanism<'static> {
    match mechanism {
        Pkcs11Mechanism::AesKeyWrapPad => Mechanism::AesKeyWrapPad,
        _ => Mechanism::AesKeyWrap,
    }
}

fn wrap_bound(
    connection: &Connection,
    mechanism: Pkcs11Mechanism,
    way: Way,
    plain: &Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, Failure> {
    let (session, mechanism) = (connection.session(), key_wrap(mechanism));
    if way == Way::Data {
        return Ok(session.encrypt(&mechanism, connection.key(), plain)?);
    }
    let mut template = object_template();
    template.push(Attribute::Value(plain.to_vec()));
    let created = session.create_object(&template);
    wipe_values(&mut template);
    let object = created?;
    let wrapped = session.wrap_key(&mechanism, connection.key(), object);
    // If it fails, the session is closed and its objects end with it.
    session.destroy_object(object)?;
    Ok(wrapped?)
}

fn unwrap_bound(
    connection: &Connection,
    mechanism: Pkcs11Mechanism,
    way: Way,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let (session, mechanism) = (connection.session(), key_wrap(mechanism));
    if way == Way::Data {
        return session.decrypt(&mechanism, connection.key(), body).map(Zeroizing::new).map_err(Failure::of_opening);
    }
    let object = session.unwrap_key(&mechanism, connection.key(), body, &object_template());
    let object = object.map_err(Failure::of_opening)?;
    let mut attributes = session.get_attributes(object, &[AttributeType::Value])?;
    let plain = attributes.iter().find_map(|attribute| match attribute {
        Attribute::Value(value) => Some(Zeroizing::new(value.clone())),
        _ => None,
    });
    wipe_values(&mut attributes);
    session.destroy_object(object)?;
    plain.ok_or_else(|| Problem::NotHandedBack.into())
}

/// A secret that only this session has, and that can be read back.
fn object_template() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ]
}

fn wipe_values(attributes: &mut [Attribute]) {
    for attribute in attributes {
        if let Attribute::Value(value) = attribute {
            value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_is_bound() {
        let bytes = bound(&Kek::from_bytes(&[7; 32]).unwrap(), b"abc");
        assert_eq!((bytes.len(), bytes.capacity()), (BOUND_KEK, BOUND_KEK), "it did not grow");
        assert_eq!(bytes[..4], [0xBA, 0x78, 0x16, 0xBF], "SHA-256 of `abc`");
        assert_eq!(bytes[32..], [7; 32]);
    }
}

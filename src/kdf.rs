//! HKDF-SHA-256 (RFC 5869) over framed `info` (FORMAT 3.1, 3.2, 3.5).

#[cfg(feature = "aws-lc")]
mod aws_lc;
mod prepared_hmac;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::aead::Letter;
use crate::backend::Backend;
use crate::codec::frame::{FrameWriter, domain};
use crate::error::{Error, ErrorKind};
use crate::secret::SecretBytes;

pub(crate) use prepared_hmac::PreparedHmac;

/// What a derived key is for: the table of FORMAT 3.2, with the parts that each purpose binds.
#[derive(Clone, Copy)]
pub(crate) enum KeyPurpose<'a> {
    Fingerprint { keyspace: &'a str },
    Seal { keyspace: &'a str, letter: Letter, class: &'a str },
    Subject { keyspace: &'a str, letter: Letter, class: &'a str },
    Wrap { keyspace: &'a str },
    Record { keyspace: &'a str },
    Index { keyspace: &'a str, index: &'a str },
    Body { keyspace: &'a str, generation: u64 },
    RootWrap,
    RootName,
}

impl KeyPurpose<'_> {
    fn info(self) -> Vec<u8> {
        let (name, keyspace, letter, class_or_index, generation) = match self {
            Self::Fingerprint { keyspace } => ("fingerprint", Some(keyspace), None, None, None),
            Self::Seal { keyspace, letter, class } => ("seal", Some(keyspace), Some(letter), Some(class), None),
            Self::Subject { keyspace, letter, class } => ("subject", Some(keyspace), Some(letter), Some(class), None),
            Self::Wrap { keyspace } => ("wrap", Some(keyspace), Some(Letter::Xaes), None, None),
            Self::Record { keyspace } => ("record", Some(keyspace), None, None, None),
            Self::Index { keyspace, index } => ("index", Some(keyspace), None, Some(index), None),
            Self::Body { keyspace, generation } => {
                ("body", Some(keyspace), Some(Letter::Xaes), None, Some(generation.to_be_bytes()))
            }
            Self::RootWrap => ("root-wrap", None, None, None, None),
            Self::RootName => ("root-name", None, None, None, None),
        };
        let mut info = Vec::with_capacity(160);
        FrameWriter::new(domain::KEY, &mut info)
            .part(1, name.as_bytes())
            .optional_part(2, keyspace.map(str::as_bytes))
            .optional_part(3, letter.map(Letter::as_byte).as_ref().map(std::slice::from_ref))
            .optional_part(4, class_or_index.map(str::as_bytes))
            .optional_part(5, generation.as_ref().map(<[u8; 8]>::as_slice));
        info
    }
}

/// `derive` of FORMAT 3.1: Expand only, since the keys are uniform.
pub(crate) fn derive(
    backend: Backend,
    key: &SecretBytes<32>,
    purpose: KeyPurpose<'_>,
) -> Result<SecretBytes<32>, Error> {
    let info = purpose.info();
    SecretBytes::try_fill(|okm| match backend {
        Backend::RustCrypto => {
            let hkdf = Hkdf::<Sha256>::from_prk(key.expose_bytes()).map_err(|_| ErrorKind::BackendFailed)?;
            hkdf.expand(&info, okm).map_err(|_| ErrorKind::BackendFailed)
        }
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => aws_lc::expand(key.expose_bytes(), &info, okm),
    })
    .map_err(Error::from)
}

/// The AEAD key of a class where a subject key is the second factor (FORMAT 3.5): Extract and Expand.
pub(crate) fn derive_with_subject(
    backend: Backend,
    subject_key: &SecretBytes<32>,
    class_input: &SecretBytes<32>,
    keyspace: &str,
    letter: Letter,
    class: &str,
    subject_id: &str,
) -> Result<SecretBytes<32>, Error> {
    let mut info = Vec::with_capacity(256);
    FrameWriter::new(domain::SUBJECT, &mut info)
        .part(2, keyspace.as_bytes())
        .part(3, &[letter.as_byte()])
        .part(4, class.as_bytes())
        .part(7, subject_id.as_bytes());
    let (salt, input) = (subject_key.expose_bytes(), class_input.expose_bytes());
    SecretBytes::try_fill(|okm| match backend {
        Backend::RustCrypto => {
            Hkdf::<Sha256>::new(Some(salt), input).expand(&info, okm).map_err(|_| ErrorKind::BackendFailed)
        }
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => aws_lc::extract_and_expand(salt, input, &info, okm),
    })
    .map_err(Error::from)
}

/// HMAC-SHA-256 (RFC 2104), of one message.
pub(crate) fn hmac_sha256(backend: Backend, key: &SecretBytes<32>, message: &[u8]) -> Result<[u8; 32], Error> {
    Ok(match backend {
        Backend::RustCrypto => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_bytes()).map_err(|_| ErrorKind::BackendFailed)?;
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => aws_lc::hmac_sha256(key.expose_bytes(), message),
    })
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(backend: Backend, bytes: &[u8]) -> [u8; 32] {
    match backend {
        Backend::RustCrypto => Sha256::digest(bytes).into(),
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc => aws_lc::sha256(bytes),
    }
}

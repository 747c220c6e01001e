//! One session with a token. It finds the token, logs in, and checks the key before it is used.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error as CryptokiError, RvError};
use cryptoki::mechanism::{MechanismInfo, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo};

use crate::failure::{Failure, Problem};
use crate::library;
use crate::pin::{Attempts, Login};
use crate::selection::Selection;

/// Where the key is, and what it may be.
pub(crate) struct Place {
    pub(crate) library: PathBuf,
    pub(crate) selection: Selection,
    pub(crate) allow_extractable: bool,
}

/// What the key's attributes allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the token's four flags")]
pub(crate) struct KeyMay {
    pub(crate) encrypt: bool,
    pub(crate) decrypt: bool,
    pub(crate) wrap: bool,
    pub(crate) unwrap: bool,
}

/// A session that is logged in, with the key. It is closed when dropped.
pub(crate) struct Connection {
    place: Arc<Place>,
    library: Pkcs11,
    slot: Slot,
    session: Session,
    found: Cell<(ObjectHandle, KeyMay)>,
}

impl Connection {
    /// Looks everything up again, so that it works after an HSM was restarted or replaced.
    pub(crate) fn open(place: &Arc<Place>, login: &Login, ends: Option<Instant>) -> Result<Self, Failure> {
        let library = library::open(&place.library)?;
        let (slot, token) = find_token(&library, &place.selection)?;
        let attempts = Attempts::at(&place.library, &token);
        let session = open_session(&library, slot)?;
        match prepare(&session, place, login, &attempts, ends) {
            Ok(found) => Ok(Self { place: Arc::clone(place), library, slot, session, found: Cell::new(found) }),
            Err(failure) => {
                end(session, &failure);
                Err(failure)
            }
        }
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn key(&self) -> ObjectHandle {
        self.found.get().0
    }

    pub(crate) fn key_may(&self) -> KeyMay {
        self.found.get().1
    }

    /// Finds the key again: while a session was in the pool, another key may have taken its place, or its attributes
    /// may have changed.
    pub(crate) fn find_key_anew(&self) -> Result<(), Failure> {
        self.found.set(look(&self.session, &self.place)?);
        Ok(())
    }

    pub(crate) fn mechanism_info(&self, mechanism: MechanismType) -> Result<MechanismInfo, CryptokiError> {
        // Not the complete list: cryptoki logs an error for each entry that it does not know.
        self.library.get_mechanism_info(self.slot, mechanism)
    }

    /// Ends it after `failure`. A failed call leaves a session in an unknown state, so it is never used again.
    pub(crate) fn end(self, failure: &Failure) {
        end(self.session, failure);
    }
}

/// Read-only, since nothing is written. Some HSMs have only read-write sessions.
fn open_session(library: &Pkcs11, slot: Slot) -> Result<Session, Failure> {
    let refused = match library.open_ro_session(slot).map_err(Failure::from) {
        Err(refused) if refused.is_refused() => refused,
        result => return result,
    };
    library.open_rw_session(slot).map_err(|_| refused)
}

fn end(session: Session, failure: &Failure) {
    if failure.has_no_session() {
        let _ = ManuallyDrop::new(session);
    }
}

fn prepare(
    session: &Session,
    place: &Place,
    login: &Login,
    attempts: &Attempts,
    ends: Option<Instant>,
) -> Result<(ObjectHandle, KeyMay), Failure> {
    login.ensure(session, attempts, ends)?;
    look(session, place)
}

fn look(session: &Session, place: &Place) -> Result<(ObjectHandle, KeyMay), Failure> {
    let key = find_key(session, &place.selection)?;
    let key_may = check_key(&session.get_attributes(key, ATTRIBUTES)?, place.allow_extractable)?;
    Ok((key, key_may))
}

fn find_token(library: &Pkcs11, selection: &Selection) -> Result<(Slot, TokenInfo), Failure> {
    let (mut found, mut failed) = (Vec::new(), None);
    for slot in library.get_slots_with_token()? {
        match library.get_token_info(slot) {
            Ok(token) if selection.is_of_token(slot.id(), token.label(), token.serial_number()) => {
                found.push((slot, token));
            }
            Ok(_) => {}
            // This matters only if it may be the token that is looked for.
            Err(error) => failed = Some(error),
        }
    }
    match (found.pop(), failed) {
        (Some(only), _) if found.is_empty() => Ok(only),
        (None, None | Some(CryptokiError::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized, _))) => {
            Err(Problem::TokenMissing.into())
        }
        (None, Some(error)) => Err(error.into()),
        (Some(_), _) => Err(Problem::TokenAmbiguous(found.len().saturating_add(1)).into()),
    }
}

/// Only private keys: others are made and used without the PIN, and a key that anybody could add must not even make
/// ours ambiguous.
fn find_key(session: &Session, selection: &Selection) -> Result<ObjectHandle, Failure> {
    let mut template =
        vec![Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES), Attribute::Token(true)];
    template.extend(selection.label.as_ref().map(|label| Attribute::Label(label.as_bytes().to_vec())));
    template.extend(selection.id.clone().map(Attribute::Id));
    let public = template.clone();
    template.push(Attribute::Private(true));
    match session.find_objects(&template)?.as_slice() {
        [key] => Ok(*key),
        [] if session.find_objects(&public)?.is_empty() => Err(Problem::KeyMissing.into()),
        [] => Err(Problem::KeyPublic.into()),
        several => Err(Problem::KeyAmbiguous(several.len()).into()),
    }
}

const ATTRIBUTES: &[AttributeType] = &[
    AttributeType::ValueLen,
    AttributeType::Private,
    AttributeType::Sensitive,
    AttributeType::Extractable,
    AttributeType::Encrypt,
    AttributeType::Decrypt,
    AttributeType::Wrap,
    AttributeType::Unwrap,
];

/// An attribute that a token does not tell counts as the worse value.
fn check_key(attributes: &[Attribute], allow_extractable: bool) -> Result<KeyMay, Problem> {
    let (mut len, mut private, mut sensitive, mut extractable) = (None, false, false, true);
    let mut key_may = KeyMay::default();
    for attribute in attributes {
        match attribute {
            Attribute::ValueLen(value) => len = Some(usize::from(*value)),
            Attribute::Private(value) => private = *value,
            Attribute::Sensitive(value) => sensitive = *value,
            Attribute::Extractable(value) => extractable = *value,
            Attribute::Encrypt(value) => key_may.encrypt = *value,
            Attribute::Decrypt(value) => key_may.decrypt = *value,
            Attribute::Wrap(value) => key_may.wrap = *value,
            Attribute::Unwrap(value) => key_may.unwrap = *value,
            _ => {}
        }
    }
    if len != Some(32) {
        return Err(Problem::KeyLength);
    }
    if !private {
        return Err(Problem::KeyPublic);
    }
    if (extractable || !sensitive) && !allow_extractable {
        return Err(Problem::KeyExtractable);
    }
    Ok(key_may)
}

#[cfg(test)]
mod tests {
    use cryptoki::types::Ulong;

    use super::*;

    fn key(len: u32, sensitive: bool, extractable: bool) -> Vec<Attribute> {
        let len = Attribute::ValueLen(Ulong::new(len.into()));
        let stays = [Attribute::Private(true), Attribute::Sensitive(sensitive), Attribute::Extractable(extractable)];
        [vec![len], stays.to_vec(), vec![Attribute::Encrypt(true)]].concat()
    }

    #[test]
    fn only_a_key_that_stays_is_used() {
        let may = KeyMay { encrypt: true, ..KeyMay::default() };
        assert_eq!(check_key(&key(32, true, false), false), Ok(may));
        for loose in [key(32, true, true), key(32, false, false), key(32, false, true)] {
            assert_eq!(check_key(&loose, false), Err(Problem::KeyExtractable));
            assert_eq!(check_key(&loose, true), Ok(may));
        }
        for len in [0, 16, 24, 64] {
            assert_eq!(check_key(&key(len, true, false), true), Err(Problem::KeyLength));
        }
    }

    #[test]
    fn a_key_that_needs_no_pin_is_refused() {
        let mut public = key(32, true, false);
        public[1] = Attribute::Private(false);
        assert_eq!(check_key(&public, false), Err(Problem::KeyPublic));
        assert_eq!(check_key(&public, true), Err(Problem::KeyPublic));
    }

    #[test]
    fn what_is_not_told_counts_as_the_worse() {
        for missing in 0..4 {
            let mut attributes = key(32, true, false);
            attributes.remove(missing);
            assert!(check_key(&attributes, false).is_err(), "{missing}");
        }
        assert_eq!(check_key(&key(32, true, false)[..4], false), Ok(KeyMay::default()));
    }
}

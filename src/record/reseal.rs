//! Moving tokens: to the primary key, or to another record. No plaintext leaves.

use super::core::RecordCore;
use super::open::OpenState;
use super::{Record, Repeat, SealState, seal_appending};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::scratch;
use crate::token::Token;

impl Record {
    /// The same value under the primary key and the field's current id, class and padding.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field. `key-compromised` where the token's key is: see
    /// [`reseal_compromised`](Self::reseal_compromised).
    pub fn reseal<F: Field>(&self, token: &Token) -> Result<Token, Error> {
        moved::<F>(self.core(), self.core(), token, &mut OpenState::default())
    }

    /// As [`reseal`](Self::reseal), from a key that is marked compromised. What it vouches for may be forged, and is
    /// authentic under the new key from then on: compare it with another source first.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field.
    pub fn reseal_compromised<F: Field>(&self, token: &Token) -> Result<Token, Error> {
        let mut open = OpenState::default();
        open.allow_compromised = true;
        moved::<F>(self.core(), self.core(), token, &mut open)
    }

    /// The value of this record's token, sealed for the record `to`: a merged patient, a copied row. The only way.
    ///
    /// An opening of this record, of which the observer hears: whoever may open the other one could read the value there.
    ///
    /// ```
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// use rxseal::phi::PatientName;
    /// let duplicate = keys.record("patient", "P-2")?;
    /// let merged = keys.record("patient", "P-1")?;
    /// let token = duplicate.seal::<PatientName>("Jane Doe")?;
    /// let access = rxseal::Access::new("job:merge-patients", rxseal::Purpose::PATADMIN)?;
    /// let token = duplicate.rebind::<PatientName>(&merged, &token, &access)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field; `refused-by-observer`; `keyspace-mismatch` where `to` is of another keyspace.
    pub fn rebind<F: Field>(&self, to: &Record, token: &Token, access: &Access) -> Result<Token, Error> {
        if self.core().shared().keys.keyspace() != to.core().shared().keys.keyspace() {
            return Err(ErrorKind::KeyspaceMismatch.into());
        }
        let mut audit = self.access(access).begin_opening()?;
        let moved = moved::<F>(self.core(), to.core(), token, &mut audit.state);
        let moved = moved.inspect_err(|error| audit.state.note_failure(error));
        audit.end();
        moved
    }
}

fn moved<F: Field>(from: &RecordCore, to: &RecordCore, token: &Token, open: &mut OpenState) -> Result<Token, Error> {
    scratch::with(|buffer| {
        buffer.vec().extend_from_slice(token.as_bytes());
        let content = open.open::<F>(from, buffer.as_mut_slice());
        let content = content.map_err(|error| error.at_field(F::ID).in_record(from.context().record_type()))?;
        let mut state = SealState::default();
        let mut out = Vec::new();
        seal_appending::<F>(to, &content, &mut out, |sealing| sealing.encrypt(to, &mut state, Repeat::Refused))?;
        Ok(Token::from_sealed(out))
    })
}

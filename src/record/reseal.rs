//! Moving tokens: to the primary key, or to another record. No plaintext leaves.

use std::fmt;

use super::core::RecordCore;
use super::open::OpenState;
use super::seal::PlacedPayload;
use super::{Claim, Record, SealState, TokenForm, seal_appending};
use crate::access::Access;
use crate::codec::text;
use crate::error::{Error, ErrorKind};
use crate::field::{Declaration, Field};
use crate::scratch;
use crate::token::Token;

impl Record {
    /// The same value under the primary key and the field's current id, class and padding.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field. `key-compromised` if the token's key is marked so: see
    /// [`reseal_compromised`](Self::reseal_compromised).
    pub fn reseal<F: Field>(&self, token: &Token) -> Result<Token, Error> {
        self.reseal_fields(|pass| pass.reseal::<F>(token))
    }

    /// Reseals several fields in one pass: one draw of random bytes, and one key set-up per class and key, however many fields.
    /// Of many records: [`reseal_page`](crate::page::reseal_page).
    ///
    /// ```
    /// use rxseal::{Sealed, phi};
    /// struct Row {
    ///     drug: Sealed<String, phi::Drug>,
    ///     directions: Sealed<String, phi::Directions>,
    /// }
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("prescription", "RX-1001")?;
    /// # let row = Row { drug: Sealed::seal(&rec, "warfarin")?, directions: Sealed::seal(&rec, "daily")? };
    /// let row = rec.reseal_fields(|pass| {
    ///     Ok(Row { drug: pass.reseal_field(&row.drug)?, directions: pass.reseal_field(&row.directions)? })
    /// })?;
    /// assert_eq!(row.drug.token().key_id(), keys.primary_key());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn reseal_fields<T>(&self, work: impl FnOnce(&mut ResealPass<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.try_reseal_fields(work)
    }

    /// As [`reseal_fields`](Self::reseal_fields), for `work` with an error type of its own.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn try_reseal_fields<T, E>(&self, work: impl FnOnce(&mut ResealPass<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut pass = ResealPass::with_state(self.core(), SealState::default());
        let result = work(&mut pass);
        if result.is_ok() {
            self.core().shared().tell_resealed(1, pass.resealed());
        }
        result
    }

    /// The same as [`reseal`](Self::reseal), but from a key that is marked compromised. The value may be forged, and counts as authentic
    /// under the new key from then on. So compare it with another source first. The observer is told of it.
    ///
    /// # Errors
    ///
    /// Those of opening and sealing the field.
    pub fn reseal_compromised<F: Field>(&self, token: &Token) -> Result<Token, Error> {
        let resealed = self.reseal_fields(|pass| {
            pass.open.allow_compromised = true;
            pass.reseal::<F>(token)
        })?;
        self.core().shared().tell_compromised(token.key_id());
        Ok(resealed)
    }

    /// Seals the value of this record's token for the record `to`, for example for a merged patient or a copied row. There is no other
    /// way to move a token to another record.
    ///
    /// This is an opening of this record, and the observer is told of it: whoever may open the other record can read the value there.
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
    /// Those of opening and sealing the field; `refused-by-observer`; `keyspace-mismatch` if `to` is of another keyspace.
    pub fn rebind<F: Field>(&self, to: &Record, token: &Token, access: &Access) -> Result<Token, Error> {
        if self.core().shared().keys.keyspace() != to.core().shared().keys.keyspace() {
            return Err(ErrorKind::KeyspaceMismatch.into());
        }
        let mut audit = self.opened_by(access).begin_opening()?;
        let (mut seal, mut out) = (SealState::default(), Vec::new());
        let form = TokenForm::Bytes(token.as_bytes());
        let moved = move_token(
            Declaration::of::<F>(),
            (self.core(), &mut audit.state),
            (to.core(), &mut seal),
            Claim::Token,
            form,
            &mut out,
        );
        let moved = moved.map(|()| Token::from_sealed(out)).inspect_err(|error| audit.state.note_failed_field(error));
        audit.end_with(moved)
    }
}

/// Reseals fields of one record, each field id once. No plaintext leaves.
///
/// [`reseal_field`](Self::reseal_field) takes and gives a [`Sealed`](crate::Sealed), which knows its marker. The others take and give
/// tokens, of the marker that the caller names.
// The typed call is in `form/typed.rs`.
pub struct ResealPass<'r> {
    pub(super) core: &'r RecordCore,
    pub(super) open: OpenState,
    pub(super) seal: SealState,
    pub(super) resealed: usize,
}

impl<'r> ResealPass<'r> {
    pub(super) fn with_state(core: &'r RecordCore, seal: SealState) -> Self {
        Self { core, open: OpenState::default(), seal, resealed: 0 }
    }

    /// How many fields were resealed until now.
    pub(super) fn resealed(&self) -> usize {
        self.resealed
    }

    /// The same value under the primary key and the field's current id, class and padding.
    ///
    /// # Errors
    ///
    /// Those of [`Record::reseal`], and `field-repeated`.
    pub fn reseal<F: Field>(&mut self, token: &Token) -> Result<Token, Error> {
        let mut out = Vec::new();
        self.reseal_into::<F>(token.as_bytes(), &mut out)?;
        Ok(Token::from_sealed(out))
    }

    /// As [`reseal`](Self::reseal), from text to text.
    ///
    /// # Errors
    ///
    /// Those of [`reseal`](Self::reseal); `not-a-token`.
    pub fn reseal_text<F: Field>(&mut self, token: &str) -> Result<String, Error> {
        scratch::with(|buffer| {
            self.move_form(Declaration::of::<F>(), TokenForm::Text(token), buffer.vec())?;
            Ok(text::encode_behind(buffer.vec()).to_owned())
        })
    }

    /// As [`reseal`](Self::reseal), from a binary token; appends the new one to `out`. If `out` has the room, nothing is
    /// allocated. On an error `out` is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`reseal`](Self::reseal); `not-a-token`.
    pub fn reseal_into<F: Field>(&mut self, token: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.move_form(Declaration::of::<F>(), TokenForm::Bytes(token), out)
    }

    pub(super) fn move_form(
        &mut self,
        field: &Declaration,
        token: TokenForm<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Self { core, open, seal, resealed } = self;
        move_token(field, (core, open), (core, seal), Claim::Token, token, out)?;
        *resealed = resealed.saturating_add(1);
        Ok(())
    }
}

impl fmt::Debug for ResealPass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResealPass").finish_non_exhaustive()
    }
}

/// Opens `token` of one record and seals its value for another, or for the same.
pub(crate) fn move_between(
    field: &Declaration,
    from: (&RecordCore, &mut OpenState),
    to: (&RecordCore, &mut SealState),
    claim: Claim,
    token: &Token,
) -> Result<Token, Error> {
    let mut out = Vec::new();
    move_token(field, from, to, claim, TokenForm::Bytes(token.as_bytes()), &mut out)?;
    Ok(Token::from_sealed(out))
}

/// Opens `token` in the thread's scratch buffer, seals its value again and appends it to `out`.
pub(super) fn move_token(
    field: &Declaration,
    (from, open): (&RecordCore, &mut OpenState),
    (to, seal): (&RecordCore, &mut SealState),
    claim: Claim,
    token: TokenForm<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    token
        .with_room(|token, room| {
            let content = open.open(field, from, token, room)?;
            let header = to.sealing_header(field.class)?;
            let encrypt = |sealing: PlacedPayload<'_>| sealing.encrypt(to, seal, claim);
            seal_appending(field, header, &content, out, encrypt)
        })
        .map_err(|error| from.located(field.id, error))
}

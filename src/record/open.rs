//! Opening tokens of a record.

use super::core::RecordCore;
use super::workspace::Workspace;
use crate::aead::{Letter, TAG_LEN};
use crate::error::{Error, ErrorKind};
use crate::field::Field;
use crate::id::{Class, FieldId};
use crate::key::Dek;
use crate::observe::Touched;
use crate::payload::{self, Content};
use crate::token::{HEADER_LEN, Header};

/// What one opening keeps from field to field, and what the observer is told of it.
#[derive(Default)]
pub(crate) struct OpenState {
    workspace: Workspace,
    pub(crate) fields: usize,
    /// The code of the first failure.
    pub(crate) failed: Option<&'static str>,
    pub(crate) allow_compromised: bool,
}

impl OpenState {
    /// Opens the binary token in `token`, in place (FORMAT 4.6, 5.1, 7.3).
    pub(crate) fn open<'b, F: Field>(&mut self, core: &RecordCore, token: &'b mut [u8]) -> Result<Content<'b>, Error> {
        let content = self.open_pairs::<F>(core, token)?;
        self.fields = self.fields.saturating_add(1);
        Ok(content)
    }

    /// The ciphers of the record before are of no use for the next.
    pub(super) fn next_record(&mut self) {
        self.forget_ciphers(0);
    }

    /// How many ciphers there are, for `forget_ciphers`.
    pub(crate) fn ciphers(&self) -> usize {
        self.workspace.ciphers.len()
    }

    /// Wipes all but the first `kept` ciphers: those of a part that was left match nothing any more.
    pub(crate) fn forget_ciphers(&mut self, kept: usize) {
        self.workspace.ciphers.keep_first(kept);
    }

    pub(super) fn touched(&self) -> &[Touched] {
        &self.workspace.touched
    }

    pub(crate) fn note_failure(&mut self, error: &Error) {
        self.failed.get_or_insert(error.code());
    }

    fn open_pairs<'b, F: Field>(&mut self, core: &RecordCore, token: &'b mut [u8]) -> Result<Content<'b>, Error> {
        const { crate::field::check::<F>() };
        let header = Header::parse(token)?;
        let keys = &core.shared().keys;
        let dek = keys.find(header.key_id)?;
        self.touch(Touched { class: F::CLASS, key_id: dek.id });
        core.check_class(F::CLASS)?;
        if !self.allow_compromised {
            dek.check_opens()?;
        }
        let failed = || Error::from(ErrorKind::OpenFailed).with_key(dek.id);
        let bound = header.letter != Letter::BoundXaes || core.context().has_record_id();
        if !dek.suite.opens(header.letter) || !bound {
            return Err(failed());
        }
        let mut opened = self.decrypt(core, dek, header, F::ID, F::CLASS, token).is_ok();
        for (id, class) in F::FORMER {
            if opened {
                break;
            }
            // A former pair of a locked class stays closed; the error is that of a token that does not open.
            if core.allows(*class) {
                self.touch(Touched { class: *class, key_id: dek.id });
                opened = self.decrypt(core, dek, header, *id, *class, token).is_ok();
            }
        }
        if !opened {
            return Err(failed());
        }
        let start = HEADER_LEN.saturating_add(header.letter.nonce_len());
        let end = token.len().saturating_sub(TAG_LEN);
        payload::content(token.get(start..end).unwrap_or_default()).map_err(|_| failed())
    }

    fn touch(&mut self, touched: Touched) {
        let known = &mut self.workspace.touched;
        if !known.contains(&touched) {
            known.push(touched);
        }
    }

    /// Decrypts in place, or leaves the token as it was.
    fn decrypt(
        &mut self,
        core: &RecordCore,
        dek: &Dek,
        header: Header,
        field: FieldId,
        class: Class,
        token: &mut [u8],
    ) -> Result<(), Error> {
        let letter = header.letter;
        let (head, rest) = token.split_first_chunk_mut::<HEADER_LEN>().ok_or(ErrorKind::NotAToken)?;
        let (wire_nonce, rest) = rest.split_at_mut_checked(letter.nonce_len()).ok_or(ErrorKind::NotAToken)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or(ErrorKind::NotAToken)?;

        // FORMAT 5: the nonce's last bytes are on the wire; letter `X` has the context in front.
        let mut nonce = [0; 24];
        let context_half = nonce.len().saturating_sub(wire_nonce.len());
        let (from_context, from_wire) = nonce.split_at_mut(context_half);
        from_wire.copy_from_slice(wire_nonce);
        from_context.copy_from_slice(core.context().nonce_prefix().get(..context_half).unwrap_or_default());

        let cipher = self.workspace.ciphers.get(core, dek, letter, class, &nonce)?;
        core.with_aad(head, field, |aad| cipher.open(&nonce, aad, text, tag))
    }
}

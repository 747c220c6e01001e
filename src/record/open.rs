//! Opening tokens of a record.

use std::marker::PhantomData;

use super::core::RecordCore;
use super::workspace::Workspace;
use crate::aead::{MessageCipher, TAG_LEN};
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::field::Field;
use crate::id::{Class, FieldId};
use crate::key::Dek;
use crate::observe::Touched;
use crate::payload::{self, Content};
use crate::secret::wipe;
use crate::token::{Header, TokenParts};

/// What one opening keeps from field to field, and what the observer is told of it.
#[derive(Default)]
pub(crate) struct OpenState {
    workspace: Workspace,
    pub(crate) fields: usize,
    /// The code of the first failure.
    pub(crate) failed: Option<ErrorCode>,
    pub(crate) allow_compromised: bool,
}

impl OpenState {
    /// Opens `token` into `out`, whose length is that of its payload (FORMAT 4.6, 5.1, 7.3).
    pub(crate) fn open<'o, F: Field>(
        &mut self,
        core: &RecordCore,
        token: TokenParts<'_>,
        out: &'o mut [u8],
    ) -> Result<Content<'o>, Error> {
        const { crate::field::check::<F>() };
        self.open_bound(Declared::<F>(PhantomData), core, token, out)
    }

    /// The same for a field that no type declares.
    #[inline]
    pub(super) fn open_bound<'o>(
        &mut self,
        field: impl Bound,
        core: &RecordCore,
        token: TokenParts<'_>,
        out: &'o mut [u8],
    ) -> Result<Content<'o>, Error> {
        let TokenParts { header, nonce, text, tag } = token;
        let nonce = whole_nonce(core, nonce);
        self.try_pairs(field, core, header, &nonce, |cipher, aad| {
            cipher.open(header.letter, &nonce, aad, text, tag, out)
        })?;
        let content = payload::content(out).map_err(|error| error.with_key(header.key_id))?;
        self.fields = self.fields.saturating_add(1);
        Ok(content)
    }

    /// Opens the binary token in `buffer`, which then holds its text or bytes and nothing else. On an error it is as it was.
    pub(super) fn open_in_place<F: Field>(&mut self, core: &RecordCore, buffer: &mut Vec<u8>) -> Result<(), Error> {
        let TokenParts { header, nonce, tag, .. } = TokenParts::parse(buffer)?;
        let (nonce, tag) = (whole_nonce(core, nonce), *tag);
        let start = header.payload_start();
        let end = buffer.len().saturating_sub(TAG_LEN);
        let text = buffer.get_mut(start..end).unwrap_or_default();
        let decrypt = |cipher: &MessageCipher, aad: &[u8]| cipher.open_in_place(header.letter, &nonce, aad, text, &tag);
        const { crate::field::check::<F>() };
        let pair = self.try_pairs(Declared::<F>(PhantomData), core, header, &nonce, decrypt)?;
        let text = buffer.get_mut(start..end).unwrap_or_default();
        let content = payload::content(text).map_err(|error| error.with_key(header.key_id));
        self.fields = self.fields.saturating_add(usize::from(content.is_ok()));
        let len = |content: Content<'_>| Ok(content.scalar().ok_or(ErrorKind::TypeMismatch)?.len());
        match content.and_then(len) {
            Ok(len) => {
                payload::keep(buffer, 0, start.saturating_add(1), len);
                Ok(())
            }
            Err(error) => {
                // The same bytes under the same nonce are the same token.
                let undo = |cipher: &MessageCipher, aad: &[u8]| {
                    let sealed = cipher.seal(header.letter, &nonce, aad, text).map(drop);
                    // Better no token than plaintext in its place.
                    sealed.inspect_err(|_| wipe(text))
                };
                self.with_cipher(core, core.shared().keys.find(header.key_id)?, header, pair, &nonce, undo)?;
                Err(error)
            }
        }
    }

    /// Forgets the ciphers of the previous record, which are of no use for the next.
    pub(crate) fn next_record(&mut self) {
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

    /// Has `decrypt` try the field's pair of id and class, then its former ones, until one succeeds.
    fn try_pairs<B: Bound>(
        &mut self,
        field: B,
        core: &RecordCore,
        header: Header,
        nonce: &[u8; 24],
        mut decrypt: impl FnMut(&MessageCipher, &[u8]) -> Result<(), Error>,
    ) -> Result<Pair, Error> {
        let current = field.current();
        let dek = core.shared().keys.find(header.key_id)?;
        self.touch(Touched { class: current.1, key_id: dek.id });
        core.check_class(current.1)?;
        if !self.allow_compromised {
            dek.check_opens()?;
        }
        let failed = || Error::from(ErrorKind::OpenFailed).with_key(dek.id);
        let bound = !header.letter.has_context_in_nonce() || core.context().has_record_id();
        if !dek.suite.opens(header.letter) || !bound {
            return Err(failed());
        }
        // Only where the token does not open, another pair may: a backend that fails says nothing of the token.
        let mut opens = |state: &mut Self, pair| match state.with_cipher(core, dek, header, pair, nonce, &mut decrypt) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::OpenFailed) => Ok(false),
            Err(error) => Err(error),
        };
        if opens(self, current)? {
            return Ok(current);
        }
        for former in B::FORMER {
            // A former pair of a locked class stays closed; the error is that of a token that does not open.
            if core.allows(former.1) {
                self.touch(Touched { class: former.1, key_id: dek.id });
                if opens(self, *former)? {
                    return Ok(*former);
                }
            }
        }
        Err(failed())
    }

    fn touch(&mut self, touched: Touched) {
        let known = &mut self.workspace.touched;
        if !known.contains(&touched) {
            known.push(touched);
        }
    }

    fn with_cipher(
        &mut self,
        core: &RecordCore,
        dek: &Dek,
        header: Header,
        (field, class): Pair,
        nonce: &[u8; 24],
        work: impl FnOnce(&MessageCipher, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let cipher = self.workspace.ciphers.get(core, dek, header.letter, class, nonce)?;
        core.with_aad(&header.to_bytes(), field, |aad| work(cipher, aad))
    }
}

/// A field's id and class.
pub(super) type Pair = (FieldId, Class);

/// What a token of a field may be bound to. A type and no value, so that the compiler sees which fields have no former pairs: those
/// have one way through, without a second call of what decrypts.
pub(super) trait Bound {
    const FORMER: &'static [Pair];

    fn current(self) -> Pair;
}

struct Declared<F>(PhantomData<F>);

impl<F: Field> Bound for Declared<F> {
    const FORMER: &'static [Pair] = F::FORMER;

    fn current(self) -> Pair {
        (F::ID, F::CLASS)
    }
}

/// A field that no type declares. It has no former pairs.
impl Bound for Pair {
    const FORMER: &'static [Pair] = &[];

    fn current(self) -> Pair {
        self
    }
}

/// FORMAT 5: the nonce's last bytes are on the wire; letter `X` has the context in front.
fn whole_nonce(core: &RecordCore, on_wire: &[u8]) -> [u8; 24] {
    let mut nonce = [0; 24];
    let context_half = nonce.len().saturating_sub(on_wire.len());
    if let Some((from_context, from_wire)) = nonce.split_at_mut_checked(context_half)
        && from_wire.len() == on_wire.len()
    {
        from_wire.copy_from_slice(on_wire);
        from_context.copy_from_slice(core.context().nonce_prefix().get(..context_half).unwrap_or_default());
    }
    nonce
}

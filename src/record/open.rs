//! Opening tokens of a record.

use super::core::{RecordCore, with_aad};
use super::workspace::Workspace;
use crate::aead::{MessageCipher, TAG_LEN};
use crate::context::Context;
use crate::error::{Error, ErrorCode, ErrorKind};
use crate::field::Declaration;
use crate::id::{Class, FieldId, KeyId};
use crate::key::Dek;
use crate::observe::{PlaintextRead, Touched};
use crate::payload::{self, Content};
use crate::secret::wipe;
use crate::token::{HEADER_LEN, Header, TokenParts};

/// What one opening keeps from field to field, and what the observer is told of it.
#[derive(Default)]
pub(crate) struct OpenState {
    workspace: Workspace,
    pub(super) failed_fields: usize,
    /// How many of them opened under a former record type, and how many under a former pair of the field.
    pub(crate) former_types: usize,
    pub(crate) former_fields: usize,
    /// The code of the first failure.
    pub(crate) failed: Option<ErrorCode>,
    pub(crate) allow_compromised: bool,
    pub(super) plaintexts: Vec<PlaintextRead>,
    /// The place of the class and key that were touched last.
    touched_at: usize,
}

/// What is told of openings that joined another one.
#[derive(Default)]
pub(super) struct Tally {
    failed_fields: usize,
    former_types: usize,
    former_fields: usize,
    failed: Option<ErrorCode>,
    touched: Vec<Touched>,
}

impl OpenState {
    /// Adds what is told of this opening to `tally`.
    pub(super) fn add_to(&self, tally: &mut Tally) {
        tally.failed_fields = tally.failed_fields.saturating_add(self.failed_fields);
        tally.former_types = tally.former_types.saturating_add(self.former_types);
        tally.former_fields = tally.former_fields.saturating_add(self.former_fields);
        tally.failed = tally.failed.or(self.failed);
        tally.touched.extend_from_slice(self.touched());
    }

    /// Takes what joined this opening.
    pub(super) fn join(&mut self, tally: Tally) {
        self.failed_fields = self.failed_fields.saturating_add(tally.failed_fields);
        self.former_types = self.former_types.saturating_add(tally.former_types);
        self.former_fields = self.former_fields.saturating_add(tally.former_fields);
        self.failed = self.failed.or(tally.failed);
        for Touched { class, key_id, opened } in tally.touched {
            self.touch(class, key_id);
            self.count_opened(opened);
        }
    }

    /// Takes a part of this opening that had a state of its own.
    pub(super) fn take_part(&mut self, mut part: Self) {
        let mut tally = Tally::default();
        part.add_to(&mut tally);
        self.join(tally);
        self.plaintexts.append(&mut part.plaintexts);
    }

    /// Opens `token` into `out`, whose length is that of its payload (FORMAT 4.6, 5.1, 7.3).
    // Inlined where it is optimized, down to the cipher: the declaration is a constant there, and most have no former pairs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn open<'o>(
        &mut self,
        field: &Declaration,
        core: &RecordCore,
        token: TokenParts<'_>,
        out: &'o mut [u8],
    ) -> Result<Content<'o>, Error> {
        let TokenParts { header, nonce, text, tag } = token;
        self.try_contexts(field, core, header, nonce, |cipher, nonce, aad| {
            cipher.open(header.letter, nonce, aad, text, tag, out)
        })?;
        let content = payload::content(out).map_err(|error| error.with_key(header.key_id))?;
        self.count_opened(1);
        Ok(content)
    }

    /// Opens the binary token in `buffer`, which then holds its text or bytes and nothing else. On an error it is as it was.
    pub(super) fn open_in_place(
        &mut self,
        field: &Declaration,
        core: &RecordCore,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let TokenParts { header, tag, .. } = TokenParts::parse(buffer)?;
        let tag = *tag;
        let start = header.payload_start();
        let end = buffer.len().saturating_sub(TAG_LEN);
        let (head, text) = buffer.get_mut(..end).unwrap_or_default().split_at_mut_checked(start).unwrap_or_default();
        let on_wire = head.get(HEADER_LEN..).unwrap_or_default();
        let decrypt = |cipher: &MessageCipher, nonce: &[u8; 24], aad: &[u8]| {
            cipher.open_in_place(header.letter, nonce, aad, text, &tag)
        };
        let (of, pair) = self.try_contexts(field, core, header, on_wire, decrypt)?;
        let content = payload::content(text).map_err(|error| error.with_key(header.key_id));
        let opened = usize::from(content.is_ok());
        self.count_opened(opened);
        let len = |content: Content<'_>| Ok(content.scalar().ok_or(ErrorKind::TypeMismatch)?.len());
        match content.and_then(len) {
            Ok(len) => {
                payload::keep(buffer, 0, start.saturating_add(1), len);
                Ok(())
            }
            Err(error) => {
                // The same bytes under the same nonce are the same token.
                let nonce = whole_nonce(of, on_wire);
                let undo = |cipher: &MessageCipher, aad: &[u8]| {
                    let sealed = cipher.seal(header.letter, &nonce, aad, text).map(drop);
                    // Better no token than plaintext in its place.
                    sealed.inspect_err(|_| wipe(text))
                };
                let dek = core.shared().keys.find(header.key_id)?;
                self.with_cipher((core, of), dek, header, pair, &nonce, undo)?;
                Err(error)
            }
        }
    }

    /// Lets plaintext be read in place of a token of a field, if there is a permit, and notes it for the observer.
    pub(crate) fn accept_plaintext(&mut self, field: &Declaration, core: &RecordCore) -> Result<(), Error> {
        core.check_class(field.class)?;
        let permit = core.permit(field.id).ok_or(ErrorKind::PlaintextNotPermitted)?;
        permit.check()?;
        self.plaintexts.push(PlaintextRead {
            field: field.id,
            class: field.class,
            record_type: core.context().record_type().to_owned(),
            change: permit.change(),
        });
        Ok(())
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

    /// How many fields were opened, or read as plaintext.
    pub(crate) fn fields(&self) -> usize {
        self.touched().iter().fold(self.plaintexts.len(), |fields, touched| fields.saturating_add(touched.opened))
    }

    pub(super) fn touched(&self) -> &[Touched] {
        &self.workspace.touched
    }

    pub(crate) fn note_failure(&mut self, error: &Error) {
        self.failed.get_or_insert(error.code());
    }

    /// Notes that a field did not open.
    pub(crate) fn note_failed_field(&mut self, error: &Error) {
        self.count_failed_field();
        self.note_failure(error);
    }

    /// The same if the opening as a whole may still succeed: a reader may try the field in more than one way.
    pub(crate) fn count_failed_field(&mut self) {
        self.failed_fields = self.failed_fields.saturating_add(1);
    }

    /// Has `decrypt` try the present context, then that of each former record type, until one opens (FORMAT 4.8).
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_contexts<'c>(
        &mut self,
        field: &Declaration,
        core: &'c RecordCore,
        header: Header,
        on_wire: &[u8],
        mut decrypt: impl FnMut(&MessageCipher, &[u8; 24], &[u8]) -> Result<(), Error>,
    ) -> Result<(&'c Context, Pair), Error> {
        let present = core.context();
        match self.try_pairs(field, (core, present), header, on_wire, &mut decrypt) {
            Ok(pair) => Ok((present, pair)),
            Err(error) if core.former().is_empty() || !is_not_opened(&error) => Err(error),
            Err(error) => self.try_former(error, field, core, header, on_wire, &mut decrypt),
        }
    }

    /// Only here is there a second call of what decrypts: almost no record has former types.
    #[cold]
    #[inline(never)]
    fn try_former<'c>(
        &mut self,
        mut failed: Error,
        field: &Declaration,
        core: &'c RecordCore,
        header: Header,
        on_wire: &[u8],
        decrypt: &mut Decrypt<'_>,
    ) -> Result<(&'c Context, Pair), Error> {
        for context in core.former() {
            match self.try_pairs(field, (core, context), header, on_wire, &mut *decrypt) {
                Ok(pair) => {
                    self.former_types = self.former_types.saturating_add(1);
                    return Ok((context, pair));
                }
                Err(error) if is_not_opened(&error) => failed = error,
                Err(error) => return Err(error),
            }
        }
        Err(failed)
    }

    /// Has `decrypt` try the field's pair of id and class, then its former ones, until one succeeds.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn try_pairs(
        &mut self,
        field: &Declaration,
        (core, context): (&RecordCore, &Context),
        header: Header,
        on_wire: &[u8],
        mut decrypt: impl FnMut(&MessageCipher, &[u8; 24], &[u8]) -> Result<(), Error>,
    ) -> Result<Pair, Error> {
        let (current, nonce) = (field.current(), &whole_nonce(context, on_wire));
        let dek = core.shared().keys.find(header.key_id)?;
        self.touch(current.1, dek.id);
        core.check_class(current.1)?;
        if !self.allow_compromised {
            dek.check_opens()?;
        }
        let bound = !header.letter.has_context_in_nonce() || context.has_record_id();
        if !dek.suite.opens(header.letter) || !bound {
            return Err(not_opened(dek));
        }
        match self.with_cipher((core, context), dek, header, current, nonce, |cipher, aad| decrypt(cipher, nonce, aad))
        {
            Ok(()) => Ok(current),
            // Only where the token does not open, another pair may: a backend that fails says nothing of the token.
            Err(error) if is_not_opened(&error) && field.former.is_empty() => Err(not_opened(dek)),
            Err(error) if is_not_opened(&error) => {
                self.try_former_pairs(field.former, (core, context), dek, header, nonce, &mut decrypt)
            }
            Err(error) => Err(error),
        }
    }

    /// Only here is there a second call of what decrypts: almost no field has former pairs.
    #[cold]
    #[inline(never)]
    fn try_former_pairs(
        &mut self,
        former: &[Pair],
        (core, context): (&RecordCore, &Context),
        dek: &Dek,
        header: Header,
        nonce: &[u8; 24],
        decrypt: &mut Decrypt<'_>,
    ) -> Result<Pair, Error> {
        for pair in former {
            // A former pair of a locked class stays closed; the error is that of a token that does not open.
            if core.allows(pair.1) {
                self.touch(pair.1, dek.id);
                match self
                    .with_cipher((core, context), dek, header, *pair, nonce, |cipher, aad| decrypt(cipher, nonce, aad))
                {
                    Ok(()) => {
                        self.former_fields = self.former_fields.saturating_add(1);
                        return Ok(*pair);
                    }
                    Err(error) if is_not_opened(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Err(not_opened(dek))
    }

    fn touch(&mut self, class: Class, key_id: KeyId) {
        let known = &mut self.workspace.touched;
        self.touched_at = known.iter().position(|known| known.is(class, key_id)).unwrap_or_else(|| {
            let at = known.len();
            known.push(Touched { class, key_id, opened: 0 });
            at
        });
    }

    /// Counts fields that opened with the class and key that were touched last.
    fn count_opened(&mut self, fields: usize) {
        if let Some(touched) = self.workspace.touched.get_mut(self.touched_at) {
            touched.opened = touched.opened.saturating_add(fields);
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn with_cipher(
        &mut self,
        (core, context): (&RecordCore, &Context),
        dek: &Dek,
        header: Header,
        (field, class): Pair,
        nonce: &[u8; 24],
        work: impl FnOnce(&MessageCipher, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let cipher = self.workspace.ciphers.get(core, dek, header.letter, class, nonce)?;
        with_aad(context, &header.to_bytes(), field, |aad| work(cipher, aad))
    }
}

fn not_opened(dek: &Dek) -> Error {
    Error::from(ErrorKind::OpenFailed).with_key(dek.id)
}

/// Whether the token is not of this context or pair, so that another one may be tried.
fn is_not_opened(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::OpenFailed)
}

/// What a token is tried with: a cipher, the nonce of the context that is tried, and the AAD.
type Decrypt<'d> = dyn FnMut(&MessageCipher, &[u8; 24], &[u8]) -> Result<(), Error> + 'd;

/// A field's id and class.
type Pair = (FieldId, Class);

/// FORMAT 5: the nonce's last bytes are on the wire; letter `X` has the context in front. The copies have constant lengths, so none of
/// them is a call.
fn whole_nonce(context: &Context, on_wire: &[u8]) -> [u8; 24] {
    let mut nonce = [0; 24];
    if let Ok(whole) = on_wire.try_into() {
        return whole;
    }
    if let Ok(from_wire) = on_wire.try_into()
        && let Some((from_context, rest)) = nonce.split_first_chunk_mut()
        && let Some(last) = rest.first_chunk_mut::<12>()
    {
        *from_context = context.nonce_prefix();
        *last = from_wire;
    }
    nonce
}
